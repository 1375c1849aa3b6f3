// The rules that are shipped (Rules/): their own tests are met, each is tried on good, bad and nothing, and each says in
// both languages what it is and how to mend what breaks it.

import Foundation
import GuardRules
import Resources
import Testing

@testable import Governance

@Suite struct ShippedRulesTests {
  static let folder: String = {
    let here = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    return (0..<3).reduce(here) { url, _ in url.deletingLastPathComponent() }.appendingPathComponent("Rules")
      .path
  }()

  static func files() throws -> [RuleFile] { try RuleSet([folder]).files }

  @Test func theirOwnTestsAreMet() throws {
    let testing = try RuleTesting([Self.folder], now: 1_764_000_000)
    #expect(testing.faults.isEmpty && testing.untested.isEmpty, "\(testing.faults) \(testing.untested)")
    #expect(testing.passed > 300)
    let failed = testing.cases.filter { !$0.passed }.map { "\($0.file):\($0.line) \($0.rule) \($0.found)" }
    #expect(failed.isEmpty, "\(failed.joined(separator: "\n"))")
    var expected: [String: Set<String>] = [:]
    for each in testing.cases { expected[each.rule, default: []].insert(each.expected) }
    for rule in try Self.files().flatMap(\.rules) {
      #expect(expected[rule.name] == ["PASS", "FAIL", "SKIP"], "\(rule.name)")
    }
  }

  @Test func everyRuleSaysWhatItIsInBothLanguages() throws {
    let files = try Self.files()
    #expect(files.count >= 20)
    var names: Set<String> = []
    for file in files {
      for rule in file.rules {
        #expect(names.insert(rule.name).inserted, "two rules \(rule.name)")
        guard let notes = file.notes[rule.name] else {
          Issue.record("\(file.name): no notes above \(rule.name)")
          continue
        }
        for text in [notes.title, notes.mend] { #expect(!text.isEmpty, "\(rule.name)") }
        for text in [notes.titleJa, notes.mendJa] {
          #expect(text.unicodeScalars.contains { $0.value > 0x3000 }, "\(rule.name): \(text)")
        }
      }
    }
    #expect(names.count >= 50)
  }

  /// What counts most is told first: a rule that says nothing would be `medium`.
  @Test func everyRuleSaysHowGraveItIs() throws {
    for file in try Self.files() {
      let text = try String(contentsOfFile: file.name, encoding: .utf8)
      let severities = text.split(separator: "\n").count { $0.hasPrefix("# @severity ") }
      #expect(severities == file.rules.count, "\(file.name)")
    }
  }

  /// A scan lists only what rules can look at, and a list that failed hangs up only those that can look at it.
  @Test func everyRuleIsByType() throws {
    var anything: [String] = []
    for file in try Self.files() {
      for (rule, reach) in zip(file.rules, file.reaches) where reach.types == nil {
        anything.append(rule.name)
      }
    }
    #expect(anything.isEmpty, "\(anything)")
    let buckets = try #require(try Self.files().first { $0.name.hasSuffix("bucket_data.guard") })
    let place = try #require(buckets.rules.firstIndex { $0.name == "bucket_tls_only" })
    #expect(buckets.reaches[place].types == ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"])
  }

  /// Who can't be an asterisk, whatever is put in, is nobody unknown; a name alone may be one.
  @Test(arguments: [
    ("Service: !Sub 'logs.${AWS::Region}.amazonaws.com'", RuleStatus.pass),
    ("Service: !Join ['.', [logs, !Ref 'AWS::Region', amazonaws.com]]", .pass),
    ("CanonicalUser: !GetAtt I.S3CanonicalUserId", .pass), ("Federated: !GetAtt I.Arn", .pass),
    ("Service: !Ref P", .unknown), ("Federated: !Sub '${P}'", .unknown), ("Service: [!Ref P, '*']", .fail),
  ]) func whoIsLetIn(_ principal: String, _ wanted: RuleStatus) throws {
    let text = """
      Parameters: {P: {Type: String}}
      Resources:
        I: {Type: 'AWS::CloudFront::CloudFrontOriginAccessIdentity'}
        B:
          Type: AWS::S3::BucketPolicy
          Properties: {Bucket: b, PolicyDocument: {Statement: {Effect: Allow, Principal: {\(principal)}}}}
      """
    let document = try Template(try Value.reading(yaml: text), Template.Context()).resolved
    let file = try #require(try Self.files().first { $0.name.hasSuffix("bucket_public.guard") })
    let result = try #require(
      try file.evaluate(document, now: 0).first { $0.name == "bucket_policy_anyone" })
    #expect(result.status == wanted)
  }

  /// A policy of a role, a group, or of nobody is given to no user, whatever else isn't known of it.
  @Test(arguments: [
    ("aws_iam_role_policy", RuleStatus.pass), ("aws_iam_group_policy", .pass), ("aws_iam_policy", .pass),
    ("aws_iam_user_policy", .fail),
  ]) func whoHasPolicies(_ type: String, _ wanted: RuleStatus) throws {
    let plan = """
      {"format_version": "1.2", "resource_changes": [{"address": "\(type).p", "mode": "managed", "type": "\(type)",
        "name": "p", "provider_name": "hashicorp/aws",
        "change": {"actions": ["create"], "before": null, "after": {"name": "p", "policy": "{}", "role": "r",
          "group": "g", "user": "u"}, "after_unknown": {"id": true}}}]}
      """
    var resources: [ShapedResource] = []
    try plan.utf8.withContiguousStorageIfAvailable { bytes in
      try TerraformPlan.shape(UnsafeRawBufferPointer(bytes)) { resources.append($0) }
    }
    let file = try #require(try Self.files().first { $0.name.hasSuffix("users.guard") })
    let members = resources.map { (name: $0.name, value: $0.value) }
    let document = Value(.map(Members([("Resources", Value(.map(Members(members))))])))
    let result = try #require(
      try file.evaluate(document, now: 0).first { $0.name == "user_direct_policies" })
    #expect(result.status == wanted)
  }

  /// No value of a document, whatever it is, ends an evaluation with an error: one strange resource would hide all others.
  @Test(arguments: [
    "null", "true", "7", "1.5", "\"\"", "\"x\"", "[]", "[null]", "{}", "{\"a\": [1]}", "[[1]]",
    "{\"Ref\": \"X\"}",
    "-9223372036854775808", "\"99999999999999999999\"",
  ]) func noOddValueEndsAnEvaluation(_ text: String) throws {
    let value = try Value.reading(yaml: text)
    let files = try Self.files()
    for (type, properties) in Self.properties {
      let members = properties.map { (name: $0, value: value) }
      let nested = properties.map { name in
        (
          name: name,
          value: Value(.list([Value(.map(Members(Self.inner.map { (name: $0, value: value) })))]))
        )
      }
      for all in [members, nested] {
        let resource = Value(
          .map(Members([("Type", Value(.string(type))), ("Properties", Value(.map(Members(all))))])))
        let document = Value(
          .map(
            Members([
              ("Region", Value(.string("eu-west-1"))), ("Resources", Value(.map(Members([("R", resource)])))),
              ("Kabuto", Value(.map(Members([("Estate", Self.facts)])))),
            ])))
        for file in files { _ = try file.evaluate(document, now: 0) }
      }
    }
  }

  private static let facts: Value = {
    func list(_ text: String) -> Value { Value(.list([Value(.string(text))])) }
    return Value(
      .map(
        Members([
          ("Zones", list("eu-west-1a")), ("Ports", Value(.list([Value(.int(443))]))),
          ("PublicPorts", Value(.list([Value(.int(443))]))), ("NetworkServices", list("a")),
          ("Firewalls", list("a")), ("InstanceTypes", list("m7i")), ("Accounts", list("111122223333")),
          ("Regions", list("us-east-1")),
        ])))
  }()

  /// What rules ask for within lists of blocks.
  private static let inner = [
    "IpProtocol", "FromPort", "ToPort", "CidrIp", "Description", "Effect", "Principal", "Action", "Resource",
    "Condition", "Key", "Value", "Ebs", "Encrypted", "AssociatePublicIpAddress", "Type", "Grantee",
  ]

  /// What rules ask for, by type.
  private static let properties: [(String, [String])] = [
    (
      "AWS::EC2::SecurityGroup",
      ["GroupName", "GroupDescription", "SecurityGroupIngress", "SecurityGroupEgress"]
    ),
    (
      "AWS::EC2::SecurityGroupIngress",
      ["GroupId", "IpProtocol", "FromPort", "ToPort", "CidrIp", "Description"]
    ),
    (
      "AWS::S3::Bucket",
      [
        "BucketName", "AccessControl", "PublicAccessBlockConfiguration", "BucketEncryption",
        "VersioningConfiguration", "AccessControlPolicy",
      ]
    ),
    ("AWS::S3::BucketPolicy", ["Bucket", "PolicyDocument"]),
    ("AWS::Lambda::Permission", ["Principal", "SourceArn", "SourceAccount", "FunctionUrlAuthType"]),
    ("AWS::Lambda::Function", ["Environment", "Runtime", "PackageType"]), ("AWS::Lambda::Url", ["AuthType"]),
    ("AWS::CloudTrail::Trail", ["IsLogging", "IsMultiRegionTrail", "EnableLogFileValidation", "HomeRegion"]),
    ("AWS::Config::ConfigurationRecorder", ["Recording", "RecordingGroup"]),
    ("AWS::IAM::User", ["LoginProfile", "MFADevices", "Policies", "ManagedPolicyArns"]),
    ("AWS::IAM::AccessKey", ["AgeDays", "Status"]), ("AWS::IAM::ManagedPolicy", ["PolicyDocument", "Users"]),
    (
      "AWS::IAM::AccountPasswordPolicy", ["MinimumPasswordLength", "PasswordReusePrevention"]
    ),
    ("AWS::EC2::Volume", ["Encrypted"]),
    ("AWS::RDS::DBInstance", ["StorageEncrypted", "PubliclyAccessible"]),
    (
      "AWS::EC2::Instance",
      ["InstanceType", "SubnetId", "NetworkInterfaces", "AvailabilityZone", "BlockDeviceMappings"]
    ),
    ("AWS::EC2::Subnet", ["SubnetId", "MapPublicIpOnLaunch"]), ("AWS::EC2::EIP", ["InstanceId"]),
    ("AWS::EC2::RouteTable", ["Routes", "Associations"]), ("AWS::EC2::Route", ["RouteTableId", "GatewayId"]),
    ("AWS::AutoScaling::AutoScalingGroup", ["VPCZoneIdentifier", "AvailabilityZones"]),
    (
      "AWS::ElasticLoadBalancingV2::LoadBalancer", ["Type", "Scheme", "Subnets", "SubnetMappings", "Tags"]
    ),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", ["TargetType", "Protocol", "Tags"]),
    ("AWS::ElasticLoadBalancingV2::Listener", ["Port", "DefaultActions"]),
    ("AWS::WAFv2::WebACLAssociation", ["ResourceArn"]),
    ("AWS::CertificateManager::Certificate", ["DaysLeft", "ValidationMethod"]),
  ]
}
