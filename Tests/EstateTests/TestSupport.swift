// Repeatable randomness for this target, and estates made of it. A run is repeated with KABUTO_SEED=… as printed.

import Foundation
import TestChance

@testable import Estate

extension Chance {
  /// Texts that YAML could take for something else, or that end a line, a quote or a key.
  mutating func text() -> String {
    pick([
      "yes", "no", "~", "null", "1", "-1", "1.5", "0x1f", "1e3", "2026-11-24", "12:30:00", "a b", " a", "a ",
      "a: b",
      "- a", "#a", "a #b", "\"", "'", "\\", "株価", "🐢", "a\u{2028}b", "&a", "*a", "!a", "%a", "@a", "`a",
      "{a}", "[a]", ",", "?", "|", ">", "-", ".", "...", "---", "/data/{node}", "<<", "=", "true", "on", "y",
      "+1", ".5",
    ])
  }

  mutating func name(_ kind: String, _ number: Int) -> String {
    "\(kind)\(number)" + pick(["", "-x", "_y", "Z"])
  }

  /// An estate whose every value has a form that a file may hold; what it means may be nonsense.
  mutating func estate() -> Estate {
    var estate = Estate(name: pick(["e", "no", "123", "1e5", "a-b_c"]), version: 1 + below(1_000))
    let codes = (0..<below(4)).map { "X\($0)" } + some(["123", "YES"])
    estate.markets = codes.map { code in
      var market = Market(code: code, feed: "sim:" + text())
      if flip() { market.reference = text() }
      if flip() { market.timeZone = text() }
      return market
    }
    let zones = (0..<(1 + below(6))).map { name("z", $0) }
    for (number, zone) in zones.enumerated() {
      if estate.sites.isEmpty || flip() {
        var site = Site(name: name("s", number), zones: [zone])
        site.kind = pick([.datacenter, .datacenter, .cloud, .location])
        site.zoneLatencyMicroseconds = pick([250, 0, 1, 1_000, 12_345])
        estate.sites.append(site)
      } else {
        estate.sites[estate.sites.count - 1].zones.append(zone)
      }
    }
    for number in 0..<below(8) {
      var link = Link(
        name: name("l", number), from: pick(zones), to: pick(zones), latencyMicroseconds: below(5_000))
      if flip() { link.bandwidthMegabits = 1 + below(10_000) }
      if flip() { link.carrier = pick(["c1", "c2", "no"]) }
      if flip() { link.location = pick(["d1", "d2"]) }
      link.role = pick(Link.Role.allCases)
      for system in some(["prices", "keep", "ask"]) { link.budgets[system] = 1 + below(1_000) }
      estate.links.append(link)
    }
    if flip() {
      var backbone = BackboneDescription()
      backbone.betweenSites = pick(BackboneDescription.BetweenSites.allCases)
      if flip() { backbone.credentials = text() }
      if flip() {
        (backbone.certificateAuthority, backbone.certificate, backbone.key) = (text(), text(), text())
      }
      for number in 0..<(1 + below(4)) {
        var server = BackboneDescription.Server(
          name: name("n", number), zone: pick(zones), rail: pick(["a", "b"]), address: "10.0.0.\(number)")
        if flip() {
          server.port = 1 + below(60_000)
          server.clusterPort = 1 + below(60_000)
          server.gatewayPort = 1 + below(60_000)
          server.leafPort = 1 + below(60_000)
          server.monitorPort = 1 + below(60_000)
        }
        server.keepsStreams = below(5) == 0
        backbone.servers.append(server)
      }
      estate.backbone = backbone
    }
    for number in 0..<below(8) {
      var roles = some(Node.Role.allCases)
      if roles.isEmpty { roles = [.gateway] }
      var node = Node(
        name: name("k", number), zone: pick(zones), address: pick(["::1", "h\(number).example"]), roles: roles
      )
      node.markets = some(codes)
      if flip() { node.port = 1 + below(60_000) }
      node.streams = 1 + below(2)
      node.interest = pick(Node.Interest.allCases)
      if flip() { node.data = text() }
      if flip() { node.feedInterface = text() }
      for code in some(codes) { node.feeds[code] = "mold:" + text() }
      if flip() { node.backends = ["http://127.0.0.1:\(1 + below(60_000))", "https://[::1]:9"] }
      estate.nodes.append(node)
    }
    for number in 0..<below(3) {
      var service = Service(name: name("v", number))
      service.nodes = some(estate.nodes.map(\.name))
      service.needs = some(estate.services.map(\.name))
      if flip() { service.host = "quotes.example" }
      service.ports = some([80, 443, 8_080])
      service.hasFixedAddresses = flip()
      service.speaks = flip() ? nil : pick(Service.Language.allCases)
      service.isFirewall = below(4) == 0
      estate.services.append(service)
      var tenant = Tenant(name: name("t", number))
      tenant.markets = some(codes)
      tenant.entitlement = pick(Tenant.Entitlement.allCases)
      estate.tenants.append(tenant)
      var database = Database(name: name("d", number), kind: pick(Database.Kind.allCases))
      database.zones = [pick(zones)]
      estate.databases.append(database)
    }
    if flip() {
      var aws = CloudDescription()
      aws.accounts = some(["111122223333", "000000000000"])
      aws.regions = some(["ap-northeast-1", "ap-northeast-3"])
      for (number, zone) in some(zones).enumerated() { aws.zones[zone] = "ap-northeast-\(number)a" }
      aws.instanceTypes = some(["m7i", "c7i.large"])
      estate.aws = aws
    }
    return estate
  }
}
