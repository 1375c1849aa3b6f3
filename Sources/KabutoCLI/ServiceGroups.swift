// Which nodes of an estate stand in for each other, and whose beats a node decides by. Worked out once a process, in a time
// that grows with the number of nodes alone.

import Continuity
import Estate

/// See the head of this file.
struct ServiceGroups {
  private let estate: Estate
  private let siteOfZone: [String: String]
  /// How many gateways of a site have the same markets; by site and markets.
  private var alike: [[String]: Int] = [:]

  init(_ estate: Estate) {
    self.estate = estate
    siteOfZone = Dictionary(estate.sites.flatMap { site in site.zones.map { ($0, site.name) } }) { first, _ in
      first
    }
    for node in estate.nodes where node.roles.contains(.gateway) { alike[key(of: node), default: 0] += 1 }
  }

  private func key(of node: Node) -> [String] { [siteOfZone[node.zone] ?? ""] + estate.markets(of: node) }

  /// Those that a node stands beside: plants of a market; gateways of a site with the same markets, of all sites where
  /// its site has one alone; stores.
  func groups(of node: Node) -> [String] {
    var groups: [String] = []
    let markets = estate.markets(of: node)
    if node.roles.contains(.plant) { groups += markets.map { "the plants of \($0)" } }
    if node.roles.contains(.gateway) {
      let place = alike[key(of: node), default: 0] > 1 ? " of " + (siteOfZone[node.zone] ?? "") : ""
      groups.append("the gateways\(place) for \(markets.joined(separator: ", "))")
    }
    if groups.isEmpty, node.roles.contains(.store) { groups.append("the stores") }
    return groups
  }

  /// The node itself and those that it decides by, each with the groups that they share with it, in the estate's order.
  /// A group that is heard in part says so in its name.
  func heard(by node: Node) -> [(name: String, groups: [String])] {
    let all = estate.nodes.map { (name: $0.name, groups: groups(of: $0)) }
    var names: Set<String> = [node.name]
    var words: [String: String] = [:]
    for group in groups(of: node) {
      let members = Set(all.filter { $0.groups.contains(group) }.map(\.name)).union([node.name])
      names.formUnion(ServiceRing.heard(by: node.name, in: members))
      let isPart = members.count > ServiceRing.reach + 1
      words[group] = group + (isPart ? " (itself and the \(ServiceRing.reach) that it hears)" : "")
    }
    return all.filter { names.contains($0.name) }.map { ($0.name, $0.groups.compactMap { words[$0] }) }
  }
}
