// What framing says of bytes that are no message: where they stand, why, and how many were left out.

/// A stretch of a file that is no message. It takes the place of one message.
public struct BadFrame: Sendable, Equatable {
  /// What is wrong.
  public enum Reason: Sendable, Equatable {
    /// The frame is whole but its message isn't one of TotalView-ITCH 5.0.
    case message(ITCHError)
    /// The file ends within the message.
    case truncated(found: Int, wanted: Int)
    /// The file ends within the two-byte length.
    case truncatedLength
    /// A length of zero, followed neither by the end of the file nor by a message.
    case zeroLength
    /// The length reaches past the end of the file, and isn't the type's.
    case pastEnd(length: Int, left: Int)
  }

  /// Offset of the frame (its length prefix) from the file's beginning.
  public var offset: UInt64
  /// Bytes from `offset` to where reading goes on.
  public var byteCount: Int
  /// The type byte, or nil where the frame has none.
  public var type: UInt8?
  /// What is wrong.
  public var reason: Reason
  /// True where the next message had to be searched for, because no length could be trusted.
  public var resynchronised: Bool

  /// A report from its parts.
  public init(offset: UInt64, byteCount: Int, type: UInt8?, reason: Reason, resynchronised: Bool = false) {
    self.offset = offset
    self.byteCount = byteCount
    self.type = type
    self.reason = reason
    self.resynchronised = resynchronised
  }
}

extension BadFrame: CustomStringConvertible {
  /// The reason, without the place.
  public var description: String {
    let what =
      switch reason {
      case .message(let error): error.description
      case .truncated(let found, let wanted):
        "the file ends within the message: \(found) bytes found, \(wanted) wanted"
      case .truncatedLength: "the file ends within the two-byte length of a message"
      case .zeroLength: "length 0 found, followed by no message; wanted a message's length"
      case .pastEnd(let length, let left): "length \(length) found, \(left) bytes left in the file"
      }
    return resynchronised ? what + "; \(byteCount) bytes left out until the next message" : what
  }
}
