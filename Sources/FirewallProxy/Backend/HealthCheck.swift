// Asks a backend for a path; 2xx and 3xx mean healthy.
// Owner: one event loop.

import NIOCore
import NIOPosix

final class HealthCheck: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private let request: String
  private var done: ((Bool) -> Void)?

  private init(_ request: String, _ done: @escaping (Bool) -> Void) {
    self.request = request
    self.done = done
  }

  /// Calls `done` once, on the loop.
  static func run(
    _ address: SocketAddress, host: String, path: String, on eventLoop: any EventLoop, patience: TimeAmount,
    done: @escaping (Bool) -> Void
  ) {
    let check = HealthCheck(
      "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: kabuto-health\r\nConnection: close\r\n\r\n", done)
    let bound = NIOLoopBound(check, eventLoop: eventLoop)
    ClientBootstrap(group: eventLoop)
      .connectTimeout(patience)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
      }
      .connect(to: address).assumeIsolated()
      .whenComplete { result in
        switch result {
        case .success(let channel):
          let end = eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
          channel.closeFuture.whenComplete { _ in end.cancel() }
        case .failure: check.finish(false)
        }
      }
  }

  private func finish(_ isHealthy: Bool) {
    let done = done
    self.done = nil
    done?(isHealthy)
  }

  func channelActive(context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // The status stands in the first bytes; who sends them one by one is not well.
    let start = unwrapInboundIn(data).readableBytesView.prefix(10)
    finish(start.count == 10 && start.starts(with: "HTTP/1.".utf8) && (50...51).contains(start.last ?? 0))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) { finish(false) }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
