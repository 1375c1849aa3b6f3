// The history of findings in an embedded database: each run of a check or a scan is compared with what was there, in one
// transaction; what is new, back, mended or excepted is told and kept.
// Any thread; writers take turns, also those of other processes.
// Invariants: a run is written whole or not at all; a finding becomes fixed only where `LookedAt` says that it is mended.

import Foundation
import GRDB
import GuardRules

/// What a run brings beside its result.
public struct RunExtra: Sendable {
  /// How long it took, milliseconds.
  public var milliseconds: Int64 = 0
  /// Inputs that were there and are gone: their findings are fixed.
  public var gone: [String] = []
  /// Until when exceptions are valid.
  public var exceptions: [ExceptionEnd] = []
  /// Who is to be told of changes; what is to be told is written with the run.
  public var targets: [NotificationTarget] = []

  /// Inputs that should have been looked at and couldn't be: nothing of them is known.
  public var untold: [String] = []
  /// Which input parameters there were (`InputParameters.digest`): a rule that is skipped, or a part of which is, for want of
  /// one that was there when it failed doesn't say that anything is mended.
  public var parameters = InputParameters.none.digest

  /// Nothing of it.
  public init() {}
}

extension InputParameters {
  /// Of the names, those within others included; of none it is empty.
  public var digest: String {
    guard !members.isEmpty else { return "" }
    var names: Set<String> = []
    for member in members { Self.add(member.name, member.value, "", &names) }
    return HexText.hash(names.sorted().joined(separator: "\n"))
  }

  /// A name with the way to it; of what stands in lists no place is told, so that one more of a kind is nothing new.
  private static func add(_ name: String, _ value: Value, _ way: String, _ names: inout Set<String>) {
    let way = "\(way)/\(name.utf8.count):\(name)"
    names.insert(way)
    switch value.content {
    case .map(let members): for member in members.all { add(member.name, member.value, way, &names) }
    case .list(let values): for element in values { add("", element, way, &names) }
    default: break
    }
  }
}

/// What a run changed.
public struct HistoryChange: Sendable {
  /// The run's number.
  public internal(set) var run: Int64 = 0
  /// Seen for the first time.
  public internal(set) var opened: [HistoryFinding] = []
  /// There again after they were fixed.
  public internal(set) var reopened: [HistoryFinding] = []
  /// Still there with another value or status.
  public internal(set) var changed: [HistoryFinding] = []
  /// No longer there.
  public internal(set) var fixed: [HistoryFinding] = []
  /// Covered by an exception from now on.
  public internal(set) var excepted: [HistoryFinding] = []
  /// No longer covered by one.
  public internal(set) var ended: [HistoryFinding] = []
  /// Neither seen nor known to be mended, from now on.
  public internal(set) var unseen: [HistoryFinding] = []
  /// Found as they were before they were `unseen`.
  public internal(set) var seenAgain: [HistoryFinding] = []
  /// Were UNKNOWN for the first time, of those opened or changed.
  public internal(set) var firstUnknown: [HistoryFinding] = []
  /// Couldn't be told before, and fail; they are among those changed.
  public internal(set) var nowFailing: [HistoryFinding] = []
  /// How many were there before and still are, those changed included.
  public internal(set) var again = 0
}

/// See the head of this file.
public final class FindingHistory: Sendable {
  let queue: DatabaseQueue
  /// The database's file.
  public let path: String
  /// Days for which events, runs and fixed findings are kept.
  public let retentionDays: Int
  /// The file that was opened: another one of that name, or none, is another history.
  private let file: FileIdentity?

  /// How long things are kept where nobody says otherwise: a year and a month.
  public static let usualRetentionDays = 400

  /// Opens or begins the history of a folder.
  /// - Throws: `HistoryError` where it can't be used. A damaged one is never replaced.
  public init(_ folder: String, retentionDays: Int = usualRetentionDays) throws(HistoryError) {
    queue = try HistoryDatabase.writing(folder)
    path = HistoryDatabase.path(folder)
    file = FileIdentity(path)
    self.retentionDays = retentionDays
  }

  /// Writes a run down.
  /// - Parameters:
  ///   - scope: the inputs that were looked at, `aws:ACCOUNT/REGION` or paths.
  ///   - source: who looked: `check`, `scan`. Only findings of the same source become fixed.
  ///   - at: seconds since 1970 UTC.
  /// - Throws: `HistoryError`; then nothing was written.
  @discardableResult
  public func record(
    _ result: CheckResult, scope: [String], source: String, at: Int64, _ extra: RunExtra = RunExtra()
  ) throws(HistoryError) -> HistoryChange {
    let looked = LookedAt(result)
    let inputs = Set(scope)
    let gone = Set(extra.gone)
    let untold = Set(extra.untold).subtracting(inputs).subtracting(gone)
    return try write(result, inputs.map { ResourceScope(input: $0, resource: "") }, source, at, extra) { db in
      var missing: [(HistoryFinding, LookedAt.Judgement)] = []
      for input in inputs.union(gone).union(untold).sorted() {
        for finding in try Self.unfixed(db, input: input, resource: nil, source: source) {
          let judgement =
            gone.contains(input)
            ? .mended : untold.contains(input) ? .notTold : looked.judge(finding, extra.parameters)
          missing.append((finding, judgement))
        }
      }
      return missing
    }
  }

  /// Writes a run down that looked at some resources only. Findings of other resources stay as they are; those of these
  /// become fixed whoever saw them first.
  /// - Throws: `HistoryError`; then nothing was written.
  @discardableResult
  public func record(
    _ result: CheckResult, resources: [ResourceScope], source: String, at: Int64,
    _ extra: RunExtra = RunExtra()
  ) throws(HistoryError) -> HistoryChange {
    let looked = LookedAt(result)
    return try write(result, resources, source, at, extra) { db in
      var missing: [(HistoryFinding, LookedAt.Judgement)] = []
      for scope in Set(resources) where !scope.resource.isEmpty {
        for finding in try Self.unfixed(db, input: scope.input, resource: scope.resource, source: nil) {
          missing.append((finding, looked.judge(finding, extra.parameters)))
        }
      }
      return missing
    }
  }

  /// Inputs of a source that have findings which aren't fixed.
  /// - Throws: `HistoryError`.
  public func unfixedInputs(source: String) throws(HistoryError) -> [String] {
    do {
      return try queue.read { db in
        try String.fetchAll(
          db,
          sql: "SELECT DISTINCT input FROM finding WHERE state <> 'fixed' AND source = ? ORDER BY input",
          arguments: [source])
      }
    } catch { throw .of(path, error) }
  }

  // MARK: - A run

  private func write(
    _ result: CheckResult, _ scope: [ResourceScope], _ source: String, _ at: Int64, _ extra: RunExtra,
    _ candidates: (Database) throws -> [(HistoryFinding, LookedAt.Judgement)]
  ) throws(HistoryError) -> HistoryChange {
    // SQLite would go on writing to what nobody can open any more.
    guard FileIdentity(path) == file else { throw .replaced(path) }
    do {
      return try queue.writeWithoutTransaction { db in
        var change = HistoryChange()
        try db.inTransaction(.immediate) {
          var run = try RunWriter(db, result, scope, source, at, extra)
          for group in FindingGroup.all(of: result.findings) { try run.saw(group, &change) }
          for (finding, judgement) in try candidates(db) where !run.seen.contains(finding.id) {
            try run.missed(finding, judgement, &change)
          }
          try run.end(&change)
          try Outbox.put(db, change, extra, at: at)
          try Self.prune(db, before: at - Int64(retentionDays) * 86_400, at: at)
          return .commit
        }
        return change
      }
    } catch { throw .of(path, error) }
  }

  private static func unfixed(
    _ db: Database, input: String, resource: String?, source: String?
  ) throws -> [HistoryFinding] {
    var sql = "SELECT * FROM finding WHERE input = ? AND state <> 'fixed'"
    var arguments: StatementArguments = [input]
    if let resource {
      sql += " AND resource = ?"
      arguments += [resource]
    }
    if let source {
      sql += " AND source = ?"
      arguments += [source]
    }
    return try Row.fetchAll(db, sql: sql + " ORDER BY id", arguments: arguments).map { HistoryFinding($0) }
  }

  /// Events, runs and fixed findings older than the retention; of each day the last run stays, for the trend.
  private static func prune(_ db: Database, before cutoff: Int64, at: Int64) throws {
    try db.execute(
      sql: "DELETE FROM event WHERE run IN (SELECT id FROM run WHERE at < ?)", arguments: [cutoff])
    try db.execute(
      sql: "DELETE FROM run_scope WHERE run IN (SELECT id FROM run WHERE at < ?)", arguments: [cutoff])
    try db.execute(
      sql: """
        DELETE FROM run WHERE at < ?1
        AND id NOT IN (SELECT max(id) FROM run WHERE at < ?1 GROUP BY at / 86400)
        """, arguments: [cutoff])
    try db.execute(
      sql: "DELETE FROM finding WHERE state = 'fixed' AND fixed_at < ?", arguments: [cutoff])
    try db.execute(
      sql: "DELETE FROM message WHERE coalesce(sent, given_up) < ?", arguments: [at - 30 * 86_400])
  }
}

extension LookedAt {
  /// Of a finding of what was looked at.
  fileprivate func judge(_ finding: HistoryFinding, _ parameters: String) -> Judgement {
    judge(
      finding.identity, type: finding.resourceType, isInScope: true,
      hasSameParameters: finding.parameters == parameters)
  }
}

extension HistoryFinding {
  var identity: FindingIdentity {
    FindingIdentity(rule: rule, input: input, resource: resource, path: path)
  }
}

/// Findings of one identity: several clauses may fail at the same place.
struct FindingGroup {
  let key: String
  let identity: FindingIdentity
  /// The one that counts: what fails before what can't be told before what is excepted.
  let first: Finding
  let also: [HistoryFinding.Clause]

  static func all(of findings: [Finding]) -> [FindingGroup] {
    var order: [FindingIdentity] = []
    var groups: [FindingIdentity: [Finding]] = [:]
    for finding in findings {
      let identity = finding.identity
      if groups[identity] == nil { order.append(identity) }
      groups[identity, default: []].append(finding)
    }
    func weight(_ status: String) -> Int { status == "FAIL" ? 0 : status == "UNKNOWN" ? 1 : 2 }
    return order.compactMap { identity in
      let sorted = (groups[identity] ?? []).enumerated().sorted {
        (weight($0.element.status), $0.offset) < (weight($1.element.status), $1.offset)
      }.map(\.element)
      guard let first = sorted.first else { return nil }
      var also: [HistoryFinding.Clause] = []
      for other in sorted.dropFirst() {
        let clause = HistoryFinding.Clause(
          clause: other.clause, found: other.found, wanted: other.wanted, message: other.message)
        if !also.contains(clause), also.count < 20,
          clause.clause != first.clause || clause.found != first.found
        {
          also.append(clause)
        }
      }
      return FindingGroup(key: identity.id, identity: identity, first: first, also: also)
    }
  }
}
