// What an estate says of a node's rails and of the plants that it may take, as this room wants it.

import Continuity
public import Estate
import Foundation

extension NatsSettings {
  /// The settings of a node for each rail of its estate, in the estate's order; none where there is no backbone.
  /// - Throws: `BusError` where a file with passwords can't be read or lacks the node.
  public static func rails(of node: Node, in estate: Estate) throws(BusError) -> [NatsSettings] {
    guard let backbone = estate.backbone else { return [] }
    var rails: [NatsSettings] = []
    for (rail, servers) in estate.servers(for: node) where !servers.isEmpty {
      var settings = NatsSettings(
        rail: rail, servers: servers.map { Server(host: $0.address, port: $0.port) }, name: node.name)
      func own(_ path: String) -> String { path.replacingOccurrences(of: "{node}", with: node.name) }
      if let authority = backbone.certificateAuthority {
        settings.tls = TLS(
          authority: own(authority), certificate: backbone.certificate.map(own), key: backbone.key.map(own))
      }
      if let credentials = backbone.credentials {
        try settings.readPassword(of: node.name, from: own(credentials))
      }
      settings.budgets = budgets(of: node, in: estate)
      rails.append(settings)
    }
    return rails
  }

  /// A system by its word, or as estates call it; nil: another user of the line than this program.
  static func system(named name: String) -> BusSystem? {
    switch name {
    case "prices": .px
    case "history": .keep
    case "feeds": .feed
    default: BusSystem.allCases.first { $0.name == name }
    }
  }

  /// Bytes a second by system: the most that a line from the node's site to another allows.
  static func budgets(of node: Node, in estate: Estate) -> [BusSystem: UInt64] {
    let zones = Set(estate.site(ofZone: node.zone)?.zones ?? [node.zone])
    var budgets: [BusSystem: UInt64] = [:]
    for link in estate.links where zones.contains(link.from) != zones.contains(link.to) {
      for (name, megabits) in link.budgets {
        guard let system = system(named: name) else { continue }
        budgets[system] = max(budgets[system] ?? 0, UInt64(max(0, megabits)) * 125_000)
      }
    }
    return budgets
  }
}

extension StreamReceiver.Candidate {
  /// Plants of a market as a node sees them, nearest first; the node's own comes first where it has one.
  public static func plants(
    of market: String, seenBy node: Node, in estate: Estate
  ) -> [StreamReceiver.Candidate] {
    estate.plants(of: market, nearestTo: node).map { plant in
      let isHere = plant.name == node.name || plant.address == node.address
      let nearness: Continuity.Nearness =
        switch estate.nearness(node.zone, plant.zone) {
        case .sameZone: isHere ? .sameHost : .sameZone
        case .sameSite: .sameSite
        case .otherSite: .otherSite
        }
      return StreamReceiver.Candidate(
        node: plant.name, site: estate.site(ofZone: plant.zone)?.name ?? "", zone: plant.zone,
        nearness: nearness)
    }
  }
}
