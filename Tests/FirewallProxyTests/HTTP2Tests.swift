// HTTP/2 in front: by prior knowledge and by ALPN; floods end the connection.

import Foundation
import Logging
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Testing

@testable import Firewall
@testable import FirewallProxy

@Suite struct HTTP2Tests {
  /// An answer as a client of HTTP/2 sees it.
  struct Reply: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: String
  }

  /// Sends requests on one connection, each on a stream of its own, all at once.
  static func ask(
    port: Int, tls: Bool = false, _ requests: [(HTTPMethod, String, HTTPHeaders, [String])]
  ) async throws -> [Reply] {
    let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
    // In place before the first byte can come.
    let ready = eventLoop.makePromise(of: NIOHTTP2Handler.StreamMultiplexer.self)
    let channel = try await ClientBootstrap(group: eventLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if tls {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .none
            configuration.applicationProtocols = ["h2"]
            try channel.pipeline.syncOperations.addHandler(
              NIOSSLClientHandler(context: NIOSSLContext(configuration: configuration), serverHostname: nil))
          }
          ready.succeed(
            try channel.pipeline.syncOperations.configureHTTP2Pipeline(
              mode: .client, connectionConfiguration: .init(), streamConfiguration: .init()
            ) { $0.eventLoop.makeSucceededVoidFuture() })
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    let multiplexer = try await ready.futureResult.get()
    var answers: [EventLoopFuture<Reply>] = []
    for (method, target, headers, parts) in requests {
      let promise = channel.eventLoop.makePromise(of: Reply.self)
      let made = channel.eventLoop.makePromise(of: (any Channel).self)
      multiplexer.createStreamChannel(promise: made) { stream in
        stream.eventLoop.makeCompletedFuture {
          try stream.pipeline.syncOperations.addHandlers([
            HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .http), Collector(promise),
          ])
        }
      }
      let stream: any Channel
      do { stream = try await made.futureResult.get() } catch {
        promise.fail(error)
        throw error
      }
      var head = HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
      if !head.headers.contains(name: "Host") { head.headers.add(name: "Host", value: "h2.test") }
      stream.write(HTTPClientRequestPart.head(head), promise: nil)
      for part in parts {
        stream.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(string: part))), promise: nil)
      }
      stream.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
      answers.append(promise.futureResult)
    }
    let result = await Task { try await EventLoopFuture.whenAllSucceed(answers, on: channel.eventLoop).get() }
      .result
    try? await channel.close()
    return try result.get()
  }

  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    private let promise: EventLoopPromise<Reply>
    private var reply = Reply(status: 0, headers: [:], body: "")
    init(_ promise: EventLoopPromise<Reply>) { self.promise = promise }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): reply = Reply(status: Int(head.status.code), headers: head.headers, body: "")
      case .body(let part): reply.body += String(buffer: part)
      case .end: promise.succeed(reply)
      }
    }
    func channelInactive(context: ChannelHandlerContext) { promise.fail(ChannelError.eof) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
  }

  @Test func requestsPass() async throws {
    let backend = try TestBackend { answer($0.target + $0.text, fields: "Keep-Alive: x\r\nX-Reply: y\r\n") }
    let script = Script { $0.wantsRequestBody = true }
    try await withFirewall(backend, script: script) { run in
      let replies = try await Self.ask(
        port: run.port,
        [
          (.GET, "/one", ["Cookie": "a=b", "X-Mine": "z"], []),
          (.POST, "/two", [:], ["he", "llo"]),
          (.POST, "/three", ["Content-Length": "5"], ["hello"]),
          (.HEAD, "/four", [:], []),
        ])
      #expect(replies.map(\.body) == ["/one", "/twohello", "/threehello", ""])
      #expect(replies.allSatisfy { $0.status == 200 && $0.headers.first(name: "x-reply") == "y" })
      #expect(replies[0].headers.first(name: "keep-alive") == nil)
      let seen = try #require(run.backend.requests.first { $0.target == "/one" })
      #expect(seen.field("Host") == "h2.test" && seen.field("Cookie") == "a=b" && seen.field("X-Mine") == "z")
      #expect(seen.field("X-Request-ID") == replies[0].headers.first(name: "x-request-id"))
      #expect(script.phases.contains { $0.hasPrefix("1 GET /one HTTP/2.0 Host=h2.test") })
      #expect(script.phases.contains("2 whole 5 hello"))
      #expect(try await run.log(4).allSatisfy { $0.status == 200 })
    }
  }

  @Test func manyStreamsAtOnce() async throws {
    let body = String(repeating: "x", count: 100_000)
    try await withFirewall(TestBackend { answer($0.target + body) }) { run in
      let replies = try await Self.ask(port: run.port, (0..<60).map { (.GET, "/\($0)", [:], []) })
      #expect(replies.enumerated().allSatisfy { $0.element.body == "/\($0.offset)" + body })
    }
  }

  @Test(arguments: 1...4)
  func eachPhaseDenies(phase: Int) async throws {
    let script = Script { $0.deny[phase] = denied }
    try await withFirewall(TestBackend { _ in answer("secret") }, script: script) { run in
      let replies = try await Self.ask(port: run.port, [(.GET, "/", [:], [])])
      #expect(replies.first?.status == 403 && replies.first?.body.contains("secret") == false)
    }
  }

  @Test func tlsSpeaksBoth() async throws {
    let files = try SelfSigned()
    defer { files.remove() }
    try await withFirewall(
      TestBackend { answer($0.field("X-Forwarded-Proto") ?? "") },
      configure: { $0.tls = FirewallTLS(certificate: files.certificate, key: files.key) }
    ) { run in
      let replies = try await Self.ask(port: run.port, tls: true, [(.GET, "/", [:], [])])
      #expect(replies.first?.body == "https")
    }
    var configuration = FirewallConfiguration(backends: [BackendAddress(host: "127.0.0.1", port: 1)])
    configuration.port = 0
    configuration.tls = FirewallTLS(certificate: "/nowhere.pem", key: files.key)
    let server = FirewallServer(
      configuration: configuration, logger: Logger(label: "t"), loadPolicy: { Policy() })
    let error = await #expect(throws: FirewallError.self) { try await server.start() }
    #expect(error?.description.contains("/nowhere.pem") == true)
  }

  @Test func anAnswerIsLoggedAsAnswered() async throws {
    let script = Script {
      $0.deny[3] = denied; $0.when = "404"
    }
    let backend = try TestBackend { answer("x", status: $0.target == "/no" ? "404 No" : "200 OK") }
    try await withFirewall(backend, script: script) { run in
      _ = try await Self.ask(port: run.port, (0..<20).map { (.GET, $0 % 2 == 0 ? "/" : "/no", [:], []) })
      for line in try await run.log(20) {
        #expect(line.notes == nil && (line.status == 200 || line.status == 403), "\(line)")
      }
    }
  }

  @Test func headsHaveTheLimitsOfHTTP1() {
    var limits = HeadLimits()
    limits.lineBytes = 50
    limits.fieldBytes = 40
    limits.fieldCount = 4
    limits.totalBytes = 150
    func refusal(_ path: String, _ fields: [(String, String)]) -> Refusal? {
      HTTP2Head(HPACKHeaders([(":method", "GET"), (":path", path), (":authority", "a")] + fields), limits)
        .refusal
    }
    func long(_ count: Int) -> String { String(repeating: "x", count: count) }
    #expect(refusal("/", []) == nil)
    // "GET " and " HTTP/2.0".
    #expect(refusal("/" + long(36), []) == nil)
    #expect(refusal("/" + long(37), []) == .lineTooLong)
    #expect(refusal("/", [("a", long(37))]) == nil)
    #expect(refusal("/", [("a", long(38))]) == .fieldTooLong)
    #expect(refusal("/", (0..<4).map { ("a\($0)", "b") }) == nil)
    #expect(refusal("/", (0..<5).map { ("a\($0)", "b") }) == .tooManyFields)
    #expect(refusal("/", [("cookie", long(20)), ("cookie", long(20))]) == .fieldTooLong)
    #expect(refusal("/", (0..<4).map { ("a\($0)", long(30)) }) == .headTooLarge)
  }

  @Test func aHeadBeyondTheLimitsIsAnswered() async throws {
    try await withFirewall(
      TestBackend { _ in answer("reached") }, script: Script(), configure: { $0.limits.head.fieldCount = 10 }
    ) { run in
      let fields = HTTPHeaders((0..<20).map { ("x-\($0)", "y") })
      let replies = try await Self.ask(port: run.port, [(.GET, "/", fields, [])])
      #expect(replies.first?.status == 431)
      #expect(run.backend.requests.isEmpty)
      try #expect(await run.log(1).first?.refused == "too many fields")
    }
  }

  /// A byte now and then is never a pause, and still too slow.
  @Test func aTricklingBodyEndsInTime() async throws {
    let script = Script { $0.wantsRequestBody = true }
    try await withFirewall(
      TestBackend { _ in answer("reached") }, script: script, configure: { $0.patience.bodyPause = 400 }
    ) { run in
      let socket = try run.connect()
      let post =
        Self.literal(":method", "POST") + Self.literal(":scheme", "http") + Self.literal(":path", "/")
        + Self.literal(":authority", "a")
      socket.send(Self.preface + Self.frame(4, 0, 0) + Self.frame(1, 4, 1, post))
      // First a burst.
      socket.send(Self.frame(0, 0, 1, [UInt8](repeating: 120, count: 10_000)))
      var lines: [LoggedLine] = []
      for _ in 0..<100 where lines.isEmpty {
        socket.send(Self.frame(0, 0, 1, [120]))
        try await Task.sleep(for: .milliseconds(50))
        if run.script.phases.contains("5") { lines = try await run.log(1) }
      }
      #expect(lines.first?.refused == "the body came too slowly" && lines.first?.status == 408)
      #expect(run.backend.requests.isEmpty)
    }
  }

  // MARK: - Floods, frame by frame

  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8] = []) -> [UInt8] {
    [
      UInt8(payload.count >> 16 & 255), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255), type,
      flags,
    ]
      + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: stream >> $0) } + payload
  }

  static func literal(_ name: String, _ value: String) -> [UInt8] {
    [0, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
  }

  static let block =
    literal(":method", "GET") + literal(":scheme", "http") + literal(":path", "/")
    + literal(":authority", "a")

  /// Whether the firewall says goodbye (GOAWAY) and closes.
  static func isEnded(_ socket: RawSocket) -> Bool {
    let all = socket.readToEnd()
    var at = 0
    var saidGoodbye = false
    while at + 9 <= all.count {
      if all[at + 3] == 7 { saidGoodbye = true }
      at += 9 + (Int(all[at]) << 16 | Int(all[at + 1]) << 8 | Int(all[at + 2]))
    }
    return saidGoodbye && socket.isAtEnd
  }

  static func flood(
    _ script: Script = Script { $0.engine = .off }, frames: (Int) -> [UInt8], count: Int,
    closing: Bool = true
  ) async throws {
    let slow = try TestBackend { socket, _ in _ = socket.readToEnd() }
    try await withFirewall(slow, script: script) { run in
      let socket = try run.connect()
      socket.send(preface + frame(4, 0, 0))
      for index in 0..<count { socket.send(frames(index)) }
      #expect(isEnded(socket))
      #expect(await run.server.metrics().http2Violations == 1)
    }
  }

  @Test func rapidResetsEndTheConnection() async throws {
    try await Self.flood(
      frames: { index in
        let stream = UInt32(index * 2 + 1)
        return Self.frame(1, 5, stream, Self.block) + Self.frame(3, 0, stream, [0, 0, 0, 8])
      }, count: 500)
  }

  @Test func continuationFloodsEndTheConnection() async throws {
    try await Self.flood(
      frames: { index in
        index == 0 ? Self.frame(1, 1, 1, Self.block) : Self.frame(9, 0, 1, Self.literal("x\(index)", "y"))
      }, count: 50)
  }

  @Test func pingAndSettingsFloodsEndTheConnection() async throws {
    try await Self.flood(frames: { _ in Self.frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]) }, count: 1_000)
    try await Self.flood(frames: { _ in Self.frame(4, 0, 0) }, count: 1_000)
  }

  @Test func fieldsThatWouldSmuggleAreRefused() async throws {
    let cases: [[UInt8]] = [
      Self.literal("x", "a\r\nInjected: b"), Self.literal("x: y\r\nz", "a"), Self.literal("x", "a\0b"),
      Self.literal("host", "other"),
    ]
    for fields in cases {
      try await withFirewall(TestBackend { _ in answer("reached") }) { run in
        let socket = try run.connect()
        socket.send(Self.preface + Self.frame(4, 0, 0) + Self.frame(1, 5, 1, Self.block + fields))
        socket.setTimeout(milliseconds: 500)
        _ = socket.readToEnd()
        #expect(run.backend.requests.isEmpty)
      }
    }
  }
}

/// A certificate for a test, made by the openssl command.
struct SelfSigned {
  let certificate: String
  let key: String

  init() throws {
    let base = NSTemporaryDirectory() + "kabuto-tls-\(UUID().uuidString)"
    certificate = base + ".pem"
    key = base + ".key"
    let words =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
      .split(separator: " ").map(String.init) + ["-keyout", key, "-out", certificate]
    var arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var process = pid_t()
    try #require(posix_spawnp(&process, "openssl", &actions, nil, &arguments, environ) == 0)
    posix_spawn_file_actions_destroy(&actions)
    var status: Int32 = 0
    waitpid(process, &status, 0)
    try #require(status == 0, "openssl made no certificate")
  }

  func remove() {
    try? FileManager.default.removeItem(atPath: certificate)
    try? FileManager.default.removeItem(atPath: key)
  }
}
