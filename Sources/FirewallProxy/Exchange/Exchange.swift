// One request and its response, from the head to the line in the log.
//
// The order is the engine's: phase 1 on the head, phase 2 on the body or without it, then the backend, phase 3 on its
// head, phase 4 on its body or without it. Nothing reaches the backend before phase 2 has passed, and nothing of the
// response reaches the client before phase 4 has; so what the log calls blocked was blocked.
// An exchange belongs to a front and is used again for the front's next request.
// Owner: the event loop of its front.

import Firewall
import NIOCore

final class Exchange {
  enum RequestSide { case holding, streaming, complete }
  enum ResponseSide { case none, awaited, holding, streaming, relay }

  let loop: ProxyLoop
  unowned let front: any Front
  /// The request's head, filled by the front before `begin`.
  var request = RequestHead()
  /// Rises with each request: names one for those who wait.
  var ticket: UInt64 = 0
  var isActive = false

  var policy: ActivePolicy?
  var transaction: (any InspectedTransaction)?
  var id = RequestID()
  /// An id that a trusted proxy gave.
  var givenID: [UInt8]?
  var startedAt: Int64 = 0
  var clientAddress: String?
  /// Method and target, for the log.
  var requestText: [UInt8] = []
  var methodCount = 0
  var version: StaticString = "HTTP/1.1"

  var isHeadRequest = false
  var mayUpgrade = false
  var keepsAlive = true
  var isIdempotent = false
  var wantsHTML = false
  var wantsJapanese = false

  var requestSide = RequestSide.complete
  var responseSide = ResponseSide.none
  var framing = BodyFraming.none
  var held = ByteBuffer()
  var chargedBytes = 0
  /// Whose share of the memory they are in.
  var chargedClient: String?
  /// Body parts that wait for the connection to the backend.
  var pending: [ByteBuffer] = []
  var pendingBytes = 0
  var requestBytes = 0

  var backendHead = ByteBuffer()
  var backend: BackendPool.Backend? {
    didSet { if let backend { lastBackend = backend.address } }
  }
  /// Where it was sent, for the log.
  var lastBackend: BackendAddress?
  var connection: BackendConnection?
  var sendsChunks = false
  var sentBody = false
  var retries = 0

  var responseHeld = ByteBuffer()
  var heldHead: ResponseHead?
  /// Since when the response is held.
  var heldSince: Int64 = 0
  var clientFraming = ClientFraming.none
  var isEventStream = false
  var phaseFourDone = false
  var lastActivity: Int64 = 0
  var closesAfter = false

  var fromClient = WebSocketScanner(isFromClient: true, limit: .max, allowsReserved: false)
  var fromBackend = WebSocketScanner(isFromClient: false, limit: .max, allowsReserved: false)
  var hadRelay = false

  var status = 0
  var isEnforced = false
  var refused: Refusal?
  var remarks: [String] = []

  init(loop: ProxyLoop, front: any Front) {
    self.loop = loop
    self.front = front
    backendHead.reserveCapacity(1024)
  }

  /// Whether the backend has the whole request.
  var isRequestSent: Bool { requestSide == .complete && pending.isEmpty }

  // MARK: - Beginning

  /// The front has read a head into `request`.
  func begin() {
    isActive = true
    startedAt = Clock.monotonic()
    lastActivity = startedAt
    id = loop.random.id(wall: loop.wall(startedAt))
    let policy = loop.policy
    self.policy = policy
    loop.counters.requests &+= 1
    framing = request.framing
    requestSide = framing == .none ? .complete : .streaming
    isHeadRequest = request.method == .head
    isIdempotent = request.method.isIdempotent
    mayUpgrade = request.upgradesToWebSocket
    // Behind a head that is refused nobody knows where the next one begins, whoever says no first.
    keepsAlive = request.keepsAlive && request.refusal == nil
    rememberHead()
    if policy.inspects, let intervention = phaseOne(policy) { return intervene(intervention) }
    if let refusal = request.refusal { return refuse(refusal) }
    if framing == .none {
      if let transaction, let intervention = transaction.requestBody(.empty, isComplete: true) {
        return intervene(intervention)
      }
      return connect()
    }
    if case .length(let count) = framing, let transaction, transaction.wantsRequestBody,
      count > policy.bodies.requestBodyLimit, policy.enforces, policy.bodies.requestBodyLimitAction == .reject
    {
      return refuse(.bodyTooLarge)
    }
    if request.expectsContinue { front.sendContinue() }
    if let transaction, transaction.wantsRequestBody {
      requestSide = .holding
      if case .length(let count) = framing {
        held = loop.bodyMemory(min(count, policy.bodies.requestBodyLimit))
      }
    } else {
      if let transaction, let intervention = transaction.requestBody(.empty, isComplete: true) {
        return intervene(intervention)
      }
      connect()
    }
  }

  /// What is needed of the head after its bytes are gone.
  private func rememberHead() {
    let identity = front.client
    request.head.bytes.withUnsafeReadableBytes { all in
      requestText.removeAll(keepingCapacity: true)
      methodCount = request.methodEnd
      requestText.append(contentsOf: all[..<request.methodEnd])
      requestText.append(contentsOf: all[request.target])
      for field in request.head.fields {
        switch field.known {
        case .accept:
          if Searching.contains(request.head.value(field, all), "text/html") { wantsHTML = true }
        case .acceptLanguage: wantsJapanese = Searching.prefersJapanese(request.head.value(field, all))
        case .requestID where identity.isTrusted:
          let value = request.head.value(field, all)
          if Searching.isIdentifier(value) { givenID = Array(value) }
        default: break
        }
      }
    }
    if identity.isTrusted {
      let before = request.head.texts(.forwardedFor)
      if !before.isEmpty {
        clientAddress = identity.address(
          behind: before.joined(separator: ","), trusted: loop.configuration.trustedProxies)
      }
    }
  }

  private func phaseOne(_ policy: ActivePolicy) -> Intervention? {
    var facts = front.client.facts
    if let clientAddress { facts.clientAddress = clientAddress }
    let transaction = policy.inspection.begin(
      Beginning(
        connection: facts, id: idText, now: loop.wall(startedAt), random: loop.random.next(),
        enforcing: policy.enforces))
    self.transaction = transaction
    return request.head.bytes.withUnsafeReadableBytes { all in
      request.head.views(all, into: &loop.fieldViews)
      return transaction.request(
        method: ByteView(UnsafeRawBufferPointer(rebasing: all[..<request.methodEnd])),
        uri: ByteView(UnsafeRawBufferPointer(rebasing: all[request.target])),
        version: ByteView(UnsafeRawBufferPointer(rebasing: all[request.version])), headers: loop.fieldViews)
    }
  }

  var idText: String { givenID.map { String(decoding: $0, as: UTF8.self) } ?? id.text }

  func writeID(to out: inout ByteBuffer) {
    if let givenID { out.writeBytes(givenID) } else { id.write(to: &out) }
  }

  // MARK: - Ending

  /// The rules say no.
  func intervene(_ intervention: Intervention) {
    isEnforced = true
    if let refusal = request.refusal { refused = refusal }
    switch intervention.kind {
    case .deny(let status):
      answer(BlockPage.denied(self, status: (400...599).contains(status) ? status : 403))
    case .redirect(let location, let status):
      answer(
        BlockPage.redirect(self, location: location, status: (300...399).contains(status) ? status : 302))
    case .drop:
      loop.counters.blocked &+= 1
      leaveBackend()
      front.cut()
      closesAfter = true
      finish()
    }
  }

  /// The message itself is not acceptable, or a limit is hit.
  func refuse(_ refusal: Refusal) {
    refused = refusal
    noteReached()
    keepsAlive = false
    loop.counters.refused &+= 1
    answer(BlockPage.refused(self, refusal))
  }

  /// For the log: what is refused now was on its way.
  func noteReached() {
    guard connection != nil || sentBody else { return }
    remarks.append(
      requestSide == .complete ? "the request reached the backend" : "a part reached the backend")
  }

  /// There is no answer from a backend.
  func fail(_ failure: BackendFailure) {
    remarks.append(failure.note)
    answer(BlockPage.unavailable(self, failure))
  }

  /// Ends the exchange with an answer of our own; nothing of another was sent.
  func answer(_ page: Page) {
    leaveBackend()
    if isEnforced { loop.counters.blocked &+= 1 }
    status = page.status
    closesAfter = !keepsAlive || requestSide != .complete || loop.isStopping
    front.sendPage(page, closes: closesAfter)
    front.flush()
    finish()
  }

  /// The client is gone.
  func clientLeft() {
    guard isActive else { return }
    if status == 0 { status = 499 }
    if responseSide != .relay { remarks.append("the client left") }
    leaveBackend()
    closesAfter = true
    finish()
  }

  /// Lets go of a backend whose answer isn't whole.
  func leaveBackend() {
    ticket &+= 1
    connection?.abandon()
    connection = nil
    releaseBackend()
  }

  func releaseBackend() {
    backend?.inWork -= 1
    backend = nil
  }

  func finish() {
    guard isActive else { return }
    isActive = false
    ticket &+= 1
    let end = Clock.monotonic()
    loop.counters.count(status: status)
    if let transaction {
      transaction.finish(now: loop.wall(end))
      if !isEnforced, transaction.wouldBlock != nil { loop.counters.alarmed &+= 1 }
    }
    loop.log?.write(self, end: end, wall: loop.wall(startedAt))
    if let transaction { policy?.inspection.recycle(transaction) }
    if hadRelay {
      loop.counters.webSocketFramesIn &+= fromClient.frames
      loop.counters.webSocketFramesOut &+= fromBackend.frames
    }
    reset()
    front.exchangeEnded(closes: closesAfter)
  }

  private func reset() {
    transaction = nil
    policy = nil
    givenID = nil
    clientAddress = nil
    wantsHTML = false
    wantsJapanese = false
    requestSide = .complete
    responseSide = .none
    // Bodies of any size go at once; what every request needs is kept.
    if held.capacity > 0 { loop.takeBack(&held) }
    if responseHeld.capacity > 0 { responseHeld = ByteBuffer() }
    heldHead = nil
    if chargedBytes > 0 {
      loop.budget.release(chargedBytes, of: chargedClient)
      chargedBytes = 0
    }
    if !pending.isEmpty { pending = [] }
    pendingBytes = 0
    requestBytes = 0
    sendsChunks = false
    sentBody = false
    retries = 0
    lastBackend = nil
    isEventStream = false
    phaseFourDone = false
    status = 0
    isEnforced = false
    refused = nil
    hadRelay = false
    if !remarks.isEmpty { remarks = [] }
    request.head.bytes = ByteBuffer()
  }
}
