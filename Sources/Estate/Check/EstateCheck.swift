// What is wrong with an estate beyond the form of its file: names that lead nowhere, what can't work, and what fails
// together although people may think otherwise. Every rule is asked, all faults are told.

/// See the head of this file.
public enum EstateCheck {
  /// All faults of an estate that didn't come from a file.
  public static func faults(of estate: Estate) -> [EstateFault] {
    faults(of: estate, places: EstatePlaces(nil), incomplete: [])
  }

  /// - Parameter incomplete: Lists that could not be read as a whole: what isn't found there may be there.
  static func faults(of estate: Estate, places: EstatePlaces, incomplete: Set<String>) -> [EstateFault] {
    var check = Checking(estate, places, incomplete)
    check.names()
    check.references()
    check.needs()
    check.links()
    check.addresses()
    check.streams()
    check.firewalls()
    check.cloud()
    check.rails()
    if check.isNetworkKnown { check.redundancy() }
    return check.faults
  }
}

/// The estate, where its values stand, and the faults found so far. Empty names have been told of by the reader.
struct Checking {
  let estate: Estate
  let place: EstatePlaces
  var faults: [EstateFault] = []
  let zones: [String]
  let servers: [BackboneDescription.Server]
  private let incomplete: Set<String>

  init(_ estate: Estate, _ place: EstatePlaces, _ incomplete: Set<String>) {
    self.estate = estate
    self.place = place
    self.incomplete = incomplete
    zones = estate.zones
    servers = estate.backbone?.servers ?? []
  }

  mutating func tell(
    _ code: EstateFaultCode, _ place: EstatePlace, _ found: String, _ wanted: String, nearest: String? = nil
  ) {
    faults.append(EstateFault(code, place, found: found, wanted: wanted, nearest: nearest))
  }

  /// Whether zones and links are sound enough to say what reaches what; else every slip of the pen would be told
  /// several times.
  var isNetworkKnown: Bool {
    incomplete.isDisjoint(with: ["sites", "links"])
      && !faults.contains { [.linkZone, .linkToItself].contains($0.code) }
      && Set(zones).count == zones.count && Set(estate.links.map(\.name)).count == estate.links.count
  }

  /// Tells of a name that leads nowhere, unless it may be among what could not be read.
  mutating func require(
    _ name: String, among known: [String], _ code: EstateFaultCode, _ place: EstatePlace, _ found: String,
    _ what: String
  ) {
    guard !name.isEmpty, !known.contains(name) else { return }
    let lists: [String] =
      switch code {
      case .unknownZone: ["sites"] + (what == "zones" ? [] : ["nodes"])
      case .linkZone: ["sites"]
      case .unknownNode: ["nodes"]
      case .unknownMarket: ["markets"]
      default: ["services", "databases"]
      }
    guard incomplete.isDisjoint(with: lists) else { return }
    tell(
      code, place, found, known.isEmpty ? "there are no \(what)" : "\(what): \(Self.shown(known))",
      nearest: NameDistance.nearest(to: name, among: known))
  }

  /// Not more names than people want to read.
  static func shown(_ names: [String]) -> String {
    names.count <= 12
      ? names.joined(separator: ", ")
      : names.prefix(12).joined(separator: ", ") + " and \(names.count - 12) more"
  }

  static func quoted(_ name: String) -> String { "\"\(ShapeReader.shortened(name))\"" }

  // MARK: Names

  private mutating func unique(_ kind: String, _ names: [(name: String, place: EstatePlace)]) {
    var seen: [String: EstatePlace] = [:]
    for (name, place) in names where !name.isEmpty {
      if let first = seen[name] {
        let line = first == .none ? "" : " (line \(first.line))"
        tell(
          .nameTwice, place, "\(kind) \(Self.quoted(name)) is there twice\(line)",
          "each name once among its kind")
      } else {
        seen[name] = place
      }
    }
  }

  mutating func names() {
    func named(_ list: EstatePlaces.Step, _ names: [String], _ key: EstatePlaces.Step = "name") -> [(
      name: String, place: EstatePlace
    )] {
      names.enumerated().map { ($0.element, place(list, .index($0.offset), key)) }
    }
    unique("market", named("markets", estate.markets.map(\.code), "code"))
    unique("site", named("sites", estate.sites.map(\.name)))
    unique(
      "zone",
      estate.sites.enumerated().flatMap { number, site in
        site.zones.enumerated().map {
          ($0.element, place("sites", .index(number), "zones", .index($0.offset)))
        }
      })
    unique("link", named("links", estate.links.map(\.name)))
    // Nodes and servers share what they connect to, and the file of credentials.
    unique(
      "node or server",
      named("nodes", estate.nodes.map(\.name))
        + servers.enumerated().map {
          ($0.element.name, place("backbone", "servers", .index($0.offset), "name"))
        })
    // What a service needs is told by its name alone.
    unique(
      "service or database",
      named("services", estate.services.map(\.name)) + named("databases", estate.databases.map(\.name)))
    unique("tenant", named("tenants", estate.tenants.map(\.name)))
  }

  /// Tells of elements that a list has twice.
  private mutating func once(_ names: [String], in owner: String, _ place: (Int) -> EstatePlace) {
    var seen: Set<String> = []
    for (number, name) in names.enumerated() where !name.isEmpty && !seen.insert(name).inserted {
      tell(.listedTwice, place(number), "\(owner) lists \(Self.quoted(name)) twice", "each name once")
    }
  }

  // MARK: References

  mutating func references() {
    let codes = estate.markets.map(\.code)
    let nodeNames = estate.nodes.map(\.name)
    let place = place
    for (number, server) in servers.enumerated() {
      require(
        server.zone, among: zones, .unknownZone, place("backbone", "servers", .index(number), "zone"),
        "server \(Self.quoted(server.name)) stands in zone \(Self.quoted(server.zone)), which no site has",
        "zones")
    }
    for (number, node) in estate.nodes.enumerated() {
      let name = "node \(Self.quoted(node.name))"
      require(
        node.zone, among: zones, .unknownZone, place("nodes", .index(number), "zone"),
        "\(name) stands in zone \(Self.quoted(node.zone)), which no site has", "zones")
      if let site = estate.site(ofZone: node.zone), site.kind == .location {
        tell(
          .nodesAtLocation, place("nodes", .index(number), "zone"),
          "\(name) stands at \(Self.quoted(site.name)), where lines are only handed over",
          "a zone of a datacenter or cloud")
      }
      for (entry, code) in node.markets.enumerated() {
        require(
          code, among: codes, .unknownMarket, place("nodes", .index(number), "markets", .index(entry)),
          "\(name) carries market \(Self.quoted(code)), which is not described", "markets")
      }
      once(node.markets, in: name) { place("nodes", .index(number), "markets", .index($0)) }
      once(node.roles.map(\.rawValue), in: name) { place("nodes", .index(number), "roles", .index($0)) }
      for code in node.feeds.keys.sorted() {
        let at = place("nodes", .index(number), "feeds", .key(code))
        require(
          code, among: codes, .unknownMarket, at,
          "\(name) has a feed of market \(Self.quoted(code)), which is not described", "markets")
        if codes.contains(code), !node.markets.isEmpty, !node.markets.contains(code) {
          tell(
            .uselessKey, at, "\(name) has a feed of market \(Self.quoted(code)), which it doesn't carry",
            "feeds of its markets: \(node.markets.joined(separator: ", "))")
        }
      }
      if !node.feeds.isEmpty, !node.roles.isEmpty, !node.roles.contains(.plant) {
        tell(
          .uselessKey, place("nodes", .index(number), "feeds"), "\(name) has feeds, but is no plant",
          "feeds where the role plant is")
      }
    }
    for (number, service) in estate.services.enumerated() {
      let name = "service \(Self.quoted(service.name))"
      for (entry, node) in service.nodes.enumerated() {
        require(
          node, among: nodeNames, .unknownNode, place("services", .index(number), "nodes", .index(entry)),
          "\(name) runs on node \(Self.quoted(node)), which is not described", "nodes")
      }
      once(service.nodes, in: name) { place("services", .index(number), "nodes", .index($0)) }
      let known = estate.services.map(\.name).filter { $0 != service.name } + estate.databases.map(\.name)
      for (entry, need) in service.needs.enumerated() where need != service.name {
        require(
          need, among: known, .unknownNeed, place("services", .index(number), "needs", .index(entry)),
          "\(name) needs \(Self.quoted(need)), which is no service and no database", "services and databases")
      }
      once(service.needs, in: name) { place("services", .index(number), "needs", .index($0)) }
    }
    for (number, tenant) in estate.tenants.enumerated() {
      for (entry, code) in tenant.markets.enumerated() {
        require(
          code, among: codes, .unknownMarket, place("tenants", .index(number), "markets", .index(entry)),
          "tenant \(Self.quoted(tenant.name)) may see market \(Self.quoted(code)), which is not described",
          "markets")
      }
      once(tenant.markets, in: "tenant \(Self.quoted(tenant.name))") {
        place("tenants", .index(number), "markets", .index($0))
      }
    }
    for (number, database) in estate.databases.enumerated() {
      let known = zones + (database.kind == .sqlite ? nodeNames : [])
      for (entry, zone) in database.zones.enumerated() {
        require(
          zone, among: known, .unknownZone, place("databases", .index(number), "zones", .index(entry)),
          "database \(Self.quoted(database.name)) has a copy in \(Self.quoted(zone)), which no site has",
          database.kind == .sqlite ? "zones and nodes" : "zones")
      }
      once(database.zones, in: "database \(Self.quoted(database.name))") {
        place("databases", .index(number), "zones", .index($0))
      }
    }
  }

  /// Services that need each other in a circle.
  mutating func needs() {
    var needs: [String: [String]] = [:]
    for service in estate.services { needs[service.name] = service.needs }
    for (number, service) in estate.services.enumerated() where !service.name.isEmpty {
      var seen: Set<String> = []
      var waiting = service.needs
      var isCircle = false
      while let name = waiting.popLast() {
        if name == service.name { isCircle = true }
        if seen.insert(name).inserted { waiting += needs[name] ?? [] }
      }
      if isCircle {
        tell(
          .needCycle, place("services", .index(number), "needs"),
          "service \(Self.quoted(service.name)) needs itself"
            + (service.needs.contains(service.name)
              ? "" : ", by way of \(service.needs.joined(separator: ", "))"),
          "needs without circles")
      }
    }
  }

  // MARK: Links

  mutating func links() {
    for (number, link) in estate.links.enumerated() {
      let name = "link \(Self.quoted(link.name))"
      for (end, zone) in [link.from, link.to].enumerated() {
        require(
          zone, among: zones, .linkZone, place("links", .index(number), "between", .index(end)),
          "\(name) ends in zone \(Self.quoted(zone)), which no site has", "zones")
      }
      if !link.from.isEmpty, link.from == link.to {
        tell(
          .linkToItself, place("links", .index(number), "between"),
          "\(name) begins and ends in zone \(Self.quoted(link.from))", "two different zones")
      }
      for system in link.budgets.keys.sorted() where !Link.budgetSystems.contains(system) {
        tell(
          .badValue, place("links", .index(number), "budgets"),
          "\(Self.quoted(system)) is no system that \(name) can have a budget for",
          "names: \(Link.budgetSystems.joined(separator: ", "))")
      }
      let sum = link.budgets.values.reduce(0, +)
      if let bandwidth = link.bandwidthMegabits, sum > bandwidth {
        tell(
          .budgetTooLarge, place("links", .index(number), "budgets"),
          "budgets of \(name) are \(sum) Mbit/s together, more than its \(bandwidth)",
          "at most \(bandwidth) Mbit/s together")
      }
    }
    // A link that leads nowhere, or could not be read, may lead anywhere.
    guard incomplete.isDisjoint(with: ["sites", "links"]), !faults.contains(where: { $0.code == .linkZone })
    else { return }
    for (number, link) in estate.links.enumerated() where isNetworkKnown && link.role == .standby {
      if !hasActive(besides: link) {
        tell(
          .standbyAlone, place("links", .index(number), "role"),
          "link \(Self.quoted(link.name)) stands by, but no active way leads from \(Self.quoted(link.from)) to \(Self.quoted(link.to))",
          "an active way between its ends")
      }
    }
    // A zone that no link reaches: told of where the zone stands, against the part with the most zones.
    let parts = estate.routes().parts
    guard parts.count > 1, !servers.isEmpty || estate.nodes.count > 1 else { return }
    let main = parts.enumerated().max { ($0.element.count, -$0.offset) < ($1.element.count, -$1.offset) }?
      .offset
    for (number, part) in parts.enumerated() where number != main {
      for zone in part where !zone.isEmpty {
        for (row, site) in estate.sites.enumerated() {
          guard let column = site.zones.firstIndex(of: zone) else { continue }
          let others = part.count > 1 ? " (with \(part.filter { $0 != zone }.joined(separator: ", ")))" : ""
          tell(
            .zoneApart, place("sites", .index(row), "zones", .index(column)),
            "no link leads to zone \(Self.quoted(zone))\(others) from \(Self.shown(parts[main ?? 0]))",
            "links between all zones")
        }
      }
    }
  }

  /// Whether some way of active lines leads from one end of a link to the other.
  private func hasActive(besides link: Link) -> Bool {
    let standby = Set(estate.links.filter { $0.role == .standby }.map(\.name))
    return estate.routes(withoutLinks: standby).path(from: link.from, to: link.to) != nil
  }
}
