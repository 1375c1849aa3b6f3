// Whether a node gives service, as its beats say.

/// See the head of this file.
public enum ServiceState: UInt8, Sendable, CaseIterable {
  /// It serves.
  case inService = 0
  /// An operator took it out.
  case outByCommand = 1
  /// It isn't well.
  case outByHealth = 2
  /// It is late.
  case outByLag = 3
}
