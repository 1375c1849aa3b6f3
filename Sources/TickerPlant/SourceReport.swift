// What a feed thread says of itself to health, metrics and `kabuto top`.

public import FeedProtocols
public import MarketData

/// A live line's figures at one moment.
public struct LineReport: Sendable {
  /// `A` or `B`.
  public var name: String
  /// Where it is heard.
  public var address: String
  /// What it brought, and how it is.
  public var statistics: LineStatistics
  /// Since its last packet; nil = none came.
  public var quietNanoseconds: UInt64?

  /// A report from its parts.
  public init(name: String, address: String, statistics: LineStatistics, quietNanoseconds: UInt64?) {
    self.name = name
    self.address = address
    self.statistics = statistics
    self.quietNanoseconds = quietNanoseconds
  }
}

/// A source's figures at one moment.
public struct SourceReport: Sendable {
  /// Market identifier code.
  public var market: String
  /// What is read, as the user wrote it.
  public var source: String
  /// Epoch's name.
  public var epoch: String
  /// Last sequence number applied.
  public var sequence: UInt64
  /// `live`, `gap`, `silent`, `recovering` or `ended`.
  public var state: String
  /// Messages applied, and what was wrong with them.
  public var messages: UInt64 = 0
  /// Messages that are not of the specification.
  public var malformed: UInt64 = 0
  /// Messages about orders that are not known.
  public var unknownOrders: UInt64 = 0
  /// Orders added under a live reference.
  public var duplicateOrders: UInt64 = 0
  /// Sizes larger than the order, or zero.
  public var impossibleSizes: UInt64 = 0
  /// Broken trades that name no known match.
  public var unknownTrades: UInt64 = 0
  /// Messages declared lost.
  public var lost: UInt64 = 0
  /// Messages that came again.
  public var repeated: UInt64 = 0
  /// Trades.
  public var trades: UInt64 = 0
  /// Instruments and live orders.
  public var instruments = 0
  /// Live orders.
  public var liveOrders = 0
  /// How far the feed is behind its own clock, nanoseconds; 0 where it isn't paced.
  public var lagNanoseconds: UInt64 = 0
  /// Bytes that wait in the fullest ring, and how often the feed thread waited for a ring.
  public var ringFill = 0
  /// How often the feed thread waited for a ring.
  public var ringWaits: UInt64 = 0
  /// Part of the input done, 0…1; nil where it has no end.
  public var progress: Double?
  /// Exchange time of the last message, nanoseconds since midnight.
  public var time: UInt64 = 0
  /// The plant's state digest when the newest snapshot was made or the feed ended; nil before. Two servers with the
  /// same `digestSequence` of the same epoch have the same one.
  public var digest: StateDigest?
  /// Sequence number that the digest is of.
  public var digestSequence: UInt64 = 0
  /// How long the feed stood still for the newest snapshot, its digest included, nanoseconds; 0 = none was made.
  public var snapshotNanoseconds: UInt64 = 0
  /// What is wrong, in words; nil = nothing.
  public var fault: String?
  /// Live lines; none for files and the simulator.
  public var lines: [LineReport] = []
  /// What was asked of the request server, and lost; nil where there are no lines.
  public var requests: RequestStatistics?

  /// A report before the first message.
  public init(market: String, source: String, epoch: String, sequence: UInt64, state: String) {
    self.market = market
    self.source = source
    self.epoch = epoch
    self.sequence = sequence
    self.state = state
  }
}
