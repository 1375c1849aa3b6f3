// The table of every key of an estate file: what it holds and what it is. See `Shape`.

enum EstateShapes {
  private static let many = 0...10_000

  static let market = ObjectShape(
    title: "a market", what: "A market: where its feed is heard and what ITCH can't carry.",
    keys: [
      ShapeKey("code", .marketCode, required: true, "Market identifier code, such as XTKS."),
      ShapeKey("feed", .source, required: true, "A source, as `kabuto serve --feed` takes it."),
      ShapeKey("reference", .text, "Path of the reference file."),
      ShapeKey(
        "time_zone", .text, otherwise: "what the feed or the reference file says",
        "IANA name of the exchange's zone, such as Asia/Tokyo."),
    ])

  static let site = ObjectShape(
    title: "a site", what: "A place that can be lost as a whole.",
    keys: [
      ShapeKey("name", .name, required: true, "Its name."),
      ShapeKey(
        "kind", .choice(Site.Kind.allCases.map(\.rawValue)), otherwise: "datacenter",
        "`location` is where lines are handed over (a Direct Connect location): ends of links, no nodes."),
      ShapeKey(
        "zones", .list(.name, count: 1...100), required: true,
        "Its parts that share power, cooling and switches."),
      ShapeKey(
        "latency_ms", .milliseconds(0...1_000_000), otherwise: "0.25", "One way between two hosts of a zone."),
    ])

  static let link = ObjectShape(
    title: "a link", what: "A line between two zones.",
    keys: [
      ShapeKey("name", .name, required: true, "Its name."),
      ShapeKey("between", .list(.name, count: 2...2), required: true, "The zones at its ends."),
      ShapeKey("latency_ms", .milliseconds(0...10_000_000), required: true, "One way."),
      ShapeKey(
        "bandwidth_mbps", .integer(1...10_000_000), otherwise: "not limited", "What it carries each way."),
      ShapeKey("carrier", .name, "Who runs it: lines of one carrier fail together."),
      ShapeKey(
        "location", .name,
        "Where it is handed over: lines through one location fail together; a site of kind location with this name, too."
      ),
      ShapeKey(
        "role", .choice(Link.Role.allCases.map(\.rawValue)), otherwise: "active",
        "A standby line carries only what no active line can."),
      ShapeKey(
        "budgets", .map(key: .name, value: .integer(1...10_000_000)),
        "What each system may use of it, megabits a second; together at most bandwidth_mbps. Systems: prices (px), history (keep), feeds (feed), want, beat, ask, answer, node, other."
      ),
    ])

  static let server = ObjectShape(
    title: "a server",
    what: "A NATS server. Servers of one rail form one network; two rails are never connected.",
    keys: [
      ShapeKey("name", .name, required: true, "Its name, one in the whole estate."),
      ShapeKey("zone", .name, required: true, "Where it stands."),
      ShapeKey("rail", .name, required: true, "Name of its rail, such as a."),
      ShapeKey("address", .address, required: true, "IP address or host name."),
      ShapeKey("port", .integer(1...65_535), otherwise: "4222", "For nodes."),
      ShapeKey(
        "cluster_port", .integer(1...65_535), otherwise: "6222", "For servers of the same rail and site."),
      ShapeKey(
        "gateway_port", .integer(1...65_535), otherwise: "7222",
        "For servers of the same rail in other sites."),
      ShapeKey(
        "leaf_port", .integer(1...65_535), otherwise: "7422",
        "For leaf nodes: the server that keeps streams, and other sites' servers with between_sites: leafnodes."
      ),
      ShapeKey("monitor_port", .integer(1...65_535), otherwise: "8222", "Figures, on its own host only."),
      ShapeKey(
        "keeps_streams", .boolean, otherwise: "false",
        "Keeps what must last (JetStream); beside other servers of its rail it does only that. At most one a rail: each rail keeps a copy."
      ),
    ])

  static let tls = ObjectShape(
    title: "tls", what: "PEM files; `{node}` stands for the name of the node or server.",
    keys: [
      ShapeKey("ca", .text, required: true, "Whom to trust."),
      ShapeKey("certificate", .text, required: true, "Its certificate chain, such as tls/{node}.pem."),
      ShapeKey("key", .text, required: true, "The key of it, such as tls/{node}.key."),
    ])

  static let backbone = ObjectShape(
    title: "the backbone",
    what: "The message servers. Without a backbone the estate is one process and nothing crosses a network.",
    keys: [
      ShapeKey(
        "between_sites", .choice(BackboneDescription.BetweenSites.allCases.map(\.rawValue)),
        otherwise: "gateways",
        "How servers of a rail reach other sites: clusters joined by gateways, or the first site's servers as hubs."
      ),
      ShapeKey(
        "servers", .list(.object(server), count: 1...1_000), required: true, "All servers of all rails."),
      ShapeKey("tls", .object(tls), "Certificates of servers and nodes; each side asks for the other's."),
      ShapeKey(
        "credentials", .text, otherwise: "nobody is asked",
        "Path of a file with a line `NAME PASSWORD` for each node, for `operator`, and `rail/NAME` for the servers of each rail."
      ),
    ])

  static let node = ObjectShape(
    title: "a node", what: "A host with a `kabuto` process.",
    keys: [
      ShapeKey("name", .name, required: true, "Its name, one in the whole estate."),
      ShapeKey("zone", .name, required: true, "Where it stands."),
      ShapeKey("address", .address, required: true, "IP address or host name."),
      ShapeKey(
        "roles", .list(.choice(Node.Role.allCases.map(\.rawValue)), count: 1...4), required: true,
        "What it does: plant makes prices of feeds, store keeps them, gateway serves clients, firewall looks at requests."
      ),
      ShapeKey("markets", .list(.marketCode, count: many), otherwise: "all", "The markets that it carries."),
      ShapeKey(
        "port", .integer(1...65_535), otherwise: "8080", "For clients, and for /health and /metrics."),
      ShapeKey(
        "streams", .integer(1...2), otherwise: "1",
        "Streams that a gateway merges: 1 is the nearest, and another when that is lost; 2 is two at once."),
      ShapeKey(
        "interest", .choice(Node.Interest.allCases.map(\.rawValue)), otherwise: "all",
        "Which instruments a gateway takes: all of its markets, or those that clients ask for, which is for nodes that "
          + "are gateway and firewall alone."),
      ShapeKey("data", .text, otherwise: "nothing is kept", "Folder for what it keeps."),
      ShapeKey("feed_interface", .text, "Network interface of the feed lines."),
      ShapeKey(
        "feeds", .map(key: .marketCode, value: .source),
        "The source of a market on this node, where it is another than the market's."),
      ShapeKey(
        "backends", .list(.backend, count: many),
        "Where a firewall sends requests, when it isn't a gateway itself."),
    ])

  static let service = ObjectShape(
    title: "a service", what: "What people know by a name, and what it needs.",
    keys: [
      ShapeKey("name", .name, required: true, "Its name."),
      ShapeKey("nodes", .list(.name, count: many), "Nodes that do its work: one that lives is enough."),
      ShapeKey(
        "needs", .list(.name, count: many), "Services and databases without which it doesn't work."),
      ShapeKey("host", .address, "Name under which clients reach it."),
      ShapeKey(
        "ports", .list(.integer(1...65_535), count: 0...1_000),
        "Ports at which it is reached: rules over resources let these be open."),
      ShapeKey(
        "fixed_address", .boolean, otherwise: "false",
        "Clients know it by addresses that may not change, so that it stands behind a network load balancer."),
      ShapeKey(
        "speaks", .choice(Service.Language.allCases.map(\.rawValue)),
        "What it speaks: http-1.0 stands behind a network load balancer, since others don't pass it on."),
      ShapeKey(
        "firewall", .boolean, otherwise: "true where all its nodes are firewalls and nothing else",
        "It is a firewall between load balancers, which is targeted by IP address."),
    ])

  static let tenant = ObjectShape(
    title: "a tenant", what: "A customer.",
    keys: [
      ShapeKey("name", .name, required: true, "Its name."),
      ShapeKey("markets", .list(.marketCode, count: many), otherwise: "none", "The markets that it may see."),
      ShapeKey(
        "entitlement", .choice(Tenant.Entitlement.allCases.map(\.rawValue)), otherwise: "realtime",
        "What it gets of them."),
    ])

  static let database = ObjectShape(
    title: "a database", what: "A database and where its copies are.",
    keys: [
      ShapeKey("name", .name, required: true, "Its name."),
      ShapeKey(
        "kind", .choice(Database.Kind.allCases.map(\.rawValue)), required: true, "What holds it."),
      ShapeKey(
        "zones", .list(.name, count: 1...1_000), required: true,
        "Zones, or nodes (for sqlite), that hold a copy."),
    ])

  static let aws = ObjectShape(
    title: "what is in AWS",
    what: "What rules over AWS resources must know of the estate (docs/GOVERN-RULES.md).",
    keys: [
      ShapeKey(
        "accounts", .list(.account, count: 0...10_000), "Numbers of the accounts that belong to the estate."),
      ShapeKey(
        "regions", .list(.cloudName, count: 0...100), otherwise: "those of zones",
        "Regions that are used: in all others there should be nothing."),
      ShapeKey(
        "zones", .map(key: .name, value: .cloudName),
        "AWS's own names of zones of the estate, such as osk-a: ap-northeast-3a."),
      ShapeKey(
        "instance_types", .list(.cloudName, count: 0...1_000), otherwise: "all but previous generations",
        "Types of instances (m7i.large) or families (m7i) that are mature enough."),
    ])

  static let estate = ObjectShape(
    title: "an estate", what: "One file that says what there is; everything else reads it.",
    keys: [
      ShapeKey("estate", .name, required: true, "What people call it."),
      ShapeKey(
        "version", .integer(1...1_000_000_000), required: true,
        "Raise it with each change: nodes with different configurations don't merge their streams."),
      ShapeKey(
        "markets", .list(.object(market), count: many), "Markets, in the order in which nodes number them."),
      ShapeKey("sites", .list(.object(site), count: 1...1_000), required: true, "Sites with their zones."),
      ShapeKey("links", .list(.object(link), count: many), "Lines between zones."),
      ShapeKey("backbone", .object(backbone), "The message servers."),
      ShapeKey("nodes", .list(.object(node), count: many), "Nodes and their roles."),
      ShapeKey("services", .list(.object(service), count: many), "Services and the nodes behind them."),
      ShapeKey("tenants", .list(.object(tenant), count: many), "Customers."),
      ShapeKey("databases", .list(.object(database), count: many), "Databases."),
      ShapeKey("aws", .object(aws), "What of it is in AWS."),
    ])

  /// The objects of an estate with where they stand, in the order of the reference.
  static let all: [(path: String, object: ObjectShape)] = [
    ("", estate), ("markets[]", market), ("sites[]", site), ("links[]", link), ("backbone", backbone),
    ("backbone.servers[]", server), ("backbone.tls", tls), ("nodes[]", node), ("services[]", service),
    ("tenants[]", tenant), ("databases[]", database), ("aws", aws),
  ]
}
