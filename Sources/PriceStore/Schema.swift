// The database's tables and how they came to be. A step that was shipped is never edited; a change is a new step.
// Keys begin with the instrument, so that one instrument's ticks lie together; WITHOUT ROWID keeps them in the
// key's own tree. An update is named (market, epoch, sequence): with the instrument, which follows from the name,
// that is the key, and writing it again changes nothing.

import GRDB

enum Schema {
  /// "KBTO" as `PRAGMA application_id`.
  static let applicationID: Int32 = 0x4b42_544f
  /// Names of the steps, oldest first.
  static let steps = ["1 ticks, bars, snapshots", "2 checksums"]

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration(steps[0]) { db in
      try db.execute(sql: "PRAGMA application_id = \(applicationID)")
      try db.execute(sql: first)
    }
    migrator.registerMigration(steps[1]) { db in
      for table in ["market", "instrument", "epoch", "trade", "quote", "minute_bar", "daily_bar"] {
        try db.execute(sql: "ALTER TABLE \(table) ADD COLUMN sum INTEGER")
      }
    }
    return migrator
  }

  /// Prices: units of 1/10,000, NULL = none. `time`: nanoseconds since the exchange's midnight. `start`: seconds
  /// since 1970. `date`: days since 1970. `code`: the eight bytes as a signed integer.
  private static let first = """
    CREATE TABLE market (id INTEGER PRIMARY KEY, mic TEXT NOT NULL UNIQUE);
    CREATE TABLE instrument (
      id INTEGER PRIMARY KEY, market INTEGER NOT NULL, code INTEGER NOT NULL, UNIQUE (market, code));
    CREATE TABLE epoch (
      id INTEGER PRIMARY KEY, market INTEGER NOT NULL, date INTEGER NOT NULL, session TEXT NOT NULL,
      ticks_pruned INTEGER NOT NULL DEFAULT 0, UNIQUE (market, date, session));
    CREATE TABLE trade (
      instrument INTEGER NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, time INTEGER NOT NULL,
      price INTEGER NOT NULL, size INTEGER NOT NULL, match INTEGER NOT NULL, kind INTEGER NOT NULL,
      aggressor INTEGER NOT NULL, direction INTEGER NOT NULL, broken INTEGER NOT NULL, broken_by INTEGER NOT NULL,
      PRIMARY KEY (instrument, epoch, sequence)) WITHOUT ROWID;
    CREATE TABLE quote (
      instrument INTEGER NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, time INTEGER NOT NULL,
      bid INTEGER, bid_size INTEGER NOT NULL, bid_orders INTEGER NOT NULL,
      ask INTEGER, ask_size INTEGER NOT NULL, ask_orders INTEGER NOT NULL,
      PRIMARY KEY (instrument, epoch, sequence)) WITHOUT ROWID;
    CREATE TABLE minute_bar (
      instrument INTEGER NOT NULL, start INTEGER NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
      open INTEGER, high INTEGER, low INTEGER, close INTEGER, volume INTEGER NOT NULL, turnover INTEGER NOT NULL,
      trades INTEGER NOT NULL, closed INTEGER NOT NULL, PRIMARY KEY (instrument, start)) WITHOUT ROWID;
    CREATE TABLE daily_bar (
      instrument INTEGER NOT NULL, date INTEGER NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
      open INTEGER, high INTEGER, low INTEGER, close INTEGER, volume INTEGER NOT NULL, turnover INTEGER NOT NULL,
      trades INTEGER NOT NULL, closed INTEGER NOT NULL, PRIMARY KEY (instrument, date)) WITHOUT ROWID;
    CREATE TABLE snapshot (
      id INTEGER PRIMARY KEY AUTOINCREMENT, market INTEGER NOT NULL, epoch TEXT NOT NULL, date INTEGER NOT NULL,
      sequence INTEGER NOT NULL, created INTEGER NOT NULL, byte_count INTEGER NOT NULL, set_aside TEXT,
      bytes BLOB NOT NULL);
    CREATE INDEX snapshot_of_market ON snapshot (market, id);
    """
}
