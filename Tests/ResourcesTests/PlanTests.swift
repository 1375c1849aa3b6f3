import Foundation
import GuardRules
import Resources
import Testing

@Suite struct PlanTests {
  @Test func all() throws {
    print(TerraformPlan.types.count, ConfigurationItems.types.count)
    for name in ["checkov-large", "checkov-iam_policies", "terraform-json-basic"] {
      let data = try Data(contentsOf: URL(fileURLWithPath: "../shared/governance/terraform-plans/\(name).json"))
      let all = try data.withUnsafeBytes { try TerraformPlan.shaped($0) }
      for r in all { print(r.name, r.type ?? "-", r.properties.text.prefix(150), r.place) }
    }
    for file in try FileManager.default.contentsOfDirectory(atPath: "../shared/governance/aws-config-items") where file.hasSuffix("json") {
      let data = try Data(contentsOf: URL(fileURLWithPath: "../shared/governance/aws-config-items/\(file)"))
      do { try data.withUnsafeBytes { _ = try ConfigurationItems.read($0) { r in print(r.name, r.type ?? "-", r.properties.text.prefix(150)) } } } catch { print(file, error) }
    }
  }
}
