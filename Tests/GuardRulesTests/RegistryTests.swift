import Foundation
import GuardRules
import Testing

@Suite struct RegistryTests {
  static let folder = URL(fileURLWithPath: "../shared/governance")

  @Test func registry() throws {
    var (met, unmet, bad) = (0, 0, 0)
    let all = FileManager.default.enumerator(at: Self.folder, includingPropertiesForKeys: nil)!.compactMap { $0 as? URL }
    for tests in all where tests.path.contains("tests.y") {
      let base = tests.lastPathComponent.replacingOccurrences(of: "_tests.yml", with: "").replacingOccurrences(of: "-tests.yaml", with: "").replacingOccurrences(of: "_tests.yaml", with: "")
      var rule = tests.deletingLastPathComponent().appendingPathComponent(base + ".guard")
      if !FileManager.default.fileExists(atPath: rule.path) {
        rule = tests.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(base + ".guard")
      }
      guard let text = try? String(contentsOf: rule, encoding: .utf8) else { print("no rule", rule.path); bad += 1; continue }
      do {
        let file = try RuleFile(text, name: rule.lastPathComponent)
        for test in try RuleTest.reading(try String(contentsOf: tests, encoding: .utf8)) {
          do {
          for outcome in try test.run(file, now: 0) {
            if outcome.isMet { met += 1 } else { unmet += 1; print(tests.lastPathComponent, test.place, test.name, outcome.rule, outcome.expected, outcome.found) }
          }
          } catch { print("EVAL", tests.lastPathComponent, test.place, error); bad += 1 }
        }
      } catch { print("ERR", rule.lastPathComponent, error); bad += 1 }
    }
    for rule in all where rule.pathExtension == "guard" || rule.pathExtension == "ruleset" {
      do { _ = try RuleFile(try String(contentsOf: rule, encoding: .utf8), name: rule.lastPathComponent) } catch { print("PARSE", error) }
    }
    print("met", met, "unmet", unmet, "bad", bad)
  }
}
