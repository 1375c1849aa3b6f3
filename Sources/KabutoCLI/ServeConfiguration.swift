// What `kabuto serve` runs with: flags win over the environment, the environment over the file. Every bad value is
// told at once: where it stands, what was found, what is wanted.

import Distribution
import Estate
import Foundation
import Gateway
import Logging
import Yams

/// One setting: its name in the file; in the environment `KABUTO_` and the name in capitals; as a flag with dashes.
struct ServeConfiguration {
  var listenHost = "127.0.0.1"
  var listenPort = 8080
  var data: String?
  var feeds: [String] = []
  var logLevel = Logger.Level.info
  var logFormat = "auto"
  var snapshotSeconds = 60.0
  var tickDays = 5
  var minuteBarDays = 60
  var dailyBarDays = 3650
  var snapshots = 3
  var keepsQuotes = true
  var gateway = GatewayConfiguration()
  var firewall = FirewallOptions()
  /// The node that this process is; nil: one process does it all.
  var place: ServeNode?

  static let names = [
    "listen", "data", "feeds", "log_level", "log_format", "snapshot_seconds", "tick_days", "minute_bar_days",
    "daily_bar_days",
    "snapshots",
    "keep_quotes", "tls_certificate", "tls_key", "loops", "origins", "drain_ms", "viewer",
    "connections", "connections_per_address", "requests_per_second", "head_bytes", "body_bytes",
    "answer_bytes",
    "handshake_seconds", "request_seconds", "idle_seconds", "answer_seconds",
    "subscriptions", "subscription_ids", "message_bytes", "messages_per_second", "ping_seconds",
    "stuck_seconds", "firewall", "firewall_rules", "firewall_log", "endpoints", "estate", "node",
  ]

  /// A value and where it stands, for what is said of it.
  struct Setting {
    var text: String
    var place: String
  }

  /// Reads file, environment and flags (the latter win); all faults at once.
  static func resolve(
    file: String?, environment: [String: String], flags: [String: String], feeds: [String],
    rules: [String] = []
  ) -> Result<ServeConfiguration, ConfigurationFaults> {
    var settings: [String: Setting] = [:]
    var lists = Lists()
    var faults: [String] = []
    if let file { faults += read(file, into: &settings, &lists) }
    for name in names {
      if let value = environment["KABUTO_" + name.uppercased()] {
        settings[name] = Setting(text: value, place: "environment KABUTO_\(name.uppercased())")
      }
    }
    // Other programs may have variables that begin like ours; only what looks like a slip of the pen is a fault.
    for key in environment.keys.sorted() where key.hasPrefix("KABUTO_") {
      let name = String(key.dropFirst(7)).lowercased()
      // Of a short name two letters are half: KABUTO_SEED isn't meant to be KABUTO_FEEDS.
      if !names.contains(name), let near = nearest(name), distance(near, name) <= (name.count < 6 ? 1 : 2) {
        faults.append(
          "environment \(key): no setting has this name; did you mean KABUTO_\(near.uppercased())?")
      }
    }
    for (name, value) in flags {
      settings[name] = Setting(text: value, place: "--" + name.replacing("_", with: "-"))
    }
    var configuration = ServeConfiguration()
    if let feeds = settings["feeds"]?.text { lists.feeds = feeds.split(separator: " ").map(String.init) }
    configuration.feeds = feeds.isEmpty ? lists.feeds : feeds
    if let rules = settings["firewall_rules"]?.text {
      lists.rules = rules.split(separator: " ").map(String.init)
    }
    configuration.firewall.rules = rules.isEmpty ? lists.rules : rules
    do throws(ConfigurationFaults) {
      if let place = try ServeNode.resolve(estate: settings["estate"]?.text, node: settings["node"]?.text) {
        configuration.take(place)
      }
    } catch { faults += error.faults }
    for (name, setting) in settings.sorted(by: { $0.key < $1.key }) {
      if let fault = configuration.take(name, setting.text) { faults.append("\(setting.place): \(fault)") }
    }
    if (configuration.gateway.tlsCertificate == nil) != (configuration.gateway.tlsKey == nil) {
      faults.append("tls_certificate and tls_key: one of them is missing; give both or neither")
    }
    return faults.isEmpty ? .success(configuration) : .failure(ConfigurationFaults(faults: faults))
  }

  /// What the estate says of the node; flags, environment and file win over it.
  private mutating func take(_ place: ServeNode) {
    self.place = place
    listenHost = place.node.address
    listenPort = place.node.port
    data = place.node.data.map(place.path)
    if feeds.isEmpty { feeds = place.feeds }
    if !place.has(.firewall) { firewall.mode = .off }
    gateway.node = place.node.name
    gateway.zone = place.node.zone
    gateway.site = place.site
    gateway.endpoints = place.endpoints
    gateway.tenants = place.estate.tenants.map(\.name)
  }

  private static func nearest(_ name: String) -> String? {
    names.min { distance($0, name) < distance($1, name) }
  }

  private static func hint(_ name: String) -> String {
    guard let near = nearest(name), distance(near, name) <= max(2, name.count / 3) else {
      return "; known: \(names.joined(separator: ", "))"
    }
    return "; did you mean \(near)?"
  }

  /// Edits between two names (Levenshtein).
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var row = Array(0...b.count)
    for (i, left) in a.enumerated() {
      var corner = row[0]
      row[0] = i + 1
      for (j, right) in b.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, corner + (left == right ? 0 : 1))
        corner = above
      }
    }
    return row[b.count]
  }

  /// Settings that are lists, as the file has them.
  private struct Lists {
    var feeds: [String] = []
    var rules: [String] = []
  }

  private static func read(
    _ file: String, into settings: inout [String: Setting], _ lists: inout Lists
  ) -> [String] {
    guard let data = FileManager.default.contents(atPath: file) else {
      return ["\(file): can't be read; wanted a YAML file with settings such as `listen: 127.0.0.1:8080`"]
    }
    let text = String(decoding: data, as: UTF8.self)
    let node: Yams.Node?
    do { node = try Yams.compose(yaml: text) } catch { return ["\(file): not YAML: \(error)"] }
    guard let node else { return [] }
    guard case .mapping(let mapping) = node else {
      return ["\(file):1: wanted settings such as `listen: 127.0.0.1:8080`, one a line"]
    }
    var faults: [String] = []
    for (key, value) in mapping {
      let name = key.string ?? ""
      let place = "\(file):\(value.mark?.line ?? key.mark?.line ?? 1)"
      guard names.contains(name) else {
        faults.append("\(place): \(name): no setting has this name\(hint(name))")
        continue
      }
      if name == "feeds" || name == "firewall_rules" {
        let member = name == "feeds" ? \Lists.feeds : \Lists.rules
        let list = value.array().compactMap(\.string)
        if let sequence = value.sequence, sequence.count == list.count {
          lists[keyPath: member] = list
        } else if let one = value.string {
          lists[keyPath: member] = [one]
        } else {
          faults.append(
            "\(place): \(name): wanted a list of \(name == "feeds" ? "sources" : "files or folders")")
        }
      } else if name == "origins" || name == "endpoints", let sequence = value.sequence {
        settings[name] = Setting(
          text: sequence.compactMap(\.string).joined(separator: ","), place: "\(place): \(name)")
      } else if let scalar = value.string {
        settings[name] = Setting(text: scalar, place: "\(place): \(name)")
      } else {
        faults.append("\(place): \(name): wanted one value")
      }
    }
    return faults
  }

  /// Sets one; the fault where it can't be.
  private mutating func take(_ name: String, _ text: String) -> String? {
    func integer(_ range: ClosedRange<Int>, _ set: (Int) -> Void) -> String? {
      guard let value = Int(text), range.contains(value) else {
        return "\"\(text)\" found, wanted an integer from \(range.lowerBound) to \(range.upperBound)"
      }
      set(value)
      return nil
    }
    switch name {
    case "listen":
      guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
        (0...65_535).contains(port)
      else { return "\"\(text)\" found, wanted HOST:PORT such as 127.0.0.1:8080 or [::1]:8080" }
      var host = String(text[..<colon])
      if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
      guard !host.isEmpty else {
        return "\"\(text)\" found, wanted HOST:PORT; 0.0.0.0 listens on every address"
      }
      listenHost = host
      listenPort = port
    case "data": data = text.isEmpty ? nil : text
    case "feeds", "firewall_rules": break
    case "firewall":
      guard let mode = FirewallOptions.Mode(text) else {
        return "\"\(text)\" found, wanted observe, stage, block or off"
      }
      firewall.mode = mode
    case "firewall_log": firewall.log = text.isEmpty ? nil : text
    case "estate", "node": break
    case "log_level":
      guard let level = Logger.Level(rawValue: text) else {
        return "\"\(text)\" found, wanted trace, debug, info, notice, warning, error or critical"
      }
      logLevel = level
    case "log_format":
      guard ["auto", "json", "text"].contains(text) else {
        return "\"\(text)\" found, wanted auto, json or text"
      }
      logFormat = text
    case "snapshot_seconds":
      guard let value = Double(text), (0.1...86_400).contains(value) else {
        return "\"\(text)\" found, wanted seconds from 0.1 to 86400"
      }
      snapshotSeconds = value
    case "tick_days": return integer(0...3650) { tickDays = $0 }
    case "minute_bar_days": return integer(0...36_500) { minuteBarDays = $0 }
    case "daily_bar_days": return integer(0...36_500) { dailyBarDays = $0 }
    case "snapshots": return integer(1...100) { snapshots = $0 }
    case "keep_quotes":
      guard let value = Bool(text) else { return "\"\(text)\" found, wanted true or false" }
      keepsQuotes = value
    case "tls_certificate": gateway.tlsCertificate = text
    case "tls_key": gateway.tlsKey = text
    case "loops": return integer(1...64) { gateway.loops = $0 }
    case "connections": return integer(1...1_000_000) { gateway.connections = $0 }
    case "connections_per_address": return integer(1...1_000_000) { gateway.connectionsPerAddress = $0 }
    case "message_bytes": return integer(256...16_777_216) { gateway.messageBytes = $0 }
    case "requests_per_second": return integer(1...1_000_000) { gateway.requestsPerSecond = $0 }
    case "head_bytes": return integer(1_024...1_048_576) { gateway.headBytes = $0 }
    case "body_bytes": return integer(0...16_777_216) { gateway.bodyBytes = $0 }
    case "answer_bytes": return integer(1_048_576...1_099_511_627_776) { gateway.answerBytes = $0 }
    case "handshake_seconds": return integer(1...3600) { gateway.handshakeSeconds = Int64($0) }
    case "request_seconds": return integer(1...3600) { gateway.requestSeconds = Int64($0) }
    case "idle_seconds": return integer(1...86_400) { gateway.idleSeconds = Int64($0) }
    case "answer_seconds": return integer(1...3600) { gateway.answerSeconds = Int64($0) }
    case "ping_seconds": return integer(0...3600) { gateway.pingSeconds = Int64($0) }
    case "subscription_ids": return integer(1...1_000_000) { gateway.client.subscriptionIDs = $0 }
    case "origins":
      gateway.allowedOrigins = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    case "endpoints":
      do throws(GatewayEndpoint.Fault) {
        gateway.endpoints = try text.split(separator: ",").map { entry throws(GatewayEndpoint.Fault) in
          try GatewayEndpoint(setting: entry)
        }
      } catch { return error.text }
    case "drain_ms": return integer(0...600_000) { gateway.drainMilliseconds = $0 }
    case "subscriptions": return integer(1...1_000_000) { gateway.client.subscriptions = $0 }
    case "messages_per_second": return integer(1...100_000) { gateway.client.messagesPerSecond = $0 }
    case "stuck_seconds": return integer(1...3600) { gateway.client.stuckMilliseconds = UInt64($0) * 1000 }
    case "viewer": gateway.viewerDirectory = text
    default: return "no setting has this name"
    }
    return nil
  }
}

/// All that is wrong with a configuration.
struct ConfigurationFaults: Error {
  var faults: [String]
}
