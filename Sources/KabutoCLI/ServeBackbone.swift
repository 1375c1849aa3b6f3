// The backbone of `kabuto serve`: a bus a rail, a publisher for each plant of this node, a receiver for each market
// that it has no plant of.

import Backbone
import Continuity
import Distribution
import Estate
import FeedHandler
import Foundation
import Gateway
import Logging
import MarketData
import Synchronization
import TickerPlant

/// See the head of this file.
final class ServeBackbone: Sendable {
  let place: ServeNode
  let buses: [NatsBus]
  private let log: Logger
  /// Another number after each start, so that others know a stream that began anew.
  private let incarnation = UInt64(Date().timeIntervalSince1970 * 1e9)

  /// Begins to connect; servers may come later.
  /// - Throws: `BusError` where passwords or certificates can't be used.
  init(_ place: ServeNode, log: Logger) throws(BusError) {
    self.place = place
    self.log = log
    var buses: [NatsBus] = []
    for settings in try NatsSettings.rails(of: place.node, in: place.estate) {
      buses.append(
        try NatsBus(settings) { level, text in Self.say(log, level, text, ["rail": "\(settings.rail)"]) })
    }
    self.buses = buses
  }

  static func say(_ log: Logger, _ level: BusLevel, _ text: String, _ metadata: Logger.Metadata) {
    switch level {
    case .info: log.info("\(text)", metadata: metadata)
    case .warning: log.warning("\(text)", metadata: metadata)
    case .error: log.error("\(text)", metadata: metadata)
    }
  }

  /// The publisher of this node's plant of a market. Where another plant said something else of the same messages, that
  /// is logged as an error, said in the node's beats, and the state is made anew, at most once in ten minutes.
  func publisher(
    market: String, relay: FeedRelay, lag: @escaping @Sendable () -> UInt64
  ) -> PlantPublisher {
    let rebuilds = RebuildLimit()
    return PlantPublisher(
      PlantPublisher.Configuration(
        market: market, node: place.node.name, configuration: place.configuration,
        incarnation: incarnation),
      buses: buses, lag: lag,
      found: { [log] found in
        let rebuilds = rebuilds.take(at: DispatchTime.now().uptimeNanoseconds)
        log.error(
          "plants differ",
          metadata: [
            "market": "\(market)", "node": "\(found.node)", "epoch": "\(found.epoch)",
            "instruments":
              "\(found.difference.instruments.prefix(10).map(\.description).joined(separator: " "))",
            "seq": "\(found.difference.sequence.map(String.init) ?? "unknown")",
            "what": "\(found.difference)",
            "remedy":
              "\(rebuilds ? "the state is made anew" : "the state was made anew within ten minutes; look at both feeds")",
          ])
        if rebuilds { relay.rebuild() }
      })
  }

  /// The receiver of a market of which this node has no plant.
  func receiver(market: String, rings: [UpdateRing], tag: UInt32) -> StreamReceiver {
    return StreamReceiver(
      StreamReceiver.Configuration(
        market: market, node: place.node.name,
        candidates: StreamReceiver.Candidate.plants(of: market, seenBy: place.node, in: place.estate),
        streams: place.node.streams, configuration: place.configuration),
      buses: buses,
      outlets: StreamReceiver.Outlets(rings: rings, tag: tag) { [log] level, text in
        Self.say(log, level, text, ["market": "\(market)"])
      })
  }

  /// Rails of which a server keeps streams: their buses.
  private var keepers: [NatsBus] {
    let rails = Set((place.estate.backbone?.servers ?? []).filter(\.keepsStreams).map(\.rail))
    return buses.filter { rails.contains($0.rail) }
  }

  /// What keeps the ticks of this node's plant of a market: one a rail that keeps.
  func keepers(market: String) -> [TickKeeper] {
    keepers.map {
      TickKeeper(
        market: market, node: place.node.name, configuration: place.configuration, bus: $0)
    }
  }

  /// How a store without a plant gets what was kept while it was away; nil where nothing is kept. A server's JetStream
  /// domain is its rail (`ServerConfiguration`).
  func catchUp(market: String, ring: UpdateRing, tag: UInt32) -> StoreCatchUp? {
    guard place.has(.store), let bus = keepers.first else { return nil }
    return StoreCatchUp(
      market: market, store: place.node.name, configuration: place.configuration, bus: bus, domain: bus.rail,
      ring: ring, tag: tag
    ) { [log] level, text in Self.say(log, level, text, ["market": "\(market)"]) }
  }

  /// What this node's plant of a market gives to other plants, and takes from them.
  func feedLine(market: String) -> FeedLine {
    let peers = place.estate.plants(of: market, nearestTo: place.node).map(\.name)
      .filter { $0 != place.node.name }
    return FeedLine(market: market, node: place.node.name, peers: peers, buses: buses)
  }

  /// What went over the rails, as status pages show it.
  var rails: [RailReport] { buses.map { RailReport($0.report) } }

  func close() { for bus in buses { bus.close() } }
}

/// A state is made anew at most once in ten minutes: what differs again is not this plant's fault alone.
final class RebuildLimit: Sendable {
  private static let pause: UInt64 = 600_000_000_000
  private let last = Mutex<UInt64?>(nil)

  /// Whether it may be now; nanoseconds of a clock that only goes forward.
  func take(at now: UInt64) -> Bool {
    last.withLock { last in
      if let last, now &- last < Self.pause { return false }
      last = now
      return true
    }
  }
}

extension RailReport {
  /// A bus's account as status pages show it.
  init(_ report: BusReport) {
    self.init(
      rail: report.rail, state: report.state, isConnected: report.isConnected, reconnects: report.reconnects,
      waitingBytes: UInt64(max(0, report.waitingBytes)), fault: report.fault,
      systems: report.systems.map { figures in
        var system = System(system: figures.system)
        system.messagesIn = figures.messagesIn
        system.bytesIn = figures.bytesIn
        system.messagesOut = figures.messagesOut
        system.bytesOut = figures.bytesOut
        system.dropped = figures.dropped
        system.lostIn = figures.lostIn
        system.overBudget = figures.overBudget
        system.budget = figures.budget
        system.exceeds = figures.exceeds
        return system
      })
  }
}

extension Gateway.PathReport {
  /// A path as status pages show it.
  init(_ path: Backbone.PathReport) {
    let nearness: Distribution.Nearness =
      switch path.nearness {
      case .sameHost, .sameZone: .sameZone
      case .sameSite: .sameSite
      case .otherSite: .otherSite
      }
    self.init(
      market: path.market, stream: path.node, rail: path.rail, site: path.site, zone: path.zone,
      nearness: nearness, state: path.state,
      // Of a stream that was never heard there is no position.
      through: path.state == "unheard" ? nil : path.through,
      lagNanoseconds: path.state == "unheard" ? nil : path.lag, heardNanoseconds: path.quietNanoseconds,
      isUsed: path.isUsed, why: path.reason, whyKey: path.reasonKey)
  }
}
