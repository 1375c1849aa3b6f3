// Snapshots: which there are, their bytes, and setting a damaged one aside.
// Called at the start of a feed, on its thread; each call is one short access to the database.

import Foundation
import GRDB
import MarketData

extension PriceStore {
  /// A market's snapshots that can be offered, newest first, without their bytes.
  public func snapshots(market: Int) throws(StoreError) -> [StoredSnapshot] {
    let number = marketNumbers[market]
    do {
      return try database.writer.read { db in
        try Row.fetchAll(
          db,
          sql: """
            SELECT id, epoch, date, sequence, created, byte_count FROM snapshot
            WHERE market = ? AND set_aside IS NULL ORDER BY id DESC
            """,
          arguments: [number]
        ).map { row in
          let sequence: Int64 = row[3]
          return StoredSnapshot(
            id: row[0], market: market, epoch: row[1], date: CalendarDate(daysSince1970: row[2]),
            sequence: UInt64(bitPattern: sequence), created: row[4], byteCount: row[5])
        }
      }
    } catch {
      throw StoreError.reading(database.path, error)
    }
  }

  /// The bytes of a snapshot. The plant's `restore` says whether they are good; where not, `setAside`.
  public func load(_ snapshot: StoredSnapshot) throws(StoreError) -> [UInt8] {
    let data: Data?
    do {
      data = try database.writer.read { db in
        try Data.fetchOne(db, sql: "SELECT bytes FROM snapshot WHERE id = ?", arguments: [snapshot.id])
      }
    } catch {
      throw StoreError.reading(database.path, error)
    }
    guard let data else { throw StoreError.missingSnapshot(database.path, id: snapshot.id) }
    return [UInt8](data)
  }

  /// Marks a snapshot as damaged: it is kept for a look, never offered again, and logged.
  public func setAside(snapshot: StoredSnapshot, reason: String) {
    let name = "snapshot \(snapshot.id) of \(snapshot.epoch) at \(snapshot.sequence)"
    do {
      try database.writer.write { db in
        try db.execute(
          sql: "UPDATE snapshot SET set_aside = ? WHERE id = ?", arguments: [reason, snapshot.id])
      }
      say(.warning, "\(database.path): \(name) is damaged (\(reason)); set aside, an older one is used")
    } catch {
      say(
        .error,
        "\(database.path): \(name) is damaged (\(reason)), and can't be marked (\(StoreError.text(error)))")
    }
  }
}
