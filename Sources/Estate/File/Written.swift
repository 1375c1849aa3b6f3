// An estate as a tree of what its file would say: what is left at its default isn't said. `EstateText` lays it out
// as YAML; the configuration's hash is made of it, so that a key that comes later changes no hash while it isn't used.

indirect enum Written: Sendable, Equatable {
  case text(String)
  case number(String)
  case boolean(Bool)
  case list([Written])
  case map([(key: String, value: Written)])

  static func == (a: Written, b: Written) -> Bool {
    switch (a, b) {
    case (.text(let x), .text(let y)), (.number(let x), .number(let y)): x == y
    case (.boolean(let x), .boolean(let y)): x == y
    case (.list(let x), .list(let y)): x == y
    case (.map(let x), .map(let y)): x.map(\.key) == y.map(\.key) && x.map(\.value) == y.map(\.value)
    default: false
    }
  }
}

/// Collects the keys of an object, in the order of the table.
private struct Keys {
  var pairs: [(key: String, value: Written)] = []

  mutating func text(_ key: String, _ value: String?) {
    if let value { pairs.append((key, .text(value))) }
  }
  mutating func number(_ key: String, _ value: Int?) {
    if let value { pairs.append((key, .number(String(value)))) }
  }
  mutating func milliseconds(_ key: String, _ microseconds: Int) {
    pairs.append((key, .number(Shape.milliseconds(microseconds))))
  }
  mutating func texts(_ key: String, _ values: [String], always: Bool = false) {
    if always || !values.isEmpty { pairs.append((key, .list(values.map(Written.text)))) }
  }
  mutating func objects(_ key: String, _ values: [Written], always: Bool = false) {
    if always || !values.isEmpty { pairs.append((key, .list(values))) }
  }
}

extension Written {
  private static func object(_ fill: (inout Keys) -> Void) -> Written {
    var keys = Keys()
    fill(&keys)
    return .map(keys.pairs)
  }

  init(_ estate: Estate) {
    self = Self.object {
      $0.text("estate", estate.name)
      $0.number("version", estate.version)
      $0.objects("markets", estate.markets.map(Self.market))
      $0.objects("sites", estate.sites.map(Self.site), always: true)
      $0.objects("links", estate.links.map(Self.link))
      if let backbone = estate.backbone { $0.pairs.append(("backbone", Self.backbone(backbone))) }
      $0.objects("nodes", estate.nodes.map(Self.node))
      $0.objects(
        "services",
        estate.services.map { service in
          Self.object {
            $0.text("name", service.name)
            $0.texts("nodes", service.nodes)
            $0.texts("needs", service.needs)
            $0.text("host", service.host)
            if !service.ports.isEmpty {
              $0.pairs.append(("ports", .list(service.ports.map { .number(String($0)) })))
            }
            if service.hasFixedAddresses { $0.pairs.append(("fixed_address", .boolean(true))) }
            $0.text("speaks", service.speaks?.rawValue)
            if service.isFirewall { $0.pairs.append(("firewall", .boolean(true))) }
          }
        })
      $0.objects(
        "tenants",
        estate.tenants.map { tenant in
          Self.object {
            $0.text("name", tenant.name)
            $0.texts("markets", tenant.markets)
            $0.text("entitlement", tenant.entitlement == .realtime ? nil : tenant.entitlement.rawValue)
          }
        })
      $0.objects(
        "databases",
        estate.databases.map { database in
          Self.object {
            $0.text("name", database.name)
            $0.text("kind", database.kind.rawValue)
            $0.texts("zones", database.zones, always: true)
          }
        })
      if let aws = estate.aws { $0.pairs.append(("aws", Self.aws(aws))) }
    }
  }

  private static func aws(_ aws: CloudDescription) -> Written {
    object {
      $0.texts("accounts", aws.accounts)
      $0.texts("regions", aws.regions)
      if !aws.zones.isEmpty {
        $0.pairs.append(
          ("zones", .map(aws.zones.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })))
      }
      $0.texts("instance_types", aws.instanceTypes)
    }
  }

  private static func market(_ market: Market) -> Written {
    object {
      $0.text("code", market.code)
      $0.text("feed", market.feed)
      $0.text("reference", market.reference)
      $0.text("time_zone", market.timeZone)
    }
  }

  private static func site(_ site: Site) -> Written {
    object {
      $0.text("name", site.name)
      $0.text("kind", site.kind == .datacenter ? nil : site.kind.rawValue)
      $0.texts("zones", site.zones, always: true)
      if site.zoneLatencyMicroseconds != 250 { $0.milliseconds("latency_ms", site.zoneLatencyMicroseconds) }
    }
  }

  private static func link(_ link: Link) -> Written {
    object {
      $0.text("name", link.name)
      $0.texts("between", [link.from, link.to])
      $0.milliseconds("latency_ms", link.latencyMicroseconds)
      $0.number("bandwidth_mbps", link.bandwidthMegabits)
      $0.text("carrier", link.carrier)
      $0.text("location", link.location)
      $0.text("role", link.role == .active ? nil : link.role.rawValue)
      if !link.budgets.isEmpty {
        let budgets = link.budgets.sorted { $0.key < $1.key }
        $0.pairs.append(("budgets", .map(budgets.map { ($0.key, .number(String($0.value))) })))
      }
    }
  }

  private static func backbone(_ backbone: BackboneDescription) -> Written {
    object {
      $0.text("between_sites", backbone.betweenSites == .gateways ? nil : backbone.betweenSites.rawValue)
      $0.objects(
        "servers",
        backbone.servers.map { server in
          object {
            $0.text("name", server.name)
            $0.text("zone", server.zone)
            $0.text("rail", server.rail)
            $0.text("address", server.address)
            $0.number("port", server.port == 4222 ? nil : server.port)
            $0.number("cluster_port", server.clusterPort == 6222 ? nil : server.clusterPort)
            $0.number("gateway_port", server.gatewayPort == 7222 ? nil : server.gatewayPort)
            $0.number("leaf_port", server.leafPort == 7422 ? nil : server.leafPort)
            $0.number("monitor_port", server.monitorPort == 8222 ? nil : server.monitorPort)
            if server.keepsStreams { $0.pairs.append(("keeps_streams", .boolean(true))) }
          }
        }, always: true)
      if backbone.certificateAuthority != nil || backbone.certificate != nil || backbone.key != nil {
        let tls = object {
          $0.text("ca", backbone.certificateAuthority)
          $0.text("certificate", backbone.certificate)
          $0.text("key", backbone.key)
        }
        $0.pairs.append(("tls", tls))
      }
      $0.text("credentials", backbone.credentials)
    }
  }

  private static func node(_ node: Node) -> Written {
    object {
      $0.text("name", node.name)
      $0.text("zone", node.zone)
      $0.text("address", node.address)
      $0.texts("roles", node.roles.map(\.rawValue), always: true)
      $0.texts("markets", node.markets)
      $0.number("port", node.port == 8080 ? nil : node.port)
      $0.number("streams", node.streams == 1 ? nil : node.streams)
      $0.text("interest", node.interest == .all ? nil : node.interest.rawValue)
      $0.text("data", node.data)
      $0.text("feed_interface", node.feedInterface)
      if !node.feeds.isEmpty {
        $0.pairs.append(
          ("feeds", .map(node.feeds.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })))
      }
      $0.texts("backends", node.backends)
    }
  }
}
