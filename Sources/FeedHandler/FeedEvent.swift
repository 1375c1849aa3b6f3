// What a source of messages hands on: runs of framed messages, and everything that isn't one.

public import FeedProtocols

/// The next thing in a feed.
public enum FeedEvent {
  /// Messages with consecutive sequence numbers. Each of them decodes: its type, length and side are checked.
  case messages(MessageRun)
  /// Bytes that are no message.
  case bad(BadMessage)
  /// Messages that are missing (MoldUDP64 only).
  case gap(session: String, from: UInt64, through: UInt64)
  /// What follows belongs to that MoldUDP64 session.
  case session(String)
  /// Nothing follows.
  case end
}

/// Framed messages: each two bytes of length, never zero, and the message.
public struct MessageRun {
  /// The frames, one behind the other. Valid until the feed's next step.
  public var bytes: UnsafeRawBufferPointer
  /// How many messages.
  public var count: Int
  /// Sequence number of the first.
  public var firstSequence: UInt64
  /// When the packet was captured, nanoseconds since 1970; 0 for files of messages.
  public var receivedAtNanoseconds: UInt64
  /// Number of the first message among all of the feed, from 1, bad ones counted too; never starts again.
  public var firstFileMessageNumber: UInt64
  /// The first message is System Event `O` and begins another day: sequence numbers start at 1 again.
  public var startsDay: Bool

  /// A run from its parts.
  public init(
    bytes: UnsafeRawBufferPointer, count: Int, firstSequence: UInt64, receivedAtNanoseconds: UInt64 = 0,
    firstFileMessageNumber: UInt64 = 1, startsDay: Bool = false
  ) {
    self.bytes = bytes
    self.count = count
    self.firstSequence = firstSequence
    self.receivedAtNanoseconds = receivedAtNanoseconds
    self.firstFileMessageNumber = firstFileMessageNumber
    self.startsDay = startsDay
  }

  /// Calls `body` with each message, without its length, and its index in the run.
  @inlinable
  public func forEachMessage<E: Error>(
    _ body: (_ message: RawSpan, _ index: Int) throws(E) -> Void
  ) throws(E) {
    let span = bytes.bytes
    var place = 0
    for index in 0..<count {
      let length = Int(span.u16(place))
      try body(span.extracting(place + 2..<place + 2 + length), index)
      place += 2 + length
    }
  }
}

/// Bytes of a feed that are no message of TotalView-ITCH 5.0.
public struct BadMessage: Error, Sendable, Hashable {
  /// The file.
  public var file: String
  /// Offset in the file's content (of compressed files: decompressed), of the frame or packet.
  public var offset: UInt64
  /// The type byte; nil where there is none.
  public var type: UInt8?
  /// What is wrong.
  public var reason: String
  /// The sequence number it takes; nil where it isn't in the place of a message.
  public var sequence: UInt64?
  /// Its number among all messages, as `MessageRun.firstFileMessageNumber`; nil as above.
  public var fileMessageNumber: UInt64?

  /// A report from its parts.
  public init(
    file: String, offset: UInt64, type: UInt8?, reason: String, sequence: UInt64? = nil,
    fileMessageNumber: UInt64? = nil
  ) {
    self.file = file
    self.offset = offset
    self.type = type
    self.reason = reason
    self.sequence = sequence
    self.fileMessageNumber = fileMessageNumber
  }

  /// The type as text: the letter, hexadecimal where it isn't printable, nil where there is none.
  public var typeText: String? {
    guard let type else { return nil }
    return (0x21...0x7e).contains(type)
      ? String(Character(UnicodeScalar(type))) : "0x" + (type < 16 ? "0" : "") + String(type, radix: 16)
  }
}

extension BadMessage: CustomStringConvertible {
  /// File, offset and reason in a line.
  public var description: String { "\(file): offset \(offset): \(reason)" }
}
