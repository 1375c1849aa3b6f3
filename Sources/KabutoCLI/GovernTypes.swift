// `kabuto govern types`: which resources of plans and configuration items rules can see.

import ArgumentParser
import Resources

struct GovernTypes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "types", abstract: "Lists the types of plans and configuration items that have a shape.",
    discussion: """
      A type that isn't listed can't be seen by rules: its resources are UNKNOWN (kabuto_shape). Templates are seen as they \
      are, whatever their types. Example:  kabuto govern types --json
      """)

  @Flag(help: "One JSON document instead of text.")
  var json = false

  private struct Shape: Encodable {
    let type: String
    let shape: String
  }
  private struct Report: Encodable {
    let terraform: [Shape]
    let config: [String]
  }

  func run() async throws {
    let terraform = TerraformPlan.shapes
    let config = ConfigurationItems.types
    guard !json else {
      return try printJSON(
        Report(terraform: terraform.map { Shape(type: $0.type, shape: $0.shape) }, config: config))
    }
    let width = terraform.map(\.type.count).max() ?? 0
    for each in terraform {
      print(each.type + String(repeating: " ", count: width + 2 - each.type.count) + each.shape)
    }
    for type in config {
      print("configuration item" + String(repeating: " ", count: max(2, width - 16)) + type)
    }
  }
}
