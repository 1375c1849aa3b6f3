// Stands before the WebSocket's handler: counts frames that are no messages (the messages are counted where they
// are understood), and asks a client that says nothing whether it is still there (RFC 6455, 5.5.2).
// Owner: the connection's event loop.

import Distribution
import NIOCore
import NIOWebSocket

final class StreamGuard: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias InboundOut = WebSocketFrame

  /// Control frames and fragments for each message that is allowed.
  private static let framesPerMessage = 10.0
  private static let burstSeconds = 5.0
  /// Rounds without a word before the connection ends: the first of them ends with a ping.
  private static let silentRounds = 3

  private let socket: WebSocketHandler
  private let limits: LimitCounters
  private let rate: Double
  private let pingSeconds: Int64
  private var tokens: Double
  private var tokensAt: UInt64
  private var heard = true
  private var silence = 0
  private var isEnding = false
  private var acknowledgedBytes: UInt64 = 0
  private var clock: RepeatedTask?

  init(socket: WebSocketHandler, configuration: GatewayConfiguration, limits: LimitCounters) {
    self.socket = socket
    self.limits = limits
    pingSeconds = configuration.pingSeconds
    rate = Double(configuration.client.messagesPerSecond) * Self.framesPerMessage
    tokens = rate * Self.burstSeconds
    tokensAt = LoopContext.now()
  }

  func handlerAdded(context: ChannelHandlerContext) {
    guard pingSeconds > 0, context.channel.isActive else { return }
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    clock = context.eventLoop.scheduleRepeatedTask(
      initialDelay: .seconds(pingSeconds), delay: .seconds(pingSeconds)
    ) { _ in bound.value.look() }
  }

  func channelInactive(context: ChannelHandlerContext) {
    stop()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { stop() }

  private func stop() {
    clock?.cancel()
    clock = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isEnding else { return }
    heard = true
    let frame = unwrapInboundIn(data)
    if !(frame.fin && frame.opcode == .text), !mayReceive() {
      limits.count(.frameRate)
      isEnding = true
      return socket.close(
        code: 1008, reason: "more than \(Int(rate)) control frames and fragments a second")
    }
    context.fireChannelRead(data)
  }

  private func mayReceive() -> Bool {
    let now = LoopContext.now()
    tokens = min(rate * Self.burstSeconds, tokens + Double(now &- tokensAt) / 1000 * rate)
    tokensAt = now
    guard tokens >= 1 else { return false }
    tokens -= 1
    return true
  }

  private func look() {
    if heard {
      heard = false
      silence = 0
      return
    }
    // Who doesn't take what it is sent can't answer: the limit for stuck clients holds, and that of TCP.
    guard socket.canTakeMore else { return }
    // Nor can who still reads what came before the ping: while bytes are on their way, and some arrive, it lives.
    if let progress = socket.progress {
      defer { acknowledgedBytes = progress.acknowledgedBytes }
      if progress.hasOutstanding, progress.acknowledgedBytes != acknowledgedBytes { return }
    }
    silence += 1
    guard silence < Self.silentRounds else {
      limits.count(.silent)
      stop()
      return socket.close(code: 4002, reason: "no answer to pings: reconnect and resume")
    }
    socket.ping()
  }
}
