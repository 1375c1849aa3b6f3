// A stream of HTTP/2: one request and its answer. Its header block becomes a head in the form of HTTP/1, so that the rules
// and the backend see what they know; nothing that HTTP/1 would read otherwise gets into it (RFC 9113 section 8.2.1).
// Owner: the channel's event loop.

import NIOCore
import NIOHPACK
import NIOHTTP2

final class HTTP2Stream: ChannelInboundHandler, Front, Timed {
  typealias InboundIn = HTTP2Frame.FramePayload
  typealias OutboundOut = HTTP2Frame.FramePayload

  let client: ClientIdentity
  var isReading: Bool { false }
  var timerSlot = -1
  private let loop: ProxyLoop
  private var exchange: Exchange?
  private var context: ChannelHandlerContext?
  private var hasHead = false
  private var isRequestWhole = false
  private var isEnded = false
  /// The answer is written whole; the stream may close while that is still being flushed.
  private var isAnswered = false
  private var isPaused = false
  private var sendsBody = true
  private var needsFlush = false
  private var since: Int64
  private var pace = BodyPace()
  private var unwritableSince: Int64 = 0

  init(loop: ProxyLoop, client: ClientIdentity) {
    self.loop = loop
    self.client = client
    since = loop.coarseNow
  }

  // MARK: - Channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    let exchange = Exchange(loop: loop, front: self)
    exchange.version = "HTTP/2.0"
    self.exchange = exchange
    loop.add(self)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    loop.remove(self)
    self.context = nil
    exchange = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let exchange else { return }
    switch unwrapInboundIn(data) {
    case .headers(let headers):
      // A second block is trailers: dropped.
      if hasHead { return headers.endStream ? requestEnded() : () }
      hasHead = true
      isRequestWhole = headers.endStream
      readHead(headers.headers, endsStream: headers.endStream)
    case .data(let data):
      since = loop.coarseNow
      guard exchange.isActive else { return }
      if case .byteBuffer(let bytes) = data.data, bytes.readableBytes > 0 {
        pace.came(bytes.readableBytes, now: since)
        exchange.requestBody(bytes)
      }
      if data.endStream { requestEnded() }
    default: return
    }
    self.exchange?.flushRequest()
    flush()
  }

  private func requestEnded() {
    isRequestWhole = true
    exchange?.requestEnd()
    exchange?.flushRequest()
  }

  func channelInactive(context: ChannelHandlerContext) {
    if !isEnded {
      isEnded = true
      if !isAnswered { exchange?.clientLeft() }
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
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  // MARK: - The head

  private func readHead(_ headers: HPACKHeaders, endsStream: Bool) {
    guard let exchange else { return }
    let block = HTTP2Head(headers, loop.configuration.limits.head)
    exchange.request.parse(block.bytes, asHTTP2: true)
    if let refusal = block.refusal, exchange.request.refusal == nil { exchange.request.refusal = refusal }
    if endsStream {
      exchange.request.framing = .none
    } else if case .length = exchange.request.framing {
    } else {
      exchange.request.framing = .chunked
    }
    exchange.request.upgradesToWebSocket = false
    exchange.request.keepsAlive = true
    sendsBody = exchange.request.method != .head
    pace.begin(now: loop.coarseNow)
    exchange.begin()
  }

  // MARK: - Front

  var isWritable: Bool { context?.channel.isWritable ?? false }

  private func write(_ payload: HTTP2Frame.FramePayload) {
    guard !isEnded else { return }
    context?.write(wrapOutboundOut(payload), promise: nil)
    needsFlush = true
  }

  func sendContinue() {
    write(.headers(.init(headers: [":status": "100"])))
  }

  func sendHead(_ response: ResponseHead, framing: ClientFraming, length: Int?, closes: Bool) {
    guard let exchange else { return }
    var headers = HPACKHeaders()
    headers.reserveCapacity(response.head.fields.count + 3)
    headers.add(name: ":status", value: String(response.status))
    let dropsLength = response.status == 204
    response.head.withBytes { all in
      for field in response.head.fields where !field.isOfThisHop {
        switch field.known {
        case .requestID: continue
        case .contentLength where dropsLength: continue
        default: if MessageHead.isHopByHop(field.known) { continue }
        }
        headers.add(
          name: String(decoding: response.head.name(field, all), as: UTF8.self).lowercased(),
          value: String(decoding: response.head.value(field, all), as: UTF8.self))
      }
    }
    headers.add(name: "x-request-id", value: exchange.idText)
    if let length { headers.add(name: "content-length", value: String(length)) }
    if let via = loop.configuration.via { headers.add(name: "via", value: "1.1 \(via)") }
    write(.headers(.init(headers: headers)))
  }

  func sendBody(_ part: ByteBuffer) {
    guard sendsBody, part.readableBytes > 0 else { return }
    write(.data(.init(data: .byteBuffer(part))))
  }

  func sendEnd() {
    isAnswered = true
    write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
  }

  func sendPage(_ page: Page, closes: Bool) {
    var headers: HPACKHeaders = [":status": String(page.status)]
    for (name, value) in page.fields { headers.add(name: name.lowercased(), value: value) }
    headers.add(name: "content-length", value: String(page.body.readableBytes))
    write(.headers(.init(headers: headers)))
    sendBody(page.body)
    sendEnd()
  }

  func flush() {
    guard needsFlush else { return }
    needsFlush = false
    context?.flush()
  }

  /// WebSocket isn't spoken over HTTP/2 here, so nothing is ever relayed.
  func becomeRelay() { cut() }
  func relay(_ bytes: ByteBuffer) {}

  func cut() {
    guard !isEnded else { return }
    isEnded = true
    context?.close(promise: nil)
  }

  func stop() {
    exchange?.clientLeft()
    cut()
  }

  private func setPaused(_ paused: Bool) {
    guard isPaused != paused else { return }
    isPaused = paused
    try? context?.channel.syncOptions?.setOption(.autoRead, value: !paused)
    if !paused { context?.read() }
  }

  func pauseBody() { setPaused(true) }

  func resumeBody() {
    since = loop.coarseNow
    if isPaused { pace.begin(now: since) }
    setPaused(false)
  }

  func exchangeEnded(closes: Bool) {
    guard !isEnded else { return }
    since = loop.coarseNow
    // A request whose rest nobody wants: its stream is reset behind the answer.
    if !isRequestWhole {
      flush()
      cut()
    }
  }

  // MARK: - Time

  func look(now: Int64) {
    let patience = loop.configuration.patience
    guard let exchange, exchange.isActive else {
      // Answered, but the client doesn't open its window for the rest.
      if now - since > Int64(patience.write) * 1_000_000 {
        loop.counters.slowClients &+= 1
        cut()
      }
      return
    }
    if unwritableSince > 0, now - unwritableSince > Int64(patience.write) * 1_000_000 {
      loop.counters.slowClients &+= 1
      return stop()
    }
    if !isRequestWhole, !isPaused, exchange.responseSide != .streaming,
      pace.isTooSlow(now: now, patience)
    {
      loop.counters.slowClients &+= 1
      exchange.refuse(.bodyTooSlow)
      return
    }
    exchange.look(now: now)
  }
}

/// A header block in the form of an HTTP/1 head.
struct HTTP2Head {
  private(set) var bytes = ByteBuffer()
  private(set) var refusal: Refusal?

  /// - Parameter limits: the same as over HTTP/1; what is beyond them is refused, and fields beyond their number left out.
  init(_ headers: HPACKHeaders, _ limits: HeadLimits) {
    var method = ""
    var path = ""
    var authority: String?
    var fields = ByteBuffer()
    var cookies = ""
    var hasHost = false
    var count = 0
    for (name, value, _) in headers {
      guard Self.isClean(value) else {
        refuse(.fieldValue)
        continue
      }
      if name.hasPrefix(":") {
        switch name {
        case ":method" where method.isEmpty: method = value
        case ":path" where path.isEmpty: path = value
        case ":authority" where authority == nil: authority = value
        case ":scheme": break
        default: refuse(.http2Fields)
        }
        continue
      }
      count += 1
      guard count <= limits.fieldCount else {
        refuse(.tooManyFields)
        continue
      }
      if name.utf8.count + value.utf8.count + 2 > limits.fieldBytes { refuse(.fieldTooLong) }
      let isToken =
        !name.isEmpty
        && name.utf8.allSatisfy {
          Octets.classes[Int($0)] & Octets.token != 0 && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
        }
      guard isToken else {
        refuse(.fieldName)
        continue
      }
      switch name {
      case "cookie": cookies += cookies.isEmpty ? value : "; " + value
      case "connection", "proxy-connection", "keep-alive", "upgrade", "transfer-encoding":
        refuse(.http2Fields)
      case "host":
        hasHost = true
        if let authority, authority.lowercased() != value.lowercased() { refuse(.hostDiffers) }
        fallthrough
      default: fields.writeString("\(name): \(value)\r\n")
      }
    }
    if path.isEmpty { refuse(.http2Fields) }
    bytes.writeString("\(method) \(path) HTTP/2.0\r\n")
    if bytes.readableBytes - 2 > limits.lineBytes { refuse(.lineTooLong) }
    // Its parts came one by one; they go on as one line.
    if cookies.utf8.count + 8 > limits.fieldBytes { refuse(.fieldTooLong) }
    if !hasHost, let authority { bytes.writeString("Host: \(authority)\r\n") }
    bytes.writeBuffer(&fields)
    if !cookies.isEmpty { bytes.writeString("cookie: \(cookies)\r\n") }
    bytes.writeStaticString("\r\n")
    if bytes.readableBytes - 4 > limits.totalBytes { refuse(.headTooLarge) }
  }

  private mutating func refuse(_ reason: Refusal) { if refusal == nil { refusal = reason } }

  private static func isClean(_ value: String) -> Bool {
    value.utf8.allSatisfy { Octets.classes[Int($0)] & Octets.value != 0 }
  }
}
