// A path of a market as status pages show it: a plant's stream on one rail, whether it is taken, and why.

public import Continuity

/// A path by which a market may come, as status pages show it.
public struct PathReport: Sendable {
  /// Market identifier code.
  public var market: String
  /// The node whose plant tells the stream.
  public var node: String
  /// The rail.
  public var rail: String
  /// The site and zone of that node.
  public var site: String
  /// The zone of that node.
  public var zone: String
  /// How far it is.
  public var nearness: Nearness
  /// `live`, `gap`, `silent`, `recovering`, `ended`; `unheard` where no beat came.
  public var state: String
  /// The last message that it has told.
  public var through: UInt64
  /// How late it says it is, nanoseconds.
  public var lag: UInt64
  /// Since its last beat on this rail, nanoseconds; nil = none came.
  public var quietNanoseconds: UInt64?
  /// Whether it is taken.
  public var isUsed: Bool
  /// Why, or why not.
  public var reason: String
  /// The same as a key that doesn't change between releases.
  public var reasonKey: String
  /// Frames of it that came, were first, were known already.
  public var frames: UInt64
  /// Frames that were next.
  public var delivered: UInt64
  /// Frames of which everything was known.
  public var duplicates: UInt64
  /// Bytes that came.
  public var bytes: UInt64
}
