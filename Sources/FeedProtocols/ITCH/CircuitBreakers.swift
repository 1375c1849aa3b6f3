// Nasdaq TotalView-ITCH 5.0: V (Market-Wide Circuit Breaker Decline Level, 1.2.5.1), W (Market-Wide Circuit Breaker Status, 1.2.5.2), J (Limit Up/Limit Down Auction Collar, 1.2.7).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Market-Wide Circuit Breaker Decline Level (TotalView-ITCH 5.0, section 1.2.5.1), type `V`, 35 bytes.
public struct CircuitBreakerLevels: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "V") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 35 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Level 1, price with scale 8. Offset 11, 8 bytes.
  public var level1: UInt64
  /// Level 2, price with scale 8. Offset 19, 8 bytes.
  public var level2: UInt64
  /// Level 3, price with scale 8. Offset 27, 8 bytes.
  public var level3: UInt64

  /// A message from its fields.
  public init(
    header: ITCHHeader, level1: UInt64, level2: UInt64, level3: UInt64
  ) {
    self.header = header
    self.level1 = level1
    self.level2 = level2
    self.level3 = level3
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    level1 = bytes.u64(11)
    level2 = bytes.u64(19)
    level3 = bytes.u64(27)
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(level1)
    writer.u64(level2)
    writer.u64(level3)
  }
}

/// Market-Wide Circuit Breaker Status (TotalView-ITCH 5.0, section 1.2.5.2), type `W`, 12 bytes.
public struct CircuitBreakerStatus: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "W") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 12 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// The level that was breached: `1`, `2` or `3`. Offset 11, 1 byte.
  public var breachedLevel: ITCHCode

  /// A message from its fields.
  public init(
    header: ITCHHeader, breachedLevel: ITCHCode
  ) {
    self.header = header
    self.breachedLevel = breachedLevel
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    breachedLevel = ITCHCode(bytes.u8(11))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u8(breachedLevel.rawValue)
  }
}

/// Limit Up/Limit Down Auction Collar (TotalView-ITCH 5.0, section 1.2.7), type `J`, 35 bytes.
public struct AuctionCollar: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "J") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 35 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Instrument. Offset 11, 8 bytes.
  public var stock: InstrumentCode
  /// Reference price of the collar. Offset 19, 4 bytes, price with scale 4.
  public var referencePrice: Price
  /// Upper collar. Offset 23, 4 bytes, price with scale 4.
  public var upperPrice: Price
  /// Lower collar. Offset 27, 4 bytes, price with scale 4.
  public var lowerPrice: Price
  /// How often the auction was extended. Offset 31, 4 bytes.
  public var extensionCount: UInt32

  /// A message from its fields.
  public init(
    header: ITCHHeader, stock: InstrumentCode, referencePrice: Price, upperPrice: Price, lowerPrice: Price,
    extensionCount: UInt32
  ) {
    self.header = header
    self.stock = stock
    self.referencePrice = referencePrice
    self.upperPrice = upperPrice
    self.lowerPrice = lowerPrice
    self.extensionCount = extensionCount
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    stock = InstrumentCode(bytes.u64(11))
    referencePrice = Price(units: Int64(bytes.u32(19)))
    upperPrice = Price(units: Int64(bytes.u32(23)))
    lowerPrice = Price(units: Int64(bytes.u32(27)))
    extensionCount = bytes.u32(31)
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(stock.rawValue)
    writer.price4(referencePrice)
    writer.price4(upperPrice)
    writer.price4(lowerPrice)
    writer.u32(extensionCount)
  }
}
