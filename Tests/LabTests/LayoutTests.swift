// An estate's layout and what its routers are told.

import Estate
import Testing

@testable import Lab

@Suite struct LayoutTests {
  static func example(_ name: String) throws -> Estate {
    let text = try #require(EstateExamples.text(named: name))
    return try #require(EstateFile.read(text).estate)
  }

  static func layout(_ name: String) throws -> LabLayout {
    try LabLayout(LabEstate(example(name), folder: "/tmp/x", reference: nil, zone: nil).estate)
  }

  @Test(arguments: ["two-zones", "two-sites"]) func everythingIsGivenOnce(name: String) throws {
    let layout = try Self.layout(name)
    var addresses = layout.hosts.map(\.address) + layout.hosts.compactMap(\.feedAddress)
    addresses += layout.clients.map(\.address)
    for router in layout.routers { addresses += [router.identifier] + [router.address].compactMap(\.self) }
    for line in layout.lines { addresses += [line.fromAddress, line.toAddress] }
    if let exchange = layout.exchange { addresses += exchange.addresses + [exchange.referenceAddress] }
    #expect(Set(addresses).count == addresses.count)
    let names = layout.hosts.map(\.name) + layout.routers.map(\.name) + layout.clients.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Set(layout.lines.map(\.name)).count == layout.lines.count)
    #expect(Set(layout.routers.map(\.system)).count == layout.routers.count)
    #expect(layout.lines.count <= LinkEmulator.mostLines)
    for line in layout.lines {
      #expect(layout.router(line.from) != nil && layout.router(line.to) != nil)
      #expect(line.name.utf8.count < 16)
    }
  }

  @Test func twoSitesAreAsTheEstateSays() throws {
    let layout = try Self.layout("two-sites")
    #expect(layout.sites.map(\.name) == ["tokyo", "osaka"])
    #expect(layout.locations.map(\.name) == ["l-dx-1", "l-dx-2"])
    #expect(layout.carriers == ["north", "south"])
    let estate = try Self.example("two-sites")
    #expect(layout.hosts.count == estate.nodes.count + (estate.backbone?.servers.count ?? 0))
    #expect(layout.hosts.filter { $0.feedAddress != nil }.count == 4)
    let line = try #require(layout.lines.first { $0.carrier == "north" })
    #expect(
      line.from == "r-tky-a" && line.to == "l-dx-1" && line.delayMicroseconds == 1_750
        && line.megabits == 1_000)
    #expect(Set(layout.carrierLines.compactMap(\.link)) == ["line-1", "line-2", "port-1", "port-2"])
    let exchange = try #require(layout.exchange)
    #expect(exchange.lines.map(\.group) == ["239.1.0.1", "239.1.0.2"])
    #expect(exchange.request?.port == 26_401)
  }

  @Test func aLinkThatNamesALocationIsSplitThere() throws {
    let layout = try LabLayout(TestEstates.twoSites())
    let carried = layout.lines.filter { $0.link == "link3" }
    #expect(carried.map(\.to) == ["l-dx1", "r-oa"])
    #expect(carried.map(\.delayMicroseconds).reduce(0, +) == 2_500)
    #expect(carried.map(\.carrier) == ["alpha", nil])
    #expect(layout.lines.contains { $0.from == "l-dx1" && $0.to == "l-dx2" })
  }

  @Test func whatCanNotBeBuiltIsSaidAtOnce() throws {
    var estate = TestEstates.twoSites()
    estate.nodes[0].address = "plant.example.com"
    estate.nodes[1].address = "127.0.0.1"
    estate.nodes[2].zone = "nowhere"
    estate.nodes[5].address = "10.99.0.1"
    do throws(LabLayoutError) {
      _ = try LabLayout(estate)
      Issue.record("it must not be built")
    } catch {
      #expect(error.faults.count >= 4)
      #expect(error.description.contains("plant.example.com") && error.description.contains("nowhere"))
    }
    var mute = TestEstates.twoSites()
    mute.markets[0].feed = "sim:"
    #expect(throws: LabLayoutError.self) { try LabLayout(mute) }
  }

  @Test func loopbackAddressesAndTheFeedAreChangedAndSaid() throws {
    let changed = LabEstate(
      try Self.example("two-zones"), folder: "/run/x", reference: "/r.json", zone: "Asia/Tokyo")
    #expect(
      changed.estate.nodes.map(\.address) == ["10.127.1.21", "10.127.2.21", "10.127.1.31", "10.127.2.31"])
    #expect(changed.estate.markets[0].feed.hasPrefix("mold:239.1.0.1:26400,"))
    #expect(
      changed.estate.markets[0].feed.contains("request=")
        && changed.estate.markets[0].feed.contains("interface="))
    #expect(changed.estate.nodes.allSatisfy { !$0.roles.contains(.firewall) })
    #expect(changed.estate.nodes[0].data == "/run/x/data/plant-tky-a")
    #expect(changed.changes.count == 3)
    // What was written can be read as the same estate.
    let again = EstateFile.read(EstateText.write(changed.estate)).estate
    #expect(again == changed.estate)
  }

  // MARK: - Routers

  static func configuration(_ router: String, _ layout: LabLayout, bfd: Bool = true) throws
    -> RouterConfiguration
  {
    var times = RouterConfiguration.Times()
    if !bfd { times.bfd = nil }
    return RouterConfiguration(
      try #require(layout.router(router)), in: layout, times: times)
  }

  @Test func activeAndStandbyAreToldByPreferenceAndPrepend() throws {
    let layout = try Self.layout("two-sites")
    let active = try Self.configuration("r-tky-a", layout)
    let standby = try Self.configuration("r-tky-b", layout)
    let toActive = try #require(active.neighbours.first { $0.name == "l-dx-1" })
    let toStandby = try #require(standby.neighbours.first { $0.name == "l-dx-2" })
    #expect(toActive.localPreference == 200 && toActive.prepends == 0)
    #expect(toStandby.localPreference == 100 && toStandby.prepends == 3)
    // Within the site lies between: the standby zone goes by the active one while that is there.
    #expect(standby.neighbours.first { $0.name == "r-tky-a" }?.localPreference == 150)
    let system = standby.router.system
    #expect(
      standby.bgpd.contains(
        "route-map out-\(toStandby.line) permit 10\n match ip address prefix-list estate\n"
          + " set as-path prepend \(system) \(system) \(system)\n"))
    #expect(standby.bgpd.contains("route-map in-\(toStandby.line) permit 10\n set local-preference 100\n"))
    // What goes to the site's own other zone doesn't leave the site while the line between the zones is there.
    #expect(toActive.ownSitePreference == 90)
    #expect(active.neighbours.first { $0.name == "r-tky-b" }?.ownSitePreference == nil)
    #expect(
      active.bgpd.contains(
        "route-map in-\(toActive.line) permit 5\n match ip address prefix-list site\n set local-preference 90\n"
      ))
    #expect(active.bgpd.contains("timers bgp 3 9"))
    #expect(active.bgpd.contains("network 10.1.1.0/24"))
  }

  @Test func theInternetCarriesClientsOnly() throws {
    let layout = try Self.layout("two-sites")
    let zone = try Self.configuration("r-tky-a", layout)
    let internet = try Self.configuration("net-tokyo", layout)
    #expect(zone.neighbours.first { $0.name == "net-tokyo" }?.announces == .site)
    #expect(zone.neighbours.first { $0.name == "l-dx-1" }?.announces == .estate)
    #expect(internet.neighbours.first { $0.name == "r-tky-a" }?.announces == .clients)
    #expect(internet.siteNetworks.map(\.description) == ["10.1.1.0/24", "10.1.2.0/24"])
    #expect(zone.bgpd.contains("ip prefix-list site permit 10.1.2.0/24"))
  }

  @Test func BFDIsOnlyWhereItIsWanted() throws {
    let layout = try Self.layout("two-sites")
    let with = try Self.configuration("r-tky-a", layout)
    let without = try Self.configuration("r-tky-a", layout, bfd: false)
    #expect(with.bfdd.contains("transmit-interval 50") && with.bfdd.contains("detect-multiplier 3"))
    #expect(with.bgpd.contains("bfd profile fast"))
    #expect(!without.bgpd.contains("bfd") && !without.bfdd.contains("profile"))
  }

  // MARK: - Scenarios

  @Test(arguments: ScenarioName.allCases) func everyScenarioHasSomethingToBreakInTwoSites(name: ScenarioName)
    throws
  {
    let layout = try Self.layout("two-sites")
    let estate = try Self.example("two-sites")
    let plants = estate.nodes.filter { $0.roles.contains(.plant) }.map(\.name)
    let gateways = estate.nodes.filter { $0.roles.contains(.gateway) }.map(\.name)
    let servers = estate.backbone?.servers.map(\.name) ?? []
    var targets: Set<String> = []
    for repetition in 0..<8 {
      let steps = try #require(
        Scenario.named(name).steps(
          layout, repetition: repetition, plants: plants, gateways: gateways, servers: servers))
      targets.insert(steps.target)
      #expect(steps.fault.isEmpty == (name == .control))
      // Nothing stays broken.
      let broken = steps.fault.compactMap(Self.healing)
      for wanted in broken { #expect(steps.heal.contains(wanted), "\(name): \(wanted)") }
    }
    if [.plantKilled, .zoneLost, .gatewayKilled].contains(name) { #expect(targets.count == 4) }
    if name == .plannedRemoval { #expect(targets.count == Set(plants + gateways).count) }
    if name == .natsKilled { #expect(targets.count == servers.count) }
    #expect(!Scenario.named(name).explanation.isEmpty && !Scenario.named(name).explanationJapanese.isEmpty)
  }

  static func healing(_ step: LabStep) -> LabStep? {
    switch step {
    case .kill(let name): .start(name)
    case .freeze(let name): .thaw(name)
    case .takeOut(let name): .bringBack(name)
    case .darken(let zone): .lighten(zone: zone)
    case .cut(let line): .mend(line: line)
    case .lose(let line, _): .lose(line: line, perMillion: 0)
    case .hole(let line, _): .hole(line: line, perMillion: 0)
    case .cutFeed(let site): .mendFeed(site: site)
    case .skew(let host, _): .skew(host: host, seconds: 0)
    case .freezeDisk: .thawDisk
    case .burst: .calm
    default: nil
    }
  }

  @Test func anEstateOfOneZoneHasNoZoneToLose() throws {
    let layout = try Self.layout("embedded")
    for name in [ScenarioName.zoneLost, .siteLost, .carrierCut, .locationLost, .natsKilled] {
      #expect(
        Scenario.named(name).steps(
          layout, repetition: 0, plants: ["kabuto"], gateways: ["kabuto"], servers: []) == nil)
    }
  }
}
