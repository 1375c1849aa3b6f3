// Names of resources in events → names in the table of calls: an ARN where the service wants a name, a listener where its
// load balancer is looked at.

import GuardRules

enum ChangeNames {
  /// Whether it has no region.
  static func isGlobal(_ target: ChangeTarget) -> Bool {
    switch target {
    case .one(let type, _), .list(let type): global.contains { type.hasPrefix($0) }
    case .service(let name): ["s3", "iam", "route53"].contains(name)
    case .configRule, .guardDuty: false
    }
  }
  private static let global = ["S3.", "IAM.", "Route53."]

  /// Whether regions tell it that aren't its own: trails, by their shadows, and multi-Region keys, of which a change of
  /// the primary is one of the replicas.
  static func isEverywhere(_ target: ChangeTarget) -> Bool {
    switch target {
    case .one(let type, let id): type == "CloudTrail.Trail" || type == "KMS.Key" && id.hasPrefix("mrk-")
    case .list(let type): type == "CloudTrail.Trail"
    case .service(let name): name == "cloudtrail"
    case .configRule, .guardDuty: false
    }
  }

  /// The same, told apart from others of its name: a trail is called by its name in its home region only, and elsewhere
  /// shadows of trails with that name may be. Without the partition, which an event doesn't tell.
  static func whole(_ target: ChangeTarget, account: String, region: String) -> ChangeTarget {
    guard case .one("CloudTrail.Trail", let name) = target, !name.contains(":"), !region.isEmpty else {
      return target
    }
    return .one(type: "CloudTrail.Trail", id: "\(region):\(account):trail/\(name)")
  }

  /// What is looked at again; nil = nothing of this account (a policy of AWS's own).
  static func target(_ type: String, _ name: String) -> ChangeTarget? {
    func last(behind sign: Character) -> String { String(name.split(separator: sign).last ?? "") }
    var id = name
    switch type {
    case "IAM.ManagedPolicy":
      // arn:aws:iam::aws:policy/…
      if AmazonResourceName(name)?.account == "aws" { return nil }
    case "Lambda.Function":
      // Name, ARN, or part of one, with or without a version behind it.
      if let place = name.firstRange(of: "function:") {
        id = String(name[place.upperBound...].prefix { $0 != ":" })
      } else if let colon = name.firstIndex(of: ":") {
        id = name.prefix { $0 != ":" }.allSatisfy(\.isNumber) ? last(behind: ":") : String(name[..<colon])
      }
    case "KMS.Key":
      // What an alias stands for isn't told.
      if name.contains("alias/") { return .list(type: type) }
      if name.hasPrefix("arn:") { id = last(behind: "/") }
    case "RDS.DBInstance", "RDS.DBCluster":
      if name.hasPrefix("arn:") { id = last(behind: ":") }
      id = id.lowercased()
    case "Route53.HostedZone": id = last(behind: "/")
    case "ELBv2.TargetGroup":
      if name.contains(":loadbalancer/") || name.contains(":listener") { return nil }
    case "ELBv2.LoadBalancer":
      if name.contains(":targetgroup/") { return nil }
      if let place = name.firstRange(of: ":listener/") ?? name.firstRange(of: ":listener-rule/") {
        // …:listener/app/NAME/ID/LISTENER, …:listener-rule/app/NAME/ID/LISTENER/RULE
        let parts = name[place.upperBound...].split(separator: "/").prefix(3)
        id = String(name[..<place.lowerBound]) + ":loadbalancer/" + parts.joined(separator: "/")
      } else if !name.contains(":loadbalancer/") {
        return .list(type: type)
      }
    case "S3.Bucket":
      if name.hasPrefix("arn:") { id = last(behind: ":") }
    default: break
    }
    return id.isEmpty ? .list(type: type) : .one(type: type, id: id)
  }

  /// What an item of AWS Config makes be looked at.
  struct Item {
    /// The type in the table of calls.
    let type: String
    /// Whether items of that type are only what the item's own hang on.
    let isOuter: Bool
  }

  /// Of a configuration item's type; nil = there is none.
  static func item(_ type: String) -> Item? { items[type] }

  private static let items: [String: Item] = {
    // In AWS Config a managed policy is called a policy.
    var items = ["AWS::IAM::Policy": Item(type: "IAM.ManagedPolicy", isOuter: false)]
    let lists = ((try? AccountCalls.all.get()) ?? []).flatMap(\.lists)
    for list in lists {
      if let type = AccountResources.type(of: list.type) {
        items[type] = Item(type: list.type, isOuter: false)
      }
    }
    for list in lists {
      for inner in list.types.dropFirst() {
        guard let type = AccountResources.type(of: inner), items[type] == nil else { continue }
        items[type] = Item(type: list.type, isOuter: true)
      }
    }
    return items
  }()

  /// What an item of AWS Config means; nil = nothing of this account.
  /// - Parameter name: what the item is called; nil = it doesn't say.
  static func target(_ item: Item, _ name: String?) -> ChangeTarget? {
    guard let name else { return .list(type: item.type) }
    // A listener names its load balancer; what else hangs on something is found by looking at all.
    if item.isOuter, item.type != "ELBv2.LoadBalancer" { return .list(type: item.type) }
    return target(item.type, name)
  }

  /// Members of an item that have the name, the best first.
  static func memberOfItem(_ type: String) -> [String] {
    switch type {
    case "IAM.User", "IAM.Group", "IAM.Role", "RDS.DBInstance", "RDS.DBCluster": ["resourceName"]
    case "IAM.ManagedPolicy": ["ARN", "arn"]
    case "CloudTrail.Trail", "ELBv2.LoadBalancer", "ELBv2.TargetGroup", "ACM.Certificate":
      ["ARN", "arn", "resourceId"]
    default: ["resourceId", "resourceName"]
    }
  }
}

extension AccountList {
  /// Whether an item is the one that is meant.
  /// - Parameters:
  ///   - name: its ARN.
  ///   - key: what a change calls it.
  public static func isMeant(_ id: String, name: String, key: String) -> Bool {
    key == id || name == id || name.hasSuffix("/" + id) || name.hasSuffix(":" + id)
  }
}
