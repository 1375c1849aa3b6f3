// Lists without an end, places that break off, secrets that come back: what a service may do to a scan.

import AsyncHTTPClient
import GuardRules
import Testing

@testable import Governance
@testable import Resources

@Suite struct LimitsOfAnswersTests {
  /// As long as those of roles are.
  static let token = "IQoJb3JpZ2luX2VjEXAMPLE" + (0..<120).map { "/k\($0 * 7919)+x" }.joined() + "=="

  static func keeper(token: String = token) -> CredentialKeeper {
    CredentialKeeper(now: { 0 }) { () async throws(GovernanceFaults) in
      Credentials(accessKeyID: "AKIDEXAMPLE", secretKey: ServiceClientTests.secret, sessionToken: token)
    }
  }

  private static func failure(_ said: Said?, keeper: CredentialKeeper) async throws -> CallFailure {
    try await ServiceClientTests.with({ _, _ in said }, keeper: keeper) { client, _ in
      guard case .failure(let failure) = await ServiceClientTests.ask(client) else {
        Issue.record("it came to an answer")
        return CallFailure(code: "", message: "")
      }
      return failure
    }
  }

  /// Eight characters in a row of a secret.
  static func shows(_ secret: String, _ text: String) -> Bool {
    let (secret, text) = (Array(secret.utf8), Array(text.utf8))
    let pieces = Set((0...secret.count - 8).map { Array(secret[$0..<$0 + 8]) })
    return text.count >= 8 && (0...text.count - 8).contains { pieces.contains(Array(text[$0..<$0 + 8])) }
  }

  // MARK: - Secrets

  @Test func noPieceOfASecretIsShownWhereverAnAnswerRepeatsIt() async throws {
    let escaped = Self.token.replacing("/", with: "\\/")
    for secret in [Self.token, ServiceClientTests.secret] {
      for said in [
        Said(status: 403, body: #"{"__type":"AccessDenied","message":"\#(secret) isn't allowed"}"#),
        Said(status: 403, body: #"{"__type":"AccessDenied","message":"\#(escaped) isn't allowed"}"#),
        Said(
          status: 403,
          body: #"{"__type":"X","message":"\#(String(repeating: "a b ", count: 70))\#(secret)"}"#),
        Said(status: 403, body: #"{"__type":"\#(secret)","message":""}"#),
        Said(status: 403, body: "<Error><Code>\(secret)</Code><Message>m</Message></Error>"),
        Said(status: 403, headers: [("x-amzn-errortype", secret)], body: "{}"),
        Said(body: #"{"a":\#(secret)}"#), Said(body: #"{"a" "\#(secret)"}"#),
      ] {
        let failure = try await Self.failure(said, keeper: Self.keeper())
        #expect(!Self.shows(secret, failure.text), "\(failure.text)")
        #expect(!failure.text.isEmpty && failure.message.count <= 300)
      }
    }
    // As a name of an element, whose end is cut off.
    do throws(CallFailure) {
      _ = try ServiceClientTests.ec2.value(
        of: Array("<x\(Self.token)".utf8), WantedAnswer(name: "a", root: "b"))
      Issue.record("it is read")
    } catch { #expect(!Self.shows(Self.token, error.cleaned().text), "\(error.cleaned().text)") }
  }

  @Test func blanksAroundAKeyAreNoneOfItAndABrokenOneIsNotShown() async throws {
    let play: PlayedService.Play = { asked, _ in
      Said(
        status: asked.header("x-amz-security-token") == Self.token ? 200 : 403,
        body: #"{"Keys":[]}"#)
    }
    for end in ["\r", "\n", "\r\n", " "] {
      try await ServiceClientTests.with(play, keeper: Self.keeper(token: " " + Self.token + end)) {
        client, _ in
        _ = try await ServiceClientTests.ask(client).get()
      }
    }
    let broken = Self.token.prefix(100) + "\n" + Self.token.suffix(400)
    let failure = try await Self.failure(Said(), keeper: Self.keeper(token: String(broken)))
    #expect(failure.code == "Unreachable")
    #expect(!Self.shows(Self.token, failure.text), "\(failure.text)")
  }

  @Test func whatAnActionHidesIsNotShownInPieces() async throws {
    var action = ServiceAction("CreateLoginProfile")
    action.hidden = [Secret("correct-horse-battery")]
    let body =
      "<E><Error><Code>correct-horse-battery</Code><Message>\(String(repeating: "a b ", count: 72))"
      + "correct-horse-battery</Message></Error></E>"
    try await ServiceClientTests.with({ _, _ in Said(status: 400, body: body) }) { client, _ in
      guard case .failure(let failure) = await ServiceActionsTests.act(client, action) else {
        Issue.record("it came to an answer")
        return
      }
      #expect(!Self.shows("correct-horse-battery", failure.text), "\(failure.text)")
      #expect(failure.code == "(hidden)")
    }
  }

  // MARK: - Silence

  @Test func oneCallThatBreaksOffDoesNotSpeakForItsService() async throws {
    let play: PlayedService.Play = { asked, _ in
      asked.header("x-amz-target") == "TrentService.Broken" ? nil : Said(body: #"{"Keys":[]}"#)
    }
    try await ServiceClientTests.with(play) { client, service in
      let (good, broken) = (ServiceClientTests.call("ListKeys"), ServiceClientTests.call("Broken"))
      _ = try await ServiceClientTests.ask(client, good).get()
      for _ in 0..<4 {
        guard case .failure = await ServiceClientTests.ask(client, broken) else {
          Issue.record("it came to an answer")
          return
        }
        _ = try await ServiceClientTests.ask(client, good).get()
      }
      // Several in a row do.
      for _ in 0..<3 { _ = await ServiceClientTests.ask(client, broken) }
      let before = service.asked.count
      guard case .failure(let failure) = await ServiceClientTests.ask(client, good) else {
        Issue.record("it came to an answer")
        return
      }
      #expect(failure.code == "Unreachable")
      #expect(service.asked.count == before)
    }
  }

  @Test func answerThatIsTooLargeIsNotAskedForAgainAndMutesNobody() async throws {
    let large = String(repeating: " ", count: ServiceClient.mostAnswerBytes + 1)
    let play: PlayedService.Play = { _, number in Said(body: number == 1 ? large : #"{"Keys":[]}"#) }
    try await ServiceClientTests.with(play) { client, service in
      guard case .failure(let failure) = await ServiceClientTests.ask(client) else {
        Issue.record("it came to an answer")
        return
      }
      #expect(failure.code == "Unreadable")
      #expect(service.asked.count == 1)
      _ = try await ServiceClientTests.ask(client).get()
    }
  }

  // MARK: - Throttling

  @Test func callThatIsThrottledToTheEndSpeaksForItsKindOnly() async throws {
    let play: PlayedService.Play = { asked, _ in
      asked.header("x-amz-target") == "TrentService.Busy" ? Said(status: 429) : Said(body: #"{"Keys":[]}"#)
    }
    try await ServiceClientTests.with(play) { client, service in
      let busy = ServiceClientTests.call("Busy")
      for _ in 0..<5 {
        guard case .failure(let failure) = await ServiceClientTests.ask(client, busy) else {
          Issue.record("it came to an answer")
          return
        }
        #expect(failure.status == 429)
      }
      #expect(service.asked.count == ServiceClientTests.quick.mostAttempts)
      _ = try await ServiceClientTests.ask(client).get()
      await client.traffic.listenAgain()
      _ = await ServiceClientTests.ask(client, busy)
      #expect(service.asked.count == 2 * ServiceClientTests.quick.mostAttempts + 1)
    }
  }

  @Test func whereOthersOfItsKindGetThroughAThrottledCallSpeaksForItself() async {
    let traffic = Traffic(mostAtOnce: 1)
    let failure = CallFailure(code: "Throttling", message: "")
    let begin = ContinuousClock.now
    await traffic.passes("kms eu-west-1 ListKeys")
    await traffic.isRefused("kms eu-west-1 ListKeys", failure, since: begin)
    #expect(await traffic.refusal(of: "kms eu-west-1 ListKeys") == nil)
    await traffic.isRefused("kms eu-west-1 ListKeys", failure, since: .now)
    #expect(await traffic.refusal(of: "kms eu-west-1 ListKeys") == failure)
  }

  // MARK: - Lists

  @Test func pagesThatGoInCirclesEnd() async throws {
    let play: PlayedService.Play = { asked, _ in
      if asked.action == "DescribeVpcs" { return Said(body: "<R><vpcSet/></R>") }
      return asked.body.contains("NextToken=a")
        ? ServiceClientTests.page("v2", next: "b") : ServiceClientTests.page("v1", next: "a")
    }
    try await ServiceClientTests.with(play) { client, service in
      let found = await ServiceClientTests.region(client).run(
        try ServiceClientTests.services(ServiceClientTests.volumes))
      #expect(found.failed.map(\.failure.message) == ["the same page again and again"])
      #expect(found.resources(of: nil).map(\.name) == ["v1", "v2"])
      #expect(service.asked.count < 6)
      let action = ServiceAction("DescribeVolumes")
      await #expect(throws: CallFailure.self) {
        _ = try await client.read(
          ServiceClientTests.ec2, action, ServiceClientTests.scope, items: ["volumeSet"],
          page: ("NextToken", ["nextToken"]))
      }
    }
  }

  @Test func answerOfFarTooManyItemsIsUnreadable() async throws {
    let many = String(repeating: #"{"KeyArn":"k"},"#, count: RegionScan.mostItemsAtOnce + 1).dropLast()
    let table = """
      service kms json TrentService 1.1
        list KMS.Key ListKeys
          from Keys
          arn {KeyArn}
      """
    try await ServiceClientTests.with({ _, _ in Said(body: "{\"Keys\":[\(many)]}") }) { client, _ in
      let found = await ServiceClientTests.region(client).run(try ServiceClientTests.services(table))
      #expect(found.failed.map(\.failure.code) == ["Unreadable"])
      #expect(found.resourceCount == 0)
    }
  }

  @Test(arguments: [("{\"Keys\":[", "0,", "0]}"), ("<Keys>", "<a/>", "</Keys>")])
  func answerOfFarTooManyPartsIsUnreadable(start: String, part: String, end: String) async throws {
    let body = start + String(repeating: part, count: ServiceClient.mostAnswerParts + 1) + end
    let failure = try await Self.failure(Said(body: body), keeper: Self.keeper())
    #expect(failure.code == "Unreadable")
    #expect(failure.message.contains("parts"))
  }
}
