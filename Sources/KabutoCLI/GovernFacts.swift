// `kabuto govern facts`: what rules over resources must know of the estate, as a document of input parameters.

import ArgumentParser
import Estate

struct GovernFacts: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "facts", abstract: "Prints what rules must know of the estate: zones, ports, services.",
    discussion: """
      The document is for --input-parameters of check and scan: its one key, Kabuto, is put into every input, so that \
      rules (Rules/estate) can ask for Kabuto.Estate.Zones and the like. What the estate doesn't say is left out, and the \
      rules that need it are skipped. docs/GOVERN-RULES.md lists all names.
      Exit status: 0 = printed, 1 = the estate has errors, 2 = it can't be read.
      Example:  kabuto govern facts --estate estate.yaml > facts.json
      """)

  @Option(
    help: ArgumentHelp(
      "The estate: a file, or the name of one that the program carries.", valueName: "estate"),
    completion: .file())
  var estate: String

  func run() async throws {
    let (_, estate) = try EstateSource.good(estate)
    try printJSON(EstateFacts(estate))
  }
}

/// What rules must know of an estate. Names are as documents for rules write them; what isn't said isn't there, since an
/// empty list would say that there is nothing.
struct EstateFacts: Encodable {
  struct Document: Encodable {
    enum CodingKeys: String, CodingKey { case estate = "Estate" }
    let estate: Facts
  }
  enum CodingKeys: String, CodingKey { case kabuto = "Kabuto" }
  let kabuto: Document

  struct Service: Encodable {
    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case ports = "Ports"
      case hasFixedAddresses = "FixedAddress"
      case speaks = "Speaks"
      case isFirewall = "Firewall"
    }
    let name: String
    let ports: [Int]
    let hasFixedAddresses: Bool
    let speaks: String?
    let isFirewall: Bool
  }

  struct Facts: Encodable {
    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case version = "Version"
      case accounts = "Accounts"
      case regions = "Regions"
      case zones = "Zones"
      case publicPorts = "PublicPorts"
      case ports = "Ports"
      case services = "Services"
      case networkServices = "NetworkServices"
      case firewalls = "Firewalls"
      case instanceTypes = "InstanceTypes"
    }
    let name: String
    let version: Int
    let accounts: [String]?
    let regions: [String]?
    let zones: [String]?
    /// Of services: what the world may reach.
    let publicPorts: [Int]?
    /// Those, and what nodes and message servers in the cloud listen at.
    let ports: [Int]?
    let services: [Service]?
    /// Services that stand behind network load balancers.
    let networkServices: [String]?
    let firewalls: [String]?
    let instanceTypes: [String]?
  }

  init(_ estate: Estate) {
    func said<T>(_ list: [T]) -> [T]? { list.isEmpty ? nil : list }
    func isInCloud(_ zone: String) -> Bool { estate.site(ofZone: zone)?.kind == .cloud }
    let firewallNodes = Set(estate.nodes.filter { $0.roles == [.firewall] }.map(\.name))
    let services = estate.services.map { service in
      Service(
        name: service.name, ports: service.ports.sorted(), hasFixedAddresses: service.hasFixedAddresses,
        speaks: service.speaks?.rawValue,
        isFirewall: service.isFirewall
          || (!service.nodes.isEmpty && service.nodes.allSatisfy(firewallNodes.contains)))
    }
    let publicPorts = Set(services.flatMap(\.ports))
    // Without a word of what services listen at, nodes' ports don't say which are open.
    var ports = publicPorts
    if !publicPorts.isEmpty {
      for node in estate.nodes where isInCloud(node.zone) { ports.insert(node.port) }
      for server in estate.backbone?.servers ?? [] where isInCloud(server.zone) {
        ports.formUnion([server.port, server.clusterPort, server.gatewayPort, server.leafPort])
      }
    }
    let network = services.filter { $0.hasFixedAddresses || $0.speaks == "http-1.0" }.map(\.name)
    kabuto = Document(
      estate: Facts(
        name: estate.name, version: estate.version, accounts: said(estate.aws?.accounts ?? []),
        regions: said(estate.aws?.usedRegions ?? []),
        zones: said((estate.aws?.zones.values).map { $0.sorted() } ?? []),
        publicPorts: said(publicPorts.sorted()), ports: said(ports.sorted()), services: said(services),
        networkServices: said(network), firewalls: said(services.filter(\.isFirewall).map(\.name)),
        instanceTypes: said(estate.aws?.instanceTypes ?? [])))
  }
}
