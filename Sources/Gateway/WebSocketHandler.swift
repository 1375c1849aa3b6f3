// A WebSocket connection of the stream (RFC 6455): client messages in, frames of events out.
// Frames out are unmasked text frames, written as one buffer each: one system call a client and flush.
// Owner: the connection's event loop.

import Distribution
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

  init(context: LoopContext, limits: ClientLimits, messageBytes: Int) {
    self.context = context
    self.limits = limits
    self.messageBytes = messageBytes
  }

  func handlerAdded(context channel: ChannelHandlerContext) {
    self.channel = channel
    if channel.channel.isActive { begin() }
  }

  func channelActive(context channel: ChannelHandlerContext) { begin() }

  private func begin() {
    guard client == nil else { return }
    client = context.distributor.add(transport: self, limits: limits, now: LoopContext.now())
  }

  func channelInactive(context channel: ChannelHandlerContext) {
    end()
    channel.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end()
    channel = nil
  }

  private func end() {
    if let client { context.distributor.remove(client) }
    client = nil
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
      if channel.channel.isWritable { write(opcode: 0x8a, frame.unmaskedData, channel) }
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
    if let client { context.distributor.receive(bytes, from: client, now: LoopContext.now()) }
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

  var canTakeMore: Bool { !isClosing && (channel?.channel.isWritable ?? false) }

  func send(frame: UnsafeRawBufferPointer) {
    guard let channel, !isClosing else { return }
    var buffer = channel.channel.allocator.buffer(capacity: frame.count + 10)
    Self.writeHead(opcode: 0x81, count: frame.count, into: &buffer)
    buffer.writeBytes(frame)
    channel.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
  }

  private func write(opcode: UInt8, _ data: ByteBuffer, _ channel: ChannelHandlerContext) {
    var data = data
    var buffer = channel.channel.allocator.buffer(capacity: data.readableBytes + 10)
    Self.writeHead(opcode: opcode, count: data.readableBytes, into: &buffer)
    buffer.writeBuffer(&data)
    channel.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
  }

  private static func writeHead(opcode: UInt8, count: Int, into buffer: inout ByteBuffer) {
    buffer.writeInteger(opcode)
    switch count {
    case ..<126: buffer.writeInteger(UInt8(count))
    case ..<65_536:
      buffer.writeInteger(UInt8(126))
      buffer.writeInteger(UInt16(count))
    default:
      buffer.writeInteger(UInt8(127))
      buffer.writeInteger(UInt64(count))
    }
  }

  func close(code: UInt16, reason: String) {
    guard let channel, !isClosing else { return }
    isClosing = true
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
