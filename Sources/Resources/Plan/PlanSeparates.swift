// What stands within a resource and can be a resource of its own as well: a bucket's policy, a table's routes. Of what nobody
// sets within it the plan shows how the provider found it before; where the plan changes it by a resource of its own, that
// one counts. What nobody in the plan changes is as it was found.

import GuardRules

struct PlanSeparates {
  struct Kind {
    /// Types of what it stands within, and the members there.
    let owners: [String]
    let members: [String]
    /// The argument that names the owner.
    let by: String
    /// Arguments that tell an entry from others, with their names within the owner; of all one has to be the same. None =
    /// it is the whole member.
    var keys: [(own: String, within: String)] = []
    /// The argument that is true of entries that stand in the member of the same name.
    var second: String?
  }

  static let kinds: [String: Kind] = [
    "aws_network_acl_rule": Kind(
      owners: ["aws_network_acl"], members: ["ingress", "egress"], by: "network_acl_id",
      keys: [("rule_number", "rule_no")], second: "egress"),
    "aws_route": Kind(
      owners: ["aws_route_table", "aws_default_route_table"], members: ["route"], by: "route_table_id",
      keys: [
        ("destination_cidr_block", "cidr_block"), ("destination_ipv6_cidr_block", "ipv6_cidr_block"),
        ("destination_prefix_list_id", "destination_prefix_list_id"),
      ]),
    "aws_s3_bucket_policy": Kind(owners: ["aws_s3_bucket"], members: ["policy"], by: "bucket"),
    "aws_secretsmanager_secret_policy": Kind(
      owners: ["aws_secretsmanager_secret"], members: ["policy"], by: "secret_arn"),
    "aws_sns_topic_policy": Kind(owners: ["aws_sns_topic"], members: ["policy"], by: "arn"),
    "aws_sqs_queue_policy": Kind(owners: ["aws_sqs_queue"], members: ["policy"], by: "queue_url"),
  ]
  /// Kinds by the type of their owner.
  private static let owned: [String: (type: String, kind: Kind)] = kinds.reduce(into: [:]) { all, each in
    for owner in each.value.owners { all[owner] = (each.key, each.value) }
  }

  /// Owners that some are of for certain: by address, or by type and name.
  private var told: Set<String> = []
  /// Those of a set, by their address without the key, of which one may be the owner.
  private var perhaps: Set<String> = []
  /// Types of which any may be the owner.
  private var ofAny: Set<String> = []
  /// What tells entries that go away or are changed, by type and name of the owner.
  private var gone: [String: Set<String>] = [:]
  private var pending: [(kind: Kind, type: String, link: PlanLinks.Link)] = []

  /// Takes a resource of its own.
  /// - Returns: about how many bytes are kept of it.
  mutating func add(_ resource: PlannedResource, _ links: inout PlanLinks) -> Int {
    guard let kind = Self.kinds[resource.type] else { return 0 }
    var kept = 0
    let isWhole = kind.keys.isEmpty
    if resource.actions.contains("delete") || resource.actions.contains("update") {
      if let before = resource.before, let name = before[kind.by]?.string {
        kept += 100 + name.utf8.count
        if isWhole {
          told.insert("\(resource.type) \(name)")
        } else {
          let isSecond = kind.second.map { before[$0]?.isTrue ?? false } ?? false
          for key in kind.keys {
            guard let sign = Self.sign(key.own, before[key.own], isSecond) else { continue }
            gone["\(resource.type) \(name)", default: []].insert(sign)
            kept += 100 + sign.utf8.count
          }
        }
      } else if isWhole {
        ofAny.formUnion(kind.owners)
      }
    }
    guard resource.actions != ["delete"] else { return kept }
    if isWhole {
      pending.append((kind, resource.type, links.add(resource, by: kind.by)))
      return kept + 300
    }
    // One that was there before is among what was found.
    guard resource.after[kind.by]?.string == nil,
      case .one(let address, _)? = resource.setting?.owner(kind.by)
    else { return kept }
    return told.insert(address).inserted ? kept + 100 + address.utf8.count : kept
  }

  /// To be called when all are taken.
  mutating func settle(_ links: PlanLinks) {
    for (kind, type, link) in pending {
      switch links.target(of: link, isOwner: { kind.owners.contains($0) }) {
      case .named(let name): told.insert("\(type) \(name)")
      case .one(let address): told.insert(address)
      case .anyOf(let address, _): perhaps.insert(address)
      case .elsewhere: break
      case .notTold: ofAny.formUnion(kind.owners)
      }
    }
    pending = []
  }

  /// What a resource will be, without what was found of it and is another's to say.
  func settled(_ resource: PlannedResource) -> PlannedResource {
    guard let (type, kind) = Self.owned[resource.type], let setting = resource.setting else {
      return resource
    }
    let members = kind.members.filter { setting.expression($0) == nil && resource.after[$0]?.isNull == false }
    guard !members.isEmpty else { return resource }
    let names = ["id", "arn", "bucket", "url"].compactMap { resource.after[$0]?.string }
      .map { "\(type) \($0)" }
    let isTold = told.contains(resource.address) || names.contains(where: told.contains)
    var all = MemberList(resource.after.members)
    for member in members {
      guard let value = all[member] else { continue }
      if kind.keys.isEmpty {
        if isTold {
          all[member] = nil
        } else if isPerhaps(resource), value.string?.isEmpty != true {
          let unknown = Unknown(
            "\(type) may put another in its place, and of which resource it is isn't known")
          all[member] = Value(.unknown(unknown), at: value.place)
        }
      } else if value.isPerhapsBlock {
        // Beside resources of their own there can be none within it.
        if isTold { all[member] = nil }
      } else if let list = value.list {
        let isSecond = member == kind.second
        let gone = names.compactMap { self.gone[$0] }
        guard !gone.isEmpty else { continue }
        let left = list.filter { entry in
          !kind.keys.contains { key in
            guard let sign = Self.sign(key.own, entry[key.within], isSecond) else { return false }
            return gone.contains { $0.contains(sign) }
          }
        }
        guard left.count < list.count else { continue }
        all[member] = left.isEmpty ? nil : Value(.list(left), at: value.place, isSecret: value.isSecret)
      }
    }
    return resource.with(
      after: Value(.map(Members(all.all)), at: resource.after.place, isSecret: resource.after.isSecret))
  }

  private func isPerhaps(_ resource: PlannedResource) -> Bool {
    if ofAny.contains(resource.type) { return true }
    guard !perhaps.isEmpty, resource.address.last == "]" else { return false }
    return perhaps.contains(String(resource.address.dropLast(TerraformAddress(resource.address).key.count)))
  }

  /// What tells an entry from others of its owner; nil = it doesn't say it.
  private static func sign(_ key: String, _ value: Value?, _ isSecond: Bool) -> String? {
    guard let text = value?.plainText, !text.isEmpty else { return nil }
    return "\(key) \(isSecond) \(text)"
  }
}

extension Value {
  fileprivate var isTrue: Bool {
    if case .bool(true) = content { return true }
    return false
  }

  /// Whether it is a block that nobody sets, or a dynamic one.
  var isPerhapsBlock: Bool {
    if case .unknown(let unknown) = content { return unknown === PlanReferences.perhapsBlock }
    return false
  }
}
