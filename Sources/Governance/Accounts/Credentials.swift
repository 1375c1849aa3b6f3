// What a request is signed with. Invariant: the secret and the token are never text that something prints: they describe
// themselves as hidden, and what others said is cleaned of them before anybody sees it.

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

/// Secret parts of all keys that this process had: a role's key isn't the only one that its calls must not show.
private let knownSecrets = Mutex<Set<String>>([])

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

  init(accessKeyID: String, secretKey: String, sessionToken: String? = nil, expiresAt: Int64? = nil) {
    self.accessKeyID = accessKeyID
    self.secretKey = Secret(secretKey)
    self.sessionToken = sessionToken.flatMap { $0.isEmpty ? nil : Secret($0) }
    self.expiresAt = expiresAt
    let secrets = [secretKey, sessionToken ?? ""].filter { $0.count >= 8 }
    knownSecrets.withLock { $0.formUnion(secrets) }
  }

  /// A text without the secret parts, should somebody have sent them back.
  func cleaned(_ text: String) -> String {
    var out = text
    for secret in knownSecrets.withLock({ $0 }) where out.contains(secret) {
      out = out.replacing(secret, with: "(hidden)")
    }
    return out
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

  init(now: @escaping @Sendable () -> Int64, source: @escaping Source) {
    self.source = source
    self.now = now
  }

  /// A key that is valid now.
  func current() async throws(GovernanceFaults) -> Credentials {
    if let held, held.expiresAt.map({ $0 - Self.marginSeconds > now() }) ?? true { return held }
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
    if case .success(let fresh) = result { held = fresh }
    return try result.get()
  }

  /// The service said that the key expired.
  func forget() { if held?.expiresAt != nil { held = nil } }
}
