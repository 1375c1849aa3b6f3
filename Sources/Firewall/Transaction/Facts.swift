// What the firewall is told about a request and a response, and what it answers. All bytes as they came over the wire.

/// Both ends of the connection.
public struct ConnectionFacts: Sendable {
  public var clientAddress: String
  public var clientPort: Int
  public var serverAddress: String
  public var serverPort: Int
  public init(clientAddress: String, clientPort: Int, serverAddress: String, serverPort: Int) {
    self.clientAddress = clientAddress
    self.clientPort = clientPort
    self.serverAddress = serverAddress
    self.serverPort = serverPort
  }
}

/// A header field, as it came.
public struct Field {
  public let name: ByteView
  public let value: ByteView
  public init(name: ByteView, value: ByteView) {
    self.name = name
    self.value = value
  }
}

/// What to do with a transaction instead of letting it pass.
public struct Intervention: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// Answer with this status (403 unless the rule says otherwise).
    case deny(status: Int)
    /// Close the connection without an answer.
    case drop
    case redirect(location: String, status: Int)
  }
  public let kind: Kind
  /// The rule that asked for it; 0 for a limit of the engine itself.
  public let rule: Int
  public let phase: Int
  public init(kind: Kind, rule: Int, phase: Int) {
    self.kind = kind
    self.rule = rule
    self.phase = phase
  }
}

/// A rule that matched and explains itself.
public struct RuleMatch: Sendable {
  public var rule: Int
  public var phase: Int
  public var message: String
  /// `CRITICAL` and so on; empty where the rule has none.
  public var severity: String
  public var data: String
  public var tags: [String]
  /// `ARGS:q`.
  public var variable: String
  /// The value that the operator saw, after its transformations.
  public var value: [UInt8]
  /// The part that matched, in bytes of `value`.
  public var offset: Int
  public var length: Int
  /// `urlDecodeUni,lowercase`.
  public var transformations: [String]
  public var place: Place
  /// False for rules with `nolog`: kept only when the transaction was told to keep all.
  public var logged: Bool
  /// What this match added to variables, `tx.anomaly_score_pl1` → 5.
  public var scores: [(name: String, added: Int)]
}
