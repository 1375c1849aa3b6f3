// Calls against a server that throttles, fails, denies and pages.

import AsyncHTTPClient
import GuardRules
import Testing

@testable import Governance
@testable import Resources

@Suite struct ServiceClientTests {
  static let scope = CallScope(region: "eu-west-1", account: "111122223333", partition: "aws")
  static let secret = "secretOfTheTests/0123456789"
  static let kms = AccountService(
    name: "kms", protocolKind: .json, version: "TrentService", jsonVersion: "1.1", isGlobal: false)
  static let ec2 = AccountService(
    name: "ec2", protocolKind: .ec2, version: "2016-11-15", jsonVersion: "", isGlobal: false)

  static var quick: RetryPolicy {
    var policy = RetryPolicy()
    policy.baseMilliseconds = 1
    policy.mostMilliseconds = 4
    policy.mostAttempts = 4
    return policy
  }

  static func with<T: Sendable>(
    _ play: @escaping PlayedService.Play, policy: RetryPolicy = quick, keeper: CredentialKeeper? = nil,
    _ body: (ServiceClient, PlayedService) async throws -> T
  ) async throws -> T {
    let service = try await PlayedService(play)
    let http = HTTPClient(eventLoopGroupProvider: .singleton)
    let own = CredentialKeeper(now: { 0 }) { () async throws(GovernanceFaults) in
      Credentials(accessKeyID: "AKIDEXAMPLE", secretKey: secret)
    }
    let client = ServiceClient(
      http: http, keeper: keeper ?? own, endpoints: Endpoints(only: service.origin), policy: policy,
      traffic: Traffic(mostAtOnce: 8), now: { 1_440_938_160 })
    let result: Result<T, any Error>
    do { result = .success(try await body(client, service)) } catch { result = .failure(error) }
    try await http.shutdown()
    try await service.end()
    return try result.get()
  }

  static func ask(_ client: ServiceClient, _ call: AccountCall = call("ListKeys")) async -> Result<
    Value, CallFailure
  > {
    do throws(CallFailure) {
      return .success(try await client.call(kms, call, item: nil, scope: scope))
    } catch {
      return .failure(error)
    }
  }

  static func call(_ action: String) -> AccountCall { AccountCall(action: action, parameters: []) }

  @Test(arguments: [
    Said(status: 400, body: #"{"__type":"com.amazon#ThrottlingException","message":"slower"}"#),
    Said(status: 429), Said(status: 503), Said(status: 500),
    Said(status: 400, body: #"{"__type":"RequestLimitExceeded"}"#),
  ]) func passingFailuresAreTriedAgain(said: Said) async throws {
    try await Self.with({ _, number in number < 3 ? said : Said(body: #"{"Keys":[]}"#) }) { client, service in
      let found = try await Self.ask(client).get()
      #expect(found["Keys"]?.list?.isEmpty == true)
      #expect(service.asked.count == 3)
    }
  }

  @Test func attemptsEnd() async throws {
    try await Self.with({ _, _ in Said(status: 503, body: "<Error><Code>SlowDown</Code></Error>") }) {
      client, service in
      guard case .failure(let failure) = await Self.ask(client) else {
        Issue.record("it came to an answer")
        return
      }
      #expect(failure.code == "SlowDown")
      #expect(service.asked.count == Self.quick.mostAttempts)
    }
  }

  @Test func deniedCallIsMadeOnceAndItsReasonHoldsNoSecret() async throws {
    let body = #"{"__type":"AccessDeniedException","message":"not for \#(Self.secret)"}"#
    try await Self.with({ _, _ in Said(status: 400, body: body) }) { client, service in
      guard case .failure(let failure) = await Self.ask(client) else {
        Issue.record("it came to an answer")
        return
      }
      #expect(failure.code == "AccessDeniedException")
      #expect(failure.message == "not for (hidden)")
      #expect(service.asked.count == 1)
    }
  }

  @Test func placeThatIsSilentIsNotAskedAgain() async throws {
    try await Self.with({ _, _ in nil }) { client, service in
      _ = await Self.ask(client)
      let before = service.asked.count
      #expect(before == Self.quick.mostConnections)
      guard case .failure(let failure) = await Self.ask(client) else {
        Issue.record("it came to an answer")
        return
      }
      #expect(failure.code == "Unreachable")
      #expect(service.asked.count == before)
    }
  }

  @Test func absentIsNullAndNoFailure() async throws {
    var call = Self.call("GetKeyPolicy")
    call.absent = ["NotFoundException"]
    try await Self.with({ _, _ in Said(status: 400, body: #"{"__type":"NotFoundException:http://x"}"#) }) {
      client, _ in
      let found = try await Self.ask(client, call).get()
      #expect(found.kind == "null")
    }
  }

  @Test func expiredKeyIsReplacedOnce() async throws {
    let keeper = CredentialKeeper(now: { 0 }) { () async throws(GovernanceFaults) in
      Credentials(accessKeyID: "AKIDEXAMPLE", secretKey: Self.secret, sessionToken: "t", expiresAt: 10_000)
    }
    let play: PlayedService.Play = { _, number in
      number == 1 ? Said(status: 400, body: #"{"__type":"ExpiredTokenException"}"#) : Said(body: "{}")
    }
    try await Self.with(play, keeper: keeper) { client, service in
      _ = try await Self.ask(client).get()
      #expect(service.asked.count == 2)
    }
  }

  @Test func requestsCarryActionAndSignatureButNoSecret() async throws {
    try await Self.with({ _, _ in Said(body: "{}") }) { client, service in
      _ = await Self.ask(client)
      let asked = try #require(service.asked.first)
      #expect(asked.header("x-amz-target") == "TrentService.ListKeys")
      #expect(asked.header("authorization")?.contains("/eu-west-1/kms/aws4_request") == true)
      #expect(!asked.headers.contains { $0.1.contains(Self.secret) })
    }
  }

  // MARK: - Lists

  static func region(_ client: ServiceClient) -> RegionScan {
    RegionScan(
      client: client, account: "111122223333", partition: "aws", region: "eu-west-1", isGlobal: false)
  }

  static func services(_ text: String) throws -> [AccountService] { try AccountCalls.services(text) }

  static let volumes = """
    service ec2 ec2 2016-11-15
      list EC2.Volume DescribeVolumes
        from volumeSet
        page NextToken nextToken
        arn {volumeId}
      list EC2.VPC DescribeVpcs
        from vpcSet
        arn {vpcId}
    """

  static func page(_ identifier: String, next: String?) -> Said {
    Said(
      body:
        "<R><volumeSet><item><volumeId>\(identifier)</volumeId><encrypted>true</encrypted></item></volumeSet>"
        + (next.map { "<nextToken>\($0)</nextToken>" } ?? "") + "</R>")
  }

  @Test func pagesAreFollowedToTheLast() async throws {
    let play: PlayedService.Play = { asked, _ in
      if asked.action == "DescribeVpcs" { return Said(body: "<R><vpcSet/></R>") }
      if asked.body.contains("NextToken=two") { return Self.page("v2", next: "three") }
      if asked.body.contains("NextToken=three") { return Self.page("v3", next: nil) }
      return Self.page("v1", next: "two")
    }
    try await Self.with(play) { client, _ in
      let found = await Self.region(client).run(try Self.services(Self.volumes))
      #expect(found.resources(of: nil).map(\.name) == ["v1", "v2", "v3"])
      #expect(found.failed.isEmpty)
    }
  }

  @Test func pageThatFailsLeavesWhatCameBeforeAndSaysSo() async throws {
    let play: PlayedService.Play = { asked, _ in
      if asked.action == "DescribeVpcs" {
        return Said(body: "<R><vpcSet><item><vpcId>n1</vpcId></item></vpcSet></R>")
      }
      if asked.body.contains("NextToken") {
        return Said(
          status: 403,
          body: "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>")
      }
      return Self.page("v1", next: "two")
    }
    try await Self.with(play) { client, _ in
      let found = await Self.region(client).run(try Self.services(Self.volumes))
      #expect(found.resources(of: nil).map(\.name).sorted() == ["n1", "v1"])
      #expect(found.failed.map(\.call) == ["ec2 DescribeVolumes"])
      #expect(found.failed.first?.failure.code == "UnauthorizedOperation")
      #expect(found.failed.first?.type == "AWS::EC2::Volume")
    }
  }

  @Test func pageThatNamesItselfEnds() async throws {
    let play: PlayedService.Play = { asked, _ in
      asked.action == "DescribeVpcs" ? Said(body: "<R><vpcSet/></R>") : Self.page("v", next: "same")
    }
    try await Self.with(play) { client, service in
      let found = await Self.region(client).run(try Self.services(Self.volumes))
      #expect(found.failed.count == 1)
      // Not twice, the second under a name that nothing has.
      #expect(found.resources(of: nil).map(\.name) == ["v"])
      #expect(service.asked.count < 5)
    }
  }

  @Test func answerThatIsNoXMLIsAFailureOfThatCall() async throws {
    let play: PlayedService.Play = { asked, _ in
      asked.action == "DescribeVpcs" ? Said(body: "<R><vpcSet>") : Self.page("v", next: nil)
    }
    try await Self.with(play) { client, _ in
      let found = await Self.region(client).run(try Self.services(Self.volumes))
      #expect(found.resources(of: nil).map(\.name) == ["v"])
      #expect(found.failed.map(\.failure.code) == ["Unreadable"])
    }
  }

  // MARK: - Verdicts

  static func rules(_ text: String) throws -> RuleSet { try RuleSet(text: text, name: "test.guard") }

  @Test func verdictsThatHangOnAFailedListAreUnknown() throws {
    let rules = try Self.rules(
      """
      let volumes = Resources.*[ Type == 'AWS::EC2::Volume' ]
      let groups = Resources.*[ Type == 'AWS::EC2::VPC' ]
      rule there_is_a_volume { %volumes !empty }
      rule there_is_no_volume { %volumes empty }
      rule encrypted when %volumes !empty { %volumes.Properties.Encrypted == true }
      rule vpc_named when %groups !empty { %groups.Properties.CidrBlock exists }
      """)
    let lists = try AccountCalls.all.get().flatMap(\.lists)
    let (vpcs, volumes) = (
      try #require(lists.first { $0.type == "EC2.VPC" }),
      try #require(lists.first { $0.type == "EC2.Volume" })
    )
    var region = RegionState(account: "111122223333", region: "eu-west-1")
    let vpc = AccountResources.resource(
      name: "vpc", type: "EC2.VPC", item: Value(.map(Members([("cidrBlock", Value(.string("10.0.0.0/8")))]))))
    region.lists = [
      ListState(vpcs, items: [AccountItem(name: "vpc", key: "vpc", resources: [vpc], failed: [])]),
      ListState(
        volumes,
        failed: [
          FailedCall(
            call: "ec2 DescribeVolumes", failure: CallFailure(code: "AccessDenied", message: ""),
            type: "AWS::EC2::Volume", resource: "")
        ]),
    ]
    var result = CheckResult()
    AccountCheck(rules, now: 0).look(at: region, &result)
    let found = Dictionary(
      result.results.map { ($0.rule, $0.status) }, uniquingKeysWith: { first, _ in first })
    #expect(found["there_is_a_volume"] == .unknown)
    #expect(found["there_is_no_volume"] == .unknown)
    #expect(found["encrypted"] == .unknown)
    #expect(found["vpc_named"] == .pass)
    #expect(found["kabuto_call"] == .unknown)
    #expect(result.status == .unknown)
  }
}
