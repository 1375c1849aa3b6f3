// The rule set's own tests, through the engine: each request in, ids of the rules that matched and log out.
//
// What an answer of the server in front would decide (25 tests look at a status) counts as passed where a strict HTTP
// parser refuses the request or the rule of that number matches. Exceptions are listed with their reasons, and counted:
// one that passes is as wrong as a new one that fails.

import Firewall
import Testing

@Suite(
  .enabled(if: FirewallData.isThere, FirewallData.missing),
  .enabled(if: RuleSetPolicy.isAvailable, "rules can't be compiled yet"))
struct CoreRuleSetTests {
  /// Title, and why it fails here.
  static let exceptions: [String: String] = [:]
  static let debianExceptions: [String: String] = [:]

  struct Summary {
    var passed = 0
    /// Title, and what was the matter.
    var failed: [(title: String, reason: String)] = []
    /// Passed because a server in front refuses the request, whatever the rules say.
    var refusedInFront = 0
    /// In files that the rule set itself has disabled: run, but nothing is expected of them.
    var disabledPassed = 0
    var disabledFailed = 0

    func print(_ name: String) {
      Swift.print(
        "\(name): \(passed) passed (\(refusedInFront) refused before any rule), \(failed.count) failed;"
          + " disabled files: \(disabledPassed) passed, \(disabledFailed) failed")
      for failure in failed { Swift.print("  \(failure.title): \(failure.reason)") }
    }
  }

  /// Nil where the test passes.
  static func verdict(
    _ test: CoreRuleSetCase, _ outcome: EngineOutcome
  ) -> (failure: String?, isRefusedInFront: Bool) {
    var failure: String?
    var isRefusedInFront = false
    for expectation in test.expectations {
      switch expectation {
      case .match(let rule):
        if !outcome.logged.contains(rule) {
          failure = "\(rule) did not match; \(outcome.logged.sorted()) did"
        }
      case .noMatch(let rule):
        if let match = outcome.matches.first(where: { $0.rule == rule && $0.logged }) {
          let value = String(decoding: match.value.prefix(60), as: UTF8.self)
          failure = "\(rule) matched \(match.variable): \(value)"
        }
      case .status(let numbers):
        if numbers.contains(200) { continue }
        if test.request.isRefusedByServer {
          isRefusedInFront = true
        } else if !outcome.logged.contains(test.rule) {
          failure = "neither refused nor matched by \(test.rule); \(outcome.logged.sorted()) matched"
        }
      case .mayBreak, .provesNothing: break
      }
    }
    return (failure, isRefusedInFront)
  }

  static func run(_ cases: [CoreRuleSetCase], policy: Policy) -> Summary {
    var run = EngineRun(policy: policy)
    var summary = Summary()
    for test in cases {
      let (failure, isRefused) = verdict(test, run.outcome(of: test.request))
      if !test.isEnabled {
        if failure == nil { summary.disabledPassed += 1 } else { summary.disabledFailed += 1 }
      } else if let failure {
        summary.failed.append((test.title, failure))
      } else {
        summary.passed += 1
        if isRefused { summary.refusedInFront += 1 }
      }
    }
    return summary
  }

  @Test func rulesOf3_3PassTheirTests() throws {
    let cases = try CoreRuleSetCase.all(in: "crs-3.3-tests")
    let summary = Self.run(cases, policy: try RuleSetPolicy.coreRuleSet3ForTests())
    summary.print("core rule set 3.3.4")
    #expect(Set(summary.failed.map(\.title)) == Set(Self.exceptions.keys))
    #expect(summary.passed + summary.failed.count == 2396)
  }

  @Test(.enabled(if: FirewallData.hasDebianRules, "package modsecurity-crs isn't installed"))
  func debiansRulesPassTheirTests() throws {
    let own = try CoreRuleSetCase.all(in: "crs-3.3-tests-debian")
    let replaced = Set(own.map(\.file))
    let cases = try CoreRuleSetCase.all(in: "crs-3.3-tests").filter { !replaced.contains($0.file) } + own
    let summary = Self.run(cases, policy: try RuleSetPolicy.debiansRulesForTests())
    summary.print("core rule set of Debian")
    #expect(Set(summary.failed.map(\.title)) == Set(Self.debianExceptions.keys))
  }

  /// There are no tests of version 4 here: it must load, run, and find what is plain to see.
  @Test func rulesOf4LoadAndRun() throws {
    var run = EngineRun(policy: try RuleSetPolicy.coreRuleSet4(paranoiaLevel: 1))
    let headers: [TestRequest.Header] = [
      .init("Host", "www.example.com"), .init("User-Agent", "Mozilla/5.0"), .init("Accept", "*/*"),
    ]
    #expect(run.outcome(of: TestRequest(id: "harmless", uri: "/a?q=tea", headers: headers)).logged == [])
    let attacks = [
      "/?q=1%27%20OR%20%271%27%3D%271%27%20--%20": 942100, "/?q=%3Cscript%3Ealert(1)%3C/script%3E": 941100,
      "/?q=../../../../etc/passwd": 930120, "/?q=%3Bcat%20/etc/passwd": 932160,
    ]
    for (uri, rule) in attacks {
      let outcome = run.outcome(of: TestRequest(id: uri, uri: uri, headers: headers))
      #expect(outcome.logged.contains(rule), "\(uri): \(outcome.logged.sorted())")
      #expect(outcome.score >= 5)
    }
  }
}
