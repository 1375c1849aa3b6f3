// What is looked at: a template, a plan, configuration items, or a document of another kind. Plans and items can be looked
// at resource by resource (StreamedCheck.swift).

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
    /// AWS Config's items: one, a list, one a line, or a snapshot.
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
  /// Regions of resources, where the input says them, by their names.
  let regions: [String: String]

  /// What ends the name of such a file.
  public static let endings: Set<String> = ["json", "yaml", "yml", "jsn", "template", "jsonl", "ndjson"]

  init(
    path: String, kind: Kind, document: Value, shapeless: [ShapedResource] = [],
    regions: [String: String] = [:]
  ) {
    (self.path, self.kind, self.document, self.shapeless) = (path, kind, document, shapeless)
    self.regions = regions
  }

  /// Reads a file as a whole.
  /// - Throws: `FileFault` or `DocumentFault` with the place.
  public init(_ path: String, _ context: Template.Context = Template.Context()) throws {
    let file = try MappedFile(path)
    self = try Self.shaped(file, try Self.kind(of: file), context, mostBytes: .max)
  }

  /// All of a file at once.
  /// - Parameter mostBytes: memory that it may take, about.
  /// - Throws: `FileFault` or `DocumentFault` with the place.
  static func shaped(
    _ file: MappedFile, _ kind: Kind, _ context: Template.Context, mostBytes: Int
  ) throws -> InputFile {
    var resources: [ShapedResource] = []
    var bytes = 0
    func take(_ resource: ShapedResource) throws(DocumentFault) {
      bytes += resource.properties.estimatedBytes + resource.name.utf8.count
      guard bytes <= mostBytes else {
        throw DocumentFault(
          place: .none, found: "resources that take more than \(mostBytes >> 20) MiB",
          wanted: "more memory (--memory), or a check without what looks at all of them at once (--catalogue)"
        )
      }
      resources.append(resource)
    }
    let limits = ReadingLimits(mostBytes: mostBytes)
    switch kind {
    case .plan:
      try TerraformPlan.shape(file.bytes, limits: limits) { (resource) throws(DocumentFault) in
        try take(resource)
      }
    case .items:
      try ConfigurationItems.read(file.bytes, limits: limits) { (resource) throws(DocumentFault) in
        try take(resource)
      }
    case .template, .document: return try whole(file, context, mostBytes: mostBytes)
    }
    return InputFile(path: file.path, kind: kind, resources)
  }

  /// The same for who composes texts of what stands in it: what is secret isn't known.
  var withoutSecrets: InputFile {
    guard document.holdsSecret else { return self }
    return InputFile(
      path: path, kind: kind, document: document.withoutSecrets, shapeless: shapeless, regions: regions)
  }

  private init(path: String, kind: Kind, _ resources: [ShapedResource]) {
    // Of an item twice the later one counts, as in the document.
    let regions = resources.compactMap { each in each.region.map { (each.name, $0) } }
    self.init(
      path: path, kind: kind, document: resources.document, shapeless: resources.filter(\.isToBeTold),
      regions: Dictionary(regions) { _, later in later })
  }

  /// A template, or a document that rules see as it is.
  /// - Parameter mostBytes: memory that its values may take, about.
  /// - Throws: `FileFault` or `DocumentFault` with the place.
  static func whole(_ file: MappedFile, _ context: Template.Context, mostBytes: Int) throws -> InputFile {
    let value = try Self.value(of: file, mostBytes: mostBytes)
    if case .null = value.content {
      throw DocumentFault(place: TextPlace(line: 1, column: 1), found: "null", wanted: "a document")
    }
    if let fault = Template.fault(in: value) { throw fault }
    guard Template.isTemplate(value) else {
      return InputFile(path: file.path, kind: .document, document: value)
    }
    let template = try Template(value, context)
    return InputFile(
      path: file.path, kind: .template, document: template.resolved, shapeless: template.nested)
  }

  private static func value(of file: MappedFile, mostBytes: Int) throws -> Value {
    let bytes = file.bytes
    func yaml() throws -> Value {
      // The parser refuses bytes that are no UTF-8, with their place.
      try Value.reading(yaml: bytes.bindMemory(to: UInt8.self), mostBytes: mostBytes)
    }
    guard Self.beginsLikeJSON(bytes) else { return try yaml() }
    var reader = JSONReader(bytes, mostBytes: mostBytes)
    do {
      let value = try reader.value()
      try reader.end()
      return value
    } catch {
      // Flow style of YAML begins like JSON.
      if bytes.count <= Self.mostReadTwiceBytes, let value = try? yaml() { return value }
      throw error
    }
  }

  private static var mostReadTwiceBytes: Int { 4 << 20 }

  private static func beginsLikeJSON(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var reader = JSONReader(bytes)
    let first = reader.first()
    return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
  }

  private static let namesOfTerraform: Set<String> = [
    "terraform_version", "values", "errored", "complete", "applyable", "configuration", "deferred_changes",
    "prior_state", "resource_drift",
  ]

  /// By the names of its outermost members, as far as they are needed.
  /// - Throws: `FileFault` where there is nothing in it.
  static func kind(of file: MappedFile) throws(FileFault) -> Kind {
    var reader = JSONReader(file.bytes)
    switch reader.first() {
    case nil: throw FileFault(path: file.path, reason: "is empty; wanted a document")
    case UInt8(ascii: "["): return ConfigurationItems.begins(file.bytes) ? .items : .document
    case UInt8(ascii: "{"): break
    default: return .document
    }
    var names: Set<String> = []
    var kind: Kind?
    var isOwnState = false
    do throws(DocumentFault) {
      try reader.object { (name, reader) throws(DocumentFault) in
        guard kind == nil else { return }
        names.insert(name)
        switch name {
        case "resource_changes", "planned_values": kind = .plan
        case "lineage" where names.contains("terraform_version"):
          isOwnState = true
          throw DocumentFault(place: .none, found: "Terraform's own state", wanted: "another document")
        case "configurationItems": kind = .items
        case "Resources", "AWSTemplateFormatVersion": kind = .template
        default: break
        }
        let isItem = names.contains("configuration") || names.contains("configurationItemStatus")
        if names.contains("resourceType"), isItem { kind = .items }
        // The rest is left, which ends the walk.
        if kind == nil { try reader.skip() }
      }
    } catch {
      if isOwnState {
        throw FileFault(
          path: file.path, reason: "is Terraform's own state; wanted the output of terraform show -json")
      }
      return kind ?? .document
    }
    // Terraform leaves out what is empty: an empty state is nothing but its version.
    let isOfTerraform = !names.isDisjoint(with: Self.namesOfTerraform) || names.count == 1
    return kind ?? (names.contains("format_version") && isOfTerraform ? .plan : .document)
  }
}

extension ShapedResource {
  /// Whether it is to be told that nothing can be said of it; of other providers nothing is to be said.
  var isToBeTold: Bool {
    type == nil && ["aws_", "awscc_", "AWS::"].contains(where: foundType.hasPrefix)
  }
}
