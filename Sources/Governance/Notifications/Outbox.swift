// Messages on their way: put down in the transaction of the run that they tell of, taken out when the target has them. So
// nothing is lost when the process dies, and no run is told twice.

import Foundation
import GRDB

enum Outbox {
  /// A message that waits.
  struct Waiting: Sendable {
    let id: String
    let target: String
    let created: Int64
    let payload: String
    let attempts: Int
  }

  /// Puts down what targets are to be told of a run.
  static func put(_ db: Database, _ change: HistoryChange, _ extra: RunExtra, at: Int64) throws {
    guard !extra.targets.isEmpty else { return }
    let source = try String.fetchOne(db, sql: "SELECT source FROM run WHERE id = ?", arguments: [change.run])
    for target in extra.targets {
      let message = try ChangeMessage(change, extra.exceptions, target, source: source ?? "", at: at) { key in
        try Bool.fetchOne(
          db, sql: "SELECT EXISTS (SELECT 1 FROM told WHERE target = ? AND what = ?)",
          arguments: [target.name, key]) ?? false
      }
      guard let message else { continue }
      try db.execute(
        sql: "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?, 0, ?, NULL, NULL, '')",
        arguments: [message.id, target.name, change.run, at, message.body, at])
      for key in message.onceKeys {
        try db.execute(
          sql: "INSERT OR IGNORE INTO told VALUES (?, ?, ?)", arguments: [target.name, key, at])
      }
    }
  }

  /// What waits and is due, the oldest first.
  static func due(_ db: Database, at: Int64) throws -> [Waiting] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT * FROM message WHERE sent IS NULL AND given_up IS NULL AND due <= ? ORDER BY created, run, id
        """, arguments: [at]
    ).map { row in
      Waiting(
        id: row["id"], target: row["target"], created: row["created"], payload: row["payload"],
        attempts: row["attempts"])
    }
  }

  /// Before an attempt: what is begun and not ended is known to have been under way.
  static func begin(_ db: Database, _ id: String) throws {
    try db.execute(sql: "UPDATE message SET attempts = attempts + 1 WHERE id = ?", arguments: [id])
  }

  static func sent(_ db: Database, _ id: String, at: Int64) throws {
    try db.execute(sql: "UPDATE message SET sent = ?, fault = '' WHERE id = ?", arguments: [at, id])
  }

  static func failed(_ db: Database, _ id: String, _ fault: String, due: Int64) throws {
    try db.execute(sql: "UPDATE message SET fault = ?, due = ? WHERE id = ?", arguments: [fault, due, id])
  }

  static func giveUp(_ db: Database, _ id: String, _ fault: String, at: Int64) throws {
    try db.execute(
      sql: "UPDATE message SET fault = ?, given_up = ? WHERE id = ?", arguments: [fault, at, id])
  }
}
