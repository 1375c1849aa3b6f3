// The writer thread: rings → rows → one transaction a batch.
// Owner of everything here: the writer thread; the only way in is the rings and the mailbox.
//
// - It sleeps until a ring has something, then gathers for `batchMilliseconds` or until a ring is a quarter full.
// - "Durable" is what a commit with `synchronous = FULL` returned from; only that counts as written.
// - A snapshot is written after all ticks that came before it: a restart from it never skips a tick.
// - When writing fails, the rings are drained all the same: rows wait in memory up to a limit, then the newest are
//   lost and counted. Writing is tried again after 0.1 s, then twice as long each time, up to 5 s.

import Foundation
import GRDB
import MarketData
import TickerPlant

struct StoreWriter {
  private let configuration: StoreConfiguration
  private let database: OpenDatabase
  private let rings: [UpdateRing]
  private let mailbox: Mailbox
  private let log: @Sendable (StoreMessage) -> Void
  private var identities: Identities
  private var readers: [RecordReader]
  /// Of what is learned later of gaps, which comes with its own numbers of instruments.
  private var menders: [RecordReader]
  private var rows: PendingRows
  private var pruner: Pruner
  private var failures = 0
  private var retryAt = 0.0
  private var pruneAt = 0.0
  private var lostWhenDegraded: UInt64 = 0

  private static let hour = 3_600_000.0
  private static let sliceMilliseconds = 10.0
  private static let pruneMilliseconds = 20.0

  init(
    _ configuration: StoreConfiguration, _ database: OpenDatabase, _ rings: [UpdateRing], _ mailbox: Mailbox,
    _ identities: Identities, log: @escaping @Sendable (StoreMessage) -> Void
  ) {
    self.configuration = configuration
    self.database = database
    self.rings = rings
    self.mailbox = mailbox
    self.identities = identities
    self.log = log
    readers = configuration.markets.indices.map { market in
      RecordReader(market: market, keepsQuotes: configuration.keepsQuotes) { configuration.day(market, $0) }
    }
    menders = configuration.markets.indices.map { market in
      RecordReader(market: market, keepsQuotes: configuration.keepsQuotes, mends: true) {
        configuration.day(market, $0)
      }
    }
    rows = PendingRows(limit: configuration.waitingRowLimit)
    pruner = Pruner(configuration.retention)
  }

  /// The thread's life.
  mutating func run() {
    let bytes = databaseBytes()
    mailbox.update { $0.databaseBytes = bytes }
    while true {
      sleep()
      let asked = mailbox.take()
      drain()
      if asked.isClosing {
        for index in readers.indices { readers[index].keepAllCurrent(&rows) }
      }
      let mustTry = asked.isClosing || !asked.flushes.isEmpty
      let lostBefore = mailbox.currentStatus.rowsLost
      write(asked.snapshots.values.sorted { $0.market < $1.market }, mustTry: mustTry)
      let isDurable = rows.isEmpty && failures == 0 && mailbox.currentStatus.rowsLost == lostBefore
      for continuation in asked.flushes { continuation.resume(returning: isDurable) }
      if asked.isClosing { break }
      prune()
    }
    finish()
  }

  // MARK: - Sleeping

  private func sleep() {
    let now = Clock.monotonicMilliseconds()
    if !pruner.isIdle, failures == 0 {
      mailbox.wait(milliseconds: Self.sliceMilliseconds)
    } else {
      var until = max(pruneAt, now)
      if failures > 0 { until = min(until, max(retryAt, now)) }
      if rings.allSatisfy({ $0.fill == 0 }) { mailbox.wait(milliseconds: until - now) }
    }
    let end = Clock.monotonicMilliseconds() + Double(configuration.batchMilliseconds)
    while !mailbox.isHurried, rings.contains(where: { $0.fill > 0 }) {
      let left = end - Clock.monotonicMilliseconds()
      if left <= 0 || rings.contains(where: { $0.fill > $0.capacity / 4 }) { return }
      mailbox.wait(milliseconds: min(left, Self.sliceMilliseconds))
    }
  }

  // MARK: - Rings

  private mutating func drain() {
    for (market, ring) in rings.enumerated() {
      // What was there at the start and no more: a fast feed must not keep the rows from their transaction.
      ring.drain(limit: ring.fill) { tag, records in
        if tag & RecordSplitter.mends != 0 {
          menders[market].take(records, into: &rows, &identities)
        } else {
          readers[market].take(records, into: &rows, &identities)
        }
      }
    }
  }

  // MARK: - Writing

  private mutating func write(_ snapshots: [SnapshotRequest], mustTry: Bool) {
    let now = Clock.monotonicMilliseconds()
    if failures > 0, now < retryAt, !mustTry {
      for snapshot in snapshots { mailbox.putBack(snapshot) }
      return publishWaiting()
    }
    guard failures > 0 || !rows.isEmpty || !snapshots.isEmpty else { return publishWaiting() }
    // Taken over one by one: what is left here when something fails goes back into the mailbox.
    var snapshots = snapshots[...]
    do {
      try writeRows(since: now)
      while let snapshot = snapshots.first {
        try write(snapshot)
        snapshots.removeFirst()
      }
      recovered()
    } catch {
      for snapshot in snapshots { mailbox.putBack(snapshot) }
      failed(error)
    }
  }

  private mutating func writeRows(since start: Double) throws {
    var written: UInt64 = 0
    let count = rows.count
    if !rows.isEmpty || failures > 0 {
      try database.writer.writeWithoutTransaction { db in
        try db.inTransaction(.immediate) {
          written = try RowWriter.write(rows, to: db)
          if failures > 0 {
            // Also where nothing is new: that writing works again is shown by a commit that wrote.
            try db.execute(
              sql: "UPDATE market SET mic = mic WHERE id = ?", arguments: [identities.markets.first])
          }
          return .commit
        }
      }
      rows.removeAll()
    }
    let took = Clock.monotonicMilliseconds() - start
    let bytes = databaseBytes()
    let lost = takeLost()
    mailbox.update { status in
      status.rowsWritten += written
      status.rowsWaiting = 0
      status.rowsLost += lost
      if count > 0 {
        status.batches += 1
        status.lastBatchMilliseconds = took
      }
      status.databaseBytes = bytes
    }
  }

  /// In a transaction of its own.
  private func write(_ snapshot: SnapshotRequest) throws {
    let market = identities.markets[snapshot.market]
    try database.writer.writeWithoutTransaction { db in
      try db.inTransaction(.immediate) {
        try db.execute(
          sql: """
            INSERT INTO snapshot (market, epoch, date, sequence, created, byte_count, bytes)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
          arguments: [
            market, snapshot.epoch, snapshot.date.daysSince1970, Int64(bitPattern: snapshot.sequence),
            Clock.nanosecondsSince1970(), snapshot.bytes.count, Data(snapshot.bytes),
          ])
        try Pruner.pruneSnapshots(db, market: market, keeping: configuration.retention.snapshots)
        return .commit
      }
    }
    mailbox.update { $0.snapshotsWritten += 1 }
  }

  private mutating func takeLost() -> UInt64 {
    defer { rows.lost = 0 }
    return rows.lost
  }

  private mutating func publishWaiting() {
    let lost = takeLost()
    let waiting = rows.count
    mailbox.update { status in
      status.rowsWaiting = waiting
      status.rowsLost += lost
    }
  }

  // MARK: - Failing and coming back

  private mutating func failed(_ error: any Error) {
    failures += 1
    rows.isLimited = true
    retryAt = Clock.monotonicMilliseconds() + min(5_000, 100 * Double(1 << min(failures - 1, 6)))
    publishWaiting()
    if let error = error as? DatabaseError, DatabaseOpening.isDamage(error),
      mailbox.isFirstDamage(StoreError.text(error))
    {
      DatabaseOpening.note(StoreError.text(error), of: database.path)
    }
    guard failures == 1 else { return }
    pruneAt = 0  // what retention doesn't keep may be the room that is missing
    let reason = StoreError.text(error)
    mailbox.update { status in
      status.state = .degraded(reason: reason, sinceNanoseconds: Clock.nanosecondsSince1970())
    }
    lostWhenDegraded = mailbox.currentStatus.rowsLost
    log(
      StoreMessage(
        severity: .error,
        text:
          "\(database.path): writing fails (\(reason)); up to \(configuration.waitingRowLimit) rows wait in "
          + "memory, newer ones are lost and counted; trying again until it works. Free space or mend the disk"
      ))
  }

  private mutating func recovered() {
    guard failures > 0 else { return }
    failures = 0
    rows.isLimited = false
    mailbox.update { $0.state = .ok }
    let lost = mailbox.currentStatus.rowsLost - lostWhenDegraded
    log(
      StoreMessage(severity: .notice, text: "\(database.path): writing works again; \(lost) rows were lost"))
  }

  // MARK: - Retention

  private mutating func prune() {
    let now = Clock.monotonicMilliseconds()
    guard now >= pruneAt || !pruner.isIdle else { return }
    var pruner = pruner
    let identities = identities
    let configuration = configuration
    do {
      try database.writer.writeWithoutTransaction { db in
        if pruner.isIdle { try pruner.plan(db, identities) { configuration.day($0, $1) } }
        if !pruner.isIdle { try pruner.work(db, budgetMilliseconds: Self.pruneMilliseconds) }
      }
    } catch {
      pruner.abandon()
      if failures == 0 {
        log(
          StoreMessage(
            severity: .warning, text: "\(database.path): old rows stay (\(StoreError.text(error)))"))
      }
    }
    if pruner.isIdle { pruneAt = now + Self.hour }
    self.pruner = pruner
  }

  // MARK: - The end

  private mutating func finish() {
    if !rows.isEmpty {
      let count = UInt64(rows.count)
      mailbox.update { status in
        status.rowsLost += count
        status.rowsWaiting = 0
      }
      log(
        StoreMessage(
          severity: .error, text: "\(database.path): \(count) rows could not be written and are lost"))
    }
    _ = try? database.writer.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    try? database.writer.close()
    database.lock?.release()
    mailbox.end()
  }

  private func databaseBytes() -> Int64 {
    if database.lock == nil {
      let bytes = try? database.writer.writeWithoutTransaction { db in
        try Int64.fetchOne(db, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
      }
      return (bytes ?? nil) ?? 0
    }
    var sum: Int64 = 0
    for suffix in ["", "-wal"] {
      var facts = stat()
      if stat(database.path + suffix, &facts) == 0 { sum += Int64(facts.st_size) }
    }
    return sum
  }
}
