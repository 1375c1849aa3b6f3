// All that a node says of itself, for people: on `node.NODE.status`, as JSON, once a second, when its service changes, when
// a command was carried out, and when somebody asks on `node.all.tell`. Heard only by who looks (`NodeWatch`); what nodes
// decide by is `NodeBeat`.

public import Continuity
import Foundation

/// A node, as it says.
public struct NodeStatus: Sendable, Codable, Equatable {
  /// A path that it knows.
  public struct Path: Sendable, Codable, Equatable {
    /// Market identifier code.
    public var market: String
    /// The node whose plant tells the stream.
    public var node: String
    /// The rail.
    public var rail: String
    /// Whether it is taken.
    public var used: Bool
    /// Why, or why not.
    public var reason: String
    /// The key of the reason, which doesn't change between releases; nil = a node of before it.
    public var reasonKey: String?

    /// A path from its parts.
    public init(
      market: String, node: String, rail: String, used: Bool, reason: String, reasonKey: String? = nil
    ) {
      self.market = market
      self.node = node
      self.rail = rail
      self.used = used
      self.reason = reason
      self.reasonKey = reasonKey
    }

    /// A path from its report.
    public init(_ report: PathReport) {
      self.init(
        market: report.market, node: report.node, rail: report.rail, used: report.isUsed,
        reason: report.reason, reasonKey: report.reasonKey)
    }
  }

  /// A market at it.
  public struct Market: Sendable, Codable, Equatable {
    /// Market identifier code.
    public var market: String
    /// `live`, `gap`, `silent`, `recovering` or `ended`.
    public var state: String
    /// The epoch.
    public var epoch: String
    /// Last message.
    public var sequence: UInt64

    /// A market from its parts.
    public init(market: String, state: String, epoch: String, sequence: UInt64) {
      self.market = market
      self.state = state
      self.epoch = epoch
      self.sequence = sequence
    }
  }

  /// The node's name.
  public var node: String
  /// Its site.
  public var site = ""
  /// Its zone.
  public var zone = ""
  /// `plant`, `store`, `gateway`, `firewall`.
  public var roles: [String] = []
  /// Of the program.
  public var version = ""
  /// Version of the estate that it runs.
  public var estateVersion = 0
  /// Hash of that.
  public var configuration: UInt32 = 0
  /// `in-service`, `out-by-command`, `out-by-health`, `out-by-lag`.
  public var service = ServiceState.inService.word
  /// Why.
  public var reason = ""
  /// Whether it is well by itself.
  public var isWell = true
  /// How late it is, nanoseconds.
  public var lag: UInt64 = 0
  /// Clients that are connected.
  public var clients = 0
  /// Part of a processor that it uses, 0…; 1 = one processor.
  public var load = 0.0
  /// Where clients reach it; empty = nowhere.
  public var address = ""
  /// Paths that it knows.
  public var paths: [Path] = []
  /// Markets at it.
  public var markets: [Market] = []
  /// What is wrong, one line each.
  public var alarms: [String] = []
  /// When it was said by the node's own clock, nanoseconds since 1970: for people, nothing is decided by it.
  public var saidAt: UInt64 = 0

  /// The status of a node; the rest has its defaults.
  public init(node: String) { self.node = node }
}

extension ServiceState {
  /// The word in a status.
  public var word: String {
    switch self {
    case .inService: "in-service"
    case .outByCommand: "out-by-command"
    case .outByHealth: "out-by-health"
    case .outByLag: "out-by-lag"
    }
  }
}
