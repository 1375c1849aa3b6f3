// One run as it is written: each finding that was seen, each that wasn't, and what there is after it. Lives within one
// transaction.

import Foundation
import GRDB
import GuardRules

struct RunWriter {
  private let db: Database
  private let run: Int64
  private let source: String
  private let at: Int64
  private let parameters: String
  /// Identities that were seen.
  private(set) var seen: Set<String> = []

  /// Faults of a run that are kept; the count says how many there were.
  private static var mostFaults: Int { 100 }

  init(
    _ db: Database, _ result: CheckResult, _ scope: [ResourceScope], _ source: String, _ at: Int64,
    _ extra: RunExtra
  ) throws {
    self.db = db
    self.source = source
    self.at = at
    parameters = extra.parameters
    try db.execute(
      sql: """
        INSERT INTO run VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        """,
      arguments: [
        source, at, extra.milliseconds, result.inputs, result.count(.pass), result.count(.fail),
        result.count(.unknown), result.count(.skip), result.faults.count,
        StoredJSON.write(Array(result.faults.prefix(Self.mostFaults))),
      ])
    run = db.lastInsertedRowID
    for each in scope {
      try db.cachedStatement(sql: "INSERT OR IGNORE INTO run_scope VALUES (?, ?, ?)").execute(
        arguments: [run, each.input, each.resource])
    }
    for exception in extra.exceptions {
      try db.execute(
        sql: """
          INSERT INTO exception VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
          SET ends = excluded.ends, owner = excluded.owner, reason = excluded.reason
          """,
        arguments: [
          exception.id, exception.endDay ?? 0, exception.owner, exception.reason,
        ])
    }
  }

  // MARK: - Findings

  /// A finding that is there.
  mutating func saw(_ group: FindingGroup, _ change: inout HistoryChange) throws {
    seen.insert(group.key)
    let finding = group.first
    let isExcepted = finding.status == "EXCEPTED"
    let state = isExcepted ? "excepted" : "open"
    let known = try Row.fetchOne(
      db.cachedStatement(
        sql: "SELECT id, state, status, found, exception, unseen FROM finding WHERE key = ?"),
      arguments: [group.key])
    guard let known else {
      try insert(group, state)
      let number = db.lastInsertedRowID
      try event(number, .opened, finding)
      if isExcepted { try event(number, .excepted, finding) }
      let now = try load(number)
      change.opened.append(now)
      if isExcepted { change.excepted.append(now) }
      if finding.status == "UNKNOWN" { change.firstUnknown.append(now) }
      return
    }
    let number: Int64 = known["id"]
    let before: String = known["state"]
    let oldStatus: String = known["status"]
    let oldFound: String = known["found"]
    let wasUnseen: Int64? = known["unseen"]
    let isChanged = oldStatus != finding.status || oldFound != finding.found
    try update(number, group, state, isNewState: before != state)
    var kinds: [HistoryEvent.Kind] = []
    if before == "fixed" { kinds.append(.reopened) }
    if isExcepted, before != "excepted" { kinds.append(.excepted) }
    if !isExcepted, before == "excepted" { kinds.append(.ended) }
    if kinds.isEmpty, isChanged { kinds.append(.changed) }
    if kinds.isEmpty, wasUnseen != nil { kinds.append(.again) }
    for kind in kinds { try event(number, kind, finding) }
    if before != "fixed" { change.again += 1 }
    guard !kinds.isEmpty else { return }
    let now = try load(number)
    if kinds.contains(.again) { change.seenAgain.append(now) }
    if kinds.contains(.reopened), !isExcepted { change.reopened.append(now) }
    if kinds.contains(.excepted) { change.excepted.append(now) }
    if kinds.contains(.ended) { change.ended.append(now) }
    if kinds.contains(.changed) { change.changed.append(now) }
    if finding.status == "FAIL", oldStatus == "UNKNOWN", before == "open" { change.nowFailing.append(now) }
    if finding.status == "UNKNOWN", oldStatus != "UNKNOWN", before != "fixed" {
      let times =
        try Int.fetchOne(
          db, sql: "SELECT count(*) FROM event WHERE finding = ? AND status = 'UNKNOWN'", arguments: [number])
        ?? 0
      if times <= 1 { change.firstUnknown.append(now) }
    }
  }

  /// A finding that isn't there, in what was looked at.
  func missed(
    _ finding: HistoryFinding, _ judgement: LookedAt.Judgement, _ change: inout HistoryChange
  ) throws {
    guard
      let number = try Int64.fetchOne(
        db, sql: "SELECT id FROM finding WHERE key = ?", arguments: [finding.id])
    else { return }
    switch judgement {
    case .notLookedAt: return
    case .mended:
      try db.execute(
        sql: """
          UPDATE finding SET state = 'fixed', fixed_at = ?1, since = ?1, unseen = NULL, exception = NULL WHERE id = ?2
          """, arguments: [at, number])
      try event(number, .fixed, finding.status, "", nil)
      change.fixed.append(try load(number))
    case .notTold:
      guard finding.unseen == nil else { return }
      try db.execute(sql: "UPDATE finding SET unseen = ? WHERE id = ?", arguments: [at, number])
      try event(number, .unseen, finding.status, "", finding.exception)
      change.unseen.append(try load(number))
    }
  }

  private func insert(_ group: FindingGroup, _ state: String) throws {
    let finding = group.first
    let place = InputPlace(finding.input)
    var arguments: StatementArguments = [
      group.key, source, group.identity.rule, group.identity.input, group.identity.resource,
      group.identity.path, place.account, place.region, state,
    ]
    arguments += Self.fields(group)
    arguments += [at, at, at, parameters]
    try db.cachedStatement(
      sql: """
        INSERT INTO finding (key, source, rule, input, resource, path, account, region, state, status, severity,
          title, title_ja, mend, mend_ja, controls, resource_type, rule_file, rule_line, line, "column", clause,
          found, wanted, message, also, exception, first_seen, last_seen, since, parameters, times)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
        """
    ).execute(arguments: arguments)
  }

  private func update(_ number: Int64, _ group: FindingGroup, _ state: String, isNewState: Bool) throws {
    var arguments: StatementArguments = [state]
    arguments += Self.fields(group)
    arguments += [at, parameters, number]
    try db.cachedStatement(
      sql: """
        UPDATE finding SET state = ?, status = ?, severity = ?, title = ?, title_ja = ?, mend = ?, mend_ja = ?,
          controls = ?, resource_type = ?, rule_file = ?, rule_line = ?, line = ?, "column" = ?, clause = ?,
          found = ?, wanted = ?, message = ?, also = ?, exception = ?, last_seen = ?, parameters = ?, times = times + 1,
          unseen = NULL, fixed_at = NULL WHERE id = ?
        """
    ).execute(arguments: arguments)
    if isNewState {
      try db.cachedStatement(sql: "UPDATE finding SET since = ? WHERE id = ?").execute(
        arguments: [at, number])
    }
  }

  /// From `status` to `exception`, in the order of the columns.
  private static func fields(_ group: FindingGroup) -> StatementArguments {
    let finding = group.first
    return [
      finding.status, finding.severity.rank, finding.title, finding.titleJa, finding.mend, finding.mendJa,
      StoredJSON.write(finding.controls), finding.resourceType, finding.ruleFile, finding.ruleLine,
      finding.line, finding.column, finding.clause, finding.found, finding.wanted, finding.message,
      StoredJSON.write(group.also), finding.exception,
    ]
  }

  private func load(_ number: Int64) throws -> HistoryFinding {
    guard
      let row = try Row.fetchOne(
        db.cachedStatement(sql: "SELECT * FROM finding WHERE id = ?"), arguments: [number])
    else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "finding \(number) is gone") }
    return HistoryFinding(row)
  }

  private func event(_ number: Int64, _ kind: HistoryEvent.Kind, _ finding: Finding) throws {
    try event(number, kind, finding.status, finding.found, finding.exception)
  }

  private func event(
    _ number: Int64, _ kind: HistoryEvent.Kind, _ status: String, _ found: String, _ exception: String?
  ) throws {
    try db.cachedStatement(sql: "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)").execute(
      arguments: [number, run, at, kind.rawValue, status, found, exception])
  }

  // MARK: - The end

  func end(_ change: inout HistoryChange) throws {
    change.run = run
    let open = try OpenCounts(db)
    try db.execute(
      sql: """
        UPDATE run SET opened = ?, reopened = ?, again = ?, changed = ?, fixed = ?, excepted = ?, ended = ?,
          unseen = ?, open_critical = ?, open_high = ?, open_medium = ?, open_low = ?, open_info = ?,
          open_unknown = ?, open_excepted = ? WHERE id = ?
        """,
      arguments: [
        change.opened.count, change.reopened.count, change.again, change.changed.count, change.fixed.count,
        change.excepted.count, change.ended.count, change.unseen.count, open.failed(.critical),
        open.failed(.high), open.failed(.medium), open.failed(.low), open.failed(.info), open.unknown,
        open.excepted, run,
      ])
    try db.execute(sql: "UPDATE version SET number = number + 1")
    // Another history of that folder may come to the same number.
    try db.execute(sql: "PRAGMA user_version = \(Int32.random(in: 1...Int32.max))")
  }
}

/// What isn't fixed, counted.
struct OpenCounts: Sendable, Equatable {
  private var bySeverity: [Int: Int] = [:]
  /// What can't be told, of any severity: UNKNOWN, and what the last look could neither find nor call mended.
  private(set) var unknown = 0
  private(set) var excepted = 0

  init() {}

  /// - Parameter filter: a condition on `finding`.
  init(_ db: Database, _ filter: String = "1", _ arguments: StatementArguments = []) throws {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT severity, state, status = 'UNKNOWN' OR unseen IS NOT NULL, count(*) FROM finding
        WHERE state <> 'fixed' AND (\(filter)) GROUP BY 1, 2, 3
        """, arguments: arguments)
    for row in rows {
      let (severity, state, isUnknown, count): (Int, String, Bool, Int) = (row[0], row[1], row[2], row[3])
      add(severity: severity, isExcepted: state == "excepted", isUnknown: isUnknown, count)
    }
  }

  mutating func add(severity: Int, isExcepted: Bool, isUnknown: Bool, _ count: Int) {
    if isExcepted {
      excepted += count
    } else if isUnknown {
      unknown += count
    } else {
      bySeverity[severity, default: 0] += count
    }
  }

  /// Failures of a severity that are certain.
  func failed(_ severity: Severity) -> Int { bySeverity[severity.rank] ?? 0 }
  /// All that isn't excepted.
  var open: Int { bySeverity.values.reduce(unknown, +) }
}
