// Why something could not be done in the laboratory.

/// Place, what was found, what is wanted, how to mend it; a fault a line.
public struct LabFailure: Error, Sendable, Equatable, CustomStringConvertible {
  /// Why, in words.
  public var description: String
  /// With these values.
  public init(_ description: String) { self.description = description }
}
