// An estate: what there is, in one description that distribute, protect, survive, govern and move all read
// (docs/ESTATE.md). Values only; `EstateFile` reads them from YAML with places, `EstateCheck` says what is wrong.
// Names are unique within their kind; what refers to something does it by name.

/// See the head of this file.
public struct Estate: Sendable, Equatable {
  /// What people call it.
  public var name: String
  /// Rises with each change: nodes that run different versions don't merge their streams.
  public var version: Int
  /// Markets, in the order in which nodes number them.
  public var markets: [Market] = []
  /// Sites with their zones.
  public var sites: [Site] = []
  /// Lines between zones.
  public var links: [Link] = []
  /// The message servers; nil: one process, nothing crosses a network.
  public var backbone: BackboneDescription?
  /// Nodes and their roles.
  public var nodes: [Node] = []
  /// Services that people know, and the nodes behind them.
  public var services: [Service] = []
  /// Customers.
  public var tenants: [Tenant] = []
  /// Databases.
  public var databases: [Database] = []
  /// What of it is in Amazon's cloud; nil: nothing is said.
  public var aws: CloudDescription?

  /// An estate without anything.
  public init(name: String, version: Int = 1) {
    self.name = name
    self.version = version
  }
}

/// A market: where its feed is heard and what ITCH can't carry.
public struct Market: Sendable, Equatable {
  /// Market identifier code, such as XTKS.
  public var code: String
  /// A source as `kabuto serve --feed` takes it; `interface` and the like may be given by the node.
  public var feed: String
  /// Path of the reference file; nil: none, or what the feed itself brings.
  public var reference: String?
  /// IANA name of the exchange's zone; nil: what the feed or the reference file says.
  public var timeZone: String?

  /// A market.
  public init(code: String, feed: String) {
    self.code = code
    self.feed = feed
  }
}

/// A place that can be lost as a whole.
public struct Site: Sendable, Equatable {
  /// What kind of place it is.
  public enum Kind: String, Sendable, CaseIterable {
    /// A building of one's own, or rooms in one.
    case datacenter
    /// A region of a cloud.
    case cloud
    /// Where lines are handed over (a Direct Connect location): no nodes, only ends of lines.
    case location
  }

  /// Its name.
  public var name: String
  /// Parts that share power, cooling and switches.
  public var zones: [String]
  /// What kind of place it is.
  public var kind = Kind.datacenter
  /// One way between two hosts of a zone, microseconds.
  public var zoneLatencyMicroseconds = 250

  /// A site with its zones.
  public init(name: String, zones: [String]) {
    self.name = name
    self.zones = zones
  }
}

/// A line between two zones.
public struct Link: Sendable, Equatable {
  /// Which of several lines carries.
  public enum Role: String, Sendable, CaseIterable {
    /// Carries whenever it works.
    case active
    /// Carries when no active line does.
    case standby
  }

  /// Its name.
  public var name: String
  /// The zone at its one end.
  public var from: String
  /// The zone at its other end.
  public var to: String
  /// Who runs it: lines of one carrier fail together.
  public var carrier: String?
  /// Where it is handed over (a Direct Connect location): lines through one location fail together.
  public var location: String?
  /// One way, microseconds.
  public var latencyMicroseconds: Int
  /// Megabits a second; nil: not limited.
  public var bandwidthMegabits: Int?
  /// Whether it carries, or waits.
  public var role = Role.active
  /// Names of systems that may have a budget: words of subjects (docs/BACKBONE.md), and `prices` for `px`, `history` for
  /// `keep`, `feeds` for `feed`.
  public static let budgetSystems = [
    "prices", "history", "feeds", "px", "feed", "want", "beat", "ask", "keep", "node", "answer", "other",
  ]
  /// What each system may use of it, megabits a second; by name (`budgetSystems`).
  public var budgets: [String: Int] = [:]

  /// A line; latency one way, in microseconds.
  public init(name: String, from: String, to: String, latencyMicroseconds: Int) {
    self.name = name
    self.from = from
    self.to = to
    self.latencyMicroseconds = latencyMicroseconds
  }
}

/// NATS servers and how nodes reach them.
public struct BackboneDescription: Sendable, Equatable {
  /// How the servers of a rail reach those in other sites.
  public enum BetweenSites: String, Sendable, CaseIterable {
    /// Every site is a cluster, clusters are joined by gateways.
    case gateways
    /// The servers of the first site are hubs, those of the others are leaves of them.
    case leafnodes
  }

  /// A server. Servers of one rail form one network; two rails are never connected, so that a value that is published
  /// on both arrives although either is lost.
  public struct Server: Sendable, Equatable {
    /// Its name, one in the whole estate.
    public var name: String
    /// Where it stands.
    public var zone: String
    /// Name of its rail, such as `a`.
    public var rail: String
    /// IP address or host name.
    public var address: String
    /// For nodes.
    public var port = 4222
    /// For servers of the same rail and site.
    public var clusterPort = 6222
    /// For servers of the same rail in other sites.
    public var gatewayPort = 7222
    /// For leaf nodes: servers that keep streams, and those of other sites where sites are joined so.
    public var leafPort = 7422
    /// For who watches it, on its own host only.
    public var monitorPort = 8222
    /// Keeps what must last. Beside other servers of its rail it does only that: nodes connect to the others.
    public var keepsStreams = false

    /// A server that listens at its usual ports.
    public init(name: String, zone: String, rail: String, address: String) {
      self.name = name
      self.zone = zone
      self.rail = rail
      self.address = address
    }
  }

  /// All servers of all rails.
  public var servers: [Server] = []
  /// How sites are joined.
  public var betweenSites = BetweenSites.gateways
  /// PEM file: whom to trust; nil: no TLS.
  public var certificateAuthority: String?
  /// PEM file with the certificate chain; `{node}` stands for the name of the node or server; nil: no TLS.
  public var certificate: String?
  /// PEM file with the key of the certificate; `{node}` as there.
  public var key: String?
  /// A file with a line `node password` each; nil: nobody is asked. Never part of the estate file itself.
  public var credentials: String?

  /// A backbone without servers.
  public init() {}
}

/// A host with a `kabuto` process.
public struct Node: Sendable, Equatable {
  /// What a node does.
  public enum Role: String, Sendable, CaseIterable, Hashable {
    /// Makes prices of a market's feed.
    case plant
    /// Keeps ticks, bars and snapshots.
    case store
    /// Serves clients.
    case gateway
    /// Looks at requests before a gateway or another server gets them.
    case firewall
  }
  /// Which instruments a gateway takes.
  public enum Interest: String, Sendable, CaseIterable {
    /// All of its markets.
    case all
    /// Those that clients ask for.
    case clients
  }

  /// Its name, one in the whole estate.
  public var name: String
  /// Where it stands.
  public var zone: String
  /// IP address or host name.
  public var address: String
  /// What it does.
  public var roles: [Role]
  /// Codes of the markets that it carries; empty: all.
  public var markets: [String] = []
  /// Where it listens for clients and for `/health`, `/metrics`: port.
  public var port = 8080
  /// Streams a gateway merges: 1 = the nearest, and another when that is lost; 2 = two at once.
  public var streams = 1
  /// Which instruments it takes.
  public var interest = Interest.all
  /// Folder for what it keeps; nil: nothing is kept.
  public var data: String?
  /// Network interface of the feed lines.
  public var feedInterface: String?
  /// The feed of a market on this node, by market code, where it is another than the market's.
  public var feeds: [String: String] = [:]
  /// For `firewall` alone: where it sends requests.
  public var backends: [String] = []

  /// A node with its roles.
  public init(name: String, zone: String, address: String, roles: [Role]) {
    self.name = name
    self.zone = zone
    self.address = address
    self.roles = roles
  }
}

/// What people call a service, and what it needs.
public struct Service: Sendable, Equatable {
  /// Its name.
  public var name: String
  /// Nodes that do its work: one that lives is enough.
  public var nodes: [String] = []
  /// Names of services and databases without which it doesn't work.
  public var needs: [String] = []
  /// Name under which clients reach it.
  public var host: String?
  /// Ports at which it is reached; rules over resources let these be open, and no others.
  public var ports: [Int] = []
  /// Whether clients know it by addresses that may not change.
  public var hasFixedAddresses = false
  /// What it speaks; nil: nothing is said.
  public var speaks: Language?
  /// Whether it is a firewall that stands between load balancers; one whose nodes all do nothing else is one unsaid.
  public var isFirewall = false

  /// What a service speaks.
  public enum Language: String, Sendable, CaseIterable {
    /// HTTP/1.0, which load balancers that read requests don't pass on.
    case http10 = "http-1.0"
    /// HTTP/1.1.
    case http11 = "http-1.1"
    /// HTTP/2.
    case http2 = "http-2"
    /// Another protocol over TCP.
    case tcp
    /// Another protocol over UDP.
    case udp
  }

  /// A service without nodes.
  public init(name: String) { self.name = name }
}

/// What of an estate is in Amazon's cloud, for rules over its resources.
public struct CloudDescription: Sendable, Equatable {
  /// Numbers of the accounts that belong to the estate.
  public var accounts: [String] = []
  /// Regions that are used; empty: those of `zones`.
  public var regions: [String] = []
  /// The cloud's own name of zones of the estate, such as ap-northeast-3a.
  public var zones: [String: String] = [:]
  /// Instance types, or families of them, that are mature enough.
  public var instanceTypes: [String] = []

  /// Nothing yet.
  public init() {}
}

/// A customer.
public struct Tenant: Sendable, Equatable {
  /// What it gets of a market.
  public enum Entitlement: String, Sendable, CaseIterable {
    /// Prices as they come.
    case realtime
    /// Prices after the market's delay.
    case delayed
  }

  /// Its name.
  public var name: String
  /// Codes of the markets it may see.
  public var markets: [String] = []
  /// What it gets of them.
  public var entitlement = Entitlement.realtime

  /// A tenant.
  public init(name: String) { self.name = name }
}

/// A database.
public struct Database: Sendable, Equatable {
  /// What holds it.
  public enum Kind: String, Sendable, CaseIterable {
    /// A file of one node.
    case sqlite
    /// A server with copies.
    case postgresql
  }

  /// Its name.
  public var name: String
  /// What holds it.
  public var kind: Kind
  /// Zones, or nodes (for sqlite), that hold a copy.
  public var zones: [String] = []

  /// A database.
  public init(name: String, kind: Kind) {
    self.name = name
    self.kind = kind
  }
}
