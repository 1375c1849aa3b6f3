// Stands before the HTTP decoder and ends a connection that takes too long or sends too much: from the accept (TLS
// included) to the first head, from a request's first byte to its head, to its end, between requests; and while an
// answer is taken. Who has begun a request is told why, in HTTP; who has not is just hung up on.
// One timer a connection, moved only when it fires: a request costs no scheduling.
// Owner: the connection's event loop.

import Distribution
import NIOCore
import NIOHTTP1

final class RequestGuard: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    /// A head is awaited: the first one, or one that has begun.
    case head
    /// Nothing has come since the last answer.
    case idle
    /// The head is here, its body isn't.
    case body
    /// A whole request is being answered.
    case answering
    /// The peer has to take earlier answers before the next one is made.
    case taking
    /// A stream, or a connection that is ending.
    case off
  }

  /// An answer longer than this is watched until it is taken; shorter ones fit into the connection's buffers.
  static let largeBytes = 64 << 10
  /// What a reader must take in a second of an answer, beside `answer_seconds`.
  static let slowestBytesPerSecond = 16 << 10

  private let configuration: GatewayConfiguration
  private let limits: LimitCounters
  private var phase = Phase.head
  /// Bytes that came since the last part of a request was whole.
  private var bytes = 0
  private var partsSeen = 0
  private var due = NIODeadline.distantFuture
  private var timer: (at: NIODeadline, task: Scheduled<Void>)?
  private var largeAnswers = 0
  private var channel: ChannelHandlerContext?
  /// Told what is refused here, and why.
  var onRefusal: ((HTTPResponseStatus, String) -> Void)?

  init(configuration: GatewayConfiguration, limits: LimitCounters) {
    self.configuration = configuration
    self.limits = limits
  }

  func handlerAdded(context: ChannelHandlerContext) {
    channel = context
    if context.channel.isActive { enter(.head) }
  }

  func channelActive(context: ChannelHandlerContext) {
    enter(.head)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    leave()
    onRefusal = nil
    channel = nil
  }

  private func leave() {
    phase = .off
    timer?.task.cancel()
    timer = nil
  }

  // MARK: - What comes in

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isRefusing else { return }
    let before = partsSeen
    bytes += unwrapInboundIn(data).readableBytes
    context.fireChannelRead(data)
    // A part of a request came whole: what follows it in these bytes is less than one read.
    guard partsSeen == before else {
      bytes = 0
      return
    }
    if phase == .idle { enter(.head) }
    if phase == .head, bytes > configuration.headBytes { headIsTooBig() }
  }

  private var isRefusing = false

  /// A request's head is whole.
  func headCame() {
    partsSeen &+= 1
    enter(.body)
  }

  /// A request is whole.
  func requestCame() {
    partsSeen &+= 1
    enter(.answering)
  }

  /// A whole request waits until the peer has taken earlier answers.
  func waitsForPeer() { enter(.taking) }
  func peerTook() { enter(.answering) }

  /// The answer is about to be written.
  func answered() { enter(.idle) }

  /// From here on the stream's own limits hold.
  func becomesStream() { enter(.off) }

  // MARK: - Time

  private func enter(_ next: Phase) {
    guard phase != .off || next == .off else { return }
    phase = next
    let seconds: Int64
    switch next {
    case .head: seconds = configuration.handshakeSeconds
    case .idle: seconds = configuration.idleSeconds
    case .body: seconds = configuration.requestSeconds
    case .taking: seconds = configuration.answerSeconds
    case .answering, .off:
      due = .distantFuture
      return
    }
    due = .now() + .seconds(seconds)
    if let timer, timer.at <= due { return }
    timer?.task.cancel()
    schedule()
  }

  private func schedule() {
    guard let channel else { return }
    let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
    timer = (due, channel.eventLoop.scheduleTask(deadline: due) { bound.value.look() })
  }

  private func look() {
    timer = nil
    guard due != .distantFuture else { return }
    guard due <= .now() else { return schedule() }
    switch phase {
    case .head where bytes > 0:
      limits.count(.handshakeTime)
      refuse(
        .requestTimeout, "head-too-slow",
        "the request's head was not whole after \(configuration.handshakeSeconds) s")
    case .head: end(.handshakeTime)
    case .body:
      limits.count(.requestTime)
      refuse(
        .requestTimeout, "request-too-slow",
        "the request was not whole \(configuration.requestSeconds) s after its head")
    // The last answer is still being taken: that has a limit of its own.
    case .idle where largeAnswers > 0: enter(.idle)
    case .idle: end(.idleTime)
    case .taking: end(.answerTime)
    case .answering, .off: break
    }
  }

  private func end(_ reason: LimitReason) {
    limits.count(reason)
    leave()
    channel?.close(promise: nil)
  }

  // MARK: - Answers

  /// Sees to it that a large answer is taken in time, and gives its room back.
  /// - Parameter bytes: what `LimitCounters.hold` was asked for.
  func watch(_ answer: EventLoopFuture<Void>, bytes: Int) {
    guard let channel else { return answer.whenComplete { [limits] _ in limits.release(bytes) } }
    largeAnswers += 1
    let bound = NIOLoopBound((self, channel), eventLoop: channel.eventLoop)
    let seconds = configuration.answerSeconds + Int64(bytes / Self.slowestBytesPerSecond)
    let end = channel.eventLoop.scheduleTask(in: .seconds(seconds)) {
      let (guarding, channel) = bound.value
      guarding.limits.count(.answerTime)
      channel.close(promise: nil)
    }
    answer.whenComplete { [limits] _ in
      end.cancel()
      limits.release(bytes)
      bound.value.0.largeAnswers -= 1
    }
  }

  // MARK: - Refusing

  private func headIsTooBig() {
    limits.count(.headBytes)
    refuse(
      .requestHeaderFieldsTooLarge, "head-too-large",
      "a request's line and header fields may have \(configuration.headBytes) bytes")
  }

  /// Answers in place of the handlers above, which have no request to answer, and ends the connection.
  private func refuse(_ status: HTTPResponseStatus, _ type: String, _ detail: String) {
    guard let channel, !isRefusing else { return }
    isRefusing = true
    leave()
    onRefusal?(status, type)
    let answer = Answer.problem(status, type, detail, instance: "/")
    var buffer = channel.channel.allocator.buffer(capacity: 512)
    buffer.writeString(
      "HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\nContent-Type: \(answer.contentType)\r\n"
        + "Content-Length: \(answer.body.readableBytes)\r\nConnection: close\r\n\r\n")
    buffer.writeImmutableBuffer(answer.body)
    let target = channel.channel
    // Our half first: a connection that ends while bytes of the peer are unread is reset, and the answer lost.
    channel.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in
      target.close(mode: .output, promise: nil)
    }
    channel.eventLoop.scheduleTask(in: .seconds(1)) { target.close(promise: nil) }
  }
}
