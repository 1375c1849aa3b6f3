// One request and its response before the rules of an embedded firewall: phases 1 and 2 when the request is whole, 3 and
// 4 when the answer is, 5 and the log's line at the end.
// Owner: the event loop that the request came on.

public import Firewall
import NIOCore
import Synchronization

/// A request's head, as the server that the firewall is in has it.
public struct EmbeddedRequest {
  /// Both ends.
  public var connection: ConnectionFacts
  /// As it came.
  public var method: String
  /// The request's target, as it came.
  public var target: String
  /// `HTTP/1.1`.
  public var version: String
  /// In the order they came.
  public var fields: [(name: String, value: String)]
  /// All of it.
  public init(
    connection: ConnectionFacts, method: String, target: String, version: String,
    fields: [(name: String, value: String)]
  ) {
    self.connection = connection
    self.method = method
    self.target = target
    self.version = version
    self.fields = fields
  }
}

/// What becomes of a request or an answer.
public enum EmbeddedVerdict: Sendable {
  /// It goes on.
  case pass
  /// This is answered in its place.
  case answer(EmbeddedPage)
  /// The connection ends without an answer.
  case close
}

/// An answer of the firewall's own.
public struct EmbeddedPage: Sendable {
  /// The status.
  public var status: Int
  /// All fields but the body's length.
  public var fields: [(name: String, value: String)]
  /// The body.
  public var body: [UInt8]
}

/// See the head of this file.
public final class EmbeddedExchange: LoggedExchange, PageAudience {
  private let loop: EmbeddedLoop
  private let policy: ActivePolicy
  private let request: EmbeddedRequest
  private(set) var transaction: (any InspectedTransaction)?
  let id: RequestID
  let startedAt: Int64
  private let wall: Int64
  let loggedClient: String
  let requestText: [UInt8]
  let methodCount: Int
  private(set) var wantsHTML = false
  private(set) var wantsJapanese = false
  private(set) var status = 0
  private(set) var isEnforced = false
  private(set) var refused: Refusal?
  private(set) var remarks: [String] = []
  /// Bodies stay here while the transaction looks at them.
  private var requestHeld = ByteBuffer()
  private var responseHeld = ByteBuffer()
  private var isOver = false

  var mode: FirewallMode { loop.firewall.settings.mode }
  var givenID: [UInt8]? { nil }
  var lastBackend: BackendAddress? { nil }
  var relayedFrames: (fromClient: UInt64, fromBackend: UInt64)? { nil }
  var idText: String { requestID }
  /// For `X-Request-ID`, and on the block page as support ID.
  public let requestID: String

  init(loop: EmbeddedLoop, policy: ActivePolicy, request: EmbeddedRequest) {
    self.loop = loop
    self.policy = policy
    self.request = request
    startedAt = Clock.monotonic()
    wall = Clock.wall()
    id = loop.random.id(wall: wall)
    requestID = id.text
    loggedClient = Self.plain(request.connection.clientAddress)
    methodCount = request.method.utf8.count
    requestText = Array(request.method.utf8) + Array(request.target.utf8)
  }

  /// IPv4 through an IPv6 socket is IPv4.
  private static func plain(_ address: String) -> String {
    address.hasPrefix("::ffff:") && address.contains(".") ? String(address.dropFirst(7)) : address
  }

  // MARK: - The request

  /// Phases 1 and 2.
  /// - Parameters:
  ///   - body: what there is of it; lent for the call.
  ///   - isComplete: false where the server takes no more of it, and will refuse it.
  public func request(body: UnsafeRawBufferPointer, isComplete: Bool) -> EmbeddedVerdict {
    readPreferences()
    if !isComplete {
      remarks.append("the body is longer than the server takes: only its beginning was inspected")
    }
    guard policy.inspects else { return .pass }
    var facts = request.connection
    facts.clientAddress = loggedClient
    facts.serverAddress = Self.plain(facts.serverAddress)
    let transaction = policy.inspection.begin(
      Beginning(
        connection: facts, id: requestID, now: wall, random: loop.random.next(), enforcing: policy.enforces))
    self.transaction = transaction
    let first = loop.views([request.method, request.target, request.version], request.fields) {
      texts, fields in
      transaction.request(method: texts[0], uri: texts[1], version: texts[2], headers: fields)
    }
    if let first { return intervene(first) }
    var isWhole = isComplete
    if transaction.wantsRequestBody, !body.isEmpty {
      let limit = policy.bodies.requestBodyLimit
      if body.count > limit {
        if policy.enforces, policy.bodies.requestBodyLimitAction == .reject { return refuse(.bodyTooLarge) }
        isWhole = false
      }
      requestHeld.writeBytes(UnsafeRawBufferPointer(rebasing: body.prefix(limit)))
    }
    let second = transaction.requestBody(Exchange.view(requestHeld), isComplete: isWhole)
    return second.map { intervene($0) } ?? .pass
  }

  private func readPreferences() {
    for field in request.fields {
      var value = field.value
      switch field.name.lowercased() {
      case "accept":
        value.withUTF8 { if Searching.contains(UnsafeRawBufferPointer($0), "text/html") { wantsHTML = true } }
      case "accept-language":
        value.withUTF8 { wantsJapanese = Searching.prefersJapanese(UnsafeRawBufferPointer($0)) }
      default: break
      }
    }
  }

  // MARK: - The response

  /// Phases 3 and 4.
  /// - Parameter body: whole, or nothing where it is a stream; lent for the call.
  public func response(
    status: Int, fields: [(name: String, value: String)], body: UnsafeRawBufferPointer
  ) -> EmbeddedVerdict {
    guard let transaction else { return .pass }
    let third = loop.views([request.version], fields) { texts, fields in
      transaction.response(status: status, version: texts[0], headers: fields)
    }
    if let third { return intervene(third) }
    var isWhole = true
    if transaction.wantsResponseBody, !body.isEmpty {
      let limit = policy.bodies.responseBodyLimit
      if body.count > limit {
        if policy.enforces, policy.bodies.responseBodyLimitAction == .reject {
          remarks.append("the response's body is longer than the rules allow")
          isEnforced = true
          return page(BlockPage.denied(self, status: 502))
        }
        isWhole = false
      }
      responseHeld.writeBytes(UnsafeRawBufferPointer(rebasing: body.prefix(limit)))
    }
    let fourth = transaction.responseBody(Exchange.view(responseHeld), isComplete: isWhole)
    return fourth.map { intervene($0) } ?? .pass
  }

  // MARK: - The end

  /// Phase 5, and the line of the log.
  /// - Parameter status: what was answered; nil where nothing was.
  public func end(status answered: Int?) {
    guard !isOver else { return }
    isOver = true
    let end = Clock.monotonic()
    status = answered ?? (isEnforced ? 0 : 499)
    if answered == nil, !isEnforced { remarks.append("the client left") }
    let tally = loop.firewall.tally
    if let transaction {
      transaction.finish(now: wall &+ (end &- startedAt))
      if !isEnforced, transaction.wouldBlock != nil { tally.alarmed.wrappingAdd(1, ordering: .relaxed) }
    }
    if isEnforced { tally.blocked.wrappingAdd(1, ordering: .relaxed) }
    if refused != nil { tally.refused.wrappingAdd(1, ordering: .relaxed) }
    loop.log?.write(self, end: end, wall: wall)
    if let transaction { policy.inspection.recycle(transaction) }
    transaction = nil
  }

  /// The server refused it, unseen by the rules.
  func refused(by reason: String, status: Int) {
    switch status {
    case 408: refused = .headTooSlow
    case 414, 431: refused = .headTooLarge
    default: refused = .notHTTP
    }
    remarks.append(reason)
    end(status: status)
  }

  // MARK: - Answers

  private func intervene(_ intervention: Intervention) -> EmbeddedVerdict {
    isEnforced = true
    switch intervention.kind {
    case .deny(let status):
      return page(BlockPage.denied(self, status: (400...599).contains(status) ? status : 403))
    case .redirect(let location, let status):
      return page(
        BlockPage.redirect(self, location: location, status: (300...399).contains(status) ? status : 302))
    case .drop: return .close
    }
  }

  private func refuse(_ refusal: Refusal) -> EmbeddedVerdict {
    refused = refusal
    return page(BlockPage.refused(self, refusal))
  }

  private func page(_ page: Page) -> EmbeddedVerdict {
    .answer(EmbeddedPage(status: page.status, fields: page.fields, body: Array(page.body.readableBytesView)))
  }
}
