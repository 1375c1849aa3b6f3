// What fails together, and what would break if it did. A gateway takes as many streams of each market as it merges,
// nearest first, of the plants that it can reach: in the same process, or over a rail with a living server in the same
// part of the network.

/// Something that can be lost.
public struct Failure: Sendable, Hashable {
  /// What kind of thing.
  public enum Kind: String, Sendable, CaseIterable {
    /// A whole site.
    case site
    /// A zone.
    case zone
    /// All lines of a carrier.
    case carrier
    /// All lines that are handed over at a location.
    case location
    /// All servers of a rail.
    case rail
    /// One line.
    case link
    /// One message server.
    case server
    /// One node.
    case node
  }

  /// What kind of thing.
  public var kind: Kind
  /// Its name.
  public var name: String

  /// A loss.
  public init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }
}

/// What a loss takes with it directly.
public struct Loss: Sendable, Equatable {
  /// Zones that are dark.
  public var zones: Set<String> = []
  /// Links that are down.
  public var links: Set<String> = []
  /// Message servers that are gone.
  public var servers: Set<String> = []
  /// Nodes that are gone.
  public var nodes: Set<String> = []

  /// Nothing is lost.
  public init() {}
}

/// What becomes of a gateway's streams of a market.
public struct StreamChange: Sendable, Equatable {
  /// How bad it is.
  public enum Effect: Int, Sendable, Comparable {
    /// The same plants as before.
    case unchanged
    /// A stream is lost, another is still taken: no value is missed.
    case thinner
    /// All streams that were taken are lost, others are taken: a switch.
    case switched
    /// No plant can be reached.
    case lost

    /// Less bad.
    public static func < (a: Effect, b: Effect) -> Bool { a.rawValue < b.rawValue }
  }

  /// The gateway.
  public var gateway: String
  /// The market's code.
  public var market: String
  /// Plants that it takes while all is well.
  public var before: [String]
  /// Plants that it would take.
  public var after: [String]
  /// How near the first of them is; nil: there is none.
  public var nearness: Nearness?

  /// How bad it is.
  public var effect: Effect {
    if after.isEmpty { return before.isEmpty ? .unchanged : .lost }
    if before.allSatisfy(after.contains) { return .unchanged }
    return before.contains(where: after.contains) ? .thinner : .switched
  }
}

/// How traffic between two sites goes.
public struct SiteWay: Sendable, Equatable {
  /// A site.
  public var from: String
  /// Another.
  public var to: String
  /// The best way between any of their zones while all is well; nil: there is none.
  public var before: LinkPath?
  /// The best way that is left.
  public var after: LinkPath?
}

/// What would break.
public struct Consequences: Sendable, Equatable {
  /// What goes with it directly.
  public var loss: Loss
  /// Streams of gateways that live, in the order of the file.
  public var streams: [StreamChange] = []
  /// Services that stop.
  public var stoppedServices: [String] = []
  /// Services that lose some of their nodes.
  public var thinnerServices: [String] = []
  /// Databases without any copy that can be reached.
  public var lostDatabases: [String] = []
  /// Ways between sites that change or end.
  public var ways: [SiteWay] = []
  /// Zones that live but are apart from the part of the network with the most nodes.
  public var zonesCutOff: [String] = []
}

extension Estate {
  /// All that can be lost, groups first.
  public var failures: [Failure] {
    var found: [Failure] = []
    func add(_ kind: Failure.Kind, _ names: [String]) {
      var seen: Set<String> = []
      found += names.filter { seen.insert($0).inserted }.map { Failure(kind, $0) }
    }
    add(.site, sites.filter { $0.kind != .location }.map(\.name))
    add(.zone, sites.filter { $0.kind != .location }.flatMap(\.zones))
    add(.carrier, links.compactMap(\.carrier))
    add(.location, sites.filter { $0.kind == .location }.map(\.name) + links.compactMap(\.location))
    add(.rail, rails)
    add(.link, links.map(\.name))
    add(.server, (backbone?.servers ?? []).map(\.name))
    add(.node, nodes.map(\.name))
    return found
  }

  /// What goes with losses directly: a dark zone takes its nodes, servers and ends of lines with it.
  public func loss(of failures: [Failure]) -> Loss {
    var loss = Loss()
    let servers = backbone?.servers ?? []
    for failure in failures {
      let name = failure.name
      switch failure.kind {
      case .site: loss.zones.formUnion(sites.first { $0.name == name }?.zones ?? [])
      case .zone: loss.zones.insert(name)
      case .carrier: loss.links.formUnion(links.filter { $0.carrier == name }.map(\.name))
      case .location:
        loss.links.formUnion(links.filter { $0.location == name }.map(\.name))
        loss.zones.formUnion(sites.first { $0.kind == .location && $0.name == name }?.zones ?? [])
      case .rail: loss.servers.formUnion(servers.filter { $0.rail == name }.map(\.name))
      case .link: loss.links.insert(name)
      case .server: loss.servers.insert(name)
      case .node: loss.nodes.insert(name)
      }
    }
    loss.links.formUnion(
      links.filter { loss.zones.contains($0.from) || loss.zones.contains($0.to) }.map(\.name))
    loss.servers.formUnion(servers.filter { loss.zones.contains($0.zone) }.map(\.name))
    loss.nodes.formUnion(nodes.filter { loss.zones.contains($0.zone) }.map(\.name))
    return loss
  }

  /// What would break.
  public func consequences(of failures: [Failure]) -> Consequences {
    FailureAnalysis(self).consequences(of: failures)
  }
}

/// Answers what would break, many times for one estate.
public struct FailureAnalysis {
  private let estate: Estate
  private let whole: Reach
  /// Plants in the order of a zone, by zone and market.
  private var orders: [[String]: [Node]] = [:]
  private var ways: [SiteWay] = []

  /// Learns what there is while all is well.
  public init(_ estate: Estate) {
    self.estate = estate
    whole = Reach(estate, Loss())
    let routes = estate.routes()
    for zone in Set(estate.nodes.filter { $0.roles.contains(.gateway) }.map(\.zone)) {
      let latencies = estate.latencies(seenFrom: zone, routes)
      for market in estate.markets.map(\.code) {
        orders[[zone, market]] = estate.plants(of: market, nearestTo: zone, latencies)
      }
    }
    let sites = estate.sites.filter { $0.kind != .location }
    for (number, site) in sites.enumerated() {
      for other in sites.dropFirst(number + 1) {
        ways.append(SiteWay(from: site.name, to: other.name, before: Self.way(site, other, routes)))
      }
    }
  }

  private static func way(_ a: Site, _ b: Site, _ routes: Routes) -> LinkPath? {
    a.zones.flatMap { from in b.zones.compactMap { routes.path(from: from, to: $0) } }.min {
      ($0.standbyLinks, $0.latencyMicroseconds, $0.links.count)
        < ($1.standbyLinks, $1.latencyMicroseconds, $1.links.count)
    }
  }

  /// What would break.
  public func consequences(of failures: [Failure]) -> Consequences {
    let loss = estate.loss(of: failures)
    let left = Reach(estate, loss)
    var result = Consequences(loss: loss)
    var blind: Set<String> = []
    for gateway in estate.nodes where gateway.roles.contains(.gateway) && !loss.nodes.contains(gateway.name) {
      for market in estate.markets(of: gateway) {
        let order = Estate.first(gateway.name, of: orders[[gateway.zone, market]] ?? [])
        // Of other sites one alone: what it takes crosses once.
        func taken(_ reach: Reach) -> [Node] {
          let heard = order.filter { reach.hears(gateway, $0) }
          let near = heard.filter { estate.nearness(gateway.zone, $0.zone) != .otherSite }
          let far = heard.first { estate.nearness(gateway.zone, $0.zone) == .otherSite }
          return Array((near + [far].compactMap(\.self)).prefix(max(1, gateway.streams)))
        }
        let (before, after) = (taken(whole), taken(left))
        let change = StreamChange(
          gateway: gateway.name, market: market, before: before.map(\.name), after: after.map(\.name),
          nearness: after.first.map { estate.nearness(gateway.zone, $0.zone) })
        if change.effect == .lost { blind.insert(gateway.name) }
        result.streams.append(change)
      }
    }
    let names = Set(estate.nodes.map(\.name))
    result.lostDatabases = estate.databases.filter { database in
      !database.zones.contains { copy in
        names.contains(copy) ? !loss.nodes.contains(copy) : !loss.zones.contains(copy)
      }
    }.map(\.name)
    let services = ServiceHealth(estate, loss, blind: blind, lostDatabases: Set(result.lostDatabases))
    result.stoppedServices = services.stopped
    result.thinnerServices = services.thinner
    result.zonesCutOff = left.zonesCutOff
    if !loss.links.isEmpty || !loss.zones.isEmpty {
      let routes = estate.routes(withoutZones: loss.zones, withoutLinks: loss.links)
      for var way in ways {
        guard let a = estate.sites.first(where: { $0.name == way.from }),
          let b = estate.sites.first(where: { $0.name == way.to })
        else { continue }
        // Of a site that is dark as a whole there is nothing to say.
        if a.zones.allSatisfy(loss.zones.contains) || b.zones.allSatisfy(loss.zones.contains) { continue }
        way.after = Self.way(a, b, routes)
        if way.after != way.before { result.ways.append(way) }
      }
    }
    return result
  }
}

/// Who hears whom after a loss.
private struct Reach {
  private var part: [String: Int] = [:]
  private let nodesLost: Set<String>
  private var rails: [Rail] = []
  private(set) var zonesCutOff: [String] = []

  /// A rail's living servers.
  private struct Rail {
    /// Parts of the network in which all that live hear each other.
    var joined: Set<Int> = []
    /// The site of the server to which nodes of a zone connect.
    var attached: [String: String] = [:]
  }

  init(_ estate: Estate, _ loss: Loss) {
    let routes = estate.routes(withoutZones: loss.zones, withoutLinks: loss.links)
    let parts = routes.parts
    for (number, zones) in parts.enumerated() { for zone in zones { part[zone] = number } }
    nodesLost = loss.nodes
    for name in estate.rails {
      let all = estate.carriers(ofRail: name)
      let living = all.filter { !loss.servers.contains($0.name) }
      var rail = Rail()
      // With leaf nodes only the first site's servers join the others.
      let hubSite =
        estate.backbone?.betweenSites == .leafnodes
        ? estate.sites.first { site in all.contains { site.zones.contains($0.zone) } } : nil
      for server in living where hubSite?.zones.contains(server.zone) ?? true {
        if let number = part[server.zone] { rail.joined.insert(number) }
      }
      if hubSite != nil {
        for zone in Set(estate.nodes.map(\.zone)) {
          let latencies = routes.latencies(from: zone)
          let nearest = living.filter { latencies[$0.zone] != nil }.min {
            (estate.nearness(zone, $0.zone).rawValue, latencies[$0.zone] ?? 0)
              < (estate.nearness(zone, $1.zone).rawValue, latencies[$1.zone] ?? 0)
          }
          rail.attached[zone] = nearest.flatMap { estate.site(ofZone: $0.zone)?.name }
        }
      }
      rails.append(rail)
    }
    // The part where most of the work is; of equal ones the first.
    let sizes = parts.map { zones in
      estate.nodes.count { zones.contains($0.zone) && !loss.nodes.contains($0.name) }
    }
    let most = sizes.max() ?? 0
    let main = sizes.firstIndex(of: most)
    zonesCutOff = parts.enumerated().filter { $0.offset != main }.flatMap(\.element)
  }

  func hears(_ gateway: Node, _ plant: Node) -> Bool {
    guard !nodesLost.contains(gateway.name), !nodesLost.contains(plant.name) else { return false }
    if gateway.name == plant.name { return true }
    guard let place = part[gateway.zone], place == part[plant.zone] else { return false }
    return rails.contains { rail in
      if rail.joined.contains(place) { return true }
      guard let site = rail.attached[gateway.zone] else { return false }
      return site == rail.attached[plant.zone]
    }
  }
}

/// Which services work: one living node is enough, but all needs must work.
private struct ServiceHealth {
  private(set) var stopped: [String] = []
  private(set) var thinner: [String] = []

  init(_ estate: Estate, _ loss: Loss, blind: Set<String>, lostDatabases: Set<String>) {
    var down: Set<String> = []
    var less: Set<String> = []
    for service in estate.services where !service.nodes.isEmpty {
      let able = service.nodes.filter { !loss.nodes.contains($0) && !blind.contains($0) }
      if able.isEmpty {
        down.insert(service.name)
      } else if able.count < service.nodes.count {
        less.insert(service.name)
      }
    }
    var grows = true
    while grows {
      grows = false
      for service in estate.services where !down.contains(service.name) {
        if service.needs.contains(where: { down.contains($0) || lostDatabases.contains($0) }) {
          down.insert(service.name)
          grows = true
        }
      }
    }
    stopped = estate.services.map(\.name).filter(down.contains)
    thinner = estate.services.map(\.name).filter { less.contains($0) && !down.contains($0) }
  }
}
