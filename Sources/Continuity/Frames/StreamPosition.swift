// Where a stream of update records is: the epoch and the last message that it covers. Two streams of one market are
// the same stream wherever these are the same (docs/ARCHITECTURE.md, names of updates).

public import MarketData

/// An epoch as it is named everywhere: the feed's session and its day.
public struct EpochName: Sendable, Hashable, CustomStringConvertible {
  /// Session part; empty where the feed has none.
  public var session: String
  /// The day.
  public var date: CalendarDate

  /// An epoch.
  public init(session: String, date: CalendarDate) {
    self.session = session
    self.date = date
  }

  /// As REST and stream show it.
  public var description: String { session.isEmpty ? date.description : session + "." + date.description }
}

/// A place in an epoch: every record of the messages up to `sequence` is before it.
public struct StreamPosition: Sendable, Hashable {
  /// The epoch.
  public var epoch: EpochName
  /// Sequence number of the last message that is covered; 0 = none.
  public var sequence: UInt64

  /// A position.
  public init(epoch: EpochName, sequence: UInt64) {
    self.epoch = epoch
    self.sequence = sequence
  }
}
