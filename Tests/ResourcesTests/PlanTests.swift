// Terraform plans: what they say of resources in CloudFormation's shape, what they leave open, and what they don't create.

import Foundation
import GuardRules
import Testing

@testable import Resources

@Suite struct PlanTests {
  static func change(
    _ address: String, _ after: String, unknown: String = "{}", actions: String = "\"create\""
  ) -> String {
    let type = TerraformAddress(address).parts.suffix(2).first?.name ?? ""
    let quoted = address.replacingOccurrences(of: "\"", with: "\\\"")
    return
      "{\"address\": \"\(quoted)\", \"mode\": \"managed\", \"type\": \"\(type)\", \"change\": {\"actions\": [\(actions)], \"after\": \(after), \"after_unknown\": \(unknown)}}"
  }

  static func text(_ changes: [String], configuration: String = "{}") -> String {
    "{\"format_version\": \"1.2\", \"resource_changes\": [\(changes.joined(separator: ",\n"))], \"configuration\": {\"root_module\": \(configuration)}}"
  }

  static func reference(_ address: String, _ target: String) -> String {
    let type = address.split(separator: ".")[0]
    return
      "{\"address\": \"\(address)\", \"type\": \"\(type)\", \"expressions\": {\"bucket\": {\"references\": [\"\(target).id\", \"\(target)\"]}}}"
  }

  static let encryption =
    "{\"rule\": [{\"apply_server_side_encryption_by_default\": [{\"sse_algorithm\": \"AES256\"}]}]}"
  static let hasEncryption =
    "Resources.*[ Type == 'AWS::S3::Bucket' ].Properties.BucketEncryption.ServerSideEncryptionConfiguration[*].ServerSideEncryptionByDefault.SSEAlgorithm in ['AES256', 'aws:kms']"

  static let buckets = text(
    [
      change("aws_s3_bucket.a", "{\"bucket\": \"logs\", \"tags\": {\"t\": \"v\"}}"),
      change(
        "aws_s3_bucket_server_side_encryption_configuration.x",
        "{\"bucket\": \"logs\", \"rule\": [{\"apply_server_side_encryption_by_default\": [{\"sse_algorithm\": \"AES256\"}]}]}"
      ),
      change(
        "aws_s3_bucket_public_access_block.x",
        "{\"bucket\": \"logs\", \"block_public_acls\": true, \"block_public_policy\": true}"),
      change("aws_instance.i", "{\"ami\": \"a\"}", unknown: "{\"id\": true, \"ebs_block_device\": true}"),
    ])
  static let groups = text([
    change(
      "aws_security_group.g",
      "{\"ingress\": [{\"from_port\": 22, \"to_port\": 22, \"protocol\": \"tcp\", \"cidr_blocks\": [\"0.0.0.0/0\", \"10.0.0.0/8\"]}]}",
      unknown: "{\"id\": true}")
  ])

  @Test func theTableHasManyTypes() {
    let types = TerraformPlan.shapes.map(\.type)
    #expect(types.count >= 70 && ConfigurationItems.types.count >= 10)
    #expect(types == types.sorted() && Set(types).count == types.count)
    #expect(TerraformPlan.shapes.allSatisfy { $0.type.hasPrefix("aws_") && $0.shape.hasPrefix("AWS::") })
  }

  @Test func addressesKeepTheirKeys() {
    let address = TerraformAddress("module.m[\"a.b\"].module.n[0].aws_s3_bucket.x[\"c].\\\"d\"]")
    #expect(
      address.plain == "module.m.module.n.aws_s3_bucket.x"
        && address.module == "module.m[\"a.b\"].module.n[0].")
    #expect(address.key == "[\"c].\\\"d\"]" && TerraformAddress("aws_kms_key.k").module.isEmpty)
  }

  @Test func whatABucketHasElsewhereIsPutIntoIt() throws {
    let all = try plan(Self.buckets)
    #expect(all.map(\.name) == ["aws_s3_bucket.a", "aws_instance.i"])
    #expect(try status(Self.hasEncryption, all.document) == .pass)
    #expect(
      try status(
        "Resources.*.Properties.PublicAccessBlockConfiguration.BlockPublicAcls == true", [all[0]].document)
        == .pass)
    #expect(all[0].properties["Tags"]?.text == "[{\"Key\":\"t\",\"Value\":\"v\"}]")
    #expect(try status("Resources.*.Properties.BlockDeviceMappings exists", [all[1]].document) == .unknown)
  }

  @Test(arguments: [
    ("aws_s3_bucket.a", "aws_s3_bucket_server_side_encryption_configuration.e", ""),
    ("aws_s3_bucket.a[\"x.y\"]", "aws_s3_bucket_server_side_encryption_configuration.e[\"x.y\"]", ""),
    (
      "module.m[\"k.1\"].aws_s3_bucket.a[0]",
      "module.m[\"k.1\"].aws_s3_bucket_server_side_encryption_configuration.e[0]", "m"
    ),
  ])
  func alsoWhereItsNameIsKnownOnlyByReference(_ bucket: String, _ part: String, _ module: String) throws {
    let reference = Self.reference("aws_s3_bucket_server_side_encryption_configuration.e", "aws_s3_bucket.a")
    let inner = "{\"resources\": [\(reference)]}"
    let configuration = module.isEmpty ? inner : "{\"module_calls\": {\"\(module)\": {\"module\": \(inner)}}}"
    let text = Self.text(
      [
        Self.change(bucket, "{}", unknown: "{\"bucket\": true, \"id\": true}"),
        Self.change(part, Self.encryption, unknown: "{\"bucket\": true}"),
      ], configuration: configuration)
    let all = try plan(text)
    #expect(all.map(\.name) == [bucket] && all.allSatisfy { $0.type != nil })
    #expect(try status(Self.hasEncryption, all.document) == .pass)
  }

  /// A part that can't be put anywhere is told, and what it may say isn't known of any bucket.
  @Test func aPartOfNobodyKnowsWhichBucketMakesItUnknown() throws {
    let lost = Self.change(
      "aws_s3_bucket_server_side_encryption_configuration.e", Self.encryption, unknown: "{\"bucket\": true}")
    let bucket = Self.change("aws_s3_bucket.a", "{\"bucket\": \"b\"}")
    let all = try plan(Self.text([bucket, lost]))
    #expect(all.map(\.type) == ["AWS::S3::Bucket", nil])
    #expect(try status(Self.hasEncryption, all.document) == .unknown)
    #expect(try status(Self.hasEncryption, try plan(Self.text([bucket])).document) == .fail)
    // One of another bucket, by name, changes nothing here.
    let other = Self.change(
      "aws_s3_bucket_versioning.v",
      "{\"bucket\": \"elsewhere\", \"versioning_configuration\": [{\"status\": \"Enabled\"}]}")
    #expect(
      try status(
        "Resources.*.Properties.VersioningConfiguration exists",
        try plan(Self.text([bucket, other])).document) == .fail)
  }

  @Test(arguments: [
    ("\"delete\"", 0), ("\"read\"", 0), ("\"forget\"", 0), ("\"create\"", 1), ("\"no-op\"", 1),
    ("\"update\"", 1), ("\"delete\", \"create\"", 1), ("\"create\", \"delete\"", 1),
  ])
  func whatIsDeletedIsLeftOut(_ actions: String, _ count: Int) throws {
    #expect(try plan(Self.text([Self.change("aws_kms_key.k", "{}", actions: actions)])).count == count)
  }

  @Test func dataSourcesAreLeftOut() throws {
    let text = Self.text([
      Self.change("aws_kms_key.k", "{}").replacingOccurrences(of: "managed", with: "data")
    ])
    #expect(try plan(text).isEmpty)
  }

  @Test func whatIsKnownLaterIsUnknown() throws {
    func of(_ after: String, _ unknown: String, _ clause: String) throws -> RuleStatus {
      try status(
        "Resources.*.Properties.\(clause)",
        try plan(Self.text([Self.change("aws_db_instance.d", after, unknown: unknown)])).document)
    }
    #expect(try of("{\"storage_encrypted\": true}", "{\"id\": true}", "StorageEncrypted == true") == .pass)
    #expect(
      try of("{\"storage_encrypted\": null}", "{\"storage_encrypted\": true}", "StorageEncrypted == true")
        == .unknown)
    #expect(try of("{}", "{\"storage_encrypted\": true}", "StorageEncrypted !exists") == .unknown)
    #expect(try of("{}", "{}", "StorageEncrypted exists") == .fail)
    #expect(try of("{}", "{\"tags\": {\"a\": true}}", "Tags[*].Value == 'x'") == .unknown)
    #expect(
      try of(
        "{\"vpc_security_group_ids\": [\"a\"]}", "{\"vpc_security_group_ids\": [false, true]}",
        "VPCSecurityGroups[*] == 'a'") == .unknown)
    #expect(try of("{}", "true", "StorageEncrypted !exists") == .unknown)
    // What has no line in the table isn't known, whatever the plan says.
    #expect(try of("{\"timeouts\": {}}", "{}", "SomethingElse exists") == .unknown)
  }

  @Test func rangesOfSecurityGroupsAreRulesOfTheirOwn() throws {
    let open =
      "Resources.*[ Type == 'AWS::EC2::SecurityGroup' ].Properties.SecurityGroupIngress[*].CidrIp != '0.0.0.0/0'"
    #expect(try status(open, try plan(Self.groups).document) == .fail)
    func of(_ after: String, _ unknown: String) throws -> RuleStatus {
      try status(
        open, try plan(Self.text([Self.change("aws_security_group.g", after, unknown: unknown)])).document)
    }
    #expect(try of("{\"ingress\": [{\"cidr_blocks\": [\"10.0.0.0/8\"]}]}", "{}") == .pass)
    #expect(
      try of("{\"ingress\": [{\"cidr_blocks\": null}]}", "{\"ingress\": [{\"cidr_blocks\": true}]}")
        == .unknown)
    #expect(try of("{}", "{\"ingress\": true}") == .unknown)
    #expect(try of("{\"ingress\": [null]}", "{\"ingress\": [true]}") == .unknown)
    let rules = try plan(
      Self.text([
        Self.change(
          "aws_security_group_rule.i",
          "{\"type\": \"ingress\", \"cidr_blocks\": [\"0.0.0.0/0\"], \"ipv6_cidr_blocks\": [\"::/0\"]}"),
        Self.change(
          "aws_security_group_rule.e", "{\"type\": \"egress\", \"source_security_group_id\": \"sg-1\"}"),
        Self.change("aws_security_group_rule.q", "{}", unknown: "{\"type\": true}"),
        Self.change(
          "aws_vpc_security_group_ingress_rule.v", "{\"cidr_ipv4\": \"10.0.0.0/8\", \"ip_protocol\": \"-1\"}"),
      ]))
    #expect(
      rules.map(\.type) == [
        "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress",
        nil, "AWS::EC2::SecurityGroupIngress",
      ])
  }

  @Test(arguments: ["{}", "[]", "5", "{\"resource_changes\": [", "{\"resource_changes\": []} x", ""])
  func whatIsNoPlanIsRefused(_ text: String) {
    #expect(throws: DocumentFault.self) { try plan(text) }
  }

  @Test(.enabled(if: GovernanceData.isThere, GovernanceData.missing))
  func publishedPlansAreRead() throws {
    var count = 0
    for path in GovernanceData.files(".json") where path.contains("/terraform-plans/") {
      count += try plan(try GovernanceData.text(path)).count
    }
    #expect(count > 20)
  }
}
