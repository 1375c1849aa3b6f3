// What the firewall is told about a request and a response, and what it answers. All bytes as they came over the wire.

/// Both ends of the connection.
public struct ConnectionFacts: Sendable {
  /// As text, IPv4 or IPv6.
  public var clientAddress: String
  /// The client's port.
  public var clientPort: Int
  /// As text, IPv4 or IPv6.
  public var serverAddress: String
  /// The port that was connected to.
  public var serverPort: Int
  /// All its parts.
  public init(clientAddress: String, clientPort: Int, serverAddress: String, serverPort: Int) {
    self.clientAddress = clientAddress
    self.clientPort = clientPort
    self.serverAddress = serverAddress
    self.serverPort = serverPort
  }
}

/// A header field, as it came.
public struct Field {
  /// The bytes of its name.
  public let name: ByteView
  /// The bytes of its value, without blanks around.
  public let value: ByteView
  /// All its parts.
  public init(name: ByteView, value: ByteView) {
    self.name = name
    self.value = value
  }
}

/// What to do with a transaction instead of letting it pass.
public struct Intervention: Sendable, Equatable {
  /// How it is stopped.
  public enum Kind: Sendable, Equatable {
    /// Answer with this status (403 unless the rule says otherwise).
    case deny(status: Int)
    /// Close the connection without an answer.
    case drop
    case redirect(location: String, status: Int)
  }
  /// What is to be done.
  public let kind: Kind
  /// The rule that asked for it; 0 for a limit of the engine itself.
  public let rule: Int
  /// The phase that it came from, 1 to 5.
  public let phase: Int
  /// All its parts.
  public init(kind: Kind, rule: Int, phase: Int) {
    self.kind = kind
    self.rule = rule
    self.phase = phase
  }
}

/// A rule that matched and explains itself.
public struct RuleMatch: Sendable {
  /// The rule's id.
  public var rule: Int
  /// The phase that it came from, 1 to 5.
  public var phase: Int
  /// Its `msg`, macros filled in.
  public var message: String
  /// `CRITICAL` and so on; empty where the rule has none.
  public var severity: String
  /// Its `logdata`, macros filled in.
  public var data: String
  /// Its tags.
  public var tags: [String]
  /// `ARGS:q`.
  public var variable: String
  /// The value that the operator saw, after its transformations.
  public var value: [UInt8]
  /// The part that matched, in bytes of `value`.
  public var offset: Int
  /// The length of that part, in bytes.
  public var length: Int
  /// `urlDecodeUni,lowercase`.
  public var transformations: [String]
  /// Where the rule stands.
  public var place: Place
  /// False for rules with `nolog`: kept only when the transaction was told to keep all.
  public var logged: Bool
  /// What this match added to variables, `tx.anomaly_score_pl1` → 5.
  public var scores: [(name: String, added: Int)]
}
