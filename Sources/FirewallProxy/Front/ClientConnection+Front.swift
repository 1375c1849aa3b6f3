// A client's connection of HTTP/1, as its exchange sees it: writes answers, and lets bodies flow or wait.
// Owner: the channel's event loop.

import NIOCore

extension ClientConnection: Front {
  var isReading: Bool { isProcessing }

  // MARK: - Answers

  var isWritable: Bool { context?.channel.isWritable ?? false }

  func beginOut() {
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

  func writeOut() {
    guard hasOut else { return }
    hasOut = false
    write(out)
  }

  func write(_ bytes: ByteBuffer) {
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

  // MARK: - Flow

  func setPaused(_ paused: Bool) {
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
    pace.begin(now: since)
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
  func end() {
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
}
