// For those who run the firewall: counters, health, reload. On an address of its own, loopback unless told otherwise.
//
// GET /metrics (Prometheus), GET /health/live, POST /reload, POST /reopen. Owner: an event loop.

import NIOCore
import NIOHTTP1
import NIOPosix

/// A running admin address.
public final class FirewallAdmin: Sendable {
  private let channel: any Channel
  /// The real port.
  public let port: Int

  /// Binds.
  /// - Throws: `FirewallError` where the address can't be bound.
  public static func start(host: String, port: Int, firewall: FirewallServer) async throws -> FirewallAdmin {
    do {
      let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
            try channel.pipeline.syncOperations.addHandler(AdminHandler(firewall))
          }
        }
        .bind(host: host, port: port).get()
      return FirewallAdmin(channel)
    } catch {
      throw FirewallError(
        "admin \(host):\(port): \(error); wanted an address of this machine and a free port")
    }
  }

  private init(_ channel: any Channel) {
    self.channel = channel
    port = channel.localAddress?.port ?? 0
  }

  /// Stops listening.
  public func stop() async { try? await channel.close() }
}

private final class AdminHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private let firewall: FirewallServer
  private var head: HTTPRequestHead?

  init(_ firewall: FirewallServer) { self.firewall = firewall }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body: break
    case .end:
      guard let head else { return }
      self.head = nil
      let firewall = firewall
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      let answer = context.eventLoop.makeFutureWithTask { await Self.answer(head, firewall) }
      answer.whenSuccess { answer in
        let (handler, context) = bound.value
        handler.send(answer, keepsAlive: head.isKeepAlive, context)
      }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private struct Answer: Sendable {
    var status: HTTPResponseStatus
    var type = "text/plain; charset=utf-8"
    var text: String
  }

  private static func answer(_ head: HTTPRequestHead, _ firewall: FirewallServer) async -> Answer {
    switch (head.method, head.uri) {
    case (.GET, "/metrics"):
      return Answer(
        status: .ok, type: "text/plain; version=0.0.4; charset=utf-8",
        text: await firewall.metrics().prometheus)
    case (.GET, "/health/live"): return Answer(status: .ok, text: "live\n")
    case (.POST, "/reload"):
      do {
        try await firewall.reload()
        return Answer(status: .ok, text: "reloaded\n")
      } catch { return Answer(status: .unprocessableEntity, text: "\(error)\n") }
    case (.POST, "/reopen"):
      firewall.reopenLog()
      return Answer(status: .ok, text: "reopened\n")
    case (_, "/metrics"), (_, "/health/live"), (_, "/reload"), (_, "/reopen"):
      return Answer(status: .methodNotAllowed, text: "wrong method\n")
    default:
      return Answer(
        status: .notFound, text: "wanted GET /metrics, GET /health/live, POST /reload or POST /reopen\n")
    }
  }

  private func send(_ answer: Answer, keepsAlive: Bool, _ context: ChannelHandlerContext) {
    var headers = HTTPHeaders()
    headers.add(name: "Content-Type", value: answer.type)
    headers.add(name: "Content-Length", value: String(answer.text.utf8.count))
    if !keepsAlive { headers.add(name: "Connection", value: "close") }
    context.write(
      wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers))),
      promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.text)))), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    if !keepsAlive { context.close(promise: nil) }
  }
}
