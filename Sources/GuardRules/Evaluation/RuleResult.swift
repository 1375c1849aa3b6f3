// What comes of evaluating rules, as the rest of the program sees it.

/// What came of a rule, a block or a clause, in the order of what counts more in a conjunction.
public enum RuleStatus: String, Sendable, CaseIterable {
  /// It holds.
  case pass = "PASS"
  /// It doesn't.
  case fail = "FAIL"
  /// There was nothing to look at.
  case skip = "SKIP"
  /// It depends on what isn't known yet. Never in literal evaluation; never good.
  case unknown = "UNKNOWN"
}

/// Why a rule couldn't be evaluated.
public struct EvaluationFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file of rules.
  public let file: String
  /// Where in it; line 0 = not at a place.
  public let place: TextPlace
  /// What is wrong.
  public let reason: String

  /// `file:line:column: reason`
  public var description: String { "\(file):\(place): \(reason)" }
}

/// A clause that failed for a value.
public struct Failure: Sendable {
  /// The rule.
  public let rule: String
  /// Where in the rules.
  public let place: TextPlace
  /// The clause, as it was written.
  public let clause: String
  /// The rules' own words; nil = none.
  public let message: String?
  /// The value that was looked at, or the last one that was there.
  public let value: Value?
  /// What wasn't there; nil = the value is.
  public let missing: String?
  /// What it was compared with.
  public let wanted: Value?
  /// Whether it can't be told: the value isn't known yet.
  public let isUnknown: Bool
  /// Where the value itself was made while rules were evaluated: a value of the document that it belongs to. nil = none is
  /// known.
  public let within: Value?
}

/// What came of a rule.
public struct RuleResult: Sendable {
  /// Its name.
  public let name: String
  /// Its status.
  public let status: RuleStatus
  /// Clauses that failed or can't be told, of a rule that failed or can't be told. One that isn't unknown is part of a
  /// failure: whatever the unknown values turn out to be, it stays one.
  public let failures: [Failure]
  /// Whether it failed for certain while other parts of it can't be told.
  public internal(set) var hasUnknown = false
  /// Outermost names of the document that it looked for and that aren't there: with them it might have come to something
  /// else (input parameters).
  public internal(set) var lacks: Set<String> = []
}

extension [RuleResult] {
  /// The file's status: any failure, else any that can't be told, else any that passed, else skipped.
  public var status: RuleStatus { RuleStatus.all(map(\.status)) }
}

extension RuleStatus {
  /// Of parts that must all hold.
  static func all(_ parts: some Sequence<RuleStatus>) -> RuleStatus {
    var whole = RuleStatus.skip
    for part in parts {
      if part == .fail { return .fail }
      if part == .unknown || whole == .skip { whole = part }
    }
    return whole
  }
}
