// Whether this node serves: taken out and brought back by an operator's command, by health, by lag, and never as the
// last of its kind that it hears (Continuity, ServiceBoard, ServiceRing). It says how it is each tenth of a second, hears
// the few of its kind that it decides by, and all of what the others say only while somebody looks at the estate's page.
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
  private let watch: NodeWatch

  init(
    _ backbone: ServeBackbone, gateway: GatewayServer, feeds: RunningFeeds, publishers: [PlantPublisher],
    log: Logger
  ) {
    place = backbone.place
    self.gateway = gateway
    self.feeds = feeds
    self.publishers = publishers
    self.log = log
    let heard = ServiceGroups(place.estate).heard(by: place.node)
    var found = Members()
    for (name, groups) in heard { found.numbers[name] = found.board.add(name, groups: groups) }
    found.own = found.numbers[place.node.name] ?? 0
    members = Mutex(found)
    let name = place.node.name
    watch = NodeWatch(
      buses: backbone.buses, expected: NodeWatch.speakers(of: place.estate).filter { $0 != name })
    agent = NodeAgent(
      node: name, buses: backbone.buses, hears: heard.map(\.name),
      voice: NodeAgent.Voice(
        beat: { [weak self] in self?.beat() ?? NodeBeat(service: .outByHealth) },
        status: { [weak self] in self?.said() ?? NodeStatus(node: name) },
        command: { [weak self] in self?.carryOut($0) ?? NodeAnswer(done: false, text: "the node is ending") })
    )
  }

  func start() throws(BusError) { try agent?.start() }

  func stop() {
    watch.stop()
    agent?.stop()
  }

  /// The estate's page: puts to each node what is known of it now. What was heard is looked up once for all; after a time
  /// without looks that takes until the others have spoken, at most a second or so.
  func knowledge() async -> (EstateView.NodeView) -> EstateView.NodeView {
    var others: [NodeWatch.Heard] = []
    do throws(BusError) {
      others = try await watch.look()
    } catch { log.warning("the other nodes can't be heard", metadata: ["reason": "\(error)"]) }
    let heard = Dictionary(others.map { ($0.status.node, $0) }) { first, _ in first }
    return { self.known(of: $0, heard) }
  }

  private func known(
    of node: EstateView.NodeView, _ others: [String: NodeWatch.Heard]
  ) -> EstateView.NodeView {
    var node = node
    let status: NodeStatus
    if node.name == place.node.name {
      status = said()
      node.heardNanoseconds = 0
    } else {
      guard let heard = others[node.name] else { return node }
      status = heard.status
      node.heardNanoseconds = heard.quietNanoseconds
      if !heard.isThere {
        node.state = "silent"
        return node
      }
    }
    node.clients = status.clients
    node.version = status.estateVersion
    node.state =
      status.service != Continuity.ServiceState.inService.word
      ? "out of service" : status.isWell ? "ready" : "not ready"
    let reasons = (status.reason.isEmpty ? [] : [status.reason]) + status.alarms
    node.reason = node.state == "ready" || reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    // Of its own paths it knows all; others say only which they use and why, and nothing is made up for the rest.
    node.paths =
      node.name == place.node.name
      ? feeds.paths
      : status.paths.map {
        PathReport(
          market: $0.market, stream: $0.node, rail: $0.rail, isUsed: $0.used, why: $0.reason,
          whyKey: $0.reasonKey)
      }
    return node
  }

  // MARK: - Each tenth of a second

  private func beat() -> NodeBeat {
    decide()
    watch.rest()
    let leaves = isLeaving
    let (state, isReluctant) = members.withLock { ($0.board.state(of: $0.own), $0.board.isReluctant($0.own)) }
    let reports = feeds.reports
    return NodeBeat(
      service: leaves ? .outByCommand : state, isReluctant: !leaves && isReluctant,
      isWell: Self.isWell(reports), configuration: place.configuration, lag: Self.lag(reports))
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
        guard let number = members.numbers[other.node], number != members.own else { continue }
        let beat = other.beat
        members.board.hear(number, isWell: beat.isWell, lag: beat.lag, at: now &- other.quietNanoseconds)
        members.board.hear(number, says: beat.service, isReluctant: beat.isReluctant)
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

  private func said() -> NodeStatus {
    var status = NodeStatus(node: place.node.name)
    status.site = place.site
    status.zone = place.node.zone
    status.roles = place.node.roles.map(\.rawValue)
    status.version = Kabuto.version
    status.estateVersion = place.estate.version
    status.configuration = place.configuration
    let (state, reason, isLast) = members.withLock {
      ($0.board.state(of: $0.own), $0.board.reason(of: $0.own), $0.board.isReluctant($0.own))
    }
    let leaves = leaving.withLock { $0 }
    status.service = leaves == nil ? state.word : Continuity.ServiceState.outByCommand.word
    status.reason = leaves ?? (state == .inService && !isLast ? "" : reason)
    let reports = feeds.reports
    status.isWell = Self.isWell(reports)
    status.lag = Self.lag(reports)
    status.clients = gateway.openConnections
    status.load = load()
    status.address = gateway.address
    status.paths = feeds.receivedPaths.map(NodeStatus.Path.init)
    status.markets = reports.map {
      NodeStatus.Market(market: $0.market, state: $0.state, epoch: $0.epoch, sequence: $0.sequence)
    }
    status.alarms =
      publishers.flatMap { $0.report.differences.map { String(describing: $0) } } + (agent?.alarms ?? [])
    status.saidAt = UInt64(Date().timeIntervalSince1970 * 1e9)
    return status
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
