// What is wrong in a file of rules: where, what was found, what was wanted.

/// A fault of a file of rules.
public struct RuleFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, as it is called in messages.
  public let file: String
  /// Where.
  public let place: TextPlace
  /// What stands there.
  public let found: String
  /// What was wanted there.
  public let wanted: String

  /// `file:line:column: found …; wanted …`
  public var description: String { "\(file):\(place): found \(found); wanted \(wanted)" }
}

/// All faults of a file of rules.
public struct RuleFaults: Error, Sendable, Equatable, CustomStringConvertible {
  /// In the order of the text; at least one.
  public let all: [RuleFault]

  /// A line each.
  public var description: String { all.map(\.description).joined(separator: "\n") }
}
