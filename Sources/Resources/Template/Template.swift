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
