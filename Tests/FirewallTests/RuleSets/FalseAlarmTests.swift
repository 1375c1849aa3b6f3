// Alerts on harmless requests, counted by rule. The counts are pinned: a change of one of them is a change of detection
// and wants a reason. With KABUTO_FULL=1 (or KABUTO_BENIGN=all) every request of the largest corpora is taken too.

import Firewall
import Foundation
import Testing

@Suite(
  .enabled(if: FirewallData.isThere, FirewallData.missing),
  .enabled(if: RuleSetPolicy.isAvailable, "rules can't be compiled yet"))
struct FalseAlarmTests {
  struct Count: Equatable {
    var requests = 0
    /// With any rule that logs.
    var alerted = 0
    /// At the score that blocks.
    var blocked = 0
    var byRule: [Int: Int] = [:]

    var text: String {
      let rules = byRule.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key): \($0.value)" }
      return "\(requests) requests, \(alerted) alerted, \(blocked) blocked; \(rules.joined(separator: ", "))"
    }
  }

  /// Rules that only sum up what others found.
  static let summing: Set = [949110, 959100, 980130, 980140, 980145, 980170]

  private static let takesAll =
    Depth.isFull || ProcessInfo.processInfo.environment["KABUTO_BENIGN"] == "all"

  static func count(_ corpora: [BenignCorpus], policy: Policy) -> [String: Count] {
    var run = EngineRun(policy: policy)
    var result: [String: Count] = [:]
    for corpus in corpora {
      // The same sample always: pinned counts need it.
      var random = SeededGenerator(seed: 5)
      var count = Count()
      for request in corpus.sample(takesAll ? .max : 1000, using: &random) {
        let outcome = run.outcome(of: request)
        let rules = outcome.logged.subtracting(summing)
        count.requests += 1
        if !rules.isEmpty { count.alerted += 1 }
        if outcome.score >= 5 { count.blocked += 1 }
        for rule in rules { count.byRule[rule, default: 0] += 1 }
      }
      result[corpus.name] = count
    }
    return result
  }

  /// Alerted and blocked requests of each corpus, in the order of `BenignCorpus.names`, and how often each rule.
  /// Nearly all of gotestwaf and wafefficacy are sentences with words of SQL and shells: the rule set's own false alarms.
  static let expected: [Int: [(alerted: Int, blocked: Int, byRule: [Int: Int])]] = [
    1: [
      (24, 24, [932150: 12, 932100: 3, 932110: 3, 941210: 3, 942100: 3, 942190: 3]), (1, 1, [920420: 1]),
      (10, 10, [942100: 6, 932110: 2, 932115: 2]), (0, 0, [:]), (5, 5, [920440: 5]), (0, 0, [:]),
    ],
    2: [
      (
        33, 30,
        [
          932150: 12, 932100: 3, 932110: 3, 941210: 3, 942100: 3, 942110: 3, 942190: 3, 942330: 3, 942390: 3,
          942440: 3, 942480: 3,
        ]
      ),
      (1, 1, [920420: 1]),
      (10, 10, [942100: 6, 932110: 2, 932115: 2, 942110: 2, 942150: 2, 942260: 2, 942410: 2, 942480: 2]),
      (9, 8, [932200: 8, 942110: 1]), (27, 6, [920320: 21, 920440: 5, 913101: 1]), (1, 0, [942430: 1]),
    ],
  ]

  @Test(arguments: [1, 2]) func harmlessRequestsAreCountedByRule(paranoiaLevel: Int) throws {
    let counts = Self.count(
      try BenignCorpus.all(), policy: try RuleSetPolicy.coreRuleSet3(paranoiaLevel: paranoiaLevel))
    for name in BenignCorpus.names {
      print("level \(paranoiaLevel), \(name): \(counts[name]?.text ?? "none")")
    }
    let found = BenignCorpus.names.map { counts[$0] ?? Count() }
    guard !Self.takesAll else { return }
    let expected = Self.expected[paranoiaLevel] ?? []
    #expect(found.map(\.alerted) == expected.map(\.alerted))
    #expect(found.map(\.blocked) == expected.map(\.blocked))
    #expect(found.map(\.byRule) == expected.map(\.byRule))
  }
}
