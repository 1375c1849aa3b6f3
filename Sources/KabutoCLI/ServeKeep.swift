// What a node of `kabuto serve` has kept besides ticks: what its tenants used, each minute; and how its configuration
// stands to the kept one. Stores make the streams, because they may. None of it is in the way of a price.

import Backbone
import Estate
import Foundation
import Gateway
import Logging
import Synchronization

/// See the head of this file.
final class ServeKeep: Sendable {
  private let place: ServeNode
  private let log: Logger
  private let rails: [(bus: NatsBus, domain: String?)]
  private let watch: ConfigurationWatch
  private let keeper: UsageKeeper?
  private let incarnation = UInt64(Date().timeIntervalSince1970 * 1e9)
  private let counted = Mutex<[String: TenantUsage]>([:])
  private let minutes = Mutex(UsageMinutes())
  private let task = Mutex<Task<Void, Never>?>(nil)
  private let stops = Atomic<Bool>(false)

  /// nil where no server keeps anything.
  init?(_ backbone: ServeBackbone, log: Logger) {
    rails = backbone.keepingRails
    guard !rails.isEmpty else { return nil }
    place = backbone.place
    self.log = log
    let own = backbone.place
    watch = ConfigurationWatch(rails: rails) { [log] state in Self.tell(state, own, log) }
    keeper =
      backbone.place.has(.gateway)
      ? UsageKeeper(node: backbone.place.node.name, buses: rails.map(\.bus)) : nil
  }

  func start(_ gateway: GatewayServer) throws(BusError) {
    try watch.start()
    if place.has(.store) { makeStreams() }
    guard let keeper else { return }
    try keeper.start()
    task.withLock { task in
      task = Task { [weak self] in
        while !Task.isCancelled {
          let now = Date().timeIntervalSince1970
          let rest = 60 - now.truncatingRemainder(dividingBy: 60)
          do { try await Task.sleep(for: .seconds(rest + 0.001)) } catch { return }
          // The minute that has just ended.
          guard let self else { return }
          let minute = minutes.withLock { $0.ended(at: Date().timeIntervalSince1970) }
          await keep(gateway, minute: minute)
        }
      }
    }
  }

  /// Keeps what was used since the last minute's end, and waits a moment for the answer; after the last client has gone.
  func stop(_ gateway: GatewayServer) async {
    stops.store(true, ordering: .relaxed)
    let running = task.withLock { $0 }
    running?.cancel()
    await running?.value
    if let keeper {
      let minute = minutes.withLock { $0.current(at: Date().timeIntervalSince1970) }
      await keep(gateway, minute: minute)
      await Task.detached { keeper.stop(seconds: 2) }.value
      let report = keeper.report
      if report.waiting > 0 || report.givenUp > 0 {
        log.warning(
          "usage that nobody has kept",
          metadata: [
            "minutes": "\(report.waiting)", "given_up": "\(report.givenUp)",
            "fault": "\(report.fault ?? "no answer")",
          ])
      }
    }
    await Task.detached { [watch] in watch.stop() }.value
  }

  private func keep(_ gateway: GatewayServer, minute: Int64) async {
    guard let keeper else { return }
    let figures = await gateway.usage()
    let used = counted.withLock { counted in
      figures.map { figure in
        defer { counted[figure.tenant] = figure }
        return figure.since(counted[figure.tenant] ?? TenantUsage(tenant: figure.tenant))
      }
    }
    keeper.keep(
      UsageRecord(
        node: place.node.name, incarnation: incarnation, minute: minute,
        tenants: used.filter { !$0.isNothing }.map(UsageRecord.Tenant.init)))
  }

  /// Tries until the streams are there.
  private func makeStreams() {
    for (bus, domain) in rails {
      Thread { [weak self] in
        while let keep = self, !keep.stops.load(ordering: .relaxed) {
          do throws(BusError) {
            try KeptUsage(bus: bus, domain: domain).ensure()
            try ConfigurationKeep(bus: bus, domain: domain).ensure()
            return
          } catch { keep.log.debug("\(error)") }
          sleep(2)
        }
      }.start()
    }
  }

  // MARK: - Configuration

  /// What status pages say.
  var configuration: ConfigurationReport { Self.report(watch.state, place) }

  static func report(_ state: ConfigurationWatch.State, _ place: ServeNode) -> ConfigurationReport {
    var report = ConfigurationReport(
      version: place.estate.version, hash: EstateCheckCommand.hexadecimal(place.configuration))
    switch state {
    case .unknown(let why): report.detail = why
    case .nothingKept: report.state = .none
    case .kept(let estate, let version, let configuration):
      report.keptVersion = version
      report.keptHash = EstateCheckCommand.hexadecimal(configuration)
      let isSame =
        estate == place.estate.name && version == place.estate.version && configuration == place.configuration
      report.state = isSame ? .same : .differs
      if !isSame {
        report.detail =
          estate != place.estate.name
          ? "node runs estate \(place.estate.name), kept is \(estate)"
          : version == place.estate.version
            ? "node runs version \(version) with other contents than the kept one"
            : "node runs version \(place.estate.version), kept is version \(version)"
      }
    }
    return report
  }

  private static func tell(_ state: ConfigurationWatch.State, _ place: ServeNode, _ log: Logger) {
    let report = report(state, place)
    switch report.state {
    case .differs:
      log.warning(
        "\(report.detail ?? "another configuration is kept")",
        metadata: [
          "hash": "\(report.hash)", "kept_hash": "\(report.keptHash ?? "")",
          "remedy": "bring the node's file to what `kabuto estate kept` prints, and start it anew",
        ])
    case .same: log.info("the kept configuration is this node's", metadata: ["version": "\(report.version)"])
    case .none, .unknown: break
    }
  }
}

extension UsageRecord.Tenant {
  init(_ usage: TenantUsage) {
    self.init(tenant: usage.tenant)
    requests = usage.requests
    streams = usage.streams
    streamMilliseconds = usage.streamMilliseconds
    messages = usage.messages
    bytes = usage.bytes
  }
}
