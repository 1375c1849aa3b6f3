// What a request is signed with. Invariant: the secret and the token are never text that something prints: they describe
// themselves as hidden, and what others said is cleaned of them before anybody sees it.

import Foundation
import Synchronization

/// Text that must not be shown.
struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// For signing and for headers, nothing else.
  let exposed: String

  init(_ text: String) { exposed = text }

  var description: String { "(hidden)" }
  var debugDescription: String { description }
  var customMirror: Mirror { Mirror(self, children: []) }
}

/// Secret parts of the keys that this process had, the last ones: a role's key isn't the only one that its calls must not
/// show, and who watches for months has more than need be kept.
private let knownSecrets = Mutex<[Secret]>([])
private let mostKnownSecrets = 4_096

extension Secret {
  /// Bytes in a row that count as a piece: what was cut, escaped or broken shows pieces, not the whole.
  private static let piece = 8
  /// Of a text no more is looked at, and none of the rest shown.
  private static let mostBytes = 4_096

  /// A text without secrets and pieces of them, cut to a number of characters. In this order: what is cut first is no
  /// longer found.
  static func cleaned(_ text: String, most: Int, also others: [Secret] = []) -> String {
    let bytes = Array(text.utf8.prefix(mostBytes))
    var mask = [Bool](repeating: false, count: bytes.count)
    let secrets = knownSecrets.withLock { $0 } + others
    var places: [UInt64: [Int]] = [:]
    var filter = [Bool](repeating: false, count: 1 << 16)
    windows(bytes) { window, end in
      places[window, default: []].append(end)
      filter[slot(window)] = true
    }
    for secret in secrets {
      windows(Array(secret.exposed.utf8)) { window, _ in
        guard filter[slot(window)], let ends = places[window] else { return }
        for end in ends { for place in end - piece + 1...end { mask[place] = true } }
      }
    }
    var out: [UInt8] = []
    for (place, byte) in bytes.enumerated() {
      if !mask[place] {
        out.append(byte)
      } else if place == 0 || !mask[place - 1] {
        out += Array("(hidden)".utf8)
      }
    }
    var shown = String(decoding: out, as: UTF8.self)
    // Those too short to have pieces count as a whole.
    for secret in others where !secret.exposed.isEmpty && secret.exposed.utf8.count < piece {
      shown = shown.replacing(secret.exposed, with: "(hidden)")
    }
    return String(shown.prefix(most))
  }

  private static func slot(_ window: UInt64) -> Int { Int((window &* 0x9E37_79B9_7F4A_7C15) >> 48) }

  private static func windows(_ bytes: [UInt8], _ each: (UInt64, Int) -> Void) {
    var window: UInt64 = 0
    for (place, byte) in bytes.enumerated() {
      window = window << 8 | UInt64(byte)
      if place >= piece - 1 { each(window, place) }
    }
  }
}

/// A key of AWS.
struct Credentials: Sendable {
  /// Public part.
  let accessKeyID: String
  /// Secret part.
  let secretKey: Secret
  /// Of temporary keys.
  let sessionToken: Secret?
  /// Seconds since 1970 UTC; nil = they stay.
  let expiresAt: Int64?

  /// What is around a part (a file's line end, blanks in an answer) is none of it.
  init(accessKeyID: String, secretKey: String, sessionToken: String? = nil, expiresAt: Int64? = nil) {
    func bare(_ text: String) -> String { text.trimmingCharacters(in: .whitespacesAndNewlines) }
    let token = bare(sessionToken ?? "")
    self.accessKeyID = bare(accessKeyID)
    self.secretKey = Secret(bare(secretKey))
    self.sessionToken = token.isEmpty ? nil : Secret(token)
    self.expiresAt = expiresAt
    let secrets = [self.secretKey, self.sessionToken].compactMap { $0 }
    knownSecrets.withLock { known in
      for secret in secrets where !known.contains(where: { $0.exposed == secret.exposed }) {
        known.append(secret)
      }
      if known.count > mostKnownSecrets { known.removeFirst(known.count - mostKnownSecrets) }
    }
  }
}

/// Keeps the key of one account, and brings another before it expires.
actor CredentialKeeper {
  typealias Source = @Sendable () async throws(GovernanceFaults) -> Credentials
  private let source: Source
  private let now: @Sendable () -> Int64
  private var held: Credentials?
  private var pending: Task<Result<Credentials, GovernanceFaults>, Never>?

  /// A key is replaced this long before it expires.
  static let marginSeconds: Int64 = 300
  /// Who gives keys isn't asked more often, whatever the keys are worth.
  static let leastSeconds: Int64 = 30
  private var fetchedAt: Int64 = 0

  init(now: @escaping @Sendable () -> Int64, source: @escaping Source) {
    self.source = source
    self.now = now
  }

  /// A key that is valid now.
  func current() async throws(GovernanceFaults) -> Credentials {
    if let held, held.expiresAt.map({ $0 - Self.marginSeconds > now() }) ?? true || isFresh { return held }
    // Many ask at once; one fetches.
    let task: Task<Result<Credentials, GovernanceFaults>, Never>
    if let pending {
      task = pending
    } else {
      task = Task { [source] in
        do throws(GovernanceFaults) { return .success(try await source()) } catch { return .failure(error) }
      }
      pending = task
    }
    let result = await task.value
    pending = nil
    if case .success(let fresh) = result { (held, fetchedAt) = (fresh, now()) }
    return try result.get()
  }

  private var isFresh: Bool { (0..<Self.leastSeconds).contains(now() - fetchedAt) }

  /// The service said that the key expired.
  func forget() { if held?.expiresAt != nil, !isFresh { held = nil } }
}
