// What REST answers from the loop's own image (docs/STREAM.md, Endpoints). Nothing here waits for anybody.

public import MarketData
import TickerPlant

/// What a name stands for.
public enum InstrumentLookup: Sendable, Equatable {
  /// The image's index.
  case found(Int)
  /// The code is in several markets.
  case ambiguous
  /// No instrument of that name.
  case unknown
}

extension Distributor {
  /// Finds an instrument by `CODE` or `CODE.MARKET`.
  public func lookUp(_ name: String) -> InstrumentLookup {
    switch resolve(name) {
    case .found(let index): .found(index)
    case .ambiguous: .ambiguous
    case .unknown: .unknown
    }
  }

  /// Number of instruments.
  public var instrumentCount: Int { imageCount }

  /// The market (its index here) and code of an instrument.
  public func identity(of index: Int) -> (market: Int, code: InstrumentCode) {
    (images[index].market, images[index].facts.code)
  }

  /// A tag that changes whenever the instrument's quote does.
  public func quoteTag(of index: Int) -> String {
    let market = markets[images[index].market]
    return
      "\"\(market.epoch)-\(images[index].quoteSequence)-\(market.state.rawValue)-\(market.staleSince)\(heardTag(index))\""
  }

  /// A tag that changes whenever the instrument's book does.
  public func bookTag(of index: Int, levels: Int) -> String {
    let market = markets[images[index].market]
    return
      "\"\(market.epoch)-\(images[index].bookSequence)-\(levels)-\(market.state.rawValue)-\(market.staleSince)\(heardTag(index))\""
  }

  private func heardTag(_ index: Int) -> String { images[index].unheardSince == nil ? "" : "-u" }

  /// A Quote object.
  public func writeQuote(_ index: Int, into writer: inout JSONWriter) {
    let image = images[index]
    let market = markets[image.market]
    openObject(index, sequence: image.quoteSequence, market, into: &writer)
    writer.raw(",\"name\":")
    writer.name(market.lines[image.facts.code])
    writer.quoteFields(image, mask: QuoteField.all, market: market)
    writer.raw("}")
  }

  /// A Book object.
  public func writeBook(_ index: Int, levels: Int, into writer: inout JSONWriter) {
    let image = images[index]
    let market = markets[image.market]
    openObject(index, sequence: image.bookSequence, market, into: &writer)
    writer.bookFields(image, mask: BookField.all, levels: levels, market: market)
    writer.raw(",\"stale\":")
    writer.stale(market, image)
    writer.raw("}")
  }

  /// Trade objects, newest first, joined by commas: what the image still holds with a sequence below `before`.
  /// Returns the sequence of the last one, their number, and whether these are all trades of the day.
  public func writeTrades(
    _ index: Int, limit: Int, before: UInt64, into writer: inout JSONWriter
  ) -> (last: UInt64?, count: Int, isAll: Bool) {
    let image = images[index]
    let (last, count) = tradeList(index, limit: limit, before: before, into: &writer)
    let holdsDay = image.trades.oldest == 0 && UInt64(image.trades.total) >= image.statistics.trades
    return (last, count, holdsDay && count < limit)
  }

  /// `,"name":value` of how things stand with an instrument: for lists of its trades or bars.
  public func writeStanding(_ index: Int, into writer: inout JSONWriter) {
    let market = markets[images[index].market]
    writer.standingFields(images[index], market: market)
    writer.raw(",\"stale\":")
    writer.stale(market, images[index])
  }

  /// The epoch and day of an instrument's market.
  public func epoch(of index: Int) -> (epoch: String, date: CalendarDate) {
    let market = markets[images[index].market]
    return (market.epoch, market.date)
  }

  /// The day of an instrument's market.
  public func day(of index: Int) -> TradingDay { markets[images[index].market].stamp.day }

  /// What an instrument is called in answers, and its market.
  public func fullName(of index: Int) -> (shown: String, market: String) {
    let code = images[index].facts.code.description
    let market = markets[images[index].market].description.market
    return (byName[code] == -2 ? "\(code).\(market)" : code, market)
  }

  /// One-minute bars that the image holds, oldest first: the last closed ones and the current one.
  public func recentBars(_ index: Int) -> [RecentBar] {
    let image = images[index]
    var bars: [RecentBar] = []
    for number in max(0, image.closedCount - 4)..<max(0, image.closedCount) {
      if let (bar, sequence) = image.closedBar(number) { bars.append(RecentBar(bar, sequence, closed: true)) }
    }
    if !image.barClosed { bars.append(RecentBar(image.bar, image.barSequence, closed: false)) }
    return bars
  }

  /// The day's bar so far; nil without a trade.
  public func dayBar(_ index: Int) -> RecentBar? {
    let image = images[index]
    guard image.statistics.last != noPrice else { return nil }
    return RecentBar(image.statistics, image.quoteSequence, closed: image.facts.close != noPrice)
  }

  /// An Instrument object.
  public func writeInstrument(_ index: Int, into writer: inout JSONWriter) {
    writer.instrument(images[index], market: markets[images[index].market])
  }

  /// Indices in the order of code and market, of those whose code, full name, or name in either language contains
  /// `query` (case and width of letters don't count); all where `query` is empty.
  public func search(_ query: String) -> [Int] {
    let wanted = Self.folded(query)
    var found: [Int] = []
    for index in 0..<imageCount {
      if wanted.isEmpty {
        found.append(index)
        continue
      }
      let market = markets[images[index].market]
      let code = images[index].facts.code
      if Self.folded("\(code).\(market.description.market)").contains(wanted) {
        found.append(index)
      } else if let name = market.lines[code]?.name,
        Self.folded(name.ja).contains(wanted) || Self.folded(name.en).contains(wanted)
      {
        found.append(index)
      }
    }
    return found.sorted {
      (images[$0].facts.code, images[$0].market) < (images[$1].facts.code, images[$1].market)
    }
  }

  /// Lower case, full-width letters and digits as half-width ones.
  static func folded(_ text: String) -> String {
    var folded = String.UnicodeScalarView()
    for scalar in text.lowercased().unicodeScalars {
      if (0xff01...0xff5e).contains(scalar.value), let half = Unicode.Scalar(scalar.value - 0xfee0) {
        folded.append(half)
      } else if scalar.value == 0x3000 {
        folded.append(" ")
      } else {
        folded.append(scalar)
      }
    }
    return String(folded).lowercased()
  }

  /// How each source is, for health and status.
  public func sourceStates() -> [SourceSummary] {
    markets.map {
      SourceSummary(
        market: $0.description.market, epoch: $0.epoch, sequence: $0.sequence, isStale: $0.isStale,
        state: $0.state == .live ? "live" : $0.state == .ended ? "ended" : "stale",
        instruments: $0.instruments.count)
    }
  }

  /// Where all sources are, as text for SSE's `id`: `MARKET:EPOCH:SEQ`, joined by commas.
  public var positionText: String {
    markets.map { "\($0.description.market):\($0.epoch):\($0.sequence)" }.joined(separator: ",")
  }

  private func openObject(
    _ index: Int, sequence: UInt64, _ market: MarketImage, into writer: inout JSONWriter
  ) {
    writer.raw("{\"instrument\":")
    instrumentName(index, into: &writer)
    writer.raw(",\"market\":")
    writer.string(market.description.market)
    writer.raw(",\"epoch\":")
    writer.string(market.epoch)
    writer.raw(",\"seq\":")
    writer.integer(sequence)
  }
}

/// How a source is, in a few words.
public struct SourceSummary: Sendable {
  /// Market identifier code.
  public var market: String
  /// Epoch's name; empty before the first message.
  public var epoch: String
  /// Last sequence number that changed something.
  public var sequence: UInt64
  /// Values may be wrong or old.
  public var isStale: Bool
  /// `live`, `stale` or `ended`.
  public var state: String
  /// Instruments known.
  public var instruments: Int
}

/// A bar in numbers, for whoever joins it with stored ones.
public struct RecentBar: Sendable, Equatable {
  /// Seconds since midnight; 0 for a day's bar.
  public var startSeconds: UInt32
  /// Prices in units of 1/10,000.
  public var open: Int64
  /// Highest price, scale 4.
  public var high: Int64
  /// Lowest price, scale 4.
  public var low: Int64
  /// Last or closing price, scale 4; `noPrice` = none.
  public var close: Int64
  /// Shares.
  public var volume: UInt64
  /// Price × shares, scale 4.
  public var turnover: UInt64
  /// Number of trades.
  public var trades: UInt64
  /// Whether it can still change.
  public var closed: Bool
  /// Sequence of the message that changed it last.
  public var sequence: UInt64

  init(_ bar: BarPayload, _ sequence: UInt64, closed: Bool) {
    self.sequence = sequence
    startSeconds = bar.startSeconds
    open = bar.open
    high = bar.high
    low = bar.low
    close = bar.close
    volume = bar.volume
    turnover = bar.turnover
    trades = UInt64(bar.trades)
    self.closed = closed
  }

  init(_ day: StatisticsPayload, _ sequence: UInt64, closed: Bool) {
    self.sequence = sequence
    startSeconds = 0
    open = day.open
    high = day.high
    low = day.low
    close = day.last
    volume = day.volume
    turnover = day.turnover
    trades = day.trades
    self.closed = closed
  }
}
