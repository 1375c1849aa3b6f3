// What the history says: totals, their course, lists by link, one finding with its events. Reads only; any thread.
// The database may come, and be replaced, while a reader lives: it is opened at the first question that finds one.

import Controls
import Foundation
import GRDB
import GuardRules
import Synchronization

/// See the head of this file.
public final class HistoryReader: Sendable {
  private let folder: String
  private struct Opened {
    let queue: DatabaseQueue
    let file: UInt64
  }
  private let opened = Mutex<Opened?>(nil)

  /// The database's file.
  public var path: String { HistoryDatabase.path(folder) }

  /// A reader of a folder's history, which may come later.
  public init(_ folder: String) { self.folder = folder }

  /// Reads, on the calling thread.
  /// - Throws: `HistoryError` where there is no history or it can't be read.
  func read<T>(_ body: (Database) throws -> T) throws(HistoryError) -> T {
    let queue = try connection()
    do { return try queue.read(body) } catch { throw .of(path, error) }
  }

  private func connection() throws(HistoryError) -> DatabaseQueue {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    let file = (attributes?[.systemFileNumber] as? NSNumber)?.uint64Value
    guard let file else {
      opened.withLock { $0 = nil }
      throw .missing(path)
    }
    if let known = opened.withLock({ $0 }), known.file == file { return known.queue }
    let queue = try HistoryDatabase.reading(folder)
    opened.withLock { $0 = Opened(queue: queue, file: file) }
    return queue
  }

  /// Changes with every run that is written.
  public func version() throws(HistoryError) -> Int64 { try stamp().version }

  /// The same, and what the last run drew by lot: two histories that stood in one folder may have one number.
  func stamp() throws(HistoryError) -> (version: Int64, lot: Int64) {
    try read { db in
      (
        try Int64.fetchOne(db, sql: "SELECT number FROM version") ?? 0,
        try Int64.fetchOne(db, sql: "PRAGMA user_version") ?? 0
      )
    }
  }

  // MARK: - Totals

  /// What there is now.
  public func counts() throws(HistoryError) -> FindingCounts {
    try read { db in FindingCounts(try OpenCounts(db)) }
  }

  /// The newest runs first.
  public func runs(limit: Int, source: String? = nil) throws(HistoryError) -> [HistoryRun] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM run WHERE ?1 IS NULL OR source = ?1 ORDER BY id DESC LIMIT ?2",
        arguments: [source, limit]
      ).map(HistoryRun.init)
    }
  }

  /// The last run of each source, the newest first.
  public func latestRuns() throws(HistoryError) -> [HistoryRun] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM run WHERE id IN (SELECT max(id) FROM run GROUP BY source) ORDER BY id DESC"
      ).map(HistoryRun.init)
    }
  }

  /// Exceptions that cover something now, the one that ends first first.
  /// - Parameter today: days since 1970 UTC.
  public func endingExceptions(today: Int64) throws(HistoryError) -> [ExceptionEnd] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM exception WHERE ends >= ?
          AND id IN (SELECT exception FROM finding WHERE state = 'excepted') ORDER BY ends, id LIMIT 20
          """, arguments: [today]
      ).map(Self.exception)
    }
  }

  private static func exception(_ row: Row) -> ExceptionEnd {
    let day: Int64 = row["ends"]
    return ExceptionEnd(
      id: row["id"], ends: CalendarDay(of: day * 86_400).description, owner: row["owner"],
      reason: row["reason"])
  }

  /// How many findings were opened and fixed since a time, those told by events that are still kept.
  public func changes(since: Int64) throws(HistoryError) -> (opened: Int, fixed: Int) {
    try read { db in
      let row = try Row.fetchOne(
        db, sql: "SELECT ifnull(sum(opened + reopened), 0), ifnull(sum(fixed), 0) FROM run WHERE at >= ?",
        arguments: [since])
      return (row?[0] ?? 0, row?[1] ?? 0)
    }
  }

  /// What there was over time: each run, or, where there are more than `most`, of so many equal spans the last run of each.
  /// - Parameters:
  ///   - since: seconds since 1970 UTC; the last run before it is the first point, at its own time.
  ///   - until: the end of the last span.
  public func trend(since: Int64, until: Int64, most: Int) throws(HistoryError) -> [TrendPoint] {
    try read { db in
      // Where each run can be a point it is one; else spans are of the time that has runs.
      let known = try Row.fetchOne(
        db, sql: "SELECT count(*), ifnull(min(at), ?1) FROM run WHERE at >= ?1 AND at <= ?2",
        arguments: [since, until])
      let (count, first): (Int64, Int64) = (known?[0] ?? 0, known?[1] ?? since)
      let span = max(1, (until - first) / Int64(max(1, most)) + 1)
      let group = count <= Int64(most) ? "id" : "(at - \(first)) / \(span)"
      return try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM run WHERE id IN (
            SELECT max(id) FROM run WHERE at >= ?1 AND at <= ?2 GROUP BY \(group)
            UNION SELECT max(id) FROM run WHERE at < ?1)
          ORDER BY at, id
          """, arguments: [since, until]
      ).map { TrendPoint(at: Timestamp.text($0["at"]), open: FindingCounts(run: $0)) }
    }
  }

  // MARK: - Groups

  /// Rules with what is open of each, the gravest and most first.
  public func rules() throws(HistoryError) -> [FindingGroupCount] {
    try groups("rule", region: "''")
  }

  /// Accounts and regions with what is open in each, the gravest and most first.
  public func accounts() throws(HistoryError) -> [FindingGroupCount] {
    try groups("account", region: "region")
  }

  private func groups(_ column: String, region: String) throws(HistoryError) -> [FindingGroupCount] {
    struct Sum {
      var counts = OpenCounts()
      var severity = 0
      var seen: Int64 = 0
      var title = ""
      var titleJa = ""
    }
    return try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT \(column) AS name, \(region) AS region, severity, state = 'excepted' AS is_excepted,
            status = 'UNKNOWN' OR unseen IS NOT NULL AS is_unknown, count(*) AS n, max(last_seen) AS seen,
            title, title_ja
          FROM finding WHERE state <> 'fixed' GROUP BY 1, 2, 3, 4, 5
          """)
      var order: [[String]] = []
      var sums: [[String]: Sum] = [:]
      for row in rows {
        let key: [String] = [row["name"], row["region"]]
        if sums[key] == nil { order.append(key) }
        var sum = sums[key] ?? Sum()
        let severity: Int = row["severity"]
        sum.counts.add(
          severity: severity, isExcepted: row["is_excepted"], isUnknown: row["is_unknown"], row["n"])
        let seen: Int64 = row["seen"]
        if sum.title.isEmpty || seen >= sum.seen {
          (sum.title, sum.titleJa) = (row["title"], row["title_ja"])
        }
        sum.seen = max(sum.seen, seen)
        sum.severity = max(sum.severity, severity)
        sums[key] = sum
      }
      return order.compactMap { key in
        sums[key].map { sum in
          FindingGroupCount(
            name: key[0], title: sum.title, titleJa: sum.titleJa, severity: Severity(rank: sum.severity),
            region: key[1], seen: sum.seen, open: FindingCounts(sum.counts))
        }
      }.sorted { one, other in
        let (left, right) = (one.open.weight, other.open.weight)
        return left == right
          ? (one.name, one.region) < (other.name, other.region) : right.lexicographicallyPrecedes(left)
      }
    }
  }

  // MARK: - Findings

  /// A page of findings.
  /// - Parameter cursor: what the page before said; nil = the first page.
  /// - Returns: nil where the cursor is none of this list's.
  public func findings(
    _ filter: FindingFilter, limit: Int, cursor: String? = nil
  ) throws(HistoryError) -> FindingPage? {
    var (condition, arguments) = filter.condition
    let place: [Int64]?
    if let cursor {
      let parts = cursor.split(separator: ".", omittingEmptySubsequences: false)
      let numbers = parts.compactMap { Int64($0) }
      guard parts.count == 3, numbers.count == 3 else { return nil }
      place = numbers
    } else {
      place = nil
    }
    return try read { db in
      let total =
        try Int.fetchOne(db, sql: "SELECT count(*) FROM finding WHERE \(condition)", arguments: arguments)
        ?? 0
      let order = filter.newestFirst ? "since, severity, id" : "severity, since, id"
      if let place {
        condition += " AND (\(order)) < (?, ?, ?)"
        arguments += StatementArguments(place)
      }
      let descending = order.replacingOccurrences(of: ",", with: " DESC,") + " DESC"
      let rows = try Row.fetchAll(
        db, sql: "SELECT * FROM finding WHERE \(condition) ORDER BY \(descending) LIMIT ?",
        arguments: arguments + [limit + 1])
      var next: String?
      if rows.count > limit, let last = rows.dropLast().last {
        let (severity, since, id): (Int64, Int64, Int64) = (last["severity"], last["since"], last["id"])
        next = filter.newestFirst ? "\(since).\(severity).\(id)" : "\(severity).\(since).\(id)"
      }
      return FindingPage(
        findings: rows.prefix(limit).map { HistoryFinding($0) }, next: next, total: total)
    }
  }

  /// A finding by its id, or by the beginning of it where that is unique.
  public func finding(_ id: String) throws(HistoryError) -> HistoryFinding? {
    guard !id.isEmpty, id.allSatisfy(\.isHexDigit) else { return nil }
    return try read { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT * FROM finding WHERE key >= ?1 AND key < ?1 || 'g' LIMIT 2",
        arguments: [id.lowercased()])
      return rows.count == 1 ? rows.first.map { HistoryFinding($0) } : nil
    }
  }

  /// When findings of a source that aren't fixed were seen first, by their ids.
  public func firstSeen(source: String) throws(HistoryError) -> [String: Int64] {
    try read { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT key, first_seen FROM finding WHERE state <> 'fixed' AND source = ?",
        arguments: [source])
      return Dictionary(rows.map { ($0[0], $0[1]) }) { first, _ in first }
    }
  }

  /// What happened to a finding, the newest first.
  public func events(of id: String, limit: Int = 200) throws(HistoryError) -> [HistoryEvent] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT event.* FROM event JOIN finding ON finding.id = event.finding WHERE finding.key = ?
          ORDER BY event.id DESC LIMIT ?
          """, arguments: [id, limit]
      ).map { row in
        HistoryEvent(
          at: Timestamp.text(row["at"]), kind: HistoryEvent.Kind(rawValue: row["kind"]) ?? .changed,
          status: row["status"], found: row["found"], exception: row["exception"])
      }
    }
  }

  /// An exception by its name.
  public func exception(_ id: String) throws(HistoryError) -> ExceptionEnd? {
    try read { db in
      try Row.fetchOne(db, sql: "SELECT * FROM exception WHERE id = ?", arguments: [id]).map(Self.exception)
    }
  }
}
