// A request that lies somewhere as data: in a file, in a curl line. What `kabuto firewall check` sends through the rules.
//
// Bytes as they would come over the wire; nothing is added that isn't there but what its source implies.

/// A request as data; see the head of this file.
public struct CapturedRequest: Sendable {
  /// A header field.
  public struct Header: Sendable, Equatable {
    /// Its name, as it came.
    public var name: [UInt8]
    /// Its value, as it came.
    public var value: [UInt8]
    /// All its parts, or none yet.
    public init(name: [UInt8], value: [UInt8]) {
      self.name = name
      self.value = value
    }
    /// All its parts, or none yet.
    public init(_ name: String, _ value: String) {
      self.init(name: Array(name.utf8), value: Array(value.utf8))
    }
  }

  /// What was answered.
  public struct Response: Sendable, Equatable {
    /// Its status.
    public var status = 200
    /// Header fields, in order.
    public var headers: [Header] = []
    /// The body's bytes.
    public var body: [UInt8] = []
    /// All its parts, or none yet.
    public init() {}
  }

  /// What it is called in reports.
  public var id = ""
  /// The client's address.
  public var client = "127.0.0.1"
  /// GET and so on, as it came.
  public var method: [UInt8] = Array("GET".utf8)
  /// The request target, as it came.
  public var uri: [UInt8] = Array("/".utf8)
  /// With its name: `HTTP/1.1`.
  public var version: [UInt8] = Array("HTTP/1.1".utf8)
  /// Header fields, in order.
  public var headers: [Header] = []
  /// The body's bytes.
  public var body: [UInt8] = []
  /// What was answered, if that is known.
  public var response: Response?
  /// All its parts, or none yet.
  public init() {}

  /// The first header of this name, in any case.
  public func header(_ name: String) -> [UInt8]? {
    let wanted = Array(name.lowercased().utf8)
    return headers.first { $0.name.map(lowercased) == wanted }?.value
  }
}

/// Why a captured request can't be read.
public struct CaptureFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file and line, or the option.
  public var place: String
  /// What was there.
  public var found: String
  /// What should be.
  public var wanted: String
  /// All its parts, or none yet.
  public init(place: String, found: String, wanted: String) {
    self.place = place
    self.found = found
    self.wanted = wanted
  }
  /// As one line.
  public var description: String { "\(place): found \(found); wanted \(wanted)" }
}

extension CapturedRequest {
  /// Sends it through all phases as far as they go, as a proxy would; what was found is read in `report`.
  /// - Returns: whether it would be denied, were the rules enforced.
  public func inspect(
    policy: Policy, inspector: Inspector, keepsAll: Bool = false, now: Int64 = 0, random: UInt64 = 0,
    enforcing: Bool = false, profile: RuleProfile? = nil, report: (Transaction) -> Void
  ) -> Bool {
    let storage = Arena()
    func fields(_ headers: [Header]) -> [Field] {
      headers.map { Field(name: storage.copy($0.name), value: storage.copy($0.value)) }
    }
    let transaction = inspector.begin(
      policy: policy,
      connection: ConnectionFacts(
        clientAddress: client, clientPort: 40_000, serverAddress: "127.0.0.1", serverPort: 80),
      id: id, now: now, random: random, enforcing: enforcing)
    transaction.keepsAllMatches = keepsAll
    transaction.profile = profile
    defer { inspector.recycle(transaction) }
    var denied =
      transaction.request(
        method: storage.copy(method), uri: storage.copy(uri), version: storage.copy(version),
        headers: fields(headers)) != nil
    if !denied {
      let limit = policy.bodies.requestBodyLimit
      let part = transaction.wantsRequestBody ? storage.copy(Array(body.prefix(limit))) : .empty
      denied = transaction.requestBody(part, isComplete: body.count <= limit) != nil
    }
    if !denied, let response {
      denied =
        transaction.response(
          status: response.status, version: ByteView("HTTP/1.1"), headers: fields(response.headers))
        != nil
      if !denied {
        let limit = policy.bodies.responseBodyLimit
        let part = transaction.wantsResponseBody ? storage.copy(Array(response.body.prefix(limit))) : .empty
        denied = transaction.responseBody(part, isComplete: response.body.count <= limit) != nil
      }
    }
    transaction.finish(now: now)
    report(transaction)
    return transaction.wouldBlock != nil
  }
}
