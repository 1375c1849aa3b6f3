// What the store gives back. Values only; names and units are those of docs/STREAM.md.

public import MarketData
public import TickerPlant

/// A place among the trades or quotes of an instrument; rows are older than it.
public struct TradeCursor: Sendable, Hashable, LosslessStringConvertible {
  /// Day of the row.
  public var date: CalendarDate
  /// Ordinal of the row's epoch in this store; `Int64.max` = the newest epoch of the day, for a caller that knows
  /// the row from elsewhere.
  public var epoch: Int64
  /// The feed's sequence number of the row.
  public var sequence: UInt64

  /// A cursor from its parts.
  public init(date: CalendarDate, epoch: Int64, sequence: UInt64) {
    self.date = date
    self.epoch = epoch
    self.sequence = sequence
  }

  /// Reads `2026-11-24.3.4711`; nil for anything else.
  public init?(_ description: String) {
    let parts = description.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let date = CalendarDate(parts[0]), let epoch = Int64(parts[1]),
      let sequence = UInt64(parts[2])
    else { return nil }
    self.init(date: date, epoch: epoch, sequence: sequence)
  }

  /// `2026-11-24.3.4711`
  public var description: String { "\(date).\(epoch).\(sequence)" }
}

/// One trade.
public struct StoredTrade: Sendable, Equatable {
  /// Where it stands; `before:` this gives the older ones.
  public var cursor: TradeCursor
  /// The epoch's name: session and day.
  public var epoch: String
  /// Day at the exchange and its distance to UTC.
  public var day: TradingDay
  /// Exchange time, nanoseconds since midnight.
  public var timeOfDay: UInt64
  /// Price.
  public var price: Price
  /// Shares.
  public var size: UInt64
  /// The exchange's number of the match.
  public var match: MatchNumber
  /// What kind of trade.
  public var kind: TradeKind
  /// Who took liquidity; nil where not known.
  public var aggressor: Side?
  /// Against the trade before: 1 up, -1 down, 0 same, nil where there was none.
  public var direction: Int?
  /// Taken back.
  public var broken: Bool
  /// The sequence number of the message that took it back, where known.
  public var brokenBy: UInt64?

  /// The feed's sequence number.
  public var sequence: UInt64 { cursor.sequence }
  /// Nanoseconds since 1970.
  public var time: Int64 { day.midnightNanoseconds &+ Int64(truncatingIfNeeded: timeOfDay) }
}

/// The best quote after a message changed it.
public struct StoredQuote: Sendable, Equatable {
  /// Where it stands.
  public var cursor: TradeCursor
  /// The epoch's name: session and day.
  public var epoch: String
  /// Day at the exchange and its distance to UTC.
  public var day: TradingDay
  /// Exchange time, nanoseconds since midnight.
  public var timeOfDay: UInt64
  /// The quote; prices `noPrice` where a side is empty.
  public var top: TopPayload

  /// The feed's sequence number.
  public var sequence: UInt64 { cursor.sequence }
  /// Nanoseconds since 1970.
  public var time: Int64 { day.midnightNanoseconds &+ Int64(truncatingIfNeeded: timeOfDay) }
}

/// How long a bar is.
public enum BarInterval: String, Sendable, CaseIterable {
  case minute = "1m"
  case day = "1d"
}

/// One bar with at least one trade.
public struct StoredBar: Sendable, Equatable {
  /// How long it is.
  public var interval: BarInterval
  /// Day at the exchange and its distance to UTC.
  public var day: TradingDay
  /// Start, nanoseconds since 1970: of the minute, or of the exchange's day.
  public var start: Int64
  /// The epoch's name: session and day.
  public var epoch: String
  /// The feed's sequence number of the message that gave it its present values.
  public var sequence: UInt64
  /// First price.
  public var open: Price
  /// Highest price.
  public var high: Price
  /// Lowest price.
  public var low: Price
  /// Last price.
  public var close: Price
  /// Shares.
  public var volume: UInt64
  /// Price × shares, scale 4.
  public var turnover: UInt64
  /// Number of trades.
  public var trades: UInt64
  /// Nothing more comes; false for one that was cut off by the end of the process or of its day.
  public var closed: Bool
}

/// A snapshot that can be loaded.
public struct StoredSnapshot: Sendable, Equatable {
  /// Its number in the store; rises.
  public var id: Int64
  /// Index of the market.
  public var market: Int
  /// The plant's epoch.
  public var epoch: String
  /// The epoch's day.
  public var date: CalendarDate
  /// Sequence number of the last message it holds.
  public var sequence: UInt64
  /// When it was written, nanoseconds since 1970.
  public var created: Int64
  /// Bytes of it.
  public var byteCount: Int
}
