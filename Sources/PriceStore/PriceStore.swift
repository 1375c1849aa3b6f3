// The store: ticks, bars and snapshots in an embedded database, written by a thread of its own.
// Threads: each market's feed thread writes to that market's ring and may save snapshots, neither of which waits for
// the disk; anyone reads, with `async` on the database's own reader connections; one writer thread writes.
// Invariant: what `status` counts as written is on the disk. A row has the feed's name of its message, so a replay
// writes nothing twice.

import Foundation
import GRDB
public import MarketData
public import TickerPlant

/// See the head of this file.
public final class PriceStore: Sendable {
  let configuration: StoreConfiguration
  let database: OpenDatabase
  /// The database's number of each market.
  let marketNumbers: [Int64]
  private let rings: [UpdateRing]
  let mailbox: Mailbox
  private let log: @Sendable (StoreMessage) -> Void

  /// Opens or begins the database and starts the writer thread.
  /// - Parameter log: called on the writer thread, or on the thread that opens, once a change of state.
  /// - Throws: `StoreError` where the directory or the database can't be used. A damaged database is no error: it is
  ///   set aside, logged, and a new one is begun.
  public init(
    _ configuration: StoreConfiguration, log: @escaping @Sendable (StoreMessage) -> Void
  ) throws(StoreError) {
    let database = try DatabaseOpening.open(configuration, log: log)
    let identities: Identities
    do {
      identities = try database.writer.writeWithoutTransaction { db in
        try Identities(db, markets: configuration.markets)
      }
    } catch {
      throw StoreError.opening(database.path, error)
    }
    let mailbox = Mailbox()
    let rings = configuration.markets.map { _ in
      UpdateRing(capacity: configuration.ringBytes) { mailbox.wake() }
    }
    self.configuration = configuration
    self.database = database
    self.log = log
    self.rings = rings
    self.mailbox = mailbox
    marketNumbers = identities.markets
    let capacity = rings.first?.capacity ?? 0
    mailbox.update { $0.ringCapacity = capacity }
    let thread = Thread {
      var writer = StoreWriter(configuration, database, rings, mailbox, identities, log: log)
      writer.run()
    }
    thread.stackSize = 1 << 20
    thread.name = "kabuto-store"
    thread.start()
  }

  deinit { mailbox.close() }

  // MARK: - Writing

  /// The ring of a market. One thread writes to it, whole records of whole messages (`RecordSplitter`); where
  /// `write` says that there is no room, it waits and tries again.
  ///
  /// The records of an epoch must begin with a `.source` record: the plant says it when the feed's messages begin
  /// and after a restore; a feed that begins elsewhere needs `TickerPlant.emitAll`. Rows before it are counted lost.
  public func ring(market: Int) -> UpdateRing { rings[market] }

  /// Takes a snapshot to be written; never blocks. Where the writer is behind, the newest of a market wins.
  ///
  /// Called after the plant's records up to `sequence` were written to the market's ring: the snapshot becomes
  /// durable after them.
  public func save(snapshot bytes: [UInt8], market: Int, epoch: String, date: CalendarDate, sequence: UInt64)
  {
    precondition(rings.indices.contains(market), "a market of the configuration")
    mailbox.put(SnapshotRequest(bytes: bytes, market: market, epoch: epoch, date: date, sequence: sequence))
  }

  /// Returns when everything that was in the rings before the call has been through the writer.
  /// - Returns: whether it is durable; false where it waits for a database that can't be written, or was lost:
  ///   `status` says which.
  @discardableResult
  public func flush() async -> Bool { await mailbox.flush() }

  /// Writes what is there, the unfinished bars too, folds the log into the database and stops the thread. Rows
  /// written to a ring after it are not seen. Calling it again does nothing.
  public func close() { mailbox.close() }

  // MARK: - Status

  /// How the store is; cheap, from any thread.
  public var status: StoreStatus {
    var status = mailbox.currentStatus
    status.ringFill = rings.map(\.fill)
    return status
  }

  /// Tells the operator.
  func say(_ severity: StoreMessage.Severity, _ text: String) {
    log(StoreMessage(severity: severity, text: text))
  }
}
