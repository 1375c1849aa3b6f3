// Why a document can't be looked at.

/// A fault of a document.
public struct DocumentFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// Where.
  public let place: TextPlace
  /// What stands there.
  public let found: String
  /// What was wanted.
  public let wanted: String

  /// A fault.
  public init(place: TextPlace, found: String, wanted: String) {
    self.place = place
    self.found = found
    self.wanted = wanted
  }

  /// `line:column: found …; wanted …`
  public var description: String { "\(place): found \(found); wanted \(wanted)" }
}
