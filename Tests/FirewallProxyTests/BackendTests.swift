// Backends that die, lie, dawdle, or answer early.

import Glibc
import Synchronization
import Testing

@testable import FirewallProxy

@Suite struct BackendTests {
  @Test func nobodyListens() async throws {
    let backend = try TestBackend { _ in nil }
    let gone = try BoundPort()
    let port = gone.port
    defer { gone.close() }
    try await withFirewall(
      backend, configure: { $0.backends = [BackendAddress(host: "127.0.0.1", port: port)] }
    ) { run in
      let reply = try run.get(fields: "Accept: text/html\r\n")
      #expect(reply.status == 502 && reply.text.contains(reply.field("X-Request-ID") ?? "none"))
      let line = try #require(await run.log(1).first)
      #expect(line.status == 502 && line.notes == ["no connection to the backend"] && line.action == "pass")
    }
  }

  @Test func aDeadBackendIsPassedOver() async throws {
    let gone = try BoundPort()
    let port = gone.port
    defer { gone.close() }
    try await withFirewall(
      TestBackend { _ in answer("alive") },
      configure: { $0.backends.insert(BackendAddress(host: "127.0.0.1", port: port), at: 0) }
    ) { run in
      for _ in 0..<10 { try #expect(run.get().text == "alive") }
    }
  }

  @Test func requestsAreSpreadOverBackends() async throws {
    let other = try TestBackend { _ in answer("other") }
    try await withFirewall(
      TestBackend { _ in answer("one") },
      configure: { $0.backends.append(BackendAddress(host: "127.0.0.1", port: other.port)) }
    ) { run in
      for _ in 0..<10 { _ = try run.get() }
      #expect(run.backend.requests.count == 5 && other.requests.count == 5)
    }
    other.stop()
  }

  @Test func aBackendThatClosesWithoutAnswer() async throws {
    try await withFirewall(TestBackend { _ in nil }) { run in
      try #expect(run.get().status == 502)
    }
  }

  @Test func aBackendThatDiesInTheHead() async throws {
    let backend = try TestBackend { socket, _ in
      _ = socket.message()
      socket.send("HTTP/1.1 200 OK\r\nContent-Le")
    }
    try await withFirewall(backend) { run in try #expect(run.get().status == 502) }
  }

  @Test func aBackendThatDiesInTheBody() async throws {
    let backend = try TestBackend { socket, _ in
      _ = socket.message()
      socket.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    }
    try await withFirewall(backend) { run in
      let socket = try run.connect()
      socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      let all = String(decoding: socket.readToEnd(), as: UTF8.self)
      #expect(all.hasSuffix("only this") && socket.isAtEnd)
      try #expect(await run.log(1).first?.notes == ["the backend's answer broke off"])
    }
    let chunked = try TestBackend { socket, _ in
      _ = socket.message()
      socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    }
    try await withFirewall(chunked) { run in
      let socket = try run.connect()
      socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      // No last chunk: the client must not take it for whole.
      #expect(socket.message() == nil)
    }
  }

  /// What ends with its connection is whole only where that ended in order.
  @Test func anAnswerUntilTheEndThatIsResetIsNotWhole() async throws {
    func resetting() throws -> TestBackend {
      try TestBackend { socket, _ in
        _ = socket.message()
        socket.send("HTTP/1.1 200 OK\r\n\r\nonly this")
        usleep(100_000)
        socket.reset()
      }
    }
    try await withFirewall(resetting()) { run in
      let socket = try run.connect()
      socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      let all = String(decoding: socket.readToEnd(), as: UTF8.self)
      #expect(all.contains("only this") && !all.hasSuffix("0\r\n\r\n"))
      try #expect(await run.log(1).first?.notes == ["the backend's answer broke off"])
    }
    try await withFirewall(resetting(), script: Script { $0.wantsResponseBody = true }) { run in
      try #expect(run.get().status == 502)
    }
  }

  @Test func whoLeftTheLineTakesNoPlaceInIt() async throws {
    let mayAnswer = Mutex(false)
    let backend = try TestBackend { socket, backend in
      while let request = socket.message() {
        backend.note(request)
        while !mayAnswer.withLock({ $0 }) { usleep(5_000) }
        socket.send(answer("ok"))
      }
    }
    try await withFirewall(
      backend,
      configure: {
        $0.limits.backendConnections = 1
        $0.limits.waitingRequests = 1
      }
    ) { run in
      let first = try run.connect()
      first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      try await eventually { backend.requests.count == 1 }
      for _ in 0..<3 {
        let second = try run.connect()
        second.send("GET /leaves HTTP/1.1\r\nHost: a\r\n\r\n")
        let before = await run.server.metrics().requests
        try await eventually { await run.server.metrics().requests >= max(2, before) }
        second.close()
      }
      _ = try await run.log(3)
      let third = try run.connect()
      third.send("GET /stays HTTP/1.1\r\nHost: a\r\n\r\n")
      try await eventually { await run.server.metrics().requests == 5 }
      mayAnswer.withLock { $0 = true }
      #expect(first.message()?.text == "ok" && third.message()?.text == "ok")
      let lines = try await run.log(5)
      #expect(lines.prefix(3).allSatisfy { $0.status == 499 })
    }
  }

  @Test func whatWasRefusedOnItsWayIsToldInTheLog() async throws {
    let backend = try TestBackend { socket, backend in
      socket.setTimeout(milliseconds: 60_000)
      _ = socket.read { String(decoding: $0, as: UTF8.self).contains("hello") }
      backend.note(RawMessage())
      _ = socket.readToEnd()
    }
    try await withFirewall(backend) { run in
      let socket = try run.connect()
      socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
      try await eventually { !backend.requests.isEmpty }
      socket.send("nonsense\r\n")
      #expect(socket.message()?.status == 400)
      let line = try #require(await run.log(1).first)
      #expect(line.refused == "a chunk's size is malformed" && line.action == "block")
      #expect(line.notes == ["a part reached the backend"])
    }
  }

  @Test func aHeldAnswerThatBreaksOffIsAnError() async throws {
    let backend = try TestBackend { socket, _ in
      _ = socket.message()
      socket.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    }
    try await withFirewall(backend, script: Script { $0.wantsResponseBody = true }) { run in
      try #expect(run.get().status == 502)
    }
  }

  static let ambiguous = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "nonsense\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ]

  @Test(arguments: ambiguous.indices)
  func anAmbiguousAnswerIsAnError(index: Int) async throws {
    let text = Self.ambiguous[index]
    let backend = try TestBackend { socket, _ in
      _ = socket.message()
      socket.send(text)
      _ = socket.fill()
    }
    try await withFirewall(backend) { run in try #expect(run.get().status == 502) }
  }

  @Test func interimAnswersAreSwallowed() async throws {
    let backend = try TestBackend { _ in
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer("final")
    }
    try await withFirewall(backend) { run in try #expect(run.get().text == "final") }
  }

  @Test func aStaleConnectionIsReplaced() async throws {
    let backend = try TestBackend { socket, backend in
      guard let request = socket.message() else { return }
      backend.note(request)
      socket.send(answer("ok"))
      // Stays open until the next request comes, however late, then goes without an answer.
      socket.setTimeout(milliseconds: 600_000)
      _ = socket.fill()
    }
    try await withFirewall(backend) { run in
      let socket = try run.connect()
      for _ in 0..<3 {
        socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(socket.message()?.text == "ok")
      }
      // What may have had an effect is not sent twice.
      socket.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
      #expect(socket.message()?.status == 502)
      #expect(await run.server.metrics().retries == 2)
    }
  }

  @Test func anEarlyAnswerReachesTheClient() async throws {
    let backend = try TestBackend { socket, _ in
      _ = socket.read { String(decoding: $0, as: UTF8.self).contains("\r\n\r\n") }
      socket.send("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno")
      _ = socket.readToEnd()
    }
    try await withFirewall(backend) { run in
      let socket = try run.connect()
      socket.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nstart")
      let reply = try #require(socket.message())
      #expect(reply.status == 401 && reply.text == "no" && reply.field("Connection") == "close")
      #expect(socket.isClosedByPeer())
    }
  }

  @Test func aSilentBackendTimesOut() async throws {
    let backend = try TestBackend { socket, _ in
      _ = socket.message()
      _ = socket.fill()
    }
    try await withFirewall(backend, configure: { $0.patience.response = 200 }) { run in
      try #expect(run.get().status == 504)
    }
  }

  @Test func anAnswerThatStopsIsCut() async throws {
    let backend = try TestBackend { socket, _ in
      _ = socket.message()
      socket.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
      _ = socket.fill()
    }
    try await withFirewall(backend, configure: { $0.patience.responsePause = 200 }) { run in
      let socket = try run.connect()
      socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(socket.message() == nil && socket.isAtEnd)
    }
  }

  @Test func theLineForABackendIsBounded() async throws {
    let backend = try TestBackend { socket, _ in
      while socket.message() != nil {
        usleep(200_000)
        socket.send(answer("ok"))
      }
    }
    try await withFirewall(
      backend,
      configure: {
        $0.limits.backendConnections = 1
        $0.limits.waitingRequests = 1
      }
    ) { run in
      let sockets = try (0..<3).map { _ in try run.connect() }
      for socket in sockets { socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
      #expect(sockets.compactMap { $0.message()?.status }.sorted() == [200, 200, 503])
      #expect(backend.connections == 1)
    }
  }

  @Test func aBackendIsAskedForItsHealth() async throws {
    let sick = try TestBackend { request in
      request.target == "/health" ? answer("", status: "500 Ill") : answer("sick")
    }
    let well = try TestBackend { _ in answer("well") }
    try await withFirewall(
      well,
      configure: {
        $0.backends.append(BackendAddress(host: "127.0.0.1", port: sick.port))
        $0.healthPath = "/health"
        $0.healthInterval = 50
      }
    ) { run in
      try await eventually { sick.requests.count >= 2 }
      for _ in 0..<6 { try #expect(run.get().text == "well") }
    }
    sick.stop()
  }

  @Test func aClientThatLeavesTakesItsRequestAlong() async throws {
    let backend = try TestBackend { socket, _ in
      socket.setTimeout(milliseconds: 60_000)
      _ = socket.message()
      _ = socket.fill()
    }
    try await withFirewall(backend) { run in
      let socket = try run.connect()
      socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      try await eventually { await run.server.metrics().requests > 0 }
      socket.close()
      let line = try #require(await run.log(1).first)
      #expect(line.status == 499 && line.notes == ["the client left"])
      #expect(await run.server.metrics().backendConnections == 0)
    }
  }

  @Test func aLargeAnswerPassesASlowClient() async throws {
    let body = String(repeating: "0123456789abcdef", count: 500_000)
    try await withFirewall(TestBackend { _ in answer(body) }) { run in
      let socket = try RawSocket.connect(port: run.port, receiveBuffer: 4_096)
      socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      usleep(200_000)
      #expect(socket.message()?.text == body)
    }
  }

  @Test func aLargeBodyPassesToASlowBackend() async throws {
    let backend = try TestBackend { socket, _ in
      usleep(200_000)
      guard let request = socket.message() else { return }
      socket.send(answer("\(request.body.count)"))
    }
    try await withFirewall(backend) { run in
      let socket = try run.connect()
      let size = 8 << 20
      socket.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
      socket.send([UInt8](repeating: 0x61, count: size))
      #expect(socket.message()?.text == "\(size)")
    }
  }
}
