// What a plant says has changed: flat binary records in one buffer, copied whole into each consumer's ring.
// No callback, no existential, no reference counting; a record is a header of 32 bytes and a payload whose
// layout is the payload struct's own (records never leave the process).
// Every record is named by the feed: sequence number of the message that caused it (docs/ARCHITECTURE.md, names).

public import MarketData

/// What a record is about.
public enum UpdateKind: UInt8, Sendable {
  /// A price level changed: `LevelPayload`; `flags` is the side.
  case level = 1
  /// The best quote changed: `TopPayload`.
  case top = 2
  /// A trade, or a trade taken back: `TradeRecord`. `flags` `TradePayload.repeatFlag`: a trade that was told before,
  /// told again because the state was restored; its number is `tradeSequence`.
  case trade = 3
  /// A slow-moving fact changed: `FactsPayload`.
  case facts = 4
  /// The current one-minute bar changed or closed: `BarPayload`; `flags` 1 = closed.
  case bar = 5
  /// The day's figures at the close: `StatisticsPayload`.
  case daily = 6
  /// Both sides of the book are empty and the day's figures begin anew: no payload. `flags` `unheardFlag`: nobody says
  /// what is there now.
  case cleared = 7
  /// The source itself: `SourcePayload`.
  case source = 8
  /// A new instrument: `FactsPayload`; its index is the number of instruments before it. `flags` `unheardFlag`: it is
  /// listed, and nothing but its facts is known.
  case instrument = 9
  /// When what was told of an instrument changed last: `StampsPayload`. Ends an instrument's state that is told whole,
  /// whose records all have the number at which it is told.
  case stamps = 10

  /// Where instruments are taken one by one: this one isn't taken (any more), or its state hasn't come yet. A record of
  /// the kinds `instrument` or `cleared` without it says that the instrument is whole from there on.
  public static let unheardFlag: UInt8 = 1
}

/// First 32 bytes of each record.
public struct UpdateHeader: BitwiseCopyable, Sendable {
  /// What the record is about.
  public var kind: UInt8
  /// Meaning depends on `kind`.
  public var flags: UInt8
  /// Bytes of the record with this header; a multiple of 8.
  public var byteCount: UInt16
  /// The plant's index of the instrument; `UInt32.max` for the source.
  public var instrument: UInt32
  /// The feed's sequence number of the message that caused it.
  public var sequence: UInt64
  /// Exchange time, nanoseconds since midnight.
  public var time: UInt64
  /// When the host received the packet, nanoseconds since 1970; 0 where nobody knows.
  public var receivedAt: UInt64

  /// A header.
  @inlinable
  public init(
    kind: UInt8, flags: UInt8, byteCount: UInt16, instrument: UInt32, sequence: UInt64, time: UInt64,
    receivedAt: UInt64
  ) {
    self.kind = kind
    self.flags = flags
    self.byteCount = byteCount
    self.instrument = instrument
    self.sequence = sequence
    self.time = time
    self.receivedAt = receivedAt
  }
}

/// The absent price in payloads.
public let noPrice = Int64.min

/// One price level after the change.
public struct LevelPayload: BitwiseCopyable, Sendable {
  /// Price, scale 4.
  public var price: UInt32
  /// Orders at it.
  public var orders: UInt32
  /// Shares at it; 0 = the level is gone.
  public var size: UInt64
}

/// The best quote after the change; `noPrice` where a side is empty.
public struct TopPayload: BitwiseCopyable, Sendable, Equatable {
  /// Nothing yet.
  public init() {}

  /// Best bid, scale 4; `noPrice` = none.
  public var bid: Int64 = noPrice
  /// Shares at the best bid.
  public var bidSize: UInt64 = 0
  /// Best ask, scale 4; `noPrice` = none.
  public var ask: Int64 = noPrice
  /// Shares at the best ask.
  public var askSize: UInt64 = 0
  /// Orders at the best bid.
  public var bidOrders: UInt32 = 0
  /// Orders at the best ask.
  public var askOrders: UInt32 = 0
}

/// What kind of trade.
public enum TradeKind: UInt8, Sendable {
  /// Against a displayed order.
  case trade = 0
  /// Against a hidden order.
  case hidden = 1
  case openingCross = 2
  case closingCross = 3
  case haltCross = 4
  case ipoCross = 5
  case intradayCross = 6
}

/// One trade.
public struct TradePayload: BitwiseCopyable, Sendable {
  /// In the header's flags: the trade was told before.
  public static let repeatFlag: UInt8 = 1

  /// Price, scale 4.
  public var price: Int64
  /// Shares.
  public var size: UInt64
  /// The exchange's number of the match.
  public var match: UInt64
  /// For a trade taken back: the sequence number under which it was sent. Else its own.
  public var tradeSequence: UInt64
  /// Exchange time of the trade itself, nanoseconds since midnight.
  public var tradeTime: UInt64
  /// A `TradeKind`.
  public var kind: UInt8
  /// Who took liquidity: 0 buyer, 1 seller, 2 not known.
  public var aggressor: UInt8
  /// 1 = taken back.
  public var broken: UInt8
  /// Against the trade before: 1 up, -1 down, 0 same, 2 no trade before.
  public var direction: Int8
  var padding: UInt32 = 0
}

/// The day's figures; prices `noPrice` and times 0 before the first trade.
public struct StatisticsPayload: BitwiseCopyable, Sendable, Equatable {
  /// Nothing yet.
  public init() {}

  /// Last price, scale 4.
  public var last = noPrice
  /// Shares of the last trade.
  public var lastSize: UInt64 = 0
  /// Time of the last trade, nanoseconds since midnight.
  public var lastTime: UInt64 = 0
  /// First price, scale 4.
  public var open = noPrice
  /// Time of the first trade, nanoseconds since midnight.
  public var openTime: UInt64 = 0
  /// Highest price, scale 4.
  public var high = noPrice
  /// When the highest price was made first, nanoseconds since midnight.
  public var highTime: UInt64 = 0
  /// Lowest price, scale 4.
  public var low = noPrice
  /// When the lowest price was made first, nanoseconds since midnight.
  public var lowTime: UInt64 = 0
  /// Shares.
  public var volume: UInt64 = 0
  /// Price × shares, scale 4.
  public var turnover: UInt64 = 0
  /// Number of trades.
  public var trades: UInt64 = 0
  /// As in `TradePayload.direction`, of the last trade.
  public var direction: Int64 = 2
}

/// One-minute bar.
public struct BarPayload: BitwiseCopyable, Sendable, Equatable {
  /// Nothing yet.
  public init() {}

  /// Start, seconds since midnight; `UInt32.max` = no bar yet.
  public var startSeconds = UInt32.max
  /// Trades in it.
  public var trades: UInt32 = 0
  /// First price, scale 4.
  public var open = noPrice
  /// Highest price, scale 4.
  public var high = noPrice
  /// Lowest price, scale 4.
  public var low = noPrice
  /// Last or closing price, scale 4; `noPrice` = none.
  public var close = noPrice
  /// Shares.
  public var volume: UInt64 = 0
  /// Price × shares, scale 4.
  public var turnover: UInt64 = 0
}

/// An instrument's trading state as people say it.
public enum TradingState: UInt8, Sendable, CaseIterable {
  case unknown = 0
  case preOpen
  case auction
  case trading
  case lunchBreak
  case halted
  case paused
  case quotation
  case closed
}

/// 特別気配 and 注意気配.
public enum SpecialQuote: UInt8, Sendable, CaseIterable {
  case none = 0
  case specialBid
  case specialAsk
  case sequentialBid
  case sequentialAsk
}

/// The indication before an auction (ITCH `I`); `crossType` 0 = none.
public struct AuctionPayload: BitwiseCopyable, Sendable, Equatable {
  /// Price the figures are calculated at, scale 4.
  public var price = noPrice
  /// Clearing price of the auction orders alone, scale 4.
  public var far = noPrice
  /// Clearing price of all orders, scale 4.
  public var near = noPrice
  /// Shares that match.
  public var paired: UInt64 = 0
  /// Shares that do not.
  public var imbalance: UInt64 = 0
  /// The ITCH letter.
  public var side: UInt8 = 0
  /// The ITCH letter; 0 = no indication.
  public var crossType: UInt8 = 0
  // Named padding is written as zeros: equal records and snapshots are equal bytes.
  var padding: UInt16 = 0
  var padding2: UInt32 = 0
}

/// What moves slowly: who the instrument is and in which state.
public struct FactsPayload: BitwiseCopyable, Sendable, Equatable {
  /// Code as on the feed.
  public var code: InstrumentCode
  /// Base price of the day, scale 4.
  public var reference = noPrice
  /// Days since 1970; `Int64.min` = not known.
  public var referenceDate = Int64.min
  /// Last day's close, scale 4.
  public var previousClose = noPrice
  /// Days since 1970; `Int64.min` = not known.
  public var previousDate = Int64.min
  /// Highest price of the day, scale 4.
  public var limitUp = noPrice
  /// Lowest price of the day, scale 4.
  public var limitDown = noPrice
  /// Last or closing price, scale 4; `noPrice` = none.
  public var close = noPrice
  /// Upper auction collar, scale 4.
  public var collarUpper = noPrice
  /// Lower auction collar, scale 4.
  public var collarLower = noPrice
  /// The newest indication.
  public var auction = AuctionPayload()
  /// Shares in a round lot; 0 = not known.
  public var lot: UInt32 = 0
  /// A `TradingState`.
  public var state = TradingState.unknown.rawValue
  /// A `SpecialQuote`.
  public var special = SpecialQuote.none.rawValue
  /// A short-sale price test is in force.
  public var shortRestricted = false
  /// A message about the instrument could not be applied.
  public var suspect = false

  /// Nothing but the code is known.
  public init(code: InstrumentCode) { self.code = code }
}

/// The messages that changed an instrument last, by what they changed. Numbers are the feed's, 0 = none in this epoch;
/// times are exchange time, nanoseconds since midnight.
public struct StampsPayload: BitwiseCopyable, Sendable, Equatable {
  /// Of the quote: best prices, trades, facts.
  public var quoteSequence: UInt64 = 0
  /// When that was.
  public var quoteTime: UInt64 = 0
  /// Of the book: a level, the trading state, the base price.
  public var bookSequence: UInt64 = 0
  /// When that was.
  public var bookTime: UInt64 = 0
  /// Of the trades: one that was made or taken back.
  public var tradeSequence: UInt64 = 0
  /// Of the one-minute bars: one that changed or closed.
  public var barSequence: UInt64 = 0

  /// Nothing yet.
  public init() {}

  /// Whether no message beyond `sequence` is named.
  public func isPossible(at sequence: UInt64) -> Bool {
    max(max(quoteSequence, bookSequence), max(tradeSequence, barSequence)) <= sequence
  }

  /// All at one message.
  init(at sequence: UInt64, time: UInt64) {
    quoteSequence = sequence
    quoteTime = time
    bookSequence = sequence
    bookTime = time
    tradeSequence = sequence
    barSequence = sequence
  }
}

/// How a source is.
public enum SourceState: UInt8, Sendable {
  case live = 0
  /// Messages are missing and nobody has them.
  case gap = 1
  /// The line is silent.
  case silent = 2
  /// Catching up after a start.
  case recovering = 3
  /// The feed is over.
  case ended = 4
}

/// The source after a change of day, session or state.
public struct SourcePayload: BitwiseCopyable, Sendable {
  /// A `SourceState`.
  public var state: UInt64
  /// Days since 1970 of the epoch's day.
  public var date: Int64
  /// The epoch's ordinal within this plant: it rises with each new epoch.
  public var epochOrdinal: UInt64
  /// First and last missing sequence number of the newest gap; 0 = none.
  public var gapFrom: UInt64
  /// Last missing number of the newest gap; 0 = none.
  public var gapThrough: UInt64
  /// The session's first 16 ASCII bytes, zero padded, in memory order.
  public var sessionFirst: UInt64
  /// The next eight bytes of the session.
  public var sessionSecond: UInt64

  /// What a source is said to be.
  public init(
    state: UInt64, date: Int64, epochOrdinal: UInt64, gapFrom: UInt64, gapThrough: UInt64,
    sessionFirst: UInt64, sessionSecond: UInt64
  ) {
    self.state = state
    self.date = date
    self.epochOrdinal = epochOrdinal
    self.gapFrom = gapFrom
    self.gapThrough = gapThrough
    self.sessionFirst = sessionFirst
    self.sessionSecond = sessionSecond
  }

  /// The session as text; empty where the feed has none.
  public var session: String {
    var bytes: [UInt8] = []
    for word in [sessionFirst, sessionSecond] {
      withUnsafeBytes(of: word) { bytes.append(contentsOf: $0.prefix { $0 != 0 }) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
