// What a policy has loaded, for people who tune: a line per rule, a line per scan of the plans, each with its cost
// where a profile is given.

/// A rule, as it was compiled.
public struct RuleListing: Sendable {
  /// How the walk comes to it.
  public enum Way: String, Sendable {
    /// Visited only where the scan ahead hit it.
    case scanned
    /// Visited by every request that comes so far.
    case always
    /// A comparison that skips others, decided without touching the rule.
    case `guard`
  }
  /// How Vectorscan takes the pattern of a rule's first test.
  public enum PatternUse: String, Sendable { case exact, prefilter, refused }

  /// Its id.
  public var id: Int
  /// Its phase, 1 to 5.
  public var phase: Int
  /// Where it stands.
  public var place: Place
  /// Its `msg`, macros as written.
  public var message: String
  /// `CRITICAL` and so on; empty where it has none.
  public var severity: String
  /// Its tags, with those of SecDefaultAction.
  public var tags: [String]
  /// Of `paranoia-level/N`; 0 where it has no such tag.
  public var paranoiaLevel: Int
  /// Rules of its chain, itself counted.
  public var links: Int
  /// How the walk comes to it.
  public var way: Way
  /// `@rx`, of the first test; empty for SecAction.
  public var operation: String
  /// Of its first test, as rules write them.
  public var variables: [String]
  /// Of its first test.
  public var transformations: [String]
  /// Nil where the first test is no regular expression.
  public var pattern: PatternUse?
  /// What it cost, where a profile was given.
  public var cost = RuleProfile.RuleCost()
}

/// A scan of a plan: values of a variable, in their forms after some transformations; or the transformations themselves
/// and the single tests, which are told without rules that are scanned.
public struct ScanListing: Sendable {
  /// Its phase, 1 to 5.
  public var phase: Int
  /// `ARGS`, `REQUEST_HEADERS:host`.
  public var variable: String
  /// Those of the rules' transformations that rewrite (lower case, blanks gone); milder ones may stand between.
  public var transformations: [String]
  /// Rules with patterns in its database.
  public var scannedRules: Int
  /// Of the database for values of all kinds; 0 where there is none.
  public var databaseBytes: Int
  /// Rules whose operator is asked for each value.
  public var testedRules: [Int]
  /// How many values came by.
  public var values = 0
  /// What the work on them took.
  public var nanoseconds: Int64 = 0
}

extension Policy {
  /// All rules in the order of their files.
  public func listing(_ profile: RuleProfile? = nil) -> [RuleListing] {
    var ways: [Int: RuleListing.Way] = [:]
    for phase in phases {
      for (rule, step) in zip(phase.rules, phase.steps) {
        ways[rule.index] =
          switch step.kind {
          case .rule, .setting, .filtered: .always
          case .guardRule: .guard
          case .scanned: .scanned
          }
      }
    }
    return rules.map { rule in
      let link = rule.links.first
      let tag = rule.tags.first { $0.hasPrefix("paranoia-level/") }
      var use: RuleListing.PatternUse?
      if let regex = link?.operation as? any PatternOperator {
        let pattern = ScanPattern(expression: regex.pattern, isLiteral: false)
        switch PatternDatabase.suitability(of: pattern, multiline: regexOptions.multiline) {
        case .exact: use = .exact
        case .prefilter: use = .prefilter
        case .refused, .matchesEmpty: use = .refused
        }
      }
      var listing = RuleListing(
        id: rule.id, phase: rule.phase, place: rule.place, message: rule.message.written(slotNames),
        severity: rule.severity?.text ?? "", tags: rule.tags,
        paranoiaLevel: tag.flatMap { Int($0.dropFirst("paranoia-level/".count)) } ?? 0,
        links: rule.links.count,
        way: ways[rule.index] ?? .always,
        operation: link?.test.map { ($0.isNegated ? "!@" : "@") + $0.name } ?? "",
        variables: (link?.targets.map(\.written) ?? []) + (link?.exclusions.map { "!" + $0.written } ?? []),
        transformations: link?.transformations.map(\.name) ?? [], pattern: use)
      if let profile, rule.index < profile.rules.count { listing.cost = profile.rules[rule.index] }
      listing.cost.nanoseconds = max(0, listing.cost.nanoseconds)
      return listing
    }
  }

  /// All scans, and for each class of values what else is done with it.
  public func scans(_ profile: RuleProfile? = nil) -> [ScanListing] {
    var result: [ScanListing] = []
    for phase in phases {
      for group in phase.groups {
        let scanCosts = profile?.scans[ObjectIdentifier(group)] ?? []
        let planCosts = profile?.plans[ObjectIdentifier(group)] ?? []
        for (number, plan) in group.plans.enumerated() {
          let variable = plan.variable.name + (plan.isNamed ? ":\(plan.name.text)" : "")
          for place in plan.firstScan..<plan.firstScan + plan.scanCount {
            let all = Int(group.scans[place].all)
            let look = all >= 0 ? group.looks[all] : nil
            let cost = place < scanCosts.count ? scanCosts[place] : RuleProfile.ScanCost()
            result.append(
              ScanListing(
                phase: phase.phase, variable: variable, transformations: group.rewrites[place],
                scannedRules: look.map { look in
                  (0..<look.entryCount).count { group.entries[look.firstEntry + $0].node >= 0 }
                } ?? 0,
                databaseBytes: look.map { $0.database._withUnsafeGuaranteedRef(\.size) } ?? 0,
                testedRules: [],
                values: cost.values, nanoseconds: max(0, cost.nanoseconds)))
          }
          let tested = group.tests[plan.firstTest..<plan.firstTest + plan.testCount].flatMap { test in
            group.uses[Int(test.firstUse)..<Int(test.firstUse + test.useCount)].map {
              phase.rules[Int($0.entry.position)].id
            }
          }
          let cost = number < planCosts.count ? planCosts[number] : RuleProfile.ScanCost()
          if tested.isEmpty, cost.values == 0 { continue }
          result.append(
            ScanListing(
              phase: phase.phase, variable: variable, transformations: [], scannedRules: 0, databaseBytes: 0,
              testedRules: tested, values: cost.values, nanoseconds: max(0, cost.nanoseconds)))
        }
      }
    }
    return result
  }
}

extension Target {
  /// As rules write it.
  var written: String {
    let name: String =
      switch selector {
      case .all: ""
      case .name, .xpath: ":" + self.name.text
      case .regex: ":/…/"
      }
    return (isCount ? "&" : "") + variable.name + name
  }
}

extension Macro {
  /// As it was written, near enough.
  func written(_ slotNames: [ByteView]) -> String {
    if let literal { return literal.text }
    return parts.map { part in
      switch part {
      case .literal(let text): text.text
      case .slot(let slot): "%{TX.\(slotNames[slot].text)}"
      case .value(let variable, let name): "%{\(variable.name)\(name.isEmpty ? "" : "." + name.text)}"
      case .selected(let target): "%{\(target.written)}"
      }
    }.joined()
  }
}
