// The nodes of an estate as drills and `kabuto top --estate` reach them.

import Estate

/// Name, address and roles of each node.
func drillNodes(of estate: Estate) -> [DrillFile.Node] {
  estate.nodes.map { node in
    let host = node.address.contains(":") ? "[\(node.address)]" : node.address
    return DrillFile.Node(
      name: node.name, url: "http://\(host):\(node.port)", roles: Set(node.roles.map(\.rawValue)))
  }
}
