// A connection to a backend: sends one request after the other, reads their answers, and tells the exchange.
//
// What an exchange is told: responseHead, then responseBody…, then responseEnd; or backendFailed before the head, or
// backendCut after it. After the last of them the connection has forgotten the exchange.
// Owner: the pool's event loop.

import NIOCore

final class BackendConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    case idle, head, length(Int), chunked, untilClose, relay, closed
  }

  unowned let pool: BackendPool
  let backend: BackendPool.Backend
  /// Who waits for this connection to open, and the request it was for: its client may be gone by then.
  var reserved: (exchange: Exchange, ticket: UInt64)?
  var idleSince: Int64 = 0
  /// Answered a request before: it may have been closed meanwhile without our knowing.
  private(set) var isReused = false
  private var exchange: Exchange?
  private var phase = Phase.idle
  private var context: ChannelHandlerContext?
  private var inbound = ByteBuffer()
  private var scanner = HeadScanner()
  private var chunks = ChunkDecoder()
  private(set) var response = ResponseHead()
  private var interim = 0
  private var out = ByteBuffer()
  private var hasOut = false
  private var needsFlush = false
  private var isPaused = false
  /// It broke: what ends with it isn't whole.
  private var isBroken = false

  /// 100, 102, 103 before an answer; beyond it is nonsense.
  private static let interimLimit = 16
  /// A body part up to this size is copied behind what goes before it, so that one write carries both.
  private static let copiedBytes = 16 << 10

  init(pool: BackendPool, backend: BackendPool.Backend) {
    self.pool = pool
    self.backend = backend
  }

  var isUsable: Bool {
    guard case .idle = phase, let context else { return false }
    return context.channel.isActive
  }

  var isWritable: Bool { context?.channel.isWritable ?? false }

  /// Whether anything of the answer has come.
  var hasAnswerBytes: Bool {
    if case .head = phase { return inbound.readableBytes > 0 || interim > 0 }
    return true
  }

  func takeReservation() -> Exchange? {
    defer { reserved = nil }
    guard let reserved, reserved.exchange.ticket == reserved.ticket else { return nil }
    return reserved.exchange
  }

  // MARK: - Requests

  func begin(_ exchange: Exchange) {
    self.exchange = exchange
    phase = .head
    scanner = HeadScanner()
    interim = 0
  }

  /// Puts bytes after those that wait to be sent.
  func send(_ bytes: ByteBuffer) {
    if bytes.readableBytes <= Self.copiedBytes {
      if !hasOut { out.clear() }
      out.writeImmutableBuffer(bytes)
      hasOut = true
    } else {
      writeOut()
      context?.write(wrapOutboundOut(bytes), promise: nil)
      needsFlush = true
    }
  }

  func sendChunk(_ bytes: ByteBuffer) {
    guard bytes.readableBytes > 0 else { return }
    if !hasOut { out.clear() }
    hasOut = true
    ChunkDecoder.writeSize(bytes.readableBytes, to: &out)
    send(bytes)
    sendText("\r\n")
  }

  func sendText(_ text: StaticString) {
    if !hasOut { out.clear() }
    hasOut = true
    out.writeStaticString(text)
  }

  private func writeOut() {
    guard hasOut else { return }
    hasOut = false
    context?.write(wrapOutboundOut(out), promise: nil)
    needsFlush = true
  }

  func flush() {
    writeOut()
    guard needsFlush else { return }
    needsFlush = false
    context?.flush()
  }

  /// The exchange wants nothing more of it.
  func abandon() {
    exchange = nil
    close()
  }

  func close() {
    if case .closed = phase { return }
    phase = .closed
    inbound = ByteBuffer()
    context?.close(promise: nil)
    pool.remove(self)
  }

  // MARK: - Back-pressure

  func pause() {
    guard !isPaused else { return }
    isPaused = true
    try? context?.channel.syncOptions?.setOption(.autoRead, value: false)
  }

  func resume() {
    guard isPaused else { return }
    isPaused = false
    try? context?.channel.syncOptions?.setOption(.autoRead, value: true)
  }

  // MARK: - Channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    out = context.channel.allocator.buffer(capacity: 1024)
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    switch phase {
    case .closed: return
    case .idle: return close()
    case .relay:
      exchange?.relayFromBackend(bytes)
      return
    default: break
    }
    if inbound.readableBytes == 0 { inbound = bytes } else { inbound.writeBuffer(&bytes) }
    bytes = ByteBuffer()
    let exchange = exchange
    process()
    // Not the exchange's next request, should it have begun one within.
    if let exchange, self.exchange === exchange { exchange.responsePartsCame() }
    if inbound.readableBytes == 0 { inbound = ByteBuffer() }
  }

  private func process() {
    while let exchange {
      switch phase {
      case .head:
        guard inbound.readableBytes > 0 else { return }
        switch inbound.withUnsafeReadableBytes({
          scanner.scan($0, exchange.loop.configuration.limits.head)
        }) {
        case .more: return
        case .refused(let reason): return fail(.malformed(reason))
        case .head(let count):
          guard let slice = inbound.readSlice(length: count) else { return }
          response.parse(slice, isForHead: exchange.isHeadRequest)
          if let reason = response.refusal { return fail(.malformed(reason)) }
          guard headCame(exchange) else { return }
        }
      case .length(let left):
        guard let part = inbound.readSlice(length: min(left, inbound.readableBytes)), part.readableBytes > 0
        else { return }
        phase = .length(left - part.readableBytes)
        if left == part.readableBytes {
          exchange.responseBody(part)
          return end()
        }
        exchange.responseBody(part)
      case .chunked:
        switch chunks.next(&inbound) {
        case .data(let part): exchange.responseBody(part)
        case .more: return
        case .end: return end()
        case .refused: return cut()
        }
      case .untilClose:
        guard let part = inbound.readSlice(length: inbound.readableBytes), part.readableBytes > 0 else {
          return
        }
        exchange.responseBody(part)
      case .relay:
        if let rest = inbound.readSlice(length: inbound.readableBytes), rest.readableBytes > 0 {
          exchange.relayFromBackend(rest)
        }
        return
      case .idle, .closed: return
      }
    }
  }

  /// False where nothing more is to be read now.
  private func headCame(_ exchange: Exchange) -> Bool {
    if response.status < 200 {
      if response.status == 101 {
        guard exchange.mayUpgrade, response.upgradesToWebSocket else {
          fail(.malformed(.statusLine))
          return false
        }
        phase = .relay
        response.framing = .none
        exchange.responseHead(response, connection: self)
        return true
      }
      interim += 1
      guard interim <= Self.interimLimit else {
        fail(.malformed(.statusLine))
        return false
      }
      scanner = HeadScanner()
      return true
    }
    pool.succeeded(backend)
    switch response.framing {
    case .none: phase = .length(0)
    case .length(let count): phase = .length(count)
    case .chunked:
      phase = .chunked
      chunks = ChunkDecoder()
    case .untilClose: phase = .untilClose
    }
    let isEmpty = response.framing == .none
    exchange.responseHead(response, connection: self)
    response.head.bytes = ByteBuffer()
    guard self.exchange === exchange else { return false }
    if isEmpty {
      end()
      return false
    }
    return true
  }

  /// The answer is whole.
  private func end() {
    guard let exchange else { return }
    self.exchange = nil
    let isClean = response.keepsAlive && inbound.readableBytes == 0 && exchange.isRequestSent
    inbound = ByteBuffer()
    resume()
    isReused = true
    if isClean {
      phase = .idle
      pool.put(self)
    } else {
      close()
    }
    exchange.responseEnd()
  }

  private func fail(_ failure: BackendFailure) {
    guard let exchange else { return close() }
    self.exchange = nil
    pool.failed(backend)
    close()
    exchange.backendFailed(failure)
  }

  private func cut() {
    guard let exchange else { return close() }
    self.exchange = nil
    pool.failed(backend)
    close()
    exchange.backendCut()
  }

  func channelInactive(context: ChannelHandlerContext) {
    let exchange = exchange
    let before = phase
    let wasFresh = !isReused
    let silent = !hasAnswerBytes
    self.exchange = nil
    phase = .closed
    pool.remove(self)
    guard let exchange else { return }
    switch before {
    case .untilClose where !isBroken: exchange.responseEnd()
    case .relay: exchange.relayEnded()
    case .head:
      if exchange.retry(isStale: !wasFresh && silent) { return }
      pool.failed(backend)
      exchange.backendFailed(.closedEarly)
    default:
      pool.failed(backend)
      exchange.backendCut()
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { exchange?.backendDrained() }
  }

  /// The connection ends; `channelInactive` tells the exchange.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    isBroken = true
    context.close(promise: nil)
  }
}
