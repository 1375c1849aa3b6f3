// What zebra, bfdd and bgpd of one router are told (FRR 8.4). Pure text.
//
// Active and standby as the estate says, the way the real system did it: local preference decides what comes in (active
// 200, by way of another zone of the site 150, internet 120, standby 100), AS-path prepend tells the other side. A site's own
// networks are reached over its carriers only when nothing else is left (90): what goes from zone to zone doesn't leave the
// site. BFD declares a neighbour lost after 3 × 50 ms; without it the hold time of 9 s does.

/// See the head of this file.
struct RouterConfiguration: Sendable, Equatable {
  /// Times of the protocols.
  struct Times: Sendable, Equatable {
    var keepaliveSeconds = 3
    var holdSeconds = 9
    /// BFD sends and expects a packet each so many milliseconds, and gives up after so many; nil: no BFD.
    var bfd: (intervalMilliseconds: Int, multiplier: Int)? = (50, 3)
    init() {}

    static func == (one: Self, other: Self) -> Bool {
      one.keepaliveSeconds == other.keepaliveSeconds && one.holdSeconds == other.holdSeconds
        && one.bfd?.intervalMilliseconds == other.bfd?.intervalMilliseconds
        && one.bfd?.multiplier == other.bfd?.multiplier
    }
  }

  /// What a neighbour is told.
  enum Announces: String, Sendable { case everything, estate, site, clients }

  /// A neighbour on a line.
  struct Neighbour: Sendable, Equatable {
    var name: String
    var line: String
    var address: IPv4
    var system: UInt32
    /// Of what it tells.
    var localPreference: Int
    /// Of what it tells of this router's own site; nil: the same.
    var ownSitePreference: Int?
    /// How often the own number is put before what it is told.
    var prepends: Int
    var announces: Announces
  }

  var router: LabLayout.Router
  var neighbours: [Neighbour]
  /// All zones' networks, those of this router's site, and the clients'.
  var estateNetworks: [IPv4.Network]
  var siteNetworks: [IPv4.Network]
  var clientNetworks: [IPv4.Network]
  var times: Times
  /// The configuration of a router of a layout.
  init(_ router: LabLayout.Router, in layout: LabLayout, times: Times) {
    self.router = router
    self.times = times
    let site = layout.site(of: router)
    estateNetworks = []
    siteNetworks = []
    clientNetworks = []
    for other in layout.routers {
      guard let network = other.network else { continue }
      switch other.place {
      case .zone:
        estateNetworks.append(network)
        if layout.site(of: other) == site { siteNetworks.append(network) }
      case .internet: clientNetworks.append(network)
      case .location: break
      }
    }
    neighbours = layout.lines(at: router.name).compactMap { line in
      let isFrom = line.from == router.name
      guard let other = layout.router(isFrom ? line.to : line.from) else { return nil }
      let announces: Announces
      var preference = 200
      switch (router.place, other.place) {
      case (.zone, .zone) where layout.site(of: other) == site:
        announces = .everything
        preference = 150
      case (.zone, .internet):
        announces = .site
        preference = 120
      case (.internet, .zone): announces = .clients
      case (.internet, _): announces = .everything
      default: announces = .estate
      }
      if line.isStandby { preference = 100 }
      var ownSitePreference: Int?
      if case .zone = router.place, announces == .estate { ownSitePreference = 90 }
      return Neighbour(
        name: other.name, line: line.name, address: isFrom ? line.toAddress : line.fromAddress,
        system: other.system, localPreference: preference, ownSitePreference: ownSitePreference,
        prepends: line.isStandby ? 3 : 0, announces: announces)
    }
  }

  private var head: String {
    """
    hostname \(router.name)
    log stdout
    log timestamp precision 6

    """
  }

  /// For zebra.
  var zebra: String { head }

  /// For bfdd.
  var bfdd: String {
    guard let bfd = times.bfd else { return head }
    return head + """
      debug bfd peer
      bfd
       profile fast
        detect-multiplier \(bfd.multiplier)
        receive-interval \(bfd.intervalMilliseconds)
        transmit-interval \(bfd.intervalMilliseconds)

      """
  }

  /// For bgpd.
  var bgpd: String {
    var lines: [String] = []
    for (name, networks) in [
      ("estate", estateNetworks), ("site", siteNetworks), ("clients", clientNetworks),
    ] {
      for network in networks { lines.append("ip prefix-list \(name) permit \(network)") }
      if networks.isEmpty { lines.append("ip prefix-list \(name) deny any") }
    }
    for neighbour in neighbours {
      if let preference = neighbour.ownSitePreference {
        lines += [
          "route-map in-\(neighbour.line) permit 5", " match ip address prefix-list site",
          " set local-preference \(preference)",
        ]
      }
      lines += [
        "route-map in-\(neighbour.line) permit 10", " set local-preference \(neighbour.localPreference)",
        "route-map out-\(neighbour.line) permit 10",
      ]
      if neighbour.announces != .everything {
        lines.append(" match ip address prefix-list \(neighbour.announces.rawValue)")
      }
      if neighbour.prepends > 0 {
        let own = Array(repeating: "\(router.system)", count: neighbour.prepends).joined(separator: " ")
        lines.append(" set as-path prepend \(own)")
      }
    }
    lines += [
      "router bgp \(router.system)", " bgp router-id \(router.identifier)", " bgp log-neighbor-changes",
      " timers bgp \(times.keepaliveSeconds) \(times.holdSeconds)",
    ]
    for neighbour in neighbours {
      let start = " neighbor \(neighbour.address)"
      lines += [
        "\(start) remote-as \(neighbour.system)", "\(start) description \(neighbour.name)",
        "\(start) timers connect 1", "\(start) advertisement-interval 0",
      ]
      if times.bfd != nil { lines.append("\(start) bfd profile fast") }
    }
    lines.append(" address-family ipv4 unicast")
    if let network = router.network { lines.append("  network \(network)") }
    for neighbour in neighbours {
      lines += [
        "  neighbor \(neighbour.address) route-map in-\(neighbour.line) in",
        "  neighbor \(neighbour.address) route-map out-\(neighbour.line) out",
      ]
    }
    lines += ["  maximum-paths 1", " exit-address-family"]
    return head + lines.joined(separator: "\n") + "\n"
  }
}
