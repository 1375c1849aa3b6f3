// Nasdaq TotalView-ITCH 5.0: U (Order Replace, 1.4.5).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Order Replace (TotalView-ITCH 5.0, section 1.4.5), type `U`, 35 bytes.
public struct OrderReplace: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "U") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 35 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// The order that leaves. Offset 11, 8 bytes.
  public var originalReference: OrderReference
  /// The order that takes its place, last in time priority; side, instrument and attribution stay. Offset 19, 8 bytes.
  public var newReference: OrderReference
  /// Displayed shares. Offset 27, 4 bytes.
  public var shares: UInt32
  /// Limit price. Offset 31, 4 bytes, price with scale 4.
  public var price: Price

  /// A message from its fields.
  public init(
    header: ITCHHeader, originalReference: OrderReference, newReference: OrderReference, shares: UInt32,
    price: Price
  ) {
    self.header = header
    self.originalReference = originalReference
    self.newReference = newReference
    self.shares = shares
    self.price = price
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable @inline(__always)
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    originalReference = OrderReference(bytes.u64(11))
    newReference = OrderReference(bytes.u64(19))
    shares = bytes.u32(27)
    price = Price(units: Int64(bytes.u32(31)))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(originalReference.rawValue)
    writer.u64(newReference.rawValue)
    writer.u32(shares)
    writer.price4(price)
  }
}
