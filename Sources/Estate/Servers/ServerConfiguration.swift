// The configuration file of one nats-server (2.9 and later) of an estate. Servers of one rail and site are a cluster;
// sites are joined by gateways, or by leaf nodes of the first site's servers. Two rails have no line in common. A server
// that keeps streams is a leaf of the others: JetStream alone needs no majority of anybody, and is in nobody's way.

/// See the head of this file.
public struct ServerConfiguration: Sendable {
  /// Why none can be made.
  public enum Problem: Error, Sendable, Equatable {
    /// The estate has no server of this name; the nearest one, if one is near.
    case unknownServer(String, nearest: String?)
    /// The estate asks for credentials, and these lack some.
    case noPassword(String)
  }

  private let estate: Estate
  private let backbone: BackboneDescription
  private let server: BackboneDescription.Server
  private let credentials: EstateCredentials?
  private let streams: String
  private var out = ""

  /// The text of a server's configuration.
  /// - Parameters:
  ///   - credentials: Passwords; nil only where the estate asks for none.
  ///   - streams: Folder for kept streams, if the server keeps any.
  public static func text(
    of name: String, in estate: Estate, credentials: EstateCredentials?, streams: String
  ) throws(Problem) -> String {
    let servers = estate.backbone?.servers ?? []
    guard let backbone = estate.backbone, let server = servers.first(where: { $0.name == name }) else {
      throw .unknownServer(name, nearest: NameDistance.nearest(to: name, among: servers.map(\.name)))
    }
    if backbone.credentials != nil {
      for wanted in EstateCredentials.names(of: estate) where credentials?.passwords[wanted] == nil {
        throw .noPassword(wanted)
      }
    }
    var made = ServerConfiguration(
      estate: estate, backbone: backbone, server: server,
      credentials: backbone.credentials == nil ? nil : credentials, streams: streams)
    made.write()
    return made.out
  }

  private init(
    estate: Estate, backbone: BackboneDescription, server: BackboneDescription.Server,
    credentials: EstateCredentials?, streams: String
  ) {
    self.estate = estate
    self.backbone = backbone
    self.server = server
    self.credentials = credentials
    self.streams = streams
  }

  // MARK: Who is where

  private func cluster(of site: Site) -> String { "\(server.rail)-\(site.name)" }

  /// Servers of this rail that nodes connect to.
  private var carriers: [BackboneDescription.Server] { estate.carriers(ofRail: server.rail) }

  private func servers(in site: Site) -> [BackboneDescription.Server] {
    carriers.filter { site.zones.contains($0.zone) }
  }

  /// Sites that have a server of this rail.
  private var railSites: [Site] { estate.sites.filter { !servers(in: $0).isEmpty } }

  /// An address with a port, as URLs and `listen` want it.
  private static func endpoint(_ address: String, _ port: Int) -> String {
    address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
  }

  private var railPassword: String? { credentials?.passwords[EstateCredentials.railName(server.rail)] }

  private func url(_ other: BackboneDescription.Server, _ port: Int) -> String {
    let user = railPassword.map { "\(server.rail):\(Self.percentEncoded($0))@" } ?? ""
    return Self.quoted("nats://\(user)\(Self.endpoint(other.address, port))")
  }

  // MARK: Writing

  private mutating func line(_ text: String) { out += text + "\n" }

  private mutating func write() {
    let hash = String(estate.configurationHash, radix: 16)
    line(
      "# \(server.name): zone \(server.zone), rail \(server.rail). Made by `kabuto estate servers` from estate"
    )
    let configuration = String(repeating: "0", count: 8 - hash.utf8.count) + hash
    line("# \(estate.name), version \(estate.version), configuration \(configuration).")
    line("server_name: \(Self.quoted(server.name))")
    line("listen: \(Self.quoted(Self.endpoint(server.address, server.port)))")
    // Figures are for its own host; where all hosts are one, each server has its own loopback address.
    let monitor = server.address.hasPrefix("127.") ? server.address : "127.0.0.1"
    line("http: \(Self.quoted(Self.endpoint(monitor, server.monitorPort)))")
    // A peer that is gone without a word is given up after three seconds.
    line("ping_interval: \"1s\"")
    line("ping_max: 2")
    line("write_deadline: \"2s\"")
    line("max_payload: 1048576")
    writeAccounts()
    tls(indent: "")
    if server.keepsStreams {
      line("jetstream {")
      line("  store_dir: \(Self.quoted(streams))")
      // Asked for as `$JS.RAIL.API.…`; without a domain leaf nodes are not asked at all.
      line("  domain: \(Self.quoted(server.rail))")
      line("}")
    }
    if estate.isCarrier(server) {
      writeCluster()
      if backbone.betweenSites == .gateways { writeGateways() }
    }
    writeLeafNodes()
  }

  private mutating func tls(indent: String) {
    guard let ca = backbone.certificateAuthority, let certificate = backbone.certificate,
      let key = backbone.key
    else { return }
    let name = server.name
    let own = { (path: String) in Self.quoted(path.replacing("{node}", with: name)) }
    line("\(indent)tls {")
    line("\(indent)  ca_file: \(own(ca))")
    line("\(indent)  cert_file: \(own(certificate))")
    line("\(indent)  key_file: \(own(key))")
    line("\(indent)  verify: true")
    line("\(indent)}")
  }

  /// Who may join: the other servers of the rail.
  private mutating func railAuthorization(account: Bool = false) {
    guard let railPassword else { return }
    line("  authorization {")
    line("    user: \(Self.quoted(server.rail))")
    line("    password: \(Self.quoted(railPassword))")
    line("    timeout: 2")
    if account { line("    account: \(Self.account)") }
    line("  }")
  }

  private mutating func writeCluster() {
    guard let site = estate.site(ofZone: server.zone) else { return }
    let own = servers(in: site)
    guard own.count > 1 || railSites.count > 1 else { return }
    line("cluster {")
    line("  name: \(Self.quoted(cluster(of: site)))")
    // One alone has nobody to wait for; the name is needed all the same by what joins sites.
    if own.count > 1 {
      line("  listen: \(Self.quoted(Self.endpoint(server.address, server.clusterPort)))")
      railAuthorization()
      tls(indent: "  ")
      let others = own.filter { $0.name != server.name }
      line("  routes: [\(others.map { url($0, $0.clusterPort) }.joined(separator: ", "))]")
    }
    line("}")
  }

  private mutating func writeGateways() {
    guard railSites.count > 1, let site = estate.site(ofZone: server.zone) else { return }
    line("gateway {")
    line("  name: \(Self.quoted(cluster(of: site)))")
    line("  listen: \(Self.quoted(Self.endpoint(server.address, server.gatewayPort)))")
    line("  reject_unknown_cluster: true")
    railAuthorization()
    tls(indent: "  ")
    line("  gateways: [")
    for other in railSites where other.name != site.name {
      let urls = servers(in: other).map { url($0, $0.gatewayPort) }.joined(separator: ", ")
      line("    {name: \(Self.quoted(cluster(of: other))), urls: [\(urls)]}")
    }
    line("  ]")
    line("}")
  }

  /// The servers of which a keeper is a leaf: those of its site, or all where it has none.
  private func hubs(ofKeeperIn zone: String) -> [BackboneDescription.Server] {
    let near = estate.site(ofZone: zone).map { servers(in: $0) } ?? []
    return near.isEmpty ? carriers : near
  }

  /// Leaf nodes: who is one says whose, the others listen for them.
  private mutating func writeLeafNodes() {
    guard let site = estate.site(ofZone: server.zone) else { return }
    let joinsSites = backbone.betweenSites == .leafnodes && railSites.count > 1
    let isHub = joinsSites && railSites.first?.name == site.name
    let hasKeeper = backbone.servers.contains { keeper in
      keeper.rail == server.rail && !estate.isCarrier(keeper)
        && hubs(ofKeeperIn: keeper.zone).contains(server)
    }
    let hasLeaves = estate.isCarrier(server) && (isHub || hasKeeper)
    var remotes: [BackboneDescription.Server] = []
    if !estate.isCarrier(server) {
      remotes = hubs(ofKeeperIn: server.zone)
    } else if joinsSites, !isHub, let hub = railSites.first {
      remotes = servers(in: hub)
    }
    guard hasLeaves || !remotes.isEmpty else { return }
    line("leafnodes {")
    if hasLeaves {
      line("  listen: \(Self.quoted(Self.endpoint(server.address, server.leafPort)))")
      railAuthorization(account: true)
      tls(indent: "  ")
    }
    if !remotes.isEmpty {
      line("  reconnect: 1")
      line("  remotes: [")
      line("    {")
      line("      urls: [\(remotes.map { url($0, $0.leafPort) }.joined(separator: ", "))]")
      if credentials != nil { line("      account: \(Self.account)") }
      tls(indent: "      ")
      line("    }")
      line("  ]")
    }
    line("}")
  }

  /// The account of all nodes, where they are asked for passwords.
  private static let account = "KABUTO"

  /// Gateways beside leaf nodes want an account of the system's own. With that and the one of no name alone, the server
  /// would let in whoever gives no password; so nodes have an account with a name.
  private mutating func writeAccounts() {
    line("system_account: SYS")
    guard let credentials else { return line("accounts: {SYS: {}}") }
    line("authorization: {timeout: 2}")
    line("accounts {")
    line("  SYS: {}")
    line("  \(Self.account) {")
    if server.keepsStreams { line("    jetstream: enabled") }
    line("    users: [")
    for node in estate.nodes { user(node.name, credentials, SubjectPermissions(node, in: estate)) }
    user(EstateCredentials.operatorName, credentials, SubjectPermissions.ofOperator)
    line("    ]")
    line("  }")
    line("}")
  }

  private mutating func user(_ name: String, _ credentials: EstateCredentials, _ allowed: SubjectPermissions)
  {
    guard let password = credentials.passwords[name] else { return }
    func list(_ subjects: [String]) -> String { subjects.map(Self.quoted).joined(separator: ", ") }
    line("      {")
    line("        user: \(Self.quoted(name))")
    line("        password: \(Self.quoted(password))")
    line("        permissions {")
    line("          publish: {allow: [\(list(allowed.publish))]}")
    line("          subscribe: {allow: [\(list(allowed.subscribe))]}")
    // Replays and snapshots are answers of many parts.
    line("          allow_responses: {max: 65536, expires: \"1m\"}")
    line("        }")
    line("      }")
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  private static func percentEncoded(_ text: String) -> String {
    text.utf8.map { byte in
      let isPlain =
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        || [45, 46, 95, 126].contains(byte)
      guard !isPlain else { return String(UnicodeScalar(byte)) }
      let digits = String(byte, radix: 16, uppercase: true)
      return "%" + (digits.utf8.count < 2 ? "0" : "") + digits
    }.joined()
  }
}
