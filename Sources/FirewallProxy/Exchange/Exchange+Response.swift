// The response's way to the client: phases 3 and 4, held or streamed.

import Firewall
import NIOCore

extension Exchange {
  // MARK: - What the backend's connection tells

  func responseHead(_ response: ResponseHead, connection: BackendConnection) {
    guard isActive else { return }
    lastActivity = loop.coarseNow
    isEventStream = response.isEventStream
    if let transaction {
      let intervention = response.head.bytes.withUnsafeReadableBytes { all in
        response.head.views(all, into: &loop.fieldViews)
        return transaction.response(
          status: response.status, version: ByteView(response.isOldVersion ? "HTTP/1.0" : "HTTP/1.1"),
          headers: loop.fieldViews)
      }
      if let intervention { return intervene(intervention) }
      // An event stream doesn't end; held, it would never be seen.
      if response.framing != .none, !isEventStream, transaction.wantsResponseBody {
        if case .length(let count) = response.framing, isOverLimit(count) { return rejectResponse() }
        if response.isEncoded { remarks.append("the response's body is compressed: the rules can't read it") }
        heldHead = response
        responseSide = .holding
        heldSince = Clock.monotonic()
        return
      }
      phaseFourDone = true
      if let intervention = transaction.responseBody(.empty, isComplete: true) {
        return intervene(intervention)
      }
    }
    forward(response, length: nil)
  }

  func responseBody(_ part: ByteBuffer) {
    guard isActive else { return }
    lastActivity = loop.coarseNow
    switch responseSide {
    case .streaming:
      front.sendBody(part)
    case .holding: holdResponse(part)
    default: break
    }
  }

  /// The parts that came with one read are through.
  func responsePartsCame() {
    guard isActive, responseSide == .streaming || responseSide == .relay else { return }
    front.flush()
    if !front.isWritable { connection?.pause() }
  }

  func responseEnd() {
    guard isActive else { return }
    connection = nil
    releaseBackend()
    switch responseSide {
    case .holding:
      guard let head = heldHead else { return }
      heldHead = nil
      if phaseFourDenies(isComplete: true) { return }
      forward(head, length: responseHeld.readableBytes)
      front.sendBody(responseHeld)
    case .streaming: break
    default: return
    }
    front.sendEnd()
    if requestSide != .complete { closesAfter = true }
    front.flush()
    finish()
  }

  func backendFailed(_ failure: BackendFailure) {
    guard isActive else { return }
    connection = nil
    releaseBackend()
    fail(failure)
  }

  /// The backend's answer broke off.
  func backendCut() {
    guard isActive else { return }
    connection = nil
    releaseBackend()
    if responseSide == .holding { return fail(.closedEarly) }
    remarks.append("the backend's answer broke off")
    front.flush()
    front.cut()
    closesAfter = true
    finish()
  }

  /// The client takes more.
  func frontDrained() { connection?.resume() }

  // MARK: - Holding

  private func isOverLimit(_ count: Int) -> Bool {
    guard let policy else { return false }
    return count > policy.bodies.responseBodyLimit && policy.enforces
      && policy.bodies.responseBodyLimitAction == .reject
  }

  private func rejectResponse(_ note: String = "the response's body is longer than the rules allow") {
    remarks.append(note)
    isEnforced = true
    answer(BlockPage.denied(self, status: 502))
  }

  private func holdResponse(_ part: ByteBuffer) {
    guard let policy else { return }
    let room = policy.bodies.responseBodyLimit - responseHeld.readableBytes
    if isOverLimit(responseHeld.readableBytes + part.readableBytes) { return rejectResponse() }
    var part = part
    let count = max(0, min(room, part.readableBytes))
    if charge(count) {
      if let first = part.readSlice(length: count) { responseHeld.writeImmutableBuffer(first) }
      if part.readableBytes == 0 { return }
    } else if policy.enforces {
      // Not unseen, for want of memory that a client may have taken.
      return refuse(.bodyBudget)
    } else {
      remarks.append(Refusal.bodyBudget.rawValue)
    }
    remarks.append("only the first \(responseHeld.readableBytes) bytes of the response were inspected")
    guard streamHeld() else { return }
    front.sendBody(part)
  }

  /// Inspects what is held of a response that isn't whole, and streams from there. False where it was denied.
  private func streamHeld() -> Bool {
    guard let head = heldHead else { return false }
    heldHead = nil
    if phaseFourDenies(isComplete: false) { return false }
    forward(head, length: nil)
    front.sendBody(responseHeld)
    return true
  }

  private func phaseFourDenies(isComplete: Bool) -> Bool {
    guard let transaction, !phaseFourDone else { return false }
    phaseFourDone = true
    guard let intervention = transaction.responseBody(Self.view(responseHeld), isComplete: isComplete) else {
      return false
    }
    intervene(intervention)
    return true
  }

  // MARK: - Forwarding

  /// - Parameter length: of a body that is here whole.
  private func forward(_ response: ResponseHead, length: Int?) {
    status = response.status
    if response.status == 101 { return beginRelay(response) }
    switch response.framing {
    case .none: clientFraming = .none
    case .length: clientFraming = .length
    case .chunked, .untilClose:
      clientFraming = length != nil ? .length : request.isOldVersion ? .untilClose : .chunked
    }
    closesAfter =
      !keepsAlive || requestSide != .complete || clientFraming == .untilClose || loop.isStopping
    responseSide = .streaming
    front.sendHead(
      response, framing: clientFraming,
      length: response.framing == .chunked || response.framing == .untilClose
        ? length : nil, closes: closesAfter)
  }

  // MARK: - Time

  func look(now: Int64) {
    guard isActive else { return }
    let patience = loop.configuration.patience
    func isOver(_ milliseconds: Int) -> Bool { now - lastActivity > Int64(milliseconds) * 1_000_000 }
    switch responseSide {
    case .awaited where connection != nil && isOver(patience.response):
      if let backend { loop.pool.failed(backend) }
      fail(.timedOut)
    case .holding where now - heldSince > Int64(patience.hold) * 1_000_000:
      if let policy, policy.enforces, policy.bodies.responseBodyLimitAction == .reject {
        return rejectResponse("the response was not whole in time")
      }
      remarks.append("the response was not whole in time; only its first bytes were inspected")
      if streamHeld() { front.flush() }
    case .streaming where isOver(isEventStream ? patience.streamIdle : patience.responsePause):
      guard front.isWritable else { return }
      remarks.append("the backend's answer stopped")
      leaveBackend()
      front.cut()
      closesAfter = true
      finish()
    case .relay where isOver(patience.streamIdle): closeRelay(code: 1001)
    default: break
    }
  }
}
