// The firewall inside another server: order of phases, modes, bodies, ids and log, exchange of policies.

import Foundation
import Logging
import Synchronization
import Testing

@testable import Firewall
@testable import FirewallProxy

@Suite struct EmbeddedTests {
  private static func quiet() -> Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }

  private func firewall(
    _ script: Script, mode: FirewallMode = .block, log: String? = nil,
    load: (@Sendable () throws -> PolicySnapshot)? = nil
  ) throws -> EmbeddedFirewall {
    var settings = EmbeddedSettings()
    settings.mode = mode
    settings.logFile = log
    settings.seed = 1
    return try EmbeddedFirewall(
      settings: settings, snapshot: script.snapshot(), logger: Self.quiet(),
      loadSnapshot: load ?? { script.snapshot() })
  }

  private func request(
    _ target: String = "/a?b=c", client: String = "192.0.2.1", fields: [(name: String, value: String)] = []
  ) -> EmbeddedRequest {
    EmbeddedRequest(
      connection: ConnectionFacts(
        clientAddress: client, clientPort: 5, serverAddress: "::ffff:192.0.2.9", serverPort: 80),
      method: "GET", target: target, version: "HTTP/1.1", fields: fields)
  }

  /// A whole exchange; what became of the request, and of the answer.
  private func play(
    _ loop: EmbeddedLoop, _ request: EmbeddedRequest, body: String = "", answer: String = ""
  ) -> (EmbeddedVerdict, EmbeddedVerdict?) {
    let exchange = loop.begin(request)
    let first = Array(body.utf8).withUnsafeBytes { exchange.request(body: $0, isComplete: true) }
    guard case .pass = first else {
      if case .answer(let page) = first {
        exchange.end(status: page.status)
      } else {
        exchange.end(status: nil)
      }
      return (first, nil)
    }
    let second = Array(answer.utf8).withUnsafeBytes {
      exchange.response(status: 200, fields: [("Content-Type", "text/html")], body: $0)
    }
    if case .answer(let page) = second {
      exchange.end(status: page.status)
    } else {
      exchange.end(status: 200)
    }
    return (first, second)
  }

  private func status(_ verdict: EmbeddedVerdict?) -> Int? {
    if case .answer(let page) = verdict { return page.status }
    return nil
  }

  @Test func phasesRunInOrderWithBothBodies() throws {
    let script = Script {
      $0.wantsRequestBody = true
      $0.wantsResponseBody = true
    }
    let loop = try firewall(script).loop()
    let (first, second) = play(loop, request(), body: "question", answer: "answer")
    #expect(status(first) == nil && status(second) == nil)
    #expect(script.phases.map { String($0.prefix(1)) } == ["1", "2", "3", "4", "5"])
    #expect(script.phases[1].contains("question"))
    #expect(script.phases[3].contains("answer"))
  }

  @Test func bodiesAreNotShownWhereRulesDoNotWantThem() throws {
    let script = Script()
    let loop = try firewall(script).loop()
    _ = play(loop, request(), body: "question", answer: "answer")
    #expect(!script.phases.joined().contains("question"))
    #expect(!script.phases.joined().contains("answer"))
  }

  @Test(arguments: [1, 2, 3, 4]) func denialOfEachPhaseIsAPage(phase: Int) throws {
    let script = Script { $0.deny = [phase: .deny(status: 403)] }
    let firewall = try firewall(script)
    let (first, second) = play(firewall.loop(), request())
    #expect(status(phase <= 2 ? first : second) == 403)
    #expect(script.phases.last?.hasPrefix("5") == true)
    #expect(firewall.tally.blocked.load(ordering: .relaxed) == 1)
    #expect(firewall.tally.alarmed.load(ordering: .relaxed) == 0)
  }

  @Test(arguments: [FirewallMode.observe, .stage]) func weakerModesOnlyCount(mode: FirewallMode) throws {
    let script = Script { $0.deny = [1: .deny(status: 403)] }
    let firewall = try firewall(script, mode: mode)
    let (first, second) = play(firewall.loop(), request())
    #expect(status(first) == nil && status(second) == nil)
    #expect(firewall.tally.alarmed.load(ordering: .relaxed) == 1)
  }

  @Test func aPolicyThatIsOffAsksNothing() throws {
    let script = Script { $0.engine = .off }
    let (first, _) = play(try firewall(script).loop(), request())
    #expect(status(first) == nil)
    #expect(script.phases.isEmpty)
  }

  @Test func dropAndRedirect() throws {
    let drop = Script { $0.deny = [1: .drop] }
    guard case .close = play(try firewall(drop).loop(), request()).0 else {
      Issue.record("not closed")
      return
    }
    let redirect = Script { $0.deny = [1: .redirect(location: "https://x.example/", status: 302)] }
    guard case .answer(let page) = play(try firewall(redirect).loop(), request()).0 else {
      Issue.record("no answer")
      return
    }
    #expect(page.status == 302)
    #expect(page.fields.contains { $0.name == "Location" && $0.value == "https://x.example/" })
  }

  @Test func bodyBeyondTheLimitIsRefusedOrCut() throws {
    for (action, wanted) in [(LimitAction.reject, 413), (.processPartial, nil as Int?)] {
      let script = Script {
        $0.wantsRequestBody = true
        $0.bodies.requestBodyLimit = 4
        $0.bodies.requestBodyLimitAction = action
      }
      let firewall = try firewall(script)
      let (first, _) = play(firewall.loop(), request(), body: "abcdefgh")
      #expect(status(first) == wanted)
      #expect(firewall.tally.refused.load(ordering: .relaxed) == (wanted == nil ? 0 : 1))
      if wanted == nil {
        #expect(script.phases[1].contains("abcd"))
        #expect(!script.phases[1].contains("abcde"))
      }
    }
  }

  @Test func mappedAddressIsTheClientsOwn() throws {
    let script = Script()
    _ = play(try firewall(script).loop(), request(client: "::ffff:198.51.100.7"))
    _ = play(try firewall(script).loop(), request(client: "2001:db8::7"))
    #expect(script.clients == ["198.51.100.7", "2001:db8::7"])
  }

  @Test func pageSpeaksTheClientsLanguageAndNamesTheLogsId() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("embedded-\(UUID()).jsonl").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let script = Script { $0.deny = [1: .deny(status: 403)] }
    let firewall = try firewall(script, log: file)
    let loop = firewall.loop()
    let exchange = loop.begin(
      request("/\u{1}\"", fields: [("ACCEPT", "text/html"), ("accept-language", "ja")]))
    guard case .answer(let page) = exchange.request(body: .init(start: nil, count: 0), isComplete: true)
    else {
      Issue.record("no answer")
      return
    }
    exchange.end(status: page.status)
    exchange.end(status: page.status)
    let text = String(decoding: page.body, as: UTF8.self)
    #expect(text.contains("サポートID") && text.contains(exchange.requestID))
    loop.flush()
    firewall.close()
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 1, "the second end is none")
    let line = try #require(
      try JSONSerialization.jsonObject(with: Data(lines.first.map { Data($0.utf8) } ?? Data()))
        as? [String: Any])
    #expect(line["request_id"] as? String == exchange.requestID)
    #expect(line["uri"] as? String == "/\u{1}\"")
    #expect(line["action"] as? String == "block")
    #expect(line["status"] as? Int == 403)
  }

  @Test func whoLeavesIsLoggedSo() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("embedded-\(UUID()).jsonl").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let firewall = try firewall(Script(), log: file)
    let loop = firewall.loop()
    let exchange = loop.begin(request())
    _ = exchange.request(body: .init(start: nil, count: 0), isComplete: true)
    exchange.end(status: nil)
    loop.flush()
    firewall.close()
    let text = try String(contentsOfFile: file, encoding: .utf8)
    #expect(text.contains("\"status\":499") && text.contains("the client left"))
  }

  @Test func whatTheServerRefusesIsLogged() throws {
    let file = NSTemporaryDirectory() + "kabuto-embedded-\(UUID().uuidString).jsonl"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let script = Script()
    let firewall = try EmbeddedFirewall(
      settings: {
        var settings = EmbeddedSettings()
        settings.logFile = file
        return settings
      }(), snapshot: script.snapshot(), logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() },
      loadSnapshot: { script.snapshot() })
    let loop = firewall.loop()
    for status in [400, 408, 431] { loop.refused(request(), status: status, reason: "why") }
    loop.flush()
    firewall.close()
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(LoggedLine.self, from: Data($0.utf8))
    }
    #expect(lines.map(\.status) == [400, 408, 431] && lines.allSatisfy { $0.action == "block" })
    #expect(
      lines.map(\.refused) == [
        "the request can't be read as HTTP", "the head was not whole in time", "the head is too large",
      ])
    #expect(lines.allSatisfy { $0.notes == ["why"] } && script.phases.isEmpty)
  }

  @Test func policiesAreExchangedBetweenRequestsAndBadOnesAreNot() async throws {
    let denying = Script { $0.deny = [1: .deny(status: 403)] }
    let passing = Script()
    let next = Mutex<Script?>(nil)
    let firewall = try firewall(denying) {
      guard let script = next.withLock({ $0 }) else { throw FirewallError("nothing to load") }
      return script.snapshot()
    }
    let loop = firewall.loop()
    #expect(status(play(loop, request()).0) == 403)
    await #expect(throws: FirewallError.self) { try await firewall.reload() }
    #expect(firewall.lastFault == "nothing to load")
    #expect(status(play(loop, request()).0) == 403)
    let inWork = loop.begin(request())
    next.withLock { $0 = passing }
    try await firewall.reload()
    #expect(firewall.lastFault == nil)
    #expect(status(inWork.request(body: .init(start: nil, count: 0), isComplete: true)) == 403)
    #expect(status(play(loop, request()).0) == nil)
  }

  @Test func aReloadAskedForWhileOneRunsIsDoneAfterIt() async throws {
    let loads = Atomic<Int>(0)
    let isLoading = DispatchSemaphore(value: 0)
    let mayGoOn = DispatchSemaphore(value: 0)
    let script = Script()
    let firewall = try firewall(script) {
      loads.wrappingAdd(1, ordering: .relaxed)
      isLoading.signal()
      mayGoOn.wait()
      return script.snapshot()
    }
    let first = Task { try await firewall.reload() }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        isLoading.wait()
        continuation.resume()
      }
    }
    let others = (0..<2).map { _ in Task { try await firewall.reload() } }
    try await eventually { firewall.reloading.waitingCount == 2 }
    mayGoOn.signal()
    mayGoOn.signal()
    try await first.value
    for other in others { try await other.value }
    #expect(loads.load(ordering: .relaxed) == 2, "those that came meanwhile are one")
  }
}
