// Why something could not be done in the laboratory.

/// Place, what was found, what is wanted, how to mend it; a fault a line.
public struct LabFailure: Error, Sendable, Equatable, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}
