// What an operator may tell a node on `node.NODE.command`, and what it answers.

/// What an operator tells a node.
public enum NodeCommand: String, Sendable, CaseIterable {
  /// Take no more clients, and let go those that are there.
  case outOfService = "out-of-service"
  /// Serve again.
  case inService = "in-service"
}

/// What a node answers to a command.
public struct NodeAnswer: Sendable, Codable, Equatable {
  /// Whether it does as it was told.
  public var done: Bool
  /// What it says.
  public var text: String

  /// An answer.
  public init(done: Bool, text: String) {
    self.done = done
    self.text = text
  }
}
