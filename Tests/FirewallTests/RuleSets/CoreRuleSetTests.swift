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
  /// Why tests fail here, and their titles.
  static let exceptions: [(reason: String, titles: Set<String>)] = [
    (
      "Apache itself refuses a fragment in the request line; here the URI is taken as it is",
      ["920100-8"]
    ),
    (
      "Apache takes Content-Length away where Transfer-Encoding stands beside it; here both are seen, and the rule is"
        + " right to match",
      ["920181-1"]
    ),
  ]

  /// Rules of 3.3 are written for Apache, which makes one backslash of two before ModSecurity sees them.
  static let backslashes: Set = ["920460-1", "920460-2", "920460-3", "920460-4", "941330-1"]

  /// The tests are those of 3.3.10, whose rules know the ending .phar; Debian's don't.
  static let debian: Set = ["933110-28", "933111-2"]

  static func expectedFailures(_ quoting: Quoting) -> Set<String> {
    let always = exceptions.reduce(into: Set<String>()) { $0.formUnion($1.titles) }
    return quoting == .apache ? always : always.union(backslashes)
  }

  struct Summary {
    var passed = 0
    /// Title, and what was the matter.
    var failed: [(title: String, reason: String)] = []
    /// Passed because a server in front refuses the request, whatever the rules say.
    var refusedInFront = 0
    /// In files that the rule set itself has disabled: run, but nothing is expected of them.
    var disabledPassed = 0
    var disabledFailed = 0

    func print(_ name: String, expected: Set<String>) {
      Swift.print(
        "\(name): \(passed) passed (\(refusedInFront) refused before any rule), \(failed.count) failed;"
          + " disabled files: \(disabledPassed) passed, \(disabledFailed) failed")
      for failure in failed {
        let kind = expected.contains(failure.title) ? "as listed" : "failed"
        Swift.print("  \(kind): \(failure.title): \(failure.reason)")
      }
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

  /// The default run draws some of the tests by a seed, and takes those that fail as expected; KABUTO_FULL=1 takes all.
  static func drawn(_ cases: [CoreRuleSetCase], failing expected: Set<String>, _ name: String)
    -> [CoreRuleSetCase]
  {
    guard !Depth.isFull else { return cases }
    var random = SeededGenerator.forTest(name)
    let chosen = Set(cases.indices.shuffled(using: &random).prefix(300))
    return cases.indices.filter { chosen.contains($0) || expected.contains(cases[$0].title) }.map {
      cases[$0]
    }
  }

  @Test(arguments: [Quoting.libmodsecurity, .apache]) func rulesOf3_3PassTheirTests(quoting: Quoting) throws {
    let name = "core rule set 3.3.4, read as by \(quoting)"
    let expected = Self.expectedFailures(quoting)
    let all = try CoreRuleSetCase.all(in: "crs-3.3-tests")
    let cases = Self.drawn(all, failing: expected, name)
    let summary = Self.run(cases, policy: try RuleSetPolicy.coreRuleSet3ForTests(quoting: quoting))
    summary.print(name, expected: expected)
    #expect(Set(summary.failed.map(\.title)).symmetricDifference(expected).sorted() == [])
    #expect(summary.passed + summary.failed.count == cases.count { $0.isEnabled })
    #expect(all.count { $0.isEnabled } == 2396)
  }

  @Test(.enabled(if: FirewallData.hasDebianRules, "package modsecurity-crs isn't installed"))
  func debiansRulesPassTheirTests() throws {
    let own = try CoreRuleSetCase.all(in: "crs-3.3-tests-debian")
    let replaced = Set(own.map(\.file))
    let all = try CoreRuleSetCase.all(in: "crs-3.3-tests").filter { !replaced.contains($0.file) } + own
    let name = "core rule set of Debian, read as by Apache"
    let expected = Self.expectedFailures(.apache).union(Self.debian)
    let cases = Self.drawn(all, failing: expected, name)
    let summary = Self.run(cases, policy: try RuleSetPolicy.debiansRulesForTests(quoting: .apache))
    summary.print(name, expected: expected)
    #expect(Set(summary.failed.map(\.title)).symmetricDifference(expected).sorted() == [])
    #expect(summary.passed + summary.failed.count == cases.count { $0.isEnabled })
    #expect(all.count { $0.isEnabled } == 2436)
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
