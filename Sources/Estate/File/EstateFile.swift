// An estate from the text of its file, or everything that is wrong with the text. Never both nothing and nothing.

/// See the head of this file.
public enum EstateFile {
  /// A longer text isn't read.
  public static let byteLimit = YAMLTree.byteLimit

  /// Reads and checks an estate.
  /// - Returns: The estate, unless a fault is an error; and all faults, in the order of the file.
  public static func read(_ text: String) -> (estate: Estate?, faults: [EstateFault]) {
    let tree = YAMLTree(text)
    guard let root = tree.root else { return (nil, tree.faults.sorted { $0.place < $1.place }) }
    var reader = ShapeReader(passingOver: tree.passedOver)
    let item = reader.read(root, as: .object(EstateShapes.estate), at: "")
    var faults = tree.faults + reader.faults
    var estate: Estate?
    if let item {
      let built = EstateBuilder.estate(item)
      faults += EstateCheck.faults(of: built, places: EstatePlaces(item), incomplete: reader.incomplete)
      estate = built
    }
    faults = faults.enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
      .map(\.element)
    return (faults.contains { $0.severity == .error } ? nil : estate, faults)
  }

  /// Reads bytes, which must be UTF-8.
  public static func read(bytes: [UInt8]) -> (estate: Estate?, faults: [EstateFault]) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      var line = 1
      for row in bytes.split(separator: 10, omittingEmptySubsequences: false) {
        if String(validating: row, as: UTF8.self) == nil { break }
        line += 1
      }
      let fault = EstateFault(
        .notText, EstatePlace(line: line, column: 1), found: "bytes that are not UTF-8",
        wanted: "a text in UTF-8")
      return (nil, [fault])
    }
    return read(text)
  }
}

/// Items → the model. What is missing is empty; a fault has said so.
enum EstateBuilder {
  static func estate(_ item: Item) -> Estate {
    var estate = Estate(name: item.text("estate") ?? "", version: item.integer("version") ?? 1)
    estate.markets = item.list("markets").map(market)
    estate.sites = item.list("sites").map(site)
    estate.links = item.list("links").map(link)
    estate.backbone = item["backbone"].map(backbone)
    estate.nodes = item.list("nodes").map(node)
    estate.services = item.list("services").map { item in
      var service = Service(name: item.text("name") ?? "")
      service.nodes = item.texts("nodes")
      service.needs = item.texts("needs")
      service.host = item.text("host")
      service.ports = item.integers("ports")
      service.hasFixedAddresses = item.boolean("fixed_address") ?? false
      service.speaks = item.text("speaks").flatMap(Service.Language.init)
      service.isFirewall = item.boolean("firewall") ?? false
      return service
    }
    estate.tenants = item.list("tenants").map { item in
      var tenant = Tenant(name: item.text("name") ?? "")
      tenant.markets = item.texts("markets")
      tenant.entitlement = item.text("entitlement").flatMap(Tenant.Entitlement.init) ?? tenant.entitlement
      return tenant
    }
    estate.databases = item.list("databases").map { item in
      var database = Database(
        name: item.text("name") ?? "", kind: item.text("kind").flatMap(Database.Kind.init) ?? .sqlite)
      database.zones = item.texts("zones")
      return database
    }
    estate.aws = item["aws"].map { item in
      var aws = CloudDescription()
      aws.accounts = item.texts("accounts")
      aws.regions = item.texts("regions")
      for (zone, name) in item.pairs("zones") {
        if case .text(let text) = name.value { aws.zones[zone] = text }
      }
      aws.instanceTypes = item.texts("instance_types")
      return aws
    }
    return estate
  }

  private static func market(_ item: Item) -> Market {
    var market = Market(code: item.text("code") ?? "", feed: item.text("feed") ?? "")
    market.reference = item.text("reference")
    market.timeZone = item.text("time_zone")
    return market
  }

  private static func site(_ item: Item) -> Site {
    var site = Site(name: item.text("name") ?? "", zones: item.texts("zones"))
    site.kind = item.text("kind").flatMap(Site.Kind.init) ?? site.kind
    site.zoneLatencyMicroseconds = item.integer("latency_ms") ?? site.zoneLatencyMicroseconds
    return site
  }

  private static func link(_ item: Item) -> Link {
    let ends = item.texts("between")
    var link = Link(
      name: item.text("name") ?? "", from: ends.first ?? "", to: ends.count > 1 ? ends[1] : "",
      latencyMicroseconds: item.integer("latency_ms") ?? 0)
    link.bandwidthMegabits = item.integer("bandwidth_mbps")
    link.carrier = item.text("carrier")
    link.location = item.text("location")
    link.role = item.text("role").flatMap(Link.Role.init) ?? link.role
    for (system, budget) in item.pairs("budgets") {
      if case .integer(let megabits) = budget.value { link.budgets[system] = megabits }
    }
    return link
  }

  private static func backbone(_ item: Item) -> BackboneDescription {
    var backbone = BackboneDescription()
    backbone.betweenSites =
      item.text("between_sites").flatMap(BackboneDescription.BetweenSites.init) ?? backbone.betweenSites
    backbone.credentials = item.text("credentials")
    backbone.certificateAuthority = item["tls"]?.text("ca")
    backbone.certificate = item["tls"]?.text("certificate")
    backbone.key = item["tls"]?.text("key")
    backbone.servers = item.list("servers").map { item in
      var server = BackboneDescription.Server(
        name: item.text("name") ?? "", zone: item.text("zone") ?? "", rail: item.text("rail") ?? "",
        address: item.text("address") ?? "")
      server.port = item.integer("port") ?? server.port
      server.clusterPort = item.integer("cluster_port") ?? server.clusterPort
      server.gatewayPort = item.integer("gateway_port") ?? server.gatewayPort
      server.leafPort = item.integer("leaf_port") ?? server.leafPort
      server.monitorPort = item.integer("monitor_port") ?? server.monitorPort
      server.keepsStreams = item.boolean("keeps_streams") ?? server.keepsStreams
      return server
    }
    return backbone
  }

  private static func node(_ item: Item) -> Node {
    var node = Node(
      name: item.text("name") ?? "", zone: item.text("zone") ?? "", address: item.text("address") ?? "",
      roles: item.texts("roles").compactMap(Node.Role.init))
    node.markets = item.texts("markets")
    node.port = item.integer("port") ?? node.port
    node.streams = item.integer("streams") ?? node.streams
    node.interest = item.text("interest").flatMap(Node.Interest.init) ?? node.interest
    node.data = item.text("data")
    node.feedInterface = item.text("feed_interface")
    for (code, source) in item.pairs("feeds") {
      if case .text(let text) = source.value { node.feeds[code] = text }
    }
    node.backends = item.texts("backends")
    return node
  }
}

/// Where the values of an estate stand. An estate that doesn't come from a file has no places.
struct EstatePlaces {
  private let root: Item?

  init(_ root: Item?) { self.root = root }

  /// The place of what a path leads to, or of the nearest thing around it: `("links", 2, "between", 0)`.
  func callAsFunction(_ path: Step...) -> EstatePlace {
    guard var item = root else { return .none }
    for step in path {
      switch (step, item.value) {
      case (.key(let key), .map(let pairs)):
        guard let next = pairs.first(where: { $0.key == key }) else { return item.place }
        item = next.item
      case (.index(let index), .list(let items)):
        guard items.indices.contains(index) else { return item.place }
        item = items[index]
      default: return item.place
      }
    }
    return item.place
  }

  enum Step: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case key(String)
    case index(Int)

    init(stringLiteral key: String) { self = .key(key) }
    init(integerLiteral index: Int) { self = .index(index) }
  }
}
