// How many connections there are, in all and by address. Touched once a connection, so a lock is cheap enough.

import Synchronization

final class ConnectionLedger: Sendable {
  private struct State {
    var total = 0
    var byAddress: [String: Int] = [:]
    var refused: UInt64 = 0
    var accepted: UInt64 = 0
  }

  private let state = Mutex(State())
  private let limit: Int
  private let limitPerAddress: Int

  init(limit: Int, limitPerAddress: Int) {
    self.limit = limit
    self.limitPerAddress = limitPerAddress
  }

  /// Takes a connection in; a reason where there is no room.
  func enter(_ address: String?) -> String? {
    state.withLock { state in
      guard state.total < limit else {
        state.refused += 1
        return "too many connections: \(limit) are allowed"
      }
      if let address, !Self.isLoopback(address) {
        guard state.byAddress[address, default: 0] < limitPerAddress else {
          state.refused += 1
          return "too many connections from \(address): \(limitPerAddress) are allowed"
        }
        state.byAddress[address, default: 0] += 1
      }
      state.total += 1
      state.accepted += 1
      return nil
    }
  }

  func leave(_ address: String?) {
    state.withLock { state in
      state.total -= 1
      if let address, let count = state.byAddress[address] {
        state.byAddress[address] = count > 1 ? count - 1 : nil
      }
    }
  }

  var counts: (open: Int, accepted: UInt64, refused: UInt64) {
    state.withLock { ($0.total, $0.accepted, $0.refused) }
  }

  static func isLoopback(_ address: String) -> Bool {
    address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
  }
}
