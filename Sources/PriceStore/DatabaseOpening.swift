// From a directory to an open database: make, lock, check, set aside what is damaged, migrate.
// Runs on the thread that opens the store, once. A damaged file never keeps prices from flowing: it is renamed with
// its log and a new one is begun. What isn't damage (no permission, no space, a newer version) is an error.

import Foundation
import GRDB
import GRDBSQLite
import MarketData

/// An open database, and the lock that keeps other processes out of it.
struct OpenDatabase: Sendable {
  let writer: any DatabaseWriter
  /// The file; `:memory:` where there is none.
  let path: String
  let lock: DirectoryLock?
}

enum DatabaseOpening {
  static let fileName = "prices.sqlite"

  static func open(
    _ configuration: StoreConfiguration, log: @Sendable (StoreMessage) -> Void
  ) throws(StoreError) -> OpenDatabase {
    guard let directory = configuration.directory else { return try openInMemory(configuration) }
    let path = directory.hasSuffix("/") ? directory + fileName : directory + "/" + fileName
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw StoreError.directory(directory, found: reason(error))
    }
    let lock = try DirectoryLock(directory)
    do {
      if let found = noted(path) {
        try setAside(path, because: found, log: log)
      } else if let damage = try damage(
        of: path, limitMilliseconds: configuration.checkMilliseconds, log: log)
      {
        try setAside(path, because: damage, log: log)
      }
      let writer: any DatabaseWriter
      do {
        writer = try begin(path, configuration, log: log)
      } catch let error as DatabaseError where isDamage(error) {
        try setAside(path, because: StoreError.text(error), log: log)
        writer = try begin(path, configuration, log: log)
      }
      return OpenDatabase(writer: writer, path: path, lock: lock)
    } catch {
      throw StoreError.opening(path, error)
    }
  }

  private static func openInMemory(_ configuration: StoreConfiguration) throws(StoreError) -> OpenDatabase {
    do {
      let queue = try DatabaseQueue(configuration: settings(configuration))
      try Schema.migrator.migrate(queue)
      return OpenDatabase(writer: queue, path: ":memory:", lock: nil)
    } catch {
      throw StoreError.opening(":memory:", error)
    }
  }

  private static func begin(
    _ path: String, _ configuration: StoreConfiguration, log: @Sendable (StoreMessage) -> Void
  ) throws -> any DatabaseWriter {
    let pool = try DatabasePool(path: path, configuration: settings(configuration))
    do {
      try pool.writeWithoutTransaction { db in
        // FULL: the log is on the disk when a commit returns. GRDB sets NORMAL when it turns the log on.
        try db.execute(sql: "PRAGMA synchronous = \(configuration.syncsEachCommit ? "FULL" : "NORMAL")")
        // The writer touches a page for each instrument in each batch; readers need little.
        try db.execute(sql: "PRAGMA cache_size = -65536")
        try db.execute(sql: "PRAGMA wal_autocheckpoint = 8000")
        try db.execute(sql: "PRAGMA journal_size_limit = \(64 << 20)")
        if let pages = configuration.maximumPages { try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
      }
      try Schema.migrator.migrate(pool)
      let deadline = Clock.monotonicMilliseconds() + Double(configuration.checkMilliseconds)
      let isWhole = try pool.writeWithoutTransaction { try DatabaseCheck.run($0, deadline: deadline) }
      if !isWhole { log(checkedInPart(path, configuration.checkMilliseconds)) }
    } catch {
      try? pool.close()
      throw error
    }
    return pool
  }

  private static func settings(_ configuration: StoreConfiguration) -> GRDB.Configuration {
    var settings = GRDB.Configuration()
    settings.label = "PriceStore"
    settings.maximumReaderCount = 4
    settings.busyMode = .timeout(2)
    settings.prepareDatabase { db in
      try db.execute(sql: "PRAGMA cache_size = -8192")
      try db.execute(sql: "PRAGMA temp_store = MEMORY")
    }
    return settings
  }

  // MARK: - Damage

  /// What is wrong with an existing file; nil where nothing is found or there is none.
  private static func damage(
    of path: String, limitMilliseconds: Int, log: @Sendable (StoreMessage) -> Void
  ) throws -> String? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      let queue = try DatabaseQueue(path: path)
      defer { try? queue.close() }
      return try queue.writeWithoutTransaction { db in
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        if tables > 0, application != Schema.applicationID {
          guard application == 0, try holdsOurTablesAlone(db) else {
            throw StoreError.foreign(path, application: application)
          }
          // The log was cut off between the tables and the mark.
          return "the mark of the program (application_id) is missing, and the tables are this program's"
        }
        if try Schema.migrator.hasBeenSuperseded(db) {
          let applied = try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations ORDER BY rowid")
          throw StoreError.newer(path, found: applied.map { "\"\($0)\"" }.joined(separator: ", "))
        }
        return try quickCheck(db, path: path, limitMilliseconds: limitMilliseconds, log: log)
      }
    } catch let error as DatabaseError where isDamage(error) {
      return StoreError.text(error)
    }
  }

  /// Nothing but what this program makes: then a missing mark is damage, and not another program's file.
  private static func holdsOurTablesAlone(_ db: Database) throws -> Bool {
    let ours: Set<String> = [
      "market", "instrument", "epoch", "trade", "quote", "minute_bar", "daily_bar", "snapshot",
      "snapshot_of_market", "grdb_migrations",
    ]
    let found = try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    return found.allSatisfy(ours.contains)
  }

  private static func checkedInPart(_ path: String, _ milliseconds: Int) -> StoreMessage {
    StoreMessage(
      severity: .notice,
      text: "\(path): checked for \(milliseconds) ms and found good so far; the rest wasn't checked")
  }

  /// Damage that was found while the database was in use: it is set aside at the next start.
  private static func noted(_ path: String) -> String? {
    guard let note = FileManager.default.contents(atPath: notePath(path)) else { return nil }
    try? FileManager.default.removeItem(atPath: notePath(path))
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return String(decoding: note, as: UTF8.self)
  }

  private static func notePath(_ path: String) -> String { path + ".is-damaged" }

  /// Notes damage for the next start.
  static func note(_ damage: String, of path: String) {
    guard path != ":memory:" else { return }
    _ = FileManager.default.createFile(atPath: notePath(path), contents: Data(damage.utf8))
  }

  static func isDamage(_ error: DatabaseError) -> Bool {
    error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
  }

  /// `PRAGMA quick_check` reads the whole file; past the limit it is cut short, and what it hasn't reached is
  /// believed. Damage there shows as a failed write or read later.
  private static func quickCheck(
    _ db: Database, path: String, limitMilliseconds: Int, log: @Sendable (StoreMessage) -> Void
  ) throws -> String? {
    var deadline = Clock.monotonicMilliseconds() + Double(limitMilliseconds)
    return try withUnsafeMutablePointer(to: &deadline) { deadline in
      // The handler sees the deadline only while this closure runs: it is taken off before the end.
      sqlite3_progress_handler(
        db.sqliteConnection, 10_000,
        { context in
          guard let context else { return 0 }
          return Clock.monotonicMilliseconds() > context.load(as: Double.self) ? 1 : 0
        }, deadline)
      defer { sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
      do {
        let answer = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "no answer"
        return answer == "ok" ? nil : answer
      } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT {
        log(checkedInPart(path, limitMilliseconds))
        return nil
      }
    }
  }

  private static func setAside(_ path: String, because damage: String, log: @Sendable (StoreMessage) -> Void)
    throws
  {
    var target = path + ".damaged-" + Clock.fileStamp()
    var number = 2
    while FileManager.default.fileExists(atPath: target) {
      target = path + ".damaged-" + Clock.fileStamp() + "-\(number)"
      number += 1
    }
    for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
      try FileManager.default.moveItem(atPath: path + suffix, toPath: target + suffix)
    }
    log(
      StoreMessage(
        severity: .error,
        text: "\(path): damaged (\(damage)); set aside as \(target), and a new database is begun. "
          + "Ticks and bars before now are in the old file only; `sqlite3 FILE .recover` may bring them back")
    )
  }

  private static func reason(_ error: any Error) -> String { (error as NSError).localizedDescription }
}
