// Finds where a head ends, however its bytes are cut, and sees that it stays in its bounds.
//
// A line ends with LF; whether CR stood before is judged when the head is parsed, so that a head with bare LFs ends
// where its sender meant and can be shown to the rules before it is refused.
// Invariant: the answer depends on the bytes alone, not on how they were cut.

/// What a head may measure.
public struct HeadLimits: Sendable {
  /// Of the request line or status line, in bytes (beyond: 414).
  public var lineBytes = 16 << 10
  /// Of a field line, in bytes (beyond: 431).
  public var fieldBytes = 32 << 10
  /// Of field lines (beyond: 431).
  public var fieldCount = 128
  /// Of all lines together, in bytes (beyond: 431).
  public var totalBytes = 64 << 10
  /// The usual limits.
  public init() {}
}

struct HeadScanner {
  enum Outcome: Equatable {
    case more
    /// The head, with the empty line that ends it, has so many bytes.
    case head(bytes: Int)
    case refused(Refusal)
  }

  /// Where the line that is being read begins, and up to where it has been looked at.
  private var lineStart = 0
  private var scanned = 0
  private var lines = 0

  /// - Parameter bytes: all that came since the head began.
  mutating func scan(_ bytes: UnsafeRawBufferPointer, _ limits: HeadLimits) -> Outcome {
    guard let start = bytes.baseAddress else { return .more }
    while true {
      let end = Bytes.find(10, start, from: scanned, to: bytes.count)
      let lineEnd = end ?? bytes.count
      let limit = lines == 0 ? limits.lineBytes : limits.fieldBytes
      // A line is measured without its end; a CR that may be part of the end doesn't count yet.
      var length = lineEnd - lineStart
      if length > 0, start.load(fromByteOffset: lineEnd - 1, as: UInt8.self) == 13 { length -= 1 }
      // The bound that is crossed first is the one that is named, also when one read crossed both.
      if length > limit, lineStart + limit <= limits.totalBytes {
        return .refused(lines == 0 ? .lineTooLong : .fieldTooLong)
      }
      if lineStart + length > limits.totalBytes { return .refused(.headTooLarge) }
      guard let end else {
        scanned = bytes.count
        return .more
      }
      // `length` is 0 for an empty line that ends with CRLF or with LF alone.
      if length == 0, lines > 0 { return .head(bytes: end + 1) }
      if lines > limits.fieldCount { return .refused(.tooManyFields) }
      lines += 1
      lineStart = end + 1
      scanned = end + 1
    }
  }
}
