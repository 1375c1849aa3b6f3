// An exception: a rule that need not be kept, by whom it was asked and approved, for what, and until when. It ends by itself.
//
// Invariant: it counts only when somebody else than who asked approved exactly what is written (a sum of it is kept with the
// approval), from the day of the approval to the day it expires, and for no longer than the longest time. In every other
// state it covers nothing, and findings that it would have covered say why.

public import GuardRules

/// See the head of this file.
public struct ExceptionRecord: Sendable, Equatable {
  /// What it covers: all that are given must fit.
  public struct Scope: Sendable, Equatable {
    /// Inputs: a file's path, `aws:ACCOUNT/REGION`.
    public var input: [Wildcard] = []
    /// Accounts.
    public var account: [Wildcard] = []
    /// Regions.
    public var region: [Wildcard] = []
    /// Resources: logical id, address, ARN.
    public var resource: [Wildcard] = []
    /// Types.
    public var type: [Wildcard] = []

    /// All.
    public init() {}
  }

  /// Who did something, and when.
  public struct Act: Sendable, Equatable {
    /// Who.
    public let by: String
    /// The day.
    public let on: CalendarDay

    /// An act.
    public init(by: String, on: CalendarDay) {
      self.by = by
      self.on = on
    }

    var isBySomebody: Bool { PersonName.isSomebody(by) }

    /// Whether a name means the same person, however it is spelled.
    public func isBy(_ name: String) -> Bool { PersonName.isSame(by, name) }
  }

  /// Its name.
  public var id: String
  /// Patterns of rules' names.
  public var rules: [Wildcard]
  /// What it covers.
  public var scope = Scope()
  /// Who answers for it.
  public var owner: String
  /// Why.
  public var reason: String
  /// Whether it covers what can't be told, too.
  public var coversUnknown = false
  /// Who asked for it.
  public var requested: Act
  /// Who approved it; nil = nobody has.
  public var approved: Act?
  /// Sum of what was approved, in hexadecimal.
  public var sum = ""
  /// Its last day.
  public var expires: CalendarDay
  /// Where it stands in its file.
  public var place = TextPlace.none

  /// An exception that nobody has approved.
  public init(
    id: String, rules: [Wildcard], owner: String, reason: String, requested: Act, expires: CalendarDay
  ) {
    self.id = id
    self.rules = rules
    self.owner = owner
    self.reason = reason
    self.requested = requested
    self.expires = expires
  }

  /// Days from approval to end that an exception may have, both counted.
  public static let mostDays = 365
}

/// What an exception is worth.
public enum ExceptionState: Sendable, Equatable {
  /// It counts.
  case valid
  /// Its last day is over.
  case expired(CalendarDay)
  /// Nobody has approved it.
  case unapproved
  /// Who asked, or who approved, has a name that can't be seen.
  case nameless
  /// Who asked approved it.
  case selfApproved(String)
  /// What is written isn't what was approved.
  case altered
  /// The approval is of a day to come.
  case notYet(CalendarDay)
  /// It lasts longer than any may.
  case tooLong(days: Int)

  /// For people, behind the exception's name.
  public var text: String {
    switch self {
    case .valid: "counts"
    case .expired(let day): "ended on \(day)"
    case .unapproved: "isn't approved"
    case .nameless: "was asked for or approved by a name that can't be seen"
    case .selfApproved(let who): "was approved by \(who), who asked for it"
    case .altered: "isn't what was approved"
    case .notYet(let day): "counts from \(day) on"
    case .tooLong(let days): "lasts \(days) days, more than \(ExceptionRecord.mostDays)"
    }
  }

  /// The same in Japanese.
  public var textJa: String {
    switch self {
    case .valid: "有効"
    case .expired(let day): "\(day) に期限切れ"
    case .unapproved: "未承認"
    case .nameless: "申請者または承認者の名前が見えない文字だけのため無効"
    case .selfApproved(let who): "申請者本人(\(who))による承認のため無効"
    case .altered: "承認後に内容が変更されたため無効"
    case .notYet(let day): "\(day) から有効"
    case .tooLong(let days): "期間が \(days) 日あり、上限の \(ExceptionRecord.mostDays) 日を超えるため無効"
    }
  }
}

extension ExceptionRecord {
  /// What it covers, as it is given on the command line; empty = everything that its rules look at.
  public var scopeText: String {
    [
      ("input", scope.input), ("account", scope.account), ("region", scope.region),
      ("resource", scope.resource), ("type", scope.type),
    ].filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1.map(\.text).joined(separator: ","))" }
      .joined(separator: "; ")
  }

  /// All that an approval is of, in one text: each field named, with its length, so that no two records have the same. Who
  /// approved it and when belong to it: another name or a later day would be another approval.
  public var approvedText: String {
    func field(_ name: String, _ values: [String]) -> String {
      "\(name)=" + values.map { "\($0.utf8.count):\($0)" }.joined(separator: ",") + "\n"
    }
    return field("id", [id]) + field("rule", rules.map(\.text)) + field("input", scope.input.map(\.text))
      + field("account", scope.account.map(\.text)) + field("region", scope.region.map(\.text))
      + field("resource", scope.resource.map(\.text)) + field("type", scope.type.map(\.text))
      + field("owner", [owner])
      + field("reason", [reason]) + field("unknown", [coversUnknown ? "yes" : "no"])
      + field("requested", [requested.by, requested.on.description]) + field("expires", [expires.description])
      + field("approved", approved.map { [$0.by, $0.on.description] } ?? [])
  }

  /// What it is worth on a day.
  /// - Parameter digest: SHA-256 of a text, in hexadecimal.
  public func state(on day: CalendarDay, digest: (String) -> String) -> ExceptionState {
    guard let approved else { return expires < day ? .expired(expires) : .unapproved }
    guard approved.isBySomebody, requested.isBySomebody else { return .nameless }
    if approved.isBy(requested.by) { return .selfApproved(approved.by) }
    if sum.lowercased() != digest(approvedText) { return .altered }
    if expires < day { return .expired(expires) }
    if approved.on > day { return .notYet(approved.on) }
    let days = expires.number - approved.on.number + 1
    return days > Self.mostDays ? .tooLong(days: days) : .valid
  }

  /// What a finding is about, as a scope sees it.
  public struct Subject: Sendable {
    let rule: String
    let input: String
    let account: String
    let region: String
    let resource: String
    let type: String

    /// - Parameters:
    ///   - input: a path, or `aws:ACCOUNT/REGION`.
    ///   - resource: a logical id, an address, an ARN; of an ARN account and region are read.
    public init(rule: String, input: String, resource: String, type: String) {
      self.rule = rule
      self.input = input
      self.resource = resource
      self.type = type
      let arn = AmazonResourceName(resource)
      var account = arn?.account ?? ""
      var region = arn?.region ?? ""
      if input.hasPrefix("aws:") {
        let halves = input.dropFirst("aws:".count).split(separator: "/", maxSplits: 1)
        if account.isEmpty, let first = halves.first { account = String(first) }
        if region.isEmpty, halves.count > 1 { region = String(halves[1]) }
      }
      self.account = account
      self.region = region
    }
  }

  /// Whether a finding is meant, whatever the exception is worth.
  public func means(_ subject: Subject) -> Bool {
    func fits(_ patterns: [Wildcard], _ text: String) -> Bool {
      patterns.isEmpty || patterns.contains { $0.matches(text) }
    }
    return fits(rules, subject.rule) && fits(scope.input, subject.input)
      && fits(scope.account, subject.account)
      && fits(scope.region, subject.region) && fits(scope.resource, subject.resource)
      && fits(scope.type, subject.type)
  }
}
