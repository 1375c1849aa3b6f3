// What a plan's configuration tells of values that are known only later, and of arguments that nobody sets.

import Foundation
import GuardRules
import Testing

@testable import Resources

@Suite struct PlanReferenceTests {
  static func configured(
    _ address: String, _ expressions: [String: [String]], more: String = ""
  ) -> String {
    let type = address.split(separator: ".")[0]
    let all = expressions.map { name, references in
      "\"\(name)\": {\"references\": [\(references.map { "\"\($0)\"" }.joined(separator: ", "))]}"
    }
    return
      "{\"address\": \"\(address)\", \"type\": \"\(type)\", \"expressions\": {\(all.joined(separator: ", "))}\(more)}"
  }

  static func plan(_ changes: [String], _ resources: [String]) -> String {
    PlanTests.text(changes, configuration: "{\"resources\": [\(resources.joined(separator: ", "))]}")
  }

  @Test func whoIsGivenAPolicyIsNotGuessed() throws {
    func role(_ references: [String]) throws -> RuleStatus {
      let all = try shaped(
        Self.plan(
          [PlanTests.change("aws_iam_role_policy_attachment.a", "{}", unknown: "{\"role\": true}")],
          [Self.configured("aws_iam_role_policy_attachment.a", ["role": references])]))
      return try status(
        "Resources.*[ Type == 'AWS::IAM::PolicyAttachment' ].Properties.Roles.Ref == 'aws_iam_role.r'",
        all.document)
    }
    let own = ["aws_iam_role.r.name", "aws_iam_role.r"]
    #expect(try role(own) == .pass)
    #expect(try role(own + ["each.key"]) == .pass)
    for other in [
      "module.m.role", "local.x", "var.x", "each.value", "data.aws_iam_role.x.name", "aws_iam_role.s",
    ] {
      #expect(try role(own + [other]) == .unknown, "\(other)")
    }
  }

  @Test func aReferenceIsWrittenAsATemplateWould() throws {
    let all = try shaped(
      Self.plan(
        [
          PlanTests.change("aws_subnet.s", "{}", unknown: "{\"id\": true}"),
          PlanTests.change("aws_eip.e", "{}", unknown: "{\"id\": true, \"instance\": true}"),
          PlanTests.change("aws_instance.i", "{}", unknown: "{\"subnet_id\": true}"),
          PlanTests.change(
            "aws_nat_gateway.n", "{}", unknown: "{\"allocation_id\": true, \"subnet_id\": true}"),
        ],
        [
          Self.configured("aws_eip.e", [:]),
          Self.configured("aws_instance.i", ["subnet_id": ["aws_subnet.s.id", "aws_subnet.s"]]),
          Self.configured(
            "aws_nat_gateway.n",
            [
              "allocation_id": ["aws_eip.e.allocation_id", "aws_eip.e"],
              "subnet_id": ["aws_subnet.s.id", "aws_subnet.s", "aws_subnet.t.id", "aws_subnet.t"],
            ]),
        ]
      ))
    let document = all.document
    #expect(
      try status(
        "Resources.*[ Type == 'AWS::EC2::Instance' ].Properties.SubnetId.Ref == 'aws_subnet.s'", document)
        == .pass)
    #expect(
      try status(
        "Resources.*[ Type == 'AWS::EC2::NatGateway' ].Properties.AllocationId.'Fn::GetAtt'[0] == 'aws_eip.e'",
        document) == .pass)
    // Of several it isn't told which.
    #expect(
      try status("Resources.*[ Type == 'AWS::EC2::NatGateway' ].Properties.SubnetId.Ref exists", document)
        == .unknown)
    // Nobody sets it; what it will be without that is nothing.
    #expect(
      try status("Resources.*[ Type == 'AWS::EC2::EIP' ].Properties.InstanceId !exists", document) == .pass)
    // The value itself stays unknown.
    #expect(
      try status("Resources.*[ Type == 'AWS::EC2::Instance' ].Properties.SubnetId == 'subnet-1'", document)
        == .unknown)
  }

  /// A text in which one resource is named is more than its name.
  @Test(arguments: [("id", "aws_s3_bucket.b"), ("name", "aws_iam_user.u"), ("arn", "aws_s3_bucket.b")])
  func aPolicyThatNamesAResourceHasStatements(_ attribute: String, _ target: String) throws {
    let references = ["policy": ["\(target).\(attribute)", target]]
    let queue = try shaped(
      Self.plan(
        [PlanTests.change("aws_sqs_queue.q", "{}", unknown: "{\"policy\": true}")],
        [Self.configured("aws_sqs_queue.q", references)]))
    #expect(
      try status(
        "Resources.*[ Type == 'AWS::SQS::QueuePolicy' ].Properties.PolicyDocument.Statement !exists",
        queue.document) == .unknown)
    let quoted = "{\"references\": [\"\(target).\(attribute)\", \"\(target)\"]}"
    let role = try shaped(
      Self.plan(
        [
          PlanTests.change(
            "aws_iam_role.r", "{\"inline_policy\": [{\"name\": \"x\"}]}",
            unknown: "{\"inline_policy\": [{\"policy\": true}]}")
        ],
        [
          "{\"address\": \"aws_iam_role.r\", \"type\": \"aws_iam_role\", \"expressions\": {\"inline_policy\": [{\"policy\": \(quoted)}]}}"
        ]))
    #expect(
      try status("Resources.*.Properties.Policies[*].PolicyDocument.Statement !exists", role.document)
        == .unknown)
  }

  /// An argument that is a name is nothing else.
  @Test func aNameHasNothingWithin() throws {
    let all = try shaped(
      Self.plan(
        [
          PlanTests.change(
            "aws_vpc_security_group_ingress_rule.r", "{}", unknown: "{\"security_group_id\": true}")
        ],
        [
          Self.configured(
            "aws_vpc_security_group_ingress_rule.r",
            ["security_group_id": ["aws_security_group.g.id", "aws_security_group.g"]])
        ]))
    #expect(try status("Resources.*.Properties.GroupId.'Fn::GetAtt' !exists", all.document) == .pass)
    #expect(try status("Resources.*.Properties.GroupId.Ref == 'aws_security_group.g'", all.document) == .pass)
  }

  @Test func withoutAConfigurationNothingIsConcluded() throws {
    let all = try shaped(
      PlanTests.text([PlanTests.change("aws_eip.e", "{}", unknown: "{\"instance\": true}")]))
    #expect(
      try status("Resources.*[ Type == 'AWS::EC2::EIP' ].Properties.InstanceId !exists", all.document)
        == .unknown)
  }

  @Test(arguments: [
    ("aws_subnet.s[0].id", ", \"count_expression\": {}", "aws_instance.i[3]", "aws_subnet.s[0]"),
    ("aws_subnet.s", ", \"for_each_expression\": {}", "aws_instance.i[\"a.b\"]", "aws_subnet.s[\"a.b\"]"),
    ("aws_subnet.s.id", "", "aws_instance.i[3]", "aws_subnet.s"),
  ])
  func keysAreThoseOfTheReferenceOrOnesOwn(
    _ reference: String, _ more: String, _ instance: String, _ target: String
  ) throws {
    let all = try shaped(
      Self.plan(
        [PlanTests.change(instance, "{}", unknown: "{\"subnet_id\": true}")],
        [
          Self.configured("aws_subnet.s", [:], more: more),
          Self.configured("aws_instance.i", ["subnet_id": [reference, "each.key"]]),
        ]))
    let quoted = target.replacingOccurrences(of: "\"", with: "\\\"")
    #expect(try status("Resources.*.Properties.SubnetId.Ref == \"\(quoted)\"", all.document) == .pass)
  }

  @Test func modulesKnowTheirOwn() throws {
    let inner =
      "{\"resources\": [\(Self.configured("aws_instance.i", ["subnet_id": ["aws_subnet.s.id"]]))]}"
    let text = PlanTests.text(
      [PlanTests.change("module.m[\"x\"].aws_instance.i", "{}", unknown: "{\"subnet_id\": true}")],
      configuration: "{\"module_calls\": {\"m\": {\"module\": \(inner)}}}")
    #expect(
      try status(
        "Resources.*.Properties.SubnetId.Ref == 'module.m[\"x\"].aws_subnet.s'", try shaped(text).document)
        == .pass)
  }

  @Test func referencesWithinBlocks() throws {
    let text = Self.plan(
      [
        PlanTests.change(
          "aws_route_table.t", "{\"route\": [{\"cidr_block\": \"0.0.0.0/0\"}]}",
          unknown: "{\"route\": [{\"gateway_id\": true}]}")
      ],
      [
        Self.configured(
          "aws_route_table.t", ["route": ["aws_internet_gateway.g.id", "aws_internet_gateway.g"]])
      ])
    #expect(
      try status(
        "Resources.*[ Type == 'AWS::EC2::RouteTable' ].Properties.Routes[*].GatewayId.Ref == 'aws_internet_gateway.g'",
        try shaped(text).document) == .pass)
    #expect(
      try status(
        "Resources.*[ Type == 'AWS::EC2::Route' ].Properties.GatewayId.Ref == 'aws_internet_gateway.g'",
        try shaped(text).document) == .pass)
  }

  @Test func anARNThatIsTheIdIsWrittenAsOne() throws {
    let document = try shaped(
      Self.plan(
        [
          PlanTests.change("aws_lb_listener.l", "{}", unknown: "{\"arn\": true}"),
          PlanTests.change("aws_lb_listener_rule.r", "{}", unknown: "{\"listener_arn\": true}"),
        ],
        [
          Self.configured(
            "aws_lb_listener_rule.r", ["listener_arn": ["aws_lb_listener.l.arn", "aws_lb_listener.l"]])
        ]
      )
    ).document
    #expect(
      try status(
        "Resources.*[ Type == /ListenerRule$/ ].Properties.ListenerArn.Ref == 'aws_lb_listener.l'", document)
        == .pass)
  }

  @Test func aWebACLIsPutIntoItsBalancerAndNoOther() throws {
    func of(_ target: String) throws -> [ShapedResource] {
      try shaped(
        Self.plan(
          [
            PlanTests.change("aws_alb.l", "{\"name\": \"l\"}", unknown: "{\"arn\": true}"),
            PlanTests.change("aws_api_gateway_stage.s", "{}", unknown: "{\"arn\": true}"),
            PlanTests.change(
              "aws_wafv2_web_acl_association.a", "{\"web_acl_arn\": \"x\"}",
              unknown: "{\"resource_arn\": true}"),
          ],
          [Self.configured("aws_wafv2_web_acl_association.a", ["resource_arn": ["\(target).arn", target]])]))
    }
    let has = "Resources[ keys == 'aws_alb.l' ].Properties.WebACLArn exists"
    #expect(try status(has, try of("aws_alb.l").document) == .pass)
    #expect(try status(has, try of("aws_api_gateway_stage.s").document) == .fail)
    // Through a module's output: whose it is isn't known.
    #expect(try status(has, try of("module.m").document) == .unknown)
  }

  @Test func whatTerraformNamesOtherwise() throws {
    let all = try shaped(
      PlanTests.text([
        PlanTests.change("aws_alb.l", "{\"internal\": true}"),
        PlanTests.change("aws_s3_bucket.b", "{\"bucket\": \"b\"}"),
        PlanTests.change("aws_s3_bucket_acl.a", "{\"bucket\": \"b\", \"acl\": \"public-read-write\"}"),
        PlanTests.change("aws_default_security_group.d", "{}"),
        PlanTests.change("aws_security_group.g", "{\"egress\": []}"),
        PlanTests.change("aws_iam_user_policy_attachment.p", "{\"user\": \"u\", \"policy_arn\": \"a\"}"),
        PlanTests.change("aws_iam_user.u", "{\"name\": \"u\"}"),
        PlanTests.change(
          "aws_iam_user_login_profile.p", "{\"user\": \"u\", \"password_reset_required\": true}"),
      ]))
    let document = all.document
    #expect(all.allSatisfy { $0.type != nil })
    for clause in [
      "Resources[ keys == 'aws_alb.l' ].Type == 'AWS::ElasticLoadBalancingV2::LoadBalancer'",
      "Resources[ keys == 'aws_alb.l' ].Properties.Scheme == 'internal'",
      "Resources[ keys == 'aws_s3_bucket.b' ].Properties.AccessControl == 'PublicReadWrite'",
      "Resources[ keys == 'aws_default_security_group.d' ].Properties.GroupName == 'default'",
      "Resources[ keys == 'aws_security_group.g' ].Properties.SecurityGroupEgress == []",
      "Resources[ keys == 'aws_iam_user_policy_attachment.p' ].Properties.Users[*] == 'u'",
      "Resources[ keys == 'aws_iam_user.u' ].Properties.LoginProfile.PasswordResetRequired == true",
    ] { #expect(try status(clause, document) == .pass, "\(clause)") }
  }
}

/// Resources of a plan.
private func shaped(_ text: String) throws -> [ShapedResource] { try plan(text) }
