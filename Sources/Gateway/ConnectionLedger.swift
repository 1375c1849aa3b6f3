// How many connections there are, in all and by address, and how often an address asks. An address is an IPv4
// address or an IPv6 network of 64 bits, which one subscriber has to itself; loopback has no limits of its own.
// Shared by all loops. Touched once a connection, and once a request from outside, so a lock is cheap enough.

import Glibc
import NIOHTTP1
import Synchronization

/// Who is at the other end, as far as limits go.
struct Peer: Sendable, Hashable {
  /// What is counted: an IPv4 address, or the first 64 bits of an IPv6 address; nil = exempt.
  let key: String?

  /// - Parameter address: as text; nil where there is none (no IP).
  init(_ address: String?, exemptsLoopback: Bool = true) {
    guard let address, !(exemptsLoopback && Self.isLoopback(address)) else {
      key = nil
      return
    }
    key = Self.network(of: address)
  }

  static func isLoopback(_ address: String) -> Bool {
    address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
  }

  /// `10.0.0.1`, also for `::ffff:10.0.0.1`; `2001:db8:1:2::/64` for what is in it.
  static func network(of address: String) -> String {
    var bytes = in6_addr()
    let bare = address.split(separator: "%", maxSplits: 1).first.map(String.init) ?? address
    guard inet_pton(AF_INET6, bare, &bytes) == 1 else { return address }
    let octets = withUnsafeBytes(of: &bytes) { Array($0) }
    if octets[..<10].allSatisfy({ $0 == 0 }), octets[10] == 0xff, octets[11] == 0xff {
      return octets[12...].map(String.init).joined(separator: ".")
    }
    let groups = stride(from: 0, to: 8, by: 2).map { Int(octets[$0]) << 8 | Int(octets[$0 + 1]) }
    return groups.map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
  }
}

/// Why a connection may not come in.
struct Refusal {
  var reason: RefusalReason
  var detail: String

  /// The answer to its first request.
  func answer(instance: String) -> Answer {
    var answer = Answer.problem(
      reason == .connections ? .serviceUnavailable : .tooManyRequests,
      reason == .rate ? "too-many-requests" : "too-many-connections", detail, instance: instance)
    answer.headers.add(name: "Retry-After", value: reason == .rate ? "1" : "5")
    return answer
  }
}

final class ConnectionLedger: Sendable {
  private struct Account {
    var open = 0
    var tokens: Double
    var tokensAt: UInt64
  }
  private struct State {
    var total = 0
    var byAddress: [String: Account] = [:]
    var accepted: UInt64 = 0
    var refused = [UInt64](repeating: 0, count: RefusalReason.allCases.count)
    var sweepAt = 1_024
  }

  private let state = Mutex(State())
  private let limit: Int
  private let limitPerAddress: Int
  private let requestsPerSecond: Int
  /// How many seconds of its rate an address may save up.
  private static let burstSeconds = 5.0

  init(limit: Int, limitPerAddress: Int, requestsPerSecond: Int = 1_000_000) {
    self.limit = limit
    self.limitPerAddress = limitPerAddress
    self.requestsPerSecond = requestsPerSecond
  }

  /// Takes a connection in; a reason where there is no room.
  /// - Parameter now: milliseconds of a clock that only goes forward.
  func enter(_ peer: Peer, now: UInt64) -> Refusal? {
    state.withLock { state in
      func refuse(_ reason: RefusalReason, _ detail: String) -> Refusal {
        for (index, other) in RefusalReason.allCases.enumerated() where other == reason {
          state.refused[index] += 1
        }
        return Refusal(reason: reason, detail: detail)
      }
      guard state.total < limit else {
        return refuse(.connections, "too many connections: \(limit) are allowed")
      }
      if let key = peer.key {
        var account = account(key, &state, now)
        guard account.open < limitPerAddress else {
          return refuse(.address, "too many connections from \(key): \(limitPerAddress) are allowed")
        }
        guard account.tokens >= 1 else {
          state.byAddress[key] = account
          return refuse(.rate, rateDetail(key))
        }
        account.tokens -= 1
        account.open += 1
        state.byAddress[key] = account
      }
      state.total += 1
      state.accepted += 1
      return nil
    }
  }

  func leave(_ peer: Peer, now: UInt64) {
    state.withLock { state in
      state.total -= 1
      guard let key = peer.key, state.byAddress[key] != nil else { return }
      state.byAddress[key]?.open -= 1
      sweep(&state, now)
    }
  }

  /// Takes one from what an address may ask; what to tell it where it asked too much.
  func refusal(of peer: Peer, now: UInt64) -> Refusal? {
    guard let key = peer.key else { return nil }
    return state.withLock { state in
      var account = account(key, &state, now)
      defer { state.byAddress[key] = account }
      guard account.tokens >= 1 else { return Refusal(reason: .rate, detail: rateDetail(key)) }
      account.tokens -= 1
      return nil
    }
  }

  private func rateDetail(_ key: String) -> String {
    "more than \(requestsPerSecond) requests a second from \(key), averaged over \(Int(Self.burstSeconds)) s; "
      + "wait, or ask for several instruments at once"
  }

  private func account(_ key: String, _ state: inout State, _ now: UInt64) -> Account {
    let most = Double(requestsPerSecond) * Self.burstSeconds
    guard var account = state.byAddress[key] else { return Account(tokens: most, tokensAt: now) }
    let passed = Double(now > account.tokensAt ? now - account.tokensAt : 0) / 1000
    account.tokens = min(most, account.tokens + passed * Double(requestsPerSecond))
    account.tokensAt = now
    return account
  }

  /// Forgets addresses that are gone and would begin anew with the same: at most twice as many are kept as matter.
  private func sweep(_ state: inout State, _ now: UInt64) {
    guard state.byAddress.count >= state.sweepAt else { return }
    let full = UInt64(Self.burstSeconds * 1000)
    state.byAddress = state.byAddress.filter { $0.value.open > 0 || now < $0.value.tokensAt + full }
    state.sweepAt = max(1_024, state.byAddress.count * 2)
  }

  var counts: (open: Int, accepted: UInt64, refused: UInt64) {
    state.withLock { ($0.total, $0.accepted, $0.refused.reduce(0, +)) }
  }

  var refusals: [(reason: RefusalReason, count: UInt64)] {
    state.withLock { state in
      RefusalReason.allCases.enumerated().map { ($0.element, state.refused[$0.offset]) }
    }
  }

  /// Addresses that something is known of.
  var addressCount: Int { state.withLock { $0.byAddress.count } }
}
