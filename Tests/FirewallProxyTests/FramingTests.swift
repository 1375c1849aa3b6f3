// Requests that leave room for two readings are refused, whatever the mode, and logged with what the rules can say.

import Synchronization
import Testing

@testable import FirewallProxy

@Suite struct FramingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var request: String
    var status: Int
    var refused: String
    var testDescription: String { name }
  }

  static func get(
    _ fields: String, version: String = "HTTP/1.1", target: String = "/", method: String = "GET"
  )
    -> String
  { "\(method) \(target) \(version)\r\n\(fields)\r\n" }

  static let host = "Host: a\r\n"
  static let post = "POST / HTTP/1.1\r\nHost: a\r\n"

  static let cases: [Case] = [
    Case(
      name: "both lengths",
      request: post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      status: 400, refused: "Content-Length and Transfer-Encoding"),
    Case(
      name: "differing lengths", request: post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
      status: 400, refused: "Content-Length more than once"),
    Case(
      name: "equal lengths", request: post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
      status: 400, refused: "Content-Length more than once"),
    Case(
      name: "length list", request: post + "Content-Length: 5, 5\r\n\r\nhello",
      status: 400, refused: "Content-Length is not a number"),
    Case(
      name: "length with sign", request: post + "Content-Length: +5\r\n\r\nhello", status: 400,
      refused: "Content-Length is not a number"),
    Case(
      name: "negative length", request: post + "Content-Length: -5\r\n\r\nhello", status: 400,
      refused: "Content-Length is not a number"),
    Case(
      name: "length with space", request: post + "Content-Length: 5 5\r\n\r\nhello", status: 400,
      refused: "Content-Length is not a number"),
    Case(
      name: "hexadecimal length", request: post + "Content-Length: 0x5\r\n\r\nhello", status: 400,
      refused: "Content-Length is not a number"),
    Case(
      name: "empty length", request: post + "Content-Length: \r\n\r\n", status: 400,
      refused: "Content-Length is not a number"),
    Case(
      name: "length overflows", request: post + "Content-Length: 99999999999999999999\r\n\r\n", status: 400,
      refused: "Content-Length is not a number"),
    Case(
      name: "other coding", request: post + "Transfer-Encoding: gzip\r\n\r\n", status: 400,
      refused: "Transfer-Encoding is not exactly chunked"),
    Case(
      name: "coding list", request: post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", status: 400,
      refused: "Transfer-Encoding is not exactly chunked"),
    Case(
      name: "chunked not last", request: post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
      status: 400, refused: "Transfer-Encoding is not exactly chunked"),
    Case(
      name: "chunked twice",
      request: post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      status: 400, refused: "Transfer-Encoding is not exactly chunked"),
    Case(
      name: "chunked with vertical tab", request: post + "Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n",
      status: 400, refused: "a field's value has a control byte"),
    Case(
      name: "coding in 1.0", request: "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      status: 400, refused: "Transfer-Encoding in HTTP/1.0"),
    Case(
      name: "bare LF in fields", request: "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", status: 400,
      refused: "a line ends with LF alone"),
    Case(
      name: "bare LFs all over", request: "GET / HTTP/1.1\nHost: a\n\n", status: 400,
      refused: "a line ends with LF alone"),
    Case(
      name: "bare CR", request: get(host + "X: a\rb\r\n"), status: 400, refused: "CR without LF"),
    Case(
      name: "NUL in value", request: get(host + "X: a\0b\r\n"), status: 400,
      refused: "a field's value has a control byte"),
    Case(
      name: "NUL in name", request: get(host + "X\0: a\r\n"), status: 400,
      refused: "a field's name is not a token"),
    Case(
      name: "folded line", request: get(host + "X: a\r\n b\r\n"), status: 400, refused: "a folded field line"),
    Case(
      name: "space before colon", request: get(host + "X : a\r\n"), status: 400,
      refused: "space between a field's name and its colon"),
    Case(
      name: "empty name", request: get(host + ": a\r\n"), status: 400, refused: "a field's name is empty"),
    Case(
      name: "no colon", request: get(host + "X\r\n"), status: 400, refused: "a field line has no colon"),
    Case(
      name: "name with space", request: get(host + "X Y: a\r\n"), status: 400,
      refused: "a field's name is not a token"),
    Case(name: "no Host", request: get("X: a\r\n"), status: 400, refused: "HTTP/1.1 without Host"),
    Case(name: "two Hosts", request: get(host + host), status: 400, refused: "Host more than once"),
    Case(
      name: "Host with path", request: get("Host: a/b\r\n"), status: 400, refused: "Host is not an authority"),
    Case(
      name: "Host differs", request: get(host, target: "http://b/"), status: 400,
      refused: "Host differs from the target's authority"),
    Case(
      name: "target's authority isn't one", request: "GET http://x,y@z/hdr HTTP/1.0\r\n\r\n", status: 400,
      refused: "Host is not an authority"),
    Case(
      name: "odd method", request: get(host, method: "GE(T"), status: 400,
      refused: "the method is not a token"),
    Case(
      name: "target with space", request: get(host, target: "/a b"), status: 400,
      refused: "the target has a space, a control byte, or a form that its method doesn't allow"),
    Case(
      name: "target with control byte", request: get(host, target: "/a\u{1}"), status: 400,
      refused: "the target has a space, a control byte, or a form that its method doesn't allow"),
    Case(
      name: "target without slash", request: get(host, target: "a"), status: 400,
      refused: "the target has a space, a control byte, or a form that its method doesn't allow"),
    Case(
      name: "two spaces", request: "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", status: 400,
      refused: "the target has a space, a control byte, or a form that its method doesn't allow"),
    Case(
      name: "no version", request: "GET /\r\nHost: a\r\n\r\n", status: 400,
      refused: "the request line is not METHOD SP TARGET SP VERSION"),
    Case(
      name: "old version", request: get(host, version: "HTTP/0.8"), status: 505,
      refused: "the version is not HTTP/1.0 or HTTP/1.1"),
    Case(
      name: "version 1.2", request: get(host, version: "HTTP/1.2"), status: 505,
      refused: "the version is not HTTP/1.0 or HTTP/1.1"),
    Case(
      name: "lower-case version", request: get(host, version: "http/1.1"), status: 400,
      refused: "the request line is not METHOD SP TARGET SP VERSION"),
    Case(
      name: "CONNECT", request: get(host, target: "a:443", method: "CONNECT"), status: 405,
      refused: "CONNECT is not for a reverse proxy"),
    Case(
      name: "long line", request: get(host, target: "/" + String(repeating: "a", count: 17 << 10)),
      status: 414,
      refused: "the request line is too long"),
    Case(
      name: "long field", request: get(host + "X: \(String(repeating: "a", count: 33 << 10))\r\n"),
      status: 431,
      refused: "a field line is too long"),
    Case(
      name: "many fields", request: get(host + String(repeating: "X: y\r\n", count: 200)), status: 431,
      refused: "too many fields"),
    Case(
      name: "large head",
      request: get(host + String(repeating: "X: \(String(repeating: "a", count: 10_000))\r\n", count: 8)),
      status: 431, refused: "the head is too large"),
  ]

  @Test(arguments: cases)
  func refusedAndLogged(_ example: Case) async throws {
    try await withFirewall(TestBackend { _ in answer("reached") }, script: Script(), mode: .observe) { run in
      let socket = try run.connect()
      socket.send(example.request)
      let reply = try #require(socket.message())
      #expect(reply.status == example.status)
      #expect(reply.field("Content-Type") == "application/problem+json")
      #expect(socket.isClosedByPeer())
      let line = try #require(await run.log(1).first)
      #expect(line.refused == example.refused)
      #expect(line.status == example.status && line.action == "block")
      let first = try #require(run.script.phases.first, "phase 1 did not see it")
      let method = example.request.prefix { $0 != " " }
      #expect(first.hasPrefix("1 \(method) "))
      #expect(run.script.phases.last == "5")
      #expect(run.backend.requests.isEmpty)
    }
  }

  struct BodyCase: Sendable, CustomTestStringConvertible {
    var name: String
    var chunks: String
    var refused: String
    var testDescription: String { name }
  }

  static let bodies: [BodyCase] = [
    BodyCase(name: "no digits", chunks: "\r\n", refused: "a chunk's size is malformed"),
    BodyCase(name: "0x", chunks: "0x5\r\nhello\r\n0\r\n\r\n", refused: "a chunk's size is malformed"),
    BodyCase(name: "sign", chunks: "+5\r\nhello\r\n0\r\n\r\n", refused: "a chunk's size is malformed"),
    BodyCase(name: "space", chunks: "5 \r\nhello\r\n0\r\n\r\n", refused: "a chunk's size is malformed"),
    BodyCase(
      name: "overflow", chunks: "FFFFFFFFFFFFFFFFF\r\nhello\r\n", refused: "a chunk's size is malformed"),
    BodyCase(name: "bare LF", chunks: "5\nhello\r\n0\r\n\r\n", refused: "a chunk's size is malformed"),
    BodyCase(
      name: "longer data", chunks: "4\r\nhello\r\n0\r\n\r\n", refused: "a chunk doesn't end with CRLF"),
    BodyCase(
      name: "LF after extension", chunks: "5;a\nhello\r\n0\r\n\r\n",
      refused: "chunk extensions are too long or have a control byte"),
    BodyCase(
      name: "long extension", chunks: "5;\(String(repeating: "a", count: 300))\r\nhello\r\n0\r\n\r\n",
      refused: "chunk extensions are too long or have a control byte"),
    BodyCase(
      name: "long trailers",
      chunks: "0\r\n" + String(repeating: "X: yyyyyyyyyyyyyyyy\r\n", count: 500) + "\r\n",
      refused: "trailers are too large"),
    BodyCase(name: "bad trailer", chunks: "0\r\n : x\r\n\r\n", refused: "trailers are malformed"),
  ]

  @Test(arguments: bodies)
  func badChunksAreRefused(_ example: BodyCase) async throws {
    let script = Script { $0.wantsRequestBody = true }
    try await withFirewall(TestBackend { _ in answer("reached") }, script: script) { run in
      let socket = try run.connect()
      socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + example.chunks)
      #expect(socket.message()?.status == 400)
      #expect(socket.isClosedByPeer())
      try #expect(await run.log(1).first?.refused == example.refused)
      #expect(run.backend.requests.isEmpty)
    }
  }

  /// Whoever says no first, nothing behind a refused head is a request.
  @Test(arguments: cases)
  func nothingBehindARefusedHeadThatTheRulesDenyIsRead(_ example: Case) async throws {
    let script = Script { $0.deny[1] = denied }
    try await withFirewall(TestBackend { _ in answer("reached") }, script: script) { run in
      let socket = try run.connect()
      socket.send(example.request + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
      let reply = try #require(socket.message())
      #expect(reply.status == 403 && reply.field("Connection") == "close")
      script.answers.withLock { $0.deny = [:] }
      socket.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(socket.message() == nil && socket.isClosedByPeer())
      #expect(run.script.phases.filter { $0.hasPrefix("1 ") }.count == 1)
      #expect(run.backend.requests.isEmpty)
    }
  }

  @Test func anEndlessHeadThatTheRulesDenyEndsTheConnection() async throws {
    let script = Script {
      $0.deny[1] = denied
      $0.when = "/evil"
    }
    try await withFirewall(TestBackend { _ in answer("reached") }, script: script) { run in
      let socket = try run.connect()
      socket.send("GET /evil" + String(repeating: "a", count: 17_000))
      #expect(socket.message()?.status == 403)
      socket.send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(socket.message() == nil && socket.isClosedByPeer())
      #expect(run.backend.requests.isEmpty)
    }
  }

  @Test func aRefusedRequestThatTheRulesDenyIsDenied() async throws {
    let script = Script { $0.deny[1] = denied }
    try await withFirewall(TestBackend { _ in answer("") }, script: script) { run in
      try #expect(run.ask("GET / HTTP/0.8\r\n\r\n").status == 403)
      let line = try #require(await run.log(1).first)
      #expect(line.action == "block" && line.refused == "the version is not HTTP/1.0 or HTTP/1.1")
    }
  }

  @Test func slowHeadsEndInTime() async throws {
    try await withFirewall(
      TestBackend { _ in answer("") }, script: Script(), configure: { $0.patience.head = 200 }
    ) { run in
      let socket = try run.connect()
      socket.send("GET /slow HTTP/1.1\r\nHost: a\r\nX: ")
      let reply = try #require(socket.message())
      #expect(reply.status == 408)
      try #expect(await run.log(1).first?.uri == "/slow")
      #expect(run.script.phases.first?.hasPrefix("1 GET /slow HTTP/1.1 Host=a") == true)
      let silent = try run.connect()
      #expect(silent.isClosedByPeer())
    }
  }

  @Test func slowBodiesEndInTime() async throws {
    let script = Script { $0.wantsRequestBody = true }
    try await withFirewall(
      TestBackend { _ in answer("") }, script: script, configure: { $0.patience.bodyPause = 200 }
    ) { run in
      try #expect(run.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").status == 408)
    }
  }

  /// A burst at the beginning buys no trickle.
  @Test func paceIsMeasuredAnewEachWindow() {
    var patience = FirewallPatience()
    patience.bodyPause = 1_000
    patience.bodyBytesPerSecond = 100
    let second: Int64 = 1_000_000_000
    var pace = BodyPace()
    pace.begin(now: 5 * second)
    pace.came(1_000_000, now: 5 * second)
    var endedAt: Int64?
    for tenth in 1...100 where endedAt == nil {
      let now = 5 * second + Int64(tenth) * second / 10
      pace.came(1, now: now)
      if pace.isTooSlow(now: now, patience) { endedAt = now }
    }
    let end = endedAt ?? 0
    #expect(end > 6 * second && end <= 8 * second)
    // Fast enough, and with pauses of ours.
    pace.begin(now: end)
    for tenth in 1...100 {
      let now = end + Int64(tenth) * second / 10
      pace.came(20, now: now)
      let isTooSlow = pace.isTooSlow(now: now, patience)
      #expect(!isTooSlow)
    }
    pace.begin(now: end + 100 * second)
    let isTooSlow = pace.isTooSlow(now: end + 100 * second, patience)
    #expect(!isTooSlow)
  }
}
