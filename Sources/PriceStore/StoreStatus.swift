// How the store is, as a value that anyone may read at any time.

/// Whether rows reach the database.
public enum StoreState: Sendable, Equatable {
  /// They do.
  case ok
  /// Writing fails; it is tried again with growing pauses. `sinceNanoseconds` counts from 1970.
  case degraded(reason: String, sinceNanoseconds: Int64)
}

/// How the store is.
public struct StoreStatus: Sendable, Equatable {
  /// Whether rows reach the database.
  public var state = StoreState.ok
  /// Damage that was found in the database while it is in use; nil = none. What is damaged is not served.
  public var damage: String?
  /// Rows that are durable; rows that were there before don't count.
  public var rowsWritten: UInt64 = 0
  /// Rows that came and will never be written.
  public var rowsLost: UInt64 = 0
  /// Rows in memory that wait for a write that failed.
  public var rowsWaiting = 0
  /// Transactions with rows.
  public var batches: UInt64 = 0
  /// How long the last one took.
  public var lastBatchMilliseconds = 0.0
  /// Snapshots that are durable.
  public var snapshotsWritten: UInt64 = 0
  /// Snapshots that were replaced by a newer one before they were written.
  public var snapshotsSuperseded: UInt64 = 0
  /// Bytes that wait in each market's ring.
  public var ringFill: [Int] = []
  /// Bytes a ring holds.
  public var ringCapacity = 0
  /// Bytes of the database and its log.
  public var databaseBytes: Int64 = 0

  /// Nothing yet.
  public init() {}
}
