// Whether this node serves: taken out and brought back by an operator's command, by health, by lag, and never as the
// last of its kind that the backbone hears (Continuity, ServiceBoard). It says what it is each tenth of a second, and
// knows what the others say.
//
// @unchecked Sendable: `agent` is set once, before anything uses it; the rest is behind the lock.

import Backbone
import Continuity
import Estate
import Foundation
import Gateway
import Logging
import Synchronization
import TickerPlant

/// See the head of this file.
final class ServeService: @unchecked Sendable {
  private struct Members {
    var board = ServiceBoard()
    var numbers: [String: Int] = [:]
    var own = 0
  }

  private let place: ServeNode
  private let gateway: GatewayServer
  private let feeds: RunningFeeds
  private let publishers: [PlantPublisher]
  private let log: Logger
  private let members: Mutex<Members>
  private let leaving = Mutex<String?>(nil)
  private let usage = Mutex((processor: 0.0, at: 0.0, load: 0.0))
  private var agent: NodeAgent?

  /// Those that a node stands beside: plants of a market; gateways of a site with the same markets, of all sites where
  /// its site has one alone; stores.
  static func groups(of node: Node, in estate: Estate) -> [String] {
    var groups: [String] = []
    let markets = estate.markets(of: node)
    if node.roles.contains(.plant) { groups += markets.map { "the plants of \($0)" } }
    if node.roles.contains(.gateway) {
      let site = estate.site(ofZone: node.zone)?.name
      let alike = estate.nodes.filter {
        $0.roles.contains(.gateway) && estate.site(ofZone: $0.zone)?.name == site
          && estate.markets(of: $0) == markets
      }
      let place = alike.count > 1 ? " of " + (site ?? "") : ""
      groups.append("the gateways\(place) for \(markets.joined(separator: ", "))")
    }
    if groups.isEmpty, node.roles.contains(.store) { groups.append("the stores") }
    return groups
  }

  init(
    _ backbone: ServeBackbone, gateway: GatewayServer, feeds: RunningFeeds, publishers: [PlantPublisher],
    log: Logger
  ) {
    place = backbone.place
    self.gateway = gateway
    self.feeds = feeds
    self.publishers = publishers
    self.log = log
    var found = Members()
    let own = Set(Self.groups(of: place.node, in: place.estate))
    for node in place.estate.nodes {
      let groups = Self.groups(of: node, in: place.estate)
      guard node.name == place.node.name || !own.isDisjoint(with: groups) else { continue }
      found.numbers[node.name] = found.board.add(node.name, groups: groups.filter(own.contains))
    }
    found.own = found.numbers[place.node.name] ?? 0
    members = Mutex(found)
    let names = Set(place.estate.nodes.map(\.name))
    agent = NodeAgent(
      node: place.node.name, buses: backbone.buses, isKnown: { [names] in names.contains($0) },
      beat: { [weak self] in self?.beat() ?? NodeBeat(node: "") },
      command: { [weak self] in self?.carryOut($0) ?? NodeAnswer(done: false, text: "the node is ending") })
  }

  func start() throws(BusError) { try agent?.start() }

  func stop() { agent?.stop() }

  /// The estate's page: puts to each node what is known of it now. What was heard is looked up once for all.
  var knowledge: (EstateView.NodeView) -> EstateView.NodeView {
    let heard = Dictionary((agent?.nodes ?? []).map { ($0.beat.node, $0) }) { first, _ in first }
    return { self.known(of: $0, heard) }
  }

  private func known(
    of node: EstateView.NodeView, _ others: [String: NodeAgent.Heard]
  ) -> EstateView.NodeView {
    var node = node
    let beat: NodeBeat
    if node.name == place.node.name {
      beat = said()
      node.heardNanoseconds = 0
    } else {
      guard let heard = others[node.name] else { return node }
      beat = heard.beat
      node.heardNanoseconds = heard.quietNanoseconds
      if !heard.isThere {
        node.state = "silent"
        return node
      }
    }
    node.clients = beat.clients
    node.version = beat.estateVersion
    node.state =
      beat.service != Continuity.ServiceState.inService.word
      ? "out of service" : beat.isWell ? "ready" : "not ready"
    let reasons = (beat.reason.isEmpty ? [] : [beat.reason]) + beat.alarms
    node.reason = node.state == "ready" || reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    // Of its own paths it knows all; others say only which they use and why, and nothing is made up for the rest.
    node.paths =
      node.name == place.node.name
      ? feeds.paths
      : beat.paths.map {
        PathReport(
          market: $0.market, stream: $0.node, rail: $0.rail, isUsed: $0.used, why: $0.reason,
          whyKey: $0.reasonKey)
      }
    return node
  }

  // MARK: - Each tenth of a second

  private func beat() -> NodeBeat {
    decide()
    return said()
  }

  /// Nanoseconds of a clock that only goes forward.
  private var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  private func decide() {
    let now = now
    learn(at: now)
    let (changes, own) = members.withLock { ($0.board.tick(at: now), $0.own) }
    for change in changes where change.member == own { apply(change) }
  }

  /// Tells the board what the node knows of itself and has heard of the others.
  private func learn(at now: UInt64) {
    let heard = agent?.nodes ?? []
    let reports = feeds.reports
    let (isWell, lag) = (Self.isWell(reports), Self.lag(reports))
    members.withLock { members in
      members.board.hear(members.own, isWell: isWell, lag: lag, at: now)
      for other in heard where other.isThere {
        guard let number = members.numbers[other.beat.node], number != members.own else { continue }
        let beat = other.beat
        members.board.hear(number, isWell: beat.isWell, lag: beat.lag, at: now &- other.quietNanoseconds)
        let state = Continuity.ServiceState.allCases.first { $0.word == beat.service } ?? .outByHealth
        // Who serves and says why does so as the last.
        members.board.hear(number, says: state, isReluctant: !beat.reason.isEmpty)
      }
    }
  }

  private func apply(_ change: ServiceBoard.Change) {
    // Who is leaving says so, whatever the board finds.
    guard leaving.withLock({ $0 }) == nil else { return }
    for publisher in publishers { publisher.setService(change.state) }
    if change.state == .inService {
      log.info("in service", metadata: ["reason": "\(change.reason)"])
      gateway.returnToService()
    } else {
      log.warning("out of service", metadata: ["reason": "\(change.reason)"])
      gateway.leaveService(reason: change.reason)
    }
  }

  private func carryOut(_ command: NodeCommand) -> NodeAnswer {
    let now = now
    // What was heard since the last beat counts: the other one may just have left.
    learn(at: now)
    let (changes, own, refusal): ([ServiceBoard.Change], Int, String?) = members.withLock { members in
      switch command {
      case .inService: return (members.board.bringBack(members.own, at: now), members.own, nil)
      case .outOfService:
        do throws(ServiceBoard.Refusal) {
          return (try members.board.takeOut(members.own, at: now), members.own, nil)
        } catch { return ([], members.own, error.description) }
      }
    }
    if let refusal { return NodeAnswer(done: false, text: refusal) }
    for change in changes where change.member == own { apply(change) }
    let (state, reason) = members.withLock { ($0.board.state(of: own), $0.board.reason(of: own)) }
    let done = (state == .inService) == (command == .inService)
    return NodeAnswer(done: done, text: "\(place.node.name) is \(state.word)" + (done ? "" : ": \(reason)"))
  }

  // MARK: - What it says

  private static func isWell(_ reports: [SourceReport]) -> Bool {
    !reports.isEmpty && reports.allSatisfy { $0.state == "live" || $0.state == "ended" }
  }

  private static func lag(_ reports: [SourceReport]) -> UInt64 {
    reports.map(\.lagNanoseconds).max() ?? 0
  }

  private func said() -> NodeBeat {
    var beat = NodeBeat(node: place.node.name)
    beat.site = place.site
    beat.zone = place.node.zone
    beat.roles = place.node.roles.map(\.rawValue)
    beat.version = Kabuto.version
    beat.estateVersion = place.estate.version
    beat.configuration = place.configuration
    let (state, reason, isLast) = members.withLock {
      ($0.board.state(of: $0.own), $0.board.reason(of: $0.own), $0.board.isReluctant($0.own))
    }
    let leaves = leaving.withLock { $0 }
    beat.service = leaves == nil ? state.word : Continuity.ServiceState.outByCommand.word
    beat.reason = leaves ?? (state == .inService && !isLast ? "" : reason)
    let reports = feeds.reports
    beat.isWell = Self.isWell(reports)
    beat.lag = Self.lag(reports)
    beat.clients = gateway.openConnections
    beat.load = load()
    beat.address = gateway.address
    beat.paths = feeds.receivedPaths.map(NodeBeat.Path.init)
    beat.markets = reports.map {
      NodeBeat.Market(market: $0.market, state: $0.state, epoch: $0.epoch, sequence: $0.sequence)
    }
    beat.alarms = publishers.flatMap { $0.report.differences.map { String(describing: $0) } }
    beat.saidAt = UInt64(Date().timeIntervalSince1970 * 1e9)
    return beat
  }

  /// Processors used since it was asked last, a second ago or more.
  private func load() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    let processor = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    let now = Double(now) / 1e9
    return usage.withLock { usage in
      if now - usage.at >= 1 {
        usage.load = usage.at == 0 ? 0 : (processor - usage.processor) / (now - usage.at)
        usage.processor = processor
        usage.at = now
      }
      return usage.load
    }
  }

  // MARK: - Leaving

  /// Says in every beat from now on that the node is out by command, whoever else is there: its end is decided. Those
  /// who take its streams change over while frames still come.
  func announceLeaving(reason: String) {
    leaving.withLock { $0 = reason }
    for publisher in publishers { publisher.setService(.outByCommand) }
    log.info("leaving", metadata: ["reason": "\(reason)"])
  }

  /// Takes that back: the node is again what the board says.
  func announceStaying() {
    leaving.withLock { $0 = nil }
    let state = members.withLock { $0.board.state(of: $0.own) }
    for publisher in publishers { publisher.setService(state) }
    if state == .inService { gateway.returnToService() }
    log.info("staying", metadata: ["state": "\(state.word)"])
  }

  /// Whether it has said so.
  var isLeaving: Bool { leaving.withLock { $0 } != nil }

  /// How long others are given to hear it: four beats.
  static let leavingNanoseconds: UInt64 = 400_000_000
}
