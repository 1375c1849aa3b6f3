// Connections for which there is no room: told so at their first request, a bounded number at a time.
// Owner of a handler: the connection's event loop.

import NIOCore
import NIOHTTP1
import Synchronization

/// How many connections are being refused: each may be told why, but they take no more room than this.
final class RefusalRoom: Sendable {
  private let count = Atomic<Int>(0)
  /// Beyond it connections are just closed.
  static let limit = 256

  func enter() -> Bool {
    let before = count.wrappingAdd(1, ordering: .relaxed).oldValue
    if before >= Self.limit {
      leave()
      return false
    }
    return true
  }

  func leave() { count.wrappingSubtract(1, ordering: .relaxed) }
}

/// Answers the first request of a connection for which there is no room, and ends it.
final class RefusalHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private let refusal: Refusal
  private let router: Router
  private var isAnswered = false

  init(_ refusal: Refusal, router: Router) {
    self.refusal = refusal
    self.router = router
  }

  /// Who asks nothing is not kept either.
  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    let end = context.eventLoop.scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
    channel.closeFuture.whenComplete { _ in end.cancel() }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isAnswered, case .head(let head) = unwrapInboundIn(data) else { return }
    isAnswered = true
    let answer = refusal.answer(instance: String(head.uri.prefix(256)))
    var headers = answer.headers
    headers.add(name: "Content-Type", value: answer.contentType)
    headers.add(name: "Content-Length", value: String(answer.body.readableBytes))
    headers.add(name: "Connection", value: "close")
    router.count(answer.status)
    context.write(
      wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers))),
      promise: nil)
    if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil) }
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
