// Starting everything: files, network, message servers, nodes, the exchange, the reference, clients; and the orderly end.

import Estate
import Foundation

extension LabSession {
  func prepareFiles() throws(LabFailure) {
    // Nodes that come back wait for others, and for being well for a while: a feed that ended meanwhile would be a run
    // without an end.
    let seconds =
      Double(plan.controls + plan.runs) * (plan.secondsOfFault + plan.scenario.afterSeconds + 2 * slack) * 1.5
      + 60
    let messages = max(20_000, Int(seconds * Double(plan.rate)))
    say("a market of \(plan.instruments) instruments, \(messages) messages, seed \(plan.seed)")
    try LabCommand.require(
      [
        plan.program, "simulate", "--out", feedPath, "--seed", "\(plan.seed)", "--instruments",
        "\(plan.instruments)", "--messages", "\(messages)",
      ], run: entry.run)
    do {
      try FileManager.default.createDirectory(
        atPath: "\(entry.folder)/data", withIntermediateDirectories: true)
      if estate.backbone?.credentials != nil {
        // Passwords of a network that lives for minutes and that nobody else can reach.
        let text = EstateCredentials.names(of: estate).map { "\($0) \(Self.password())" }.joined(
          separator: "\n")
        try entry.writePrivately(text + "\n", to: "\(entry.folder)/credentials")
      }
      try EstateText.write(estate).write(toFile: estatePath, atomically: false, encoding: .utf8)
    } catch let error as LabFailure {
      throw error
    } catch { throw LabFailure("\(entry.folder): \(error.localizedDescription)") }
    if plan.scenario.name == .slowDisk { try makeDisk() }
  }

  /// Restarts take time that the scenario doesn't say.
  private var slack: Double { plan.scenario.name == .rollingUpgrade ? Double(estate.nodes.count + 4) * 4 : 6 }

  private static func password() -> String {
    var generator = SystemRandomNumberGenerator()
    return String(generator.next() as UInt64, radix: 36) + String(generator.next() as UInt64, radix: 36)
      + "00000000"
  }

  private func makeDisk() throws(LabFailure) {
    let image = "\(entry.folder)/disk.image"
    let folder = "\(entry.folder)/data"
    try LabCommand.require(["/usr/bin/truncate", "-s", "512M", image], run: entry.run)
    try LabCommand.require(["/usr/sbin/mkfs.ext4", "-q", "-F", image], run: entry.run)
    try entry.note("images", image)
    let loop = try LabCommand.require(["/usr/sbin/losetup", "--find", "--show", image], run: entry.run)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    try entry.note("loops", loop)
    try entry.note("mounts", folder)
    try LabCommand.require(["/usr/bin/mount", loop, folder], run: entry.run)
  }

  // MARK: - Network and nodes

  func startNetwork() throws(LabFailure) {
    try check()
    let began = Date()
    let network = try LabNetwork(layout, entry: entry, logs: logs)
    self.network = network
    try network.build()
    let servers = estate.backbone?.servers ?? []
    let ports = Set(servers.flatMap { [$0.port, $0.clusterPort, $0.gatewayPort] }).compactMap(
      UInt16.init(exactly:))
    try network.links.say(.watch(ports.sorted()))
    var times = RouterConfiguration.Times()
    if plan.scenario.withoutBFD { times.bfd = nil }
    try network.startRouting(times)
    try network.watchRoutes()
    try network.waitForRoutes()
    say(
      "\(layout.hosts.count) hosts, \(layout.routers.count) routers, \(layout.lines.count) lines, "
        + "\(layout.clients.count) clients; routes are there after "
        + String(format: "%.1f s", Date().timeIntervalSince(began)))
  }

  func startServersAndNodes() throws(LabFailure) {
    for server in estate.backbone?.servers ?? [] { try startServer(server) }
    for server in estate.backbone?.servers ?? [] { try waitForServer(server, within: 10) }
    for node in estate.nodes { try startNode(node) }
    for node in estate.nodes { try waitForNode(node, "/health/live", within: 30) }
  }

  private func startServer(_ server: BackboneDescription.Server) throws(LabFailure) {
    guard let host = layout.host(of: server.name) else {
      throw LabFailure("server \(server.name) has no host")
    }
    let path = "\(entry.folder)/\(server.name).conf"
    let configuration: String
    do throws(ServerConfiguration.Problem) {
      let credentials = (try? String(contentsOfFile: "\(entry.folder)/credentials", encoding: .utf8)).map {
        EstateCredentials.read($0, for: estate).credentials
      }
      let text = try ServerConfiguration.text(
        of: server.name, in: estate, credentials: credentials, streams: "\(entry.folder)/data/\(server.name)")
      configuration = text
    } catch { throw LabFailure("server \(server.name): its configuration can't be made: \(error)") }
    try entry.writePrivately(configuration, to: path)
    nodes[server.name] = try LabProcess(
      server.name, ["/usr/sbin/nats-server", "--config", path], namespace: namespace(host.name), entry: entry,
      logs: logs)
  }

  private func waitForServer(_ server: BackboneDescription.Server, within seconds: Double) throws(LabFailure)
  {
    guard let host = layout.host(of: server.name) else { return }
    let until = Date().addingTimeInterval(seconds)
    while !LabHTTP.listens(namespace(host.name), host.address, server.port, within: 0.5) {
      try check()
      if Date() > until || nodes[server.name]?.isRunning == false {
        throw LabFailure("server \(server.name) doesn't listen:\n\(nodes[server.name]?.lastWords ?? "")")
      }
      usleep(20_000)
    }
  }

  private func startNode(_ node: Node) throws(LabFailure) {
    guard let host = layout.host(of: node.name) else { throw LabFailure("node \(node.name) has no host") }
    var environment: [String: String] = [:]
    var command = command(of: node)
    if plan.scenario.name == .clockSkew {
      let file = "\(entry.folder)/clock-\(host.name)"
      if !FileManager.default.fileExists(atPath: file) { try setClock(host.name, 0) }
      environment = ClockSkew.environment(file: file)
      // libfaketime moves the environment when it first sets a variable, and Swift finds a program's arguments by where
      // the environment is: `env` lets that happen before.
      command = ["/usr/bin/env"] + command
    }
    nodes[node.name] = try LabProcess(
      node.name, command, namespace: namespace(host.name), entry: entry, logs: logs,
      environment: environment)
  }

  /// A node of an estate without a backbone that is plant and gateway needs nothing of the estate.
  private func command(of node: Node) -> [String] {
    guard estate.backbone == nil, node.roles.contains(.plant), node.roles.contains(.gateway) else {
      return [plan.program, "serve", "--estate", estatePath, "--node", node.name]
    }
    return embedded(listen: "\(node.address):\(node.port)")
  }

  func embedded(listen: String) -> [String] {
    var feed = estate.markets.first?.feed ?? ""
    feed += "&reference=\(feedPath).reference.json"
    return [plan.program, "serve", "--feed", feed, "--listen", listen, "--firewall", "off"]
  }

  func waitForNode(_ node: Node, _ path: String, within seconds: Double) throws(LabFailure) {
    guard let host = layout.host(of: node.name) else { return }
    let until = Date().addingTimeInterval(seconds)
    while LabHTTP.status(namespace(host.name), host.address, node.port, path, within: 0.5) != 200 {
      try check()
      if Date() > until || nodes[node.name]?.isRunning == false {
        throw LabFailure(
          "node \(node.name) doesn't answer \(path) with 200:\n\(nodes[node.name]?.lastWords ?? "")")
      }
      usleep(20_000)
    }
  }

  /// Starts a node or a server again.
  func startAgain(_ name: String) throws(LabFailure) {
    if let server = estate.backbone?.servers.first(where: { $0.name == name }) {
      try startServer(server)
      try waitForServer(server, within: 10)
    } else if let node = estate.nodes.first(where: { $0.name == name }) {
      try startNode(node)
    }
  }

  /// Whether a node takes clients or is fed again.
  func waitUntilReady(_ name: String) throws(LabFailure) {
    if let node = estate.nodes.first(where: { $0.name == name }) {
      try waitForNode(node, "/health/ready", within: 20)
    }
  }

  // MARK: - Feed, reference, clients

  func startFeed() throws(LabFailure) {
    guard let exchange = layout.exchange else { throw LabFailure("the estate has no feed") }
    var command = embedded(listen: "127.0.0.1:8080")
    command[3] = command[3].replacingOccurrences(
      of: "interface=\(feedInterface)", with: "interface=feed0")
    reference = try LabProcess(
      "reference", command, namespace: namespace("reference"), entry: entry, logs: logs)
    try waitForReference("/health/live")
    for (number, line) in exchange.lines.enumerated() {
      var target = "mold:\(line.group):\(line.port)?interface=seg\(number == 0 ? "a" : "b")"
      if number == 0, let request = exchange.request {
        target += "&request=\(request.address):\(request.port)"
      }
      publishers.append(
        try LabProcess(
          "line-\(number == 0 ? "a" : "b")",
          [plan.program, "replay", feedPath, "--to", target, "--rate", "\(plan.rate)"],
          namespace: namespace("exchange"), entry: entry, logs: logs))
    }
    try waitForReference("/health/ready")
    for node in estate.nodes { try waitForNode(node, "/health/ready", within: 30) }
  }

  /// The name that the estate gives a plant's feed interface.
  private var feedInterface: String { layout.hosts.compactMap(\.feedInterface).first ?? "feed0" }

  private func waitForReference(_ path: String) throws(LabFailure) {
    let until = Date().addingTimeInterval(30)
    while LabHTTP.status(
      namespace("reference"), IPv4(number: 127 << 24 | 1), 8080, path, within: 0.5) != 200
    {
      try check()
      if Date() > until || reference?.isRunning == false || publishers.contains(where: { !$0.isRunning }) {
        let words = ([reference].compactMap(\.self) + publishers).map { "\($0.name): \($0.lastWords)" }
        throw LabFailure("the reference doesn't answer \(path):\n\(words.joined(separator: "\n"))")
      }
      usleep(20_000)
    }
  }

  func startClients() throws(LabFailure) {
    let record = "\(plan.folder)/reference.record"
    referenceClient = (
      try client("reference-client", at: "reference", ["127.0.0.1:8080"], 1, record), record
    )
    for (number, client) in layout.clients.enumerated() {
      let connections = number % max(1, plan.clientsPerSite) == 0 ? 1 : 2
      let record = "\(plan.folder)/\(client.name).record"
      clients.append(
        (
          client, connections,
          try self.client(
            client.name, at: client.name, endpoints(of: client, connections: connections), connections, record
          ), record
        ))
    }
    try sleep(2)
    for client in clients where !client.process.isRunning {
      throw LabFailure("client \(client.client.name) ended:\n\(client.process.lastWords)")
    }
  }

  private func client(
    _ name: String, at place: String, _ endpoints: [String], _ connections: Int, _ record: String
  ) throws(LabFailure) -> LabProcess {
    var arguments = [plan.program, "lab", "client", "--record", record, "--connections", "\(connections)"]
    for endpoint in endpoints { arguments += ["--endpoint", endpoint] }
    return try LabProcess(name, arguments, namespace: namespace(place), entry: entry, logs: logs)
  }

  /// Gateways, those of the client's own site first; for a client that holds two connections near and far by turns, so
  /// that its two are at different sites.
  private func endpoints(of client: LabLayout.Client, connections: Int) -> [String] {
    let gateways = estate.nodes.filter { $0.roles.contains(.gateway) }
    let near = gateways.filter { layout.site(ofZone: $0.zone) == client.site }
    let far = gateways.filter { layout.site(ofZone: $0.zone) != client.site }
    var order: [Node] = []
    if connections > 1 {
      for place in 0..<max(near.count, far.count) {
        for list in [near, far] where place < list.count { order.append(list[place]) }
      }
    } else {
      order = near + far
    }
    return order.map { "\($0.address):\($0.port)" }
  }

  // MARK: - The end

  /// The feed ends, what is under way arrives, the clients write down the rest.
  func finish() throws(LabFailure) {
    for publisher in publishers { publisher.signal(SIGTERM) }
    try sleep(2)
    for client in clients { client.process.signal(SIGTERM) }
    referenceClient?.process.signal(SIGTERM)
    for process in clients.map(\.process) + [referenceClient?.process].compactMap(\.self) {
      guard process.wait(3) else { throw LabFailure("\(process.name) doesn't end") }
      // Its record isn't whole.
      guard let status = process.exitStatus, status != 0 else { continue }
      faults.append("\(process.name) ended with status \(status): \(process.lastWords)")
    }
  }
}
