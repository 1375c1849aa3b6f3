// What the firewall counts: each loop for itself, without a lock; added up when somebody asks.

/// Counters since the start, over all loops, and what is open now.
public struct FirewallMetrics: Sendable, Equatable {
  /// Requests that began, refused ones included.
  public var requests: UInt64 = 0
  /// Answers by their first digit, from 1xx to 5xx; index 0 counts connections ended without an answer.
  public var answers = [UInt64](repeating: 0, count: 6)
  /// Denied by a rule.
  public var blocked: UInt64 = 0
  /// Would have been denied, were the rules enforced.
  public var alarmed: UInt64 = 0
  /// Refused for their framing, syntax, or a limit.
  public var refused: UInt64 = 0
  /// Clients cut off for being slow.
  public var slowClients: UInt64 = 0
  /// Requests sent again because a kept connection was stale.
  public var retries: UInt64 = 0
  /// Failed connections and answers of backends.
  public var backendFailures: UInt64 = 0
  /// WebSocket connections that began, frames in both directions, violations.
  public var webSockets: UInt64 = 0
  /// From clients.
  public var webSocketFramesIn: UInt64 = 0
  /// From backends.
  public var webSocketFramesOut: UInt64 = 0
  /// Frames that were badly framed or too large.
  public var webSocketViolations: UInt64 = 0
  /// Connections refused because there were too many.
  public var connectionsRefused: UInt64 = 0
  /// HTTP/2 connections ended for what they did.
  public var http2Violations: UInt64 = 0
  /// Log lines that were dropped because the disk was too slow.
  public var logLinesDropped: UInt64 = 0
  /// Policies taken into use since the start.
  public var reloads: UInt64 = 0
  /// Policies that were not taken into use because they had a fault.
  public var reloadFailures: UInt64 = 0
  /// Client connections and streams that are open.
  public var openConnections = 0
  /// Connections to backends that are open.
  public var backendConnections = 0
  /// Bytes of bodies that are held.
  public var heldBytes = 0

  /// As Prometheus reads it (text format 0.0.4).
  public var prometheus: String {
    var text = ""
    func add(_ name: String, _ kind: String, _ help: String, _ values: [(labels: String, value: UInt64)]) {
      text += "# HELP kabuto_firewall_\(name) \(help)\n# TYPE kabuto_firewall_\(name) \(kind)\n"
      for (labels, value) in values { text += "kabuto_firewall_\(name)\(labels) \(value)\n" }
    }
    func counter(_ name: String, _ help: String, _ value: UInt64) {
      add(name, "counter", help, [("", value)])
    }
    func gauge(_ name: String, _ help: String, _ value: Int) {
      add(name, "gauge", help, [("", UInt64(clamping: value))])
    }
    counter("requests_total", "Requests.", requests)
    add(
      "answers_total", "counter", "Answers by class of status.",
      answers.enumerated().map { ("{class=\"\($0.offset == 0 ? "none" : "\($0.offset)xx")\"}", $0.element) })
    counter("blocked_total", "Requests denied by a rule.", blocked)
    counter("alarmed_total", "Requests that would have been denied.", alarmed)
    counter("refused_total", "Requests refused for framing, syntax or limits.", refused)
    counter("slow_clients_total", "Clients cut off for being slow.", slowClients)
    counter("retries_total", "Requests sent again after a stale connection.", retries)
    counter("backend_failures_total", "Failures of backends.", backendFailures)
    counter("websockets_total", "WebSocket connections.", webSockets)
    add(
      "websocket_frames_total", "counter", "WebSocket frames.",
      [("{direction=\"in\"}", webSocketFramesIn), ("{direction=\"out\"}", webSocketFramesOut)])
    counter("websocket_violations_total", "WebSocket frames not allowed.", webSocketViolations)
    counter("connections_refused_total", "Connections refused by a limit.", connectionsRefused)
    counter("http2_violations_total", "HTTP/2 connections ended for what they did.", http2Violations)
    counter("log_lines_dropped_total", "Log lines dropped.", logLinesDropped)
    counter("reloads_total", "Policies taken into use.", reloads)
    counter("reload_failures_total", "Policies with faults, not taken into use.", reloadFailures)
    gauge("open_connections", "Client connections and streams.", openConnections)
    gauge("backend_connections", "Connections to backends.", backendConnections)
    gauge("held_bytes", "Bytes of held bodies.", heldBytes)
    return text
  }
}

/// The counters of one loop.
struct LoopCounters {
  var requests: UInt64 = 0
  var answers: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
  var blocked: UInt64 = 0
  var alarmed: UInt64 = 0
  var refused: UInt64 = 0
  var slowClients: UInt64 = 0
  var retries: UInt64 = 0
  var backendFailures: UInt64 = 0
  var webSockets: UInt64 = 0
  var webSocketFramesIn: UInt64 = 0
  var webSocketFramesOut: UInt64 = 0
  var webSocketViolations: UInt64 = 0
  var connectionsRefused: UInt64 = 0
  var http2Violations: UInt64 = 0

  mutating func count(status: Int) {
    switch status / 100 {
    case 1: answers.1 &+= 1
    case 2: answers.2 &+= 1
    case 3: answers.3 &+= 1
    case 4: answers.4 &+= 1
    case 5: answers.5 &+= 1
    default: answers.0 &+= 1
    }
  }

  func add(to sum: inout FirewallMetrics) {
    sum.requests &+= requests
    for (index, value) in [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5].enumerated() {
      sum.answers[index] &+= value
    }
    sum.blocked &+= blocked
    sum.alarmed &+= alarmed
    sum.refused &+= refused
    sum.slowClients &+= slowClients
    sum.retries &+= retries
    sum.backendFailures &+= backendFailures
    sum.webSockets &+= webSockets
    sum.webSocketFramesIn &+= webSocketFramesIn
    sum.webSocketFramesOut &+= webSocketFramesOut
    sum.webSocketViolations &+= webSocketViolations
    sum.connectionsRefused &+= connectionsRefused
    sum.http2Violations &+= http2Violations
  }
}
