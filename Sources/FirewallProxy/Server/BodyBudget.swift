// The memory that held bodies of the whole process may take, and the share of it that one client may.
//
// Shared by all loops: an atomic for the whole, a lock for the shares. Whoever has no key (trusted proxies, whose many
// clients would share one) has the whole.

import Synchronization

final class BodyBudget: Sendable {
  private let used = Atomic<Int>(0)
  private let limit: Int
  /// Of one client: nobody takes the memory from all others alone.
  private let share: Int
  private let byClient = Mutex<[String: Int]>([:])

  init(limit: Int) {
    self.limit = limit
    share = limit / 4
  }

  /// - Parameter client: see `ConnectionLedger.key`.
  func take(_ bytes: Int, for client: String? = nil) -> Bool {
    guard used.wrappingAdd(bytes, ordering: .relaxed).newValue <= limit else {
      used.wrappingSubtract(bytes, ordering: .relaxed)
      return false
    }
    guard let client else { return true }
    let hasRoom = byClient.withLock { shares in
      let sum = shares[client, default: 0] + bytes
      if sum <= share { shares[client] = sum }
      return sum <= share
    }
    if !hasRoom { used.wrappingSubtract(bytes, ordering: .relaxed) }
    return hasRoom
  }

  func release(_ bytes: Int, of client: String? = nil) {
    used.wrappingSubtract(bytes, ordering: .relaxed)
    guard let client else { return }
    byClient.withLock { shares in
      guard let held = shares[client] else { return }
      if held > bytes { shares[client] = held - bytes } else { shares[client] = nil }
    }
  }

  var usedBytes: Int { used.load(ordering: .relaxed) }
  /// Clients that hold some of it.
  var clients: Int { byClient.withLock { $0.count } }
}
