// Ways between zones against all ways there are, and what breaks against a search that knows nothing of the model's
// short cuts.

import TestChance
import Testing

@testable import Estate

@Suite struct RoutesTests {
  /// All ways without a zone twice, by trying every link at every zone.
  private static func allPaths(_ estate: Estate, from start: String, to end: String) -> [(
    standby: Int, latency: Int
  )] {
    var found: [(Int, Int)] = []
    func walk(_ zone: String, _ seen: [String], _ standby: Int, _ latency: Int) {
      if zone == end {
        found.append((standby, latency))
        return
      }
      for link in estate.links where link.from != link.to {
        for (a, b) in [(link.from, link.to), (link.to, link.from)] where a == zone && !seen.contains(b) {
          walk(
            b, seen + [b], standby + (link.role == .standby ? 1 : 0), latency + link.latencyMicroseconds)
        }
      }
    }
    walk(start, [start], 0, 0)
    return found
  }

  @Test func theWayIsTheBestOfAllWays() throws {
    try fuzz(rounds: 150) { round in
      var chance = Chance(round: round)
      let estate = chance.estate()
      let note: Comment = "\(seedNote) round \(round)"
      let parts = estate.routes().parts
      #expect(
        Set(parts.flatMap(\.self)) == Set(estate.zones) && parts.flatMap(\.self).count == estate.zones.count,
        note)
      for a in estate.zones {
        for b in estate.zones {
          let all = Self.allPaths(estate, from: a, to: b)
          let path = estate.path(from: a, to: b)
          #expect((path == nil) == all.isEmpty, note)
          #expect(parts.contains { $0.contains(a) && $0.contains(b) } == !all.isEmpty, note)
          guard let path, let best = all.min(by: { $0 < $1 }) else { continue }
          #expect(path.standbyLinks == best.standby && path.latencyMicroseconds == best.latency, note)
          #expect(
            path.zones.first == a && path.zones.last == b && path.zones.count == path.links.count + 1, note)
          // The links that it names lead where it says, and cost what it says.
          var sum = 0
          for (number, name) in path.links.enumerated() {
            let link = try #require(estate.links.first { $0.name == name }, note)
            #expect(Set([link.from, link.to]) == Set([path.zones[number], path.zones[number + 1]]), note)
            sum += link.latencyMicroseconds
          }
          #expect(sum == path.latencyMicroseconds, note)
        }
      }
    }
  }

  @Test func theWayBetweenTheSitesTakesWhatIsLeft() throws {
    let estate = try example("two-sites")
    #expect(estate.path(from: "tky-a", to: "osk-a")?.links == ["line-1", "port-1"])
    #expect(estate.path(from: "tky-a", to: "osk-a")?.latencyMicroseconds == 2_250)
    #expect(estate.path(from: "tky-b", to: "osk-b")?.links == ["tky-ab", "line-1", "port-1", "osk-ab"])
    #expect(
      estate.path(from: "tky-a", to: "tky-a")
        == LinkPath(zones: ["tky-a"], links: [], latencyMicroseconds: 0, standbyLinks: 0))
    #expect(estate.path(from: "tky-a", to: "nowhere") == nil)
    func left(_ failures: Failure...) -> [String]? {
      let loss = estate.loss(of: failures)
      return estate.routes(withoutZones: loss.zones, withoutLinks: loss.links).path(
        from: "tky-a", to: "osk-a")?.links
    }
    // The other carrier, and over the link between the locations to the port that is active.
    #expect(left(Failure(.carrier, "north")) == ["tky-ab", "line-2", "dx-12", "port-1"])
    #expect(left(Failure(.location, "dx-1")) == ["tky-ab", "line-2", "port-2", "osk-ab"])
    #expect(left(Failure(.link, "port-1")) == ["line-1", "dx-12", "port-2", "osk-ab"])
    #expect(left(Failure(.carrier, "south")) == ["line-1", "port-1"])
    #expect(left(Failure(.carrier, "north"), Failure(.carrier, "south")) == nil)
  }

  @Test func nearnessOrdersPlantsAndServers() throws {
    let estate = try example("two-sites")
    #expect(estate.nearness("tky-a", "tky-a") == .sameZone && estate.nearness("tky-a", "tky-b") == .sameSite)
    #expect(estate.nearness("tky-a", "osk-a") == .otherSite && estate.nearness("x", "y") == .otherSite)
    let gateway = try #require(estate.node(named: "gw-osk-b"))
    #expect(
      estate.plants(of: "XTKS", nearestTo: gateway).map(\.name) == [
        "plant-osk-b", "plant-osk-a", "plant-tky-a", "plant-tky-b",
      ])
    let servers = estate.servers(for: gateway)
    #expect(servers.map(\.rail) == ["a", "b"])
    #expect(
      servers.map { $0.servers.map(\.name) } == [
        ["nats-osk-a", "nats-tky-a"], ["nats-osk-b", "nats-tky-b"],
      ])
    #expect(estate.site(ofZone: "dx-1")?.kind == .location && estate.site(ofZone: "x") == nil)
    #expect(estate.node(named: "x") == nil && estate.market(code: "XTKS")?.timeZone == "Asia/Tokyo")
  }
}
