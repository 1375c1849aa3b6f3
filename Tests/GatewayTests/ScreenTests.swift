// The seam to a screen: what it is asked, in which order, and that what it says is done. The screen here is made up.

import Foundation
import Synchronization
import Testing

@testable import Gateway

/// Denies by words in the target, and keeps what it was asked.
private final class MadeUpScreen: RequestScreen, Sendable {
  private let told = Mutex<[String]>([])
  let ended = Atomic<Int>(0)

  func note(_ text: String) { told.withLock { $0.append(text) } }
  /// What it was asked since the last call, once so many requests are over.
  func take(requests: Int) throws -> [String] {
    for _ in 0..<6000 {
      if ended.load(ordering: .acquiring) >= requests { break }
      usleep(10_000)
    }
    #expect(ended.load(ordering: .acquiring) == requests)
    ended.store(0, ordering: .releasing)
    return told.withLock { told in
      defer { told = [] }
      return told
    }
  }

  var counters: [ScreenCounter] { [ScreenCounter(name: "kabuto_made_up_total", help: "Made up", value: 7)] }
  func loopScreen() -> any LoopScreen { Loop(screen: self) }

  final class Loop: LoopScreen {
    let screen: MadeUpScreen
    init(screen: MadeUpScreen) { self.screen = screen }
    func begin(_ request: ScreenedRequest) -> any Screening { One(screen, request) }
    func refused(_ request: ScreenedRequest, status: Int, reason: String) {
      let line = "\(request.method) \(request.target)"
      screen.note("refused \(status) '\(line)' from \(request.ends.clientAddress): \(reason)")
      screen.ended.add(1, ordering: .releasing)
    }
    func tick() {}
    func end() { screen.note("loop ends") }
  }

  final class One: Screening {
    let screen: MadeUpScreen
    let given: ScreenedRequest
    init(_ screen: MadeUpScreen, _ request: ScreenedRequest) {
      self.screen = screen
      given = request
    }

    var answerFields: [(name: String, value: String)] { [("X-Request-ID", "id-1")] }

    func request(body: UnsafeRawBufferPointer, isComplete: Bool) -> ScreenVerdict {
      let host = given.fields.first { $0.name.lowercased() == "host" }?.value ?? "-"
      let part = isComplete ? "" : " of more"
      screen.note(
        "\(given.method) \(given.target) \(given.version) host \(host) from \(given.ends.clientAddress) body \(body.count)\(part)"
      )
      if given.target.contains("close") { return .close }
      return given.target.contains("deny-request") ? denial : .pass
    }

    func answer(status: Int, fields: [(name: String, value: String)], body: UnsafeRawBufferPointer)
      -> ScreenVerdict
    {
      let type = fields.first { $0.name.lowercased() == "content-type" }?.value ?? "-"
      screen.note("answer \(status) \(type) \(body.isEmpty ? "without" : "with") body")
      if given.target.contains("cut") { return .close }
      return given.target.contains("deny-answer") ? denial : .pass
    }

    func end(status: Int?) {
      screen.note("end \(status.map(String.init) ?? "-")")
      screen.ended.add(1, ordering: .releasing)
    }

    private var denial: ScreenVerdict {
      .answer(
        ScreenAnswer(status: 403, fields: [("Content-Type", "text/x-denied")], body: Array("denied".utf8)))
    }
  }
}

@Suite(.serialized) struct ScreenTests {
  private func screened(
    _ change: (inout GatewayConfiguration) -> Void = { _ in },
    _ body: (MadeUpScreen, GatewayServer) async throws -> Void
  ) async throws {
    let screen = MadeUpScreen()
    let gateway = try await start(Feed(), screen: screen, change)
    try await body(screen, gateway)
    await gateway.end()
  }

  @Test func requestsAreAskedAboutInOrderAndAnswered() async throws {
    try await screened { screen, gateway in
      let line = try Line(port: gateway.port)
      line.send(
        "GET /health/live HTTP/1.1\r\nHost: one\r\n\r\nGET /v1/quotes?limit=0 HTTP/1.1\r\nHost: two\r\n\r\n")
      for status in ["200", "400"] {
        let (head, _) = try line.answer()
        #expect(head.hasPrefix("HTTP/1.1 \(status)"))
        #expect(head.contains("\r\nX-Request-ID: id-1\r\n"))
      }
      #expect(
        try screen.take(requests: 2) == [
          "GET /health/live HTTP/1.1 host one from 127.0.0.1 body 0", "answer 200 application/json with body",
          "end 200", "GET /v1/quotes?limit=0 HTTP/1.1 host two from 127.0.0.1 body 0",
          "answer 400 application/problem+json with body", "end 400",
        ])
    }
  }

  @Test func deniedRequestGetsTheScreensAnswerAndTheConnectionStays() async throws {
    try await screened { screen, gateway in
      let line = try Line(port: gateway.port)
      line.send("GET /health/live?deny-request HTTP/1.1\r\nHost: x\r\n\r\n")
      let (head, body) = try line.answer()
      #expect(head.hasPrefix("HTTP/1.1 403"))
      #expect(head.contains("\r\nContent-Type: text/x-denied\r\n"))
      #expect(head.contains("\r\nX-Request-ID: id-1\r\n"))
      #expect(String(decoding: body, as: UTF8.self) == "denied")
      let told = try screen.take(requests: 1)
      #expect(told.last == "end 403")
      #expect(!told.contains { $0.hasPrefix("answer") })
      #expect(try line.get("/health/live").head.hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test func deniedAnswerNeverLeaves() async throws {
    try await screened { screen, gateway in
      let line = try Line(port: gateway.port)
      line.send("GET /v1/instruments?deny-answer HTTP/1.1\r\nHost: x\r\n\r\n")
      let (head, body) = try line.answer()
      #expect(head.hasPrefix("HTTP/1.1 403"))
      #expect(String(decoding: body, as: UTF8.self) == "denied")
      #expect(!head.contains("application/json"))
      #expect(try screen.take(requests: 1).suffix(2) == ["answer 200 application/json with body", "end 403"])
    }
  }

  @Test func headRequestsAreAnsweredWithoutTheDenialsBody() async throws {
    try await screened { _, gateway in
      let line = try Line(port: gateway.port)
      line.send("HEAD /?deny-request HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      let all = line.all()
      #expect(all.hasPrefix("HTTP/1.1 403"))
      #expect(all.hasSuffix("\r\n\r\n"))
    }
  }

  @Test(arguments: ["close", "cut"]) func connectionEndsWithoutAnAnswer(word: String) async throws {
    try await screened { screen, gateway in
      let line = try Line(port: gateway.port)
      line.send("GET /health/live?\(word) HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(line.all().isEmpty)
      #expect(try screen.take(requests: 1).last == "end -")
    }
  }

  @Test func bodiesAreShownAsFarAsTheyAreTaken() async throws {
    try await screened({ $0.bodyBytes = 1000 }) { screen, gateway in
      let line = try Line(port: gateway.port)
      line.send("POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
      line.send([UInt8](repeating: 65, count: 400))
      usleep(50_000)
      line.send([UInt8](repeating: 65, count: 600))
      #expect(try line.answer().head.hasPrefix("HTTP/1.1 405"))
      #expect(
        try screen.take(requests: 1) == [
          "POST /v1/quotes HTTP/1.1 host x from 127.0.0.1 body 1000",
          "answer 405 application/problem+json with body", "end 405",
        ])
      line.send("POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
      line.send([UInt8](repeating: 65, count: 1001))
      #expect(try line.answer().head.hasPrefix("HTTP/1.1 413"))
      let told = try screen.take(requests: 1)
      #expect(told.first?.hasSuffix(" of more") == true)
      #expect(told.last == "end 413")
    }
  }

  @Test func streamsAreScreenedAtTheirHandshakeAlone() async throws {
    try await screened { screen, gateway in
      let socket = try Line(port: gateway.port)
      socket.send(Line.handshake)
      let (head, _) = try socket.answer()
      #expect(head.hasPrefix("HTTP/1.1 101"))
      #expect(head.contains("\r\nX-Request-ID: id-1\r\n"))
      #expect(
        try screen.take(requests: 1) == [
          "GET /v1/stream HTTP/1.1 host x from 127.0.0.1 body 0", "answer 101 - without body", "end 101",
        ])
      socket.send(Line.frame(1, #"{"op":"ping"}"#))
      #expect(try socket.events().first?["type"] as? String == "pong")

      let events = try Line(port: gateway.port)
      events.send("GET /v1/events?channel=quotes&instruments=* HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try events.answer().head.hasPrefix("HTTP/1.1 200"))
      #expect(
        try screen.take(requests: 1).suffix(2) == ["answer 200 text/event-stream without body", "end 200"])
    }
  }

  @Test(arguments: ["deny-request", "deny-answer"]) func deniedHandshakesAreNoStreams(word: String)
    async throws
  {
    try await screened { _, gateway in
      let socket = try Line(port: gateway.port)
      socket.send(Line.handshake.replacingOccurrences(of: "/v1/stream", with: "/v1/stream?\(word)"))
      #expect(try socket.answer().head.hasPrefix("HTTP/1.1 403"))
      let events = try Line(port: gateway.port)
      events.send("GET /v1/events?channel=quotes&instruments=*&\(word)=1 HTTP/1.1\r\nHost: x\r\n\r\n")
      let (head, body) = try events.answer()
      #expect(head.hasPrefix("HTTP/1.1 403"))
      #expect(String(decoding: body, as: UTF8.self) == "denied")
      #expect(await gateway.clientCount() == 0)
    }
  }

  @Test func whatCannotBeReadIsTold() async throws {
    try await screened({ $0.headBytes = 4_000 }) { screen, gateway in
      for broken in [
        "POST /evil HTTP/1.1\r\nHost: x\r\nContent-Length: +44\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "no HTTP at all\r\n\r\n",
      ] {
        let line = try Line(port: gateway.port)
        line.send(broken)
        #expect(line.all().hasPrefix("HTTP/1.1 400"))
        let told = try screen.take(requests: 1)
        #expect(told.count == 1 && told[0].hasPrefix("refused 400 '"), "\(told)")
        #expect(told[0].contains("from 127.0.0.1: not HTTP: "))
      }
      let endless = try Line(port: gateway.port)
      endless.send("GET /" + String(repeating: "a", count: 5_000))
      #expect(endless.all().hasPrefix("HTTP/1.1 431"))
      #expect(try screen.take(requests: 1) == ["refused 431 ' ' from 127.0.0.1: head-too-large"])
      let whole = try Line(port: gateway.port)
      whole.send("GET /long HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "a", count: 5_000))\r\n\r\n")
      #expect(whole.all().hasPrefix("HTTP/1.1 431"))
      let told = try screen.take(requests: 1)
      #expect(told == ["refused 431 'GET /long' from 127.0.0.1: the head is too large"])
    }
  }

  @Test func countersAreMetricsAndTheLoopsEndIsTold() async throws {
    let screen = MadeUpScreen()
    let gateway = try await start(Feed(), screen: screen)
    let line = try Line(port: gateway.port)
    line.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(String(decoding: try line.answer().body, as: UTF8.self).contains("\nkabuto_made_up_total 7\n"))
    await gateway.end()
    #expect(try screen.take(requests: 1).last == "loop ends")
  }

  @Test func withoutAScreenNothingIsAdded() async throws {
    let gateway = try await start(Feed())
    let line = try Line(port: gateway.port)
    line.send("GET /health/live?deny-request HTTP/1.1\r\nHost: x\r\n\r\n")
    let (head, _) = try line.answer()
    #expect(head.hasPrefix("HTTP/1.1 200"))
    #expect(!head.contains("X-Request-ID"))
    await gateway.end()
  }
}
