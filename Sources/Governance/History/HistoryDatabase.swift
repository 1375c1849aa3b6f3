// From a folder to an open history: make or refuse, migrate, one process at a time (`HistoryOpening`). Writers take turns
// (BEGIN IMMEDIATE, up to ten seconds);
// readers have a connection that can't write, so that a page never stands in the way of a scan.

import Foundation
import GRDB

enum HistoryDatabase {
  static let fileName = "governance.sqlite"

  static func path(_ folder: String) -> String {
    folder.hasSuffix("/") ? folder + fileName : folder + "/" + fileName
  }

  static func writing(_ folder: String) throws(HistoryError) -> DatabaseQueue {
    let path = path(folder)
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .folder(folder, (error as NSError).localizedDescription)
    }
    let opening = try HistoryOpening(path)
    defer { opening.end() }
    do {
      var settings = settings(readonly: false)
      settings.journalMode = .wal
      let queue = try DatabaseQueue(path: path, configuration: settings)
      try queue.writeWithoutTransaction { db in
        try check(db, path)
        try db.execute(sql: "PRAGMA synchronous = FULL")
        try db.execute(sql: "PRAGMA journal_size_limit = \(16 << 20)")
      }
      try HistorySchema.migrator.migrate(queue)
      return queue
    } catch { throw .of(path, error) }
  }

  static func reading(_ folder: String) throws(HistoryError) -> DatabaseQueue {
    let path = path(folder)
    guard FileManager.default.fileExists(atPath: path) else { throw .missing(path) }
    do {
      let queue = try DatabaseQueue(path: path, configuration: settings(readonly: true))
      try queue.read { db in
        try check(db, path)
        // A file that was begun and not finished, or an older one: a writer's migration comes first.
        guard try HistorySchema.migrator.hasCompletedMigrations(db) else { throw HistoryError.missing(path) }
      }
      return queue
    } catch { throw .of(path, error) }
  }

  private static func settings(readonly: Bool) -> Configuration {
    var settings = Configuration()
    settings.label = "FindingHistory"
    settings.readonly = readonly
    settings.busyMode = .timeout(10)
    settings.prepareDatabase { db in
      try db.execute(sql: "PRAGMA cache_size = -16384")
      try db.execute(sql: "PRAGMA temp_store = MEMORY")
    }
    return settings
  }

  /// Whose database it is, and of which version.
  private static func check(_ db: Database, _ path: String) throws {
    let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    // Who was killed before the first step was done leaves the empty list of steps.
    let tables =
      try Int.fetchOne(
        db,
        sql: "SELECT count(*) FROM sqlite_master WHERE name NOT IN ('grdb_migrations')"
          + " AND name NOT LIKE 'sqlite_autoindex_grdb_migrations%'") ?? 0
    if tables > 0, application != HistorySchema.applicationID {
      throw HistoryError(
        path: path, found: "a database of another program (application_id \(application))",
        wanted: "application_id \(HistorySchema.applicationID)",
        remedy: "Move the file away, or name another folder.")
    }
    if try HistorySchema.migrator.hasBeenSuperseded(db) {
      let applied = try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations ORDER BY rowid")
      throw HistoryError(
        path: path, found: "the history has the steps \(applied.joined(separator: ", "))",
        wanted: "none beyond \(HistorySchema.steps.last ?? "")",
        remedy: "Start the newer version of the program that made it, or name another folder.")
    }
  }
}
