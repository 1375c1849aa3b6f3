// The memory that held bodies of the whole process may take.
// Shared by all loops: one atomic.

import Synchronization

final class BodyBudget: Sendable {
  private let used = Atomic<Int>(0)
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  func take(_ bytes: Int) -> Bool {
    if used.wrappingAdd(bytes, ordering: .relaxed).newValue <= limit { return true }
    release(bytes)
    return false
  }

  func release(_ bytes: Int) { used.wrappingSubtract(bytes, ordering: .relaxed) }

  var usedBytes: Int { used.load(ordering: .relaxed) }
}
