// What an estate says of a node's rails.

import Continuity
import Estate
import Foundation
import Testing

@testable import Backbone

@Suite struct RailSettingsTests {
  static func estate() -> Estate {
    var estate = Estate(name: "e")
    estate.markets = [Market(code: "XTKS", feed: "sim:")]
    estate.sites = [Site(name: "s1", zones: ["z1", "z2"]), Site(name: "s2", zones: ["z3"])]
    estate.links = [
      Link(name: "l1", from: "z1", to: "z2", latencyMicroseconds: 1_000),
      Link(name: "l2", from: "z2", to: "z3", latencyMicroseconds: 2_000),
    ]
    estate.links[0].budgets = ["prices": 9_000]
    estate.links[1].budgets = ["prices": 400, "history": 200, "mail": 10]
    var backbone = BackboneDescription()
    backbone.servers = [
      BackboneDescription.Server(name: "m1", zone: "z1", rail: "a", address: "127.0.0.1"),
      BackboneDescription.Server(name: "m2", zone: "z2", rail: "a", address: "127.0.0.2"),
      BackboneDescription.Server(name: "m3", zone: "z3", rail: "b", address: "127.0.0.3"),
    ]
    estate.backbone = backbone
    estate.nodes = [
      Node(name: "p1", zone: "z1", address: "127.0.1.1", roles: [.plant]),
      Node(name: "p2", zone: "z2", address: "127.0.1.2", roles: [.plant]),
      Node(name: "p3", zone: "z3", address: "127.0.1.3", roles: [.plant]),
      Node(name: "g2", zone: "z2", address: "127.0.2.2", roles: [.gateway]),
    ]
    return estate
  }

  @Test func serversAndPlantsComeNearestFirst() throws {
    let estate = Self.estate()
    let rails = try NatsSettings.rails(of: estate.nodes[3], in: estate)
    #expect(rails.map(\.rail) == ["a", "b"])
    #expect(rails[0].servers.map(\.host) == ["127.0.0.2", "127.0.0.1"])
    let plants = StreamReceiver.Candidate.plants(of: "XTKS", seenBy: estate.nodes[3], in: estate)
    #expect(plants.map(\.node) == ["p2", "p1", "p3"])
    #expect(plants.map(\.nearness) == [.sameZone, .sameSite, .otherSite])
    #expect(plants.map(\.site) == ["s1", "s1", "s2"])
  }

  @Test func budgetsAreThoseOfLinesToOtherSites() throws {
    let estate = Self.estate()
    let budgets = NatsSettings.budgets(of: estate.nodes[0], in: estate)
    #expect(budgets == [.px: 50_000_000, .keep: 25_000_000])
  }

  @Test func filesWithPasswordsMustNameTheNode() {
    var estate = Self.estate()
    estate.backbone?.credentials = "/nonexistent/passwords"
    #expect(throws: BusError.self) { try NatsSettings.rails(of: estate.nodes[0], in: estate) }
  }
}
