// Documents within the lengths that IAM and Organizations take. What is allowed or denied by a list of actions may be said in
// several documents that are attached to the same thing: allowances add up, and so do denials. What says "all but these"
// may not: two such statements mean less than one.
// Sources: IAM User Guide, "IAM and AWS STS quotas"; Organizations User Guide, "Quotas and service limits".

/// Lengths and counts.
public enum PolicyLimits {
  /// Characters of a managed policy, and so of a boundary; blanks don't count.
  public static let managedPolicyCharacters = 6_144
  /// Characters of a service control policy, as they are sent.
  public static let serviceControlPolicyCharacters = 5_120
  /// Service control policies of an account, a unit or a root, AWS's own FullAWSAccess counted.
  public static let serviceControlPoliciesPerTarget = 5
  /// Managed policies of a group or a user.
  public static let managedPoliciesPerGroup = 10
}

/// Why documents don't fit.
public struct PolicyRoomFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// What doesn't fit: `the boundary of permissions`.
  public let what: String
  /// What it takes: `7200 characters`.
  public let found: String
  /// What there is.
  public let wanted: String
  /// Services and the characters that their patterns take, the greatest first.
  public let takers: [Taker]

  /// What takes the room.
  public struct Taker: Sendable, Equatable {
    /// A service's id.
    public let service: String
    /// Characters of its patterns.
    public let characterCount: Int
  }

  /// With what takes the most, and how to mend it.
  public var description: String {
    let most = takers.prefix(5).map { "\($0.service) \($0.characterCount)" }.joined(separator: ", ")
    return "\(what) takes \(found); wanted \(wanted)\n  characters by service: \(most)\n"
      + "  name whole services (s3:*) and few denials, or use patterns (ec2:Describe*) for lists of actions"
  }
}

extension Catalogue {
  /// What services' patterns take in documents.
  func takers(_ documents: [PolicyDocument]) -> [PolicyRoomFault.Taker] {
    let written = documents.flatMap(\.statements).flatMap(\.actions)
    return services.map { service in
      let own = Set((service.actions + service.denied + service.reads + service.operates).map(\.text))
      return PolicyRoomFault.Taker(
        service: service.id,
        characterCount: written.reduce(0) { own.contains($1) ? $0 + $1.unicodeScalars.count + 3 : $0 })
    }.filter { $0.characterCount > 0 }.sorted {
      ($1.characterCount, $0.service) < ($0.characterCount, $1.service)
    }
  }
}

/// Puts statements into as few documents as it easily can, first fit, the long ones first.
enum PolicyPacking {
  /// - Returns: nil where one statement alone is too long and can't be divided.
  static func pack(_ statements: [PolicyStatement], limit: Int) -> [PolicyDocument]? {
    let room = PolicyDocument.room(of: limit)
    var documents: [(statements: [PolicyStatement], used: Int)] = []
    for statement in statements.sorted(by: { $0.text.unicodeScalars.count > $1.text.unicodeScalars.count })
    where !statement.actions.isEmpty {
      var rest = statement
      while true {
        let length = rest.text.unicodeScalars.count + 1
        if let place = documents.firstIndex(where: { $0.used + length <= room + 1 }) {
          documents[place].statements.append(rest)
          documents[place].used += length
          break
        }
        if length <= room + 1 {
          documents.append(([rest], length))
          break
        }
        guard !rest.isNotAction, rest.actions.count > 1 else { return nil }
        // What fills one document; the rest goes on.
        var part = rest
        part.actions = []
        var used = part.text.unicodeScalars.count + 1
        var count = 0
        for action in rest.actions {
          let more = action.unicodeScalars.count + 3
          guard used + more <= room else { break }
          used += more
          count += 1
        }
        guard count > 0, count < rest.actions.count else { return nil }
        part.actions = Array(rest.actions.prefix(count))
        documents.append(([part], part.text.unicodeScalars.count + 1))
        rest.actions.removeFirst(count)
      }
    }
    return documents.map { PolicyDocument($0.statements) }
  }
}
