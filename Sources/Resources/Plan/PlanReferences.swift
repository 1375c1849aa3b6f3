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
    "aws_lambda_permission": ["source_account", "source_arn"],
    "aws_lb": ["internal", "subnet_mapping", "subnets"],
    "aws_lb_listener": ["load_balancer_arn", "default_action"],
    "aws_lb_listener_rule": ["listener_arn"],
    "aws_nat_gateway": ["allocation_id", "subnet_id"],
    "aws_route": ["route_table_id", "gateway_id", "nat_gateway_id"],
    "aws_route_table": ["route"],
    "aws_route_table_association": ["subnet_id", "route_table_id"],
    "aws_s3_bucket": [
      "acl", "grant", "logging", "policy", "server_side_encryption_configuration", "versioning", "website",
    ],
    "aws_s3_bucket_acl": ["acl", "access_control_policy"],
    "aws_s3_bucket_policy": ["bucket"],
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
    "aws_lb": ["internal"],
    "aws_s3_bucket": ["acl", "policy"],
    "aws_secretsmanager_secret": ["policy"],
    "aws_sns_topic": ["policy"],
    "aws_sqs_queue": ["policy"],
  ]
  /// Blocks that the provider answers where nobody sets them, and which a dynamic block may set as well: a configuration
  /// doesn't have those, so nothing tells one from the other.
  static let blocks: [String: Set<String>] = [
    "aws_default_security_group": ["ingress", "egress"],
    "aws_iam_role": ["inline_policy"],
    "aws_lb": ["subnet_mapping"],
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
  /// Policies that are resources of their own in CloudFormation. One that nobody sets is what the provider found, which
  /// another resource of the plan may be about to change.
  static let policies = "policy"

  /// What a block is that nobody sets, or a dynamic block.
  static let perhapsBlock = Unknown(
    "known after the plan is applied: nobody sets it, or a dynamic block does", mayBeEmpty: true)

  /// Of types that are parts of others the member that names these.
  private static let parts: [String: String] =
    (try? TerraformPlan.table.get().types.compactMapValues(\.partOf)) ?? [:]
  private static let followed: [String: Set<String>] = parts.reduce(into: wanted) { all, part in
    all[part.key, default: []].insert(part.value)
  }

  /// What is set, by address without keys.
  private var expressions: [String: Value] = [:]
  /// Resources that are made for each of a set, by address without keys.
  private var keyed: Set<String> = []

  /// Reads the configuration of a plan.
  /// - Parameter bytes: the plan; in place during the call.
  init(_ bytes: UnsafeRawBufferPointer, _ limits: ReadingLimits = ReadingLimits()) throws(DocumentFault) {
    var reader = JSONReader(bytes, mostBytes: limits.mostBytes, passed: limits.passed)
    guard reader.first() == UInt8(ascii: "{") else { return }
    var found = Found(mostBytes: limits.mostBytes)
    try reader.object { (name, reader) throws(DocumentFault) in
      guard name == "configuration", reader.first() == UInt8(ascii: "{") else { return try reader.skip() }
      try reader.object { (name, reader) throws(DocumentFault) in
        guard name == "root_module" else { return try reader.skip() }
        try Self.module(&reader, "", &found)
      }
    }
    expressions = found.expressions
    keyed = found.keyed
  }

  private struct Found {
    let mostBytes: Int
    var bytes = 0
    var expressions: [String: Value] = [:]
    var keyed: Set<String> = []

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
    return Setting(expressions: expressions, type: type, own: own, keyed: keyed)
  }

  /// What the configuration says of one resource.
  struct Setting: Sendable {
    fileprivate let expressions: Value
    fileprivate let type: String
    fileprivate let own: TerraformAddress
    fileprivate let keyed: Set<String>

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

    /// Arguments whose values aren't the plan's own.
    var foreign: [String] {
      let name = PlanReferences.policies
      return answered.contains(name) && expressions[name] == nil ? [name] : []
    }

    private var answered: Set<String> { PlanReferences.answered[type] ?? [] }

    /// The expression of an argument.
    func expression(_ name: String) -> Value? { expressions[name] }

    /// Whether a template's `Ref` is the ARN.
    private static func named(byARN target: String) -> Bool {
      ["aws_lb_listener.", "aws_alb_listener."].contains(where: target.hasPrefix)
    }

    /// Whether an expression names nothing but a resource.
    func isName(_ expression: Value?) -> Bool {
      let references = expression?["references"]?.list?.compactMap(\.string) ?? []
      return !references.isEmpty && references.allSatisfy { $0.hasPrefix("aws_") }
        && written(expression, at: .none)?["Ref"] != nil
    }

    /// Where a value comes from.
    enum Source {
      /// From one resource, by its address.
      case one(String, attribute: String?)
      /// From one that is made for each of a set, by its address without the key, which isn't told.
      case anyOf(String)
      /// From one of several, from none, or from one that the references don't tell.
      case notTold
    }

    /// Where an argument's value comes from.
    func source(of expression: Value?) -> Source {
      // The longest writing comes first: `aws_eip.a[0].id`, `aws_eip.a[0]`, `aws_eip.a`.
      var targets: [String: (keys: Set<String>, attribute: String?)] = [:]
      let isCertain = PlanReferences.certain.contains(type)
      var namesKey = false
      for reference in expression?["references"]?.list ?? [] {
        guard let text = reference.string else { continue }
        guard text.hasPrefix("aws_") else {
          if ["each.key", "count.index"].contains(text) {
            namesKey = true
          } else if isCertain {
            return .notTold
          }
          continue
        }
        let parts = TerraformAddress(text).parts
        guard parts.count >= 2 else { continue }
        let target = "\(parts[0].name).\(parts[1].name)"
        let attribute = parts.count > 2 ? parts[2].name : nil
        targets[target, default: ([], attribute)].keys.insert(parts[1].key)
      }
      guard targets.count == 1, let (target, found) = targets.first else { return .notTold }
      let plain = (own.plain.split(separator: ".").dropLast(2).map { $0 + "." }.joined()) + target
      guard keyed.contains(plain) else { return .one(own.module + target, attribute: found.attribute) }
      let keys = found.keys.filter { $0.hasPrefix("[\"") || $0.dropFirst().first?.isNumber == true }
      // With a key of another set (`each.value`) the own one is the best guess.
      guard keys.count < 2, !isCertain || keys.count == 1 || namesKey else {
        return .anyOf(own.module + target)
      }
      return .one(own.module + target + (keys.first ?? own.key), attribute: found.attribute)
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
