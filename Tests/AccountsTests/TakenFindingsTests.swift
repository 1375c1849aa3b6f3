// Others' findings, taken in from a server that plays AWS Config and GuardDuty by the shapes of their API references.

import GuardRules
import Testing

@testable import Governance
@testable import Resources

@Suite struct TakenFindingsTests {
  static let region = "eu-west-1"
  static let input = "aws:111122223333/eu-west-1"

  /// Two pages of rules, two pages of results, two pages of findings.
  static func play(_ failing: String = "", gone: Bool = false) -> PlayedService.Play {
    { asked, _ in
      let action = asked.header("x-amz-target")?.split(separator: ".").last.map(String.init) ?? asked.uri
      if !failing.isEmpty, action.contains(failing) {
        return Said(status: 400, body: #"{"__type":"AccessDeniedException","message":"no"}"#)
      }
      switch action {
      case "DescribeComplianceByConfigRule":
        if asked.body.contains("ConfigRuleNames") {
          if gone { return Said(status: 400, body: #"{"__type":"NoSuchConfigRuleException"}"#) }
          return Said(
            body:
              #"{"ComplianceByConfigRules":[{"ConfigRuleName":"open","Compliance":{"ComplianceType":"COMPLIANT"}}]}"#
          )
        }
        guard asked.body.contains("NextToken") else {
          return Said(
            body: """
              {"ComplianceByConfigRules":[{"ConfigRuleName":"open","Compliance":{"ComplianceType":"NON_COMPLIANT"}},
              {"ConfigRuleName":"good","Compliance":{"ComplianceType":"COMPLIANT"}}],"NextToken":"2"}
              """)
        }
        return Said(
          body: """
            {"ComplianceByConfigRules":[{"ConfigRuleName":"empty","Compliance":{"ComplianceType":"INSUFFICIENT_DATA"}},
            {"ConfigRuleName":"none","Compliance":{"ComplianceType":"NOT_APPLICABLE"}}]}
            """)
      case "GetComplianceDetailsByConfigRule":
        func result(_ type: String, _ id: String, _ more: String = "") -> String {
          """
          {"EvaluationResultIdentifier":{"EvaluationResultQualifier":{"ConfigRuleName":"open","ResourceType":"\(type)",
          "ResourceId":"\(id)"},"OrderingTimestamp":1},"ComplianceType":"NON_COMPLIANT"\(more)}
          """
        }
        guard asked.body.contains("NextToken") else {
          return Said(
            body:
              #"{"EvaluationResults":[\#(result("AWS::EC2::SecurityGroup", "sg-1", #","Annotation":"port 22""#))],"NextToken":"b"}"#
          )
        }
        return Said(body: #"{"EvaluationResults":[\#(result("AWS::IAM::User", "AIDA1"))]}"#)
      case "/detector": return Said(body: #"{"detectorIds":["d1"]}"#)
      case "/detector/d1/findings":
        guard asked.body.contains(#""service.archived":{"eq":["false"]}"#) else { return Said(status: 400) }
        return Said(
          body: asked.body.contains("nextToken")
            ? #"{"findingIds":["f2","f3"],"nextToken":""}"# : #"{"findingIds":["f1"],"nextToken":"2"}"#)
      case "/detector/d1/findings/get":
        func finding(_ id: String, _ severity: String, _ resource: String, _ archived: Bool = false) -> String
        {
          """
          {"id":"\(id)","arn":"arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/\(id)","type":"Recon:EC2/Port",
          "severity":\(severity),"title":"T \(id)","description":"D","resource":\(resource),
          "service":{"archived":\(archived),"count":3,"detectorId":"d1"}}
          """
        }
        return Said(
          body: """
            {"findings":[\(finding("f1", "8", #"{"resourceType":"Instance","instanceDetails":{"instanceId":"i-1"}}"#)),
            \(finding("f2", "4.5", #"{"resourceType":"S3Bucket","s3BucketDetails":[{"arn":"arn:aws:s3:::b","name":"b"}]}"#)),
            \(finding("f3", "2", "{}", true))]}
            """)
      default: return Said(status: 404)
      }
    }
  }

  static func taken<T: Sendable>(
    _ play: @escaping PlayedService.Play, _ body: @Sendable @escaping (TakenFindings) async throws -> T
  ) async throws -> T {
    try await ServiceClientTests.with(play) { client, _ in
      try await body(
        TakenFindings(client: client, account: "111122223333", partition: "aws", region: region))
    }
  }

  static func result(_ parts: [String: TakenPart]) throws -> CheckResult {
    var state = RegionState(account: "111122223333", region: region)
    state.taken = parts
    var result = CheckResult()
    AccountCheck(try RuleSet.nothing, now: 0).look(at: state, &result)
    result.results.removeAll { $0.ruleFile == "none.guard" }
    return result
  }

  @Test func rulesOfConfigAndFindingsOfGuardDutyStandBesideOurOwn() async throws {
    let result = try Self.result(try await Self.taken(Self.play()) { await $0.all() })
    let told = result.findings.map { "\($0.status) \($0.rule) \($0.resource) \($0.severity)" }.sorted()
    #expect(
      told == [
        "FAIL config:open AIDA1 medium",
        "FAIL config:open arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1 medium",
        "FAIL guardduty:Recon:EC2/Port arn:aws:ec2:eu-west-1:111122223333:instance/i-1 high",
        "FAIL guardduty:Recon:EC2/Port arn:aws:s3:::b medium",
        "UNKNOWN config:empty  medium",
      ])
    #expect(
      result.findings.allSatisfy { $0.input == Self.input && !$0.titleJa.isEmpty && !$0.mendJa.isEmpty })
    #expect(Set(result.findings.map(\.identity)).count == result.findings.count)
    let statuses = Dictionary(uniqueKeysWithValues: result.results.map { ($0.rule, $0.status) })
    #expect(
      statuses == [
        "config:open": .fail, "config:good": .pass, "config:empty": .unknown, "config:none": .skip,
        "guardduty:Recon:EC2/Port": .fail,
      ])
    #expect(result.answered[Self.input] == ["config", "guardduty"])
    #expect(result.status == .fail)
  }

  @Test(arguments: [
    ("DescribeComplianceByConfigRule", "config DescribeComplianceByConfigRule", ["guardduty"], 2),
    ("GetComplianceDetailsByConfigRule", "config GetComplianceDetailsByConfigRule", ["guardduty"], 4),
    ("/findings", "guardduty ListFindings", ["config"], 3), ("/get", "guardduty GetFindings", ["config"], 3),
    ("/detector", "guardduty ListDetectors", ["config"], 3),
  ]) func callThatFailsIsUnknownAndHidesNothingElse(
    failing: String, call: String, answered: [String], others: Int
  ) async throws {
    let result = try Self.result(try await Self.taken(Self.play(failing)) { await $0.all() })
    let failed = result.findings.filter { $0.rule == "kabuto_call" }
    #expect(failed.count == 1)
    #expect(failed.first?.status == "UNKNOWN")
    #expect(failed.first?.found.hasPrefix("\(call) in eu-west-1") == true)
    #expect(result.findings.count - failed.count == others)
    #expect(result.answered[Self.input] == Set(answered))
    #expect(result.status != .pass)
  }

  @Test(arguments: [
    ("/findings", ""), ("/findings", "{}"), ("/findings", #"{"message":"Forbidden"}"#),
    ("/findings", #"{"findingIds":[1]}"#), ("/findings", #"{"findingIds":[],"nextToken":5}"#),
    ("/detector", #"{"detectorIds":[],"nextToken":{}}"#), ("/findings", #"{"findingIds":null}"#),
    ("/get", ""),
    ("/get", "{}"),
    ("/get", #"{"findings":[]}"#), ("/get", #"{"findings":null}"#), ("/detector", #"{"detectorIds":[{}]}"#),
  ]) func answersOfGuardDutyThatAreNoneSettleNothing(path: String, body: String) async throws {
    let play: PlayedService.Play = { asked, number in
      asked.uri.hasSuffix(path) ? Said(body: body) : Self.play()(asked, number)
    }
    let parts = try await Self.taken(play) { await $0.allOfGuardDuty() }
    #expect(parts.values.flatMap(\.failed).map(\.failure.code) == ["Unreadable"])
    #expect(try Self.result(parts).answered[Self.input] == nil)
  }

  @Test func pagesThatComeAgainEnd() async throws {
    let play: PlayedService.Play = { asked, number in
      guard asked.uri.hasSuffix("/findings") else { return Self.play()(asked, number) }
      let next = asked.body.contains(#""nextToken":"a""#) ? "b" : "a"
      return Said(body: #"{"findingIds":["f1"],"nextToken":"\#(next)"}"#)
    }
    let parts = try await Self.taken(play) { await $0.allOfGuardDuty() }
    #expect(parts["guardduty:d1"]?.failed.map(\.failure.code) == ["Unreadable"])
  }

  @Test func aFindingThatIsNotToldIsMissed() async throws {
    let play: PlayedService.Play = { asked, number in
      asked.uri.hasSuffix("/findings")
        ? Said(body: #"{"findingIds":["f1","f2","f3","f4"]}"#) : Self.play()(asked, number)
    }
    let parts = try await Self.taken(play) { await $0.allOfGuardDuty() }
    #expect(parts["guardduty:d1"]?.findings.count == 2)
    #expect(parts["guardduty:d1"]?.failed.first?.failure.message.hasPrefix("1 of 4 findings") == true)
  }

  @Test func oneRuleIsAskedAlone() async throws {
    let found = try await Self.taken(Self.play()) { await $0.config(rule: "open") }
    #expect(found?.statuses.map(\.status) == [.pass])
    #expect(try await Self.taken(Self.play(gone: true)) { await $0.config(rule: "open") } == nil)
    let denied = try await Self.taken(Self.play("Describe")) { await $0.config(rule: "open") }
    #expect(denied?.failed.map(\.resource) == ["config:open"])
  }

  @Test(arguments: [
    (9.5, Severity.critical), (9, .critical), (8.9, .high), (7, .high), (6.9, .medium), (4, .medium),
    (3.9, .low),
    (1, .low), (0, .info),
  ]) func severitiesAreGuardDutys(number: Double, severity: Severity) {
    #expect(TakenFindings.severity(number) == severity)
  }
}

extension RuleSet {
  /// No rules.
  static var nothing: RuleSet {
    get throws { try RuleSet(text: "rule r when Region == 'nowhere' { Region exists }", name: "none.guard") }
  }
}
