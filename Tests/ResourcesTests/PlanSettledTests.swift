// What a plan shows of a resource as the provider found it, and what the plan's other resources make of that: policies,
// routes and entries of their own, parts that are deleted or changed.

import Foundation
import GuardRules
import Testing

@testable import Resources

@Suite struct PlanSettledTests {
  static func change(
    _ address: String, _ actions: String, before: String = "null", _ after: String = "null",
    unknown: String = "{}"
  ) -> String {
    let list = actions.split(separator: ",").map { "\"\($0)\"" }.joined(separator: ", ")
    return PlanTests.change(address, after, unknown: unknown, actions: list)
      .replacingOccurrences(of: "\"after\":", with: "\"before\": \(before), \"after\":")
  }
  /// What is there, and stays as it is.
  static func kept(_ address: String, _ after: String) -> String { change(address, "no-op", after) }
  static func configured(_ address: String, _ expressions: [String: [String]] = [:]) -> String {
    PlanReferenceTests.configured(address, expressions)
  }
  static func plan(_ changes: [String], _ resources: [String]) throws -> [ShapedResource] {
    try ResourcesTests.plan(PlanReferenceTests.plan(changes, resources))
  }

  // MARK: - Policies

  static let found = "{\"id\": \"n\", \"arn\": \"n\", \"policy\": \"\(PlanUnseenTests.open)\"}"

  /// What the provider found is kept, unless another resource of the plan is to say it.
  @Test(arguments: [
    ("aws_s3_bucket", "aws_s3_bucket_policy", "bucket"),
    ("aws_sqs_queue", "aws_sqs_queue_policy", "queue_url"),
    ("aws_sns_topic", "aws_sns_topic_policy", "arn"),
    ("aws_secretsmanager_secret", "aws_secretsmanager_secret_policy", "secret_arn"),
  ])
  func aPolicyThatNobodyChangesIsLookedAt(_ type: String, _ separate: String, _ by: String) throws {
    func inner(_ more: [String], _ expressions: [String: [String]] = [:]) throws -> Value.Content? {
      let all = try Self.plan(
        [Self.kept("\(type).o", Self.found)] + more,
        [Self.configured("\(type).o"), Self.configured("\(separate).p", expressions)])
      let policy = all.first { $0.name == "\(type).o#policy" }?.properties
      return (policy?["PolicyDocument"] ?? policy?["ResourcePolicy"])?.content
    }
    func isOpen(_ content: Value.Content?) -> Bool {
      if case .map? = content { return true }
      return false
    }
    func isUnknown(_ content: Value.Content?) -> Bool {
      if case .unknown? = content { return true }
      return false
    }
    let (named, other) = ("{\"\(by)\": \"n\", \"policy\": \"{}\"}", "{\"\(by)\": \"m\", \"policy\": \"{}\"}")
    #expect(isOpen(try inner([])))
    #expect(isOpen(try inner([Self.change("\(separate).p", "create", other)])))
    #expect(isOpen(try inner([Self.change("\(separate).p", "delete", before: other)])))
    #expect(isOpen(try inner([Self.change("\(separate).p", "forget", before: named)])))
    for change in [
      Self.kept("\(separate).p", named), Self.change("\(separate).p", "create", named),
      Self.change("\(separate).p", "update", before: named, named),
      Self.change("\(separate).p", "delete", before: named),
    ] { #expect(try inner([change]) == nil) }
    // Moved from here to elsewhere.
    #expect(try inner([Self.change("\(separate).p", "delete,create", before: named, other)]) == nil)
    let later = Self.change("\(separate).p", "create", "{}", unknown: "{\"\(by)\": true}")
    #expect(try inner([later], [by: ["\(type).o.\(by == "bucket" ? "id" : "arn")", "\(type).o"]]) == nil)
    // Of this one, or of another one.
    for references in [["var.x"], ["module.m.id"], []] {
      #expect(isUnknown(try inner([later], [by: references])))
    }
  }

  @Test func aKeyPolicyOfItsOwnIsTheKeys() throws {
    func status(_ change: String, _ own: [String: [String]] = [:]) throws -> RuleStatus {
      let key = Self.change("aws_kms_key.k", "create", "{}", unknown: "{\"policy\": true, \"key_id\": true}")
      let all = try Self.plan(
        change.isEmpty ? [key] : [key, change],
        [
          Self.configured("aws_kms_key.k", own),
          Self.configured("aws_kms_key_policy.p", ["key_id": ["aws_kms_key.k.key_id", "aws_kms_key.k"]]),
        ])
      return try ResourcesTests.status(
        "Resources.*[ Type == 'AWS::KMS::Key' ].Properties.KeyPolicy !exists", all.document)
    }
    #expect(try status("") == .pass)
    #expect(try status("", ["policy": ["var.x"]]) == .unknown)
    let own = Self.change(
      "aws_kms_key_policy.p", "create", "{\"policy\": \"\(PlanUnseenTests.open)\"}",
      unknown: "{\"key_id\": true}")
    #expect(try status(own) == .fail)
  }

  // MARK: - Routes and entries

  static let routes =
    "{\"id\": \"rtb-1\", \"route\": [{\"cidr_block\": \"0.0.0.0/0\", \"ipv6_cidr_block\": \"\", \"gateway_id\": \"igw-1\"}, {\"cidr_block\": \"10.0.0.0/8\", \"gateway_id\": \"vgw-1\"}]}"

  @Test(arguments: [
    ("delete", "rtb-1", "0.0.0.0/0", RuleStatus.pass), ("update", "rtb-1", "0.0.0.0/0", .pass),
    ("delete,create", "rtb-1", "0.0.0.0/0", .pass), ("no-op", "rtb-1", "0.0.0.0/0", .fail),
    ("forget", "rtb-1", "0.0.0.0/0", .fail), ("delete", "rtb-2", "0.0.0.0/0", .fail),
    ("delete", "rtb-1", "10.0.0.0/8", .fail),
  ])
  func aRouteThatGoesAwayIsNotThere(
    _ actions: String, _ table: String, _ range: String, _ wanted: RuleStatus
  ) throws {
    let before = "{\"route_table_id\": \"\(table)\", \"destination_cidr_block\": \"\(range)\"}"
    let after =
      "{\"route_table_id\": \"\(table)\", \"destination_cidr_block\": \"\(range)\", \"nat_gateway_id\": \"nat-1\"}"
    for type in ["aws_route_table", "aws_default_route_table"] {
      let all = try Self.plan(
        [
          Self.kept("\(type).r", Self.routes),
          Self.change("aws_route.x", actions, before: before, actions == "delete" ? "null" : after),
        ], [Self.configured("\(type).r"), Self.configured("aws_route.x")])
      let clauses =
        ["Resources.*[ Type == 'AWS::EC2::Route' ].Properties { GatewayId !exists or GatewayId != 'igw-1' }"]
        + ["Resources.*[ Type == 'AWS::EC2::RouteTable' ].Properties.Routes[*].GatewayId != 'igw-1'"]
      for clause in clauses { #expect(try status(clause, all.document) == wanted, "\(clause)") }
    }
  }

  /// What the configuration itself sets is the plan's own.
  @Test func aRouteWithinThatIsSetStays() throws {
    let all = try Self.plan(
      [
        Self.kept("aws_route_table.r", Self.routes),
        Self.change(
          "aws_route.x", "delete",
          before: "{\"route_table_id\": \"rtb-1\", \"destination_cidr_block\": \"0.0.0.0/0\"}"),
      ], [Self.configured("aws_route_table.r", ["route": ["var.x"]])])
    #expect(all.count == 3)
  }

  @Test func anEntryThatGoesAwayIsNotThere() throws {
    let entry = "{\"rule_no\": 100, \"cidr_block\": \"0.0.0.0/0\"}"
    func entries(_ egress: Bool, _ number: Int) throws -> [String] {
      try Self.plan(
        [
          Self.kept(
            "aws_network_acl.n", "{\"id\": \"acl-1\", \"ingress\": [\(entry)], \"egress\": [\(entry)]}"),
          Self.change(
            "aws_network_acl_rule.x", "delete",
            before: "{\"network_acl_id\": \"acl-1\", \"rule_number\": \(number), \"egress\": \(egress)}"),
        ], [Self.configured("aws_network_acl.n")]
      ).map(\.name)
    }
    #expect(try entries(true, 100) == ["aws_network_acl.n", "aws_network_acl.n#ingress"])
    #expect(try entries(false, 100) == ["aws_network_acl.n", "aws_network_acl.n#egress"])
    #expect(try entries(false, 101).count == 3)
  }

  /// Beside routes and entries of their own there are none within a new table or list.
  @Test(arguments: [
    ("aws_route_table.o", "aws_route.x", "route_table_id", ["route"]),
    ("aws_network_acl.o", "aws_network_acl_rule.x", "network_acl_id", ["ingress", "egress"]),
  ])
  func whatHasItsOwnHasNoneWithin(_ owner: String, _ separate: String, _ by: String, _ members: [String])
    throws
  {
    let unknown = members.map { "\"\($0)\": true" }.joined(separator: ", ")
    func names(_ actions: String, _ references: [String], own: [String: [String]] = [:]) throws -> [String] {
      try Self.plan(
        [
          Self.change(owner, "create", "{\"vpc_id\": \"vpc-1\"}", unknown: "{\(unknown), \"id\": true}"),
          Self.change(separate, actions, before: "{}", "{}", unknown: "{\"\(by)\": true}"),
        ], [Self.configured(owner, own), Self.configured(separate, [by: references])]
      ).filter { $0.foundType == owner.split(separator: ".")[0] }.map(\.name)
    }
    let (own, all) = (["\(owner).id", owner], [owner] + members.map { "\(owner)#\($0)" })
    #expect(try names("create", own) == [owner])
    #expect(try names("create", ["var.x"]) == all)
    #expect(try names("create", own + ["var.x"]) == all)
    #expect(try names("delete", own) == all)
    #expect(try names("create", own, own: [members[0]: ["var.x"]]).contains("\(owner)#\(members[0])"))
    let alone = try Self.plan(
      [Self.change(owner, "create", "{}", unknown: "{\(unknown)}")], [Self.configured(owner)])
    #expect(alone.map(\.name) == all)
    let properties = alone.last?.properties.text ?? ""
    #expect(properties.contains("nobody sets it, or a dynamic block does"), "\(properties)")
  }

  // MARK: - Parts

  static let bucket =
    "{\"bucket\": \"b\", \"versioning\": [{\"enabled\": true}], \"logging\": [{\"target_bucket\": \"l\"}]}"
  static func versioning(_ bucket: String) -> String {
    "{\"bucket\": \"\(bucket)\", \"versioning_configuration\": [{\"status\": \"Enabled\"}]}"
  }
  static let isVersioned =
    "Resources[ keys == 'aws_s3_bucket.b' ].Properties.VersioningConfiguration.Status == 'Enabled'"

  /// A part that goes away says nothing more, and what is found of it isn't so for certain.
  @Test(arguments: [
    ([change("aws_s3_bucket_versioning.v", "delete", before: versioning("b"))], RuleStatus.unknown),
    ([change("aws_s3_bucket_versioning.v", "delete", before: versioning("c"))], .pass),
    ([change("aws_s3_bucket_versioning.v", "forget", before: versioning("b"))], .pass),
    // Which of two of one bucket comes last isn't told.
    (
      [
        change("aws_s3_bucket_versioning.v", "delete", before: versioning("b")),
        change("aws_s3_bucket_versioning.w", "create", versioning("b")),
      ], .unknown
    ),
    (
      [change("aws_s3_bucket_versioning.v", "delete,create", before: versioning("b"), versioning("b"))], .pass
    ),
    // It goes to another bucket.
    (
      [change("aws_s3_bucket_versioning.v", "delete,create", before: versioning("b"), versioning("c"))],
      .unknown
    ),
    // Of which bucket it was isn't told.
    ([change("aws_s3_bucket_versioning.v", "delete", before: "{}")], .unknown),
  ])
  func whatADeletedPartSaidIsNotCertain(_ changes: [String], _ wanted: RuleStatus) throws {
    let all = [
      Self.kept("aws_s3_bucket.b", Self.bucket), Self.kept("aws_s3_bucket.c", "{\"bucket\": \"c\"}"),
    ]
    #expect(
      try status(
        Self.isVersioned, try Self.plan(all + changes, [Self.configured("aws_s3_bucket.b")]).document)
        == wanted)
    #expect(
      try status(Self.isVersioned, try ResourcesTests.plan(PlanTests.text(all + changes)).document) == wanted)
  }

  @Test func aDeletedPartOfWhichNothingIsFoundIsGone() throws {
    func of(_ address: String, _ before: String, _ clause: String) throws -> RuleStatus {
      let all = try Self.plan(
        [Self.kept("aws_s3_bucket.b", Self.bucket), Self.change(address, "delete", before: before)],
        [Self.configured("aws_s3_bucket.b")])
      return try status("Resources.*.Properties.\(clause)", all.document)
    }
    #expect(
      try of(
        "aws_s3_bucket_public_access_block.p", "{\"bucket\": \"b\", \"block_public_acls\": true}",
        "PublicAccessBlockConfiguration exists") == .fail)
    // Terraform forgets a list only.
    #expect(
      try of("aws_s3_bucket_acl.a", "{\"bucket\": \"b\", \"acl\": \"public-read\"}", "AccessControl !exists")
        == .unknown)
  }

  static let open =
    "[{\"permissions\": [\"READ\"], \"uri\": \"http://acs.amazonaws.com/groups/global/AllUsers\"}]"
  static let openPolicy =
    "[{\"grant\": [{\"permission\": \"READ\", \"grantee\": [{\"uri\": \"http://acs.amazonaws.com/groups/global/AllUsers\"}]}]}]"

  /// What was found before the plan changes it isn't what will be; what the plan leaves as it is is.
  @Test(arguments: [
    ("update", "{}", "{\"access_control_policy\": true}", RuleStatus.pass),
    ("update", "{}", "{}", .pass),
    ("create", "null", "{\"access_control_policy\": true}", .pass),
    ("no-op", "{}", "{}", .fail),
  ])
  func aListThatThePlanChangesIsTheNewOne(
    _ actions: String, _ before: String, _ unknown: String, _ wanted: RuleStatus
  ) throws {
    let before = before == "{}" ? "{\"bucket\": \"b\", \"acl\": \"public-read\"}" : before
    let all = try Self.plan(
      [
        Self.kept("aws_s3_bucket.b", "{\"bucket\": \"b\", \"acl\": null, \"grant\": \(Self.open)}"),
        Self.change(
          "aws_s3_bucket_acl.a", actions, before: before, "{\"bucket\": \"b\", \"acl\": \"private\"}",
          unknown: unknown),
      ], [Self.configured("aws_s3_bucket.b"), Self.configured("aws_s3_bucket_acl.a", ["acl": []])])
    #expect(try status("Resources.*.Properties.AccessControlPolicy !exists", all.document) == wanted)
    #expect(try status("Resources.*.Properties.AccessControl == 'Private'", all.document) == .pass)
  }

  /// A list of grants that was found is replaced where the plan sets another canned one, and else stays.
  @Test(arguments: [("public-read", RuleStatus.pass), ("private", .fail)])
  func grantsThatWereFoundGoWithACannedListOnly(_ before: String, _ wanted: RuleStatus) throws {
    let all = try Self.plan(
      [
        Self.kept("aws_s3_bucket.b", "{\"bucket\": \"b\"}"),
        Self.change(
          "aws_s3_bucket_acl.a", "update", before: "{\"bucket\": \"b\", \"acl\": \"\(before)\"}",
          "{\"bucket\": \"b\", \"acl\": \"private\", \"access_control_policy\": \(Self.openPolicy)}"),
      ], [Self.configured("aws_s3_bucket.b"), Self.configured("aws_s3_bucket_acl.a", ["acl": []])])
    #expect(try status("Resources.*.Properties.AccessControlPolicy !exists", all.document) == wanted)
  }
}
