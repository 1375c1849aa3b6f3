// What is wrong with a document of a company's decisions: all of it, each with its place.

public import GuardRules

/// All faults of a document, in the order of its text.
public struct DocumentFaults: Error, Sendable, Equatable, CustomStringConvertible {
  /// At least one.
  public let all: [DocumentFault]

  /// All of a document; at least one.
  public init(_ all: [DocumentFault]) {
    self.all = all.enumerated().sorted {
      ($0.element.place.line, $0.element.place.column, $0.offset)
        < ($1.element.place.line, $1.element.place.column, $1.offset)
    }.map(\.element)
  }

  /// `line:column: found …; wanted …`, a line each.
  public var description: String { all.map(\.description).joined(separator: "\n") }
}

/// Faults of one document, as they are found.
final class FaultList {
  private(set) var all: [DocumentFault] = []

  func add(_ place: TextPlace, _ found: String, wanted: String) {
    all.append(DocumentFault(place: place, found: found, wanted: wanted))
  }
}
