// One request through a policy, all five phases, whatever the rules ask for on the way.

import Firewall

/// What came of a request.
struct EngineOutcome {
  var matches: [RuleMatch] = []
  /// In order; the last one counts.
  var interventions: [Intervention] = []
  var wouldBlock: Intervention?
  var score = 0
  var notes: [String] = []
  /// What the rules of `RuleObservation` collected.
  var observed = ""

  /// Ids of the rules that matched and log.
  var logged: Set<Int> { Set(matches.filter(\.logged).map(\.rule)) }

  /// The status that the client would see.
  var status: Int {
    guard let last = interventions.last else { return 200 }
    switch last.kind {
    case .deny(let status): return status
    case .drop: return 403
    case .redirect(_, let status): return status
    }
  }

  var redirectURL: String? {
    guard case .redirect(let location, _)? = interventions.last?.kind else { return nil }
    return location
  }
}

/// A response of a test.
struct TestResponse: Sendable {
  var status = 200
  var version = "HTTP/1.1"
  var headers: [TestRequest.Header] = [.init("Content-Type", "text/html")]
  var body: [UInt8] = []
}

struct EngineRun {
  let policy: Policy
  let inspector = Inspector()
  var isEnforcing = false
  var keepsAllMatches = false
  private var count: UInt64 = 0

  init(policy: Policy, isEnforcing: Bool = false, keepsAllMatches: Bool = false) {
    self.policy = policy
    self.isEnforcing = isEnforcing
    self.keepsAllMatches = keepsAllMatches
  }

  mutating func outcome(
    of request: TestRequest, response: TestResponse = TestResponse(), clientPort: Int = 12345,
    server: (address: String, port: Int) = ("127.0.0.1", 80)
  ) -> EngineOutcome {
    count += 1
    var outcome = EngineOutcome()
    let now: Int64 = 1_700_000_000_000_000_000
    let memory = TestBytes()
    let transaction = inspector.begin(
      policy: policy,
      connection: ConnectionFacts(
        clientAddress: request.client, clientPort: clientPort, serverAddress: server.address,
        serverPort: server.port),
      id: "1700000000.\(count)", now: now, random: count &* 0x9E37_79B9_7F4A_7C15, enforcing: isEnforcing)
    defer { inspector.recycle(transaction) }
    transaction.keepsAllMatches = keepsAllMatches
    func note(_ intervention: Intervention?) {
      if let intervention { outcome.interventions.append(intervention) }
    }
    note(
      transaction.request(
        method: memory.view(request.method), uri: memory.view(request.uri),
        version: memory.view(request.version),
        headers: request.headers.map { Field(name: memory.view($0.name), value: memory.view($0.value)) }))
    let limit = policy.bodies.requestBodyLimit
    let body = transaction.wantsRequestBody ? memory.view(request.body) : .empty
    note(transaction.requestBody(body.prefix(limit), isComplete: body.count <= limit))
    note(
      transaction.response(
        // The status that the client gets so far, as in libmodsecurity's own tests.
        status: isEnforcing && !outcome.interventions.isEmpty ? outcome.status : response.status,
        version: memory.view(Array(response.version.utf8)),
        headers: response.headers.map { Field(name: memory.view($0.name), value: memory.view($0.value)) }))
    let responseLimit = policy.bodies.responseBodyLimit
    let page = transaction.wantsResponseBody ? memory.view(response.body) : .empty
    note(transaction.responseBody(page.prefix(responseLimit), isComplete: page.count <= responseLimit))
    transaction.finish(now: now + 1_000_000)
    outcome.matches = transaction.matches
    outcome.wouldBlock = transaction.wouldBlock
    outcome.score = transaction.score
    outcome.notes = transaction.notes
    outcome.observed = transaction.variable(RuleObservation.collector) ?? ""
    return outcome
  }
}

/// Bytes that stay where they are until it goes. Exactly as long as their value, so that a sanitizer sees what reads on.
private final class TestBytes {
  private var blocks: [UnsafeMutableRawBufferPointer] = []

  func view(_ bytes: [UInt8]) -> ByteView {
    guard !bytes.isEmpty else { return .empty }
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    block.copyBytes(from: bytes)
    blocks.append(block)
    return ByteView(UnsafeRawBufferPointer(block))
  }

  deinit { for block in blocks { block.deallocate() } }
}
