// How an estate becomes namespaces: a host for each address, a switch and a router for each zone, a router for each
// location where carriers hand over, the internet before each site with its clients, and the exchange with segments A
// and B to each site. Pure: values in, values out; `LabNetwork` builds it.
// Invariant: an address, an AS number and an interface's name within a namespace are given once.

import Estate

/// See the head of this file.
public struct LabLayout: Sendable, Equatable {
  /// A machine with an address of its own: nodes and servers of the estate that share an address share it.
  public struct Host: Sendable, Equatable {
    /// Its namespace's name within the run.
    public var name: String
    public var zone: String
    public var address: IPv4
    /// Nodes of the estate on it.
    public var nodes: [String] = []
    /// Message servers on it.
    public var servers: [String] = []
    /// The name and address of its interface to the feed's lines; nil: it hears none.
    public var feedInterface: String?
    public var feedAddress: IPv4?
  }

  /// Where a router stands.
  public enum Place: Sendable, Equatable, Hashable {
    case zone(String)
    case location(String)
    case internet(site: String)
  }

  /// A router with FRR.
  public struct Router: Sendable, Equatable {
    /// Its namespace's name within the run.
    public var name: String
    public var place: Place
    /// Its autonomous system: each router is one, so that any line may heal any other.
    public var system: UInt32
    public var identifier: IPv4
    /// The network it announces, where it has one, and its own address there.
    public var network: IPv4.Network?
    public var address: IPv4?
  }

  /// A line between two routers, made by the link emulator.
  public struct Line: Sendable, Equatable {
    /// Unique; also the interface's name at both ends.
    public var name: String
    /// Routers' names, and their addresses on the line.
    public var from: String
    public var to: String
    public var fromAddress: IPv4
    public var toAddress: IPv4
    /// One way, microseconds.
    public var delayMicroseconds: Int
    /// Megabits a second; nil: as fast as the machine.
    public var megabits: Int?
    public var isStandby = false
    /// The estate's link that it is (a part of); nil: the laboratory's own.
    public var link: String?
    public var carrier: String?
    /// Location whose power both ends or one end depend on.
    public var location: String?
  }

  /// Somebody who takes prices over the internet.
  public struct Client: Sendable, Equatable {
    public var name: String
    public var site: String
    public var address: IPv4
  }

  /// The exchange's lines.
  public struct Exchange: Sendable, Equatable {
    public var market: String
    /// Groups and ports of line A and line B.
    public var lines: [(group: String, port: UInt16)]
    /// Address and port of the request server.
    public var request: (address: IPv4, port: UInt16)?
    public var network: IPv4.Network
    /// The exchange's address on each segment; the request server is on A.
    public var addresses: [IPv4]
    /// Of the reference plant, which no fault reaches.
    public var referenceAddress: IPv4

    public static func == (one: Self, other: Self) -> Bool {
      one.market == other.market && one.network == other.network && one.addresses == other.addresses
        && one.referenceAddress == other.referenceAddress
        && one.lines.elementsEqual(other.lines, by: ==)
        && one.request?.address == other.request?.address && one.request?.port == other.request?.port
    }
  }

  public var sites: [(name: String, zones: [String])] = []
  public var hosts: [Host] = []
  public var routers: [Router] = []
  public var lines: [Line] = []
  public var clients: [Client] = []
  public var exchange: Exchange?

  public static func == (one: Self, other: Self) -> Bool {
    one.hosts == other.hosts && one.routers == other.routers && one.lines == other.lines
      && one.clients == other.clients && one.exchange == other.exchange
      && one.sites.elementsEqual(other.sites, by: ==)
  }

  /// The site of a zone.
  public func site(ofZone zone: String) -> String? { sites.first { $0.zones.contains(zone) }?.name }

  /// The host on which a node or a message server runs.
  public func host(of name: String) -> Host? {
    hosts.first { $0.nodes.contains(name) || $0.servers.contains(name) }
  }

  /// The router of that name.
  public func router(_ name: String) -> Router? { routers.first { $0.name == name } }

  /// The router of a zone.
  public func router(ofZone zone: String) -> Router? { routers.first { $0.place == .zone(zone) } }

  /// Lines that end at a router.
  public func lines(at router: String) -> [Line] { lines.filter { $0.from == router || $0.to == router } }

  /// The site at a router: of its zone, or the site it is the internet of; nil for a location.
  public func site(of router: Router) -> String? {
    switch router.place {
    case .zone(let zone): site(ofZone: zone)
    case .internet(let site): site
    case .location: nil
    }
  }

  /// Of the estate's lines those that leave a site: to another one or to a location.
  public var carrierLines: [Line] {
    lines.filter { line in
      guard line.link != nil, let from = router(line.from), let to = router(line.to) else { return false }
      let ends = [from, to].map { site(of: $0) }
      return ends[0] != ends[1]
    }
  }

  /// Carriers in the order of the estate, those of active lines first.
  public var carriers: [String] {
    var names: [String] = []
    for line in lines.filter({ !$0.isStandby }) + lines {
      if let carrier = line.carrier, !names.contains(carrier) { names.append(carrier) }
    }
    return names
  }

  /// Routers of locations, those with active lines first.
  public var locations: [Router] {
    let all = routers.filter {
      if case .location = $0.place { true } else { false }
    }
    let active = Set(lines.filter { !$0.isStandby && $0.carrier != nil }.flatMap { [$0.from, $0.to] })
    return all.filter { active.contains($0.name) } + all.filter { !active.contains($0.name) }
  }
}

/// What keeps an estate from being laid out; everything at once.
public struct LabLayoutError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Each: place, found, wanted, remedy.
  public var faults: [String]
  public var description: String { faults.joined(separator: "\n") }
}
