// What reading a text part by part may take.

/// See the head of this file.
public struct ReadingLimits {
  /// About how much memory a part may take, and what is kept of all parts.
  public var mostBytes: Int
  /// Told how far the text is read, every few MiB: what lies before isn't looked at any more, until it is read again from
  /// its beginning.
  public var passed: ((Int) -> Void)?

  /// Limits.
  public init(mostBytes: Int = .max, passed: ((Int) -> Void)? = nil) {
    self.mostBytes = mostBytes
    self.passed = passed
  }
}
