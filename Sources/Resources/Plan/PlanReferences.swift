// What a plan's configuration says of values that are known only later: which resource they come from, and whether
// anybody sets them at all. So that rules that follow a reference (`SubnetId.Ref`) serve templates and plans alike.
// Of a configuration only what some types need is kept, so that a large one isn't in memory.
// Source: Terraform, "JSON Output Format", section "Configuration Representation".

import GuardRules

struct PlanReferences {
  /// Types and their arguments that rules follow.
  static let wanted: [String: Set<String>] = [
    "aws_autoscaling_group": ["launch_template", "launch_configuration", "vpc_zone_identifier"],
    "aws_db_instance": ["publicly_accessible"],
    "aws_default_route_table": ["route"],
    "aws_default_security_group": ["ingress", "egress"],
    "aws_eip": ["instance", "network_interface"],
    "aws_eip_association": ["allocation_id", "instance_id", "network_interface_id"],
    "aws_iam_group_membership": ["group"],
    "aws_iam_group_policy_attachment": ["policy_arn", "group"],
    "aws_iam_policy_attachment": ["policy_arn"],
    "aws_iam_role": ["managed_policy_arns", "inline_policy"],
    "aws_iam_role_policy_attachment": ["policy_arn", "role"],
    "aws_iam_user_policy_attachment": ["policy_arn", "user"],
    "aws_instance": ["subnet_id", "associate_public_ip_address"],
    "aws_kms_key": ["policy"],
    "aws_lambda_permission": ["source_account", "source_arn"],
    "aws_lb": ["internal", "subnet_mapping", "subnets"],
    "aws_lb_listener": ["load_balancer_arn", "default_action"],
    "aws_lb_listener_rule": ["listener_arn"],
    "aws_nat_gateway": ["allocation_id", "subnet_id"],
    "aws_network_acl": ["ingress", "egress"],
    "aws_route": ["route_table_id", "gateway_id", "nat_gateway_id"],
    "aws_route_table": ["route"],
    "aws_route_table_association": ["subnet_id", "route_table_id"],
    "aws_s3_bucket": [
      "acl", "grant", "logging", "policy", "server_side_encryption_configuration", "versioning", "website",
    ],
    "aws_s3_bucket_acl": ["acl", "access_control_policy"],
    "aws_secretsmanager_secret": ["policy"],
    "aws_security_group": ["ingress", "egress"],
    "aws_security_group_rule": ["security_group_id"],
    "aws_sns_topic": ["policy"],
    "aws_sqs_queue": ["policy"],
    "aws_subnet": ["availability_zone"],
    "aws_vpc_security_group_egress_rule": ["security_group_id"],
    "aws_vpc_security_group_ingress_rule": ["security_group_id"],
  ]
  /// Types of which nothing is guessed: what else an argument is made of may be what it will be.
  static let certain: Set<String> = parts.keys.reduce(
    into: [
      "aws_iam_group_membership", "aws_iam_group_policy_attachment", "aws_iam_policy_attachment",
      "aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment",
    ]
  ) { $0.insert($1) }
  /// Arguments that the provider answers where nobody sets them: then nothing is set, and AWS's default holds. (Of types
  /// that are parts of others all that can be set in another way.)
  static let answered: [String: Set<String>] = [
    "aws_eip": ["instance", "network_interface"],
    "aws_iam_role": ["managed_policy_arns"],
    "aws_instance": ["associate_public_ip_address"],
    "aws_kms_key": ["policy"],
    "aws_lb": ["internal"],
    "aws_s3_bucket": ["acl", "policy"],
    "aws_secretsmanager_secret": ["policy"],
    "aws_sns_topic": ["policy"],
    "aws_sqs_queue": ["policy"],
  ]
  /// Blocks that the provider answers where nobody sets them, and which a dynamic block may set as well: a configuration
  /// doesn't have those, so nothing tells one from the other.
  static let blocks: [String: Set<String>] = [
    "aws_default_route_table": ["route"],
    "aws_default_security_group": ["ingress", "egress"],
    "aws_iam_role": ["inline_policy"],
    "aws_lb": ["subnet_mapping"],
    "aws_network_acl": ["ingress", "egress"],
    "aws_route_table": ["route"],
    "aws_s3_bucket": ["grant", "logging", "server_side_encryption_configuration", "versioning", "website"],
    "aws_s3_bucket_acl": ["access_control_policy"],
    "aws_security_group": ["ingress", "egress"],
  ]
  /// Arguments beside which a block can't be: where one is set, nobody sets the block.
  static let instead: [String: [String: String]] = [
    "aws_lb": ["subnet_mapping": "subnets"],
    "aws_s3_bucket": ["grant": "acl"],
    "aws_s3_bucket_acl": ["access_control_policy": "acl"],
  ]
  /// Arguments that are the name of one resource. Of any other (a policy, a list) a reference to one resource doesn't tell
  /// that it is nothing but that name.
  static let names: Set<String> = [
    "allocation_id", "bucket", "gateway_id", "group", "instance", "instance_id", "launch_configuration",
    "listener_arn", "load_balancer_arn", "nat_gateway_id", "network_interface", "network_interface_id",
    "policy_arn", "role", "route_table_id", "security_group_id", "subnet_id", "user",
  ]

  /// What a block is that nobody sets, or a dynamic block.
  static let perhapsBlock = Unknown(
    "known after the plan is applied: nobody sets it, or a dynamic block does", mayBeEmpty: true)

  /// Of types that are parts of others the member that names these.
  private static let parts: [String: String] =
    (try? TerraformPlan.table.get().types.compactMapValues(\.partOf)) ?? [:]
  private static let followed: [String: Set<String>] = {
    var all = wanted
    for (type, by) in parts { all[type, default: []].insert(by) }
    for (type, kind) in PlanSeparates.kinds { all[type, default: []].insert(kind.by) }
    return all
  }()

  /// What is set, by address without keys.
  private var expressions: [String: Value] = [:]
  /// Resources that are made for each of a set, by address without keys.
  private var keyed: Set<String> = []
  /// What those of them that are followed are made for, by address without keys.
  private var sets: [String: Value] = [:]
  /// The root's variables that are maps.
  private var maps: Set<String> = []

  /// Reads the configuration of a plan.
  /// - Parameter bytes: the plan; in place during the call.
  init(_ bytes: UnsafeRawBufferPointer, _ limits: ReadingLimits = ReadingLimits()) throws(DocumentFault) {
    var reader = JSONReader(bytes, mostBytes: limits.mostBytes, passed: limits.passed)
    guard reader.first() == UInt8(ascii: "{") else { return }
    var found = Found(mostBytes: limits.mostBytes)
    try reader.object { (name, reader) throws(DocumentFault) in
      switch name {
      case "variables" where reader.first() == UInt8(ascii: "{"):
        try reader.object { (variable, reader) throws(DocumentFault) in
          guard reader.first() == UInt8(ascii: "{") else { return try reader.skip() }
          try reader.object { (name, reader) throws(DocumentFault) in
            if name == "value", reader.first() == UInt8(ascii: "{") {
              found.maps.insert("var.\(variable)")
              try found.keep(100 + variable.utf8.count, reader.place)
            }
            try reader.skip()
          }
        }
      case "configuration" where reader.first() == UInt8(ascii: "{"):
        try reader.object { (name, reader) throws(DocumentFault) in
          guard name == "root_module" else { return try reader.skip() }
          try Self.module(&reader, "", &found)
        }
      default: try reader.skip()
      }
    }
    expressions = found.expressions
    (keyed, sets, maps) = (found.keyed, found.sets, found.maps)
  }

  private struct Found {
    let mostBytes: Int
    var bytes = 0
    var expressions: [String: Value] = [:]
    var keyed: Set<String> = []
    var sets: [String: Value] = [:]
    var maps: Set<String> = []

    init(mostBytes: Int) { self.mostBytes = mostBytes }

    mutating func keep(_ count: Int, _ place: TextPlace) throws(DocumentFault) {
      bytes += count
      guard bytes <= mostBytes else {
        throw DocumentFault(
          place: place, found: "a configuration with more references than \(mostBytes >> 20) MiB hold",
          wanted: "a smaller plan, or more memory (--memory)")
      }
    }
  }

  private static func module(
    _ reader: inout JSONReader, _ prefix: String, _ found: inout Found
  ) throws(DocumentFault) {
    guard reader.first() == UInt8(ascii: "{") else { return try reader.skip() }
    try reader.object { (name, reader) throws(DocumentFault) in
      switch name {
      case "resources" where reader.first() == UInt8(ascii: "["):
        try reader.array { (reader) throws(DocumentFault) in
          reader.spentBytes = 0
          try take(try reader.value(), prefix, &found)
        }
      case "module_calls" where reader.first() == UInt8(ascii: "{"):
        try reader.object { (call, reader) throws(DocumentFault) in
          guard reader.first() == UInt8(ascii: "{") else { return try reader.skip() }
          try reader.object { (name, reader) throws(DocumentFault) in
            guard name == "module" else { return try reader.skip() }
            try module(&reader, prefix + "module.\(call).", &found)
          }
        }
      default: try reader.skip()
      }
    }
  }

  private static func take(
    _ resource: Value, _ prefix: String, _ found: inout Found
  ) throws(DocumentFault) {
    guard let address = resource["address"]?.string, let type = resource["type"]?.string else { return }
    if resource["for_each_expression"] != nil || resource["count_expression"] != nil {
      found.keyed.insert(prefix + address)
      try found.keep(100 + prefix.utf8.count + address.utf8.count, resource.place)
    }
    guard let wanted = followed[type] else { return }
    if let set = resource["for_each_expression"] {
      found.sets[prefix + address] = set
      try found.keep(set.estimatedBytes + 100 + prefix.utf8.count + address.utf8.count, resource.place)
    }
    // Where nothing is set Terraform leaves them out.
    let all = resource["expressions"] ?? Value(.map(Members([])))
    let kept = Value(
      .map(Members(all.members.filter { wanted.contains($0.name) }.map { ($0.name, $0.value) })))
    try found.keep(kept.estimatedBytes + 100 + prefix.utf8.count + address.utf8.count, resource.place)
    found.expressions[prefix + address] = kept
  }

  /// What is set of a resource.
  /// - Returns: nil where the configuration doesn't tell.
  func resource(_ address: String, type: String) -> Setting? {
    guard Self.followed[type] != nil else { return nil }
    let own = TerraformAddress(address)
    guard let expressions = expressions[own.plain] else { return nil }
    return Setting(
      expressions: expressions, type: type, own: own, keyed: keyed, set: sets[own.plain])
  }

  /// Whether two resources are made for each of the same set, of which each is its own key.
  /// - Parameters: addresses without keys.
  func areOfOneSet(_ first: String, _ second: String) -> Bool {
    guard let one = sets[first], let other = sets[second], one["constant_value"] == nil,
      other["constant_value"] == nil
    else { return false }
    let (names, others) = (one.references, other.references)
    return names == others && (first.hasPrefix("module.") || maps.isDisjoint(with: names))
  }

  /// What the configuration says of one resource.
  struct Setting: Sendable {
    fileprivate let expressions: Value
    fileprivate let type: String
    fileprivate let own: TerraformAddress
    fileprivate let keyed: Set<String>
    /// What it is made for each of.
    fileprivate let set: Value?

    /// Whether nobody sets an argument that the provider answers.
    /// - Parameter known: what is known of the resource.
    func isUnset(_ name: String, beside known: Value?) -> Bool {
      guard expressions[name] == nil else { return false }
      if answered.contains(name) { return true }
      guard let other = PlanReferences.instead[type]?[name], expressions[other] != nil else { return false }
      // One that is null isn't set; one that isn't known has no value here.
      return known?[other].map { !$0.isNull && $0.list?.isEmpty != true } ?? true
    }

    /// Whether it can't be told from what nobody sets.
    func mayBeBlock(_ name: String) -> Bool {
      PlanReferences.blocks[type]?.contains(name) == true && expressions[name] == nil
    }

    /// Arguments that were found before, and which the plan replaces by another one that can't stand beside them.
    func replaced(_ before: Value?, _ after: Value?) -> [String] {
      guard let others = PlanReferences.instead[type], let before, !before.isNull else { return [] }
      return others.compactMap { name, other in
        guard expressions[name] == nil, expressions[other] != nil else { return nil }
        let (old, new) = (before[other] ?? Value(.null), after?[other])
        return new.map { !$0.isNull && !Shaping.same(old, $0) } ?? true ? name : nil
      }
    }

    private var answered: Set<String> { PlanReferences.answered[type] ?? [] }

    /// The expression of an argument.
    func expression(_ name: String) -> Value? { expressions[name] }

    /// Whether a template's `Ref` is the ARN.
    private static func named(byARN target: String) -> Bool {
      ["aws_lb_listener.", "aws_alb_listener."].contains(where: target.hasPrefix)
    }

    /// Whether an argument is the name of a resource.
    func isName(_ expression: Value?, of argument: String) -> Bool {
      guard PlanReferences.names.contains(argument) else { return false }
      let references = expression?.references ?? []
      return !references.isEmpty && references.allSatisfy { $0.hasPrefix("aws_") }
        && written(expression, at: .none)?["Ref"] != nil
    }

    /// Where a value comes from.
    enum Source {
      /// From one resource, by its address.
      case one(String, attribute: String?)
      /// From one that is made for each of a set, by its address without the key, which isn't told.
      /// - byValue: which one is told by what it is made for (`each.value`), and by nothing else.
      case anyOf(String, byValue: Bool)
      /// From one of several, from none, or from one that the references don't tell.
      case notTold
    }

    /// Which resource an argument names, of which nothing is guessed. Whether there is such a one is for the caller to see.
    func owner(_ argument: String) -> Source {
      let expression = expression(argument)
      return chained(expression?.references ?? []) ?? source(of: expression, isCertain: true)
    }

    /// Where an argument's value comes from.
    func source(of expression: Value?) -> Source {
      source(of: expression, isCertain: PlanReferences.certain.contains(type))
    }

    private func source(of expression: Value?, isCertain: Bool) -> Source {
      // The longest writing comes first: `aws_eip.a[0].id`, `aws_eip.a[0]`, `aws_eip.a`.
      var targets: [String: (keys: Set<String>, attribute: String?)] = [:]
      var (namesKey, byValue) = (false, false)
      for text in expression?.references ?? [] {
        guard text.hasPrefix("aws_") else {
          if ["each.key", "count.index"].contains(text) {
            namesKey = true
          } else if isCertain {
            guard text == "each.value" else { return .notTold }
            byValue = true
          }
          continue
        }
        let parts = TerraformAddress(text).parts
        guard parts.count >= 2 else { continue }
        let attribute = parts.count > 2 ? parts[2].name : nil
        targets["\(parts[0].name).\(parts[1].name)", default: ([], attribute)].keys.insert(parts[1].key)
      }
      guard targets.count == 1, let (target, found) = targets.first else { return .notTold }
      guard keyed.contains(plain(target)) else {
        return byValue ? .notTold : .one(own.module + target, attribute: found.attribute)
      }
      let keys = found.keys.filter { $0.hasPrefix("[\"") || $0.dropFirst().first?.isNumber == true }
      if byValue {
        return keys.isEmpty && !namesKey ? .anyOf(own.module + target, byValue: true) : .notTold
      }
      // With a key of another set (`each.value`) the own one is the best guess.
      guard keys.count < 2, !isCertain || keys.count == 1 || namesKey else {
        return .anyOf(own.module + target, byValue: false)
      }
      return .one(own.module + target + (keys.first ?? own.key), attribute: found.attribute)
    }

    /// Of what is made for each of the resources of one name (`for_each = aws_s3_bucket.b`, `each.value.id`) the one that
    /// it is made for.
    private func chained(_ references: [String]) -> Source? {
      guard let set, let first = references.first,
        references.allSatisfy({ $0 == "each.value" || $0.hasPrefix("each.value.") })
      else { return nil }
      let targets = Set(
        set.references.map { text in
          let parts = TerraformAddress(text).parts
          // Of some of them, or of what they are made of, the keys are others.
          return parts.count == 2 && text.hasPrefix("aws_") && parts[1].key.isEmpty ? text : ""
        })
      guard targets.count == 1, let target = targets.first, !target.isEmpty, keyed.contains(plain(target))
      else { return nil }
      return .one(
        own.module + target + own.key,
        attribute: first.split(separator: ".").dropFirst(2).first.map(String.init))
    }

    /// An address of this module, as the configuration names it.
    private func plain(_ target: String) -> String {
      own.plain.split(separator: ".").dropLast(2).map { $0 + "." }.joined() + target
    }

    /// As a template would write it: `Ref` for a resource's id or name, `Fn::GetAtt` for another attribute.
    /// - Returns: nil where it comes from several resources, or from none.
    func written(_ expression: Value?, at place: TextPlace) -> Value? {
      guard case .one(let target, let attribute) = source(of: expression) else { return nil }
      let address = Value(.string(target), at: place)
      switch attribute {
      case nil, "id", "name",
        "arn" where Self.named(byARN: String(target.dropFirst(own.module.count))):
        return Value(.map(Members([("Ref", address)])), at: place)
      case let attribute?:
        return Value(
          .map(
            Members([
              ("Fn::GetAtt", Value(.list([address, Value(.string(attribute), at: place)]), at: place))
            ])), at: place)
      }
    }
  }
}

extension Value {
  /// What an expression refers to.
  fileprivate var references: [String] { self["references"]?.list?.compactMap(\.string) ?? [] }
}
