// Limits of a running gateway, met on purpose: each tells who meets it, counts it, and leaves nothing behind.

import Distribution
import Foundation
import Testing

@testable import Gateway

@Suite(.serialized) struct LimitTests {
  private func hits(_ gateway: GatewayServer, _ reason: LimitReason) -> UInt64 {
    gateway.router.limits.hits.first { $0.reason == reason }?.count ?? 0
  }

  /// Waits, not by the clock alone: looks again and again.
  private func until(_ what: () async -> Bool) async -> Bool {
    for _ in 0..<6_000 {
      if await what() { return true }
      usleep(10_000)
    }
    return false
  }

  private func problem(_ text: String) throws -> [String: Any] {
    let body = try #require(text.range(of: "\r\n\r\n").map { text[$0.upperBound...] })
    return try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
  }

  /// A folder with a large file, for answers of some size.
  private func folder(megabytes: Int) throws -> String {
    let path = NSTemporaryDirectory() + "kabuto-limits-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Data("<p>".utf8).write(to: URL(fileURLWithPath: path + "/index.html"))
    try Data(count: megabytes << 20).write(to: URL(fileURLWithPath: path + "/big.png"))
    return path
  }

  @Test func aHeadThatTricklesIsToldAndEnded() async throws {
    let gateway = try await start(try Feed()) { $0.handshakeSeconds = 1 }
    for (beginning, told) in [("", false), ("GET /v1/quotes HTTP/1.1\r\nHos", true)] {
      let line = try Line(port: gateway.port)
      line.send(beginning)
      let answer = line.all()
      #expect(answer.hasPrefix("HTTP/1.1 408 ") == told)
      #expect(answer.isEmpty == !told)
      if told { #expect(try problem(answer)["type"] as? String == "/problems/head-too-slow") }
    }
    // The second request of a connection has the same time, from its first byte on.
    let line = try Line(port: gateway.port)
    _ = try line.get("/health/live")
    line.send("G")
    #expect(line.all().hasPrefix("HTTP/1.1 408 "))
    #expect(hits(gateway, .handshakeTime) == 3)
    await gateway.drain()
    await gateway.end()
  }

  @Test func aBodyThatTricklesIsToldAndEnded() async throws {
    let gateway = try await start(try Feed()) { $0.requestSeconds = 1 }
    let line = try Line(port: gateway.port)
    line.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123")
    #expect(try problem(line.all())["type"] as? String == "/problems/request-too-slow")
    #expect(hits(gateway, .requestTime) == 1)
    await gateway.drain()
    await gateway.end()
  }

  @Test func aConnectionThatAsksNothingMoreEnds() async throws {
    let gateway = try await start(try Feed()) { $0.idleSeconds = 1 }
    let line = try Line(port: gateway.port)
    for _ in 0..<3 { _ = try line.get("/health/live") }
    #expect(line.all().isEmpty)
    #expect(hits(gateway, .idleTime) == 1)
    await gateway.drain()
    await gateway.end()
  }

  @Test func headsHaveABound() async throws {
    let gateway = try await start(try Feed()) { $0.headBytes = 2_000 }
    let long = String(repeating: "x", count: 3_000)
    let endless = String(repeating: "y", count: 200_000)
    for request in [
      "GET /health/live HTTP/1.1\r\nHost: x\r\nA: \(long)\r\n\r\n",
      "GET /health/live HTTP/1.1\r\nA: \(endless)",
      "GET /\(endless)", "GET /v1/quotes?instruments=\(long) HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
      let line = try Line(port: gateway.port)
      line.send(request)
      let answer = line.all()
      #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(request.prefix(60)): \(answer.prefix(60))")
      #expect(try problem(answer)["type"] as? String == "/problems/head-too-large")
    }
    #expect(hits(gateway, .headBytes) == 4)
    // Many small requests in one piece are not one large one.
    let line = try Line(port: gateway.port)
    line.send(String(repeating: "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n", count: 200))
    for _ in 0..<200 { #expect(try line.answer().head.hasPrefix("HTTP/1.1 200")) }
    await gateway.drain()
    await gateway.end()
  }

  @Test func whoDoesNotTakeAnAnswerIsEnded() async throws {
    let folder = try folder(megabytes: 32)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let gateway = try await start(try Feed()) {
      $0.viewerDirectory = folder
      $0.answerSeconds = 1
    }
    // Many answers, and nothing read: the connection waits for its peer, and not for long.
    let many = try Line(port: gateway.port, window: 4_096)
    many.offer(Array(String(repeating: "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", count: 20_000).utf8))
    // What is closed gives its room back. (A large answer has a second for each 16 KiB: too long for a test.)
    let large = try Line(port: gateway.port, window: 4_096)
    large.send("GET /big.png HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(await until { gateway.router.limits.heldBytes == 32 << 20 })
    large.send("GET /big.png HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(await until { hits(gateway, .answerTime) >= 1 })
    await gateway.drain()
    await gateway.end()
    #expect(gateway.router.limits.heldBytes == 0)
    #expect(gateway.router.ledger.counts.open == 0)
  }

  @Test func answersThatWaitHaveARoomInAll() async throws {
    let folder = try folder(megabytes: 16)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let gateway = try await start(try Feed()) {
      $0.viewerDirectory = folder
      $0.answerBytes = 20 << 20
    }
    let slow = try Line(port: gateway.port, window: 4_096)
    slow.send("GET /big.png HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(await until { gateway.router.limits.heldBytes > 0 })
    let other = try Line(port: gateway.port)
    let refused = try other.get("/big.png")
    #expect(refused.head.hasPrefix("HTTP/1.1 503 ") && refused.head.contains("Retry-After: "))
    #expect(refused.json["type"] as? String == "/problems/overloaded")
    #expect(try other.get("/health/live").head.hasPrefix("HTTP/1.1 200"), "small answers always have room")
    _ = try slow.answer()
    #expect(await until { gateway.router.limits.heldBytes == 0 })
    other.send("GET /big.png HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(try other.answer().body.count == 16 << 20)
    await gateway.drain()
    await gateway.end()
  }

  @Test func anAddressThatAsksTooOftenIsTold() async throws {
    let gateway = try await start(try Feed()) {
      $0.exemptsLoopback = false
      $0.requestsPerSecond = 1
    }
    let line = try Line(port: gateway.port)
    var answers = 0
    while true {
      let answer = try line.get("/health/live")
      guard answer.head.hasPrefix("HTTP/1.1 200") else {
        #expect(answer.head.hasPrefix("HTTP/1.1 429 ") && answer.head.contains("Retry-After: 1"))
        #expect(answer.json["type"] as? String == "/problems/too-many-requests")
        break
      }
      answers += 1
      try #require(answers < 100_000)
    }
    #expect(answers >= 4)
    #expect(hits(gateway, .requestRate) == 1)
    await gateway.drain()
    await gateway.end()
  }

  @Test func anAddressHasSoManyConnections() async throws {
    let gateway = try await start(try Feed()) {
      $0.exemptsLoopback = false
      $0.connectionsPerAddress = 2
    }
    let (one, two) = (try Line(port: gateway.port), try Line(port: gateway.port))
    for line in [one, two] { #expect(try line.get("/health/live").head.hasPrefix("HTTP/1.1 200")) }
    let refused = try Line(port: gateway.port).get("/v1/quotes")
    #expect(refused.head.hasPrefix("HTTP/1.1 429 ") && refused.head.contains("Retry-After: 5"))
    #expect((refused.json["detail"] as? String)?.contains("2 are allowed") == true)
    #expect(gateway.router.ledger.refusals.map(\.count) == [0, 1, 0])
    await gateway.drain()
    await gateway.end()
    #expect(gateway.router.ledger.counts.open == 0)
  }

  @Test func aClientThatSaysNothingIsAskedAndThenDropped() async throws {
    let gateway = try await start(try Feed()) { $0.pingSeconds = 1 }
    let (silent, polite) = (try Line(port: gateway.port), try Line(port: gateway.port))
    for line in [silent, polite] {
      line.send(Line.handshake)
      #expect(try line.answer().head.hasPrefix("HTTP/1.1 101"))
    }
    var answered = 0
    while answered < 4 {
      let (opcode, data) = try polite.frame()
      #expect(opcode != 8)
      if opcode == 9 {
        polite.send(Line.frame(10, String(decoding: data, as: UTF8.self)))
        answered += 1
      }
    }
    var pings = 0
    while true {
      let (opcode, data) = try silent.frame()
      if opcode == 8 {
        #expect(data.prefix(2) == [0x0f, 0xa2], "4002")
        break
      }
      if opcode == 9 { pings += 1 }
    }
    #expect(pings == 2)
    #expect(hits(gateway, .silent) == 1)
    #expect(gateway.router.limits.closed.map(\.code) == [4002])
    await gateway.drain()
    await gateway.end()
  }

  @Test func controlFramesAndFragmentsAreCounted() async throws {
    let gateway = try await start(try Feed()) { $0.client.messagesPerSecond = 1 }
    let ping = Line.frame(9, "")
    let fragments: [UInt8] = [0x01, 0x80, 0, 0, 0, 0]
    let more: [UInt8] = [0x00, 0x80, 0, 0, 0, 0]
    for flood in [
      Array((0..<100).map { _ in ping }.joined()), fragments + Array((0..<100).map { _ in more }.joined()),
    ] {
      let line = try Line(port: gateway.port)
      line.send(Line.handshake)
      _ = try line.answer()
      line.send(flood)
      var frame = try line.frame()
      while frame.opcode != 8 { frame = try line.frame() }
      #expect(frame.data.prefix(2) == [0x03, 0xf0], "1008")
    }
    #expect(hits(gateway, .frameRate) == 2)
    await gateway.drain()
    await gateway.end()
  }

  @Test func metricsTellEachReason() async throws {
    let gateway = try await start(try Feed())
    let line = try Line(port: gateway.port)
    line.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    let text = String(decoding: try line.answer().body, as: UTF8.self)
    for reason in LimitReason.allCases {
      #expect(text.contains("kabuto_limit_hits_total{reason=\"\(reason.rawValue)\"} 0\n"))
    }
    for reason in RefusalReason.allCases {
      #expect(text.contains("kabuto_connections_refused_total{reason=\"\(reason.rawValue)\"} 0\n"))
    }
    await gateway.drain()
    await gateway.end()
  }
}
