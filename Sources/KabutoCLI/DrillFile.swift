// The file of `kabuto drill`: nodes (or the estate that has them), commands that do a fault and take it back, and the
// drills. All faults of a file are told at once, each with its line.

import Continuity
import Estate
import Foundation
import Yams

/// See the head of this file.
struct DrillFile {
  /// A node as drills know it.
  struct Node {
    var name: String
    var url: String
    var pid: Int?
    var roles: Set<String>
  }
  /// What does a fault and what takes it back: shell commands.
  struct Commands: Equatable {
    var inject: String
    var heal: String
  }
  /// A drill with its commands, ready to be run.
  struct Drill {
    var plan: DrillPlan
    var commands: Commands
  }

  var nodes: [Node] = []
  var drills: [Drill] = []
  /// Instruments that the client watches; empty = the first of the list.
  var instruments: [String] = []

  /// Where nothing else is said.
  static let standard: [DrillFault: Commands] = [
    .outOfService: Commands(inject: "kabuto node out {node}", heal: "kabuto node in {node}"),
    .freeze: Commands(inject: "kill -STOP {pid}", heal: "kill -CONT {pid}"),
  ]

  /// Reads a file.
  static func read(_ path: String) -> Result<DrillFile, ConfigurationFaults> {
    guard let data = FileManager.default.contents(atPath: path) else {
      return .failure(
        ConfigurationFaults(faults: ["\(path): can't be read; wanted a YAML file with `drills:`"]))
    }
    var reader = DrillFileReader(path: path)
    do {
      guard let root = try Yams.compose(yaml: String(decoding: data, as: UTF8.self)) else {
        return .failure(ConfigurationFaults(faults: ["\(path): empty; wanted `drills:`"]))
      }
      let file = reader.file(root)
      return reader.faults.isEmpty ? .success(file) : .failure(ConfigurationFaults(faults: reader.faults))
    } catch { return .failure(ConfigurationFaults(faults: ["\(path): not YAML: \(error)"])) }
  }

  /// Gateways in the order of the file: where the client watches.
  var gateways: [Node] { nodes.filter { $0.roles.contains("gateway") } }
}

/// Reads the tree, and gathers what is wrong with it.
private struct DrillFileReader {
  let path: String
  var faults: [String] = []

  mutating func fault(_ node: Yams.Node, _ text: String) {
    faults.append("\(path):\(node.mark?.line ?? 1): \(text)")
  }

  mutating func file(_ root: Yams.Node) -> DrillFile {
    var file = DrillFile()
    guard let mapping = root.mapping else {
      fault(root, "wanted `nodes:` or `estate:`, and `drills:`")
      return file
    }
    var commands = DrillFile.standard
    for (key, value) in mapping {
      switch key.string ?? "" {
      case "estate": file.nodes += estate(value)
      case "nodes": file.nodes += nodes(value)
      case "commands":
        for (name, entry) in pairs(value) {
          guard let fault = DrillFault(rawValue: name) else {
            self.fault(
              entry,
              "commands: \(name): wanted \(DrillFault.allCases.map(\.rawValue).joined(separator: ", "))")
            continue
          }
          if let pair = self.commands(entry) { commands[fault] = pair }
        }
      case "watch":
        for (name, entry) in pairs(value) {
          if name == "instruments", let list = entry.sequence {
            file.instruments = list.compactMap(\.string)
          } else {
            fault(entry, "watch: \(name): wanted `instruments: [CODE, …]`")
          }
        }
      case "drills": break
      case let name: fault(key, "\(name): wanted estate, nodes, commands, watch or drills")
      }
    }
    // A node of the file says more of one of the estate.
    var byName: [String: DrillFile.Node] = [:]
    var order: [String] = []
    for node in file.nodes {
      if let known = byName[node.name] {
        byName[node.name] = DrillFile.Node(
          name: node.name, url: node.url.isEmpty ? known.url : node.url, pid: node.pid ?? known.pid,
          roles: node.roles.isEmpty ? known.roles : node.roles)
      } else {
        order.append(node.name)
        byName[node.name] = node
      }
    }
    file.nodes = order.compactMap { byName[$0] }.map {
      var node = $0
      if node.roles.isEmpty { node.roles = ["gateway"] }
      return node
    }
    for node in file.nodes where URL(string: node.url)?.scheme != "http" || URL(string: node.url)?.host == nil
    {
      faults.append("\(path): node \(node.name): url \"\(node.url)\" found, wanted http://HOST:PORT")
    }
    if let list = mapping["drills"]?.sequence {
      for entry in list { drill(entry, &file, commands) }
    }
    if file.drills.isEmpty, faults.isEmpty {
      fault(root, "no drill; wanted `drills:` with name, fault and node")
    }
    return file
  }

  private mutating func pairs(_ node: Yams.Node) -> [(String, Yams.Node)] {
    guard let mapping = node.mapping else {
      fault(node, "wanted names with values")
      return []
    }
    return mapping.map { ($0.key.string ?? "", $0.value) }
  }

  private mutating func estate(_ value: Yams.Node) -> [DrillFile.Node] {
    guard let name = value.string else {
      fault(value, "estate: wanted the path of an estate's file")
      return []
    }
    let folder = (path as NSString).deletingLastPathComponent
    let place = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    guard
      let (_, estate, found) = try? EstateSource.read(
        FileManager.default.fileExists(atPath: place) ? place : name),
      let estate, !found.contains(where: { $0.severity == .error })
    else {
      fault(value, "estate: \(name) has errors; `kabuto estate check \(name)` tells them")
      return []
    }
    return drillNodes(of: estate)
  }

  private mutating func nodes(_ value: Yams.Node) -> [DrillFile.Node] {
    var found: [DrillFile.Node] = []
    for (name, entry) in pairs(value) {
      var node = DrillFile.Node(name: name, url: "", pid: nil, roles: [])
      for (key, value) in pairs(entry) {
        switch key {
        case "url": node.url = value.string ?? ""
        case "pid":
          guard let pid = value.int, pid > 1 else {
            fault(value, "nodes: \(name): pid: wanted the number of a process")
            continue
          }
          node.pid = pid
        case "roles": node.roles = Set(value.array().compactMap(\.string))
        default: fault(value, "nodes: \(name): \(key): wanted url, pid or roles")
        }
      }
      found.append(node)
    }
    return found
  }

  private mutating func commands(_ value: Yams.Node) -> DrillFile.Commands? {
    guard let inject = value["inject"]?.string, let heal = value["heal"]?.string else {
      fault(
        value, "wanted `inject:` and `heal:`, shell commands; {node}, {url} and {pid} stand for the node's")
      return nil
    }
    return DrillFile.Commands(inject: inject, heal: heal)
  }

  private mutating func drill(
    _ entry: Yams.Node, _ file: inout DrillFile, _ commands: [DrillFault: DrillFile.Commands]
  ) {
    var plan = DrillPlan(name: "", fault: .command, node: "")
    var own: DrillFile.Commands?
    var hasFault = false
    for (key, value) in pairs(entry) {
      let text = value.string ?? ""
      switch key {
      case "name": plan.name = text
      case "node": plan.node = text
      case "fault":
        guard let kind = DrillFault(rawValue: text) else {
          fault(
            value,
            "fault: \"\(text)\" found, wanted \(DrillFault.allCases.map(\.rawValue).joined(separator: ", "))")
          continue
        }
        (plan.fault, hasFault) = (kind, true)
      case "calm": duration(value, in: 0...86_400_000_000_000) { plan.calmNanoseconds = $0 }
      case "hold": duration(value, in: 1_000_000...86_400_000_000_000) { plan.holdNanoseconds = $0 }
      case "settle": duration(value, in: 1_000_000_000...86_400_000_000_000) { plan.settleNanoseconds = $0 }
      case "outage": duration(value, in: 100_000_000...600_000_000_000) { plan.outageNanoseconds = $0 }
      case "every": duration(value, in: 1_000_000_000...31_536_000_000_000_000) { plan.everyNanoseconds = $0 }
      case "inject", "heal": own = own ?? self.commands(entry)
      default:
        fault(
          value, "drill: \(key): wanted name, fault, node, calm, hold, settle, outage, every, inject or heal")
      }
    }
    guard !plan.name.isEmpty, hasFault else { return fault(entry, "a drill wants name, fault and node") }
    guard !file.drills.contains(where: { $0.plan.name == plan.name }) else {
      return fault(entry, "drill \(plan.name): another one has this name")
    }
    guard let node = file.nodes.first(where: { $0.name == plan.node }) else {
      let known = file.nodes.map(\.name).joined(separator: ", ")
      return fault(entry, "drill \(plan.name): node \"\(plan.node)\" found, wanted one of \(known)")
    }
    guard let pair = own ?? commands[plan.fault] else {
      return fault(
        entry,
        "drill \(plan.name): \(plan.fault.rawValue) needs `inject:` and `heal:` here, or under `commands:`")
    }
    for text in [pair.inject, pair.heal] where text.contains("{pid}") && node.pid == nil {
      return fault(
        entry,
        "drill \(plan.name): \"\(text)\" needs the pid of \(node.name): `nodes: {\(node.name): {pid: …}}`")
    }
    file.drills.append(DrillFile.Drill(plan: plan, commands: pair))
  }

  private mutating func duration(_ value: Yams.Node, in range: ClosedRange<UInt64>, _ set: (UInt64) -> Void) {
    guard let found = DrillFile.nanoseconds(value.string ?? ""), range.contains(found) else {
      return fault(
        value,
        "\"\(value.string ?? "")\" found, wanted a time such as 500ms, 10s, 5m, 2h or 1d, from \(DrillFile.text(range.lowerBound)) to \(DrillFile.text(range.upperBound))"
      )
    }
    set(found)
  }
}

extension DrillFile {
  /// Nanoseconds of a text such as `10s`.
  static func nanoseconds(_ text: String) -> UInt64? {
    for (unit, factor) in [("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86_400e9)]
    where text.hasSuffix(unit) {
      guard let value = Double(text.dropLast(unit.count)), value >= 0, value * factor < 1e18 else {
        return nil
      }
      return UInt64(value * factor)
    }
    return nil
  }

  /// The same the other way.
  static func text(_ nanoseconds: UInt64) -> String {
    for (unit, factor) in [
      ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
    ]
      as [(String, UInt64)] where nanoseconds >= factor && nanoseconds % factor == 0
    { return "\(nanoseconds / factor)\(unit)" }
    return "\(nanoseconds / 1_000_000)ms"
  }

  /// A command with the node's name, address and process in it, each quoted for the shell.
  static func filled(_ command: String, _ node: Node) -> String {
    func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
    return command.replacing("{node}", with: quoted(node.name)).replacing("{url}", with: quoted(node.url))
      .replacing("{pid}", with: node.pid.map(String.init) ?? "")
  }
}
