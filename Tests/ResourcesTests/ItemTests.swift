// Configuration items, JSON, and one rule on a template, a plan and an item alike.

import Foundation
import GuardRules
import TestChance
import Testing

@testable import Resources

@Suite struct ItemTests {
  static func item(_ type: String, _ configuration: String, _ supplementary: String = "{}") -> String {
    "{\"resourceType\": \"\(type)\", \"arn\": \"arn:aws:x\", \"configurationItemStatus\": \"OK\", \"configuration\": \(configuration), \"supplementaryConfiguration\": \(supplementary), \"tags\": {\"t\": \"v\"}}"
  }
  static let snapshot =
    "{\"fileVersion\": \"1.0\", \"configurationItems\": ["
    + item(
      "AWS::S3::Bucket", "{\"name\": \"b\"}",
      "{\"ServerSideEncryptionConfiguration\": \"{\\\"rules\\\": []}\"}")
    + ", "
    + item(
      "AWS::EC2::SecurityGroup", "{\"ipPermissions\": [{\"fromPort\": 22, \"ipRanges\": [\"0.0.0.0/0\"]}]}")
    + "]}"

  @Test func oneManyAndSnapshotsAreRead() throws {
    let one = Self.item("AWS::KMS::Key", "{}")
    #expect(try items(one).count == 1)
    #expect(try items("[\(one), \(one)]").count == 2)
    #expect(
      try items(Self.snapshot).map(\.type) == [
        "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::EC2::SecurityGroup",
      ])
    #expect(try items(one.replacingOccurrences(of: "OK", with: "ResourceDeleted")).isEmpty)
    #expect(try items(Self.item("AWS::New::Thing", "{}"))[0].type == nil)
    #expect(
      try items(Self.item("AWS::EC2::Volume", "\"{\\\"encrypted\\\": true}\""))[0].properties["Encrypted"]?
        .text == "true")
    #expect(
      try items(Self.item("AWS::EC2::Volume", "{}"))[0].properties["Tags"]?.text
        == "[{\"Key\":\"t\",\"Value\":\"v\"}]")
  }

  /// AWS Config writes what isn't there as a block of nulls.
  @Test(arguments: [
    ("{\"destinationBucketName\": null, \"logFilePrefix\": null}", RuleStatus.fail), ("null", .fail),
    ("{}", .fail),
    ("{\"destinationBucketName\": \"l\", \"logFilePrefix\": null}", .pass),
  ])
  func aBlockInWhichNothingIsGivenIsNothing(_ logging: String, _ wanted: RuleStatus) throws {
    let item = Self.item(
      "AWS::S3::Bucket", "{\"name\": \"b\"}", "{\"BucketLoggingConfiguration\": \(logging)}")
    let clause = "Resources.*[ Type == 'AWS::S3::Bucket' ].Properties.LoggingConfiguration exists"
    #expect(try status(clause, try items(item).document) == wanted)
  }

  @Test func aBucketsPolicyIsAResource() throws {
    func of(_ supplementary: String) throws -> [ShapedResource] {
      try items(Self.item("AWS::S3::Bucket", "{\"name\": \"b\"}", supplementary))
    }
    let clause =
      "Resources.*[ Type == 'AWS::S3::BucketPolicy' ].Properties { Bucket == 'b'  PolicyDocument.Statement[*].Principal != '*' }"
    func statement(_ principal: String) -> String {
      "{\"BucketPolicy\": {\"policyText\": \"{\\\"Statement\\\": [{\\\"Principal\\\": \\\"\(principal)\\\"}]}\"}}"
    }
    #expect(try status(clause, try of(statement("*")).document) == .fail)
    #expect(try status(clause, try of(statement("x")).document) == .pass)
    #expect(try of(statement("*")).map(\.name) == ["arn:aws:x", "arn:aws:x#BucketPolicy"])
    #expect(try of("{\"BucketPolicy\": {\"policyText\": null}}").count == 1)
    // An item always says whether there is one.
    #expect(try status(clause, try of("{}").document) == .unknown)
  }

  @Test(arguments: ["{", "\\\"{"]) func aFunctionsPolicyIsPermissions(_ begin: String) throws {
    let text =
      "{\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"lambda:InvokeFunction\"}, "
      + "{\"Effect\": \"Allow\", \"Principal\": {\"Service\": \"s3.amazonaws.com\"}, \"Condition\": {\"StringEquals\": {\"AWS:SourceAccount\": \"1\"}}}, "
      + "{\"Effect\": \"Deny\", \"Principal\": \"*\"}]}"
    func quoted(_ text: String) -> String {
      "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
        + "\""
    }
    let policy = begin == "{" ? quoted(text) : quoted(quoted(text))
    let all = try items(
      Self.item("AWS::Lambda::Function", "{\"functionArn\": \"arn:f\"}", "{\"Policy\": \(policy)}"))
    let permissions = all.filter { $0.type == "AWS::Lambda::Permission" }
    #expect(permissions.map { $0.properties["Principal"]?.string } == ["*", "s3.amazonaws.com"])
    #expect(permissions.map { $0.properties["FunctionName"]?.string } == ["arn:f", "arn:f"])
    #expect(permissions.last?.properties["SourceAccount"]?.string == "1")
    #expect(try items(Self.item("AWS::Lambda::Function", "{}")).count == 1)
  }

  @Test(arguments: [
    "{}", "[5]", "{\"configurationItems\": [{}]}", "{\"resourceType\": \"x\"}", "", "[",
    "{\"configurationItems\": [] } x",
  ])
  func whatIsNoItemIsRefused(_ text: String) { #expect(throws: DocumentFault.self) { try items(text) } }

  @Test func rulesOfGroupsThatAnItemDoesNotSpeakOfAreUnknown() throws {
    func of(_ configuration: String, _ clause: String) throws -> RuleStatus {
      try status(
        "Resources.*.Properties.\(clause)",
        try items(Self.item("AWS::EC2::SecurityGroup", configuration)).document)
    }
    #expect(try of("{}", "SecurityGroupIngress exists") == .unknown)
    #expect(try of("{\"ipPermissions\": []}", "SecurityGroupIngress !empty") == .fail)
    #expect(
      try of(
        "{\"ipPermissions\": [{\"ipv4Ranges\": [{\"cidrIp\": \"0.0.0.0/0\"}], \"ipRanges\": [\"0.0.0.0/0\"]}]}",
        "SecurityGroupIngress[*].CidrIp == '0.0.0.0/0'") == .pass)
    #expect(
      try of(
        "{\"ipPermissions\": [{\"prefixListIds\": [\"pl-1\"]}]}",
        "SecurityGroupIngress[*].SourcePrefixListId == 'pl-1'") == .pass)
    #expect(
      try of("{\"ipPermissions\": [{\"fromPort\": 1}]}", "SecurityGroupIngress[*].FromPort == 1") == .pass)
  }

  @Test(.enabled(if: GovernanceData.isThere, GovernanceData.missing))
  func publishedItemsAreRead() throws {
    var types: Set<String> = []
    for path in GovernanceData.files(".json") where path.contains("/aws-config-items/") {
      for resource in try items(try GovernanceData.text(path)) {
        if let type = resource.type { types.insert(type) }
      }
    }
    #expect(types.count >= 9)
  }
}

@Suite struct JSONReaderTests {
  @Test(arguments: [
    ("{\"a\": [1, -2, 1.5, 1e3, true, false, null]}", "{\"a\":[1,-2,1.5,1000.0,true,false,null]}"),
    ("\"\\u00e9\\ud83d\\ude00\\n\\/\"", "\"é😀\n/\""),
    ("\"\\ud83d\"", "\"\u{FFFD}\""), (" [ ] ", "[]"), ("{}", "{}"), ("99999999999999999999", "1e+20"),
    ("{\"a\": 1, \"a\": 2}", "{\"a\":2}"), ("\u{FEFF}1", "1"),
  ])
  func isRead(_ text: String, _ value: String) throws {
    #expect(try JSONReader.value(of: text).text == value)
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\"}", "{a: 1}", "01", "1.", "1e", "-", "tru", "\"a", "\"\\x\"", "\"\\u12\"",
    "\"\\u+123\"", "\"\n\"", "1 2", "1e999", "[1 2]", "nul", "'a'",
  ])
  func isRefused(_ text: String) { #expect(throws: DocumentFault.self) { try JSONReader.value(of: text) } }

  @Test func placesAreTold() throws {
    let value = try JSONReader.value(of: "{\n  \"a\": [1,\n    {\"b\": 2}]}")
    #expect(value["a"]?.list?[1]["b"]?.place == TextPlace(line: 3, column: 11))
  }
}

/// A rule of the registry on a template, a plan and an item: the same verdict on the same resource, good and bad.
@Suite struct JSONSkipTests {
  static let text =
    "{\"a\": [1, -2.5e3, true, null, \"x\\n\\u00e9\", {\"b\": {}, \"c\": []}], \"type\": \"AWS::A\", \"long name of more than fifteen\": {\"type\": \"inner\"}}"

  /// Whatever can be read can be passed over, and ends at the same place.
  @Test func passingOverIsReadingWithoutTheValueFuzz() {
    fuzz(rounds: 5_000) { round in
      var chance = Chance(round: round)
      let text = round == 0 ? Self.text : chance.mutated(Self.text, InputFuzzTests.signs)
      Data(text.utf8).withUnsafeBytes { bytes in
        var reading = JSONReader(bytes)
        var passing = JSONReader(bytes)
        let isRead = (try? reading.value()) != nil
        let isPassed = (try? passing.skip()) != nil
        let (read, passed) = (reading.position, passing.position)
        if isRead { #expect(isPassed && read == passed, seedNote) }
        var keeping = JSONReader(bytes)
        if let found = try? keeping.skip(keeping: ["type", "none"]) {
          let kept = keeping.position
          #expect(isPassed && kept == passed, seedNote)
          #expect(found[1] == nil || text.contains("none"), seedNote)
        }
      }
    }
  }

  @Test func membersAreKeptOnTheWay() throws {
    func kept(_ text: String) throws -> [String?]? {
      try Data(text.utf8).withUnsafeBytes { bytes in
        var reader = JSONReader(bytes)
        return try reader.skip(keeping: ["type", "mode"])
      }
    }
    #expect(try kept(Self.text) == ["AWS::A", nil])
    // The later of two counts, as where it is read; an escaped name is only known by reading.
    #expect(try kept("{\"type\": \"a\", \"type\": \"b\"}") == ["b", nil])
    #expect(try kept("{\"type\": \"a\", \"type\": 5}") == [nil, nil])
    #expect(try kept("{\"t\\u0079pe\": \"a\"}") == nil)
    #expect(try kept("[]") == nil)
  }

  @Test func memoryIsBoundedAndProgressTold() throws {
    let text = "[" + (0..<300_000).map { "\"value number \($0)\"" }.joined(separator: ",") + "]"
    Data(text.utf8).withUnsafeBytes { bytes in
      var small = JSONReader(bytes, mostBytes: 1 << 20)
      var refused = ""
      do throws(DocumentFault) { _ = try small.value() } catch { refused = error.found }
      #expect(refused == "more values than 1 MiB hold")
      var places: [Int] = []
      var reader = JSONReader(bytes, passed: { places.append($0) })
      let isPassed = (try? reader.skip()) != nil
      #expect(
        isPassed && !places.isEmpty && places == places.sorted() && places.allSatisfy { $0 <= bytes.count })
    }
  }

  @Test func theDeepestIsPassedOverAndDeeperIsRefused() {
    for (depth, isFine) in [(128, true), (129, false), (100_000, false)] {
      for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        Data(text.utf8).withUnsafeBytes { bytes in
          var reader = JSONReader(bytes)
          let isPassed = (try? reader.skip()) != nil
          #expect(isPassed == isFine)
        }
      }
    }
  }
}

@Suite struct OneRuleTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let rule: String
    /// The resource as a template, a plan's change, and an item has it; the bad one differs by one word.
    let template: String
    let plan: (address: String, after: String)
    let item: String
    let good: String
    let bad: String
    var testDescription: String { rule }
  }

  static let cases = [
    Case(
      rule: "amazon_s3/s3_bucket_server_side_encryption_enabled",
      template:
        "{Type: 'AWS::S3::Bucket', Properties: {BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: WORD}}]}}}",
      plan: (
        "aws_s3_bucket.a",
        "{\"server_side_encryption_configuration\": [{\"rule\": [{\"apply_server_side_encryption_by_default\": [{\"sse_algorithm\": \"WORD\"}]}]}]}"
      ),
      item: ItemTests.item(
        "AWS::S3::Bucket", "{}",
        "{\"ServerSideEncryptionConfiguration\": {\"rules\": [{\"applyServerSideEncryptionByDefault\": {\"sseAlgorithm\": \"WORD\"}}]}}"
      ), good: "AES256", bad: "none"),
    Case(
      rule: "amazon_s3/s3_bucket_versioning_enabled",
      template: "{Type: 'AWS::S3::Bucket', Properties: {VersioningConfiguration: {Status: WORD}}}",
      plan: ("aws_s3_bucket.a", "{\"versioning\": [{\"enabled\": WORD}]}"),
      item: ItemTests.item(
        "AWS::S3::Bucket", "{}", "{\"BucketVersioningConfiguration\": {\"status\": \"WORD\"}}"),
      good: "Enabled", bad: "Suspended"),
    Case(
      rule: "cloudtrail/cloud_trail_log_file_validation_enabled",
      template: "{Type: 'AWS::CloudTrail::Trail', Properties: {EnableLogFileValidation: WORD}}",
      plan: ("aws_cloudtrail.a", "{\"enable_log_file_validation\": WORD}"),
      item: ItemTests.item("AWS::CloudTrail::Trail", "{\"logFileValidationEnabled\": WORD}"), good: "true",
      bad: "false"),
    Case(
      rule: "amazon_rds/rds_storage_encrypted",
      template: "{Type: 'AWS::RDS::DBInstance', Properties: {StorageEncrypted: WORD}}",
      plan: ("aws_db_instance.a", "{\"storage_encrypted\": WORD}"),
      item: ItemTests.item("AWS::RDS::DBInstance", "{\"storageEncrypted\": WORD}"), good: "true", bad: "false"
    ),
    Case(
      rule: "amazon_ec2/encrypted_volumes",
      template: "{Type: 'AWS::EC2::Volume', Properties: {Encrypted: WORD}}",
      plan: ("aws_ebs_volume.a", "{\"encrypted\": WORD}"),
      item: ItemTests.item("AWS::EC2::Volume", "{\"encrypted\": WORD}"), good: "true", bad: "false"),
    Case(
      rule: "amazon_ec2/security_group_ingress_cidr_non_32_rule",
      template:
        "{Type: 'AWS::EC2::SecurityGroup', Properties: {SecurityGroupIngress: [{CidrIp: WORD, FromPort: 22}]}}",
      plan: ("aws_security_group.a", "{\"ingress\": [{\"cidr_blocks\": [\"WORD\"], \"from_port\": 22}]}"),
      item: ItemTests.item(
        "AWS::EC2::SecurityGroup", "{\"ipPermissions\": [{\"fromPort\": 22, \"ipRanges\": [\"WORD\"]}]}"),
      good: "10.0.0.1/32", bad: "0.0.0.0/0"),
  ]

  @Test(.enabled(if: GovernanceData.isThere, GovernanceData.missing), arguments: cases)
  func saysTheSameOfTemplatePlanAndItem(_ each: Case) throws {
    let file = try RuleFile(
      try GovernanceData.text("aws-guard-rules-registry/rules/aws/\(each.rule).guard"), name: each.rule)
    for (word, wanted) in [(each.good, RuleStatus.pass), (each.bad, .fail)] {
      let flag = each.plan.after.contains("\"enabled\": WORD") ? (word == "Enabled" ? "true" : "false") : word
      let template = "Resources: {A: \(each.template.replacingOccurrences(of: "WORD", with: word))}"
      let change = PlanTests.change(
        each.plan.address, each.plan.after.replacingOccurrences(of: "WORD", with: flag))
      let documents = [
        try Template(try Value.reading(yaml: template)).resolved, try plan(PlanTests.text([change])).document,
        try items(each.item.replacingOccurrences(of: "WORD", with: word)).document,
      ]
      #expect(
        try documents.map { try file.evaluate($0, now: 0).status } == [wanted, wanted, wanted], "\(word)")
    }
    // What a plan says is known later is neither.
    let type = each.plan.after.split(separator: "\"")[1]
    let change = PlanTests.change(each.plan.address, "{}", unknown: "{\"\(type)\": true}")
    #expect(try file.evaluate(try plan(PlanTests.text([change])).document, now: 0).status == .unknown)
  }
}
