// Which finding is the same as one of another day: by rule, input, resource and place in it. Neither the line nor the value
// that was found is part of it, so that an edit elsewhere in a file makes no new finding.

import Crypto
import Foundation

/// See the head of this file.
public struct FindingIdentity: Sendable, Hashable, Codable {
  /// The rule's name.
  public let rule: String
  /// What was looked at: a file's path as it was given, or `aws:ACCOUNT/REGION`.
  public let input: String
  /// The resource; empty = none.
  public let resource: String
  /// Where in it. Of calls that failed: which call.
  public let path: String

  /// From its parts.
  public init(rule: String, input: String, resource: String, path: String) {
    self.rule = rule
    self.input = input
    self.resource = resource
    self.path = path
  }

  /// 32 hexadecimal digits (half of SHA-256 over the parts, each with its length), the same on every machine.
  public var id: String {
    var hash = SHA256()
    for part in [rule, input, resource, path] {
      let bytes = Array(part.utf8)
      hash.update(data: Data("\(bytes.count):".utf8))
      hash.update(data: Data(bytes))
    }
    return HexText.of(hash.finalize().prefix(16))
  }
}

extension Finding {
  /// See `FindingIdentity`.
  public var identity: FindingIdentity {
    // Several calls of a region may fail: which one it was is what tells them apart.
    FindingIdentity(
      rule: rule, input: input, resource: resource,
      path: path.isEmpty && rule == "kabuto_call" ? clause : path)
  }
}
