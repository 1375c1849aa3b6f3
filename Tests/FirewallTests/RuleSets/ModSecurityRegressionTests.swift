// ModSecurity v3's own regression tests, through the engine: status, redirect, refused rules, and what its logs say, as
// far as that can be told without such logs. What can't is counted by name.

import Firewall
import Testing

@Suite(
  .enabled(if: FirewallData.isThere, FirewallData.missing),
  .enabled(if: RuleSetPolicy.isAvailable, "rules can't be compiled yet"))
struct ModSecurityRegressionTests {
  /// What isn't offered here, and how many tests ask for it.
  static let notOffered = ["lua": 23, "curl": 4, "ssdeep": 2, "geoip": 11, "maxmind": 7]

  struct Summary {
    var passed = 0
    var failed: [(name: String, reason: String)] = []
    var skipped: [String: Int] = [:]
    /// Texts of logs that an outcome can't tell.
    var notTransferable: [(name: String, text: String)] = []
    /// Passed, and only the status could be looked at.
    var byStatusOnly = 0
  }

  static func run() throws -> Summary {
    var summary = Summary()
    for test in try ModSecurityCase.all() {
      if let resource = test.resource, notOffered[resource] != nil {
        summary.skipped[resource, default: 0] += 1
        continue
      }
      guard test.isEnabled else {
        summary.skipped["disabled", default: 0] += 1
        continue
      }
      if let reason = failure(of: test, &summary) {
        summary.failed.append((test.name, reason))
      } else {
        summary.passed += 1
      }
    }
    return summary
  }

  private static func failure(of test: ModSecurityCase, _ summary: inout Summary) -> String? {
    let source = RuleSource(
      text: Array(test.mendedRules.utf8), file: test.file, loader: ModSecurityCase.loader)
    let plain: Policy
    do {
      plain = try RuleSetPolicy.make(source.directives, faults: source.faults, loader: ModSecurityCase.loader)
    } catch {
      return test.expected.parserError == nil ? "does not load: \(error)" : nil
    }
    if let message = test.expected.parserError { return "loads, but should not: \(message)" }
    var run = EngineRun(policy: plain, isEnforcing: true, keepsAllMatches: true)
    let outcome = run.outcome(
      of: test.request, response: test.response, clientPort: test.client.port, server: test.server)
    let status = test.expected.httpCode ?? 200
    guard outcome.status == status else {
      return "status \(outcome.status) and not \(status); matched: \(outcome.matches.map(\.rule))"
    }
    if let url = test.expected.redirectURL, outcome.redirectURL != url {
      return "redirected to \(outcome.redirectURL ?? "nothing") and not to \(url)"
    }
    return logFailure(of: test, source: source, outcome: outcome, &summary)
  }

  private static func logFailure(
    of test: ModSecurityCase, source: RuleSource, outcome plain: EngineOutcome, _ summary: inout Summary
  ) -> String? {
    let texts =
      test.expected.debugLog.map { ($0, RuleObservation.kind(ofDebugText: $0)) }
      + test.expected.errorLog.map { ($0, RuleObservation.kind(ofErrorText: $0)) }
      + test.expected.auditLog.filter { !$0.isEmpty }.map { ($0, RuleObservation.Kind.notTransferable) }
    let observing = RuleObservation.observing(source.directives, text: test.rules)
    var logs: (debug: String, error: String)?
    func read() -> (debug: String, error: String) {
      if let logs { return logs }
      let directives = observing ?? source.directives
      guard let policy = try? RuleSetPolicy.make(directives, faults: [], loader: ModSecurityCase.loader)
      else {
        return ("no policy", "no policy")
      }
      var run = EngineRun(policy: policy, isEnforcing: true, keepsAllMatches: true)
      let outcome = run.outcome(
        of: test.request, response: test.response, clientPort: test.client.port, server: test.server)
      let made = RuleObservation.logs(outcome, directives: directives, rules: test.ruleIDs(source.directives))
      logs = made
      return made
    }
    var looked = 0
    for (text, kind) in texts {
      switch kind {
      case .anything: break
      case .notTransferable: summary.notTransferable.append((test.name, text))
      case .skipped(let rule):
        looked += 1
        if plain.matches.contains(where: { $0.rule == rule }) {
          return "\(rule) matched, but should be left out"
        }
      case .part(let offset, let length):
        looked += 1
        guard plain.matches.contains(where: { $0.offset == offset && $0.length == length }) else {
          let parts = plain.matches.map { "\($0.variable) \($0.offset),\($0.length)" }
          return "no match of \(offset),\(length), but \(parts)"
        }
      case .debugLines:
        if RuleObservation.isFound(text, in: read().debug) {
          looked += 1
        } else if observing == nil {
          summary.notTransferable.append((test.name, text))
        } else {
          return "`\(text)` isn't in:\n\(read().debug)"
        }
      case .errorLines:
        looked += 1
        if !RuleObservation.isFound(text, in: read().error) {
          return "`\(text)` isn't in:\n\(read().error) \(plain.matches.map(\.rule)) \(plain.notes)"
        }
      }
    }
    if looked == 0, test.expected.httpCode == nil { summary.byStatusOnly += 1 }
    return nil
  }

  @Test func regressionTestsPass() throws {
    let summary = try Self.run()
    print(
      "modsecurity regression: \(summary.passed) passed (\(summary.byStatusOnly) by their status only),"
        + " \(summary.failed.count) failed, skipped: \(summary.skipped),"
        + " \(summary.notTransferable.count) texts not transferable")
    let known = ModSecurityExceptions.all
    for failure in summary.failed {
      let kind = known.contains(failure.name) ? "as listed" : "failed"
      print("  \(kind): \(failure.name): \(failure.reason.prefix(known.contains(failure.name) ? 300 : 2000))")
    }
    for text in summary.notTransferable { print("  not transferable: \(text.name): \(text.text.prefix(80))") }
    let passing = known.subtracting(summary.failed.map(\.name))
    for name in passing.sorted() { print("  passes, and is listed as an exception: \(name)") }
    #expect(Set(summary.failed.map(\.name)).subtracting(known).sorted() == [])
    #expect(passing.sorted() == [])
    #expect(summary.skipped.values.reduce(0, +) == 47)
    #expect(summary.passed + summary.failed.count == 656 - 47)
  }
}
