// Builds a layout: namespaces, bridges, pairs of interfaces, emulated lines, addresses, routes; then FRR in the routers.
// Owner: the run's thread. Everything is written down in the run's entry before it is made.

import CNetwork
import Foundation

/// See the head of this file.
final class LabNetwork {
  let layout: LabLayout
  let entry: LabEntry
  let logs: String
  let links: LinkControl
  private(set) var routing: [String: [LabProcess]] = [:]
  private var monitors: [LabProcess] = []
  private var times = RouterConfiguration.Times()
  /// Commands for `ip`, by namespace ("" the machine's own).
  private var batches: [(namespace: String, lines: [String])] = []
  private var made: Set<String> = []

  /// Nothing is made yet but the emulator's thread.
  init(_ layout: LabLayout, entry: LabEntry, logs: String) throws(LabFailure) {
    self.layout = layout
    self.entry = entry
    self.logs = logs
    links = try LinkControl()
  }

  /// Makes all namespaces and what connects them.
  func build() throws(LabFailure) {
    for name in namespaceNames { try makeNamespace(name) }
    for line in layout.lines {
      try links.say(
        .add(name: line.name, from: entry.namespaceFile(line.from), to: entry.namespaceFile(line.to)))
      try links.say(.set(name: line.name, .both, Self.changes(for: line)))
    }
    joinHosts()
    joinClients()
    if let exchange = layout.exchange { joinExchange(exchange) }
    addRouterAddresses()
    try runBatches()
  }

  static func changes(for line: LabLayout.Line) -> [LinkCommand.Change] {
    var changes = [LinkCommand.Change(.delay, UInt64(line.delayMicroseconds) * 1000)]
    if let megabits = line.megabits {
      changes.append(.init(.rate, UInt64(megabits) * 1_000_000))
      // A quarter of a second's worth waits, as much as a router of that line would hold.
      changes.append(.init(.queue, max(64 * 1024, UInt64(megabits) * 1_000_000 / 8 / 4)))
    }
    return changes
  }

  // MARK: - Namespaces

  static func switchName(_ zone: String) -> String { "s-\(zone)" }
  static func feedName(_ site: String) -> String { "f-\(site)" }

  private var namespaceNames: [String] {
    layout.hosts.map(\.name) + layout.routers.map(\.name) + layout.clients.map(\.name)
      + layout.sites.flatMap(\.zones).map(Self.switchName)
      + (layout.exchange == nil
        ? [] : ["exchange", "reference"] + layout.sites.map { Self.feedName($0.name) })
  }

  private func makeNamespace(_ name: String) throws(LabFailure) {
    let file = entry.namespaceFile(name)
    try? FileManager.default.createDirectory(atPath: "/run/netns", withIntermediateDirectories: true)
    try entry.note("namespaces", entry.namespaceName(name))
    let descriptor = open(file, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0)
    guard descriptor >= 0 else { throw LabFailure("\(file): \(String(cString: strerror(errno)))") }
    close(descriptor)
    guard kabuto_make_namespace(file) == 0 else {
      throw LabFailure("network namespace \(name): \(String(cString: strerror(errno)))")
    }
    made.insert(name)
    for (path, value) in [
      ("/proc/sys/net/ipv4/ip_forward", "1"), ("/proc/sys/net/ipv4/conf/all/rp_filter", "0"),
      ("/proc/sys/net/ipv4/conf/default/rp_filter", "0"),
      ("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"),
      ("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"),
    ] where kabuto_write_setting(file, path, value) != 0 && !path.contains("ipv6") {
      throw LabFailure("\(path) in \(name): \(String(cString: strerror(errno)))")
    }
    command(name, "link set dev lo up")
  }

  private func command(_ namespace: String, _ line: String) {
    if let index = batches.firstIndex(where: { $0.namespace == namespace }) {
      batches[index].lines.append(line)
    } else {
      batches.append((namespace, [line]))
    }
  }

  private func runBatches() throws(LabFailure) {
    // Pairs first: they are made from outside.
    for batch in batches.sorted(by: { $0.namespace < $1.namespace }) {
      let path = "\(entry.folder)/batch"
      do {
        try (batch.lines.joined(separator: "\n") + "\n").write(
          toFile: path, atomically: false, encoding: .utf8)
      } catch { throw LabFailure("\(path): \(error.localizedDescription)") }
      let place = batch.namespace.isEmpty ? [] : ["-n", entry.namespaceName(batch.namespace)]
      try LabCommand.require(["/usr/sbin/ip"] + place + ["-batch", path], run: entry.run)
    }
    batches = []
  }

  /// A pair of interfaces.
  private func pair(_ one: String, _ interface: String, _ other: String, _ otherInterface: String) {
    command(
      "",
      "link add name \(interface) netns \(entry.namespaceName(one)) type veth peer name \(otherInterface) "
        + "netns \(entry.namespaceName(other))")
  }

  private func bridge(_ namespace: String, _ name: String) {
    command(namespace, "link add name \(name) type bridge stp_state 0 mcast_snooping 0 forward_delay 0")
    command(namespace, "link set dev \(name) up")
  }

  private func port(_ namespace: String, _ interface: String, of bridge: String) {
    command(namespace, "link set dev \(interface) master \(bridge) up")
  }

  // MARK: - What is where

  private func joinHosts() {
    for zone in layout.sites.flatMap(\.zones) {
      let name = Self.switchName(zone)
      bridge(name, "br0")
      guard let router = layout.router(ofZone: zone), let network = router.network,
        let gateway = router.address
      else { continue }
      pair(router.name, "lan", name, "p0")
      port(name, "p0", of: "br0")
      for (index, host) in layout.hosts.filter({ $0.zone == zone }).enumerated() {
        pair(host.name, "eth0", name, "p\(index + 1)")
        port(name, "p\(index + 1)", of: "br0")
        command(host.name, "link set dev eth0 up")
        command(host.name, "address add \(host.address)/\(network.length) dev eth0")
        command(host.name, "route add default via \(gateway)")
      }
    }
  }

  private func joinClients() {
    for router in layout.routers {
      guard case .internet(let site) = router.place, let address = router.address,
        let network = router.network
      else { continue }
      bridge(router.name, "lan")
      for (index, client) in layout.clients.filter({ $0.site == site }).enumerated() {
        pair(client.name, "eth0", router.name, "p\(index)")
        port(router.name, "p\(index)", of: "lan")
        command(client.name, "link set dev eth0 up")
        command(client.name, "address add \(client.address)/\(network.length) dev eth0")
        command(client.name, "route add default via \(address)")
      }
    }
  }

  /// Segments A and B: bridges at the exchange and at each site; an interface of a plant is a bridge of its own over
  /// both, whose two ports don't talk to one another, so that the segments stay apart.
  private func joinExchange(_ exchange: LabLayout.Exchange) {
    let length = exchange.network.length
    for (index, segment) in ["a", "b"].enumerated() {
      bridge("exchange", "seg\(segment)")
      command("exchange", "address add \(exchange.addresses[index])/\(length) dev seg\(segment)")
      for (number, site) in layout.sites.enumerated() {
        let name = Self.feedName(site.name)
        bridge(name, "seg\(segment)")
        pair("exchange", "\(segment)\(number)", name, "up\(segment)")
        port("exchange", "\(segment)\(number)", of: "seg\(segment)")
        port(name, "up\(segment)", of: "seg\(segment)")
        for (place, host) in layout.hosts.enumerated() where layout.site(ofZone: host.zone) == site.name {
          guard host.feedAddress != nil else { continue }
          pair(host.name, "line\(segment)", name, "\(segment)\(place)")
          port(name, "\(segment)\(place)", of: "seg\(segment)")
        }
      }
      pair("exchange", "\(segment)r", "reference", "line\(segment)")
      port("exchange", "\(segment)r", of: "seg\(segment)")
    }
    for host in layout.hosts {
      guard let address = host.feedAddress, let interface = host.feedInterface else { continue }
      hear(host.name, interface, address, length)
    }
    hear("reference", "feed0", exchange.referenceAddress, length)
  }

  private func hear(_ namespace: String, _ interface: String, _ address: IPv4, _ length: Int) {
    bridge(namespace, interface)
    for segment in ["a", "b"] {
      port(namespace, "line\(segment)", of: interface)
      command(namespace, "link set dev line\(segment) type bridge_slave isolated on")
    }
    command(namespace, "address add \(address)/\(length) dev \(interface)")
  }

  private func addRouterAddresses() {
    for router in layout.routers {
      command(router.name, "address add \(router.identifier)/32 dev lo")
      if let address = router.address, let network = router.network {
        command(router.name, "address add \(address)/\(network.length) dev lan")
        command(router.name, "link set dev lan up")
      }
      for line in layout.lines(at: router.name) {
        let own = line.from == router.name ? line.fromAddress : line.toAddress
        command(router.name, "address add \(own)/31 dev \(line.name)")
        command(router.name, "link set dev \(line.name) up")
      }
    }
  }

  // MARK: - Routing

  /// Starts FRR in every router.
  func startRouting(_ times: RouterConfiguration.Times) throws(LabFailure) {
    self.times = times
    for router in layout.routers { try startRouter(router) }
  }

  /// Starts FRR in one router, also again.
  func startRouter(_ router: LabLayout.Router) throws(LabFailure) {
    let folder = "\(entry.folder)/frr-\(router.name)"
    let configuration = RouterConfiguration(router, in: layout, times: times)
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      // A killed zebra leaves its socket.
      try? FileManager.default.removeItem(atPath: "\(folder)/zserv.api")
      for (daemon, text) in [
        ("zebra", configuration.zebra), ("bfdd", configuration.bfdd), ("bgpd", configuration.bgpd),
      ] {
        try text.write(toFile: "\(folder)/\(daemon).conf", atomically: false, encoding: .utf8)
      }
    } catch { throw LabFailure("\(folder): \(error.localizedDescription)") }
    // FRR's daemons give up root's rights.
    try LabCommand.require(["/usr/bin/chown", "-R", "frr:frr", folder], run: entry.run)
    var processes: [LabProcess] = []
    for daemon in times.bfd == nil ? ["zebra", "bgpd"] : ["zebra", "bfdd", "bgpd"] {
      var arguments = [
        "/usr/lib/frr/\(daemon)", "-u", "frr", "-g", "frr", "-f", "\(folder)/\(daemon).conf", "-i",
        "\(folder)/\(daemon).pid", "-z", "\(folder)/zserv.api", "--vty_socket", folder, "-P", "0",
      ]
      if daemon == "bfdd" { arguments += ["--bfdctl", "\(folder)/bfdd.sock"] }
      if daemon == "bgpd" { arguments += ["-p", "179"] }
      let process = try LabProcess(
        "\(router.name)-\(daemon)", arguments, namespace: entry.namespaceFile(router.name), entry: entry,
        logs: logs)
      // Routers are machines of their own: they don't wait for ours.
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(process.id), -15)
      // Nor do they take one another for lost because this machine is busy.
      if daemon == "bfdd" { _ = kabuto_let_first(process.id, 5) }
      processes.append(process)
      if daemon == "zebra" {
        let until = Date().addingTimeInterval(5)
        while !FileManager.default.fileExists(atPath: "\(folder)/zserv.api"), Date() < until,
          process.isRunning
        {
          usleep(2_000)
        }
      }
    }
    routing[router.name] = processes
  }

  /// Waits until every router knows every network that it should.
  func waitForRoutes(within seconds: Double = 20) throws(LabFailure) {
    let until = Date().addingTimeInterval(seconds)
    var missing: [String] = []
    while true {
      missing = missingRoutes()
      if missing.isEmpty { return }
      if Date() > until { break }
      usleep(100_000)
    }
    throw LabFailure(
      "routes didn't come within \(Int(seconds)) s: \(missing.prefix(6).joined(separator: "; "))\n"
        + "look at the routers' logs in \(logs)")
  }

  /// Networks that routers don't know and should: all routers, or one.
  func missingRoutes(of name: String? = nil) -> [String] {
    var missing: [String] = []
    for router in layout.routers where name == nil || router.name == name {
      let configuration = RouterConfiguration(router, in: layout, times: .init())
      var wanted = configuration.estateNetworks
      if case .internet = router.place { wanted = configuration.siteNetworks + configuration.clientNetworks }
      let known = LabCommand.run(
        ["/usr/sbin/ip", "-n", entry.namespaceName(router.name), "-4", "route", "show"], run: entry.run
      ).output.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
      for network in wanted where !known.contains(network.description) {
        missing.append("\(router.name) lacks \(network)")
      }
    }
    return missing
  }

  /// Writes down each change of routes with its time, in the zones' and the internet's routers.
  func watchRoutes() throws(LabFailure) {
    for router in layout.routers {
      if case .location = router.place { continue }
      monitors.append(
        try LabProcess(
          "\(router.name)-routes", ["/usr/sbin/ip", "-4", "-ts", "monitor", "route"],
          namespace: entry.namespaceFile(router.name), entry: entry, logs: logs))
    }
  }

  /// The processes of a router.
  func processes(of router: String) -> [LabProcess] { routing[router] ?? [] }

  /// A setting of an interface, such as `down`.
  func set(_ namespace: String, _ interface: String, _ state: String) throws(LabFailure) {
    try LabCommand.require(
      ["/usr/sbin/ip", "-n", entry.namespaceName(namespace), "link", "set", "dev", interface, state],
      run: entry.run)
  }
}
