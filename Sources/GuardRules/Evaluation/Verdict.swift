// What came of a part of a rule while it is evaluated: one of the language's statuses, or what may still become of it.
//
// Invariant: a verdict stands for a set of statuses, and what is made of verdicts stands for everything that can be made
// of their members. So what is told as certain stays true whatever the unknown values turn out to be.

enum Verdict: Sendable {
  case pass, fail, skip
  /// PASS, or nothing to look at: whether it is meant isn't known, but it doesn't fail.
  case passOrSkip
  /// Anything.
  case unknown

  /// Whether it is known to be one status.
  var isCertain: Bool {
    switch self {
    case .pass, .fail, .skip: true
    case .passOrSkip, .unknown: false
    }
  }

  /// As it is told of a rule: what passes or isn't meant breaks nothing.
  var status: RuleStatus {
    switch self {
    case .pass, .passOrSkip: .pass
    case .fail: .fail
    case .skip: .skip
    case .unknown: .unknown
    }
  }

  /// Of parts that must all hold.
  static func all(_ parts: some Sequence<Verdict>) -> Verdict {
    var whole = Verdict.skip
    for part in parts { whole.and(part) }
    return whole
  }

  /// What it is together with a part that must hold, too.
  mutating func and(_ part: Verdict) {
    switch (self, part) {
    case (.fail, _), (_, .skip), (.pass, .passOrSkip): break
    case (_, .fail): self = .fail
    case (.unknown, _): break
    default: self = part
    }
  }

  /// Of parts of which one must hold.
  static func any(_ parts: some Sequence<Verdict>) -> Verdict {
    var whole = Verdict.skip
    for part in parts {
      switch (whole, part) {
      case (_, .pass): return .pass
      case (.unknown, _), (_, .skip): break
      case (_, .unknown): whole = .unknown
      // Passes, or all that is left is a failure.
      case (.fail, .passOrSkip), (.passOrSkip, .fail): whole = .unknown
      default: whole = part
      }
    }
    return whole
  }
}
