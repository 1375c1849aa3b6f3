// A resource in CloudFormation's shape, wherever it was found: template, plan, configuration item, account.

public import GuardRules

/// See the head of this file.
public struct ShapedResource: Sendable {
  /// What it is called where it was found: a logical id, an address of Terraform, an ARN.
  public let name: String
  /// CloudFormation's type; nil = that type has no shape here, and nothing can be said of it.
  public let type: String?
  /// The type where it was found.
  public let foundType: String
  /// Its properties.
  public let properties: Value
  /// Where it stands.
  public let place: TextPlace
  /// The region that it is in, where that is said of it; nil = it isn't.
  public let region: String?

  /// A resource.
  public init(
    name: String, type: String?, foundType: String, properties: Value, place: TextPlace, region: String? = nil
  ) {
    self.region = region
    self.name = name
    self.type = type
    self.foundType = foundType
    self.properties = properties
    self.place = place
  }

  /// As it would stand in a template.
  public var value: Value {
    Value(
      .map(
        Members([
          ("Type", Value(.string(type ?? foundType), at: place)), ("Properties", properties),
        ])), at: place)
  }
}

extension [ShapedResource] {
  /// A document of them, as rules expect it. Those without a shape are left out.
  public var document: Value {
    let members = filter { $0.type != nil }.map { (name: $0.name, value: $0.value) }
    return Value(.map(Members([("Resources", Value(.map(Members(members))))])))
  }
}
