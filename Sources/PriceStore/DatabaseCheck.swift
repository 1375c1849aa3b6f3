// What SQLite's own check doesn't look for: that tables are as we made them, and that each row's values are those that
// were written (RowSum). Throws SQLITE_CORRUPT, so that damage of any kind is met in one place (DatabaseOpening).
// Runs on the thread that opens the store, before anything is read for use; bounded in time.

import GRDB
import GRDBSQLite

enum DatabaseCheck {
  private static let tables = ["daily_bar", "minute_bar", "trade", "quote"]

  /// Looks at everything until `deadline` (milliseconds of the clock that only goes forward). False where not all was
  /// reached: rows are looked at again when they are read.
  static func run(_ db: Database, deadline: Double) throws -> Bool {
    try schema(db)
    try names(db)
    for table in tables where try !rows(db, table, deadline: deadline) { return false }
    return true
  }

  /// A row whose values are not those of its checksum.
  static func damaged(_ what: String) -> DatabaseError {
    DatabaseError(
      resultCode: .SQLITE_CORRUPT, message: "\(what) is not as it was written: its checksum is wrong")
  }

  private static func schema(_ db: Database) throws {
    let sql =
      "SELECT name || ' ' || ifnull(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    let fresh = try DatabaseQueue()
    try Schema.migrator.migrate(fresh)
    let wanted = try fresh.read { try String.fetchAll($0, sql: sql) }
    let found = try String.fetchAll(db, sql: sql)
    guard found != wanted else { return }
    let strange = zip(found, wanted).first { $0 != $1 }?.0 ?? "\(found.count) tables and indices"
    throw DatabaseError(
      resultCode: .SQLITE_CORRUPT, message: "the tables are not those of this program: \(strange.prefix(80))")
  }

  private static func names(_ db: Database) throws {
    for row in try Row.fetchAll(db, sql: "SELECT id, mic, sum FROM market WHERE sum IS NOT NULL") {
      let sum: Int64 = row[2]
      if sum != NameSums.market(row[0], row[1]) { throw damaged("a market's name") }
    }
    for row in try Row.fetchAll(db, sql: "SELECT id, market, code, sum FROM instrument WHERE sum IS NOT NULL")
    {
      let sum: Int64 = row[3]
      if sum != NameSums.instrument(row[0], row[1], row[2]) { throw damaged("an instrument's name") }
    }
    for row in try Row.fetchAll(
      db, sql: "SELECT id, market, date, session, sum FROM epoch WHERE sum IS NOT NULL")
    {
      let sum: Int64 = row[4]
      if sum != NameSums.epoch(row[0], row[1], row[2], row[3]) { throw damaged("an epoch's name") }
    }
  }

  private static func rows(_ db: Database, _ table: String, deadline: Double) throws -> Bool {
    let statement = try db.makeStatement(sql: "SELECT * FROM \(table)")
    let handle = statement.sqliteStatement
    defer { sqlite3_reset(handle) }
    let columns = sqlite3_column_count(handle)
    var count = 0
    while true {
      let code = sqlite3_step(handle)
      if code == SQLITE_DONE { return true }
      guard code == SQLITE_ROW else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
      count += 1
      if count % 4096 == 0, Clock.monotonicMilliseconds() > deadline { return false }
      if sqlite3_column_type(handle, columns - 1) == SQLITE_NULL { continue }
      var sum = RowSum()
      for column in 0..<columns - 1 {
        if sqlite3_column_type(handle, column) == SQLITE_NULL {
          sum.addNull(column + 1)
        } else {
          sum.add(column + 1, sqlite3_column_int64(handle, column))
        }
      }
      if sum.stored != sqlite3_column_int64(handle, columns - 1) {
        throw damaged("a row of \(table) (instrument \(sqlite3_column_int64(handle, 0)))")
      }
    }
  }
}
