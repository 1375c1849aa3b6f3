// What rules say that can't be meant: they can be compiled, and something in them has no effect, or another one than it
// looks. Each kind of warning is a check with a name, in a file of this folder by family.
//
// A warning must be true: where a check can't know, it is silent.

/// One thing that can hardly be meant.
public struct LintWarning: Sendable, Hashable, CustomStringConvertible {
  /// Where.
  public let place: Place
  /// The rule's id; 0 where it is about none.
  public let rule: Int
  /// The check that found it.
  public let check: LintCheck
  /// What is found.
  public let found: String
  /// What to do about it.
  public let wanted: String
  /// One line for people.
  public var description: String {
    "\(place): warning: \(rule == 0 ? "" : "rule \(rule): ")\(found); \(wanted) [\(check.rawValue)]"
  }
}

/// What is looked for.
public enum LintCheck: String, Sendable, CaseIterable {
  /// A rule that another one always skips.
  case neverReached = "never-reached"
  /// `skipAfter` to a marker that stands before the rule.
  case skipBackwards = "skip-backwards"
  /// A variable that has no value in the rule's phase.
  case emptyInPhase = "empty-in-phase"
  /// RESPONSE_BODY or the request's body where access to it is off.
  case bodyAccess = "body-access"
  /// Capital letters wanted of a value in lower case.
  case capitals
  /// A transformation without effect.
  case transformation
  /// A phrase that holds another one.
  case phrase
  /// The same test as another rule's.
  case duplicate
  /// A pattern that can take very long.
  case nestedQuantifier = "nested-quantifier"
  /// `.*` at the beginning.
  case leadingDots = "leading-dots"
  /// A pattern that Vectorscan takes in prefilter mode, or not at all.
  case prefilter
  /// An exclusion of rules that don't exist.
  case unknownRule = "unknown-rule"
  /// An exclusion of a variable that the rule doesn't look at.
  case uselessExclusion = "useless-exclusion"
  /// `ctl` for rules that were evaluated before.
  case lateExclusion = "late-exclusion"
  /// A TX variable that is read and never set.
  case neverSet = "never-set"
  /// A TX variable that is set and never read.
  case neverRead = "never-read"
  /// A rule that blocks without saying why.
  case noMessage = "no-message"
  /// An id of the Core Rule Set's on another rule.
  case idRange = "id-range"
}

/// A set of rules as the checks see it.
struct Lint {
  /// A rule as it was written, exclusions of the set applied, and as it was compiled.
  struct Rule {
    let draft: RuleDraft
    let compiled: CompiledRule
    /// Among the rules of its phase.
    let position: Int
    var id: Int { compiled.id }
  }

  let policy: Policy
  let rules: [Rule]
  /// As they were before exclusions of the set.
  let written: [RuleDraft]
  /// Where markers stand, as the rules that were compiled before them.
  let markers: [(name: String, rulesBefore: Int)]
  let changes: RuleChanges
  let hasSetting: (String) -> Bool
  private(set) var warnings: [LintWarning] = []

  mutating func warn(
    _ check: LintCheck, _ rule: Rule?, at place: Place? = nil, _ found: String, _ wanted: String
  ) {
    guard let place = place ?? rule?.draft.place else { return }
    warnings.append(
      LintWarning(place: place, rule: rule?.id ?? 0, check: check, found: found, wanted: wanted))
  }

  init(_ directives: [DirectiveSyntax], options: PolicyOptions) throws(RuleFaults) {
    var options = options
    options.scans = false
    var builder = PolicyBuilder(options: options)
    builder.read(directives)
    written = builder.drafts
    changes = builder.changes
    builder.applyChanges()
    policy = builder.finish()
    guard builder.faults.isEmpty else { throw RuleFaults(builder.faults) }
    var rules: [Rule] = []
    var markers: [(name: String, rulesBefore: Int)] = []
    var counts = [0, 0, 0, 0, 0]
    for draft in builder.drafts {
      if let name = draft.marker {
        markers.append((name, rules.count))
      } else if rules.count < policy.rules.count {
        rules.append(
          Rule(draft: draft, compiled: policy.rules[rules.count], position: counts[draft.phase - 1]))
        counts[draft.phase - 1] += 1
      }
    }
    self.rules = rules
    self.markers = markers
    var settings: Set<String> = []
    for case .setting(let name, _) in directives.map(\.kind) { settings.insert(name.lowercased()) }
    let known = settings
    hasSetting = { known.contains($0.lowercased()) }
  }

  /// Everything that the checks find, by place.
  public static func warnings(
    _ directives: [DirectiveSyntax], options: PolicyOptions = PolicyOptions()
  ) throws(RuleFaults) -> [LintWarning] {
    var lint = try Lint(directives, options: options)
    lint.checkFlow()
    lint.checkPhases()
    lint.checkTransformations()
    lint.checkConstants()
    lint.checkPhrases()
    lint.checkDuplicates()
    lint.checkPatterns()
    lint.checkExclusions()
    lint.checkVariables()
    lint.checkDescriptions()
    var files: [String: Int] = [:]
    for directive in directives where files[directive.place.file] == nil {
      files[directive.place.file] = files.count
    }
    return lint.warnings.enumerated().sorted { a, b in
      let (x, y) = (a.element.place, b.element.place)
      let (fileX, fileY) = (files[x.file] ?? .max, files[y.file] ?? .max)
      return (fileX, x.line, a.offset) < (fileY, y.line, b.offset)
    }.map(\.element)
  }
}

extension Policy {
  /// What in these directives can hardly be meant, by place.
  /// - Throws: what keeps them from being compiled.
  public static func lint(
    _ directives: [DirectiveSyntax], options: PolicyOptions = PolicyOptions()
  ) throws(RuleFaults) -> [LintWarning] { try Lint.warnings(directives, options: options) }
}
