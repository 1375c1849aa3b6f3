// What may have changed, and is looked at again. Pure.

import GuardRules

/// A part of an account that is looked at again as a whole.
public enum ChangeTarget: Sendable, Hashable {
  /// One resource with what hangs on it: its type in the table of calls, and what it is called.
  case one(type: String, id: String)
  /// All of a type.
  case list(type: String)
  /// All that a service lists.
  case service(String)
  /// What a rule of AWS Config says; empty = all rules.
  case configRule(String)
  /// What GuardDuty found; empty = all findings.
  case guardDuty(detector: String, finding: String)
}

/// Where it is.
public struct ChangedPlace: Sendable, Hashable {
  /// The account's number.
  public let account: String
  /// The region; `global` for what has none, `everywhere` for what several regions tell.
  public let region: String
  /// What.
  public let target: ChangeTarget

  /// Instead of a region: all regions of the account, and others that know the one that is meant (an organization's trail
  /// in its members' regions).
  public static let everywhere = "*"

  /// A place.
  public init(account: String, region: String, target: ChangeTarget) {
    self.account = account
    self.region = region
    self.target = target
  }
}

/// An event that was understood.
public struct ChangeEvent: Sendable, Equatable {
  /// What it is called for people: `ec2 AuthorizeSecurityGroupIngress`.
  public let name: String
  /// When it happened, in milliseconds since 1970 UTC; nil = it doesn't say.
  public let time: Int64?
  /// What may have changed; empty = nothing that rules see.
  public let places: [ChangedPlace]
  /// Why nothing changed; empty = something did.
  public let reason: String
}

/// Why a text isn't an event.
public struct ChangeEventFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was found, and what was wanted.
  public let description: String

  init(_ description: String) { self.description = description }
}
