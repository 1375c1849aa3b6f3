// The phases: in their order, each able to deny, drop and redirect; bodies held, limited, streamed.

import Glibc
import Testing

@testable import Firewall
@testable import FirewallProxy

@Suite struct InspectionTests {
  static let post = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"

  @Test func phasesComeInOrder() async throws {
    let script = Script {
      $0.wantsRequestBody = true
      $0.wantsResponseBody = true
    }
    try await withFirewall(TestBackend { _ in answer("reply") }, script: script) { run in
      let socket = try run.connect()
      socket.send(Self.post)
      #expect(socket.message()?.text == "reply")
      _ = try await run.log(1)
      #expect(
        script.phases == [
          "1 POST /p HTTP/1.1 Host=a|Content-Length=4", "2 whole 4 body", "3 200 HTTP/1.1", "4 whole 5 reply",
          "5",
        ])
      try #expect(script.ids == [await run.log(1)[0].request_id])
    }
  }

  @Test(arguments: 1...4)
  func eachPhaseDenies(phase: Int) async throws {
    let script = Script {
      $0.wantsRequestBody = true
      $0.wantsResponseBody = true
      $0.deny[phase] = denied
    }
    try await withFirewall(TestBackend { _ in answer("the secret") }, script: script) { run in
      let reply = try run.ask(Self.post)
      #expect(reply.status == 403)
      #expect(!reply.text.contains("secret"))
      #expect(reply.text.contains(reply.field("X-Request-ID") ?? "none"))
      let line = try #require(await run.log(1).first)
      #expect(line.action == "block" && line.status == 403 && line.request_id == reply.field("X-Request-ID"))
      #expect(run.backend.requests.count == (phase > 2 ? 1 : 0))
      #expect(script.phases.last == "5")
    }
  }

  @Test(arguments: 1...4)
  func eachPhaseDropsAndRedirects(phase: Int) async throws {
    let script = Script { $0.deny[phase] = .drop }
    try await withFirewall(TestBackend { _ in answer("x") }, script: script) { run in
      let socket = try run.connect()
      socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(socket.readToEnd().isEmpty && socket.isAtEnd)
      let line = try #require(await run.log(1).first)
      #expect(line.status == 0 && line.action == "block")
    }
    let other = Script { $0.deny[phase] = .redirect(location: "https://a.test/why", status: 302) }
    try await withFirewall(TestBackend { _ in answer("x") }, script: other) { run in
      let reply = try run.get()
      #expect(reply.status == 302 && reply.field("Location") == "https://a.test/why")
    }
  }

  @Test(arguments: [FirewallMode.observe, .stage])
  func whatIsOnlyObservedPasses(mode: FirewallMode) async throws {
    let script = Script {
      $0.wantsRequestBody = true
      $0.wantsResponseBody = true
      for phase in 1...4 { $0.deny[phase] = denied }
    }
    try await withFirewall(TestBackend { _ in answer("x") }, script: script, mode: mode) { run in
      let reply = try run.ask(Self.post)
      #expect(reply.text == "x")
      let line = try #require(await run.log(1).first)
      #expect(line.action == "alarm" && line.status == 200 && line.mode == mode.rawValue)
      #expect(await run.server.metrics().alarmed == 1)
    }
  }

  @Test func theWeakerOfModeAndEngineWins() async throws {
    let script = Script {
      $0.engine = .detectionOnly
      $0.deny[1] = denied
    }
    try await withFirewall(TestBackend { _ in answer("x") }, script: script, mode: .block) { run in
      try #expect(run.get().status == 200)
      try #expect(await run.log(1).first?.action == "alarm")
    }
  }

  @Test func aDeniedClientMayGoOn() async throws {
    let script = Script {
      $0.deny[1] = denied
      $0.when = "bad"
    }
    try await withFirewall(TestBackend { answer($0.target) }, script: script) { run in
      let socket = try run.connect()
      for (target, status) in [("/bad", 403), ("/good", 200), ("/bad", 403), ("/good", 200)] {
        socket.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(socket.message()?.status == status)
      }
    }
  }

  @Test func aBodyOverTheLimitIsRejected() async throws {
    let script = Script {
      $0.wantsRequestBody = true
      $0.bodies.requestBodyLimit = 8
    }
    try await withFirewall(TestBackend { _ in answer("x") }, script: script) { run in
      let length = try run.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n12345678901234567890")
      #expect(length.status == 413)
      let chunks = try run.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n12345678901234567890\r\n0\r\n\r\n"
      )
      #expect(chunks.status == 413)
      #expect(run.backend.requests.isEmpty)
      #expect(await run.server.metrics().heldBytes == 0)
    }
  }

  @Test func aBodyOverTheLimitIsInspectedInPart() async throws {
    let script = Script {
      $0.wantsRequestBody = true
      $0.bodies.requestBodyLimit = 8
      $0.bodies.requestBodyLimitAction = .processPartial
    }
    try await withFirewall(TestBackend { answer($0.text) }, script: script) { run in
      let body = String(repeating: "1234567890", count: 20_000)
      let length = try run.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n\(body)")
      #expect(length.text == body)
      #expect(script.phases.contains("2 part 8 12345678"))
      let chunks = try run.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(String(body.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
      )
      #expect(chunks.text == body)
    }
  }

  @Test func theBudgetOfBodiesHolds() async throws {
    let script = Script { $0.wantsRequestBody = true }
    try await withFirewall(
      TestBackend { _ in answer("x") }, script: script, configure: { $0.limits.heldBytes = 10 }
    ) { run in
      let reply = try run.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n12345678901234567890")
      #expect(reply.status == 503)
      try #expect(run.ask(Self.post).status == 200)
      #expect(await run.server.metrics().heldBytes == 0)
    }
  }

  @Test func oneClientHasAShareOfTheBudget() {
    let budget = BodyBudget(limit: 100)
    #expect(budget.take(25, for: "a") && !budget.take(1, for: "a"))
    #expect(budget.take(20, for: "b") && budget.take(55) && !budget.take(1, for: "b"))
    #expect(budget.usedBytes == 100 && budget.clients == 2)
    budget.release(25, of: "a")
    budget.release(20, of: "b")
    budget.release(55)
    #expect(budget.usedBytes == 0 && budget.clients == 0)
  }

  @Test func theShareHoldsForConnections() async throws {
    let script = Script { $0.wantsRequestBody = true }
    try await withFirewall(
      TestBackend { _ in answer("x") }, script: script,
      configure: {
        $0.limits.heldBytes = 40
        $0.limits.exemptsLoopback = false
      }
    ) { run in
      func post(_ count: Int) throws -> Int {
        let body = String(repeating: "b", count: count)
        return try run.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n\(body)").status
      }
      try #expect(post(10) == 200)
      try #expect(post(11) == 503)
      try #expect(post(10) == 200)
      #expect(await run.server.metrics().heldBytes == 0)
    }
  }

  @Test func aResponseThatMemoryIsMissingForIsNotPassedUnseen() async throws {
    let script = Script { $0.wantsResponseBody = true }
    try await withFirewall(
      TestBackend { _ in answer("a secret") }, script: script, configure: { $0.limits.heldBytes = 5 }
    ) { run in
      let reply = try run.get()
      #expect(reply.status == 503 && !reply.text.contains("secret"))
      let line = try #require(await run.log(1).first)
      #expect(line.action == "block" && line.refused == "the memory for held bodies is used up")
    }
    try await withFirewall(
      TestBackend { _ in answer("a secret") }, script: script, mode: .observe,
      configure: { $0.limits.heldBytes = 5 }
    ) { run in
      try #expect(run.get().text == "a secret")
      let line = try #require(await run.log(1).first)
      #expect(line.action == "pass")
      #expect(line.notes?.contains("the memory for held bodies is used up") == true)
    }
  }

  @Test func aResponseOverTheLimit() async throws {
    let body = String(repeating: "1234567890", count: 30_000)
    let rejecting = Script {
      $0.wantsResponseBody = true
      $0.bodies.responseBodyLimit = 100
    }
    try await withFirewall(TestBackend { _ in answer(body) }, script: rejecting) { run in
      try #expect(run.get().status == 502)
      try #expect(await run.log(1).first?.action == "block")
    }
    let partly = Script {
      $0.wantsResponseBody = true
      $0.bodies.responseBodyLimit = 100
      $0.bodies.responseBodyLimitAction = .processPartial
    }
    try await withFirewall(TestBackend { _ in answer(body) }, script: partly) { run in
      try #expect(run.get().text == body)
      #expect(partly.phases.contains { $0.hasPrefix("4 part 100 ") })
    }
  }

  @Test func aHeldChunkedResponseGetsALength() async throws {
    let script = Script { $0.wantsResponseBody = true }
    let backend = try TestBackend { _ in
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
    }
    try await withFirewall(backend, script: script) { run in
      let reply = try run.get()
      #expect(reply.text == "abcdef" && reply.field("Content-Length") == "6")
      #expect(reply.field("Transfer-Encoding") == nil)
    }
  }

  @Test func compressionIsNotAskedForWhereResponsesAreInspected() async throws {
    let script = Script { $0.bodies.responseBodyAccess = true }
    try await withFirewall(TestBackend { _ in answer("") }, script: script) { run in
      _ = try run.get(fields: "Accept-Encoding: gzip\r\n")
      #expect(run.backend.requests.first?.field("Accept-Encoding") == nil)
    }
  }

  /// A backend whose answer comes in two parts.
  static func halting(_ microseconds: UInt32) throws -> TestBackend {
    try TestBackend { socket, _ in
      guard socket.message() != nil else { return }
      socket.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
      usleep(microseconds)
      socket.send("def")
    }
  }

  @Test func aSlowHeldResponseStreamsAfterAWhile() async throws {
    let script = Script {
      $0.wantsResponseBody = true
      $0.bodies.responseBodyLimitAction = .processPartial
    }
    try await withFirewall(Self.halting(1_500_000), script: script, configure: { $0.patience.hold = 100 }) {
      run in
      try #expect(run.get().text == "abcdef")
      #expect(script.phases.contains("4 part 3 abc"))
    }
  }

  @Test func aSlowHeldResponseIsRejectedWhereTheRulesWantItWhole() async throws {
    let script = Script { $0.wantsResponseBody = true }
    try await withFirewall(Self.halting(1_500_000), script: script, configure: { $0.patience.hold = 100 }) {
      run in
      try #expect(run.get().status == 502)
      let line = try #require(await run.log(1).first)
      #expect(line.action == "block")
      #expect(line.notes?.contains("the response was not whole in time") == true)
    }
  }

  /// The time that a client takes for its body isn't the response's.
  @Test func aSlowUploadLeavesTheResponseItsTime() async throws {
    let script = Script {
      $0.wantsResponseBody = true
      $0.bodies.responseBodyLimitAction = .processPartial
    }
    try await withFirewall(Self.halting(100_000), script: script, configure: { $0.patience.hold = 1_500 }) {
      run in
      let socket = try run.connect()
      socket.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
      try await Task.sleep(for: .milliseconds(1_700))
      socket.send("cd")
      #expect(socket.message()?.text == "abcdef")
      #expect(script.phases.contains("4 whole 6 abcdef"))
    }
  }

  @Test func pagesSpeakTheClientsLanguage() async throws {
    let script = Script { $0.deny[1] = denied }
    try await withFirewall(TestBackend { _ in answer("") }, script: script) { run in
      let html = try run.get(fields: "Accept: text/html,*/*\r\nAccept-Language: ja,en;q=0.5\r\n")
      #expect(html.field("Content-Type") == "text/html; charset=utf-8")
      #expect(html.text.contains("lang=\"ja\"") && html.text.contains("サポートID"))
      #expect(html.text.contains(html.field("X-Request-ID") ?? "none"))
      let json = try run.get(fields: "Accept: application/json\r\nAccept-Language: en\r\n")
      #expect(
        json.field("Content-Type") == "application/problem+json" && json.text.contains("Request blocked"))
    }
  }

  @Test func matchesAreLoggedWithoutSecrets() async throws {
    func match(_ variable: String, _ value: [UInt8]) -> RuleMatch {
      RuleMatch(
        rule: 942_100, phase: 2, message: "m \"q\"", severity: "CRITICAL", data: "", tags: ["a", "b"],
        variable: variable, value: value, offset: 1, length: 2, transformations: ["lowercase"],
        place: Place(file: "f", line: 1), logged: true, scores: [])
    }
    let script = Script {
      $0.matches = [
        match("ARGS:q", [0x61, 0xff, 0x0a, 0x22]), match("ARGS:userPassword", Array("hunter2".utf8)),
        match("REQUEST_HEADERS:Authorization", Array("Basic x".utf8)),
        match("REQUEST_HEADERS:User-Agent", [UInt8](repeating: 0x61, count: 5_000)),
      ]
    }
    try await withFirewall(TestBackend { _ in answer("") }, script: script, mode: .stage) { run in
      _ = try run.get()
      let line = try #require(await run.log(1).first)
      #expect(line.matches.map(\.id) == [942_100, 942_100, 942_100, 942_100])
      #expect(line.matches[0].value == "a\u{fffd}\n\"" && line.matches[0].message == "m \"q\"")
      #expect(line.matches[0].tags == ["a", "b"] && line.matches[0].transformations == ["lowercase"])
      #expect(line.matches[1].value == "***" && line.matches[2].value == "***")
      #expect(line.matches[3].value.utf8.count == 1024 && line.matches[3].cut == true)
      #expect(line.score == 5 && line.mode == "stage")
      #expect(line.time.count == 27 && line.time.hasSuffix("Z"))
    }
  }
}
