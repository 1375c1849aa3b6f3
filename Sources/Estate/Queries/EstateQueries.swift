// What others ask of an estate: who stands where, how near, and in which order to choose.

/// How near two zones are: the order in which streams and servers are chosen.
public enum Nearness: Int, Sendable, Comparable, CaseIterable {
  /// The same zone.
  case sameZone
  /// Another zone of the same site.
  case sameSite
  /// Another site.
  case otherSite

  /// Nearer.
  public static func < (a: Nearness, b: Nearness) -> Bool { a.rawValue < b.rawValue }
}

extension Estate {
  /// The node of a name.
  public func node(named name: String) -> Node? { nodes.first { $0.name == name } }

  /// The market of a code.
  public func market(code: String) -> Market? { markets.first { $0.code == code } }

  /// The site that has a zone.
  public func site(ofZone zone: String) -> Site? { sites.first { $0.zones.contains(zone) } }

  /// All zones, in the order of the file.
  public var zones: [String] { sites.flatMap(\.zones) }

  /// How near two zones are.
  public func nearness(_ a: String, _ b: String) -> Nearness {
    if a == b { return .sameZone }
    guard let site = site(ofZone: a), site.zones.contains(b) else { return .otherSite }
    return .sameSite
  }

  /// Codes of the markets that a node carries, in the order of the estate.
  public func markets(of node: Node) -> [String] {
    markets.map(\.code).filter { node.markets.isEmpty || node.markets.contains($0) }
  }

  /// Nodes that are plants of a market, in the order of the file.
  public func plants(of market: String) -> [Node] {
    nodes.filter { $0.roles.contains(.plant) && ($0.markets.isEmpty || $0.markets.contains(market)) }
  }

  /// Plants of a market in the order in which a node takes them: itself, its zone, its site, then other sites by
  /// latency; among equals the order of the file. Those of other sites stand in the same order for all nodes of a site,
  /// so that they take the same one and a value crosses once.
  public func plants(of market: String, nearestTo node: Node) -> [Node] {
    Self.first(
      node.name, of: plants(of: market, nearestTo: node.zone, latencies(seenFrom: node.zone, routes())))
  }

  /// The same for any node of a zone that is no plant itself.
  func plants(of market: String, nearestTo zone: String, _ latencies: [String: Int]) -> [Node] {
    plants(of: market).enumerated().map { place, plant in
      ((nearness(zone, plant.zone).rawValue, latencies[plant.zone] ?? Int.max, place), plant)
    }.sorted { $0.0 < $1.0 }.map(\.1)
  }

  /// Latencies from a zone to those of its site, and from its site as a whole to other sites as a whole: the least
  /// between any two of their zones.
  func latencies(seenFrom zone: String, _ routes: Routes) -> [String: Int] {
    var latencies = routes.latencies(from: zone)
    guard let own = site(ofZone: zone) else { return latencies }
    let fromSite = own.zones.map { routes.latencies(from: $0) }
    for other in sites where other.name != own.name {
      let least = other.zones.flatMap { far in fromSite.compactMap { $0[far] } }.min()
      for far in other.zones { latencies[far] = least }
    }
    return latencies
  }

  /// The nodes with the one of a name before all others.
  static func first(_ name: String, of nodes: [Node]) -> [Node] {
    guard let place = nodes.firstIndex(where: { $0.name == name }), place > 0 else { return nodes }
    var nodes = nodes
    nodes.insert(nodes.remove(at: place), at: 0)
    return nodes
  }

  /// Names of the rails, in the order of the file.
  public var rails: [String] {
    var rails: [String] = []
    for server in backbone?.servers ?? [] where !rails.contains(server.rail) { rails.append(server.rail) }
    return rails
  }

  /// Whether a server carries messages between nodes: it doesn't if it keeps streams for others of its rail.
  public func isCarrier(_ server: BackboneDescription.Server) -> Bool {
    !server.keepsStreams || (backbone?.servers ?? []).count { $0.rail == server.rail } == 1
  }

  /// Servers of a rail to which nodes connect, in the order of the file.
  public func carriers(ofRail rail: String) -> [BackboneDescription.Server] {
    (backbone?.servers ?? []).filter { $0.rail == rail && isCarrier($0) }
  }

  /// For each rail the servers to which a node connects, nearest first: to the first of each that answers.
  public func servers(for node: Node) -> [(rail: String, servers: [BackboneDescription.Server])] {
    let latencies = routes().latencies(from: node.zone)
    return rails.map { rail in
      let servers = carriers(ofRail: rail).enumerated().map { place, server in
        ((nearness(node.zone, server.zone).rawValue, latencies[server.zone] ?? Int.max, place), server)
      }
      return (rail, servers.sorted { $0.0 < $1.0 }.map(\.1))
    }
  }
}

extension Node {
  /// Where it is asked over HTTP, without a path: `http://10.0.1.5:8080`, an IPv6 address in brackets.
  public var url: String { "http://\(address.contains(":") ? "[\(address)]" : address):\(port)" }
}
