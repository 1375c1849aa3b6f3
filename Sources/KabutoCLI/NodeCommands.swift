// `kabuto node`: takes a node of a running estate out of service, brings it back, and lists what nodes say.

import ArgumentParser
import Backbone
import Estate
import Foundation

struct NodeGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "node", abstract: "Takes nodes of a running estate out of service and brings them back.",
    discussion: """
      Speaks over the estate's backbone, as the user "operator" where it has credentials.
      Example: kabuto node out gw-tky-a --estate two-sites.yaml
      """,
    subcommands: [NodeOut.self, NodeIn.self, NodeList.self])
}

struct OperatorOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The estate: a file, or the name of one that the program carries.", valueName: "file"),
    completion: .file())
  var estate: String
  @Option(
    help: ArgumentHelp(
      "The zone that this is run in: its message servers are tried first.", valueName: "name"))
  var zone: String?

  /// Connects to every rail that answers.
  func connect() async throws -> [NatsBus] {
    let (source, estate) = try EstateSource.good(self.estate)
    guard estate.backbone != nil else {
      throw giveUp("estate \(estate.name) has no backbone: its one process has no node to speak to")
    }
    guard let zone = zone ?? estate.nodes.first?.zone, estate.zones.contains(zone) else {
      throw giveUp("--zone \(self.zone ?? ""): wanted one of \(estate.zones.joined(separator: ", "))")
    }
    let own = Node(name: "operator", zone: zone, address: "", roles: [])
    let place = ServeNode(estate, own, folder: source.folder.isEmpty ? "." : source.folder)
    var buses: [NatsBus] = []
    do throws(BusError) {
      for settings in try NatsSettings.rails(of: place.node, in: place.estate) {
        buses.append(try NatsBus(settings))
      }
    } catch { throw giveUp(error.description) }
    for _ in 0..<300 where !buses.allSatisfy(\.state.isConnected) {
      try? await Task.sleep(for: .milliseconds(10))
      if buses.contains(where: \.state.isConnected),
        buses.allSatisfy({ $0.state.isConnected || $0.hasFailed })
      {
        break
      }
    }
    guard buses.contains(where: \.state.isConnected) else {
      throw giveUp(
        "no message server answers: " + buses.map { "rail \($0.rail): \($0.state)" }.joined(separator: "; "))
    }
    return buses
  }
}

extension NatsBus {
  /// Whether its servers were tried and didn't answer.
  var hasFailed: Bool { report.fault != nil }
}

struct NodeOut: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "out",
    abstract:
      "Takes a node out of service: its clients are told to move, it takes no more. Exit 1: it refuses.")
  @Argument(help: "The node's name.") var node: String
  @OptionGroup var options: OperatorOptions

  func run() async throws { try await command(.outOfService, node, options) }
}

struct NodeIn: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "in", abstract: "Brings a node back into service. Exit 1: it isn't well.")
  @Argument(help: "The node's name.") var node: String
  @OptionGroup var options: OperatorOptions

  func run() async throws { try await command(.inService, node, options) }
}

private func command(_ command: NodeCommand, _ node: String, _ options: OperatorOptions) async throws {
  let (_, estate) = try EstateSource.good(options.estate)
  guard estate.node(named: node) != nil else {
    throw giveUp(
      "\(node): estate \(estate.name) has no such node; wanted one of "
        + estate.nodes.map(\.name).joined(separator: ", "))
  }
  let buses = try await options.connect()
  defer { for bus in buses { bus.close() } }
  let answer: NodeAnswer
  do throws(BusError) {
    answer = try await NodeAgent.send(command, to: node, from: "operator", over: buses)
  } catch { throw giveUp(error.description) }
  print(answer.text)
  if !answer.done { throw foundWrong }
}

struct NodeList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract:
      "Lists the nodes of an estate and what they say of themselves. Exit 1: one is missing or unwell.")
  @Flag(help: "One JSON document instead of text.") var json = false
  @OptionGroup var options: OperatorOptions

  private struct Line: Encodable {
    var node: String
    var heard: Bool
    var beat: NodeStatus?
  }

  func run() async throws {
    let (_, estate) = try EstateSource.good(options.estate)
    let buses = try await options.connect()
    defer { for bus in buses { bus.close() } }
    let watch = NodeWatch(buses: buses, expected: NodeWatch.speakers(of: estate))
    let found: [NodeWatch.Heard]
    // Who hasn't answered after a second isn't there.
    do throws(BusError) { found = try await watch.look() } catch { throw giveUp(error.description) }
    watch.stop()
    let heard = Dictionary(found.map { ($0.status.node, $0) }) { first, _ in first }
    let lines = NodeWatch.speakers(of: estate).map { name in
      Line(node: name, heard: heard[name]?.isThere ?? false, beat: heard[name]?.status)
    }
    if json { try printJSON(lines) } else { lines.forEach(Self.show) }
    if lines.contains(where: { !Self.isGood($0, estate.configurationHash) }) { throw foundWrong }
  }

  // Not within `run`, and not drawn into it: Swift 6.3 fails to optimise these in an asynchronous function.
  @inline(never) private static func isGood(_ line: Line, _ configuration: UInt32) -> Bool {
    guard line.heard, let beat = line.beat else { return false }
    return beat.isWell && beat.configuration == configuration
  }

  @inline(never) private static func show(_ line: Line) {
    guard let beat = line.beat, line.heard else { return print("\(line.node)  not heard") }
    let markets = beat.markets.map { "\($0.market) \($0.state) \($0.sequence)" }.joined(separator: ", ")
    let used = beat.paths.filter(\.used).map { "\($0.node)/\($0.rail)" }.joined(separator: " ")
    print(
      "\(line.node)  \(beat.zone)  \(beat.service)\(beat.reason.isEmpty ? "" : " (\(beat.reason))")  "
        + "\(beat.isWell ? "well" : "not well")  \(markets)  \(beat.clients) clients"
        + (used.isEmpty ? "" : "  takes \(used)"))
    for alarm in beat.alarms { print("  \(alarm)") }
  }
}
