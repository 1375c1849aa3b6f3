// A WebSocket connection of the stream (RFC 6455): client messages in, frames of events out.
// Frames out are unmasked text frames (binary ones where kabuto.binary.1 was agreed on), one system call a client and flush: on a plain connection straight from the
// block that the fan-out joined them in, below the channel pipeline. What the kernel doesn't take at once goes
// through the pipeline, which waits for the socket; until it is gone nothing else is sent, so the order holds and a
// client costs at most one frame. Why below the pipeline: docs/RATIONALE.md.
// Owner: the connection's event loop.

import Distribution
import Glibc
import NIOCore
import NIOWebSocket

final class WebSocketHandler: ChannelInboundHandler, ClientTransport {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = ByteBuffer

  private let context: LoopContext
  private let limits: ClientLimits
  private let messageBytes: Int
  private var client: Client?
  private var channel: ChannelHandlerContext?
  private var message = ByteBuffer()
  private var isFragmented = false
  private var isClosing = false
  /// The connection has given its socket's number back, or is about to: it may be another's. Asking the channel each time
  /// would cost as much as all else before the system call.
  private var isGone = false
  /// The socket of a plain connection; nil with TLS, where all goes through the pipeline.
  private var socket: CInt?
  private var connection: (any Channel)?
  private let isPlain: Bool
  private let encoding: StreamEncoding
  /// Milliseconds between beats; nil = in a long silence alone.
  private let heartbeat: Int?
  private let counters: LimitCounters
  private let meter: TenantMeter
  private let account = WorkAccount()
  /// Nothing is read while messages wait for their turn.
  private var isPaused = false
  /// Writes that the pipeline has not done yet.
  private var outstanding = 0
  /// Bytes the kernel may hold unsent: what is there can't be replaced by newer values any more.
  private static let unsentBytes: CInt = 128 << 10

  /// - Parameter isPlain: nothing stands between this handler's bytes and the socket (no TLS).
  init(
    context: LoopContext, limits: ClientLimits, messageBytes: Int, isPlain: Bool, encoding: StreamEncoding,
    heartbeat: Int? = nil, counters: LimitCounters, meter: TenantMeter
  ) {
    self.meter = meter
    self.encoding = encoding
    self.heartbeat = heartbeat
    self.context = context
    self.counters = counters
    self.limits = limits
    self.messageBytes = messageBytes
    self.isPlain = isPlain
  }

  func handlerAdded(context channel: ChannelHandlerContext) {
    self.channel = channel
    if channel.channel.isActive { begin() }
  }

  func channelActive(context channel: ChannelHandlerContext) { begin() }

  private func begin() {
    guard client == nil else { return }
    connection = channel?.channel
    if isPlain, let connection { socket = Self.socket(of: connection) }
    client = context.distributor.add(
      transport: self, limits: limits, encoding: encoding, heartbeat: heartbeat, now: LoopContext.now())
    meter.streamBegins(at: LoopContext.now())
  }

  func channelInactive(context channel: ChannelHandlerContext) {
    isGone = true
    end()
    channel.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end()
    channel = nil
    connection = nil
  }

  private func end() {
    if let client {
      context.distributor.remove(client)
      meter.streamEnds(at: LoopContext.now())
    }
    client = nil
  }

  private static func socket(of channel: any Channel) -> CInt? {
    let found: CInt? = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { $0 }
    guard let found else { return nil }
    var limit = unsentBytes
    _ = setsockopt(found, CInt(IPPROTO_TCP), TCP_NOTSENT_LOWAT, &limit, socklen_t(MemoryLayout<CInt>.size))
    return found
  }

  func channelWritabilityChanged(context channel: ChannelHandlerContext) {
    if channel.channel.isWritable, let client {
      context.distributor.serveBacklog(client, now: LoopContext.now())
    }
    channel.fireChannelWritabilityChanged()
  }

  // MARK: - In

  func channelRead(context channel: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    guard !isClosing else { return }
    guard frame.rsv1 == false, frame.rsv2 == false, frame.rsv3 == false else {
      return close(code: 1002, reason: "reserved bits are set and no extension was agreed on")
    }
    guard frame.maskKey != nil else {
      return close(code: 1002, reason: "frames from a client must be masked")
    }
    switch frame.opcode {
    case .text, .binary:
      guard !isFragmented else { return close(code: 1002, reason: "a new message began inside another") }
      guard frame.opcode == .text else {
        return close(code: 1003, reason: "text messages are wanted: one JSON object each")
      }
      message = frame.unmaskedData
      isFragmented = !frame.fin
      if frame.fin { deliver() }
    case .continuation:
      guard isFragmented else { return close(code: 1002, reason: "a continuation without a beginning") }
      var part = frame.unmaskedData
      guard message.readableBytes + part.readableBytes <= messageBytes else { return tooBig() }
      message.writeBuffer(&part)
      if frame.fin {
        isFragmented = false
        deliver()
      }
    case .ping:
      guard frame.fin, frame.length <= 125 else {
        return close(code: 1002, reason: "control frames have at most 125 bytes")
      }
      // A peer that doesn't read gets no answers piled up for it (5.5.3: only the newest needs one).
      if canTakeMore { write(opcode: 0x8a, frame.unmaskedData, channel) }
    case .pong:
      guard frame.fin, frame.length <= 125 else {
        return close(code: 1002, reason: "control frames have at most 125 bytes")
      }
    case .connectionClose: closed(by: frame)
    default: close(code: 1002, reason: "an opcode that does not exist")
    }
  }

  private func tooBig() {
    if let client {
      context.distributor.error(
        client, id: nil, code: "message_too_big", detail: "a message may have \(messageBytes) bytes",
        now: LoopContext.now())
    }
    close(code: 1009, reason: "a message may have \(messageBytes) bytes")
  }

  private func deliver() {
    guard message.readableBytes <= messageBytes else { return tooBig() }
    let bytes = [UInt8](message.readableBytesView)
    message.clear()
    guard String(validating: bytes, as: UTF8.self) != nil else {
      return close(code: 1007, reason: "not UTF-8")
    }
    guard client != nil else { return }
    context.perform(account) { self.carryOut(bytes) }
    if account.waiting > 0, !isPaused {
      isPaused = true
      try? connection?.syncOptions?.setOption(.autoRead, value: false)
    }
  }

  private func carryOut(_ bytes: [UInt8]) {
    if let client { context.distributor.receive(bytes, from: client, now: LoopContext.now()) }
    guard isPaused, account.waiting == 0, !isGone else { return }
    isPaused = false
    try? connection?.syncOptions?.setOption(.autoRead, value: true)
  }

  private func closed(by frame: WebSocketFrame) {
    var data = frame.unmaskedData
    guard frame.fin, frame.length <= 125 else {
      return close(code: 1002, reason: "control frames have at most 125 bytes")
    }
    var code: UInt16 = 1000
    if let sent: UInt16 = data.readInteger() {
      let known = (1000...1003).contains(sent) || (1007...1014).contains(sent) || (3000...4999).contains(sent)
      let text = String(validating: data.readableBytesView, as: UTF8.self)
      code = !known ? 1002 : text == nil ? 1007 : sent
    } else if data.readableBytes > 0 {
      code = 1002
    }
    close(code: code, reason: "")
  }

  func errorCaught(context channel: ChannelHandlerContext, error: any Error) {
    switch error {
    case NIOWebSocketError.invalidFrameLength: tooBig()
    case is NIOWebSocketError: close(code: 1002, reason: "the frame breaks RFC 6455")
    default: channel.close(promise: nil)
    }
  }

  // MARK: - Out

  var canTakeMore: Bool {
    guard !isClosing, !isGone else { return false }
    return socket == nil ? connection?.isWritable ?? false : outstanding == 0
  }

  var takenBytes: UInt64 { progress?.acknowledgedBytes ?? 0 }

  /// What the peer's kernel has of what was sent.
  var progress: TCPProgress? { connection.flatMap { TCPProgress(channel: $0) } }

  func send(frame: OutgoingFrame) {
    guard !isClosing, !isGone else { return }
    let (head, headBytes) = Self.head(opcode: frame.encoding == .json ? 0x81 : 0x82, count: frame.byteCount)
    let start = frame.start - headBytes
    withUnsafeBytes(of: head) {
      start.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(start), byteCount: headBytes)
    }
    var bytes = UnsafeRawBufferPointer(start: start, count: frame.byteCount + headBytes)
    meter.sent(bytes: bytes.count)
    if let socket, outstanding == 0 {
      let sent = Glibc.send(socket, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
      if sent == bytes.count { return }
      if sent > 0 { bytes = UnsafeRawBufferPointer(rebasing: bytes[Int(sent)..<bytes.count]) }
      // Of a broken connection the channel hears by itself, and no later than with this write.
    }
    guard let channel else { return }
    var buffer = channel.channel.allocator.buffer(capacity: bytes.count)
    buffer.writeBytes(bytes)
    write(buffer, channel)
  }

  private func write(_ buffer: ByteBuffer, _ channel: ChannelHandlerContext) {
    guard socket != nil else { return channel.writeAndFlush(wrapOutboundOut(buffer), promise: nil) }
    outstanding += 1
    let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
    channel.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { bound.value.written($0) }
  }

  private func written(_ result: Result<Void, any Error>) {
    outstanding -= 1
    // Writes fail when the connection ends, before it says so otherwise.
    if case .failure = result { isGone = true }
    if outstanding == 0, !isClosing, !isGone, let client {
      context.distributor.serveBacklog(client, now: LoopContext.now())
    }
  }

  /// Asks whether the client is there (5.5.2).
  func ping() {
    if let channel, !isClosing { write(opcode: 0x89, ByteBuffer(), channel) }
  }

  private func write(opcode: UInt8, _ data: ByteBuffer, _ channel: ChannelHandlerContext) {
    var data = data
    var buffer = channel.channel.allocator.buffer(capacity: data.readableBytes + 10)
    let (head, headBytes) = Self.head(opcode: opcode, count: data.readableBytes)
    withUnsafeBytes(of: head) { _ = buffer.writeBytes($0.prefix(headBytes)) }
    buffer.writeBuffer(&data)
    write(buffer, channel)
  }

  /// A frame's first bytes (RFC 6455, 5.2), unmasked and final.
  private static func head(opcode: UInt8, count: Int) -> (bytes: InlineArray<10, UInt8>, count: Int) {
    var head = InlineArray<10, UInt8>(repeating: 0)
    head[0] = opcode
    switch count {
    case ..<126:
      head[1] = UInt8(truncatingIfNeeded: count)
      return (head, 2)
    case ..<65_536:
      head[1] = 126
      head[2] = UInt8(truncatingIfNeeded: count >> 8)
      head[3] = UInt8(truncatingIfNeeded: count)
      return (head, 4)
    default:
      head[1] = 127
      for place in 0..<8 { head[2 + place] = UInt8(truncatingIfNeeded: count >> (56 - 8 * place)) }
      return (head, 10)
    }
  }

  func close(code: UInt16, reason: String) {
    guard let channel, !isClosing else { return }
    isClosing = true
    counters.countClosed(code)
    end()
    var data = channel.channel.allocator.buffer(capacity: 128)
    data.writeInteger(code)
    data.writeString(String(decoding: reason.utf8.prefix(120), as: UTF8.self))
    write(opcode: 0x88, data, channel)
    // The peer has a moment to take the close frame; then the connection ends whether it did or not.
    let ended = channel.channel
    channel.eventLoop.scheduleTask(in: .milliseconds(250)) { ended.close(promise: nil) }
  }
}
