// Addresses, streams, firewalls, the backbone.

extension Checking {
  mutating func addresses() {
    var taken: [String: (who: String, place: EstatePlace)] = [:]
    func claim(_ who: String, _ address: String, _ ports: [(port: Int, what: String, place: EstatePlace)]) {
      guard !address.isEmpty else { return }
      for (port, what, place) in ports {
        let key = "\(address.lowercased()):\(port)"
        if let (first, _) = taken[key] {
          tell(
            .addressTwice, place, "\(who) listens at \(key) (\(what)), as \(first) does",
            "an address and port of its own")
        } else {
          taken[key] = ("\(who) (\(what))", place)
        }
      }
    }
    for (number, node) in estate.nodes.enumerated() {
      claim(
        "node \(Self.quoted(node.name))", node.address,
        [(node.port, "port", place("nodes", .index(number), "address"))])
    }
    for (number, server) in servers.enumerated() {
      let place = place
      let at = { (key: EstatePlaces.Step) in place("backbone", "servers", .index(number), key) }
      claim(
        "server \(Self.quoted(server.name))", server.address,
        [
          (server.port, "port", at("port")), (server.clusterPort, "cluster_port", at("cluster_port")),
          (server.gatewayPort, "gateway_port", at("gateway_port")),
          (server.leafPort, "leaf_port", at("leaf_port")),
          (server.monitorPort, "monitor_port", at("monitor_port")),
        ])
    }
  }

  mutating func streams() {
    guard !estate.nodes.isEmpty else { return }
    if estate.backbone == nil, estate.nodes.count > 1 {
      tell(
        .noBackbone, place("nodes"), "\(estate.nodes.count) nodes, but no backbone between them",
        "a backbone, or one node")
    }
    for (number, market) in estate.markets.enumerated() where !market.code.isEmpty {
      let plants = estate.plants(of: market.code)
      let at = place("markets", .index(number), "code")
      if plants.isEmpty {
        tell(
          .noPlant, at, "market \(Self.quoted(market.code)) has no plant",
          "a node with the role plant that carries it")
      } else if Set(plants.map(\.zone)).count == 1, estate.zones.count > 1 {
        tell(
          .onePlant, at,
          "all plants of market \(Self.quoted(market.code)) stand in zone \(Self.quoted(plants[0].zone))",
          "plants in two zones at least")
      }
    }
    let reached = estate.consequences(of: [])
    for (number, node) in estate.nodes.enumerated() {
      let name = "node \(Self.quoted(node.name))"
      if node.roles.contains(.gateway) {
        for code in estate.markets(of: node) {
          let plants = estate.plants(of: code)
          let taken = reached.streams.first { $0.gateway == node.name && $0.market == code }?.before ?? []
          // Without a backbone that has been told already.
          if !plants.isEmpty, taken.isEmpty, estate.backbone != nil, zones.contains(node.zone), isNetworkKnown
          {
            tell(
              .plantOutOfReach, place("nodes", .index(number), "zone"),
              "\(name) is a gateway of market \(Self.quoted(code)), but reaches none of its plants ("
                + "\(Self.shown(plants.map(\.name))))", "links and a rail between them")
          }
          if node.streams == 2, plants.count == 1 {
            tell(
              .oneStream, place("nodes", .index(number), "streams"),
              "\(name) merges two streams of market \(Self.quoted(code)), which has one plant, "
                + Self.quoted(plants[0].name), "two plants")
          }
        }
      } else if node.streams == 2 {
        tell(
          .uselessKey, place("nodes", .index(number), "streams"), "\(name) merges streams, but is no gateway",
          "streams where the role gateway is")
      }
    }
  }

  mutating func firewalls() {
    for (number, node) in estate.nodes.enumerated() where !node.roles.isEmpty {
      let name = "node \(Self.quoted(node.name))"
      let isFirewall = node.roles.contains(.firewall)
      if isFirewall, !node.roles.contains(.gateway), node.backends.isEmpty {
        tell(
          .noBackend, place("nodes", .index(number), "roles"),
          "\(name) is a firewall without backends and no gateway itself", "backends that it sends requests to"
        )
      }
      if !isFirewall, !node.backends.isEmpty {
        tell(
          .uselessKey, place("nodes", .index(number), "backends"), "\(name) has backends, but is no firewall",
          "backends where the role firewall is")
      }
    }
  }

  mutating func rails() {
    guard let backbone = estate.backbone else { return }
    let tls = [backbone.certificateAuthority, backbone.certificate, backbone.key]
    // The reader has told of keys that are missing in a file's tls.
    if tls.contains(where: { $0 != nil }), tls.contains(where: { $0 == nil }), place("backbone") == .none {
      tell(.halfTLS, .none, "tls without some of ca, certificate and key", "all three")
    }
    let outside = servers.contains { !$0.address.hasPrefix("127.") && $0.address != "::1" }
    if backbone.credentials == nil, outside, !servers.isEmpty {
      tell(
        .nobodyAsked, place("backbone"), "no credentials: every host may publish prices",
        "a file with passwords")
    }
    let rails = estate.rails
    if rails.count == 1 {
      tell(
        .oneRail, place("backbone", "servers"),
        "one rail, \(Self.quoted(rails[0])): what is lost with a server is lost",
        "two rails")
    }
    for rail in rails {
      let own = servers.filter { $0.rail == rail }
      let carriers = estate.carriers(ofRail: rail)
      let keepers = own.filter(\.keepsStreams).map(\.name)
      if keepers.count > 1 {
        tell(
          .twoKeepers, place("backbone", "servers"),
          "\(Self.shown(keepers)) of rail \(Self.quoted(rail)) keep streams", "one server of a rail")
      }
      for site in estate.sites where site.kind != .location && estate.sites.count > 1 && keepers.count < 2 {
        if estate.nodes.contains(where: { site.zones.contains($0.zone) }),
          !carriers.contains(where: { site.zones.contains($0.zone) })
        {
          tell(
            .railMissesSite, place("backbone", "servers"),
            "rail \(Self.quoted(rail)) has no server in site \(Self.quoted(site.name)), whose nodes then cross sites for it",
            "a server in each site")
        }
      }
    }
    // Per site: rails whose servers share a zone fail together there.
    let servers = servers.filter { estate.isCarrier($0) }
    for site in estate.sites where site.zones.count > 1 {
      var first: [String: String] = [:]
      for (number, server) in self.servers.enumerated()
      where site.zones.contains(server.zone) && estate.isCarrier(server) {
        let zones = { (rail: String) in
          Set(servers.filter { $0.rail == rail && site.zones.contains($0.zone) }.map(\.zone))
        }
        guard let other = first[server.zone] else {
          first[server.zone] = server.rail
          continue
        }
        if other != server.rail, zones(other) == zones(server.rail), zones(other).count == 1 {
          tell(
            .railsTogether, place("backbone", "servers", .index(number), "zone"),
            "rails \(Self.quoted(other)) and \(Self.quoted(server.rail)) both stand only in zone "
              + "\(Self.quoted(server.zone)) of site \(Self.quoted(site.name)) and fail together",
            "rails in different zones")
        }
      }
    }
  }

  /// Sites with several ways between them that are one way after all.
  mutating func redundancy() {
    let sites = estate.sites.filter { $0.kind != .location && !$0.zones.isEmpty }
    var told: Set<String> = []
    for (number, a) in sites.enumerated() {
      for b in sites.dropFirst(number + 1) {
        guard isJoined(a, b, without: []) else { continue }
        let carriers = Set(estate.links.compactMap(\.carrier)).sorted()
        let locations = Set(estate.links.compactMap(\.location)).sorted()
        for (kind, names, code) in [
          (Failure.Kind.carrier, carriers, EstateFaultCode.carrierTogether),
          (.location, locations, .locationTogether),
        ] {
          for name in names where !isJoined(a, b, without: [Failure(kind, name)]) {
            let links = estate.links.enumerated().filter {
              (kind == .carrier ? $0.element.carrier : $0.element.location) == name
            }
            // Of a single line everybody knows.
            guard links.count > 1, told.insert("\(kind) \(name)").inserted, let last = links.last else {
              continue
            }
            tell(
              code, place("links", .index(last.offset), .key(kind.rawValue)),
              "\(Self.shown(links.map(\.element.name))) share \(kind.rawValue) \(Self.quoted(name)): without it site "
                + "\(Self.quoted(a.name)) doesn't reach site \(Self.quoted(b.name))",
              "ways between sites that share nothing")
          }
        }
      }
    }
  }

  /// Whether some zone of a site reaches some zone of another.
  private func isJoined(_ a: Site, _ b: Site, without failures: [Failure]) -> Bool {
    let loss = estate.loss(of: failures)
    return estate.routes(withoutZones: loss.zones, withoutLinks: loss.links).parts.contains { part in
      part.contains(where: a.zones.contains) && part.contains(where: b.zones.contains)
    }
  }
}
