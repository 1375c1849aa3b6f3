// How fast a recorded feed is played: N times as fast as it happened, or without waiting.

/// A speed of playing.
public enum FeedSpeed: Sendable, Hashable {
  /// That many times as fast as it happened; above 0.
  case times(Double)
  /// As fast as it can be read.
  case max

  /// As it happened.
  public static let realTime = FeedSpeed.times(1)
  /// Slowest and fastest number that is read.
  public static let range: ClosedRange<Double> = 0.001...1_000_000

  /// Reads `max` or a number within `range`; nil for anything else.
  public init?(_ text: some StringProtocol) {
    if text == "max" {
      self = .max
      return
    }
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2e }), let value = Double(text),
      Self.range.contains(value)
    else { return nil }
    self = .times(value)
  }
}

extension FeedSpeed: CustomStringConvertible {
  /// As in an address.
  public var description: String {
    switch self {
    case .max: "max"
    case .times(let value): value == value.rounded() && value < 1e15 ? String(Int64(value)) : String(value)
    }
  }
}
