// What the history is asked, and what it says: filters, pages, counts, runs, points of the trend.

import GRDB
public import GuardRules

/// Which findings are meant.
public struct FindingFilter: Sendable, Equatable {
  /// `open`, `fixed`, `excepted`; nil = open ones.
  public var state: HistoryFinding.State?
  /// Whether findings of every state are meant.
  public var anyState = false
  /// `FAIL`, or `UNKNOWN`: what can't be told, or couldn't at the last look.
  public var status: String?
  /// This one.
  public var severity: Severity?
  /// By name.
  public var rule: String?
  /// A number, or `files`.
  public var account: String?
  /// A region.
  public var region: String?
  /// The input.
  public var input: String?
  /// The resource's type.
  public var type: String?
  /// A part of resource, title, rule or input.
  public var text: String?
  /// The newest first instead of the gravest.
  public var newestFirst = false

  /// All that is open.
  public init() {}
}

/// A page of findings.
public struct FindingPage: Sendable {
  /// In the order asked for.
  public let findings: [HistoryFinding]
  /// Where the next page begins; nil = this is the last.
  public let next: String?
  /// How many there are on all pages.
  public let total: Int
}

/// Open findings by severity; each is counted once.
public struct FindingCounts: Sendable, Encodable, Equatable {
  /// Failures that are certain, by severity.
  public let critical, high, medium, low, info: Int
  /// What can't be told, of any severity.
  public let unknown: Int
  /// What exceptions cover, of any severity.
  public let excepted: Int
}

/// A run, in short.
public struct HistoryRun: Sendable, Encodable, Equatable {
  /// Its number.
  public let run: Int64
  /// `check`, `scan`, …
  public let source: String
  /// When, RFC 3339.
  public let at: String
  /// How long it took.
  public let milliseconds: Int64
  /// Inputs that were looked at.
  public let inputs: Int
  /// Rules on inputs.
  public let passed, failed, unknown, skipped: Int
  /// What couldn't be looked at.
  public let faults: [String]
  /// How many faults there were; more than those kept, perhaps.
  public let faultCount: Int
  /// What it changed.
  public let opened, reopened, again, changed, fixed, excepted, ended, unseen: Int
  /// What there was after it.
  public let open: FindingCounts

  enum CodingKeys: String, CodingKey {
    case run, source, at, inputs, passed, failed, unknown, skipped, faults, opened, reopened, again, changed
    case fixed, excepted, ended, unseen, open
    case milliseconds = "duration_ms"
    case faultCount = "fault_count"
  }
}

/// A point of the trend: what there was after the last run of a span.
public struct TrendPoint: Sendable, Encodable, Equatable {
  /// When, RFC 3339.
  public let at: String
  /// What there was.
  public let open: FindingCounts
}

/// A rule, or an account's region, with what is open of it.
public struct FindingGroupCount: Sendable, Equatable {
  /// The rule's name, or the account.
  public let name: String
  /// The rule's title.
  public let title: String
  /// The same in Japanese.
  public let titleJa: String
  /// The gravest severity of it.
  public let severity: Severity
  /// The region; empty = none.
  public let region: String
  /// When it was last seen, seconds since 1970 UTC.
  public let seen: Int64
  /// What is open.
  public let open: FindingCounts
}

extension FindingFilter {
  var condition: (String, StatementArguments) {
    var parts: [String] = []
    var arguments: StatementArguments = []
    if !anyState {
      parts.append("state = ?")
      arguments += [(state ?? .open).rawValue]
    }
    switch status {
    case "UNKNOWN"?: parts.append("(status = 'UNKNOWN' OR unseen IS NOT NULL)")
    case "FAIL"?: parts.append("status = 'FAIL' AND unseen IS NULL")
    case let other?:
      parts.append("status = ?")
      arguments += [other]
    case nil: break
    }
    if let severity {
      parts.append("severity = ?")
      arguments += [severity.rank]
    }
    for (column, value) in [
      ("rule", rule), ("account", account), ("region", region), ("input", input), ("resource_type", type),
    ] {
      guard let value else { continue }
      parts.append("\(column) = ?")
      arguments += [value]
    }
    if let text, !text.isEmpty {
      parts.append(
        "(instr(lower(resource || char(10) || title || char(10) || title_ja || char(10) || rule || char(10) || input), lower(?)) > 0)"
      )
      arguments += [text]
    }
    return (parts.isEmpty ? "1" : parts.joined(separator: " AND "), arguments)
  }
}

extension FindingCounts {
  init(_ open: OpenCounts) {
    critical = open.failed(.critical)
    high = open.failed(.high)
    medium = open.failed(.medium)
    low = open.failed(.low)
    info = open.failed(.info)
    unknown = open.unknown
    excepted = open.excepted
  }

  init(run row: Row) {
    critical = row["open_critical"]
    high = row["open_high"]
    medium = row["open_medium"]
    low = row["open_low"]
    info = row["open_info"]
    unknown = row["open_unknown"]
    excepted = row["open_excepted"]
  }

  /// All that isn't excepted.
  public var open: Int { critical + high + medium + low + info + unknown }

  /// Order of groups: one grave finding before many light ones.
  var weight: [Int] { [critical, high, unknown, medium, low, info, excepted] }
}

extension HistoryRun {
  init(_ row: Row) {
    run = row["id"]
    source = row["source"]
    at = Timestamp.text(row["at"])
    milliseconds = row["duration_ms"]
    inputs = row["inputs"]
    passed = row["passed"]
    failed = row["failed"]
    unknown = row["unknown"]
    skipped = row["skipped"]
    faults = StoredJSON.read(row["faults"], [String].self) ?? []
    faultCount = row["fault_count"]
    opened = row["opened"]
    reopened = row["reopened"]
    again = row["again"]
    changed = row["changed"]
    fixed = row["fixed"]
    excepted = row["excepted"]
    ended = row["ended"]
    unseen = row["unseen"]
    open = FindingCounts(run: row)
  }
}
