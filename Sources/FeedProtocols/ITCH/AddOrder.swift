// Nasdaq TotalView-ITCH 5.0: A (Add Order, No MPID Attribution, 1.3.1), F (Add Order with MPID Attribution, 1.3.2).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Add Order, No MPID Attribution (TotalView-ITCH 5.0, section 1.3.1), type `A`, 36 bytes.
public struct AddOrder: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "A") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 36 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// The order, unique within the day. Offset 11, 8 bytes.
  public var reference: OrderReference
  /// Buy or sell. Offset 19, 1 byte.
  public var side: Side
  /// Displayed shares. Offset 20, 4 bytes.
  public var shares: UInt32
  /// Instrument. Offset 24, 8 bytes.
  public var stock: InstrumentCode
  /// Limit price. Offset 32, 4 bytes, price with scale 4.
  public var price: Price

  /// A message from its fields.
  public init(
    header: ITCHHeader, reference: OrderReference, side: Side, shares: UInt32, stock: InstrumentCode,
    price: Price
  ) {
    self.header = header
    self.reference = reference
    self.side = side
    self.shares = shares
    self.stock = stock
    self.price = price
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable @inline(__always)
  public init(reading bytes: RawSpan) throws(ITCHError) {
    header = ITCHHeader(reading: bytes)
    reference = OrderReference(bytes.u64(11))
    side = try Side.decode(bytes, at: 19, in: Self.type)
    shares = bytes.u32(20)
    stock = InstrumentCode(bytes.u64(24))
    price = Price(units: Int64(bytes.u32(32)))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(reference.rawValue)
    writer.u8(side.itchCode)
    writer.u32(shares)
    writer.u64(stock.rawValue)
    writer.price4(price)
  }
}

/// Add Order with MPID Attribution (TotalView-ITCH 5.0, section 1.3.2), type `F`, 40 bytes.
public struct AddOrderAttributed: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "F") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 40 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// The order, unique within the day. Offset 11, 8 bytes.
  public var reference: OrderReference
  /// Buy or sell. Offset 19, 1 byte.
  public var side: Side
  /// Displayed shares. Offset 20, 4 bytes.
  public var shares: UInt32
  /// Instrument. Offset 24, 8 bytes.
  public var stock: InstrumentCode
  /// Limit price. Offset 32, 4 bytes, price with scale 4.
  public var price: Price
  /// Market participant identifier. Offset 36, 4 bytes.
  public var attribution: ITCHCode4

  /// A message from its fields.
  public init(
    header: ITCHHeader, reference: OrderReference, side: Side, shares: UInt32, stock: InstrumentCode,
    price: Price, attribution: ITCHCode4
  ) {
    self.header = header
    self.reference = reference
    self.side = side
    self.shares = shares
    self.stock = stock
    self.price = price
    self.attribution = attribution
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable @inline(__always)
  public init(reading bytes: RawSpan) throws(ITCHError) {
    header = ITCHHeader(reading: bytes)
    reference = OrderReference(bytes.u64(11))
    side = try Side.decode(bytes, at: 19, in: Self.type)
    shares = bytes.u32(20)
    stock = InstrumentCode(bytes.u64(24))
    price = Price(units: Int64(bytes.u32(32)))
    attribution = ITCHCode4(bytes.u32(36))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(reference.rawValue)
    writer.u8(side.itchCode)
    writer.u32(shares)
    writer.u64(stock.rawValue)
    writer.price4(price)
    writer.u32(attribution.rawValue)
  }
}
