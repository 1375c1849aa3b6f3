// A transformation: bytes in, bytes out (ModSecurity reference manual, "Transformation functions").
//
// Each has a file of its own beside this one, which adds a `static let` here by extension and nothing else; the table
// below registers it. A transformation that changes nothing returns the very view it was given: whoever shares values
// sees by the pointer that there is nothing new.

/// Bytes in, bytes out; see the head of this file.
public struct Transformation: Sendable {
  /// As in the reference manual; compared without case.
  public let name: String
  /// Other names for it.
  public let aliases: [String]
  /// A value that holds none of these comes back as it is. `.anything` where that can't be said.
  public let triggers: ByteClass
  /// Whether it changes many harmless values (lower case, blanks gone); what only undoes an encoding is mild.
  let rewrites: Bool
  /// The result lies in the arena, in the policy or in the value itself.
  public let apply: @Sendable (_ value: ByteView, _ arena: Arena) -> ByteView

  init(
    _ name: String, aliases: [String] = [], triggers: ByteClass = .anything, rewrites: Bool? = nil,
    apply: @escaping @Sendable (ByteView, Arena) -> ByteView
  ) {
    self.name = name
    self.aliases = aliases
    self.triggers = triggers
    self.rewrites = rewrites ?? !triggers.isDisjoint(with: [.upper, .lower, .digit])
    self.apply = apply
  }
}

extension ByteClass {
  /// As triggers: whether a value of these classes comes back as it is. `.anything` is for transformations that change an
  /// empty value too, which has no classes.
  @inline(__always) func leaveAlone(_ classes: ByteClass) -> Bool {
    self != .anything && rawValue & classes.rawValue == 0
  }
}
