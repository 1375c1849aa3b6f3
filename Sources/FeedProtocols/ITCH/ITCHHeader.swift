// What every TotalView-ITCH 5.0 message begins with, and what every payload can do.
// Reading is in place from a RawSpan: one length check a message, then unaligned big-endian loads.

public import MarketData

/// Bytes 0 to 10 of every message: type, stock locate, tracking number, time (section 1).
public struct ITCHHeader: Sendable, Hashable {
  /// The day's number of the instrument; 0 where the message is about the whole market.
  public var locate: UInt16
  /// The exchange's own tracking number.
  public var tracking: UInt16
  /// Nanoseconds since midnight, exchange time (48 bits on the wire).
  public var timestamp: UInt64

  /// A header from its fields; `timestamp` keeps its lower 48 bits on the wire.
  public init(locate: UInt16, tracking: UInt16 = 0, timestamp: UInt64) {
    self.locate = locate
    self.tracking = tracking
    self.timestamp = timestamp
  }

  /// Reads the header; `bytes` must have at least 11 bytes.
  @inlinable @inline(__always)
  public init(reading bytes: RawSpan) {
    locate = bytes.u16(1)
    tracking = bytes.u16(3)
    timestamp = bytes.u48(5)
  }

  func encode(type: UInt8, into writer: inout ByteWriter) {
    writer.u8(type)
    writer.u16(locate)
    writer.u16(tracking)
    writer.u48(timestamp)
  }
}

/// One message type: fixed length, fixed offsets.
public protocol ITCHPayload: Sendable, Equatable {
  /// The type byte.
  static var type: UInt8 { get }
  /// Bytes of the message, type byte included.
  static var byteCount: Int { get }
  /// Locate code, tracking number and time.
  var header: ITCHHeader { get set }
  /// Reads the fields; `bytes` must have `byteCount` bytes.
  init(reading bytes: RawSpan) throws(ITCHError)
  /// Appends the message's bytes, without length prefix.
  func encode(into writer: inout ByteWriter)
}

extension ITCHPayload {
  /// Decodes after checking the length.
  /// - Throws: `ITCHError.Reason.length` where `bytes` is shorter or longer than the type.
  @inlinable
  public static func checked(_ bytes: RawSpan) throws(ITCHError) -> Self {
    guard bytes.byteCount == byteCount else {
      throw ITCHError(
        type: type, offset: min(bytes.byteCount, byteCount),
        reason: .length(found: bytes.byteCount, wanted: byteCount))
    }
    return try Self(reading: bytes)
  }
}

/// Why bytes are not a TotalView-ITCH 5.0 message.
public struct ITCHError: Error, Sendable, Equatable {
  /// What is wrong.
  public enum Reason: Sendable, Equatable {
    /// No byte at all.
    case empty
    /// No message of the specification has this type byte.
    case unknownType
    /// The type has another length.
    case length(found: Int, wanted: Int)
    /// A side that is neither `B` nor `S`.
    case side(found: UInt8)
  }

  /// The type byte; 0 where there was none.
  public var type: UInt8
  /// Offset of the fault within the message, in bytes.
  public var offset: Int
  /// What is wrong.
  public var reason: Reason

  /// An error from its parts.
  @inlinable
  public init(type: UInt8, offset: Int, reason: Reason) {
    self.type = type
    self.offset = offset
    self.reason = reason
  }
}

extension ITCHError: CustomStringConvertible {
  /// The type byte as text: the letter, or hexadecimal where it isn't printable.
  public var typeText: String {
    (0x21...0x7e).contains(type) ? "'\(Character(UnicodeScalar(type)))'" : "0x" + String(type, radix: 16)
  }

  /// As text.
  public var description: String {
    switch reason {
    case .empty: "message has no bytes; wanted a type byte"
    case .unknownType: "type \(typeText) at offset 0: no TotalView-ITCH 5.0 message has this type"
    case .length(let found, let wanted):
      "type \(typeText): \(found) bytes found, \(wanted) wanted (fault at offset \(offset))"
    case .side(let found):
      "type \(typeText), side at offset \(offset): 0x\(String(found, radix: 16)) found, 'B' or 'S' wanted"
    }
  }
}

/// A one-character code of the specification. Unknown codes are kept: the exchange adds some without notice.
public struct ITCHCode: Sendable, Hashable, ExpressibleByUnicodeScalarLiteral {
  /// The byte on the wire.
  public var rawValue: UInt8
  /// A code from its byte.
  @inlinable
  public init(_ rawValue: UInt8) { self.rawValue = rawValue }
  /// Reads the text form.
  @inlinable
  public init(unicodeScalarLiteral value: Unicode.Scalar) {
    rawValue = UInt8(truncatingIfNeeded: value.value)
  }
}

/// A four-character code (participant, reason), left justified, padded with spaces.
public struct ITCHCode4: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  /// The four bytes, first character in the highest byte.
  public var rawValue: UInt32
  /// A code from its bytes.
  @inlinable
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }
  /// The first four characters of `text`, padded with spaces.
  public init(_ text: String) {
    var value: UInt32 = 0
    var bytes = text.utf8.makeIterator()
    for _ in 0..<4 { value = value << 8 | UInt32(bytes.next() ?? 0x20) }
    rawValue = value
  }
  /// Reads the text form.
  public init(stringLiteral value: StaticString) { self.init(value.description) }
  /// The characters without padding; what isn't printable ASCII shows as `?`.
  public var description: String {
    var text = ""
    for shift in stride(from: 24, through: 0, by: -8) {
      let byte = UInt8(truncatingIfNeeded: rawValue >> UInt32(shift))
      if byte == 0x20 { continue }
      text.append((0x21...0x7e).contains(byte) ? Character(UnicodeScalar(byte)) : "?")
    }
    return text
  }
}

extension Side {
  /// `B` or `S`.
  @inlinable
  public var itchCode: UInt8 { self == .buy ? 0x42 : 0x53 }

  @inlinable @inline(__always)
  static func decode(_ bytes: RawSpan, at offset: Int, in type: UInt8) throws(ITCHError) -> Side {
    // One branch that is never taken, instead of one that goes either way at random.
    let found = bytes.u8(offset)
    let side: Side = found == 0x53 ? .sell : .buy
    guard found == side.itchCode else {
      throw ITCHError(type: type, offset: offset, reason: .side(found: found))
    }
    return side
  }
}
