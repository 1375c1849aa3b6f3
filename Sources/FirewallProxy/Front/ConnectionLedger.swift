// How many client connections there are, in all and by address. An address is an IPv4 address or an IPv6 network of 64
// bits, which one subscriber has to itself. Shared by all loops; touched once a connection, so a lock is cheap enough.

import Synchronization

final class ConnectionLedger: Sendable {
  private struct State {
    var total = 0
    var byAddress: [String: Int] = [:]
  }

  private let state = Mutex(State())
  private let limit: Int
  private let limitPerAddress: Int

  init(limit: Int, limitPerAddress: Int) {
    self.limit = limit
    self.limitPerAddress = limitPerAddress
  }

  static func key(of address: String) -> String {
    guard address.contains(":"), let octets = AddressRange.octets(address) else { return address }
    return octets[..<8].map { String($0, radix: 16) }.joined(separator: ".")
  }

  /// Takes a connection in; false where there is no room.
  /// - Parameter key: nil: no limit but the process's.
  func enter(_ key: String?) -> Bool {
    state.withLock { state in
      guard state.total < limit else { return false }
      if let key {
        let open = state.byAddress[key] ?? 0
        guard open < limitPerAddress else { return false }
        state.byAddress[key] = open + 1
      }
      state.total += 1
      return true
    }
  }

  func leave(_ key: String?) {
    state.withLock { state in
      state.total -= 1
      guard let key, let open = state.byAddress[key] else { return }
      if open > 1 { state.byAddress[key] = open - 1 } else { state.byAddress[key] = nil }
    }
  }

  var open: Int { state.withLock { $0.total } }
}
