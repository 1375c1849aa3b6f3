// A prepared statement that is run many times with integers. GRDB prepares, caches and finalises it; binding and
// stepping go to SQLite directly, because GRDB's arguments are an array of enums for each run.
// Owner: whoever has the database connection, for the length of that access.

import GRDB
import GRDBSQLite

struct PreparedStatement: ~Copyable {
  private let statement: Statement
  private let handle: SQLiteStatement
  private let connection: SQLiteConnection?
  /// Of what was bound since the last run.
  private var sum = RowSum()

  init(_ db: Database, _ sql: String) throws {
    statement = try db.cachedStatement(sql: sql)
    handle = statement.sqliteStatement
    connection = db.sqliteConnection
  }

  deinit {
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
  }

  /// Parameters count from 1.
  @inline(__always)
  mutating func bind(_ index: Int32, _ value: Int64) {
    sum.add(index, value)
    sqlite3_bind_int64(handle, index, value)
  }

  @inline(__always)
  mutating func bind(_ index: Int32, _ value: UInt64) { bind(index, Int64(bitPattern: value)) }

  /// `absent` becomes NULL.
  @inline(__always)
  mutating func bind(_ index: Int32, _ value: Int64, absent: Int64) {
    guard value == absent else { return bind(index, value) }
    sum.addNull(index)
    sqlite3_bind_null(handle, index)
  }

  /// Binds the checksum of all that was bound before: parameters are the table's columns in their order.
  @inline(__always)
  mutating func bindSum(_ index: Int32) {
    sqlite3_bind_int64(handle, index, sum.stored)
    sum = RowSum()
  }

  /// Binds what is no column: it isn't part of the checksum.
  @inline(__always)
  func bindFlag(_ index: Int32, _ value: Bool) { sqlite3_bind_int64(handle, index, value ? 1 : 0) }

  /// Runs a statement that gives no rows.
  @inline(__always)
  func run() throws {
    let code = sqlite3_step(handle)
    sqlite3_reset(handle)
    guard code == SQLITE_DONE || code == SQLITE_ROW else { throw failure(code) }
  }

  private func failure(_ code: Int32) -> DatabaseError {
    let message = connection.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) }
    let extended = connection.map { sqlite3_extended_errcode($0) } ?? code
    return DatabaseError(resultCode: ResultCode(rawValue: extended), message: message)
  }
}
