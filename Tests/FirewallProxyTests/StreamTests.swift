// WebSocket and event streams pass through; frames are counted and bounded.

import Glibc
import NIOCore
import Synchronization
import Testing

@testable import FirewallProxy

@Suite struct StreamTests {
  static let upgrade =
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
  static let accepted =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

  static func frame(_ text: String, opcode: UInt8 = 0x81, masked: Bool = true) -> [UInt8] {
    var bytes: [UInt8] = [opcode]
    let flag: UInt8 = masked ? 0x80 : 0
    if text.utf8.count < 126 {
      bytes.append(flag | UInt8(text.utf8.count))
    } else {
      bytes += [flag | 126, UInt8(text.utf8.count >> 8), UInt8(text.utf8.count & 255)]
    }
    return bytes + (masked ? [0, 0, 0, 0] : []) + Array(text.utf8)
  }

  /// Sends back what it gets, unmasked: frames of up to 125 bytes.
  static func echo() throws -> TestBackend {
    try TestBackend { socket, backend in
      guard let request = socket.message() else { return }
      backend.note(request)
      socket.send(accepted)
      while true {
        let head = socket.take(2)
        guard head.count == 2, head[0] & 0x0f != 8 else { return }
        let body = socket.take(4 + Int(head[1] & 0x7f))
        socket.send([head[0], head[1] & 0x7f] + body.dropFirst(4))
      }
    }
  }

  @Test func framesPassAndAreCounted() async throws {
    let script = Script()
    try await withFirewall(Self.echo(), script: script) { run in
      let socket = try run.connect()
      // The first frame comes with the handshake.
      socket.send(Array(Self.upgrade.utf8) + Self.frame("zero"))
      let reply = try #require(socket.message())
      #expect(reply.status == 101 && reply.field("Upgrade") == "websocket")
      #expect(reply.field("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
      #expect(socket.take(6) == Self.frame("zero", masked: false))
      for text in ["one", "two"] {
        // In pieces of a byte.
        for byte in Self.frame(text) { socket.send([byte]) }
        #expect(socket.take(5) == Self.frame(text, masked: false))
      }
      socket.close()
      let line = try #require(await run.log(1).first)
      #expect(line.status == 101 && line.frames_in == 3 && line.frames_out == 3)
      #expect(script.phases.map { $0.prefix(1) } == ["1", "2", "3", "4", "5"])
      let seen = try #require(run.backend.requests.first)
      #expect(seen.field("Connection") == "Upgrade" && seen.field("Upgrade") == "websocket")
      let metrics = await run.server.metrics()
      #expect(metrics.webSockets == 1 && metrics.webSocketFramesIn == 3)
    }
  }

  @Test func aDeniedHandshakeIsNoWebSocket() async throws {
    let script = Script { $0.deny[3] = denied }
    try await withFirewall(Self.echo(), script: script) { run in
      try #expect(run.ask(Self.upgrade).status == 403)
    }
  }

  @Test func badFramesEndTheConnection() async throws {
    let cases: [([UInt8], [UInt8], String)] = [
      (Self.frame("x", masked: false), [0x88, 2, 0x03, 0xea], "websocket: a client's frame is not masked"),
      (Self.frame("x", opcode: 0xf1), [0x88, 2, 0x03, 0xea], "websocket: reserved bits or opcodes"),
      (
        Self.frame("x", opcode: 0x09), [0x88, 2, 0x03, 0xea],
        "websocket: a control frame is long or fragmented"
      ),
      (Self.frame("x", opcode: 0x80), [0x88, 2, 0x03, 0xea], "websocket: fragments out of order"),
      (
        Self.frame(String(repeating: "x", count: 2_000)), [0x88, 2, 0x03, 0xf1],
        "websocket: a frame is larger than allowed"
      ),
    ]
    for (frame, expected, note) in cases {
      try await withFirewall(Self.echo(), configure: { $0.limits.webSocketFrameBytes = 1_000 }) { run in
        let socket = try run.connect()
        socket.send(Self.upgrade)
        #expect(socket.message()?.status == 101)
        socket.send(frame)
        #expect(socket.readToEnd() == expected)
        #expect(socket.isAtEnd)
        try #expect(await run.log(1).first?.notes == [note])
      }
    }
  }

  /// A close in the middle of a frame would be read as the frame's bytes.
  @Test func noCloseIsPutIntoAFrame() async throws {
    let toBackend = Mutex<[UInt8]>([])
    let backend = try TestBackend { socket, backend in
      guard socket.message() != nil else { return }
      // Half a frame.
      socket.send(Array(Self.accepted.utf8) + [0x81, 10] + Array("half".utf8))
      let rest = socket.readToEnd()
      toBackend.withLock { $0 = rest }
      backend.note(RawMessage())
    }
    try await withFirewall(backend) { run in
      let socket = try run.connect()
      socket.send(Self.upgrade)
      #expect(socket.message()?.status == 101)
      #expect(socket.take(6) == [0x81, 10] + Array("half".utf8))
      socket.send(Self.frame("whole"))
      socket.send(Self.frame("x", masked: false))
      #expect(socket.readToEnd() == [] && socket.isAtEnd)
      try await eventually { !backend.requests.isEmpty }
      // That direction was between frames.
      let sent = toBackend.withLock { $0 }
      #expect(Array(sent.prefix(11)) == Self.frame("whole") || sent.starts(with: [0x88]))
      #expect(sent.suffix(8) == [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9])
    }
  }

  @Test func whereAFrameEndsIsKnown() {
    var scanner = WebSocketScanner(isFromClient: true, limit: 100, allowsReserved: false)
    let frame = Self.frame("abc")
    for cut in 1..<frame.count {
      #expect(scanner.scan(ByteBuffer(bytes: frame[..<cut])) == .passes && !scanner.isBetweenFrames)
      #expect(scanner.scan(ByteBuffer(bytes: frame[cut...])) == .passes && scanner.isBetweenFrames)
    }
    _ = scanner.scan(ByteBuffer(bytes: [0x81, 5]))
    #expect(scanner.isBetweenFrames, "what violates did not pass")
  }

  @Test func framesAreReadHoweverTheyAreCut() {
    var random = generator()
    var bytes: [UInt8] = []
    for _ in 0..<50 {
      bytes += Self.frame(String(repeating: "y", count: Int(random.next() % 300)))
    }
    for _ in 0..<50 {
      var scanner = WebSocketScanner(isFromClient: true, limit: 1 << 20, allowsReserved: false)
      var rest = bytes[...]
      while !rest.isEmpty {
        let part = rest.prefix(Int(random.next() % 50) + 1)
        rest = rest.dropFirst(part.count)
        #expect(scanner.scan(ByteBuffer(bytes: part)) == .passes, seedNote)
      }
      #expect(scanner.frames == 50, seedNote)
    }
  }

  @Test func eventsFlowAtOnce() async throws {
    let backend = try TestBackend { socket, _ in
      _ = socket.message()
      socket.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
      for index in 0..<3 {
        socket.send("9\r\ndata: \(index)\n\n\r\n")
        // Goes on when the client has seen it.
        guard socket.fill() || socket.isAtEnd else { continue }
      }
      socket.send("0\r\n\r\n")
    }
    // Listed or not, an event stream is never held.
    try await withFirewall(backend, script: Script { $0.wantsResponseBody = true }) { run in
      let socket = try run.connect()
      socket.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
      let first = socket.read { String(decoding: $0, as: UTF8.self).contains("data: 0") }
      #expect(String(decoding: first, as: UTF8.self).contains("data: 0"))
      #expect(run.script.phases.contains("4 whole 0 "))
    }
  }
}
