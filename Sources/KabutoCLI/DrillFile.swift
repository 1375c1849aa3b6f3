// The file of `kabuto drill`: nodes (or the estate that has them), commands that do a fault and take it back, and the
// drills. All faults of a file are told at once, each with its line.

import Continuity
import Estate
import Foundation
import Gateway
import Yams

/// See the head of this file.
struct DrillFile {
  /// A node as drills know it.
  struct Node {
    var name: String
    var url: String
    var roles: Set<String>
    /// Its process, where the node was asked for it.
    var process: DrillProcess?
  }
  /// What does a fault and what takes it back: shell commands.
  struct Commands: Equatable {
    var inject: String
    var heal: String
    /// Whether they signal the node's process.
    var needsProcess: Bool { inject.contains("{pid}") || heal.contains("{pid}") }
  }
  /// A drill with its commands, ready to be run.
  struct Drill {
    var plan: DrillPlan
    var commands: Commands
    /// What would be lost with the node by the estate's reckoning, in words.
    var wouldLose: [String] = []
  }

  var nodes: [Node] = []
  var drills: [Drill] = []
  /// Instruments that the client watches; empty = the first of the list.
  var instruments: [String] = []

  /// The estate that the nodes are of, and its file.
  var estate: (path: String, value: Estate)?

  /// Where nothing else is said; what needs an estate is there only with one.
  static func standard(estate: String?) -> [DrillFault: Commands] {
    var commands: [DrillFault: Commands] = [
      .freeze: Commands(inject: "kill -STOP {pid}", heal: "kill -CONT {pid}")
    ]
    if let estate {
      // The same program as this one, wherever it is.
      let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "kabuto"
      func text(_ way: String) -> String {
        "\(quoted(own)) node \(way) {node} --estate \(quoted(estate))"
      }
      commands[.outOfService] = Commands(inject: text("out"), heal: text("in"))
    }
    return commands
  }

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
    var estateNodes: [DrillFile.Node] = []
    if let value = mapping["estate"], let found = estate(value) {
      file.estate = found
      estateNodes = drillNodes(of: found.value)
    }
    file.nodes = estateNodes
    var commands = DrillFile.standard(estate: file.estate?.path)
    for (key, value) in mapping {
      switch key.string ?? "" {
      case "estate": break
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
          name: node.name, url: node.url.isEmpty ? known.url : node.url,
          roles: node.roles.isEmpty ? known.roles : node.roles)
      } else {
        order.append(node.name)
        byName[node.name] = node
      }
    }
    file.nodes = order.compactMap { byName[$0] }
    for node in file.nodes where node.roles.isEmpty {
      faults.append(
        "\(path): node \(node.name): roles: nothing found, wanted those that it has, such as [gateway]: what is the last of its role is left alone"
      )
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

  private mutating func estate(_ value: Yams.Node) -> (path: String, value: Estate)? {
    guard let name = value.string else {
      fault(value, "estate: wanted the path of an estate's file")
      return nil
    }
    let folder = (path as NSString).deletingLastPathComponent
    var place = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    if !FileManager.default.fileExists(atPath: place) { place = name }
    guard let (_, estate, found) = try? EstateSource.read(place), let estate,
      !found.contains(where: { $0.severity == .error })
    else {
      fault(value, "estate: \(name) has errors; `kabuto estate check \(name)` tells them")
      return nil
    }
    let isFile = FileManager.default.fileExists(atPath: place)
    return (isFile ? URL(fileURLWithPath: place).path : place, estate)
  }

  private mutating func nodes(_ value: Yams.Node) -> [DrillFile.Node] {
    var found: [DrillFile.Node] = []
    for (name, entry) in pairs(value) {
      var node = DrillFile.Node(name: name, url: "", roles: [])
      for (key, value) in pairs(entry) {
        switch key {
        case "url": node.url = value.string ?? ""
        case "roles": node.roles = Set(value.array().compactMap(\.string))
        default: fault(value, "nodes: \(name): \(key): wanted url or roles")
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
    guard file.nodes.contains(where: { $0.name == plan.node }) else {
      let known = file.nodes.map(\.name).joined(separator: ", ")
      return fault(entry, "drill \(plan.name): node \"\(plan.node)\" found, wanted one of \(known)")
    }
    guard let pair = own ?? commands[plan.fault] else {
      return fault(
        entry,
        "drill \(plan.name): \(plan.fault.rawValue) needs `inject:` and `heal:` here, or under `commands:`")
    }
    var lost: [String] = []
    if let estate = file.estate?.value, estate.node(named: plan.node) != nil {
      lost = ServeEstateView.effects(of: Failure(.node, plan.node), FailureAnalysis(estate), estate)
        .filter { $0.severity == .lost }.map { "\($0.what): \($0.text)" }
    }
    file.drills.append(DrillFile.Drill(plan: plan, commands: pair, wouldLose: lost))
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

  /// A text as one word of the shell.
  static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

  /// A command with the node's name, address and process in it, each quoted for the shell; a process that isn't known
  /// yet stands as `{pid}`.
  static func filled(_ command: String, _ node: Node, _ process: DrillProcess?) -> String {
    command.replacing("{node}", with: quoted(node.name)).replacing("{url}", with: quoted(node.url))
      .replacing("{pid}", with: process.map { String($0.pid) } ?? "{pid}")
  }
}
