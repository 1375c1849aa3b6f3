// One HTTP/1.1 connection: requests to the router, answers back; takes the connection over for WebSocket (at any
// request of a kept-alive connection) and for server-sent events.
// Owner: the connection's event loop.

import Distribution
import Foundation
import Logging
import NIOCore
import NIOHTTP1

final class HTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// The handlers below this one, to take away when the connection becomes a WebSocket.
  struct Stack {
    var encoder: HTTPResponseEncoder
    var decoder: ByteToMessageHandler<HTTPRequestDecoder>
    var others: [any RemovableChannelHandler]
    /// Before the decoder: time and bytes of requests.
    var gate: RequestGuard
  }

  /// Tells the compressor, which removes it, that no body follows: compressing nothing gives bytes.
  static let noBodyMark = "Kabuto-No-Body"

  let router: Router
  let context: LoopContext
  let stack: Stack
  private let peer: Peer
  /// Of the request that comes in.
  var head: HTTPRequestHead?
  /// A whole request that waits until the peer has taken earlier answers.
  private var held: HTTPRequestHead?
  private var bodyBytes = 0
  /// Kept for the screen alone.
  var body: ByteBuffer?
  /// Of the request that is being answered.
  var screening: (any Screening)?
  var connectionEnds: ConnectionEnds?
  /// The screen was told: once a connection, which ends with it.
  var isRefused = false
  private var isBusy = false
  var isUpgraded = false
  /// What the WebSocket's subprotocol says.
  var encoding = StreamEncoding.json
  /// Milliseconds between beats that the stream asks for.
  var heartbeat: Int?
  private var stream: EventStream?
  /// Who pays for the request that is being answered.
  var meter: TenantMeter
  private let account = WorkAccount()

  init(router: Router, context: LoopContext, stack: Stack, peer: Peer) {
    self.router = router
    self.context = context
    meter = context.meters.nobody
    self.stack = stack
    self.peer = peer
  }

  func channelInactive(context channel: ChannelHandlerContext) {
    stream?.end()
    stream = nil
    endScreening(status: nil)
    channel.fireChannelInactive()
  }

  func handlerRemoved(context channel: ChannelHandlerContext) {
    stream?.end()
    stream = nil
    endScreening(status: nil)
  }

  func channelWritabilityChanged(context channel: ChannelHandlerContext) {
    stream?.writabilityChanged()
    if channel.channel.isWritable, let held {
      self.held = nil
      stack.gate.peerTook()
      take(held, channel)
    }
    channel.fireChannelWritabilityChanged()
  }

  func channelRead(context channel: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      bodyBytes = 0
      body = nil
      meter = context.meters.nobody
      stack.gate.headCame()
      let bytes = Self.bytes(of: head)
      if bytes > router.configuration.headBytes { headIsTooBig(bytes, head, channel) }
    case .body(let part):
      guard let head else { return }
      bodyBytes += part.readableBytes
      if bodyBytes <= router.configuration.bodyBytes {
        if context.screen != nil { keep(part) }
      } else {
        self.head = nil
        router.limits.count(.bodyBytes)
        guard passesScreen(head, channel, isComplete: false) else { return }
        write(
          .problem(
            .payloadTooLarge, "body-too-large",
            "no request here needs a body; \(router.configuration.bodyBytes) bytes are read",
            instance: head.uri),
          head, channel, keepAlive: false)
      }
    case .end:
      guard let head else { return }
      self.head = nil
      stack.gate.requestCame()
      take(head, channel)
    }
  }

  private func keep(_ part: ByteBuffer) {
    if body == nil {
      body = part
    } else {
      body?.writeImmutableBuffer(part)
    }
  }

  /// Bytes of a head, as it came but for white space.
  private static func bytes(of head: HTTPRequestHead) -> Int {
    head.headers.reduce(head.uri.utf8.count + 16) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
  }

  private func headIsTooBig(_ bytes: Int, _ head: HTTPRequestHead, _ channel: ChannelHandlerContext) {
    self.head = nil
    router.limits.count(.headBytes)
    tellScreen(head, channel, status: .requestHeaderFieldsTooLarge, reason: "the head is too large")
    write(
      .problem(
        .requestHeaderFieldsTooLarge, "head-too-large",
        "a request's line and header fields may have \(router.configuration.headBytes) bytes, these have \(bytes)",
        instance: "/"),
      head, channel, keepAlive: false)
  }

  /// A request is answered in a turn of its own (thousands may have come in one piece, and each answer calls for
  /// the next), and only while the peer takes what it asked for before.
  private func take(_ head: HTTPRequestHead, _ channel: ChannelHandlerContext) {
    guard channel.channel.isWritable else {
      held = head
      stack.gate.waitsForPeer()
      return
    }
    let bound = NIOLoopBound((self, head, channel), eventLoop: channel.eventLoop)
    channel.eventLoop.execute {
      let (handler, head, channel) = bound.value
      handler.context.perform(handler.account) {
        if channel.channel.isActive { handler.handle(head, channel) }
      }
    }
  }

  private func handle(_ head: HTTPRequestHead, _ channel: ChannelHandlerContext) {
    guard stream == nil, !isUpgraded else { return }
    if let refusal = router.ledger.refusal(of: peer, now: LoopContext.now()) {
      router.limits.count(.requestRate)
      return write(refusal.answer(instance: String(head.uri.prefix(256))), head, channel, keepAlive: false)
    }
    guard passesScreen(head, channel) else { return }
    guard let request = Request(head) else {
      return write(
        .problem(.badRequest, "bad-uri", "the request's URI can't be decoded", instance: "/"), head, channel)
    }
    guard let meter = context.meters[Router.tenant(request)] else {
      return write(
        .problem(
          .badRequest, "unknown-tenant", "tenant: a name found that is no tenant of this estate's",
          instance: request.path),
        head, channel)
    }
    self.meter = meter
    if request.method == .OPTIONS { return write(router.preflight(request), head, channel) }
    if request.path == "/v1/stream" { return upgrade(head, request, channel) }
    if request.path == "/v1/events" { return events(head, request, channel) }
    switch router.route(request, context) {
    case .now(let answer): write(answer, head, channel)
    case .later(let future):
      let bound = NIOLoopBound((self, channel, head), eventLoop: channel.eventLoop)
      future.hop(to: channel.eventLoop).whenComplete { result in
        let (handler, channel, head) = bound.value
        switch result {
        case .success(let answer): handler.write(answer, head, channel)
        case .failure(let error):
          handler.router.log.error("request failed", metadata: ["uri": "\(head.uri)", "error": "\(error)"])
          handler.write(
            .problem(
              .internalServerError, "internal", "the answer could not be made; the log says why",
              instance: head.uri),
            head, channel)
        }
      }
    }
  }

  /// - Parameter isScreens: the answer is the screen's own, which it isn't asked about.
  func write(
    _ answer: Answer, _ head: HTTPRequestHead, _ channel: ChannelHandlerContext, keepAlive: Bool? = nil,
    isScreens: Bool = false
  ) {
    let keepAlive = keepAlive ?? (head.isKeepAlive && !router.isDraining && !Self.endsParsing(head))
    let bytes = head.method == .HEAD ? 0 : answer.body.readableBytes
    let isLarge = bytes > RequestGuard.largeBytes
    if isLarge, !router.limits.hold(bytes, limit: router.configuration.answerBytes) {
      router.limits.count(.answerBytes)
      return write(router.overloaded(head), head, channel, keepAlive: keepAlive)
    }
    var headers = answer.headers
    if answer.status != .notModified {
      if !answer.contentType.isEmpty { headers.replaceOrAdd(name: "Content-Type", value: answer.contentType) }
      headers.replaceOrAdd(name: "Content-Length", value: String(answer.body.readableBytes))
    }
    router.addCommonHeaders(&headers, origin: answer.isShared ? head.headers.first(name: "Origin") : nil)
    if !keepAlive { headers.replaceOrAdd(name: "Connection", value: "close") }
    if head.version == .http1_0, keepAlive { headers.replaceOrAdd(name: "Connection", value: "keep-alive") }
    if !isScreens {
      let verdict = screened(answer.status, headers, bytes == 0 ? ByteBuffer() : answer.body)
      guard case .pass = verdict else {
        if isLarge { router.limits.release(bytes) }
        return replace(with: verdict, head, channel, keepAlive: keepAlive)
      }
    }
    addScreenFields(&headers)
    if head.method == .HEAD { headers.add(name: Self.noBodyMark, value: "1") }
    router.count(answer.status)
    meter.answered(bytes: answer.status == .notModified ? 0 : bytes)
    // The next request may begin before this function ends, with a screening of its own.
    let screening = screening
    self.screening = nil
    defer { screening?.end(status: Int(answer.status.code)) }
    channel.write(
      wrapOutboundOut(
        .head(HTTPResponseHead(version: Self.version(head), status: answer.status, headers: headers))),
      promise: nil)
    if head.method != .HEAD, answer.status != .notModified {
      channel.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil)
    }
    // Before the end is written: with it the next request may come in.
    stack.gate.answered()
    if keepAlive, !isLarge { return channel.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
    let written = channel.writeAndFlush(wrapOutboundOut(.end(nil)))
    if isLarge { stack.gate.watch(written, bytes: bytes) }
    if !keepAlive {
      let target = channel.channel
      written.whenComplete { _ in target.close(promise: nil) }
    }
  }

  /// HTTP/1.0 is answered in kind: such a client knows no chunks.
  private static func version(_ head: HTTPRequestHead) -> HTTPVersion {
    head.version == .http1_0 ? .http1_0 : .http1_1
  }

  /// After a request that asks for another protocol the decoder reads no further, whether it gets it or not.
  private static func endsParsing(_ head: HTTPRequestHead) -> Bool {
    head.method == .CONNECT
      || head.headers.contains(name: "Upgrade")
        && head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
  }

  // MARK: - Server-sent events

  private func events(_ head: HTTPRequestHead, _ request: Request, _ channel: ChannelHandlerContext) {
    guard request.method == .GET else {
      var answer = Answer.problem(.methodNotAllowed, "method", "wanted GET", instance: request.path)
      answer.headers.add(name: "Allow", value: "GET, OPTIONS")
      return write(answer, head, channel)
    }
    if router.refusesStreams { return write(router.streamRefusal(request), head, channel) }
    let (wanted, faults) = Router.subscription(request)
    guard let wanted else {
      return write(
        .problem(
          .badRequest, "bad-request", faults.joined(separator: "; "), instance: request.path, errors: faults),
        head, channel)
    }
    var headers = HTTPHeaders()
    headers.add(name: "Content-Type", value: "text/event-stream")
    headers.add(name: "Cache-Control", value: "no-store")
    headers.add(name: "X-Accel-Buffering", value: "no")
    if head.version == .http1_0 { headers.add(name: "Connection", value: "close") }
    router.addCommonHeaders(&headers, origin: head.headers.first(name: "Origin"))
    let verdict = screened(.ok, headers)
    guard case .pass = verdict else { return replace(with: verdict, head, channel) }
    addScreenFields(&headers)
    router.count(.ok)
    channel.writeAndFlush(
      wrapOutboundOut(.head(HTTPResponseHead(version: Self.version(head), status: .ok, headers: headers))),
      promise: nil)
    endScreening(status: .ok)
    stack.gate.becomesStream()
    let stream = EventStream(context: context, channel: channel.channel, meter: meter)
    self.stream = stream
    stream.begin(
      limits: router.configuration.client, request: wanted, heartbeat: Router.heartbeat(request).0)
  }
}
