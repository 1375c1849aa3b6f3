// Plans and items looked at resource by resource: how many at once changes nothing, memory is bounded by what is said, and
// what doesn't fit is told.

import Foundation
import GuardRules
import Resources
import Testing

@testable import Governance

@Suite struct StreamedCheckTests {
  static let rules = """
    let groups = Resources.*[ Type == 'AWS::EC2::SecurityGroup' ]
    let volumes = Resources.*[ Type == 'AWS::EC2::Volume' ]
    let buckets = Resources.*[ Type == 'AWS::S3::Bucket' ]
    rule closed when %groups !empty {
      let open = %groups[ some Properties.SecurityGroupIngress[*].CidrIp == '0.0.0.0/0' ]
      %open empty <<open to all>>
    }
    rule encrypted when %volumes !empty { %volumes.Properties { Encrypted == true KmsKeyId exists } }
    rule few { let n = count(%volumes) %n < 10 }
    rule named when %buckets !empty { %buckets.Properties.BucketName != /secret/ }
    rule one_is_small when %volumes !empty { some %volumes.Properties.Size < 5 }
    """

  static func item(_ number: Int) -> String {
    switch number % 4 {
    case 0:
      "{\"configurationItemStatus\":\"OK\",\"resourceType\":\"AWS::EC2::SecurityGroup\",\"arn\":\"arn:g\(number)\",\"configuration\":{\"groupName\":\"g\",\"ipPermissions\":[{\"ipProtocol\":\"tcp\",\"ipv4Ranges\":[{\"cidrIp\":\"\(number % 8 == 0 ? "0.0.0.0/0" : "10.0.0.0/8")\"}]}]}}"
    case 1:
      "{\"configurationItemStatus\":\"OK\",\"resourceType\":\"AWS::EC2::Volume\",\"arn\":\"arn:v\(number)\",\"configuration\":{\"volumeId\":\"v\",\"size\":\(number),\"encrypted\":\(number % 3 == 0)}}"
    case 2:
      "{\"configurationItemStatus\":\"OK\",\"resourceType\":\"AWS::S3::Bucket\",\"arn\":\"arn:b\(number)\",\"configuration\":{\"name\":\"b\(number)\"}}"
    default:
      "{\"configurationItemStatus\":\"OK\",\"resourceType\":\"AWS::Unheard::Of\",\"arn\":\"arn:u\(number)\",\"configuration\":{}}"
    }
  }

  struct Folder: ~Copyable {
    let path = NSTemporaryDirectory() + "kabuto-streamed-\(UUID().uuidString)"
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func write(_ name: String, _ text: String) throws -> String {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
      return path + "/" + name
    }
  }

  static func check(_ rules: String, batch: Int = 512, memory: Int = 256, kept: Int = 25_000) throws -> Check
  {
    var limits = CheckLimits()
    (limits.batchCount, limits.memoryBytes, limits.keptFindingCount) = (batch, memory << 20, kept)
    return Check(try RuleSet(text: rules, name: "t.guard"), limits: limits, now: 0)
  }

  static func brief(_ result: CheckResult) -> [String] {
    result.results.map { "\($0.rule) \($0.status)" } + result.findings.map { "\($0)" } + result.faults
  }

  @Test func howManyResourcesAtOnceChangesNothing() throws {
    let folder = try Folder()
    let items = (0..<90).map(Self.item)
    let snapshot = try folder.write(
      "snapshot.json", "{\"configurationItems\":[\(items.joined(separator: ","))]}")
    let whole = try Self.check(Self.rules, batch: 1_000).run([snapshot])
    let statuses = Dictionary(uniqueKeysWithValues: whole.results.map { ($0.rule, $0.status) })
    #expect(
      statuses == [
        "closed": .fail, "encrypted": .fail, "few": .fail, "named": .unknown, "one_is_small": .pass,
      ]
        || statuses == [
          "closed": .fail, "encrypted": .fail, "few": .fail, "named": .pass, "one_is_small": .pass,
        ])
    #expect(whole.findings.count > 50 && whole.faults.isEmpty)
    // Each resource's findings stand together, in the order of the resources.
    let shapeless = whole.findings.filter { $0.rule == "kabuto_shape" }.map(\.resource)
    #expect(shapeless == (0..<90).filter { $0 % 4 == 3 }.map { "arn:u\($0)" })
    #expect(whole.findings.filter { $0.rule == "closed" }.allSatisfy { !$0.resource.isEmpty })
    for batch in [1, 2, 7, 89] {
      #expect(Self.brief(try Self.check(Self.rules, batch: batch).run([snapshot])) == Self.brief(whole))
    }
    // An item a line, and a list, say the same.
    for (name, text) in [
      ("lines.jsonl", items.joined(separator: "\n") + "\n"),
      ("list.json", "[\(items.joined(separator: ",\n"))]"),
    ] {
      let other = try Self.check(Self.rules, batch: 8).run([try folder.write(name, text)])
      #expect(
        other.findings.map { "\($0.rule) \($0.resource) \($0.path) \($0.found)" }
          == whole.findings.map { "\($0.rule) \($0.resource) \($0.path) \($0.found)" })
    }
  }

  @Test func whatNoRuleLooksAtIsPassedOver() throws {
    let folder = try Folder()
    let path = try folder.write("list.json", "[\((0..<40).map(Self.item).joined(separator: ","))]")
    let some = try Self.check("rule r { AWS::EC2::Volume { Properties.Encrypted == true } }").run([path])
    let all = try Self.check(
      "rule r { Resources.*[ Type == /Volume$/ ] { Properties.Encrypted == true } }"
    ).run([path])
    #expect(some.findings.map(\.resource) == all.findings.map(\.resource) && some.findings.count > 10)
    let none = try Self.check(
      "rule r { AWS::SQS::Queue { Properties.X exists } }\nrule s { Resources.*[ Type == 'A::B' ] empty }"
    )
    .run([path])
    #expect(none.results.map(\.status) == [.skip, .pass])
    #expect(none.findings.allSatisfy { $0.rule == "kabuto_shape" })
  }

  @Test func whatDoesNotFitIsTold() throws {
    let folder = try Folder()
    let name = String(repeating: "n", count: 40_000)
    let items = (0..<300).map { Self.item(4 * $0 + 1).replacingOccurrences(of: "\"v\"", with: "\"\(name)\"") }
    let path = try folder.write("list.json", "[\(items.joined(separator: ","))]")
    let rules =
      "rule each { AWS::EC2::Volume { Properties.Encrypted == true } }\nrule all { Resources.*[ Properties.KmsKeyId == 'a' or Properties.Size == 1 ] !empty }"
    let result = try Self.check(rules, memory: 256).run([path])
    #expect(result.faults.isEmpty && result.results.count == 2)
    // Volumes' names aren't theirs in this shape: only what is kept counts.
    let groups = (0..<300).map { Self.item(4 * $0).replacingOccurrences(of: "\"g\"", with: "\"\(name)\"") }
    let large = try folder.write("groups.json", "[\(groups.joined(separator: ","))]")
    let small = try Self.check(
      "rule each { AWS::EC2::SecurityGroup { Properties.GroupName exists } }\nrule all { let n = count(Resources.*[ Type == 'AWS::EC2::SecurityGroup' ]) %n < 9 }",
      memory: 16
    ).run([large])
    #expect(small.results.map(\.rule) == ["each"])
    #expect(small.results.map(\.status) == [.pass])
    #expect(small.faults.count == 1)
    #expect(small.faults.first?.contains("rule all looks at several resources at once") == true)
    // A single value beyond the bound is a fault with its place.
    let huge = try folder.write(
      "huge.json",
      "[\(Self.item(0).replacingOccurrences(of: "\"g\"", with: "\"\(String(repeating: "x", count: 5 << 20))\""))]"
    )
    let refused = try Self.check(Self.rules, memory: 16).run([huge])
    #expect(refused.faults.count == 1 && refused.faults[0].contains("more values than 4 MiB hold"))
  }

  @Test func findingsBeyondTheBoundAreCountedOrHandedOn() throws {
    let folder = try Folder()
    let path = try folder.write("list.json", "[\((0..<400).map(Self.item).joined(separator: ","))]")
    let all = try Self.check(Self.rules, batch: 16).run([path])
    let kept = try Self.check(Self.rules, batch: 16, kept: 50).run([path])
    #expect(kept.findings == Array(all.findings.prefix(50)))
    #expect(kept.omittedCount == all.findings.count - 50 && kept.status == .fail)
    #expect(kept.results.map(\.status) == all.results.map(\.status))
    var told: [Finding] = []
    let handed = try Self.check(Self.rules, batch: 16, kept: 50).run([path]) { told += $0.findings }
    #expect(told + handed.findings == all.findings && handed.omittedCount == 0)
    #expect(handed.findingCount == all.findingCount && handed.status == all.status)
  }

  @Test func whatWasFoundBeforeAFaultIsToldWithIt() throws {
    let folder = try Folder()
    let path = try folder.write(
      "cut.json", "[\((0..<40).map(Self.item).joined(separator: ",")), {\"resourceType\": ")
    let result = try Self.check(Self.rules, batch: 4).run([path])
    #expect(result.faults.count == 1 && result.findings.count > 10)
    // What is broken already stays so; of all others it can't be told.
    let statuses = Dictionary(uniqueKeysWithValues: result.results.map { ($0.rule, $0.status) })
    #expect(
      statuses == [
        "closed": .fail, "encrypted": .fail, "few": .unknown, "named": .unknown, "one_is_small": .unknown,
      ])
    #expect(result.status == .fail && result.results.filter { $0.status == .fail }.allSatisfy(\.hasUnknown))
  }

  private static func change(_ number: Int, _ type: String, _ after: String) -> String {
    "{\"address\":\"\(type).r\(number)\",\"mode\":\"managed\",\"type\":\"\(type)\",\"change\":{\"actions\":[\"create\"],\"after\":\(after)}}"
  }

  @Test func aCutPlanTellsWhatWasFoundAndNothingOfWhatAPartMaySay() throws {
    let folder = try Folder()
    let changes =
      (0..<20).map { Self.change($0, "aws_ebs_volume", "{\"size\":5,\"encrypted\":false}") }
      + [Self.change(20, "aws_s3_bucket", "{\"bucket\":\"b\"}")]
    let whole = "{\"format_version\":\"1.2\",\"resource_changes\":[\(changes.joined(separator: ","))"
    let rules = """
      rule encrypted { AWS::EC2::Volume { Properties.Encrypted == true } }
      rule versioned { AWS::S3::Bucket { Properties.VersioningConfiguration exists } }
      rule none { AWS::SQS::Queue { Properties.X exists } }
      """
    for (name, end) in [("cut.json", ",{\"addr"), ("errored.json", "],\"errored\":true}")] {
      let result = try Self.check(rules, batch: 4).run([try folder.write(name, whole + end)])
      #expect(result.faults.count == 1 && result.status == .fail)
      #expect(result.findings.count { $0.rule == "encrypted" && $0.status == "FAIL" } == 20)
      let isCut = name == "cut.json"
      #expect(
        result.findings.filter { $0.rule == "versioned" }.map(\.status) == [isCut ? "UNKNOWN" : "FAIL"])
      #expect(result.results.map(\.status) == [.fail, isCut ? .unknown : .fail, .unknown])
    }
  }

  @Test func aPlanThatCannotBeReadToItsEndIsCheckedWithoutTheCatalogue() throws {
    let folder = try Folder()
    let catalogue = try folder.write(
      "c.yaml",
      """
      organisation: Test
      regions: [ap-northeast-1]
      services: [{id: ec2, assessed: {on: 1969-01-02, by: me}, allowed: yes, types: "AWS::EC2::*"}]
      """)
    let path = try folder.write(
      "cut.json", "[\((0..<40).map(Self.item).joined(separator: ",")), {\"resourceType\": ")
    var check = try Self.check(Self.rules, batch: 4)
    check.catalogue = try CatalogueGate(catalogue, now: 0)
    let result = try check.run([path])
    #expect(result.faults.count == 1 && result.findings.count > 10 && result.status == .fail)
  }

  @Test func whatCannotBeReadHidesNoOther() throws {
    let folder = try Folder()
    let good = try folder.write("good.guard", "rule r { AWS::EC2::Volume { Properties.Encrypted == true } }")
    let bad = try folder.write("bad.guard", "rule r {")
    let input = try folder.write(
      "t.yaml", "Resources: {A: {Type: 'AWS::EC2::Volume', Properties: {Encrypted: false}}}")
    let twice = try folder.write("twice.yaml", "a: 1\na: 2\n")
    let (noRules, noInput) = (folder.path + "/none.guard", folder.path + "/none.yaml")
    let rules = try RuleSet(readable: [bad, noRules, good])
    #expect(rules.files.map(\.name) == [good] && rules.faults.count == 2)
    let result = try Check(rules, now: 0).run([noInput, input, twice])
    #expect(result.findings.map(\.resource) == ["A"] && result.status == .fail)
    for name in [bad, noRules, noInput, twice] {
      #expect(result.faults.count { $0.contains(name) } == 1, "\(name)")
    }
    #expect(result.faults.count == 4)
    // Where nothing is left to look at, or to look by, it can't be done.
    #expect(throws: GovernanceFaults.self) { try Check(rules, now: 0).run([noInput]) }
    #expect(throws: GovernanceFaults.self) { try RuleSet(readable: [bad, noRules]) }
  }

  @Test func whatIsUnreadIsNeverAPass() throws {
    let folder = try Folder()
    let input = try folder.write(
      "t.yaml", "Resources: {A: {Type: 'AWS::EC2::Volume', Properties: {Encrypted: true}}}")
    let check = try Self.check("rule r { AWS::EC2::Volume { Properties.Encrypted == true } }")
    #expect(try check.run([input]).status == .pass)
    #expect(try check.run([input, folder.path + "/none.yaml"]).status == .unknown)
  }

  @Test func aRuleThatCannotBeEvaluatedHidesNoOther() throws {
    let folder = try Folder()
    let template = try folder.write(
      "t.yaml", "Resources: {A: {Type: 'AWS::EC2::Volume', Properties: {Size: 5, Encrypted: false}}}")
    let list = try folder.write("list.json", "[\((0..<40).map(Self.item).joined(separator: ","))]")
    let rules =
      "rule bad { Resources.*.Properties { when Size exists { Size !empty } } }\nrule good { AWS::EC2::Volume { Properties.Encrypted == true } }"
    for path in [template, list] {
      let result = try Self.check(rules, batch: 4).run([path])
      #expect(result.results.map(\.rule) == ["good"] && result.faults.count == 1, "\(result.faults)")
      #expect(result.status == .fail)
    }
  }

  @Test func manySmallInputsKeepTheirOrder() throws {
    let folder = try Folder()
    var paths: [String] = []
    for number in 0..<150 {
      paths.append(
        try folder.write(
          "t\(number).yaml",
          number % 10 == 9
            ? "{" : "Resources: {A: {Type: 'AWS::EC2::Volume', Properties: {Encrypted: \(number % 3 == 0)}}}")
      )
    }
    let result = try Self.check("rule r { AWS::EC2::Volume { Properties.Encrypted == true } }").run(paths)
    let good = paths.enumerated().filter { $0.offset % 10 != 9 }
    #expect(result.results.map(\.input) == good.map(\.element))
    #expect(result.findings.map(\.input) == good.filter { $0.offset % 3 != 0 }.map(\.element))
    #expect(result.faults.count == 15 && result.inputs == 135)
  }
}

@Suite struct InputParametersTests {
  @Test func theyAreBesideTheMembersOfEveryInput() throws {
    let folder = try StreamedCheckTests.Folder()
    let parameters = try InputParameters([
      try folder.write("p.yaml", "types: [t3.micro]\nlimits: {size: 10}"),
      try folder.write("q.json", "{\"env\": \"prod\"}"),
    ])
    let rules = """
      let types = types
      rule small { AWS::EC2::Instance { Properties.InstanceType in %types } }
      rule production when env == 'prod' { AWS::EC2::Instance { Properties.DisableApiTermination == true } }
      """
    let template = try folder.write(
      "t.yaml",
      "Resources: {A: {Type: 'AWS::EC2::Instance', Properties: {InstanceType: t3.micro, DisableApiTermination: true}}}"
    )
    let plan = try folder.write(
      "plan.json",
      "{\"format_version\": \"1.2\", \"resource_changes\": [{\"address\": \"aws_instance.a\", \"mode\": \"managed\", \"type\": \"aws_instance\", \"change\": {\"actions\": [\"create\"], \"after\": {\"instance_type\": \"x1.large\", \"disable_api_termination\": true}}}]}"
    )
    let result = try Check(try RuleSet(text: rules, name: "t.guard"), parameters: parameters, now: 0).run([
      template, plan,
    ])
    #expect(result.results.map(\.status) == [.pass, .pass, .fail, .pass])
    #expect(result.findings.map(\.resource) == ["aws_instance.a"] && result.faults.isEmpty)
  }

  @Test func aNameTwiceIsAFaultThatTellsBothPlaces() throws {
    let folder = try StreamedCheckTests.Folder()
    let (first, second) = (
      try folder.write("p.yaml", "a: 1\nenv: x"), try folder.write("q.yaml", "b: 2\n\nenv: y")
    )
    #expect {
      try InputParameters([first, second])
    } throws: { error in
      "\(error)" == "\(second):3:6: found \"env\", which \(first):2:6 has too; wanted a name once"
    }
    let parameters = try InputParameters([try folder.write("r.yaml", "Resources: {}")])
    let inputs = [
      try folder.write("t.yaml", "Resources: {A: {Type: 'AWS::EC2::Volume'}}"),
      try folder.write("d.yaml", "x: 1"),
      try folder.write("l.json", "[\(StreamedCheckTests.item(0))]"),
    ]
    let result = try Check(
      try RuleSet(text: "rule r { x == 1 }", name: "t.guard"), parameters: parameters, now: 0
    ).run(inputs)
    #expect(result.results.map(\.input) == [inputs[1]])
    #expect(
      result.faults.count == 2
        && result.faults.allSatisfy { $0.contains("\"Resources\"") && $0.contains("r.yaml:1:12") })
  }

  @Test(arguments: ["", "- a\n", "a: &x 1\nb: *x\n", "a: [", "a: 1\na: 2\n", "5"])
  func whatIsNoParametersIsRefused(_ text: String) throws {
    let folder = try StreamedCheckTests.Folder()
    let path = try folder.write("p.yaml", text)
    #expect {
      try InputParameters([path])
    } throws: { error in
      "\(error)".contains(path)
    }
  }
}
