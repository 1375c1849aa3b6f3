import Foundation
import GuardRules
import Resources
import Testing

@Suite struct TemplateTests {
  @Test func all() throws {
    let all = FileManager.default.enumerator(at: URL(fileURLWithPath: "../shared/governance/aws-cloudformation-templates"), includingPropertiesForKeys: nil)!.compactMap { $0 as? URL }
    var files: [RuleFile] = []
    let rules = FileManager.default.enumerator(at: URL(fileURLWithPath: "../shared/governance/aws-guard-rules-registry"), includingPropertiesForKeys: nil)!.compactMap { $0 as? URL }
    for rule in rules where rule.pathExtension == "guard" { files.append(try RuleFile(try String(contentsOf: rule, encoding: .utf8), name: rule.lastPathComponent)) }
    var count: [RuleStatus: Int] = [:]
    var literal: [RuleStatus: Int] = [:]
    var docs: [Value] = []
    let c0 = ContinuousClock().now
    for url in all where ["json", "yaml", "yml", "template"].contains(url.pathExtension) {
      let text = try String(contentsOf: url, encoding: .utf8)
      do { docs.append(try Value.reading(yaml: text)) } catch { print(url.lastPathComponent, error) }
    }
    let c1 = ContinuousClock().now
    var resolved: [Value] = []
    for d in docs where Template.isTemplate(d) { resolved.append(try Template(d).resolved) }
    let c2 = ContinuousClock().now
    for file in files { for d in resolved { do { for r in try file.evaluate(d, now: 0) { count[r.status, default: 0] += 1 } } catch { print(error) } } }
    let c3 = ContinuousClock().now
    for file in files { for d in docs { do { for r in try file.evaluate(d, now: 0) { literal[r.status, default: 0] += 1 } } catch { print(error) } } }
    print(docs.count, resolved.count, files.count, count, literal, "read", c1 - c0, "resolve", c2 - c1, "evaluate", c3 - c2)
  }
}
