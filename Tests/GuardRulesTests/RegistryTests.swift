// Published rules with published expectations: the registry's, and the language's own examples.

import Foundation
import GuardRules
import Testing

@Suite struct RegistryTests {
  /// `X.guard` of `tests/X_tests.yml`, or beside `X-tests.yaml`.
  static func rules(of tests: String) -> String? {
    let url = URL(fileURLWithPath: tests)
    let stem = url.deletingPathExtension().lastPathComponent.dropLast("_tests".count)
      .trimmingCharacters(in: .whitespaces)
    let folder = url.deletingLastPathComponent()
    return [folder, folder.deletingLastPathComponent()].map {
      $0.appendingPathComponent("\(stem).guard").path
    }
    .first { FileManager.default.fileExists(atPath: $0) }
  }

  @Test(.enabled(if: GovernanceData.isThere, GovernanceData.missing))
  func everyPublishedExpectationIsMet() throws {
    var (files, met) = (0, 0)
    let all = GovernanceData.files("tests.yml") + GovernanceData.files("tests.yaml")
    for tests in all {
      guard let rules = Self.rules(of: tests) else {
        // One file of tests belongs to a rule of another name; `kabuto govern test` finds it by its rules.
        continue
      }
      files += 1
      let file = try RuleFile(try GovernanceData.text(rules), name: rules)
      for test in try RuleTest.reading(try GovernanceData.text(tests)) {
        for outcome in try test.run(file, now: 0) {
          #expect(
            outcome.isMet,
            "\(tests):\(test.place) \(outcome.rule): \(outcome.expected), found \(outcome.found)")
          met += outcome.isMet ? 1 : 0
        }
      }
    }
    print("RegistryTests: \(met) expectations of \(files) files of tests")
    #expect(files >= 90 && met >= 900)
  }

  @Test(.enabled(if: GovernanceData.isThere, GovernanceData.missing))
  func everyPublishedRuleIsRead() throws {
    var count = 0
    for path in GovernanceData.files(".guard") where !path.contains("/invalid_") {
      _ = try RuleFile(try GovernanceData.text(path), name: path)
      count += 1
    }
    #expect(count >= 100)
  }

  @Test(.enabled(if: GovernanceData.isThere, GovernanceData.missing))
  func faultyRulesAreToldWithTheirPlace() throws {
    let folder = "cloudformation-guard/guard/resources/test-command/rule-dir/"
    #expect(
      faults(try GovernanceData.text(folder + "invalid_rule.guard")).first?.hasPrefix("t.guard:8:") == true)
    #expect(
      faults(try GovernanceData.text(folder + "invalid_regex.guard")).first?.hasPrefix("t.guard:1:") == true)
  }
}
