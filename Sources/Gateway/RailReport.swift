// What went over the rails of a node by the system that it belongs to, and the budgets: a value for `/v1/status` and
// `/metrics`. Whoever has the rails fills it in; nothing here decides. Bytes count subjects and contents, as the node
// sends and gets them, without what the network adds.

import Distribution

/// One rail of this node.
public struct RailReport: Sendable, Equatable {
  /// What a system did on it since the process began.
  public struct System: Sendable, Equatable {
    /// The system's word, such as `px`.
    public var system: String
    /// Messages that came.
    public var messagesIn: UInt64 = 0
    /// Their bytes.
    public var bytesIn: UInt64 = 0
    /// Messages that were sent.
    public var messagesOut: UInt64 = 0
    /// Their bytes.
    public var bytesOut: UInt64 = 0
    /// Messages that were not sent: no connection, or too much waited already.
    public var dropped: UInt64 = 0
    /// Messages that came and were not taken in time.
    public var lostIn: UInt64 = 0
    /// Messages beyond the budget: not sent, but for prices.
    public var overBudget: UInt64 = 0
    /// Bytes a second that it may send; nil = as many as it likes.
    public var budget: UInt64?
    /// Its budget was exceeded within the last second.
    public var exceeds = false

    /// A system that has done nothing.
    public init(system: String) { self.system = system }
  }

  /// The rail's name.
  public var rail: String
  /// How it is, in words.
  public var state: String
  /// Whether what is published leaves.
  public var isConnected: Bool
  /// How often it was connected anew.
  public var reconnects: UInt64
  /// Bytes that wait to be sent.
  public var waitingBytes: UInt64
  /// What is wrong with it; nil = nothing.
  public var fault: String?
  /// By system; those that did anything, or have a budget.
  public var systems: [System]

  /// A report from its parts.
  public init(
    rail: String, state: String, isConnected: Bool, reconnects: UInt64 = 0, waitingBytes: UInt64 = 0,
    fault: String? = nil, systems: [System] = []
  ) {
    self.rail = rail
    self.state = state
    self.isConnected = isConnected
    self.reconnects = reconnects
    self.waitingBytes = waitingBytes
    self.fault = fault
    self.systems = systems
  }
}

extension JSONWriter {
  /// `[…]`: the rails.
  mutating func rails(_ rails: [RailReport]) {
    raw("[")
    for (index, rail) in rails.enumerated() {
      raw(index == 0 ? "{\"rail\":" : ",{\"rail\":")
      string(rail.rail)
      raw(",\"state\":")
      string(rail.state)
      raw(",\"connected\":")
      boolean(rail.isConnected)
      raw(",\"reconnects\":")
      integer(rail.reconnects)
      raw(",\"waiting_bytes\":")
      integer(rail.waitingBytes)
      raw(",\"fault\":")
      string(orNull: rail.fault)
      raw(",\"systems\":[")
      for (index, system) in rail.systems.enumerated() {
        if index > 0 { raw(",") }
        self.system(system)
      }
      raw("]}")
    }
    raw("]")
  }

  private mutating func system(_ system: RailReport.System) {
    raw("{\"system\":")
    string(system.system)
    let figures: [(String, UInt64)] = [
      ("messages_in", system.messagesIn), ("bytes_in", system.bytesIn), ("messages_out", system.messagesOut),
      ("bytes_out", system.bytesOut), ("dropped", system.dropped), ("lost_in", system.lostIn),
      ("over_budget", system.overBudget),
    ]
    for (name, value) in figures {
      raw(",")
      string(name)
      raw(":")
      integer(value)
    }
    raw(",\"budget\":")
    if let budget = system.budget { integer(budget) } else { raw("null") }
    raw(",\"exceeds\":")
    boolean(system.exceeds)
    raw("}")
  }
}

extension PrometheusText {
  mutating func rails(_ rails: [RailReport]) {
    guard !rails.isEmpty else { return }
    gauge(
      "kabuto_bus_connected", "1 = what is published on the rail leaves",
      rails.map { (["rail": $0.rail], $0.isConnected ? 1 : 0) })
    counter(
      "kabuto_bus_reconnects_total", "Times the rail was connected anew",
      rails.map { (["rail": $0.rail], Double($0.reconnects)) })
    gauge(
      "kabuto_bus_waiting_bytes", "Bytes that wait to be sent on the rail",
      rails.map { (["rail": $0.rail], Double($0.waitingBytes)) })
    typealias Figure = (RailReport.System) -> UInt64
    func perSystem(_ directions: [(String?, Figure)]) -> [([String: String], Double)] {
      rails.flatMap { rail in
        rail.systems.flatMap { system in
          directions.map { direction, figure in
            var labels = ["rail": rail.rail, "system": system.system]
            if let direction { labels["direction"] = direction }
            return (labels, Double(figure(system)))
          }
        }
      }
    }
    counter(
      "kabuto_bus_bytes_total", "Bytes by the system that they belong to, subjects included",
      perSystem([("in", { $0.bytesIn }), ("out", { $0.bytesOut })]))
    counter(
      "kabuto_bus_messages_total", "Messages by the system that they belong to",
      perSystem([("in", { $0.messagesIn }), ("out", { $0.messagesOut })]))
    counter(
      "kabuto_bus_dropped_total", "Messages that were not sent: no connection, or too much waited",
      perSystem([(nil, { $0.dropped })]))
    counter(
      "kabuto_bus_lost_total", "Messages that came and were not taken in time",
      perSystem([(nil, { $0.lostIn })]))
    counter(
      "kabuto_bus_over_budget_total", "Messages beyond the budget: not sent, but for prices",
      perSystem([(nil, { $0.overBudget })]))
    gauge(
      "kabuto_bus_budget_bytes", "Bytes a second that a system may send; none where it has no budget",
      rails.flatMap { rail in
        rail.systems.compactMap { system in
          system.budget.map { (["rail": rail.rail, "system": system.system], Double($0)) }
        }
      })
  }
}
