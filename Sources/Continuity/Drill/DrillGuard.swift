// When a practice run may not begin: never on an estate that has nothing to spare.

/// See the head of this file.
public enum DrillGuard {
  /// All objections; empty = it may begin.
  /// - Parameters:
  ///   - lastFailed: how the newest run of any plan ended, where it ended badly and nobody has acknowledged it.
  ///   - wouldLose: what would be lost with the node by the estate's own reckoning, in words.
  public static func objections(
    to plan: DrillPlan, in condition: DrillCondition, lastFailed: String? = nil, wouldLose: [String] = []
  ) -> [String] {
    var found = wouldLose.map { "without \(plan.node) this would be lost: \($0)" }
    if let lastFailed {
      found.append("the last drill did not pass: \(lastFailed); look into it, then acknowledge it")
    }
    for node in condition.nodes where !node.isReady {
      found.append("\(node.name) is not ready\(node.reason.isEmpty ? "" : ": \(node.reason)")")
    }
    for path in condition.paths where !path.isLive {
      found.append("\(path.gateway): path \(path.name) is not live")
    }
    guard let target = condition.nodes.first(where: { $0.name == plan.node }) else {
      return found + ["\(plan.node) is no node that is watched"]
    }
    for role in target.roles.sorted() {
      let others = condition.nodes.filter { $0.name != target.name && $0.roles.contains(role) && $0.isReady }
      if others.isEmpty { found.append("\(plan.node) is the only \(role) that is ready") }
      // Of one's markets each must be somewhere else too.
      for market in target.markets.sorted() where !others.isEmpty {
        guard !others.contains(where: { $0.markets.contains(market) }) else { continue }
        found.append("\(plan.node) is the only \(role) of \(market) that is ready")
      }
    }
    return found
  }
}
