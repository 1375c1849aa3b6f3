// How a store begins, and how long it keeps what.
// Values only; read once when the store opens.

public import MarketData

/// How long rows are kept. A day is a trading day that the store has seen of the market, not a day of the
/// calendar: a replay of an old file isn't thrown away because of today's date.
public struct StoreRetention: Sendable, Equatable {
  /// Newest days of which trades and quotes are kept.
  public var tickDays = 5
  /// Newest days of which one-minute bars are kept.
  public var minuteBarDays = 60
  /// Newest days of which daily bars are kept.
  public var dailyBarDays = 3650
  /// Newest snapshots kept of each market.
  public var snapshots = 3

  /// Five days of ticks, 60 of one-minute bars, 3,650 of daily bars, three snapshots.
  public init() {}
}

/// How a store begins.
public struct StoreConfiguration: Sendable {
  /// Where the database lies; nil = in memory, nothing is kept.
  public var directory: String?
  /// Market identifier codes; a market is its index here in all calls.
  public var markets: [String]
  /// For each market: seconds to add to UTC for the exchange's clock on a day.
  public var utcOffsetSeconds: [@Sendable (CalendarDate) -> Int]
  /// How long rows are kept.
  public var retention = StoreRetention()
  /// Longest time a row waits for its transaction while the disk keeps up.
  public var batchMilliseconds = 200
  /// Bytes of each market's ring.
  public var ringBytes = 16 << 20
  /// Whether changes of the best quote are kept besides trades and bars.
  public var keepsQuotes = true
  /// Rows that wait in memory while the database can't be written; what comes beyond is lost and counted.
  public var waitingRowLimit = 400_000
  /// Longest time the check of an existing database may take; a larger file is checked in part.
  public var checkMilliseconds = 5_000

  /// Whether a commit reaches the disk before it counts (`synchronous = FULL`); measurements turn it off.
  package var syncsEachCommit = true
  /// Pages the database may grow to; tests play a full disk with it.
  package var maximumPages: Int?

  /// A store for `markets`; markets without an offset function are taken to live in UTC.
  public init(
    directory: String?, markets: [String], utcOffsetSeconds: [@Sendable (CalendarDate) -> Int] = []
  ) {
    self.directory = directory
    self.markets = markets
    self.utcOffsetSeconds = utcOffsetSeconds
  }

  /// The exchange's day `date` of a market.
  func day(_ market: Int, _ date: CalendarDate) -> TradingDay {
    let offset = utcOffsetSeconds.indices.contains(market) ? utcOffsetSeconds[market](date) : 0
    return TradingDay(date: date, utcOffsetSeconds: offset)
  }
}

/// What a store tells its operator; once a change of state, never once a batch.
public struct StoreMessage: Sendable, Equatable {
  /// How grave.
  public enum Severity: Sendable {
    case notice, warning, error
  }
  /// How grave.
  public var severity: Severity
  /// What happened, where, and what is done about it.
  public var text: String
}
