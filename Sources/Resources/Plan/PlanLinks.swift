// Which resource an argument names: by its name, or by what the configuration refers to, also through another resource that
// names the same one (`bucket = aws_s3_bucket_policy.p.id`).

struct PlanLinks {
  /// How a resource names another.
  struct Link {
    let by: String
    let name: String?
    let source: PlanReferences.Setting.Source
  }
  enum Target {
    case named(String)
    /// By its address.
    case one(String)
    /// One of those that are made for each of a set, by their address without the key.
    case anyOf(String, byValue: Bool)
    /// A resource of another type.
    case elsewhere
    case notTold
  }

  /// Attributes that are what a resource is named by.
  private static let names: Set<String> = ["id", "arn", "bucket", "key_id", "name", "url"]
  private static let mostSteps = 8

  /// By address.
  private var links: [String: Link] = [:]

  /// Keeps how a resource names another.
  /// - Parameter by: the argument.
  mutating func add(_ resource: PlannedResource, by: String) -> Link {
    let link = Link(
      by: by, name: resource.after[by]?.string, source: resource.setting?.owner(by) ?? .notTold)
    links[resource.address] = link
    return link
  }

  /// Where a link leads in the end.
  /// - Parameter isOwner: whether resources of a type can be what is named.
  func target(of link: Link, isOwner: (String) -> Bool) -> Target {
    var link = link
    for step in 0..<Self.mostSteps {
      if let name = link.name { return .named(name) }
      switch link.source {
      case .notTold: return .notTold
      case .anyOf(let address, let byValue):
        return isOwner(Self.type(address)) ? .anyOf(address, byValue: byValue && step == 0) : .notTold
      case .one(let address, let attribute):
        if isOwner(Self.type(address)) {
          return attribute.map(Self.names.contains) ?? true ? .one(address) : .notTold
        }
        guard let next = links[address] else {
          // An ARN tells what it is of; anything else may be made into the name.
          return attribute == "arn" ? .elsewhere : .notTold
        }
        guard attribute == nil || attribute == "id" || attribute == next.by else { return .notTold }
        link = next
      }
    }
    return .notTold
  }

  private static func type(_ address: String) -> String {
    TerraformAddress(address).parts.suffix(2).first?.name ?? ""
  }
}
