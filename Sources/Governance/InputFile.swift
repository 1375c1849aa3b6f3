// What is looked at: a template, a plan, configuration items, or a document of another kind.

import Foundation
public import GuardRules
public import Resources

/// See the head of this file.
public struct InputFile: Sendable {
  /// What it was taken for.
  public enum Kind: String, Sendable {
    /// A CloudFormation template.
    case template
    /// A Terraform plan as JSON.
    case plan
    /// AWS Config's items: one, a list, or a snapshot.
    case items
    /// Anything else: rules look at it as it is.
    case document
  }

  /// Its path.
  public let path: String
  /// What it was taken for.
  public let kind: Kind
  /// As rules see it.
  public let document: Value
  /// Resources whose type has no shape: nothing can be said of them.
  public let shapeless: [ShapedResource]

  /// What ends the name of such a file.
  public static let endings: Set<String> = ["json", "yaml", "yml", "jsn", "template"]

  /// Reads a file.
  /// - Throws: `FileFault` or `DocumentFault` with the place.
  public init(_ path: String, _ context: Template.Context = Template.Context()) throws {
    self.path = path
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileFault(path: path, reason: "can't be read")
    }
    let first = data.first {
      $0 != 32 && $0 != 9 && $0 != 10 && $0 != 13 && $0 != 0xEF && $0 != 0xBB && $0 != 0xBF
    }
    guard let first else { throw FileFault(path: path, reason: "is empty; wanted a document") }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      if let whole = try Self.json(data, context) {
        (kind, document, shapeless) = whole
        return
      }
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw FileFault(path: path, reason: "isn't UTF-8")
    }
    let value = try Value.reading(yaml: text)
    if Template.isTemplate(value) {
      (kind, document, shapeless) = (.template, try Template(value, context).resolved, [])
    } else {
      (kind, document, shapeless) = (.document, value, [])
    }
  }

  /// - Returns: nil where it isn't JSON but YAML that begins alike.
  private static func json(
    _ data: Data, _ context: Template.Context
  ) throws -> (Kind, Value, [ShapedResource])? {
    func shaped(_ kind: Kind, _ resources: [ShapedResource]) -> (Kind, Value, [ShapedResource]) {
      // Of other providers nothing is to be said.
      let shapeless = resources.filter { resource in
        resource.type == nil
          && (resource.foundType.hasPrefix("aws_") || resource.foundType.hasPrefix("AWS::"))
      }
      return (kind, resources.document, shapeless)
    }
    return try data.withUnsafeBytes { bytes in
      switch try self.kind(bytes) {
      case .plan: return shaped(.plan, try TerraformPlan.shaped(bytes))
      case .items:
        var resources: [ShapedResource] = []
        try ConfigurationItems.read(bytes) { resources.append($0) }
        return shaped(.items, resources)
      case .template, .document:
        var reader = JSONReader(bytes)
        let value: Value
        do {
          value = try reader.value()
          try reader.end()
        } catch {
          // Flow style of YAML begins like JSON.
          if (try? Value.reading(yaml: String(decoding: bytes, as: UTF8.self))) != nil { return nil }
          throw error
        }
        if Template.isTemplate(value) { return (.template, try Template(value, context).resolved, []) }
        return (.document, value, [])
      }
    }
  }

  /// By the names of its outermost members.
  private static func kind(_ bytes: UnsafeRawBufferPointer) throws(DocumentFault) -> Kind {
    var reader = JSONReader(bytes)
    if reader.first() == UInt8(ascii: "[") {
      var kind: Kind?
      do throws(DocumentFault) {
        try reader.array { (reader) throws(DocumentFault) in
          guard kind == nil else { return try reader.skip() }
          kind = ConfigurationItems.isItem(try reader.value()) ? .items : .document
        }
      } catch { return kind ?? .document }
      return kind ?? .document
    }
    var names: Set<String> = []
    do throws(DocumentFault) {
      try reader.object { (name, reader) throws(DocumentFault) in
        names.insert(name)
        try reader.skip()
      }
    } catch { return .document }
    if names.contains("resource_changes") || names.contains("planned_values") { return .plan }
    if names.contains("configurationItems") { return .items }
    if names.contains("resourceType"),
      names.contains("configuration") || names.contains("configurationItemStatus")
    {
      return .items
    }
    return .document
  }
}
