// Ways between zones over links: as the routers go, active lines before standby ones, then the lowest latency.

/// A way between two zones.
public struct LinkPath: Sendable, Equatable {
  /// The zones on the way, both ends among them.
  public var zones: [String]
  /// Names of the links between them.
  public var links: [String]
  /// One way over all links, microseconds; within one zone 0.
  public var latencyMicroseconds: Int
  /// How many of the links are standby ones.
  public var standbyLinks: Int
}

/// Which zones and links there are, for questions about ways between them.
public struct Routes: Sendable {
  private let zones: [String]
  private let index: [String: Int]
  /// For each zone: the zone at the other end, and the link.
  private let neighbours: [[(zone: Int, link: Link)]]

  /// Zones and links of an estate, but for some.
  init(_ estate: Estate, withoutZones lostZones: Set<String>, withoutLinks lostLinks: Set<String>) {
    var zones: [String] = []
    var index: [String: Int] = [:]
    for zone in estate.zones where !lostZones.contains(zone) && index[zone] == nil {
      index[zone] = zones.count
      zones.append(zone)
    }
    var neighbours = [[(zone: Int, link: Link)]](repeating: [], count: zones.count)
    for link in estate.links where !lostLinks.contains(link.name) {
      guard let a = index[link.from], let b = index[link.to], a != b else { continue }
      neighbours[a].append((b, link))
      neighbours[b].append((a, link))
    }
    self.zones = zones
    self.index = index
    self.neighbours = neighbours
  }

  /// What a way costs: standby links first, then latency, then links.
  private typealias Cost = (standby: Int, latency: Int, hops: Int)

  /// The best ways from a zone to all others: what they cost, and the last step of each.
  private func search(from first: Int) -> (cost: [Cost?], before: [(zone: Int, link: Link)?]) {
    // Zones are few: the nearest open one is looked for by going over all of them.
    var cost = [Cost?](repeating: nil, count: zones.count)
    var before = [(zone: Int, link: Link)?](repeating: nil, count: zones.count)
    var isDone = [Bool](repeating: false, count: zones.count)
    cost[first] = (0, 0, 0)
    while true {
      var nearest: Int?
      for zone in zones.indices where !isDone[zone] {
        guard let own = cost[zone] else { continue }
        if let best = nearest, let least = cost[best], least <= own { continue }
        nearest = zone
      }
      guard let zone = nearest, let reached = cost[zone] else { return (cost, before) }
      isDone[zone] = true
      for (other, link) in neighbours[zone] where !isDone[other] {
        let candidate: Cost = (
          reached.standby + (link.role == .standby ? 1 : 0), reached.latency + link.latencyMicroseconds,
          reached.hops + 1
        )
        if let known = cost[other], known <= candidate { continue }
        cost[other] = candidate
        before[other] = (zone, link)
      }
    }
  }

  /// The way that carries between two zones; nil: there is none.
  public func path(from start: String, to end: String) -> LinkPath? {
    guard let first = index[start], let last = index[end] else { return nil }
    let (cost, before) = search(from: first)
    guard let reached = cost[last] else { return nil }
    var path = LinkPath(
      zones: [end], links: [], latencyMicroseconds: reached.latency, standbyLinks: reached.standby)
    var zone = last
    while zone != first, let step = before[zone] {
      path.links.append(step.link.name)
      path.zones.append(zones[step.zone])
      zone = step.zone
    }
    path.links.reverse()
    path.zones.reverse()
    return path
  }

  /// Latencies, one way and in microseconds, of the ways from a zone to all that it reaches.
  public func latencies(from start: String) -> [String: Int] {
    guard let first = index[start] else { return [:] }
    var latencies: [String: Int] = [:]
    for (zone, cost) in zip(zones, search(from: first).cost) { latencies[zone] = cost?.latency }
    return latencies
  }

  /// Groups of zones that reach each other, in the order of the file.
  public var parts: [[String]] {
    var part = [Int?](repeating: nil, count: zones.count)
    var count = 0
    for start in zones.indices where part[start] == nil {
      part[start] = count
      var waiting = [start]
      while let zone = waiting.popLast() {
        for (other, _) in neighbours[zone] where part[other] == nil {
          part[other] = count
          waiting.append(other)
        }
      }
      count += 1
    }
    var parts = [[String]](repeating: [], count: count)
    for zone in zones.indices { if let number = part[zone] { parts[number].append(zones[zone]) } }
    return parts
  }
}

extension Estate {
  /// The ways of this estate, as if some zones and links weren't there.
  public func routes(withoutZones zones: Set<String> = [], withoutLinks links: Set<String> = []) -> Routes {
    Routes(self, withoutZones: zones, withoutLinks: links)
  }

  /// The way that carries between two zones; nil: there is none.
  public func path(from start: String, to end: String) -> LinkPath? { routes().path(from: start, to: end) }
}
