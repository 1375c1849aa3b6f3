// The history as a page asks for it: `/v1/governance/summary|trend|findings|findings/{id}|rules|accounts`. Paths and
// queries in, JSON out; whoever serves it wraps it in HTTP (docs/GOVERN-RESULTS.md has the fields).

import Foundation
import GuardRules

/// See the head of this file.
public struct HistoryPages: Sendable {
  /// What is answered.
  public enum Answer: Sendable {
    /// A document, and the tag of what it was made of.
    case json([UInt8], tag: String)
    /// It is as the asker knows it.
    case same(tag: String)
    /// There is no such thing, or the question can't be understood.
    case problem(status: Int, type: String, detail: String, faults: [String])
  }

  private let reader: HistoryReader
  private let now: @Sendable () -> Int64

  /// Findings of a page where nobody says otherwise, and at most.
  static let usualLimit = 50
  static let mostLimit = 1_000

  /// - Parameter now: seconds since 1970 UTC.
  public init(_ folder: String, now: @escaping @Sendable () -> Int64) {
    reader = HistoryReader(folder)
    self.now = now
  }

  /// Answers a question.
  /// - Parameters:
  ///   - path: what stands behind `/v1/governance`.
  ///   - query: by name; names that aren't known are faults.
  ///   - tag: what the asker has.
  public func answer(_ path: [String], _ query: [String: String], tag: String?) -> Answer {
    do throws(HistoryError) {
      let (version, lot): (Int64, Int64)
      do throws(HistoryError) { (version, lot) = try reader.stamp() } catch {
        // Before the first run a page has something to show too: that there is nothing yet.
        guard error.found == HistoryError.missing("").found else { throw error }
        return path == ["summary"]
          ? Self.json(Summary.none, tag: "\"none\"")
          : .problem(status: 404, type: "no-history", detail: error.description, faults: [])
      }
      // Exceptions' days go by without a run.
      let current = "\"\(version)-\(lot)-\(now() / 86_400)\""
      if let tag, tag == current || tag == "W/" + current { return .same(tag: current) }
      switch (path.first, path.count) {
      case ("summary", 1): return try summary(query, version, current)
      case ("trend", 1): return try trend(query, current)
      case ("findings", 1): return try findings(query, current)
      case ("findings", 2): return try finding(path[1], query, current)
      case ("rules", 1): return try groups(query, current, isRules: true)
      case ("accounts", 1): return try groups(query, current, isRules: false)
      default:
        return .problem(
          status: 404, type: "not-found",
          detail: "nothing is here; wanted summary, trend, findings, findings/{id}, rules or accounts",
          faults: [])
      }
    } catch {
      return .problem(status: 500, type: "history", detail: error.description, faults: [])
    }
  }

  private static func json(_ value: some Encodable, tag: String) -> Answer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else {
      return .problem(
        status: 500, type: "internal", detail: "the answer can't be written as JSON", faults: [])
    }
    return .json([UInt8](data), tag: tag)
  }

  private static func bad(_ faults: [String]) -> Answer {
    .problem(status: 400, type: "bad-parameter", detail: faults.joined(separator: "; "), faults: faults)
  }

  private static func strange(_ query: [String: String], _ known: [String]) -> [String] {
    query.keys.filter { !known.contains($0) && $0 != "tenant" }.sorted().map {
      "\($0): not known here; wanted \(known.isEmpty ? "no parameter" : known.joined(separator: ", "))"
    }
  }

  private static func integer(
    _ query: [String: String], _ name: String, _ standard: Int, _ range: ClosedRange<Int>,
    _ faults: inout [String]
  ) -> Int {
    guard let text = query[name] else { return standard }
    if let value = Int(text), range.contains(value) { return value }
    faults.append("\(name): wanted a whole number from \(range.lowerBound) to \(range.upperBound)")
    return standard
  }

  // MARK: - Totals

  private struct Summary: Encodable {
    let version: Int64
    let open: FindingCounts?
    let week: Changes?
    let runs: [HistoryRun]
    let exceptions: [ExceptionEnd]

    struct Changes: Encodable {
      let opened: Int
      let fixed: Int
    }

    static let none = Summary(version: 0, open: nil, week: nil, runs: [], exceptions: [])

    enum CodingKeys: String, CodingKey { case version, open, week, runs, exceptions }

    func encode(to encoder: any Encoder) throws {
      var out = encoder.container(keyedBy: CodingKeys.self)
      try out.encode(version, forKey: .version)
      try out.encode(open, forKey: .open)
      try out.encode(week, forKey: .week)
      try out.encode(runs, forKey: .runs)
      try out.encode(exceptions, forKey: .exceptions)
    }
  }

  private func summary(
    _ query: [String: String], _ version: Int64, _ tag: String
  ) throws(HistoryError) -> Answer {
    let faults = Self.strange(query, [])
    guard faults.isEmpty else { return Self.bad(faults) }
    let changes = try reader.changes(since: now() - 7 * 86_400)
    return Self.json(
      Summary(
        version: version, open: try reader.counts(),
        week: Summary.Changes(opened: changes.opened, fixed: changes.fixed),
        runs: try reader.latestRuns(), exceptions: try reader.endingExceptions(today: now() / 86_400)),
      tag: tag)
  }

  private struct Trend: Encodable {
    let from: String
    let to: String
    let points: [TrendPoint]
  }

  private func trend(_ query: [String: String], _ tag: String) throws(HistoryError) -> Answer {
    var faults = Self.strange(query, ["days", "points"])
    let days = Self.integer(query, "days", 90, 1...3_650, &faults)
    let points = Self.integer(query, "points", 180, 1...2_000, &faults)
    guard faults.isEmpty else { return Self.bad(faults) }
    let end = now()
    let begin = end - Int64(days) * 86_400
    var course = try reader.trend(since: begin, until: end, most: points)
    // The course ends with what the summary says, also where runs of several processes were kept in another order than
    // that of their times.
    let open = try reader.counts()
    if let last = course.last, last.open != open {
      course.append(TrendPoint(at: Timestamp.text(end), open: open))
    }
    return Self.json(
      Trend(from: Timestamp.text(begin), to: Timestamp.text(end), points: course), tag: tag)
  }

  // MARK: - Lists

  private struct Groups: Encodable {
    struct Group: Encodable {
      let name: String
      let title: String?
      let titleJa: String?
      let severity: String
      let region: String?
      let seen: String
      let open: FindingCounts

      enum CodingKeys: String, CodingKey {
        case name, title, severity, region, seen, open
        case titleJa = "title_ja"
      }
    }
    var rules: [Group]?
    var accounts: [Group]?
    let next: String?
    let total: Int

    enum CodingKeys: String, CodingKey { case rules, accounts, next, total }

    func encode(to encoder: any Encoder) throws {
      var out = encoder.container(keyedBy: CodingKeys.self)
      try out.encodeIfPresent(rules, forKey: .rules)
      try out.encodeIfPresent(accounts, forKey: .accounts)
      try out.encode(next, forKey: .next)
      try out.encode(total, forKey: .total)
    }
  }

  private func groups(
    _ query: [String: String], _ tag: String, isRules: Bool
  ) throws(HistoryError) -> Answer {
    var faults = Self.strange(query, ["limit", "cursor"])
    let limit = Self.integer(query, "limit", 100, 1...Self.mostLimit, &faults)
    let skip = Self.integer(query, "cursor", 0, 0...Int.max, &faults)
    guard faults.isEmpty else { return Self.bad(faults) }
    let all = isRules ? try reader.rules() : try reader.accounts()
    let page = all.dropFirst(skip).prefix(limit).map { group in
      Groups.Group(
        name: group.name, title: isRules ? group.title : nil, titleJa: isRules ? group.titleJa : nil,
        severity: group.severity.rawValue, region: isRules ? nil : group.region,
        seen: Timestamp.text(group.seen), open: group.open)
    }
    let end = skip.addingReportingOverflow(page.count).partialValue
    return Self.json(
      Groups(
        rules: isRules ? page : nil, accounts: isRules ? nil : page,
        next: !page.isEmpty && end < all.count ? String(end) : nil, total: all.count), tag: tag)
  }

  private struct Page: Encodable {
    let findings: [HistoryFinding]
    let next: String?
    let total: Int

    enum CodingKeys: String, CodingKey { case findings, next, total }

    func encode(to encoder: any Encoder) throws {
      var out = encoder.container(keyedBy: CodingKeys.self)
      try out.encode(findings, forKey: .findings)
      try out.encode(next, forKey: .next)
      try out.encode(total, forKey: .total)
    }
  }

  private func findings(_ query: [String: String], _ tag: String) throws(HistoryError) -> Answer {
    var faults = Self.strange(
      query,
      [
        "state", "status", "severity", "rule", "account", "region", "input", "type", "q", "sort", "limit",
        "cursor",
      ])
    var filter = FindingFilter()
    switch query["state"] {
    case nil: break
    case "all"?: filter.anyState = true
    case let word?:
      if let state = HistoryFinding.State(rawValue: word) {
        filter.state = state
      } else {
        faults.append("state: wanted open, fixed, excepted or all")
      }
    }
    if let status = query["status"] {
      if ["FAIL", "UNKNOWN", "EXCEPTED"].contains(status) {
        filter.status = status
      } else {
        faults.append("status: wanted FAIL, UNKNOWN or EXCEPTED")
      }
    }
    if let word = query["severity"] {
      if let severity = Severity(rawValue: word) {
        filter.severity = severity
      } else {
        faults.append("severity: wanted " + Severity.allCases.map(\.rawValue).joined(separator: ", "))
      }
    }
    (filter.rule, filter.account, filter.region) = (query["rule"], query["account"], query["region"])
    (filter.input, filter.type, filter.text) = (query["input"], query["type"], query["q"])
    if (query["q"] ?? "").utf8.count > 200 { faults.append("q: wanted at most 200 bytes") }
    switch query["sort"] {
    case nil, "severity"?: break
    case "newest"?: filter.newestFirst = true
    default: faults.append("sort: wanted severity or newest")
    }
    let limit = Self.integer(query, "limit", Self.usualLimit, 1...Self.mostLimit, &faults)
    guard faults.isEmpty else { return Self.bad(faults) }
    guard let page = try reader.findings(filter, limit: limit, cursor: query["cursor"]) else {
      return Self.bad(["cursor: wanted what `next` of the page before said"])
    }
    return Self.json(Page(findings: page.findings, next: page.next, total: page.total), tag: tag)
  }

  private struct Detail: Encodable {
    let finding: HistoryFinding
    let exception: ExceptionEnd?
    let events: [HistoryEvent]

    enum CodingKeys: String, CodingKey { case finding, exception, events }

    func encode(to encoder: any Encoder) throws {
      var out = encoder.container(keyedBy: CodingKeys.self)
      try out.encode(finding, forKey: .finding)
      try out.encode(exception, forKey: .exception)
      try out.encode(events, forKey: .events)
    }
  }

  private func finding(
    _ id: String, _ query: [String: String], _ tag: String
  ) throws(HistoryError) -> Answer {
    let faults = Self.strange(query, [])
    guard faults.isEmpty else { return Self.bad(faults) }
    guard let finding = try reader.finding(id) else {
      return .problem(
        status: 404, type: "unknown-finding",
        detail: "no finding has this id; fixed ones are kept for a while only", faults: [])
    }
    var exception: ExceptionEnd?
    if let name = finding.exception { exception = try reader.exception(name) }
    return Self.json(
      Detail(finding: finding, exception: exception, events: try reader.events(of: finding.id)), tag: tag)
  }
}
