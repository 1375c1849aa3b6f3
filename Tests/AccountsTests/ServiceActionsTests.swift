// Calls that change something: how they are written by each protocol, and that none is made twice that may have been carried
// out.

import AsyncHTTPClient
import GuardRules
import Testing

@testable import Governance
@testable import Resources

@Suite struct ServiceActionsTests {
  static let iam = AccountService(
    name: "iam", protocolKind: .query, version: "2010-05-08", jsonVersion: "", isGlobal: true)
  static let scope = ServiceClientTests.scope

  static func act(
    _ client: ServiceClient, _ action: ServiceAction, _ service: AccountService = iam
  ) async -> Result<Value, CallFailure> {
    do throws(CallFailure) { return .success(try await client.act(service, action, scope)) } catch {
      return .failure(error)
    }
  }

  private func request(_ action: ServiceAction, _ kind: AccountProtocol, name: String = "x") -> ServiceRequest
  {
    AccountService(name: name, protocolKind: kind, version: "V", jsonVersion: "1.1", isGlobal: false)
      .request(action, origin: "http://h")
  }

  private func body(_ request: ServiceRequest) -> String { String(decoding: request.body, as: UTF8.self) }

  // MARK: - Writing

  private static let nested: CallField = [
    "Name": "a b", "Tags": [["Key": "k", "Value": "v"]], "Count": 3, "On": true, "None": [],
  ]

  @Test func formsHaveNamesWithinNames() {
    let query = body(request(ServiceAction("Make", Self.nested), .query))
    #expect(
      query
        == "Action=Make&Count=3&Name=a%20b&None=&On=true&Tags.member.1.Key=k&Tags.member.1.Value=v&Version=V")
    let ec2 = body(request(ServiceAction("Make", Self.nested), .ec2))
    #expect(ec2 == "Action=Make&Count=3&Name=a%20b&On=true&Tags.1.Key=k&Tags.1.Value=v&Version=V")
  }

  @Test func jsonKeepsOrderAndKinds() {
    let made = request(ServiceAction("Make", Self.nested), .json)
    #expect(
      body(made) == #"{"Name":"a b","Tags":[{"Key":"k","Value":"v"}],"Count":3,"On":true,"None":[]}"#)
    #expect(made.headers.contains { $0.name == "x-amz-target" && $0.value == "V.Make" })
    #expect(body(request(ServiceAction("Empty"), .json)) == "{}")
  }

  @Test func restHasMethodPathAndBody() {
    let made = request(
      ServiceAction("Put", "PUT", path: ["a b", "c/d"], query: [("q", "1")], ["n": 1]), .restJSON)
    #expect(made.method == "PUT")
    #expect(made.url == "http://h/a%20b/c%2Fd?q=1")
    #expect(body(made) == #"{"n":1}"#)
    var xml = ServiceAction("Put", "PUT", path: ["b"], query: [("policy", "")])
    xml.text = "<A/>"
    let s3 = request(xml, .restXML, name: "s3")
    #expect(body(s3) == "<A/>")
    #expect(
      s3.headers.contains { $0.name == "content-md5" && $0.value == RequestSigner.md5(Array("<A/>".utf8)) })
    // A test value of RFC 1321.
    #expect(RequestSigner.md5(Array("abc".utf8)) == "kAFQmDzST7DWlj99KOF/cg==")
    #expect(body(request(ServiceAction("Get", "GET", path: ["b"]), .restJSON)) == "")
  }

  @Test func onlyReadsAreRepeatableOfThemselves() {
    #expect(ServiceAction("a", "GET", path: []).isRepeatable)
    for method in ["PUT", "POST", "DELETE"] { #expect(!ServiceAction("a", method, path: []).isRepeatable) }
    #expect(!ServiceAction("CreateUser").isRepeatable)
  }

  // MARK: - Again or not

  @Test(arguments: [
    Said(status: 400, body: "<E><Error><Code>Throttling</Code></Error></E>"), Said(status: 429),
    Said(status: 503, body: "<Error><Code>SlowDown</Code></Error>"),
  ]) func whatWasThrottledIsMadeAgain(said: Said) async throws {
    try await ServiceClientTests.with({ _, number in number < 3 ? said : Said(body: "<R><A/></R>") }) {
      client, service in
      _ = try await Self.act(client, ServiceAction("CreateUser")).get()
      #expect(service.asked.count == 3)
    }
  }

  @Test(arguments: [500, 502, 503, 504]) func whatMayBeDoneIsNotMadeAgain(status: Int) async throws {
    try await ServiceClientTests.with({ _, _ in Said(status: status) }) { client, service in
      guard case .failure(let failure) = await Self.act(client, ServiceAction("CreateUser")) else {
        Issue.record("it came to an answer")
        return
      }
      #expect(failure.mayBeDone)
      #expect(service.asked.count == 1)
    }
    try await ServiceClientTests.with({ _, number in number < 3 ? Said(status: status) : Said(body: "<R/>") })
    {
      client, service in
      _ = try await Self.act(client, ServiceAction("PutIt", isRepeatable: true)).get()
      #expect(service.asked.count == 3)
    }
  }

  @Test func connectionThatEndsBeforeAnAnswerIsUncertain() async throws {
    try await ServiceClientTests.with({ _, _ in nil }) { client, service in
      guard case .failure(let failure) = await Self.act(client, ServiceAction("CreateUser")) else {
        Issue.record("it came to an answer")
        return
      }
      #expect(failure.mayBeDone)
      #expect(service.asked.count == 1)
      // The next call isn't refused for it: one attempt says little.
      _ = await Self.act(client, ServiceAction("CreateUser"))
      #expect(service.asked.count == 2)
    }
  }

  @Test func withoutAConnectionNothingWasDone() async throws {
    // Nobody listens where a server was.
    let gone = try await PlayedService { _, _ in nil }
    let origin = gone.origin
    try await gone.end()
    let http = HTTPClient(
      eventLoopGroupProvider: .singleton, configuration: .forAccounts(RetryPolicy(), atOnce: 2))
    let keeper = CredentialKeeper(now: { 0 }) { () async throws(GovernanceFaults) in
      Credentials(accessKeyID: "AKIDEXAMPLE", secretKey: ServiceClientTests.secret)
    }
    let client = ServiceClient(
      http: http, keeper: keeper, endpoints: Endpoints(only: origin), policy: ServiceClientTests.quick,
      traffic: Traffic(mostAtOnce: 2), now: { 1 })
    let result = await Self.act(client, ServiceAction("CreateUser"))
    try await http.shutdown()
    guard case .failure(let failure) = result else {
      Issue.record("it came to an answer")
      return
    }
    #expect(failure.code == "Unreachable" && !failure.mayBeDone, "\(failure)")
  }

  @Test func refusalIsToldWithItsCodeAndNoSecret() async throws {
    let body = """
      <ErrorResponse><Error><Code>EntityAlreadyExists</Code><Message>no \(ServiceClientTests.secret) hunter22</Message></Error></ErrorResponse>
      """
    try await ServiceClientTests.with({ _, _ in Said(status: 409, body: body) }) { client, service in
      var action = ServiceAction("CreateUser")
      action.hidden = [Secret("hunter22")]
      guard case .failure(let failure) = await Self.act(client, action) else {
        Issue.record("it came to an answer")
        return
      }
      #expect(failure.code == "EntityAlreadyExists" && failure.status == 409 && !failure.mayBeDone)
      #expect(!failure.text.contains(ServiceClientTests.secret) && !failure.text.contains("hunter22"))
      action.absent = ["EntityAlreadyExists"]
      let absent = try await Self.act(client, action).get()
      #expect(absent.kind == "null")
    }
  }

  @Test func pagesAreReadToTheEnd() async throws {
    func page(_ user: String, _ rest: String) -> Said {
      Said(
        body: "<ListUsersResponse><ListUsersResult><Users><member><N>\(user)</N></member></Users>\(rest)"
          + "</ListUsersResult></ListUsersResponse>")
    }
    let (first, second) = (page("a", "<Marker>two</Marker>"), page("b", ""))
    let play: PlayedService.Play = { asked, _ in asked.body.contains("Marker=two") ? second : first }
    try await ServiceClientTests.with(play) { client, _ in
      let all = try await client.read(
        Self.iam, ServiceAction("ListUsers"), Self.scope, items: ["Users"], page: ("Marker", ["Marker"]))
      #expect(all.compactMap { $0["N"]?.string } == ["a", "b"])
    }
    let same =
      "<ListUsersResponse><ListUsersResult><Users/><Marker>same</Marker></ListUsersResult></ListUsersResponse>"
    try await ServiceClientTests.with({ _, _ in Said(body: same) }) { client, _ in
      let fault = await #expect(throws: CallFailure.self) {
        _ = try await client.read(
          Self.iam, ServiceAction("ListUsers"), Self.scope, items: ["Users"], page: ("Marker", ["Marker"]))
      }
      #expect(fault?.message == "the same page again and again")
    }
  }
}
