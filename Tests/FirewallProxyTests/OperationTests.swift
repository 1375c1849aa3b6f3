// Reload, log, limits, admin address, the way out.

import Foundation
import Logging
import NIOPosix
import Synchronization
import Testing

@testable import Firewall
@testable import FirewallProxy

/// A number that threads share.
private final class Counter: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func add() { count.withLock { $0 += 1 } }
}

@Suite struct OperationTests {
  @Test func reloadingUnderLoadFailsNoRequest() async throws {
    let script = Script()
    try await withFirewall(TestBackend { answer($0.target) }, script: script, configure: { $0.loops = 2 }) {
      run in
      let wrong = Counter()
      let done = Counter()
      await withTaskGroup(of: Void.self) { group in
        for client in 0..<4 {
          group.addTask {
            await withCheckedContinuation { continuation in
              TestBackend.thread {
                if let socket = try? run.connect() {
                  for index in 0..<150 {
                    socket.send("GET /\(client)/\(index) HTTP/1.1\r\nHost: a\r\n\r\n")
                    if socket.message()?.text != "/\(client)/\(index)" { wrong.add() }
                    done.add()
                  }
                }
                continuation.resume()
              }
            }
          }
        }
        group.addTask {
          while done.value < 500 { try? await run.server.reload() }
        }
      }
      #expect(wrong.value == 0 && done.value == 600)
      #expect(await run.server.metrics().reloads > 0)
    }
  }

  @Test func aReloadTakesEffectAndABadOneDoesNot() async throws {
    struct Bad: Error, CustomStringConvertible {
      var description: String { "rules.conf:3: no such operator" }
    }
    let script = Script()
    let isBad = Counter()
    let backend = try TestBackend { _ in answer("x") }
    var configuration = FirewallConfiguration(backends: [
      BackendAddress(host: "127.0.0.1", port: backend.port)
    ])
    configuration.port = 0
    configuration.mode = .block
    configuration.patience.stop = 100
    let server = FirewallServer(
      configuration: configuration, group: MultiThreadedEventLoopGroup.singleton,
      logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() },
      loadSnapshot: {
        if isBad.value > 0 { throw Bad() }
        return script.snapshot()
      })
    try await server.start()
    // A connection each: a reload beside a busy machine's other tests can take longer than one is kept.
    func ask() throws -> Int? {
      let socket = try RawSocket.connect(port: server.port)
      socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      return socket.message()?.status
    }
    #expect(try ask() == 200)
    script.answers.withLock { $0.deny[1] = denied }
    #expect(try ask() == 200)
    try await server.reload()
    #expect(try ask() == 403)
    script.answers.withLock { $0.deny = [:] }
    isBad.add()
    await #expect(throws: Bad.self) { try await server.reload() }
    #expect(server.lastFault == "rules.conf:3: no such operator")
    #expect(try ask() == 403)
    await server.shutdown()
    backend.stop()
  }

  /// The rules in use are those of the reload that was asked for last, however long each takes; and each caller hears of
  /// a reload that began after its call.
  @Test func reloadsComeOneAfterTheOther() async throws {
    struct Old: Error {}
    let loads = Counter()
    let inLoad = Counter()
    let mayGoOn = Mutex(false)
    let backend = try TestBackend { _ in answer("x") }
    var configuration = FirewallConfiguration(backends: [
      BackendAddress(host: "127.0.0.1", port: backend.port)
    ])
    configuration.port = 0
    configuration.mode = .block
    configuration.patience.stop = 100
    let server = FirewallServer(
      configuration: configuration, group: MultiThreadedEventLoopGroup.singleton,
      logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() },
      loadSnapshot: {
        loads.add()
        let number = loads.value
        guard number > 1 else { return Script().snapshot() }
        inLoad.add()
        // The first reload is slow, and ends badly.
        if number == 2 {
          while !mayGoOn.withLock({ $0 }) { usleep(5_000) }
          throw Old()
        }
        return Script { $0.deny[1] = denied }.snapshot()
      })
    try await server.start()
    let first = Task { try await server.reload() }
    try await eventually { inLoad.value == 1 }
    let others = (0..<3).map { _ in Task { try await server.reload() } }
    try await eventually { server.reloading.waitingCount == 3 }
    #expect(loads.value == 2, "one at a time")
    mayGoOn.withLock { $0 = true }
    await #expect(throws: Old.self) { try await first.value }
    for other in others { try await other.value }
    #expect(loads.value == 3 && server.lastFault == nil)
    let socket = try RawSocket.connect(port: server.port)
    socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(socket.message()?.status == 403)
    await server.shutdown()
    backend.stop()
  }

  @Test func theLogIsOpenedAnew() async throws {
    try await withFirewall(TestBackend { _ in answer("") }) { run in
      _ = try run.get("/first")
      _ = try await run.log(1)
      try FileManager.default.moveItem(atPath: run.logPath, toPath: run.logPath + ".1")
      run.server.reopenLog()
      try await eventually { FileManager.default.fileExists(atPath: run.logPath) }
      _ = try run.get("/second")
      try #expect(await run.log(1).first?.uri == "/second")
      try FileManager.default.removeItem(atPath: run.logPath + ".1")
    }
  }

  @Test func aFullLogDropsAndCounts() throws {
    let path = NSTemporaryDirectory() + "kabuto-log-\(UUID().uuidString)"
    let told = Counter()
    let log = try TransactionLog(path: path, limitBytes: 10) { _ in told.add() }
    log.take(Array("more than ten bytes\n".utf8), lines: 3)
    log.take(Array("short\n".utf8), lines: 1)
    log.close()
    #expect(log.droppedLines == 3 && told.value == 1)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains("short\n") && text.contains("{\"dropped_lines\":3}\n"))
    try FileManager.default.removeItem(atPath: path)
  }

  @Test func startingSaysWhatIsWrong() async throws {
    let backend = BackendAddress(host: "127.0.0.1", port: 1)
    var configuration = FirewallConfiguration(backends: [backend])
    configuration.logFile = "/nowhere/at/all.jsonl"
    let logger = Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }
    let server = FirewallServer(configuration: configuration, logger: logger, loadPolicy: { Policy() })
    let error = await #expect(throws: FirewallError.self) { try await server.start() }
    #expect(error?.description.hasPrefix("log '/nowhere/at/all.jsonl'") == true)
    configuration.logFile = nil
    configuration.host = "203.0.113.1"
    let elsewhere = FirewallServer(configuration: configuration, logger: logger, loadPolicy: { Policy() })
    let other = await #expect(throws: FirewallError.self) { try await elsewhere.start() }
    #expect(other?.description.hasPrefix("listen 203.0.113.1:8081") == true)
    #expect(throws: FirewallError.self) { try BackendAddress("https://a") }
    #expect(throws: FirewallError.self) { try BackendAddress("http://a:99999") }
    #expect(try BackendAddress("http://[::1]:80/").authority == "[::1]:80")
    #expect(try BackendAddress("unix:/run/a.sock").socketPath == "/run/a.sock")
  }

  @Test func connectionsAreBounded() async throws {
    try await withFirewall(
      TestBackend { _ in answer("") },
      configure: {
        $0.limits.connectionsPerAddress = 2
        $0.limits.exemptsLoopback = false
      }
    ) { run in
      let first = try run.connect()
      let second = try run.connect()
      for socket in [first, second] {
        socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(socket.message()?.status == 200)
      }
      let third = try run.connect()
      #expect(third.isClosedByPeer())
      #expect(await run.server.metrics().connectionsRefused == 1)
      first.close()
      try await eventually { await run.server.metrics().openConnections <= 1 }
      try #expect(run.get().status == 200)
    }
  }

  /// Who asks much and reads nothing is not served ahead without end.
  @Test func aClientThatTakesNothingIsNotServedAhead() async throws {
    let body = String(repeating: "x", count: 30_000)
    try await withFirewall(
      TestBackend { _ in answer(body) }, configure: { $0.patience.write = 700 }
    ) { run in
      let socket = try RawSocket.connect(port: run.port, receiveBuffer: 4_096)
      let asked = 3_000
      socket.setTimeout(milliseconds: 300)
      for _ in 0..<asked { socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
      let served = await run.server.metrics().requests
      #expect(served < 500)
      // It is cut off in the end.
      try await eventually { await run.server.metrics().slowClients == 1 }
      try await eventually { await run.server.metrics().openConnections == 0 }
    }
  }

  @Test func aLastLargeAnswerReachesASlowClient() async throws {
    let body = String(repeating: "0123456789abcdef", count: 20_000)
    let script = Script { $0.wantsResponseBody = true }
    try await withFirewall(TestBackend { _ in answer(body) }, script: script) { run in
      let socket = try RawSocket.connect(port: run.port, receiveBuffer: 4_096)
      socket.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      usleep(1_500_000)
      #expect(socket.message()?.text == body)
    }
  }

  @Test func idleConnectionsAreClosed() async throws {
    try await withFirewall(TestBackend { _ in answer("") }, configure: { $0.patience.idle = 150 }) { run in
      let socket = try run.connect()
      socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(socket.message()?.status == 200)
      #expect(socket.readToEnd().isEmpty && socket.isAtEnd)
    }
  }

  @Test func theAdminAddressAnswers() async throws {
    try await withFirewall(TestBackend { _ in answer("") }) { run in
      let admin = try await FirewallAdmin.start(host: "127.0.0.1", port: 0, firewall: run.server)
      _ = try run.get()
      func ask(_ line: String) async throws -> RawMessage {
        try await apart {
          let socket = try RawSocket.connect(port: admin.port)
          socket.send("\(line) HTTP/1.1\r\nHost: a\r\n\r\n")
          return try #require(socket.message())
        }
      }
      let metrics = try await ask("GET /metrics")
      #expect(metrics.text.contains("\nkabuto_firewall_requests_total 1\n"))
      #expect(metrics.text.contains("kabuto_firewall_answers_total{class=\"2xx\"} 1\n"))
      #expect(try await ask("GET /health/live").status == 200)
      #expect(try await ask("POST /reload").text == "reloaded\n")
      #expect(try await ask("GET /reload").status == 405)
      #expect(try await ask("GET /other").status == 404)
      await admin.stop()
    }
  }

  @Test func stoppingLetsFinishWhatRuns() async throws {
    let gate = Counter()
    let backend = try TestBackend { socket, _ in
      _ = socket.message()
      while gate.value == 0 { usleep(5_000) }
      socket.send(answer("finished"))
    }
    try await withFirewall(backend, configure: { $0.patience.stop = 3_000 }) { run in
      let idle = try run.connect()
      let busy = try run.connect()
      busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      try await eventually { await run.server.metrics().requests > 0 }
      async let stopped: Void = run.server.shutdown()
      // When nobody is let in any more, the answer may come.
      try await eventually { !RawSocket.accepts(port: run.port) }
      gate.add()
      await stopped
      let reply = try #require(busy.message())
      #expect(reply.text == "finished" && reply.field("Connection") == "close")
      #expect(idle.isClosedByPeer())
    }
  }

  @Test func requestIDsRiseWithTimeAndDiffer() {
    var random = RandomBits(seed: 7)
    let texts = (0..<1_000).map { random.id(wall: Int64($0) * 1_000_000 + 1_700_000_000_000_000_000).text }
    #expect(texts == texts.sorted() && Set(texts).count == 1_000 && texts.allSatisfy { $0.utf8.count == 32 })
    #expect(TimeText.text(951_782_400) == Array("2000-02-29T00:00:00".utf8))
    #expect(TimeText.text(1_798_761_599) == Array("2026-12-31T23:59:59".utf8))
  }

  @Test func addressRangesContain() throws {
    let range = try #require(AddressRange("10.20.0.0/15"))
    #expect(range.contains(try #require(AddressRange.octets("10.21.255.255"))))
    #expect(!range.contains(try #require(AddressRange.octets("10.22.0.0"))))
    let six = try #require(AddressRange("2001:db8::/33"))
    #expect(six.contains(try #require(AddressRange.octets("2001:db8:7fff::1"))))
    #expect(!six.contains(try #require(AddressRange.octets("2001:db8:8000::1"))))
    for text in ["", "a", "1.2.3.4/33", "1.2.3/8", "::/129", "1.2.3.4/-1", "1.2.3.4/"] {
      #expect(AddressRange(text) == nil, "\(text)")
    }
  }
}
