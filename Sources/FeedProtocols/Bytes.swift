// Big-endian reading in place and writing, shared by all protocols of this room.

public import MarketData

extension RawSpan {
  // The offsets below are checked by the caller's one length check a message; RawSpan checks them again
  // (a compare and a branch that is never taken), so a wrong constant stops instead of reading elsewhere.

  /// The byte at `offset`.
  @inlinable @inline(__always)
  public func u8(_ offset: Int) -> UInt8 { unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self) }
  /// Two bytes, big-endian.
  @inlinable @inline(__always)
  public func u16(_ offset: Int) -> UInt16 {
    unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self).bigEndian
  }
  /// Four bytes, big-endian.
  @inlinable @inline(__always)
  public func u32(_ offset: Int) -> UInt32 {
    unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self).bigEndian
  }
  /// Six bytes, big-endian.
  @inlinable @inline(__always)
  public func u48(_ offset: Int) -> UInt64 { UInt64(u16(offset)) << 32 | UInt64(u32(offset + 2)) }
  /// Eight bytes, big-endian.
  @inlinable @inline(__always)
  public func u64(_ offset: Int) -> UInt64 {
    unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
  }
}

/// A growing buffer of bytes that writes big-endian integers.
public struct ByteWriter: Sendable {
  /// What was written.
  public var bytes: [UInt8]

  /// An empty buffer with room for `capacity` bytes.
  public init(capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// Appends one byte.
  @inlinable
  public mutating func u8(_ value: UInt8) { bytes.append(value) }
  /// Appends two bytes.
  @inlinable
  public mutating func u16(_ value: UInt16) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
  /// Appends four bytes.
  @inlinable
  public mutating func u32(_ value: UInt32) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
  /// Appends the lower six bytes of `value`.
  @inlinable
  public mutating func u48(_ value: UInt64) {
    u16(UInt16(truncatingIfNeeded: value >> 32))
    u32(UInt32(truncatingIfNeeded: value))
  }
  /// Appends eight bytes.
  @inlinable
  public mutating func u64(_ value: UInt64) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
  /// Appends a price as four bytes with scale 4; outside of 0…429,496.7295 it is held at the nearest end.
  @inlinable
  public mutating func price4(_ price: Price) { u32(UInt32(clamping: price.units)) }
  /// Appends raw bytes.
  @inlinable
  public mutating func append(contentsOf other: some Sequence<UInt8>) { bytes.append(contentsOf: other) }

  /// Appends one ITCH message with its two-byte length, the framing of ITCH files.
  @inlinable
  public mutating func framed(_ message: some ITCHPayload) {
    u16(UInt16(type(of: message).byteCount))
    message.encode(into: &self)
  }
}
