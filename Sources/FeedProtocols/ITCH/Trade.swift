// Nasdaq TotalView-ITCH 5.0: P (Trade Message (Non-Cross), 1.5.1), Q (Cross Trade, 1.5.2), B (Broken Trade / Order Execution, 1.5.3).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Trade Message (Non-Cross) (TotalView-ITCH 5.0, section 1.5.1), type `P`, 44 bytes.
public struct NonCrossTrade: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "P") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 44 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Zero since 2010; the order where the venue gives it. Offset 11, 8 bytes.
  public var reference: OrderReference
  /// Side of the non-displayed order (always buy since 2014). Offset 19, 1 byte.
  public var side: Side
  /// Shares matched. Offset 20, 4 bytes.
  public var shares: UInt32
  /// Instrument. Offset 24, 8 bytes.
  public var stock: InstrumentCode
  /// Price of the match. Offset 32, 4 bytes, price with scale 4.
  public var price: Price
  /// Match number. Offset 36, 8 bytes.
  public var match: MatchNumber

  /// A message from its fields.
  public init(
    header: ITCHHeader, reference: OrderReference, side: Side, shares: UInt32, stock: InstrumentCode,
    price: Price, match: MatchNumber
  ) {
    self.header = header
    self.reference = reference
    self.side = side
    self.shares = shares
    self.stock = stock
    self.price = price
    self.match = match
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) throws(ITCHError) {
    header = ITCHHeader(reading: bytes)
    reference = OrderReference(bytes.u64(11))
    side = try Side.decode(bytes, at: 19, in: Self.type)
    shares = bytes.u32(20)
    stock = InstrumentCode(bytes.u64(24))
    price = Price(units: Int64(bytes.u32(32)))
    match = MatchNumber(bytes.u64(36))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(reference.rawValue)
    writer.u8(side.itchCode)
    writer.u32(shares)
    writer.u64(stock.rawValue)
    writer.price4(price)
    writer.u64(match.rawValue)
  }
}

/// Cross Trade (TotalView-ITCH 5.0, section 1.5.2), type `Q`, 40 bytes.
public struct CrossTrade: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "Q") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 40 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Shares matched in the cross. Offset 11, 8 bytes.
  public var shares: UInt64
  /// Instrument. Offset 19, 8 bytes.
  public var stock: InstrumentCode
  /// Price of the cross. Offset 27, 4 bytes, price with scale 4.
  public var crossPrice: Price
  /// Match number. Offset 31, 8 bytes.
  public var match: MatchNumber
  /// `O` opening, `C` closing, `H` halted or IPO, `I` intraday. Offset 39, 1 byte.
  public var crossType: ITCHCode

  /// A message from its fields.
  public init(
    header: ITCHHeader, shares: UInt64, stock: InstrumentCode, crossPrice: Price, match: MatchNumber,
    crossType: ITCHCode
  ) {
    self.header = header
    self.shares = shares
    self.stock = stock
    self.crossPrice = crossPrice
    self.match = match
    self.crossType = crossType
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    shares = bytes.u64(11)
    stock = InstrumentCode(bytes.u64(19))
    crossPrice = Price(units: Int64(bytes.u32(27)))
    match = MatchNumber(bytes.u64(31))
    crossType = ITCHCode(bytes.u8(39))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(shares)
    writer.u64(stock.rawValue)
    writer.price4(crossPrice)
    writer.u64(match.rawValue)
    writer.u8(crossType.rawValue)
  }
}

/// Broken Trade / Order Execution (TotalView-ITCH 5.0, section 1.5.3), type `B`, 19 bytes.
public struct BrokenTrade: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "B") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 19 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// The execution that is taken back. Offset 11, 8 bytes.
  public var match: MatchNumber

  /// A message from its fields.
  public init(
    header: ITCHHeader, match: MatchNumber
  ) {
    self.header = header
    self.match = match
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    match = MatchNumber(bytes.u64(11))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(match.rawValue)
  }
}
