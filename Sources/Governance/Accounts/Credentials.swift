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
