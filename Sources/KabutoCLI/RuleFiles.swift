// Rules from files: quickly the first time, with what is kept of their pattern databases; completely from then on.

import Firewall
import FirewallProxy
import Synchronization

/// See the head of this file.
final class RuleFiles: Sendable {
  private let loader: PolicyLoader
  private let isFirst = Mutex(true)
  private let missing = Mutex(0)

  /// All loads but the first take one processor at most: others have work that is more urgent.
  private let isQuiet: Bool

  init(_ loader: PolicyLoader, isQuiet: Bool = false) {
    self.loader = loader
    self.isQuiet = isQuiet
  }
  convenience init(_ paths: [String]) { self.init(PolicyLoader(paths: paths)) }

  /// Whether the last policy lacks databases, so that it should be loaded again.
  var isIncomplete: Bool { missing.withLock { $0 } > 0 }

  /// The policy of the files and folders; of none, one that inspects nothing.
  func policy() throws -> Policy {
    guard !loader.paths.isEmpty else { return Policy() }
    let isFirst = isFirst.withLock { first in
      defer { first = false }
      return first
    }
    var loader = loader
    loader.isConcurrent = isFirst || !isQuiet
    let policy = try loader.load(isFirst ? .leaveOut : .build)
    missing.withLock { $0 = policy.statistics.missingDatabases }
    return policy
  }
}
