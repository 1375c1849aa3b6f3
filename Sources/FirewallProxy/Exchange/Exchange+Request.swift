// The request's way to the backend: the body held or streamed, the head as the backend sees it.

import Firewall
import NIOCore

extension Exchange {
  /// Bytes of a body that wait for the backend before the client is told to wait.
  private static let pendingLimit = 256 << 10

  // MARK: - Body

  /// The front read a part of the body.
  func requestBody(_ part: ByteBuffer) {
    guard isActive else { return }
    requestBytes += part.readableBytes
    switch requestSide {
    case .holding: hold(part)
    case .streaming: stream(part)
    case .complete: break
    }
  }

  /// The body is whole.
  func requestEnd() {
    guard isActive else { return }
    let wasHolding = requestSide == .holding
    if requestSide == .complete { return }
    requestSide = .complete
    if wasHolding { return inspectHeld(isComplete: true) }
    guard let connection, pending.isEmpty else { return }
    if sendsChunks { connection.sendText("0\r\n\r\n") }
    lastActivity = loop.coarseNow
  }

  private func hold(_ part: ByteBuffer) {
    guard let policy else { return }
    let hasMemory = charge(part.readableBytes)
    if !hasMemory, policy.enforces {
      return refuse(.bodyBudget)
    }
    let room = hasMemory ? policy.bodies.requestBodyLimit - held.readableBytes : 0
    if part.readableBytes <= room {
      held.writeImmutableBuffer(part)
      return
    }
    if policy.enforces, policy.bodies.requestBodyLimitAction == .reject { return refuse(.bodyTooLarge) }
    // The first part is inspected, the rest streams after it; so too where nothing is to be denied.
    var part = part
    if let first = part.readSlice(length: max(0, room)) { held.writeImmutableBuffer(first) }
    requestSide = .streaming
    remarks.append("only the first \(held.readableBytes) bytes of the body were inspected")
    pending.append(part)
    pendingBytes += part.readableBytes
    inspectHeld(isComplete: false)
  }

  /// Takes memory for a body that is held; false where there is none left.
  func charge(_ count: Int) -> Bool {
    if chargedBytes == 0 { chargedClient = clientAddress.map(ConnectionLedger.key) ?? front.client.key }
    guard loop.budget.take(count, for: chargedClient) else { return false }
    chargedBytes += count
    return true
  }

  private func inspectHeld(isComplete: Bool) {
    if let transaction, let intervention = transaction.requestBody(Self.view(held), isComplete: isComplete) {
      return intervene(intervention)
    }
    connect()
  }

  /// The bytes of a buffer that isn't written to any more. They stay where they are as long as the buffer is kept, which
  /// is until the transaction is recycled.
  static func view(_ buffer: ByteBuffer) -> ByteView {
    buffer.withUnsafeReadableBytes { ByteView($0) }
  }

  private func stream(_ part: ByteBuffer) {
    if let connection, pending.isEmpty {
      sentBody = true
      if sendsChunks { connection.sendChunk(part) } else { connection.send(part) }
      lastActivity = loop.coarseNow
      if !connection.isWritable { front.pauseBody() }
    } else {
      // Many small parts become few large ones: a part takes more room than a byte.
      if let last = pending.indices.last, part.readableBytes < 4_096, pending[last].readableBytes < 64 << 10 {
        pending[last].writeImmutableBuffer(part)
      } else {
        pending.append(part)
      }
      pendingBytes += part.readableBytes
      if pendingBytes > Self.pendingLimit { front.pauseBody() }
    }
  }

  /// The front has read all there is for now.
  func flushRequest() {
    guard let connection else { return }
    connection.flush()
    if requestSide == .streaming, !connection.isWritable { front.pauseBody() }
  }

  /// The backend takes more.
  func backendDrained() {
    guard isActive else { return }
    front.resumeBody()
  }

  // MARK: - Backend

  /// Everything before the backend has passed.
  func connect() {
    responseSide = .awaited
    lastActivity = loop.coarseNow
    buildHead()
    loop.pool.acquire(for: self, fresh: false)
  }

  func backendReady(_ connection: BackendConnection) {
    self.connection = connection
    responseSide = .awaited
    lastActivity = loop.coarseNow
    connection.send(backendHead)
    if held.readableBytes > 0 {
      if sendsChunks { connection.sendChunk(held) } else { connection.send(held) }
    }
    for part in pending {
      sentBody = true
      if sendsChunks { connection.sendChunk(part) } else { connection.send(part) }
    }
    pending.removeAll()
    pendingBytes = 0
    if requestSide == .complete, sendsChunks { connection.sendText("0\r\n\r\n") }
    // What of the body was read with the head goes out with it.
    if !front.isReading { connection.flush() }
    if requestSide == .streaming, connection.isWritable { front.resumeBody() }
  }

  func backendUnavailable(_ failure: BackendFailure) {
    guard isActive else { return }
    let failed = backend
    releaseBackend()
    if failure == .refused, retries < 2, loop.pool.backends.count > 1, failed != nil {
      retries += 1
      return loop.pool.acquire(for: self, fresh: true, besides: failed)
    }
    fail(failure)
  }

  /// Sends the request once more, where that can't do harm: the connection was an old one that may have been closed
  /// before the request reached it, the request is idempotent, and its body, if any, is still here.
  func retry(isStale: Bool) -> Bool {
    guard isActive, isStale, retries == 0, isIdempotent, !sentBody, requestSide == .complete, !loop.isStopping
    else { return false }
    retries += 1
    loop.counters.retries &+= 1
    connection = nil
    releaseBackend()
    loop.pool.acquire(for: self, fresh: true)
    return true
  }

  // MARK: - Head

  /// Writes the head for the backend. Fields pass as they came, but for those of this hop and those that speak of the
  /// client, which only a trusted proxy may set. Where responses are looked into, Accept-Encoding is dropped: a
  /// compressed body can't be inspected.
  private func buildHead() {
    let client = front.client
    let isHeldWhole = requestSide == .complete && framing != .none
    sendsChunks = framing == .chunked && !isHeldWhole
    let keepsLength = framing != .chunked
    let dropsEncoding = transaction != nil && policy?.bodies.responseBodyAccess == true
    let isTrusted = client.isTrusted
    backendHead.clear()
    request.head.bytes.withUnsafeReadableBytes { all in
      backendHead.writeBytes(UnsafeRawBufferPointer(rebasing: all[..<request.methodEnd]))
      backendHead.writeStaticString(" ")
      let path = UnsafeRawBufferPointer(rebasing: all[request.path])
      if path.isEmpty {
        backendHead.writeStaticString(request.method == .options ? "*" : "/")
      } else {
        if request.authority != nil, path[0] != UInt8(ascii: "/") { backendHead.writeStaticString("/") }
        backendHead.writeBytes(path)
      }
      backendHead.writeStaticString(" HTTP/1.1\r\n")
      var host: FieldPlace?
      request.head.copyFields(to: &backendHead) { field in
        switch field.known {
        case .other: return false
        case .host:
          if host == nil { host = field }
          return false
        case .contentLength: return !keepsLength
        case .expect, .requestID, .forwardedFor, .forwarded, .proxy: return true
        case .acceptEncoding: return dropsEncoding
        case .forwardedProto, .forwardedHost, .proxysWord: return !isTrusted
        default: return MessageHead.isHopByHop(field.known)
        }
      }
      if let host {
        if !isTrusted {
          backendHead.writeStaticString("X-Forwarded-Host: ")
          backendHead.writeBytes(request.head.value(host, all))
          backendHead.writeStaticString("\r\n")
        }
      } else {
        backendHead.writeStaticString("Host: ")
        if let authority = request.authority {
          backendHead.writeBytes(UnsafeRawBufferPointer(rebasing: all[authority]))
        } else {
          backendHead.writeString(loop.pool.backends.first?.address.authority ?? "localhost")
        }
        backendHead.writeStaticString("\r\n")
      }
    }
    if isTrusted { writeTrustedForwarding(client) } else { backendHead.writeBytes(client.forwardedLines) }
    backendHead.writeStaticString("X-Request-ID: ")
    writeID(to: &backendHead)
    backendHead.writeStaticString("\r\n")
    if let via = loop.configuration.via { backendHead.writeString("Via: 1.1 \(via)\r\n") }
    if sendsChunks {
      backendHead.writeStaticString("Transfer-Encoding: chunked\r\n")
    } else if framing == .chunked {
      backendHead.writeString("Content-Length: \(held.readableBytes)\r\n")
    }
    if mayUpgrade { backendHead.writeStaticString("Connection: Upgrade\r\nUpgrade: websocket\r\n") }
    backendHead.writeStaticString("\r\n")
    // The client's bytes have done their service; their memory goes back to the channel.
    request.head.bytes = ByteBuffer()
  }

  private func writeTrustedForwarding(_ client: ClientIdentity) {
    let address = client.facts.clientAddress
    let before = request.head.texts(.forwardedFor) + [address]
    backendHead.writeString("X-Forwarded-For: \(before.joined(separator: ", "))\r\n")
    if request.head.texts(.forwardedProto).isEmpty {
      backendHead.writeString("X-Forwarded-Proto: \(client.isSecure ? "https" : "http")\r\n")
    }
    let forwarded = request.head.texts(.forwarded)
    if !forwarded.isEmpty {
      let node = address.contains(":") ? "\"[\(address)]\"" : address
      backendHead.writeString("Forwarded: \(forwarded.joined(separator: ", ")), for=\(node)\r\n")
    }
  }
}
