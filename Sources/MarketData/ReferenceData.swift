// What a feed can't carry: names, base prices, limits, tick tables, sessions. A JSON file beside the feed
// (FILE.reference.json), the same for the live simulator and for files: there is no side channel.

/// A text in both languages.
public struct LocalizedName: Sendable, Hashable, Codable {
  /// Japanese.
  public var ja: String
  /// English.
  public var en: String

  /// A text in both languages.
  public init(ja: String, en: String) {
    self.ja = ja
    self.en = en
  }
}

/// Reference data of one market for one day.
public struct ReferenceData: Sendable, Hashable, Codable {
  /// A stretch of continuous trading, seconds since the exchange's midnight.
  public struct Session: Sendable, Hashable, Codable {
    /// First second of trading.
    public var open: Int
    /// First second after trading.
    public var close: Int

    /// A session.
    public init(open: Int, close: Int) {
      self.open = open
      self.close = close
    }
  }

  /// What a reason code of a trading action (ITCH `H`) means at this market.
  public enum ReasonMeaning: String, Sendable, Codable {
    /// Lunch break.
    case lunchBreak = "break"
    /// Orders gather for an auction.
    case auction
    /// 特別気配: a special quote to the buy or sell side.
    case specialBid = "special_bid"
    case specialAsk = "special_ask"
    /// 注意気配: a sequential trade quote.
    case sequentialBid = "sequential_bid"
    case sequentialAsk = "sequential_ask"
  }

  /// One instrument's line.
  public struct Instrument: Sendable, Hashable, Codable {
    /// Code as on the feed.
    public var code: String
    /// Name in both languages.
    public var name: LocalizedName?
    /// Shares in a round lot.
    public var lot: UInt32?
    /// Base price of the day (基準値段).
    public var reference: Price?
    /// The day the base price comes from.
    public var referenceDate: CalendarDate?
    /// Last day's close, where it isn't the base price.
    public var previousClose: Price?
    /// Highest price of the day.
    public var limitUp: Price?
    /// Lowest price of the day.
    public var limitDown: Price?
    /// Name of the tick table, a key of `tickTables`.
    public var tickTable: String?

    /// A line with its code; the rest is set by name.
    public init(code: String) { self.code = code }

    enum CodingKeys: String, CodingKey {
      case code, name, lot, reference
      case referenceDate = "reference_date"
      case previousClose = "previous_close"
      case limitUp = "limit_up"
      case limitDown = "limit_down"
      case tickTable = "tick_table"
    }
  }

  /// Market identifier code (ISO 10383), such as `XTKS`.
  public var market: String
  /// The market's name.
  public var name: LocalizedName?
  /// ISO 4217 code.
  public var currency: String?
  /// IANA name of the exchange's time zone.
  public var timeZone: String?
  /// The day the feed is about; a second day in the feed is the next weekday.
  public var date: CalendarDate?
  /// True where no real order stands behind the prices.
  public var simulated: Bool?
  /// Sessions of a day.
  public var sessions: [Session]?
  /// Tick tables by name.
  public var tickTables: [String: TickSizeTable]?
  /// Meaning of the market's own reason codes.
  public var reasons: [String: ReasonMeaning]?
  /// The instruments.
  public var instruments: [Instrument]

  /// Reference data of a market without instruments.
  public init(market: String) {
    self.market = market
    instruments = []
  }

  enum CodingKeys: String, CodingKey {
    case market, name, currency, date, simulated, sessions, reasons, instruments
    case timeZone = "time_zone"
    case tickTables = "tick_tables"
  }

  /// All faults of the data, each with its place, what was found and what is wanted; empty when good.
  public func faults() -> [String] {
    var faults: [String] = []
    let isIdentifier = market.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) }
    if market.isEmpty || market.utf8.count > 8 || !isIdentifier {
      faults.append("market: \"\(market)\" found; wanted a market identifier code such as XTKS")
    }
    for (name, table) in tickTables ?? [:]
    where table.bands.contains(where: { $0.tick.units <= 0 }) || table.bands.isEmpty {
      faults.append("tick_tables.\(name): wanted at least one band, each tick above 0")
    }
    var seen: Set<String> = []
    for (index, instrument) in instruments.enumerated() {
      let place = "instruments[\(index)] (\(instrument.code))"
      if InstrumentCode(instrument.code) == nil {
        faults.append("\(place).code: wanted one to eight printable ASCII characters without spaces")
      }
      if !seen.insert(instrument.code).inserted {
        faults.append("\(place).code: stands there twice; remove one")
      }
      if let table = instrument.tickTable, tickTables?[table] == nil {
        let known = (tickTables ?? [:]).keys.sorted().joined(separator: ", ")
        faults.append(
          "\(place).tick_table: \"\(table)\" found; tick_tables has: \(known.isEmpty ? "none" : known)")
      }
      if let up = instrument.limitUp, let down = instrument.limitDown, up < down {
        faults.append("\(place): limit_down \(down) is above limit_up \(up)")
      }
      for (name, price) in [
        ("reference", instrument.reference), ("previous_close", instrument.previousClose),
        ("limit_up", instrument.limitUp), ("limit_down", instrument.limitDown),
      ] {
        if let price, price.units <= 0 {
          faults.append("\(place).\(name): \(price) found; wanted a price above 0")
        }
      }
    }
    return faults
  }
}
