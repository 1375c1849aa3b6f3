// HTTP/2 in front (RFC 9113), by ALPN or prior knowledge: NIOHTTP2 with bounds on everything a client may make us do.
//
// Rapid reset (CVE-2023-44487), CONTINUATION, SETTINGS and PING floods end the connection; streams, header lists and
// windows are bounded by settings.
// Owner: the channel's event loop.

import NIOCore
import NIOHPACK
import NIOHTTP2

enum HTTP2Front {
  enum Preface { case yes, no, perhaps }

  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  /// Whether a connection's first bytes are HTTP/2's.
  static func looksLikePreface(_ bytes: ByteBuffer) -> Preface {
    let count = min(bytes.readableBytes, preface.count)
    guard bytes.readableBytesView.prefix(count).elementsEqual(preface[..<count]) else { return .no }
    return count == preface.count ? .yes : .perhaps
  }

  static func configure(_ channel: any Channel, loop: ProxyLoop, client: ClientIdentity) throws {
    let limits = loop.configuration.limits
    var connection = NIOHTTP2Handler.ConnectionConfiguration()
    connection.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.concurrentStreams),
      HTTP2Setting(parameter: .maxHeaderListSize, value: limits.head.totalBytes),
      HTTP2Setting(parameter: .enablePush, value: 0),
    ]
    connection.maximumSequentialContinuationFrames = limits.continuationFrames
    connection.controlFrameRateLimit.maximumCount = limits.controlFrames
    connection.maximumBufferedControlFrames = 1_000
    connection.targetWindowSize = 1 << 20
    var stream = NIOHTTP2Handler.StreamConfiguration()
    stream.targetWindowSize = 256 << 10
    stream.outboundBufferSizeHighWatermark = 64 << 10
    stream.outboundBufferSizeLowWatermark = 32 << 10
    stream.streamResetFrameRateLimit.maximumCount = limits.streamResets
    stream.streamErrorRateLimit.maximumCount = limits.streamResets
    let connectionGuard = ConnectionGuard(channel, loop: loop, state: .http2)
    let bound = NIOLoopBound((loop, client, connectionGuard), eventLoop: channel.eventLoop)
    _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
      mode: .server, connectionConfiguration: connection, streamConfiguration: stream,
      inboundStreamInitializer: { stream in
        stream.eventLoop.makeCompletedFuture {
          let (loop, client, connectionGuard) = bound.value
          connectionGuard.streamBegan()
          stream.closeFuture.assumeIsolated().whenComplete { _ in connectionGuard.streamEnded() }
          try stream.pipeline.syncOperations.addHandler(HTTP2Stream(loop: loop, client: client))
        }
      })
    try channel.pipeline.syncOperations.addHandler(HTTP2Ending(loop: loop))
  }
}

/// Ends a connection whose HTTP/2 went wrong; NIOHTTP2 has said why in GOAWAY.
private final class HTTP2Ending: ChannelInboundHandler {
  typealias InboundIn = Never
  private let loop: ProxyLoop
  private var isEnded = false

  init(loop: ProxyLoop) { self.loop = loop }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard !isEnded else { return }
    if error is NIOHTTP2Errors.StreamError { return }
    isEnded = true
    loop.counters.http2Violations &+= 1
    context.close(promise: nil)
  }
}

/// The time-outs of a connection that no `ClientConnection` watches: before TLS is negotiated, and over HTTP/2.
final class ConnectionGuard: Timed {
  enum State { case handshake, http2, done }

  var timerSlot = -1
  private let channel: any Channel
  private let loop: ProxyLoop
  private var state: State
  private var streams = 0
  private var since: Int64

  init(_ channel: any Channel, loop: ProxyLoop, state: State) {
    self.channel = channel
    self.loop = loop
    self.state = state
    since = loop.coarseNow
    loop.add(self)
    channel.closeFuture.assumeIsolated().whenComplete { _ in self.leave() }
  }

  func leave() {
    guard state != .done else { return }
    state = .done
    loop.remove(self)
  }

  func stop() { channel.close(promise: nil) }

  func streamBegan() { streams += 1 }

  func streamEnded() {
    streams -= 1
    since = loop.coarseNow
  }

  func look(now: Int64) {
    let patience = loop.configuration.patience
    switch state {
    case .handshake where now - since > Int64(patience.head) * 1_000_000:
      loop.counters.slowClients &+= 1
      channel.close(promise: nil)
    case .http2 where streams == 0:
      if now - since > Int64(patience.idle) * 1_000_000 || loop.isStopping { channel.close(promise: nil) }
    default: break
    }
  }
}
