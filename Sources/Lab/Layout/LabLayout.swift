// How an estate becomes namespaces: a host for each address, a switch and a router for each zone, a router for each
// location where carriers hand over, the internet before each site with its clients, and the exchange with segments A
// and B to each site. Pure: values in, values out; `LabNetwork` builds it.
// Invariant: an address, an AS number and an interface's name within a namespace are given once.

import Estate

/// See the head of this file.
struct LabLayout: Sendable, Equatable {
  /// A machine with an address of its own: nodes and servers of the estate that share an address share it.
  struct Host: Sendable, Equatable {
    /// Its namespace's name within the run.
    var name: String
    var zone: String
    var address: IPv4
    /// Nodes of the estate on it.
    var nodes: [String] = []
    /// Message servers on it.
    var servers: [String] = []
    /// The name and address of its interface to the feed's lines; nil: it hears none.
    var feedInterface: String?
    var feedAddress: IPv4?
  }

  /// Where a router stands.
  enum Place: Sendable, Equatable, Hashable {
    case zone(String)
    case location(String)
    case internet(site: String)
  }

  /// A router with FRR.
  struct Router: Sendable, Equatable {
    /// Its namespace's name within the run.
    var name: String
    var place: Place
    /// Its autonomous system: each router is one, so that any line may heal any other.
    var system: UInt32
    var identifier: IPv4
    /// The network it announces, where it has one, and its own address there.
    var network: IPv4.Network?
    var address: IPv4?
  }

  /// A line between two routers, made by the link emulator.
  struct Line: Sendable, Equatable {
    /// Unique; also the interface's name at both ends.
    var name: String
    /// Routers' names, and their addresses on the line.
    var from: String
    var to: String
    var fromAddress: IPv4
    var toAddress: IPv4
    /// One way, microseconds.
    var delayMicroseconds: Int
    /// Megabits a second; nil: as fast as the machine.
    var megabits: Int?
    var isStandby = false
    /// The estate's link that it is (a part of); nil: the laboratory's own.
    var link: String?
    var carrier: String?
    /// Location whose power both ends or one end depend on.
    var location: String?
  }

  /// Somebody who takes prices over the internet.
  struct Client: Sendable, Equatable {
    var name: String
    var site: String
    var address: IPv4
  }

  /// The exchange's lines.
  struct Exchange: Sendable, Equatable {
    var market: String
    /// Groups and ports of line A and line B.
    var lines: [(group: String, port: UInt16)]
    /// Address and port of the request server.
    var request: (address: IPv4, port: UInt16)?
    var network: IPv4.Network
    /// The exchange's address on each segment; the request server is on A.
    var addresses: [IPv4]
    /// Of the reference plant, which no fault reaches.
    var referenceAddress: IPv4

    static func == (one: Self, other: Self) -> Bool {
      one.market == other.market && one.network == other.network && one.addresses == other.addresses
        && one.referenceAddress == other.referenceAddress
        && one.lines.elementsEqual(other.lines, by: ==)
        && one.request?.address == other.request?.address && one.request?.port == other.request?.port
    }
  }

  var sites: [(name: String, zones: [String])] = []
  var hosts: [Host] = []
  var routers: [Router] = []
  var lines: [Line] = []
  var clients: [Client] = []
  var exchange: Exchange?

  static func == (one: Self, other: Self) -> Bool {
    one.hosts == other.hosts && one.routers == other.routers && one.lines == other.lines
      && one.clients == other.clients && one.exchange == other.exchange
      && one.sites.elementsEqual(other.sites, by: ==)
  }

  /// The site of a zone.
  func site(ofZone zone: String) -> String? { sites.first { $0.zones.contains(zone) }?.name }

  /// The host on which a node or a message server runs.
  func host(of name: String) -> Host? {
    hosts.first { $0.nodes.contains(name) || $0.servers.contains(name) }
  }

  /// The router of that name.
  func router(_ name: String) -> Router? { routers.first { $0.name == name } }

  /// The router of a zone.
  func router(ofZone zone: String) -> Router? { routers.first { $0.place == .zone(zone) } }

  /// Lines that end at a router.
  func lines(at router: String) -> [Line] { lines.filter { $0.from == router || $0.to == router } }

  /// The site at a router: of its zone, or the site it is the internet of; nil for a location.
  func site(of router: Router) -> String? {
    switch router.place {
    case .zone(let zone): site(ofZone: zone)
    case .internet(let site): site
    case .location: nil
    }
  }

  /// Of the estate's lines those that leave a site: to another one or to a location.
  var carrierLines: [Line] {
    lines.filter { line in
      guard line.link != nil, let from = router(line.from), let to = router(line.to) else { return false }
      let ends = [from, to].map { site(of: $0) }
      return ends[0] != ends[1]
    }
  }

  /// Carriers in the order of the estate, those of active lines first.
  var carriers: [String] {
    var names: [String] = []
    for line in lines.filter({ !$0.isStandby }) + lines {
      if let carrier = line.carrier, !names.contains(carrier) { names.append(carrier) }
    }
    return names
  }

  /// Routers of locations, those with active lines first.
  var locations: [Router] {
    let all = routers.filter {
      if case .location = $0.place { true } else { false }
    }
    let active = Set(lines.filter { !$0.isStandby && $0.carrier != nil }.flatMap { [$0.from, $0.to] })
    return all.filter { active.contains($0.name) } + all.filter { !active.contains($0.name) }
  }
}

/// What keeps an estate from being laid out; everything at once.
struct LabLayoutError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Each: place, found, wanted, remedy.
  var faults: [String]
  var description: String { faults.joined(separator: "\n") }
}
