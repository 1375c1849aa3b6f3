// A finding as the history keeps it: what the latest look said, since when, and what became of it.

import Controls
import GRDB
public import GuardRules

/// See the head of this file.
public struct HistoryFinding: Sendable, Encodable, Equatable {
  /// What became of it.
  public enum State: String, Sendable, Codable, CaseIterable {
    /// It is there, or can't be told.
    case open
    /// A look that could tell didn't find it any more.
    case fixed
    /// It is there, and a valid exception covers it.
    case excepted
  }

  /// `FindingIdentity.id`.
  public let id: String
  /// Who saw it first: `check`, `scan`, …
  public let source: String
  /// The rule's name.
  public let rule: String
  /// What was looked at.
  public let input: String
  /// The resource; empty = none.
  public let resource: String
  /// Where in it.
  public let path: String
  /// The account's number, or `files`.
  public let account: String
  /// The region; empty = none.
  public let region: String
  /// What became of it.
  public let state: State
  /// `FAIL`, `UNKNOWN` or `EXCEPTED`, as last seen.
  public let status: String
  /// How grave it is.
  public let severity: Severity
  /// What it is called.
  public let title: String
  /// The same in Japanese; empty = none.
  public let titleJa: String
  /// How to mend it; empty = not told.
  public let mend: String
  /// The same in Japanese; empty = none.
  public let mendJa: String
  /// Controls of standards.
  public let controls: [String]
  /// The resource's type.
  public let resourceType: String
  /// The file of rules.
  public let ruleFile: String
  /// Line of the clause.
  public let ruleLine: Int
  /// Where in the input; 0 = not known.
  public let line: Int
  /// From 1.
  public let column: Int
  /// The clause that failed.
  public let clause: String
  /// What was found.
  public let found: String
  /// What was wanted; empty = the clause says it.
  public let wanted: String
  /// The rules' own words.
  public let message: String
  /// Further clauses that failed at the same place.
  public let also: [Clause]
  /// The exception that covers it.
  public let exception: String?
  /// Seconds since 1970 UTC.
  public let firstSeen: Int64
  /// The last look that found it.
  public let lastSeen: Int64
  /// Since when it is what it is: open, fixed, excepted.
  public let since: Int64
  /// How many looks found it.
  public let times: Int
  /// The first look after `lastSeen` that could neither find it nor tell that it is mended; nil = the last look told.
  public let unseen: Int64?
  /// Which input parameters there were at `lastSeen` (`RunExtra.parameters`); nil = it isn't known.
  let parameters: String?

  /// A clause beside the first.
  public struct Clause: Sendable, Codable, Equatable {
    /// As it is written.
    public let clause: String
    /// What was found.
    public let found: String
    /// What was wanted.
    public let wanted: String
    /// The rules' own words.
    public let message: String
  }

  enum CodingKeys: String, CodingKey {
    case id, source, rule, input, resource, path, account, region, state, status, severity, title, mend
    case controls, line, column, clause, found, wanted, message, also, exception, since, times, unseen
    case titleJa = "title_ja"
    case mendJa = "mend_ja"
    case resourceType = "resource_type"
    case ruleFile = "rule_file"
    case ruleLine = "rule_line"
    case firstSeen = "first_seen"
    case lastSeen = "last_seen"
  }

  /// Times as RFC 3339; what isn't there is null.
  public func encode(to encoder: any Encoder) throws {
    var out = encoder.container(keyedBy: CodingKeys.self)
    for (key, value) in [
      (CodingKeys.id, id), (.source, source), (.rule, rule), (.input, input), (.resource, resource),
      (.path, path), (.account, account), (.region, region), (.state, state.rawValue), (.status, status),
      (.severity, severity.rawValue), (.title, title), (.titleJa, titleJa), (.mend, mend), (.mendJa, mendJa),
      (.resourceType, resourceType), (.ruleFile, ruleFile), (.clause, clause), (.found, found),
      (.wanted, wanted), (.message, message), (.firstSeen, Timestamp.text(firstSeen)),
      (.lastSeen, Timestamp.text(lastSeen)), (.since, Timestamp.text(since)),
    ] { try out.encode(value, forKey: key) }
    try out.encode(controls, forKey: .controls)
    try out.encode(also, forKey: .also)
    try out.encode(line, forKey: .line)
    try out.encode(column, forKey: .column)
    try out.encode(ruleLine, forKey: .ruleLine)
    try out.encode(times, forKey: .times)
    try out.encode(exception, forKey: .exception)
    try out.encode(unseen.map(Timestamp.text), forKey: .unseen)
  }
}

/// Something that happened to a finding.
public struct HistoryEvent: Sendable, Encodable, Equatable {
  /// What.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// Seen for the first time.
    case opened
    /// Seen again after looks that couldn't tell.
    case again
    /// Still there, with another value or status.
    case changed
    /// No longer there.
    case fixed
    /// There again after it was mended.
    case reopened
    /// A valid exception covers it.
    case excepted
    /// The exception that covered it is no longer valid.
    case ended
    /// A look could neither find it nor tell that it is mended.
    case unseen
  }

  /// When, RFC 3339.
  public let at: String
  /// What.
  public let kind: Kind
  /// `FAIL`, `UNKNOWN` or `EXCEPTED`, as it was then.
  public let status: String
  /// The value that was found then.
  public let found: String
  /// The exception that covered it then.
  public let exception: String?
}

/// Until when an exception is valid.
public struct ExceptionEnd: Sendable, Encodable, Equatable {
  /// Its name.
  public let id: String
  /// Its last day, UTC, `YYYY-MM-DD`.
  public let ends: String
  /// Who answers for it.
  public let owner: String
  /// Why it is granted.
  public let reason: String

  /// An exception.
  public init(id: String, ends: String, owner: String = "", reason: String = "") {
    self.id = id
    self.ends = ends
    self.owner = owner
    self.reason = reason
  }

  /// Of the exceptions of a file or folder that are approved and in force.
  /// - Parameter now: seconds since 1970 UTC.
  public static func all(of exceptions: Exceptions, now: Int64) -> [ExceptionEnd] {
    exceptions.states(now: now).filter { $0.state == .valid }.map { entry, _ in
      ExceptionEnd(
        id: entry.record.id, ends: entry.record.expires.description, owner: entry.record.owner,
        reason: entry.record.reason)
    }
  }

  /// Days since 1970; nil = it is no day.
  var endDay: Int? { CalendarDay(ends)?.number }
}

extension HistoryFinding {
  init(_ row: Row) {
    id = row["key"]
    source = row["source"]
    rule = row["rule"]
    input = row["input"]
    resource = row["resource"]
    path = row["path"]
    account = row["account"]
    region = row["region"]
    state = State(rawValue: row["state"]) ?? .open
    status = row["status"]
    let rank: Int = row["severity"]
    severity = Severity(rank: rank)
    title = row["title"]
    titleJa = row["title_ja"]
    mend = row["mend"]
    mendJa = row["mend_ja"]
    controls = StoredJSON.read(row["controls"], [String].self) ?? []
    resourceType = row["resource_type"]
    ruleFile = row["rule_file"]
    ruleLine = row["rule_line"]
    line = row["line"]
    column = row["column"]
    clause = row["clause"]
    found = row["found"]
    wanted = row["wanted"]
    message = row["message"]
    also = StoredJSON.read(row["also"], [Clause].self) ?? []
    exception = row["exception"]
    firstSeen = row["first_seen"]
    lastSeen = row["last_seen"]
    since = row["since"]
    times = row["times"]
    unseen = row["unseen"]
    parameters = row["parameters"]
  }
}

extension Severity {
  /// By its rank.
  init(rank: Int) { self = Self.allCases.first { $0.rank == rank } ?? .medium }
}
