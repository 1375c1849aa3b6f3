// A client's connection of HTTP/1: reads requests one after the other, hands them to its exchange, and writes answers.
//
// The next request is looked at when the one before is over, so answers leave in order; what a client sends ahead is
// kept up to a bound, beyond which nothing more is read from it. Bytes of a head and small bodies go out together: one
// write and one flush a turn.
// Owner: the channel's event loop.

import NIOCore

final class ClientConnection: ChannelInboundHandler, RemovableChannelHandler, Front, Timed {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum State {
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
  private let loop: ProxyLoop
  private let limits: FirewallLimits
  private var exchange: Exchange?
  private var context: ChannelHandlerContext?
  private var state = State.head
  private var inbound = ByteBuffer()
  private var scanner = HeadScanner()
  private var chunks = ChunkDecoder()
  private var skippedBlankLine = false
  private var hasServed = false
  private var mayBeHTTP2: Bool
  private var isProcessing = false
  private var isPaused = false
  /// The body is not to be read on for now.
  private var bodyWaits = false
  private var out = ByteBuffer()
  private var hasOut = false
  private var needsFlush = false
  private var sendsChunks = false
  private var sendsBody = true
  private var isOldVersion = false

  // Time, in nanoseconds; coarse.
  private var since: Int64
  private var bodyBytes = 0
  private var bodySince: Int64 = 0
  private var unwritableSince: Int64 = 0

  private static let copiedBytes = 16 << 10

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
    } else {
      unwritableSince = loop.coarseNow
    }
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  // MARK: - Reading

  private func process() {
    guard !isProcessing else { return }
    isProcessing = true
    while step() {}
    isProcessing = false
    exchange?.flushRequest()
    flush()
    if inbound.readableBytes == 0 {
      // The bytes' memory goes back to the channel, which reads into it again.
      inbound = ByteBuffer()
    } else if inbound.readableBytes > limits.pipelinedBytes, case .answering = state {
      setPaused(true)
    }
    if isPaused, !bodyWaits, inbound.readableBytes <= limits.pipelinedBytes { setPaused(false) }
  }

  /// Does one thing with what has come; false where more must come first.
  private func step() -> Bool {
    switch state {
    case .head: return readHead()
    case .length(let left):
      guard let part = inbound.readSlice(length: min(left, inbound.readableBytes)), part.readableBytes > 0
      else { return false }
      bodyBytes += part.readableBytes
      since = loop.coarseNow
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
        bodyBytes += part.readableBytes
        since = loop.coarseNow
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

  private func readHead() -> Bool {
    guard inbound.readableBytes > 0, let exchange else { return false }
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

  private func beginExchange(_ exchange: Exchange) {
    isOldVersion = exchange.request.isOldVersion
    sendsBody = exchange.request.method != .head
    bodyBytes = 0
    bodySince = loop.coarseNow
    since = bodySince
    exchange.version = isOldVersion ? "HTTP/1.0" : "HTTP/1.1"
    if exchange.request.refusal != nil { exchange.keepsAlive = false }
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
  private func beginUnfinished(_ refusal: Refusal) {
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
    beginExchange(exchange)
  }

  /// The body's framing is broken: nothing after it can be trusted.
  private func badBody(_ refusal: Refusal) {
    guard let exchange, exchange.isActive else { return end() }
    inbound = ByteBuffer()
    if exchange.responseSide == .streaming {
      // An answer is under way already.
      exchange.refused = refusal
      exchange.clientLeft()
      return cut()
    }
    exchange.refuse(refusal)
  }

  private func becomeHTTP2() {
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

  // MARK: - Front: answers

  var isWritable: Bool { context?.channel.isWritable ?? false }

  private func beginOut() {
    if !hasOut {
      out.clear()
      hasOut = true
    }
  }

  func sendContinue() {
    beginOut()
    out.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
  }

  func sendHead(_ response: ResponseHead, framing: ClientFraming, length: Int?, closes: Bool) {
    guard let exchange else { return }
    beginOut()
    sendsChunks = framing == .chunked
    let isUpgrade = response.status == 101
    let dropsLength = response.status == 204 || response.status < 200
    out.writeStaticString("HTTP/1.1")
    response.head.withBytes { all in
      // From the space before the status to the line's end.
      _ = out.writeBytes(UnsafeRawBufferPointer(rebasing: all[8..<response.head.fieldsStart]))
    }
    response.head.copyFields(to: &out) { field in
      switch field.known {
      case .other: false
      case .requestID: true
      case .contentLength: dropsLength
      default: MessageHead.isHopByHop(field.known)
      }
    }
    out.writeStaticString("X-Request-ID: ")
    exchange.writeID(to: &out)
    if let length { out.writeString("\r\nContent-Length: \(length)") }
    if sendsChunks { out.writeStaticString("\r\nTransfer-Encoding: chunked") }
    if let via = loop.configuration.via { out.writeString("\r\nVia: 1.1 \(via)") }
    if isUpgrade {
      out.writeStaticString("\r\nConnection: Upgrade\r\nUpgrade: websocket")
    } else if closes {
      out.writeStaticString("\r\nConnection: close")
    } else if isOldVersion {
      out.writeStaticString("\r\nConnection: keep-alive")
    }
    out.writeStaticString("\r\n\r\n")
  }

  func sendBody(_ part: ByteBuffer) {
    guard sendsBody, part.readableBytes > 0 else { return }
    beginOut()
    if sendsChunks { ChunkDecoder.writeSize(part.readableBytes, to: &out) }
    if part.readableBytes <= Self.copiedBytes {
      out.writeImmutableBuffer(part)
    } else {
      writeOut()
      write(part)
    }
    if sendsChunks {
      beginOut()
      out.writeStaticString("\r\n")
    }
  }

  func sendEnd() {
    if sendsChunks, sendsBody {
      beginOut()
      out.writeStaticString("0\r\n\r\n")
    }
    sendsChunks = false
  }

  func sendPage(_ page: Page, closes: Bool) {
    beginOut()
    sendsChunks = false
    out.writeString("HTTP/1.1 \(page.status) \(BlockPage.reason(page.status))\r\n")
    for (name, value) in page.fields { out.writeString("\(name): \(value)\r\n") }
    out.writeString("Content-Length: \(page.body.readableBytes)\r\n")
    if closes {
      out.writeStaticString("Connection: close\r\n")
    } else if isOldVersion {
      out.writeStaticString("Connection: keep-alive\r\n")
    }
    out.writeStaticString("\r\n")
    if sendsBody { out.writeImmutableBuffer(page.body) }
  }

  private func writeOut() {
    guard hasOut else { return }
    hasOut = false
    write(out)
  }

  private func write(_ bytes: ByteBuffer) {
    context?.write(wrapOutboundOut(bytes), promise: nil)
    needsFlush = true
  }

  func flush() {
    writeOut()
    guard needsFlush else { return }
    needsFlush = false
    context?.flush()
  }

  /// What the client sent right behind its handshake goes first.
  func becomeRelay() {
    state = .relay
    process()
  }

  func relay(_ bytes: ByteBuffer) {
    writeOut()
    write(bytes)
    flush()
  }

  // MARK: - Front: flow

  private func setPaused(_ paused: Bool) {
    guard isPaused != paused else { return }
    isPaused = paused
    try? context?.channel.syncOptions?.setOption(.autoRead, value: !paused)
  }

  func pauseBody() {
    bodyWaits = true
    setPaused(true)
  }

  func resumeBody() {
    guard bodyWaits else { return }
    bodyWaits = false
    since = loop.coarseNow
    if inbound.readableBytes <= limits.pipelinedBytes { setPaused(false) }
  }

  func exchangeEnded(closes: Bool) {
    if case .closed = state { return }
    bodyWaits = false
    hasServed = true
    if closes { return end() }
    since = loop.coarseNow
    state = .head
    setPaused(false)
    if inbound.readableBytes > 0 { process() }
  }

  func cut() {
    if case .closed = state { return }
    state = .closed
    inbound = ByteBuffer()
    context?.close(promise: nil)
  }

  func stop() {
    exchange?.clientLeft()
    cut()
  }

  /// Ends the connection behind its last answer. Our half goes first: closed while bytes of the peer are unread, the
  /// connection would be reset and the answer lost.
  private func end() {
    switch state {
    case .closed, .ending: return
    default: break
    }
    flush()
    state = .ending
    inbound = ByteBuffer()
    since = loop.coarseNow
    setPaused(false)
    context?.close(mode: .output, promise: nil)
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
      guard isOver(patience.head) else { return }
      loop.counters.slowClients &+= 1
      beginUnfinished(.headTooSlow)
    case .head: if isOver(hasServed ? patience.idle : patience.head) || loop.isStopping { cut() }
    case .length, .chunked:
      exchange?.look(now: now)
      guard !bodyWaits, let exchange, exchange.isActive else { return }
      let seconds = Double(now - bodySince) / 1e9
      let isSlow =
        seconds * 1000 > Double(patience.bodyPause)
        && Double(bodyBytes) < seconds * Double(patience.bodyBytesPerSecond)
      guard isSlow || isOver(patience.bodyPause) else { return }
      loop.counters.slowClients &+= 1
      badBody(.bodyTooSlow)
    case .answering, .relay: exchange?.look(now: now)
    case .ending: if isOver(1_000) { cut() }
    case .closed: break
    }
  }
}
