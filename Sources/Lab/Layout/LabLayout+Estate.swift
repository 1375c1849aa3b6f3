// An estate's layout. Zones take /24 networks from the addresses of what stands in them; lines and clients take theirs
// from 198.18.0.0/15, which RFC 2544 sets aside for measuring and which an estate therefore doesn't use.

import Estate

extension LabLayout {
  /// Figures that the estate doesn't give.
  struct Choices: Sendable {
    /// Clients before each site.
    var clientsPerSite = 1
    /// One way between a site and the internet before it, and between two sites over the internet, microseconds.
    var accessMicroseconds = 1_000
    var internetMicroseconds = 6_000
    /// One way between two locations, and from a location to the site that it leads to, microseconds.
    var betweenLocationsMicroseconds = 500
    var lastMileMicroseconds = 100
    init() {}
  }

  /// - Throws: `LabLayoutError` with all that keeps the estate from being built on one machine.
  init(_ estate: Estate, choices: Choices = Choices()) throws(LabLayoutError) {
    var builder = LayoutBuilder(estate: estate, choices: choices)
    builder.build()
    guard builder.faults.isEmpty else { throw LabLayoutError(faults: builder.faults) }
    self = builder.layout
  }
}

/// Gathers the layout and what is wrong with it.
struct LayoutBuilder {
  let estate: Estate
  let choices: LabLayout.Choices
  var layout = LabLayout()
  var faults: [String] = []
  private var nextLineAddress = IPv4(number: 198 << 24 | 19 << 16)
  private var lineNumber = 0
  private let clientBase = IPv4(number: 198 << 24 | 18 << 16)

  init(estate: Estate, choices: LabLayout.Choices) {
    self.estate = estate
    self.choices = choices
  }

  mutating func build() {
    layout.sites = estate.sites.filter { $0.kind != .location }.map { ($0.name, $0.zones) }
    if estate.nodes.isEmpty {
      faults.append("estate \"\(estate.name)\" has no nodes: there is nothing to run")
    }
    addHosts()
    addRouters()
    guard faults.isEmpty else { return }
    addLinks()
    addInternet()
    addExchange()
    for name in Dictionary(grouping: names, by: { $0 }).filter({ $1.count > 1 }).keys.sorted() {
      faults.append(
        "\"\(name)\" names two things of the estate; the laboratory needs a name for each machine")
    }
  }

  private var names: [String] {
    layout.hosts.map(\.name) + layout.routers.map(\.name) + layout.clients.map(\.name)
  }

  // MARK: - Hosts

  private mutating func addHosts() {
    let zones = Set(layout.sites.flatMap(\.zones))
    for node in estate.nodes {
      place(node.name, what: "node", address: node.address, zone: node.zone, zones: zones) {
        $0.nodes.append(node.name)
        if node.roles.contains(.plant) { $0.feedInterface = node.feedInterface ?? "feed0" }
      }
    }
    for server in estate.backbone?.servers ?? [] {
      place(server.name, what: "server", address: server.address, zone: server.zone, zones: zones) {
        $0.servers.append(server.name)
      }
    }
  }

  private mutating func place(
    _ name: String, what: String, address: String, zone: String, zones: Set<String>,
    _ change: (inout LabLayout.Host) -> Void
  ) {
    guard zones.contains(zone) else {
      faults.append("\(what) \"\(name)\": zone \"\(zone)\" is no zone of a site where machines stand")
      return
    }
    guard let number = IPv4(address), !number.isLoopback, number.number >> 24 != 0 else {
      faults.append(
        "\(what) \"\(name)\": address \"\(address)\" found; wanted an IPv4 address of its own, such as 10.1.1.11"
      )
      return
    }
    if let index = layout.hosts.firstIndex(where: { $0.address == number }) {
      if layout.hosts[index].zone != zone {
        faults.append(
          "\(what) \"\(name)\": address \(number) is in zone \"\(layout.hosts[index].zone)\" too; wanted one zone"
        )
      }
      change(&layout.hosts[index])
    } else {
      var host = LabLayout.Host(name: name, zone: zone, address: number)
      change(&host)
      layout.hosts.append(host)
    }
  }

  // MARK: - Routers

  private mutating func addRouter(_ name: String, _ place: LabLayout.Place, network: IPv4.Network?) {
    let number = UInt32(layout.routers.count + 1)
    var address: IPv4?
    if let network {
      let taken = Set(layout.hosts.map(\.address))
      address = (1...254).reversed().lazy.map { network.base.advanced(by: $0) }.first { !taken.contains($0) }
      if address == nil { faults.append("network \(network) has no address left for its router") }
    }
    layout.routers.append(
      LabLayout.Router(
        name: name, place: place, system: 64_600 + number,
        identifier: IPv4(number: 198 << 24 | 19 << 16 | 255 << 8 | number), network: network,
        address: address))
  }

  private mutating func addRouters() {
    var owners: [IPv4.Network: String] = [:]
    var spare: UInt32 = 0
    for zone in layout.sites.flatMap(\.zones) {
      let inside = layout.hosts.filter { $0.zone == zone }
      let networks = Set(inside.map { IPv4.Network(around: $0.address, length: 24) })
      if networks.count > 1 {
        faults.append(
          "zone \"\(zone)\": addresses in \(networks.map(\.description).sorted().joined(separator: ", ")) found; "
            + "wanted one /24 network a zone")
        continue
      }
      let network =
        networks.first
        ?? {
          spare += 1
          return IPv4.Network(around: IPv4(number: 198 << 24 | 18 << 16 | (200 + spare) << 8), length: 24)
        }()
      if let owner = owners[network] {
        faults.append("zones \"\(owner)\" and \"\(zone)\" share the network \(network); wanted one each")
      }
      owners[network] = zone
      addRouter("r-\(zone)", .zone(zone), network: network)
    }
    for site in estate.sites where site.kind == .location {
      for zone in site.zones { addRouter("l-\(zone)", .location(zone), network: nil) }
    }
  }

  // MARK: - Lines

  private mutating func addLine(
    _ from: String, _ to: String, delay: Int, megabits: Int? = nil, standby: Bool = false,
    link: String? = nil, carrier: String? = nil, location: String? = nil
  ) {
    lineNumber += 1
    let low = nextLineAddress
    nextLineAddress = low.advanced(by: 2)
    layout.lines.append(
      LabLayout.Line(
        name: "line\(lineNumber)", from: from, to: to, fromAddress: low, toAddress: low.advanced(by: 1),
        delayMicroseconds: delay, megabits: megabits, isStandby: standby, link: link, carrier: carrier,
        location: location))
  }

  private func router(at zone: String) -> LabLayout.Router? {
    layout.routers.first { $0.place == .zone(zone) || $0.place == .location(zone) }
  }

  private static func isZone(_ router: LabLayout.Router) -> Bool {
    if case .zone = router.place { return true }
    return false
  }

  /// A link from zone to zone that names a location is split there: the carrier's part, and the last mile.
  private mutating func addLinks() {
    var locations: [String] = []
    for link in estate.links {
      guard let from = router(at: link.from), let to = router(at: link.to) else {
        faults.append("link \"\(link.name)\": \(link.from) or \(link.to) is no zone of a site")
        continue
      }
      let standby = link.role == .standby
      guard let location = link.location, Self.isZone(from), Self.isZone(to) else {
        addLine(
          from.name, to.name, delay: link.latencyMicroseconds, megabits: link.bandwidthMegabits,
          standby: standby, link: link.name, carrier: link.carrier, location: link.location)
        continue
      }
      if !locations.contains(location) {
        locations.append(location)
        addRouter("l-\(location)", .location(location), network: nil)
      }
      let last = min(choices.lastMileMicroseconds, link.latencyMicroseconds / 2)
      addLine(
        from.name, "l-\(location)", delay: link.latencyMicroseconds - last, megabits: link.bandwidthMegabits,
        standby: standby, link: link.name, carrier: link.carrier, location: location)
      addLine(
        "l-\(location)", to.name, delay: last, megabits: link.bandwidthMegabits, standby: standby,
        link: link.name, location: location)
    }
    for (index, one) in locations.enumerated() {
      for other in locations.dropFirst(index + 1) {
        addLine("l-\(one)", "l-\(other)", delay: choices.betweenLocationsMicroseconds)
      }
    }
  }

  private mutating func addInternet() {
    for (index, site) in layout.sites.enumerated() {
      let network = IPv4.Network(around: clientBase.advanced(by: UInt32(index) << 8), length: 24)
      addRouter("net-\(site.name)", .internet(site: site.name), network: network)
      for zone in site.zones where layout.router(ofZone: zone) != nil {
        addLine("net-\(site.name)", "r-\(zone)", delay: choices.accessMicroseconds)
      }
      for number in 1...max(1, choices.clientsPerSite) {
        layout.clients.append(
          LabLayout.Client(
            name: "client-\(site.name)-\(number)", site: site.name,
            address: network.base.advanced(by: UInt32(number))))
      }
    }
    for (index, one) in layout.sites.enumerated() {
      for other in layout.sites.dropFirst(index + 1) {
        addLine("net-\(one.name)", "net-\(other.name)", delay: choices.internetMicroseconds)
      }
    }
  }

  // MARK: - Exchange

  private mutating func addExchange() {
    guard let market = estate.markets.first else {
      faults.append("the estate has no market; wanted one whose feed is mold:GROUP:PORT,GROUP:PORT")
      return
    }
    guard let feed = MoldAddress(market.feed) else {
      faults.append(
        "market \"\(market.code)\": feed \"\(market.feed)\" found; wanted mold:GROUP:PORT,GROUP:PORT with "
          + "?request=ADDRESS:PORT, which the laboratory's exchange can publish")
      return
    }
    let network = IPv4.Network(
      around: feed.request?.address ?? IPv4(number: 192 << 24 | 2 << 8), length: 24)
    if let clash = layout.routers.first(where: { $0.network == network }) {
      faults.append("market \"\(market.code)\": the request server is in the network of \(clash.name)")
    }
    let request = feed.request?.address ?? network.base.advanced(by: 1)
    var free = (1...250).lazy.map { network.base.advanced(by: $0) }.filter { $0 != request }.makeIterator()
    let other = free.next() ?? network.base.advanced(by: 251)
    let reference = free.next() ?? network.base.advanced(by: 252)
    for index in layout.hosts.indices where layout.hosts[index].feedInterface != nil {
      layout.hosts[index].feedAddress = free.next()
      if layout.hosts[index].feedAddress == nil { faults.append("more than 248 plants hear the feed") }
    }
    layout.exchange = LabLayout.Exchange(
      market: market.code, lines: feed.lines, request: feed.request, network: network,
      addresses: [request, other], referenceAddress: reference)
  }
}

/// The parts of a feed's address that the exchange needs: `mold:GROUP:PORT,GROUP:PORT?request=ADDRESS:PORT&…`.
struct MoldAddress {
  var lines: [(group: String, port: UInt16)] = []
  var request: (address: IPv4, port: UInt16)?

  init?(_ text: String) {
    guard text.hasPrefix("mold:") else { return nil }
    let parts = text.dropFirst(5).split(separator: "?", maxSplits: 1)
    guard let places = parts.first else { return nil }
    for place in places.split(separator: ",") {
      guard let (group, port) = Self.place(place) else { return nil }
      lines.append((group.description, port))
    }
    guard (1...2).contains(lines.count) else { return nil }
    for option in parts.dropFirst().first?.split(separator: "&") ?? [] where option.hasPrefix("request=") {
      guard let place = Self.place(option.dropFirst(8)) else { return nil }
      request = (place.address, place.port)
    }
  }

  private static func place(_ text: some StringProtocol) -> (address: IPv4, port: UInt16)? {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let address = IPv4(parts[0]), let port = UInt16(parts[1]), port > 0
    else { return nil }
    return (address, port)
  }
}
