// What a plan doesn't show: dynamic blocks, which resource a part belongs to, parts that disagree. None of it is guessed.
// And what stands within a resource that is one of its own in CloudFormation.

import Foundation
import GuardRules
import Testing

@testable import Resources

@Suite struct PlanUnseenTests {
  static func plan(_ changes: [String], _ resources: [String]) throws -> [ShapedResource] {
    try ResourcesTests.plan(PlanReferenceTests.plan(changes, resources))
  }
  static func configured(_ address: String, _ expressions: [String: [String]] = [:], more: String = "")
    -> String
  {
    PlanReferenceTests.configured(address, expressions, more: more)
  }

  // MARK: - Dynamic blocks

  /// A configuration doesn't have dynamic blocks, so that one over what isn't known looks like nothing.
  @Test(arguments: [
    ("aws_security_group.g", "ingress", "SecurityGroupIngress"),
    ("aws_default_security_group.g", "egress", "SecurityGroupEgress"),
    ("aws_iam_role.r", "inline_policy", "Policies"), ("aws_lb.l", "subnet_mapping", "SubnetMappings"),
    ("aws_s3_bucket.b", "grant", "AccessControlPolicy.Grants"),
    ("aws_s3_bucket.b", "versioning", "VersioningConfiguration"),
    ("aws_s3_bucket.b", "server_side_encryption_configuration", "BucketEncryption"),
  ])
  func aBlockThatNobodyIsSeenToSetIsUnknown(_ address: String, _ block: String, _ name: String) throws {
    let all = try Self.plan(
      [PlanTests.change(address, "{}", unknown: "{\"\(block)\": true, \"id\": true}")],
      [Self.configured(address, ["name": ["var.x"]])])
    #expect(try status("Resources.*.Properties.\(name) !exists", all.document) == .unknown)
  }

  /// What can't be a block is in the configuration if anybody sets it.
  @Test(arguments: [
    ("aws_iam_role.r", "managed_policy_arns", "ManagedPolicyArns"), ("aws_lb.l", "internal", "Scheme"),
    ("aws_s3_bucket.b", "acl", "AccessControl"),
    ("aws_instance.i", "associate_public_ip_address", "NetworkInterfaces"),
  ])
  func anArgumentThatNobodySetsIsAbsent(_ address: String, _ argument: String, _ name: String) throws {
    let change = PlanTests.change(address, "{}", unknown: "{\"\(argument)\": true}")
    // Terraform leaves out `expressions` where there are none.
    let bare = "{\"address\": \"\(address)\", \"type\": \"\(address.split(separator: ".")[0])\"}"
    #expect(
      try status("Resources.*.Properties.\(name) !exists", try Self.plan([change], [bare]).document) == .pass)
    let set = Self.configured(address, [argument: ["var.x"]])
    #expect(
      try status("Resources.*.Properties.\(name) !exists", try Self.plan([change], [set]).document)
        == .unknown)
  }

  /// A block that can't stand beside an argument that is set isn't there.
  @Test func aBlockBesideWhatItConflictsWithIsAbsent() throws {
    func grants(_ after: String, _ unknown: String = "") throws -> RuleStatus {
      let change = PlanTests.change("aws_s3_bucket.b", after, unknown: "{\"grant\": true\(unknown)}")
      let all = try Self.plan([change], [Self.configured("aws_s3_bucket.b", ["acl": ["var.acl"]])])
      return try status("Resources.*.Properties.AccessControlPolicy !exists", all.document)
    }
    #expect(try grants("{\"acl\": \"private\"}") == .pass)
    #expect(try grants("{\"acl\": null}") == .unknown)
  }

  /// The bucket's own list is one that nobody is seen to set; the list of its own is put over it.
  @Test func aListOfItsOwnReplacesWhatNobodyIsSeenToSet() throws {
    let all = try Self.plan(
      [
        PlanTests.change(
          "aws_s3_bucket.b", "{\"bucket\": \"b\"}", unknown: "{\"grant\": true, \"acl\": true}"),
        PlanTests.change(
          "aws_s3_bucket_acl.a", "{\"bucket\": \"b\", \"acl\": \"private\"}",
          unknown: "{\"access_control_policy\": true}"),
      ],
      [Self.configured("aws_s3_bucket.b"), Self.configured("aws_s3_bucket_acl.a", ["acl": ["var.x"]])])
    #expect(
      try status(
        "Resources.*.Properties { AccessControl == 'Private'  AccessControlPolicy !exists }", all.document)
        == .pass)
  }

  // MARK: - Parts

  static let block =
    "{\"block_public_acls\": true, \"block_public_policy\": true, \"ignore_public_acls\": true, \"restrict_public_buckets\": true}"
  static func blocked(_ name: String) -> String {
    "Resources[ keys == '\(name)' ].Properties.PublicAccessBlockConfiguration.BlockPublicAcls == true"
  }
  static func bucket(_ address: String) -> String {
    PlanTests.change(address, "{}", unknown: "{\"bucket\": true, \"id\": true}")
  }
  static func part(_ address: String) -> String {
    PlanTests.change(address, Self.block, unknown: "{\"bucket\": true}")
  }

  @Test func aPartOfOneOfTwoIsOfNeitherForCertain() throws {
    let of = { (name: String) in ["aws_s3_bucket.\(name).id", "aws_s3_bucket.\(name)"] }
    func all(_ references: [String]) throws -> Value {
      try Self.plan(
        [
          Self.bucket("aws_s3_bucket.a"), Self.bucket("aws_s3_bucket.b"),
          Self.part("aws_s3_bucket_public_access_block.p"),
        ],
        [
          Self.configured("aws_s3_bucket.a"), Self.configured("aws_s3_bucket.b"),
          Self.configured("aws_s3_bucket_public_access_block.p", ["bucket": references]),
        ]
      ).document
    }
    for references in [
      ["var.which"] + of("a") + of("b"), of("a") + of("b"), of("a") + ["var.other"], ["module.m.id"],
    ] {
      let document = try all(references)
      for name in ["a", "b"] {
        #expect(try status(Self.blocked("aws_s3_bucket.\(name)"), document) == .unknown, "\(references)")
      }
    }
    let document = try all(of("a"))
    #expect(try status(Self.blocked("aws_s3_bucket.a"), document) == .pass)
    #expect(try status(Self.blocked("aws_s3_bucket.b"), document) == .fail)
  }

  @Test(arguments: [
    (
      ["aws_s3_bucket.b[\\\"y\\\"].id", "aws_s3_bucket.b[\\\"y\\\"]", "aws_s3_bucket.b"], RuleStatus.fail,
      RuleStatus.pass
    ),
    (["aws_s3_bucket.b", "each.key"], .pass, .fail),
    // One of them, or each in a way that isn't told.
    (["aws_s3_bucket.b"], .unknown, .unknown), (["aws_s3_bucket.b", "each.value"], .unknown, .unknown),
    (
      ["aws_s3_bucket.b[\\\"x\\\"]", "aws_s3_bucket.b[\\\"y\\\"]", "aws_s3_bucket.b"], .unknown, .unknown
    ),
  ])
  func aPartWithAKeyIsOfTheKeyThatItNames(_ references: [String], _ x: RuleStatus, _ y: RuleStatus) throws {
    let each = ", \"for_each_expression\": {}"
    let document = try Self.plan(
      [
        Self.bucket("aws_s3_bucket.b[\"x\"]"), Self.bucket("aws_s3_bucket.b[\"y\"]"),
        Self.part("aws_s3_bucket_public_access_block.p[\"x\"]"),
      ],
      [
        Self.configured("aws_s3_bucket.b", more: each),
        Self.configured("aws_s3_bucket_public_access_block.p", ["bucket": references], more: each),
      ]
    ).document
    #expect(try status(Self.blocked("aws_s3_bucket.b[\"x\"]"), document) == x)
    #expect(try status(Self.blocked("aws_s3_bucket.b[\"y\"]"), document) == y)
  }

  @Test func partsThatDisagreeSayNothing() throws {
    func of(_ first: String, _ second: String, own: String = "") throws -> RuleStatus {
      let all = try ResourcesTests.plan(
        PlanTests.text([
          PlanTests.change("aws_s3_bucket.a", "{\"bucket\": \"n\"\(own)}"),
          PlanTests.change("aws_s3_bucket_acl.x", "{\"bucket\": \"n\", \(first)}"),
          PlanTests.change("aws_s3_bucket_acl.y", "{\"bucket\": \"n\", \(second)}"),
        ]))
      return try status("Resources.*.Properties.AccessControl == 'Private'", all.document)
    }
    #expect(try of("\"acl\": \"public-read\"", "\"acl\": \"private\"") == .unknown)
    #expect(try of("\"acl\": \"private\"", "\"acl\": \"private\"") == .pass)
    // One that doesn't speak of it puts another list in its place.
    #expect(
      try of("\"acl\": \"private\"", "\"access_control_policy\": [{\"grant\": [{\"permission\": \"READ\"}]}]")
        == .unknown)
    #expect(
      try of("\"acl\": \"private\"", "\"acl\": \"private\"", own: ", \"acl\": \"public-read\"") == .unknown)
  }

  /// Two of one name, by two providers: of which of them a part is isn't known.
  @Test func aNameThatTwoHaveIsNeithers() throws {
    let all = try ResourcesTests.plan(
      PlanTests.text([
        PlanTests.change("aws_iam_user.a", "{\"name\": \"bob\"}"),
        PlanTests.change("aws_iam_user.b", "{\"name\": \"bob\"}"),
        PlanTests.change(
          "aws_iam_user_login_profile.p", "{\"user\": \"bob\", \"password_reset_required\": true}"),
      ]))
    for name in ["a", "b"] {
      #expect(
        try status("Resources[ keys == 'aws_iam_user.\(name)' ].Properties.LoginProfile exists", all.document)
          == .unknown)
    }
  }

  @Test func aPasswordIsOneWhateverItSays() throws {
    let all = try ResourcesTests.plan(
      PlanTests.text([
        PlanTests.change("aws_iam_user.u", "{\"name\": \"bob\"}"),
        PlanTests.change(
          "aws_iam_user_login_profile.p", "{\"user\": \"bob\", \"password_reset_required\": null}"),
      ]))
    #expect(try status("Resources.*.Properties.LoginProfile exists", all.document) == .pass)
  }

  // MARK: - Within a resource

  static let open =
    "{\\\"Statement\\\": [{\\\"Effect\\\": \\\"Allow\\\", \\\"Principal\\\": \\\"*\\\", \\\"Action\\\": \\\"*\\\"}]}"

  @Test(arguments: [
    ("aws_s3_bucket.b", "AWS::S3::BucketPolicy", "PolicyDocument", "Bucket"),
    ("aws_sqs_queue.b", "AWS::SQS::QueuePolicy", "PolicyDocument", "Queues"),
    ("aws_sns_topic.b", "AWS::SNS::TopicPolicy", "PolicyDocument", "Topics"),
    ("aws_secretsmanager_secret.b", "AWS::SecretsManager::ResourcePolicy", "ResourcePolicy", "SecretId"),
  ])
  func aPolicyWithinIsAResource(_ address: String, _ type: String, _ name: String, _ owner: String) throws {
    let clause = "Resources.*[ Type == '\(type)' ].Properties.\(name).Statement[*].Principal != '*'"
    let change = PlanTests.change(address, "{\"policy\": \"\(Self.open)\"}", unknown: "{\"id\": true}")
    let all = try ResourcesTests.plan(PlanTests.text([change]))
    #expect(all.map(\.type).last == type && all.map(\.name) == [address, "\(address)#policy"])
    #expect(try status(clause, all.document) == .fail)
    #expect(
      try status("Resources.*[ Type == '\(type)' ].Properties.\(owner).Ref == '\(address)'", all.document)
        == .pass)
    // Somebody sets what isn't known yet.
    let later = PlanTests.change(address, "{}", unknown: "{\"policy\": true}")
    let set = try Self.plan(
      [later],
      [
        Self.configured(
          address, ["policy": ["data.aws_iam_policy_document.d.json", "data.aws_iam_policy_document.d"]])
      ])
    #expect(try status(clause, set.document) == .unknown)
    // Nobody does, and there is none yet.
    #expect(try Self.plan([later], [Self.configured(address)]).map(\.name) == [address])
    for none in ["null", "\"\""] {
      let all = try ResourcesTests.plan(PlanTests.text([PlanTests.change(address, "{\"policy\": \(none)}")]))
      #expect(all.count == 1)
    }
  }

  @Test func entriesAndRoutesWithinAreResources() throws {
    let all = try ResourcesTests.plan(
      PlanTests.text([
        PlanTests.change(
          "aws_network_acl.n",
          "{\"ingress\": [{\"rule_no\": 1, \"action\": \"allow\", \"protocol\": \"6\", \"cidr_block\": \"0.0.0.0/0\", \"ipv6_cidr_block\": \"\", \"from_port\": 0, \"to_port\": 65535}, {\"rule_no\": 2}], \"egress\": []}"
        ),
        PlanTests.change(
          "aws_default_route_table.t",
          "{\"route\": [{\"cidr_block\": \"0.0.0.0/0\", \"gateway_id\": \"\", \"nat_gateway_id\": \"nat-1\"}]}"
        ),
      ]))
    #expect(
      all.map(\.name) == [
        "aws_network_acl.n", "aws_network_acl.n#ingress[0]", "aws_network_acl.n#ingress[1]",
        "aws_default_route_table.t", "aws_default_route_table.t#route",
      ])
    #expect(
      try status(
        """
        Resources[ keys == 'aws_network_acl.n#ingress[0]' ] { Type == 'AWS::EC2::NetworkAclEntry'
          Properties { Protocol == 6  PortRange.To == 65535  Egress == false  Ipv6CidrBlock !exists } }
        Resources.*[ Type == 'AWS::EC2::Route' ].Properties { GatewayId !exists  NatGatewayId == 'nat-1' }
        """, all.document) == .pass)
  }

  @Test func aSecretPolicyStaysSecret() throws {
    let text = PlanTests.text([PlanTests.change("aws_sqs_queue.q", "{\"policy\": \"\(Self.open)\"}")])
      .replacingOccurrences(
        of: "\"after_unknown\"", with: "\"after_sensitive\": {\"policy\": true}, \"after_unknown\"")
    let policy = try ResourcesTests.plan(text).last
    #expect(policy?.properties["PolicyDocument"]?.isSecret == true)
  }

  // MARK: - Many

  /// Members are found by an index, of few and of many.
  @Test(arguments: [0, 3, 12, 13, 200]) func membersOfALongList(_ count: Int) {
    var list = MemberList()
    for number in 0..<count { list["n\(number)"] = Value(.int(Int64(number))) }
    for number in 0..<count where number % 3 == 0 { list["n\(number)"] = Value(.int(-1)) }
    for number in 0..<count where number % 3 == 1 { list["n\(number)"] = nil }
    list["gone"] = nil
    let left = (0..<count).filter { $0 % 3 != 1 }
    #expect(list.all.map(\.name) == left.map { "n\($0)" })
    for number in 0..<count {
      let wanted = number % 3 == 1 ? nil : number % 3 == 0 ? "-1" : "\(number)"
      #expect(list["n\(number)"]?.text == wanted)
    }
  }

  @Test func manyUnknownTagsStayInTheirPlaces() throws {
    let count = 300
    let names = (0..<count).map { "\"t\($0)\"" }
    let all = try ResourcesTests.plan(
      PlanTests.text([
        PlanTests.change(
          "aws_sqs_queue.q", "{\"tags\": {\(names.map { "\($0): \"v\"" }.joined(separator: ","))}}",
          unknown: "{\"tags\": {\(names.map { "\($0): true" }.joined(separator: ",")), \"more\": true}}")
      ]))
    let tags = all.first?.properties["Tags"]?.list ?? []
    #expect(tags.count == count + 1 && tags[1]["Key"]?.string == "t1" && tags[count]["Key"]?.string == "more")
  }
}
