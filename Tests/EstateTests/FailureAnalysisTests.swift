// What would break: known answers on the two-site estate, and any estate against a naive search.

import TestChance
import Testing

@testable import Estate

@Suite struct FailureAnalysisTests {
  @Test func lossesOfTheTwoSiteEstateAreWhatPeopleExpect() throws {
    let estate = try example("two-sites")
    func broken(_ failures: Failure...) -> Consequences { estate.consequences(of: failures) }
    func effects(_ result: Consequences) -> [String] {
      result.streams.map { "\($0.gateway) \($0.effect) \($0.after.joined(separator: " "))" }
    }

    func site(_ result: Consequences) -> [String]? { result.ways.first?.after?.links }

    let nothing = broken()
    #expect(
      nothing.streams.allSatisfy {
        $0.effect == .unchanged && $0.after.count == 2 && $0.nearness == .sameZone
      })
    #expect(nothing.loss == Loss() && nothing.stoppedServices == [] && nothing.zonesCutOff == [])

    let plant = broken(Failure(.node, "plant-tky-a"))
    #expect(
      effects(plant) == [
        "gw-tky-a thinner plant-tky-b plant-osk-a", "gw-tky-b thinner plant-tky-b plant-osk-a",
        "gw-osk-a unchanged plant-osk-a plant-osk-b", "gw-osk-b unchanged plant-osk-b plant-osk-a",
      ])
    #expect(plant.streams[0].nearness == .sameSite && plant.thinnerServices == ["prices"])

    let zone = broken(Failure(.zone, "tky-a"))
    #expect(
      zone.loss.nodes == ["plant-tky-a", "gw-tky-a"] && zone.loss.servers == ["nats-tky-a", "keep-tky"])
    #expect(zone.loss.links == ["tky-ab", "line-1"] && zone.zonesCutOff == [])
    // The other zone has rail b, and the standby line.
    #expect(effects(zone)[0] == "gw-tky-b thinner plant-tky-b plant-osk-a")

    let both = broken(Failure(.node, "plant-tky-a"), Failure(.node, "plant-tky-b"))
    #expect(
      effects(both)[0] == "gw-tky-a switched plant-osk-a"
        && both.streams[0].nearness == .otherSite)

    let apart = broken(Failure(.carrier, "north"), Failure(.carrier, "south"))
    // Both sites have four nodes: the one that the file names first is the main part, with nobody at the locations.
    #expect(apart.zonesCutOff == ["osk-a", "osk-b", "dx-1", "dx-2"])
    #expect(apart.streams.allSatisfy { $0.effect == .unchanged } && apart.stoppedServices == [])

    #expect(apart.ways.map(\.after) == [nil] && site(broken(Failure(.carrier, "south"))) == nil)
    #expect(site(broken(Failure(.carrier, "north"))) == ["line-2", "dx-12", "port-1"])
    #expect(site(broken(Failure(.site, "osaka"))) == nil && plant.ways == [])

    #expect(broken(Failure(.rail, "a")).streams.allSatisfy { $0.effect == .unchanged })
    let rails = broken(Failure(.rail, "a"), Failure(.rail, "b"))
    #expect(rails.streams.allSatisfy { $0.effect == .lost } && rails.stoppedServices == ["quotes"])

    let tokyo = broken(Failure(.site, "tokyo"))
    #expect(tokyo.loss.nodes.count == 4 && tokyo.streams.count == 2 && tokyo.zonesCutOff == [])
    #expect(
      broken(Failure(.location, "dx-1")).loss
        == {
          var loss = Loss()
          loss.zones = ["dx-1"]
          loss.links = ["line-1", "port-1", "dx-12"]
          return loss
        }())
    #expect(broken(Failure(.server, "keep-tky")).streams.allSatisfy { $0.effect == .unchanged })
    let plants = estate.nodes.prefix(4).map { Failure(.node, $0.name) }
    let all = estate.consequences(of: plants)
    #expect(all.stoppedServices == ["prices", "quotes"] && all.lostDatabases == ["history"])
    #expect(all.streams.allSatisfy { $0.effect == .lost && $0.nearness == nil })
  }

  @Test func everythingThatCanBeLostIsListedOnce() throws {
    let estate = try example("two-sites")
    #expect(Set(estate.failures).count == estate.failures.count)
    #expect(estate.failures.prefix(2).map(\.name) == ["tokyo", "osaka"])
    #expect(estate.failures.filter { $0.kind == .location }.map(\.name) == ["dx-1", "dx-2"])
    #expect(estate.failures.count == 2 + 4 + 2 + 2 + 2 + 7 + 6 + 8)
    for failure in estate.failures { #expect(estate.loss(of: [failure]) != Loss(), "\(failure)") }
  }

  @Test func theEmbeddedEstateHearsItself() throws {
    let estate = try example("embedded")
    #expect(estate.consequences(of: []).streams.map(\.after) == [["kabuto"]])
    let lost = estate.consequences(of: [Failure(.node, "kabuto")])
    #expect(lost.stoppedServices == ["quotes"] && lost.lostDatabases == ["prices"] && lost.streams == [])
  }

  @Test func leafNodesNeedTheirHub() throws {
    var estate = try example("two-sites")
    estate.backbone?.betweenSites = .leafnodes
    estate.sites.append(Site(name: "nagoya", zones: ["ngo"]))
    estate.links.append(Link(name: "ngo-osk", from: "ngo", to: "osk-a", latencyMicroseconds: 900))
    for rail in ["a", "b"] {
      estate.backbone?.servers.append(
        BackboneDescription.Server(
          name: "nats-ngo-\(rail)", zone: "ngo", rail: rail, address: "10.3.1.1\(rail)"))
    }
    estate.nodes.append(Node(name: "gw-ngo", zone: "ngo", address: "10.3.1.31", roles: [.gateway]))
    func takes(_ failures: [Failure]) -> [String]? {
      estate.consequences(of: failures).streams.first { $0.gateway == "gw-ngo" }?.after
    }
    #expect(takes([]) == ["plant-osk-a"])
    #expect(takes([Failure(.server, "nats-tky-a")]) == ["plant-osk-a"])
    // The line to Osaka is there, but nothing joins the rails of the two sites. Tokyo's nodes go to what is nearest to
    // them: of rail b that is Nagoya's server.
    let hubs = [Failure(.server, "nats-tky-a"), Failure(.server, "nats-tky-b")]
    #expect(takes(hubs) == ["plant-tky-a"])
    #expect(takes([Failure(.site, "tokyo")]) == [])
    // Who has no server at home is a guest of the same servers as the others.
    #expect(takes(hubs + [Failure(.server, "nats-ngo-a")]) == ["plant-osk-a"])
    estate.backbone?.betweenSites = .gateways
    #expect(takes(hubs) == ["plant-osk-a"] && takes([Failure(.site, "tokyo")]) == ["plant-osk-a"])
  }

  /// Zones that a zone reaches, by trying links until nothing new turns up.
  private static func reached(_ zone: String, _ estate: Estate, _ loss: Loss) -> Set<String> {
    guard !loss.zones.contains(zone) else { return [] }
    var reached: Set<String> = [zone]
    var grows = true
    while grows {
      grows = false
      for link in estate.links where !loss.links.contains(link.name) {
        for (a, b) in [(link.from, link.to), (link.to, link.from)]
        where reached.contains(a) && !reached.contains(b) && !loss.zones.contains(b) {
          reached.insert(b)
          grows = true
        }
      }
    }
    return reached
  }

  @Test func anyLossAgreesWithANaiveSearch() {
    fuzz(rounds: 150) { round in
      var chance = Chance(round: round)
      var estate = chance.estate()
      estate.backbone?.betweenSites = .gateways
      let all = estate.failures
      let failures = (0..<chance.below(3)).map { _ in chance.pick(all) }
      let result = estate.consequences(of: failures)
      let loss = result.loss
      let note: Comment = "\(seedNote) round \(round): \(failures)\n\(EstateText.write(estate))"
      var expected: [(String, String, Set<String>)] = []
      for gateway in estate.nodes where gateway.roles.contains(.gateway) && !loss.nodes.contains(gateway.name)
      {
        let reached = Self.reached(gateway.zone, estate, loss)
        let hasServer = (estate.backbone?.servers ?? []).contains {
          !loss.servers.contains($0.name) && reached.contains($0.zone) && estate.isCarrier($0)
        }
        for market in estate.markets.map(\.code)
        where gateway.markets.isEmpty || gateway.markets.contains(market) {
          let heard = estate.nodes.filter { plant in
            plant.roles.contains(.plant) && (plant.markets.isEmpty || plant.markets.contains(market))
              && !loss.nodes.contains(plant.name)
              && (plant.name == gateway.name || (hasServer && reached.contains(plant.zone)))
          }
          expected.append((gateway.name, market, Set(heard.map(\.name))))
        }
      }
      #expect(result.streams.map { [$0.gateway, $0.market] } == expected.map { [$0.0, $0.1] }, note)
      for (change, (name, _, heard)) in zip(result.streams, expected) {
        let gateway = estate.node(named: name)
        // Of other sites one stream at most.
        let far = heard.count {
          estate.nearness(gateway?.zone ?? "", estate.node(named: $0)?.zone ?? "") == .otherSite
        }
        let most = heard.count - far + min(1, far)
        #expect(change.after.count == min(most, gateway?.streams ?? 0), note)
        #expect(Set(change.after).isSubset(of: heard), note)
        // Nobody who isn't taken is nearer than one who is.
        let near = { (plant: String) in
          estate.nearness(gateway?.zone ?? "", estate.node(named: plant)?.zone ?? "")
        }
        for taken in change.after where taken != name {
          for other in heard.subtracting(change.after) { #expect(near(taken) <= near(other), note) }
        }
        if heard.contains(name) { #expect(change.after.first == name, note) }
        #expect((change.effect == .lost) == (change.after.isEmpty && !change.before.isEmpty), note)
      }
      for node in estate.nodes where loss.zones.contains(node.zone) {
        #expect(loss.nodes.contains(node.name), note)
      }
      let parts = estate.zones.filter { !loss.zones.contains($0) }.map { Self.reached($0, estate, loss) }
      #expect(result.zonesCutOff.isEmpty == (Set(parts).count < 2), note)
    }
  }
}
