// Catalogues from files: what is read, and that all faults are told with their places.

import Foundation
import GuardRules
import TestChance
import Testing

@testable import Controls

@Suite struct CatalogueFileTests {
  static let good = """
    organisation: Test
    regions: [ap-northeast-1, eu-west-1]
    services:
      - id: s3
        name: Storage
        assessed: {on: 2026-01-02, by: me, until: 2027-01-02}
        allowed: yes
        denied: [DeleteBucket]
        types: ["AWS::S3::*"]
        rules:
          - rule: s3_encrypted
          - file: rules/s3.guard
          - condition: {en: Not public., ja: 公開しない。}
          - condition: Tagged.
      - id: iam
        assessed: {on: 2026-01-02, by: me}
        allowed: yes
        types: ["AWS::IAM::*"]
      - id: edge
        prefixes: [acm, kms]
        assessed: {on: 2026-01-02, by: me}
        allowed: yes
        actions: [acm:*, kms:Get*, kms:List*, kms:Encrypt]
        regions: us-east-1
        operate: kms:Encrypt
      - id: new
        allowed: no
        types: ["AWS::New::*"]
    groups:
      - id: auditor
        purpose: Looks
        access: [{services: "*", level: read}]
        members: [a, b]
    """

  @Test func nothingIsAssessedInTheFuture() throws {
    let day = try #require(CalendarDay("2026-01-01"))
    // Where the writer is it may be a day later.
    #expect(throws: Never.self) { try Catalogue(yaml: Self.good, today: day) }
    let before = try #require(CalendarDay("2025-12-31"))
    let faults = try #require(throws: DocumentFaults.self) { try Catalogue(yaml: Self.good, today: before) }
    #expect(faults.all.map(\.place.line) == [6, 16, 21])
    #expect(faults.all[0].description.contains("assessed on 2026-01-02"))
  }

  @Test func listsThatAreNeededAreNotEmpty() {
    for (from, to) in [("prefixes: [acm, kms]", "prefixes: []"), ("services: \"*\"", "services: []")] {
      let text = Self.good.replacing(from, with: to)
      #expect(text != Self.good)
      #expect(throws: DocumentFaults.self) { try Catalogue(yaml: text) }
    }
  }

  @Test func aGoodOne() throws {
    let catalogue = try Catalogue(yaml: Self.good)
    #expect(catalogue.services.map(\.id) == ["s3", "iam", "edge", "new"])
    let s3 = catalogue.services[0]
    #expect(
      s3.assessment
        == Assessment(on: try #require(CalendarDay("2026-01-02")), by: "me", until: CalendarDay("2027-01-02"))
    )
    #expect(s3.actions.map(\.text) == ["s3:*"])
    #expect(s3.reads.map(\.text) == ["s3:Get*", "s3:List*", "s3:Describe*"])
    #expect(s3.regions == ["ap-northeast-1", "eu-west-1"])
    #expect(
      s3.rules == [
        .rule("s3_encrypted"), .file("rules/s3.guard"), .condition(en: "Not public.", ja: "公開しない。"),
        .condition(en: "Tagged.", ja: "Tagged."),
      ])
    #expect(catalogue.services[1].regions == nil)
    let edge = catalogue.services[2]
    #expect(edge.regions == ["us-east-1"])
    // Get* and List* of kms are within; Describe* isn't, and acm's all are.
    #expect(
      Set(edge.reads.map(\.text)) == ["acm:Get*", "acm:List*", "acm:Describe*", "kms:Get*", "kms:List*"])
    #expect(catalogue.users.map(\.name) == ["a", "b"])
    #expect(catalogue.service(ofType: "AWS::S3::Bucket")?.id == "s3")
    #expect(catalogue.service(ofType: "AWS::EC2::Instance") == nil)
  }

  @Test func decisions() throws {
    let catalogue = try Catalogue(yaml: Self.good)
    #expect(catalogue.decision("s3:GetObject", region: "eu-west-1") == .allowed(by: "s3"))
    #expect(!catalogue.decision("s3:GetObject", region: "us-east-1").isAllowed)
    #expect(catalogue.decision("iam:GetUser", region: "us-east-1").isAllowed)
    #expect(
      catalogue.decision("s3:deletebucket", region: "eu-west-1") == .denied("s3 denies s3:DeleteBucket"))
    #expect(
      catalogue.decision("new:Thing", region: "eu-west-1") == .denied("new isn't allowed and has new:*"))
    #expect(!catalogue.decision("sqs:Send", region: "eu-west-1").isAllowed)
  }

  @Test func allFaultsAreToldWithTheirPlaces() throws {
    let bad = """
      organisation: ""
      regoins: [ap-northeast-1]
      services:
        - id: S3
          allowed: maybe
          assessed: {on: 2026-13-02, by: me}
        - id: ec2
          allowed: yes
          actions: [ec2:*, s3:Get*, "a b"]
          regions: [Tokyo]
        - id: ec2
          assessed: {on: 2026-01-02, by: me, until: 2025-01-01}
          allowed: yes
          denied: "*"
          types: EC2
          regions: eu-west-1
          rules: [{}]
          read: [Lambda]
        - name: nobody
      groups:
        - id: a b
          access: [{services: [ec3], level: rea}]
          members: [x, x]
      exempt_roles: [BreakGlass]
      """
    let faults = try #require(throws: DocumentFaults.self) { try Catalogue(yaml: bad) }
    let told = faults.all.map(\.description)
    func isTold(_ line: Int, _ words: String...) {
      #expect(
        told.contains { text in text.hasPrefix("\(line):") && words.allSatisfy { text.contains($0) } },
        "\(line) \(words): \(told.joined(separator: "\n"))")
    }
    isTold(1, "an empty text")
    isTold(2, "regoins", "did you mean \"regions\"?")
    isTold(4, "S3", "small letters")
    isTold(5, "maybe", "yes or no")
    isTold(6, "2026-13-02", "YYYY-MM-DD")
    isTold(7, "ec2 allowed, but not assessed")
    isTold(9, "s3:Get*", "a prefix of this service: ec2")
    isTold(9, "a b", "letters")
    isTold(10, "Tokyo", "ap-northeast-1")
    isTold(11, "ec2", "a second time, after line 7")
    isTold(12, "until 2025-01-01", "a day after")
    isTold(11, "allows ec2:* and denies ec2:*")
    isTold(15, "EC2", "AWS::S3::*")
    isTold(17, "an empty rule of use")
    isTold(19, "services[3] without id")
    isTold(22, "ec3", "did you mean \"ec2\"?")
    isTold(22, "rea", "did you mean \"read\"?")
    isTold(23, "\"x\" twice")
    isTold(24, "BreakGlass", ":role/")
    #expect(told.allSatisfy { $0.contains("; wanted ") })
  }

  @Test func whatDoesNotFitTogether() throws {
    func fault(_ services: String, _ rest: String = "") -> String {
      let text = "organisation: T\nregions: [eu-west-1]\nservices:\n" + services + "\n" + rest
      do {
        _ = try Catalogue(yaml: text)
        return ""
      } catch { return "\(error)" }
    }
    let assessed = "assessed: {on: 2026-01-02, by: me}"
    #expect(
      fault("  - {id: s3, \(assessed), allowed: yes}\n  - {id: x, prefixes: s3, allowed: no}").contains(
        "takes back"))
    #expect(fault("  - {id: iam, \(assessed), allowed: yes, regions: eu-west-1}").contains("shut it off"))
    #expect(
      fault("  - {id: a, allowed: no, types: 'AWS::A::*'}\n  - {id: b, allowed: no, types: 'AWS::A::*'}")
        .contains("has it too"))
    #expect(
      fault("  - {id: a, allowed: no}", "groups: [{id: g, access: [{services: a, level: read}]}]").contains(
        "isn't allowed"))
    #expect(
      fault("  - {id: s3, \(assessed), allowed: yes, actions: Get*, read: List*}").contains(
        "within the service's"))
    #expect(fault("  - {id: s3, \(assessed), allowed: yes, actions: Get*, read: GetObject}").isEmpty)
    #expect(fault("  - [s3]").contains("services[0]: a list"))
  }

  @Test func hostileFiles() {
    for text in [
      "", "[", "- x", "a: &b [*b]", "services: 1", String(repeating: "[", count: 100_000),
      "organisation: {a: b}",
    ] {
      #expect(throws: DocumentFaults.self) { try Catalogue(yaml: text) }
    }
  }

  static let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Catalogues/example.yaml")

  @Test func theExampleIsGoodAndAllItsPoliciesFit() throws {
    let catalogue = try Catalogue(yaml: String(contentsOf: Self.example, encoding: .utf8))
    #expect(catalogue.services.count >= 30)
    #expect(
      try catalogue.permissionBoundary().document.characterCount <= PolicyLimits.managedPolicyCharacters)
    #expect(try catalogue.serviceControlPolicies().form == .deny)
    #expect(try !catalogue.narrowedUsers().users.isEmpty)
  }

  /// The example's policies on actions that people know, and on random ones.
  @Test func theExamplesPoliciesSayWhatItSays() throws {
    let catalogue = try Catalogue(yaml: String(contentsOf: Self.example, encoding: .utf8))
    let boundary = try catalogue.permissionBoundary().document
    let control =
      try catalogue.serviceControlPolicies().policies.map(\.document) + [GeneratedPolicyTests.fullAccess]
    let prefixes = catalogue.services.flatMap(\.prefixes) + ["sagemaker", "quicksight", "bedrock"]
    let patterns = catalogue.services.flatMap { $0.actions + $0.denied }
    var chance = Chance(round: 20)
    var (allowed, all) = (0, 0)
    for _ in 0..<1_500 {
      let words = [
        "Get", "Put", "Delete", "Describe", "Create", "Object", "Vpc", "Volume", "Bucket", "Acl", "Key", "X",
      ]
      var action = "\(chance.pick(prefixes)):\(chance.pick(words))\(chance.pick(words))\(chance.pick(words))"
      if chance.below(2) == 0 {
        action = chance.pick(patterns).text.replacingOccurrences(of: "*", with: chance.pick(words))
      }
      // What keeps the boundary on is beside the catalogue.
      if action.hasPrefix("iam:"), action.contains("Boundary") || action.contains("Create") { continue }
      let region = chance.pick(["ap-northeast-1", "ap-northeast-3", "us-east-1", "eu-west-1"])
      let wanted = catalogue.decision(action, region: region).isAllowed
      let request = GeneratedPolicyTests.request(action, region)
      #expect((request.verdict(of: [boundary]) == .allowed) == wanted, "\(action) \(region) \(seedNote)")
      #expect((request.verdict(of: control) == .allowed) == wanted, "\(action) \(region) \(seedNote)")
      all += 1
      allowed += wanted ? 1 : 0
    }
    #expect(allowed > all / 10 && allowed < all * 9 / 10)
  }

  @Test func theSchemaHasTheReadersNames() throws {
    let schema = try #require(
      JSONSerialization.jsonObject(with: Data(Catalogue.schema.utf8)) as? [String: Any])
    let inner = try #require(schema["$defs"] as? [String: Any])
    func names(_ record: Any?) -> Set<String> {
      Set(((record as? [String: Any])?["properties"] as? [String: Any] ?? [:]).keys)
    }
    for (what, fields) in Catalogue.names {
      let key = what == "rule of use" ? "rule" : what
      #expect(names(what == "catalogue" ? schema : inner[key]) == Set(fields), "\(what)")
    }
  }
}
