// Which node of an estate `kabuto serve` is, and what follows from that: address, data folder, sources, the other
// gateways, message servers. Without an estate (or with `embedded`) there is no such node: one process does it all.

import Distribution
import Estate
import Foundation

/// See the head of this file.
struct ServeNode: Sendable {
  /// The estate, with paths of the backbone's files as this process finds them.
  let estate: Estate
  /// The hash of the estate as it was written.
  let configuration: UInt32
  let node: Node
  /// Paths of the estate begin here.
  let folder: String

  /// Finds the node.
  /// - Throws: all that is wrong.
  /// - Returns: nil where one process does it all.
  static func resolve(
    estate name: String?, node nodeName: String?
  ) throws(ConfigurationFaults) -> ServeNode? {
    func fault(_ text: String) -> ConfigurationFaults { ConfigurationFaults(faults: [text]) }
    guard let name else {
      if let nodeName { throw fault("--node \(nodeName): of which estate? Give --estate FILE too") }
      return nil
    }
    guard let (source, found, faults) = try? EstateSource.read(name) else {
      throw fault("--estate \(name): nothing to read (above)")
    }
    let errors = faults.filter { $0.severity == .error }
    guard let estate = found, errors.isEmpty else {
      throw ConfigurationFaults(faults: errors.map { $0.text(file: name) })
    }
    guard let nodeName else {
      if estate.backbone == nil, estate.nodes.count <= 1 { return nil }
      throw fault(
        "--estate \(name): which node is this? Give --node NAME, one of \(estate.nodes.map(\.name).joined(separator: ", "))"
      )
    }
    guard let node = estate.node(named: nodeName) else {
      let near = estate.nodes.map(\.name).min {
        ServeConfiguration.distance($0, nodeName) < ServeConfiguration.distance($1, nodeName)
      }
      throw fault(
        "--node \(nodeName): estate \(estate.name) has no such node; wanted one of "
          + estate.nodes.map(\.name).joined(separator: ", ") + (near.map { "; did you mean \($0)?" } ?? ""))
    }
    let others = node.roles.filter { $0 != .gateway && $0 != .firewall }
    guard node.interest == .all || !node.roles.contains(.gateway) || others.isEmpty else {
      throw fault(
        "--node \(nodeName): interest: clients and the role \(others.map(\.rawValue).joined(separator: ", ")), which needs whole markets; wanted interest: all, or a node of its own for the gateway"
      )
    }
    return ServeNode(estate, node, folder: source.folder.isEmpty ? "." : source.folder)
  }

  init(_ estate: Estate, _ node: Node, folder: String) {
    configuration = estate.configurationHash
    var found = estate
    func path(_ path: String) -> String { Self.path(path, in: folder) }
    found.backbone?.certificateAuthority = estate.backbone?.certificateAuthority.map(path)
    found.backbone?.certificate = estate.backbone?.certificate.map(path)
    found.backbone?.key = estate.backbone?.key.map(path)
    found.backbone?.credentials = estate.backbone?.credentials.map(path)
    self.estate = found
    self.node = node
    self.folder = folder
  }

  /// Whether it takes only the instruments that its clients ask for.
  var isSelective: Bool { node.interest == .clients && has(.gateway) }

  func has(_ role: Node.Role) -> Bool { node.roles.contains(role) }

  /// Name of the site.
  var site: String { estate.site(ofZone: node.zone)?.name ?? "" }

  /// A path of the estate's file.
  func path(_ path: String) -> String { Self.path(path, in: folder) }

  private static func path(_ path: String, in folder: String) -> String {
    path.hasPrefix("/") || folder == "." ? path : folder + "/" + path
  }

  /// The sources of the node's markets, as `--feed` takes them.
  var feeds: [String] {
    estate.markets(of: node).compactMap { code in
      guard let market = estate.market(code: code) else { return nil }
      var text = node.feeds[code] ?? market.feed
      let isSimulated = text.hasPrefix("sim:")
      func add(_ key: String, _ value: String?) {
        guard let value, !isSimulated, !text.contains("?\(key)="), !text.contains("&\(key)=") else { return }
        let plain = CharacterSet.urlQueryAllowed.subtracting(CharacterSet(charactersIn: "&,?+"))
        text +=
          (text.contains("?") ? "&" : "?") + key + "="
          + (value.addingPercentEncoding(withAllowedCharacters: plain) ?? value)
      }
      add("market", code)
      add("zone", market.timeZone)
      add("reference", market.reference.map(path))
      if text.hasPrefix("mold:") { add("interface", node.feedInterface) }
      return text
    }
  }

  /// Gateways that clients can use, this one first, then by nearness.
  var endpoints: [GatewayEndpoint] {
    let gateways = estate.nodes.filter { $0.roles.contains(.gateway) }
    let ranked = gateways.enumerated().sorted { a, b in
      func rank(_ place: Int, _ other: Node) -> (Int, Int, Int) {
        (other.name == node.name ? 0 : 1, estate.nearness(node.zone, other.zone).rawValue, place)
      }
      return rank(a.offset, a.element) < rank(b.offset, b.element)
    }
    return ranked.map { _, other in
      GatewayEndpoint(
        url: other.url, node: other.name, zone: other.zone, site: estate.site(ofZone: other.zone)?.name)
    }
  }
}
