// Server-sent events: the same frames as the WebSocket, one `data:` each, over a response that doesn't end.
// `id:` carries the position of all sources, so that a browser's `Last-Event-ID` resumes.
// Owner: the connection's event loop.

import Distribution
import NIOCore
import NIOHTTP1

final class EventStream: ClientTransport {
  private let context: LoopContext
  private let channel: any Channel
  private let meter: TenantMeter
  private(set) var client: Client?

  init(context: LoopContext, channel: any Channel, meter: TenantMeter) {
    self.meter = meter
    self.context = context
    self.channel = channel
  }

  func begin(limits: ClientLimits, request: SubscriptionRequest, heartbeat: Int?) {
    let now = LoopContext.now()
    let client = context.distributor.add(
      transport: self, limits: limits, heartbeat: heartbeat, now: now)
    self.client = client
    meter.streamBegins(at: now)
    context.distributor.perform(.subscribe(request), for: client, now: now)
  }

  func writabilityChanged() {
    if channel.isWritable, let client { context.distributor.serveBacklog(client, now: LoopContext.now()) }
  }

  func end() {
    if let client {
      context.distributor.remove(client)
      meter.streamEnds(at: LoopContext.now())
    }
    client = nil
  }

  var canTakeMore: Bool { channel.isWritable }

  var takenBytes: UInt64 { TCPProgress(channel: channel)?.acknowledgedBytes ?? 0 }

  func send(frame: OutgoingFrame) {
    let position = context.distributor.positionText
    var buffer = channel.allocator.buffer(capacity: frame.byteCount + position.utf8.count + 20)
    // Only where nothing is outstanding: the browser resumes from the last `id` it saw.
    if client?.isSettled ?? false {
      buffer.writeStaticString("id: ")
      buffer.writeString(position)
      buffer.writeStaticString("\n")
    }
    buffer.writeStaticString("data: ")
    buffer.writeBytes(frame.bytes)
    buffer.writeStaticString("\n\n")
    meter.sent(bytes: buffer.readableBytes)
    channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(buffer)), promise: nil)
  }

  func close(code: UInt16, reason: String) {
    let ended = channel
    channel.writeAndFlush(HTTPServerResponsePart.end(nil)).whenComplete { _ in ended.close(promise: nil) }
    // Who takes nothing, and is closed for it, doesn't take the end either.
    channel.eventLoop.scheduleTask(in: .seconds(1)) { ended.close(promise: nil) }
  }
}
