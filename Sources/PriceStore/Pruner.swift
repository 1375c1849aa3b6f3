// Takes away what retention doesn't keep, in transactions of a few thousand rows, so that ticks never wait long. Pages that become free are used again; the file doesn't shrink.
// Owner: the writer thread.

import GRDB
import MarketData

struct Pruner {
  private enum Step {
    /// Ticks of one instrument in one epoch.
    case ticks(table: String, instrument: Int64, epoch: Int64)
    /// The epoch's ticks are gone.
    case done(epoch: Int64)
    /// Bars of one instrument.
    case bars(table: String, key: String, instrument: Int64, before: Int64)
    /// Snapshots of one market beyond the newest.
    case snapshots(market: Int64)
  }

  private static let rowsAStep = 4_000
  private let retention: StoreRetention
  private var steps: [Step] = []

  init(_ retention: StoreRetention) { self.retention = retention }

  var isIdle: Bool { steps.isEmpty }

  /// Looks for what is too old and plans the steps.
  mutating func plan(_ db: Database, _ identities: Identities, day: (Int, CalendarDate) -> TradingDay) throws
  {
    steps = []
    for (index, market) in identities.markets.enumerated() {
      let instruments = identities.instruments.filter { $0.key.market == market }.map(\.value).sorted()
      if let date = try cut(db, market, keeping: retention.tickDays) {
        let expired = try Int64.fetchAll(
          db, sql: "SELECT id FROM epoch WHERE market = ? AND date < ? AND ticks_pruned = 0 ORDER BY id",
          arguments: [market, date.daysSince1970])
        for epoch in expired {
          for instrument in instruments {
            steps.append(.ticks(table: "quote", instrument: instrument, epoch: epoch))
            steps.append(.ticks(table: "trade", instrument: instrument, epoch: epoch))
          }
          steps.append(.done(epoch: epoch))
        }
      }
      if let date = try cut(db, market, keeping: retention.minuteBarDays) {
        let before = day(index, date).midnightNanoseconds / 1_000_000_000
        for id in instruments {
          steps.append(.bars(table: "minute_bar", key: "start", instrument: id, before: before))
        }
      }
      if let date = try cut(db, market, keeping: retention.dailyBarDays) {
        let before = Int64(date.daysSince1970)
        for id in instruments {
          steps.append(.bars(table: "daily_bar", key: "date", instrument: id, before: before))
        }
      }
      steps.append(.snapshots(market: market))
    }
    steps.reverse()
  }

  /// The oldest day that is kept; nil where there are no more days than that.
  private func cut(_ db: Database, _ market: Int64, keeping days: Int) throws -> CalendarDate? {
    try Int.fetchOne(
      db, sql: "SELECT DISTINCT date FROM epoch WHERE market = ? ORDER BY date DESC LIMIT 1 OFFSET ?",
      arguments: [market, max(1, days) - 1]
    ).map { CalendarDate(daysSince1970: $0) }
  }

  /// One transaction of at most `budgetMilliseconds` and some thousand rows.
  mutating func work(_ db: Database, budgetMilliseconds: Double) throws {
    let end = Clock.monotonicMilliseconds() + budgetMilliseconds
    var rest = steps
    try db.inTransaction(.immediate) {
      let enough = db.totalChangesCount + Self.rowsAStep
      while let step = rest.last, db.totalChangesCount < enough, Clock.monotonicMilliseconds() < end {
        if try run(step, db) { rest.removeLast() }
      }
      return .commit
    }
    steps = rest
  }

  /// Forgets the plan; the next one begins anew.
  mutating func abandon() { steps = [] }

  private func run(_ step: Step, _ db: Database) throws -> Bool {
    switch step {
    case .ticks(let table, let instrument, let epoch):
      let last = try Int64.fetchOne(
        db,
        sql:
          "SELECT sequence FROM \(table) WHERE instrument = ? AND epoch = ? ORDER BY sequence LIMIT 1 OFFSET ?",
        arguments: [instrument, epoch, Self.rowsAStep - 1])
      try db.execute(
        sql: "DELETE FROM \(table) WHERE instrument = ? AND epoch = ? AND sequence <= ?",
        arguments: [instrument, epoch, last ?? .max])
      return last == nil
    case .done(let epoch):
      try db.execute(sql: "UPDATE epoch SET ticks_pruned = 1 WHERE id = ?", arguments: [epoch])
    case .bars(let table, let key, let instrument, let before):
      try db.execute(
        sql: "DELETE FROM \(table) WHERE instrument = ? AND \(key) < ?", arguments: [instrument, before])
    case .snapshots(let market):
      try Self.pruneSnapshots(db, market: market, keeping: retention.snapshots)
    }
    return true
  }

  /// Keeps the newest snapshots that can be offered, and as many of those set aside.
  static func pruneSnapshots(_ db: Database, market: Int64, keeping count: Int) throws {
    for condition in ["set_aside IS NULL", "set_aside IS NOT NULL"] {
      try db.execute(
        sql: """
          DELETE FROM snapshot WHERE market = ? AND \(condition) AND id NOT IN (
            SELECT id FROM snapshot WHERE market = ? AND \(condition) ORDER BY id DESC LIMIT ?)
          """,
        arguments: [market, market, max(1, count)])
    }
  }
}
