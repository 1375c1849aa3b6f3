// Who and what of IAM is in a document: what gives a policy to a role may stand apart from both.

import GuardRules

struct GrantIndex {
  static let managedPolicy = "AWS::IAM::ManagedPolicy"
  static let role = "AWS::IAM::Role"
  static let user = "AWS::IAM::User"
  static let group = "AWS::IAM::Group"
  static let permissionSet = "AWS::SSO::PermissionSet"

  /// What is looked up, and the property by which others name it.
  private static let names = [
    role: "RoleName", user: "UserName", group: "GroupName", managedPolicy: "PolicyArn", permissionSet: "Name",
  ]

  private struct Key: Hashable {
    let type: String
    let name: String
  }

  /// By their logical names.
  private var resources: [Key: Members.Member] = [:]
  /// By the names that IAM has for them; one name in two accounts is possible.
  private var named: [Key: [Members.Member]] = [:]
  /// ARNs of the managed policies that are in the document.
  private(set) var arns: Set<String> = []

  init(_ all: [Members.Member]) {
    for resource in all {
      guard case .map(let members) = resource.value.content,
        case .string(let type)? = members["Type"]?.content,
        let property = Self.names[type]
      else { continue }
      resources[Key(type: type, name: resource.name)] = resource
      if type == Self.managedPolicy, resource.name.hasPrefix("arn:") { arns.insert(resource.name) }
      guard case .map(let fields)? = members["Properties"]?.content,
        case .string(let name)? = fields[property]?.content
      else { continue }
      named[Key(type: type, name: name), default: []].append(resource)
      if type == Self.managedPolicy { arns.insert(name) }
    }
  }

  /// The resource that a value refers to; nil = it isn't in the document, or of another type.
  func named(by value: Value, _ type: String) -> Members.Member? {
    guard case .unknown(let unknown) = value.content, let written = unknown.written,
      case .map(let members) = written.content, members.all.count == 1, let only = members.all.first
    else { return nil }
    switch (only.name, only.value.content) {
    case ("Ref", .string(let name)): return resources[Key(type: type, name: name)]
    case ("Fn::GetAtt", .list(let parts)):
      guard case .string(let name)? = parts.first?.content else { return nil }
      return resources[Key(type: type, name: name)]
    default: return nil
    }
  }

  /// Resources that a value means: by a reference, or all that have that name.
  func meant(by value: Value, _ type: String) -> [Members.Member] {
    if case .string(let name) = value.content { return named[Key(type: type, name: name)] ?? [] }
    return named(by: value, type).map { [$0] } ?? []
  }
}
