// Security groups of Terraform: a rule there has many ranges, in CloudFormation each range is a rule.

import GuardRules

enum SecurityGroupShape {
  static let types: [String: String] = [
    "aws_security_group": "AWS::EC2::SecurityGroup",
    "aws_default_security_group": "AWS::EC2::SecurityGroup",
    "aws_security_group_rule": "AWS::EC2::SecurityGroupIngress",
    "aws_vpc_security_group_ingress_rule": "AWS::EC2::SecurityGroupIngress",
    "aws_vpc_security_group_egress_rule": "AWS::EC2::SecurityGroupEgress",
  ]

  /// The type and properties of each resource that a Terraform resource stands for.
  static func resources(_ type: String, _ value: Value) -> [(type: String, properties: Value)] {
    func map(_ members: [(String, Value)], rest: Members.Rest? = nil) -> Value {
      Value(.map(Members(members.map { (name: $0.0, value: $0.1) }, rest: rest)), at: value.place)
    }
    func isUnknown(_ value: Value) -> Bool {
      if case .unknown = value.content { return true }
      return false
    }
    if isUnknown(value) { return [] }
    switch type {
    case "aws_security_group", "aws_default_security_group":
      var members: [(String, Value)] = []
      for (from, to) in [("name", "GroupName"), ("description", "GroupDescription"), ("vpc_id", "VpcId")] {
        if let found = value[from], !found.isNull { members.append((to, found)) }
      }
      if type == "aws_default_security_group" {
        members.removeAll { $0.0 == "GroupName" }
        members.append(("GroupName", Value(.string("default"), at: value.place)))
      }
      for (from, to) in [("ingress", "SecurityGroupIngress"), ("egress", "SecurityGroupEgress")] {
        guard let rules = value[from], !rules.isNull else {
          // Without a word of it CloudFormation lets everything out, Terraform nothing.
          if from == "egress" { members.append((to, Value(.list([]), at: value.place))) }
          continue
        }
        guard let list = rules.list else {
          if case .unknown = rules.content { members.append((to, rules)) }
          continue
        }
        let flat = list.flatMap { rule in
          isUnknown(rule) ? [rule] : ranges(rule, isIngress: from == "ingress").map { map($0) }
        }
        if !flat.isEmpty || from == "egress" { members.append((to, Value(.list(flat), at: rules.place))) }
      }
      if let tags = value["tags"], let shaped = Shaping.tags(tags) { members.append(("Tags", shaped)) }
      let absent = Set([
        "GroupName", "GroupDescription", "VpcId", "SecurityGroupIngress", "SecurityGroupEgress", "Tags",
      ])
      return [("AWS::EC2::SecurityGroup", map(members, rest: Shaping.rest(absent)))]
    case "aws_security_group_rule":
      // Without knowing which way it goes it is neither.
      guard let way = value["type"]?.string else { return [] }
      let isIngress = way != "egress"
      return ranges(value, isIngress: isIngress).map { members in
        let group = value["security_group_id"].map { [("GroupId", $0)] } ?? []
        return (
          isIngress ? "AWS::EC2::SecurityGroupIngress" : "AWS::EC2::SecurityGroupEgress", map(group + members)
        )
      }
    case "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule":
      let isIngress = type.hasSuffix("ingress_rule")
      var members: [(String, Value)] = []
      for (from, to) in [
        ("security_group_id", "GroupId"), ("description", "Description"), ("ip_protocol", "IpProtocol"),
        ("from_port", "FromPort"), ("to_port", "ToPort"), ("cidr_ipv4", "CidrIp"), ("cidr_ipv6", "CidrIpv6"),
        ("prefix_list_id", isIngress ? "SourcePrefixListId" : "DestinationPrefixListId"),
        ("referenced_security_group_id", isIngress ? "SourceSecurityGroupId" : "DestinationSecurityGroupId"),
      ] { if let found = value[from], !found.isNull { members.append((to, found)) } }
      return [(types[type] ?? type, map(members))]
    default: return []
    }
  }

  private static func ranges(_ rule: Value, isIngress: Bool) -> [[(String, Value)]] {
    var common: [(String, Value)] = []
    for (from, to) in [
      ("description", "Description"), ("protocol", "IpProtocol"), ("from_port", "FromPort"),
      ("to_port", "ToPort"),
    ] { if let found = rule[from], !found.isNull { common.append((to, found)) } }
    var out: [[(String, Value)]] = []
    for (from, to) in [
      ("cidr_blocks", "CidrIp"), ("ipv6_cidr_blocks", "CidrIpv6"),
      ("security_groups", isIngress ? "SourceSecurityGroupId" : "DestinationSecurityGroupId"),
      ("prefix_list_ids", isIngress ? "SourcePrefixListId" : "DestinationPrefixListId"),
      ("source_security_group_id", isIngress ? "SourceSecurityGroupId" : "DestinationSecurityGroupId"),
    ] {
      guard let found = rule[from], !found.isNull else { continue }
      for each in found.list ?? [found] { out.append(common + [(to, each)]) }
    }
    // Of itself, or of nothing that is known.
    return out.isEmpty ? [common] : out
  }
}
