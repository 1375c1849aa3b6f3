// A CloudFormation template as it would be deployed: parameters, conditions, mappings and intrinsic functions are
// resolved where they can be; what can't be is unknown, and says why. Places of the text are kept, so that a finding
// points at the line.
// Source: AWS CloudFormation User Guide, "Intrinsic function reference", "Conditions section", "Parameters section".
// Limits: values within each other, and values in all: a template can't stand for more than it is long by much.

public import GuardRules

/// See the head of this file.
public struct Template: Sendable {
  /// What is known of the deployment.
  public struct Context: Sendable {
    /// Values of parameters by name; they go before defaults.
    public var parameters: [String: Value] = [:]
    /// Pseudo parameters by name (`AWS::Region`), where they are known.
    public var pseudo: [String: String] = ["AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"]

    /// Nothing is known but the partition.
    public init() {}
  }

  /// As it was written, with resources, their properties and outputs resolved.
  public let resolved: Value

  /// Types that no template has, whatever macros and modules make.
  public static var neverMade: Set<String> { TemplateTransforms.neverMade }

  /// Names of a document's parameters.
  public static func parameters(of document: Value) -> [String] {
    document["Parameters"]?.members.map(\.name) ?? []
  }

  /// Resources that stand for another template, of whose resources nothing can be said here.
  public var nested: [ShapedResource] {
    (resolved["Resources"]?.members ?? []).compactMap { member in
      guard let type = member.value["Type"]?.string, TemplateTransforms.nesting.contains(type) else {
        return nil
      }
      // What a transformation makes of one that is told itself.
      if member.name.hasSuffix(" (\(type))") { return nil }
      return ShapedResource(
        name: member.name, type: nil, foundType: type, properties: Value(.map(Members([]))),
        place: member.value.place)
    }
  }

  private static let sections: Set<String> = [
    "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata", "Outputs", "Parameters",
    "Resources",
    "Rules", "Transform",
  ]

  /// Why a document can't be a template, though it has members of one; nil = it may be one, or is something else.
  public static func fault(in document: Value) -> DocumentFault? {
    guard case .map(let members) = document.content else { return nil }
    let wanted = "resources by name, each with a Type"
    guard let resources = members["Resources"] else {
      let isMade = members["Transform"] != nil || members["Fn::Transform"] != nil
      guard members["AWSTemplateFormatVersion"] != nil, !isMade else { return nil }
      return DocumentFault(place: document.place, found: "a template without Resources", wanted: wanted)
    }
    switch resources.content {
    case .map, .unknown: return nil
    default: break
    }
    // Other documents may have a member of that name.
    let isTemplates = members.all.allSatisfy { sections.contains($0.name) }
    guard members["AWSTemplateFormatVersion"] != nil || isTemplates else { return nil }
    let isEmpty = resources.isNull || resources.string?.isEmpty == true
    return DocumentFault(
      place: resources.place,
      found: isEmpty ? "Resources with nothing in it" : "Resources as a \(resources.kind)",
      wanted: wanted)
  }

  /// Whether a document is a template: resources with types, or something that makes them.
  public static func isTemplate(_ document: Value) -> Bool {
    guard case .map(let members) = document.content else { return false }
    let isTransformed = members["Transform"] != nil || members["Fn::Transform"] != nil
    if isTransformed, members["AWSTemplateFormatVersion"] != nil { return true }
    guard case .map(let resources)? = members["Resources"]?.content else { return false }
    return isTransformed
      || resources.all.contains { each in
        each.name.hasPrefix("Fn::") || each.value["Type"]?.string != nil || each.value["Fn::Transform"] != nil
      }
  }

  /// Resolves.
  /// - Throws: `DocumentFault` where it has too many values.
  public init(_ document: Value, _ context: Context = Context()) throws(DocumentFault) {
    var resolver = TemplateResolver(document, context)
    resolved = try resolver.template()
  }
}

extension Value {
  /// A member of a map.
  public subscript(name: String) -> Value? {
    if case .map(let members) = content { return members[name] }
    return nil
  }

  /// The text that it is.
  public var string: String? {
    if case .string(let text) = content { return text }
    return nil
  }

  /// The members of a map; empty for anything else.
  public var members: [Members.Member] {
    if case .map(let members) = content { return members.all }
    return []
  }

  /// What isn't known of a map.
  var rest: Members.Rest? {
    if case .map(let members) = content { return members.rest }
    return nil
  }

  /// The elements of a list; nil for anything else.
  public var list: [Value]? {
    if case .list(let values) = content { return values }
    return nil
  }
}
