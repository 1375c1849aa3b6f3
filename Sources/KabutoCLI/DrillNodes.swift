// The nodes of an estate as drills and `kabuto top --estate` reach them.

import Estate

/// Name, address and roles of each node.
func drillNodes(of estate: Estate) -> [DrillFile.Node] {
  estate.nodes.map { node in
    DrillFile.Node(name: node.name, url: node.url, roles: Set(node.roles.map(\.rawValue)))
  }
}
