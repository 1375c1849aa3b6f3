// A practice run on a running estate: which fault, on which node, for how long, and what clients may see of it.
// Values alone; whoever carries them out is elsewhere.

/// A fault that can be taken back.
public enum DrillFault: String, Sendable, Codable, CaseIterable {
  /// The node leaves service, as before maintenance; clients are moved.
  case outOfService = "out-of-service"
  /// The node's process is stopped: it answers nothing, but its connections stay.
  case freeze
  /// The node's process is killed; it is started again in the end.
  case kill
  /// Whatever the plan's commands do.
  case command
}

/// One practice run. Times are nanoseconds.
public struct DrillPlan: Sendable, Equatable, Codable {
  /// What people call it; unique in a file.
  public var name: String
  /// What is done.
  public var fault: DrillFault
  /// Node that it is done to.
  public var node: String
  /// How long everything must have been well before it begins.
  public var calmNanoseconds: UInt64 = 5_000_000_000
  /// How long the fault lasts.
  public var holdNanoseconds: UInt64 = 10_000_000_000
  /// How long clients are watched after it is healed, and within which the estate must be well again.
  public var settleNanoseconds: UInt64 = 30_000_000_000
  /// Longest time that a client may be without anything new.
  public var outageNanoseconds: UInt64 = 1_000_000_000
  /// From one run to the next; nil = once.
  public var everyNanoseconds: UInt64?

  /// A plan with the default times.
  public init(name: String, fault: DrillFault, node: String) {
    self.name = name
    self.fault = fault
    self.node = node
  }
}

/// What is seen of the estate at one moment.
public struct DrillCondition: Sendable, Equatable {
  /// A node.
  public struct Node: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// What it does, such as `gateway`.
    public var roles: Set<String>
    /// Markets that it says it has.
    public var markets: Set<String>
    /// Whether it says that it is ready.
    public var isReady: Bool
    /// Why it isn't, in words.
    public var reason: String

    /// A node.
    public init(
      name: String, roles: Set<String>, markets: Set<String> = [], isReady: Bool, reason: String = ""
    ) {
      self.name = name
      self.roles = roles
      self.markets = markets
      self.isReady = isReady
      self.reason = reason
    }
  }

  /// A path of a gateway.
  public struct Path: Sendable, Equatable {
    /// The gateway.
    public var gateway: String
    /// Market and stream, in words.
    public var name: String
    /// Whether it is live.
    public var isLive: Bool

    /// A path.
    public init(gateway: String, name: String, isLive: Bool) {
      self.gateway = gateway
      self.name = name
      self.isLive = isLive
    }
  }

  /// All nodes of the estate.
  public var nodes: [Node]
  /// All paths of all gateways.
  public var paths: [Path]

  /// A condition.
  public init(nodes: [Node], paths: [Path] = []) {
    self.nodes = nodes
    self.paths = paths
  }
}

/// Something that a client saw and should not have.
public struct DrillError: Sendable, Equatable, Codable {
  /// `outage`, `stale`, `refused`, `went back`, `error`.
  public var kind: String
  /// For people.
  public var text: String

  /// An error.
  public init(kind: String, text: String) {
    self.kind = kind
    self.text = text
  }
}

/// How a run ended.
public enum DrillOutcome: Sendable, Equatable {
  /// No client saw anything that it should not, and the estate is well again.
  case passed
  /// It was not begun, and why.
  case refused([String])
  /// It was ended early, or ended badly.
  case failed(String)
  /// The fault is still there: people must mend it.
  case notHealed(String)
}
