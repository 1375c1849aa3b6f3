// Where a feed comes from, as people write it (kabuto serve --feed SOURCE):
//   sim:[seed=1&instruments=400&speed=1]            also sim: and sim:?seed=1
//   itch:FILE[,FILE2…][?speed=max&reference=FILE&date=YYYY-MM-DD&market=XNAS&zone=America/New_York]
//   pcap:FILE[,FILE2…][?the same]
//   mold:GROUP:PORT[,GROUP:PORT][?request=HOST:PORT&interface=…&heartbeat=MS&wait=MS&requests=N&reference=…&date=…
//        &market=…&zone=…]
//   soup:HOST:PORT[?user=…&password=…&session=…&sequence=N&heartbeat=MS&reference=…&date=…&market=…&zone=…]
// Names are percent-decoded, so %2C and %3F stand for a comma and a question mark within a path.

public import MarketData

/// A host (or multicast group) and a port.
public struct FeedEndpoint: Sendable, Hashable, CustomStringConvertible {
  /// Name or address.
  public var host: String
  /// Port.
  public var port: UInt16
  /// A place to connect to.
  public init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }
  /// `host:port`, with brackets around IPv6.
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// What the feed itself can't say; an address may.
public struct FeedFacts: Sendable, Hashable {
  /// Path of the reference file.
  public var reference: String?
  /// The day.
  public var date: CalendarDate?
  /// Market identifier code.
  public var market: String?
  /// IANA name of the exchange's zone.
  public var zone: String?
  /// Nothing is said.
  public init() {}
}

/// A source of messages.
public enum FeedAddress: Sendable, Hashable {
  /// The simulated exchange.
  case simulator(Simulator)
  /// Files of messages.
  case itch(Files)
  /// Captures.
  case pcap(Files)
  /// MoldUDP64 lines.
  case mold(Mold)
  /// A SoupBinTCP server.
  case soup(Soup)

  /// The simulated exchange and its options.
  public struct Simulator: Sendable, Hashable {
    /// Decides all that happens.
    public var seed: UInt64 = 1
    /// How many instruments.
    public var instruments: Int = 400
    /// How fast.
    public var speed: FeedSpeed?
    /// The defaults.
    public init() {}
  }

  /// Files and their options.
  public struct Files: Sendable, Hashable {
    /// Paths, in order.
    public var paths: [String]
    /// How fast.
    public var speed: FeedSpeed = .realTime
    /// What was said about the feed.
    public var facts = FeedFacts()
    /// Files at their own speed.
    public init(paths: [String]) { self.paths = paths }
  }

  /// MoldUDP64 lines and their options.
  public struct Mold: Sendable, Hashable {
    /// Line A, and line B where there is one.
    public var lines: [FeedEndpoint]
    /// The request server.
    public var request: FeedEndpoint?
    /// Network interface to listen on: its name or its address.
    public var interface: String?
    /// A line's heartbeats come at least this often.
    public var heartbeatMilliseconds: UInt64 = 100
    /// How long a gap is waited for before it is declared.
    public var waitMilliseconds: UInt64 = 500
    /// Requests a second that the request server allows.
    public var requestsPerSecond = 1_000
    /// What was said about the feed.
    public var facts = FeedFacts()
    /// Lines without a request server.
    public init(lines: [FeedEndpoint]) { self.lines = lines }
  }

  /// A SoupBinTCP server and its options.
  public struct Soup: Sendable, Hashable {
    /// The server.
    public var server: FeedEndpoint
    /// User name, at most six characters.
    public var user: String?
    /// Password, at most ten characters.
    public var password: String?
    /// Session to ask for, at most ten characters; nil = the current one.
    public var session: String?
    /// Sequence number to begin with; 0 = the most recent.
    public var sequence: UInt64?
    /// How often the server is heard at least, milliseconds; after three times that it is silent.
    public var heartbeatMilliseconds: UInt64 = 1000
    /// What was said about the feed.
    public var facts = FeedFacts()
    /// A server.
    public init(server: FeedEndpoint) { self.server = server }
  }
}

/// What is wrong with an address: everything at once.
public struct FeedAddressError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The address as shown: without its password.
  public var address: String
  /// Each fault: place, found, wanted.
  public var faults: [String]

  /// An error from its parts.
  public init(address: String, faults: [String]) {
    self.address = address
    self.faults = faults
  }

  /// The address, and a line for each fault.
  public var description: String {
    "feed \"\(address)\":" + faults.map { "\n  " + $0 }.joined()
  }
}
