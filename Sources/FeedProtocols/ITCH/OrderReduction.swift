// Nasdaq TotalView-ITCH 5.0: X (Order Cancel, 1.4.3), D (Order Delete, 1.4.4).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Order Cancel (TotalView-ITCH 5.0, section 1.4.3), type `X`, 23 bytes.
public struct OrderCancel: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "X") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 23 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// The order. Offset 11, 8 bytes.
  public var reference: OrderReference
  /// Shares taken off the order. Offset 19, 4 bytes.
  public var cancelledShares: UInt32

  /// A message from its fields.
  public init(
    header: ITCHHeader, reference: OrderReference, cancelledShares: UInt32
  ) {
    self.header = header
    self.reference = reference
    self.cancelledShares = cancelledShares
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable @inline(__always)
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    reference = OrderReference(bytes.u64(11))
    cancelledShares = bytes.u32(19)
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(reference.rawValue)
    writer.u32(cancelledShares)
  }
}

/// Order Delete (TotalView-ITCH 5.0, section 1.4.4), type `D`, 19 bytes.
public struct OrderDelete: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "D") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 19 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// The order, which leaves the book. Offset 11, 8 bytes.
  public var reference: OrderReference

  /// A message from its fields.
  public init(
    header: ITCHHeader, reference: OrderReference
  ) {
    self.header = header
    self.reference = reference
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable @inline(__always)
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    reference = OrderReference(bytes.u64(11))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(reference.rawValue)
  }
}
