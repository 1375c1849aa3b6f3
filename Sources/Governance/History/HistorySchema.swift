// The tables of the history and how they came to be. A step that was shipped is never edited; a change is a new step.
// Times are seconds since 1970 UTC, days are days since 1970.

import GRDB

enum HistorySchema {
  /// "KBTG" as `PRAGMA application_id`.
  static let applicationID: Int32 = 0x4b42_5447
  /// Names of the steps, oldest first.
  static let steps = ["1 runs, findings, events, messages", "2 input parameters of findings"]

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration(steps[0]) { db in
      try db.execute(sql: "PRAGMA application_id = \(applicationID)")
      try db.execute(sql: first)
    }
    migrator.registerMigration(steps[1]) { db in try db.execute(sql: second) }
    return migrator
  }

  /// `severity`: 0 info … 4 critical. `key`: `FindingIdentity.id`. `account`: a number, or `files`. `unseen`: the first look
  /// at which it was neither found again nor known to be mended; NULL = the last look told. `open_…`: how many there were
  /// after the run, over all sources: what the trend draws. `note.told`: what a target was told once and for all.
  private static let first = """
    CREATE TABLE run (
      id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, at INTEGER NOT NULL,
      duration_ms INTEGER NOT NULL, inputs INTEGER NOT NULL, passed INTEGER NOT NULL, failed INTEGER NOT NULL,
      unknown INTEGER NOT NULL, skipped INTEGER NOT NULL, fault_count INTEGER NOT NULL, faults TEXT NOT NULL,
      opened INTEGER NOT NULL, reopened INTEGER NOT NULL, again INTEGER NOT NULL, changed INTEGER NOT NULL,
      fixed INTEGER NOT NULL, excepted INTEGER NOT NULL, ended INTEGER NOT NULL, unseen INTEGER NOT NULL,
      open_critical INTEGER NOT NULL, open_high INTEGER NOT NULL, open_medium INTEGER NOT NULL,
      open_low INTEGER NOT NULL, open_info INTEGER NOT NULL, open_unknown INTEGER NOT NULL,
      open_excepted INTEGER NOT NULL);
    CREATE INDEX run_by_time ON run (at);
    CREATE TABLE run_scope (
      run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE, input TEXT NOT NULL, resource TEXT NOT NULL,
      PRIMARY KEY (run, input, resource)) WITHOUT ROWID;
    CREATE TABLE finding (
      id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, source TEXT NOT NULL, rule TEXT NOT NULL,
      input TEXT NOT NULL, resource TEXT NOT NULL, path TEXT NOT NULL, account TEXT NOT NULL,
      region TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('open', 'fixed', 'excepted')),
      status TEXT NOT NULL CHECK (status IN ('FAIL', 'UNKNOWN', 'EXCEPTED')), severity INTEGER NOT NULL,
      title TEXT NOT NULL, title_ja TEXT NOT NULL, mend TEXT NOT NULL, mend_ja TEXT NOT NULL,
      controls TEXT NOT NULL, resource_type TEXT NOT NULL, rule_file TEXT NOT NULL, rule_line INTEGER NOT NULL,
      line INTEGER NOT NULL, "column" INTEGER NOT NULL, clause TEXT NOT NULL, found TEXT NOT NULL,
      wanted TEXT NOT NULL, message TEXT NOT NULL, also TEXT NOT NULL, exception TEXT,
      first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, since INTEGER NOT NULL, times INTEGER NOT NULL,
      fixed_at INTEGER, unseen INTEGER);
    CREATE INDEX finding_by_input ON finding (input, state);
    CREATE INDEX finding_by_state ON finding (state, severity DESC, since DESC, id DESC);
    CREATE INDEX finding_by_rule ON finding (rule, state);
    CREATE INDEX finding_by_account ON finding (account, region, state);
    CREATE TABLE event (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      finding INTEGER NOT NULL REFERENCES finding (id) ON DELETE CASCADE,
      run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE, at INTEGER NOT NULL, kind TEXT NOT NULL,
      status TEXT NOT NULL, found TEXT NOT NULL, exception TEXT);
    CREATE INDEX event_of_finding ON event (finding, id);
    CREATE INDEX event_of_run ON event (run);
    CREATE TABLE exception (
      id TEXT PRIMARY KEY, ends INTEGER NOT NULL, owner TEXT NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE message (
      id TEXT PRIMARY KEY, target TEXT NOT NULL, run INTEGER NOT NULL, created INTEGER NOT NULL,
      payload TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, sent INTEGER, given_up INTEGER,
      fault TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE told (
      target TEXT NOT NULL, what TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (target, what)) WITHOUT ROWID;
    CREATE TABLE version (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL);
    INSERT INTO version VALUES (1, 0);
    """

  /// `parameters`: `RunExtra.parameters` of the last look that found it; NULL = it isn't known.
  private static let second = "ALTER TABLE finding ADD COLUMN parameters TEXT"
}
