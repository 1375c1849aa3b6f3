// Whom a node of an estate decides by, and the sums of what its rails carry.

import Estate
import Testing

@testable import KabutoCLI

@Suite struct ServiceGroupsTests {
  /// An estate of two sites with so many gateways each, and two plants.
  private static func estate(gateways: Int) -> Estate {
    var estate = Estate(name: "many", version: 1)
    estate.markets = [Market(code: "XTKS", feed: "sim:")]
    estate.sites = [Site(name: "tokyo", zones: ["tky"]), Site(name: "osaka", zones: ["osk"])]
    for zone in ["tky", "osk"] {
      estate.nodes.append(Node(name: "plant-\(zone)", zone: zone, address: "", roles: [.plant]))
      for number in 0..<gateways {
        estate.nodes.append(Node(name: "gw-\(zone)-\(number)", zone: zone, address: "", roles: [.gateway]))
      }
    }
    return estate
  }

  @Test func aNodeHearsItsOwnKindAlone() throws {
    let estate = Self.estate(gateways: 3)
    let groups = ServiceGroups(estate)
    for node in estate.nodes {
      let heard = groups.heard(by: node)
      let kind = node.roles.contains(.plant) ? "the plants of XTKS" : nil
      let site = node.zone == "tky" ? "tokyo" : "osaka"
      #expect(heard.map(\.name).contains(node.name))
      #expect(heard.count == (kind == nil ? 3 : 2))
      #expect(heard.allSatisfy { $0.groups == [kind ?? "the gateways of \(site) for XTKS"] })
    }
  }

  @Test func aNodeHearsNoMoreInALargeEstate() throws {
    let estate = Self.estate(gateways: 200)
    let groups = ServiceGroups(estate)
    var hearers: [String: Int] = [:]
    for node in estate.nodes where node.roles.contains(.gateway) {
      let heard = groups.heard(by: node)
      #expect(heard.count == 9 && heard.map(\.name).contains(node.name))
      #expect(heard.allSatisfy { $0.name.hasPrefix("gw-\(node.zone)-") })
      #expect(
        heard.allSatisfy {
          $0.groups.count == 1 && $0.groups[0].hasSuffix("(itself and the 8 that it hears)")
        })
      for other in heard where other.name != node.name { hearers[other.name, default: 0] += 1 }
    }
    #expect(hearers.count == 400 && hearers.values.allSatisfy { $0 == 8 })
  }

  /// Gateways that are alone at their site stand beside those of others; whoever is several things is in several groups.
  @Test func whoIsAloneStandsBesideOtherSites() throws {
    var estate = Self.estate(gateways: 1)
    #expect(
      ServiceGroups(estate).heard(by: estate.nodes[1]).map { "\($0.name): \($0.groups)" } == [
        "gw-tky-0: [\"the gateways for XTKS\"]", "gw-osk-0: [\"the gateways for XTKS\"]",
      ])
    estate.nodes[1].roles = [.plant, .gateway]
    estate.nodes.append(Node(name: "store", zone: "tky", address: "", roles: [.store]))
    let groups = ServiceGroups(estate)
    #expect(
      groups.heard(by: estate.nodes[1]).map(\.name) == ["plant-tky", "gw-tky-0", "plant-osk", "gw-osk-0"])
    #expect(groups.heard(by: estate.nodes[4]).map { "\($0.groups)" } == ["[\"the stores\"]"])
  }

  @Test func railsAreAddedUpOverNodes() throws {
    func system(_ name: String, _ into: UInt64, _ out: UInt64, exceeds: Bool = false)
      -> TopFigures.Rail.System
    {
      TopFigures.Rail.System(
        system: name, bytes_in: into, bytes_out: out, dropped: 1, over_budget: 2, budget: nil,
        exceeds: exceeds)
    }
    let rails = [
      TopFigures.Rail(rail: "b", connected: true, systems: [system("px", 10, 20)]),
      TopFigures.Rail(rail: "a", connected: true, systems: [system("px", 1, 2), system("node", 3, 4)]),
      TopFigures.Rail(rail: "a", connected: false, systems: [system("px", 100, 200, exceeds: true)]),
    ]
    let sums = TopEstate.sums(rails)
    #expect(sums.map { "\($0.rail) \($0.system)" } == ["a node", "a px", "b px"])
    #expect(sums[1].bytesIn == 101 && sums[1].bytesOut == 202 && sums[1].dropped == 2 && sums[1].exceeds)
    var later = sums
    later[1].bytesOut += 1_000
    let first = TopEstate.railLines(sums, nil)
    let second = TopEstate.railLines(later, (sums, 2))
    #expect(first.count == 5 && first[3].contains("–"))
    #expect(
      second[3].split(separator: " ").prefix(4) == ["a", "px", "500", "0"] && second[3].contains("4, now"))
    #expect(TopEstate.railLines([], nil).isEmpty)
  }
}
