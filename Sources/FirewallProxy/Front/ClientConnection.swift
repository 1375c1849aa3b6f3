// A client's connection of HTTP/1: reads requests one after the other, hands them to its exchange, and writes answers.
//
// The next request is looked at when the one before is over, so answers leave in order; what a client sends ahead is
// kept up to a bound, beyond which nothing more is read from it. Bytes of a head and small bodies go out together: one
// write and one flush a turn.
// Owner: the channel's event loop.

import NIOCore

final class ClientConnection: ChannelInboundHandler, RemovableChannelHandler, Timed {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum State {
    /// A head is awaited or comes in.
    case head
    case length(Int)
    case chunked
    /// The request is whole, its answer isn't.
    case answering
    case relay
    /// The answer that ends the connection is on its way; what comes is dropped.
    case ending
    case closed
  }

  let client: ClientIdentity
  var timerSlot = -1
  let loop: ProxyLoop
  let limits: FirewallLimits
  var exchange: Exchange?
  var context: ChannelHandlerContext?
  var state = State.head
  var inbound = ByteBuffer()
  var scanner = HeadScanner()
  var chunks = ChunkDecoder()
  var skippedBlankLine = false
  var hasServed = false
  private var outputIsClosed = false
  var mayBeHTTP2: Bool
  var isProcessing = false
  var isPaused = false
  /// The body is not to be read on for now.
  var bodyWaits = false
  var out = ByteBuffer()
  var hasOut = false
  var needsFlush = false
  var sendsChunks = false
  var sendsBody = true
  var isOldVersion = false

  // Time, in nanoseconds; coarse.
  var since: Int64
  var pace = BodyPace()
  var unwritableSince: Int64 = 0

  static let copiedBytes = 16 << 10

  /// - Parameter mayBeHTTP2: its first bytes may be HTTP/2's preface (prior knowledge).
  init(loop: ProxyLoop, client: ClientIdentity, mayBeHTTP2: Bool) {
    self.loop = loop
    self.client = client
    self.mayBeHTTP2 = mayBeHTTP2
    limits = loop.configuration.limits
    since = loop.coarseNow
  }

  // MARK: - Channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    out = context.channel.allocator.buffer(capacity: 1024)
    exchange = Exchange(loop: loop, front: self)
    loop.add(self)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    loop.remove(self)
    self.context = nil
    exchange = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    switch state {
    case .relay:
      exchange?.relayFromClient(bytes)
      return
    case .ending, .closed: return
    default: break
    }
    if inbound.readableBytes == 0 {
      if case .head = state { since = loop.coarseNow }
      inbound = bytes
    } else {
      inbound.writeBuffer(&bytes)
    }
    bytes = ByteBuffer()
    process()
  }

  func channelInactive(context: ChannelHandlerContext) {
    if case .closed = state {
      // We ended it ourselves, and whoever did knows.
    } else {
      state = .closed
      inbound = ByteBuffer()
      exchange?.clientLeft()
    }
    context.fireChannelInactive()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      unwritableSince = 0
      exchange?.frontDrained()
      if case .head = state, inbound.readableBytes > 0 { process() }
    } else {
      unwritableSince = loop.coarseNow
    }
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.outputClosed = event {
      // The last answer is out; the client has a moment to read it and go.
      outputIsClosed = true
      since = loop.coarseNow
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  // MARK: - Reading

  func process() {
    guard !isProcessing else { return }
    isProcessing = true
    while step() {}
    isProcessing = false
    exchange?.flushRequest()
    flush()
    if inbound.readableBytes == 0 {
      // The bytes' memory goes back to the channel, which reads into it again.
      inbound = ByteBuffer()
    } else if inbound.readableBytes > limits.pipelinedBytes, waitsWithRequests {
      setPaused(true)
    }
    if isPaused, !bodyWaits, inbound.readableBytes <= limits.pipelinedBytes { setPaused(false) }
  }

  /// Requests that came ahead wait: for the answer before them, or for a client that doesn't take its answers.
  private var waitsWithRequests: Bool {
    switch state {
    case .answering: true
    case .head: !isWritable
    default: false
    }
  }

  /// Does one thing with what has come; false where more must come first.
  func step() -> Bool {
    switch state {
    case .head: return readHead()
    case .length(let left):
      guard let part = inbound.readSlice(length: min(left, inbound.readableBytes)), part.readableBytes > 0
      else { return false }
      pace.came(part.readableBytes, now: loop.coarseNow)
      state = .length(left - part.readableBytes)
      exchange?.requestBody(part)
      if left == part.readableBytes, case .length = state {
        state = .answering
        exchange?.requestEnd()
      }
      return true
    case .chunked:
      switch chunks.next(&inbound) {
      case .data(let part):
        pace.came(part.readableBytes, now: loop.coarseNow)
        exchange?.requestBody(part)
        return true
      case .more: return false
      case .end:
        state = .answering
        exchange?.requestEnd()
        return true
      case .refused(let refusal):
        badBody(refusal)
        return false
      }
    case .answering, .ending, .closed: return false
    case .relay:
      guard let rest = inbound.readSlice(length: inbound.readableBytes), rest.readableBytes > 0 else {
        return false
      }
      exchange?.relayFromClient(rest)
      return false
    }
  }

  func readHead() -> Bool {
    guard inbound.readableBytes > 0, isWritable, let exchange else { return false }
    if mayBeHTTP2 {
      switch HTTP2Front.looksLikePreface(inbound) {
      case .yes:
        becomeHTTP2()
        return false
      case .perhaps: return false
      case .no: mayBeHTTP2 = false
      }
    }
    if !skippedBlankLine, inbound.getInteger(at: inbound.readerIndex, as: UInt8.self) == 13 {
      guard inbound.readableBytes >= 2 else { return false }
      if inbound.getInteger(at: inbound.readerIndex + 1, as: UInt8.self) == 10 {
        inbound.moveReaderIndex(forwardBy: 2)
        skippedBlankLine = true
        return true
      }
    }
    switch inbound.withUnsafeReadableBytes({ scanner.scan($0, limits.head) }) {
    case .more: return false
    case .refused(let refusal):
      beginUnfinished(refusal)
      return false
    case .head(let count):
      guard let slice = inbound.readSlice(length: count) else { return false }
      scanner = HeadScanner()
      skippedBlankLine = false
      exchange.request.parse(slice)
      beginExchange(exchange)
      return true
    }
  }

  func beginExchange(_ exchange: Exchange) {
    isOldVersion = exchange.request.isOldVersion
    sendsBody = exchange.request.method != .head
    since = loop.coarseNow
    pace.begin(now: since)
    exchange.version = isOldVersion ? "HTTP/1.0" : "HTTP/1.1"
    switch exchange.request.framing {
    case .length(let count) where exchange.request.refusal == nil: state = .length(count)
    case .chunked where exchange.request.refusal == nil:
      state = .chunked
      chunks = ChunkDecoder()
    default: state = .answering
    }
    exchange.begin()
  }

  /// A head that can't or won't become whole: what there is of it is shown to the rules, then it is refused.
  func beginUnfinished(_ refusal: Refusal) {
    guard let exchange else { return }
    let most = limits.head.totalBytes + limits.head.fieldBytes
    guard var slice = inbound.readSlice(length: min(inbound.readableBytes, most)) else { return }
    // The last line may be half; it ends here.
    slice.writeStaticString("\r\n\r\n")
    exchange.request.parse(slice)
    exchange.request.refusal = refusal
    exchange.request.framing = .none
    if exchange.request.head.fields.count > limits.head.fieldCount {
      exchange.request.head.fields.removeLast(exchange.request.head.fields.count - limits.head.fieldCount)
    }
    inbound = ByteBuffer()
    scanner = HeadScanner()
    skippedBlankLine = false
    beginExchange(exchange)
  }

  /// The body's framing is broken: nothing after it can be trusted.
  func badBody(_ refusal: Refusal) {
    guard let exchange, exchange.isActive else { return end() }
    inbound = ByteBuffer()
    if exchange.responseSide == .streaming {
      // An answer is under way already.
      exchange.refused = refusal
      exchange.noteReached()
      exchange.clientLeft()
      return cut()
    }
    exchange.refuse(refusal)
  }

  func becomeHTTP2() {
    guard let context else { return }
    state = .closed
    let bytes = inbound
    inbound = ByteBuffer()
    exchange = nil
    do {
      try HTTP2Front.configure(context.channel, loop: loop, client: client)
      context.fireChannelRead(wrapInboundOut(bytes))
      context.fireChannelReadComplete()
      context.pipeline.syncOperations.removeHandler(self, promise: nil)
    } catch { context.close(promise: nil) }
  }

  // MARK: - Time

  func look(now: Int64) {
    let patience = loop.configuration.patience
    func isOver(_ milliseconds: Int) -> Bool { now - since > Int64(milliseconds) * 1_000_000 }
    if unwritableSince > 0, now - unwritableSince > Int64(patience.write) * 1_000_000 {
      loop.counters.slowClients &+= 1
      return stop()
    }
    switch state {
    case .head where inbound.readableBytes > 0:
      // Not where whole requests wait for a client that is slow to take its answers.
      guard isOver(patience.head), isWritable else { return }
      loop.counters.slowClients &+= 1
      beginUnfinished(.headTooSlow)
    case .head: if isOver(hasServed ? patience.idle : patience.head) || loop.isStopping { cut() }
    case .length, .chunked:
      exchange?.look(now: now)
      guard !bodyWaits, let exchange, exchange.isActive, pace.isTooSlow(now: now, patience) else { return }
      loop.counters.slowClients &+= 1
      badBody(.bodyTooSlow)
    case .answering, .relay: exchange?.look(now: now)
    case .ending: if isOver(outputIsClosed ? 1_000 : patience.write) { cut() }
    case .closed: break
    }
  }
}
