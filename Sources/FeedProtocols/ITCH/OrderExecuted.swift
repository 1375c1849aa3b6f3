// Nasdaq TotalView-ITCH 5.0: E (Order Executed, 1.4.1), C (Order Executed with Price, 1.4.2).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Order Executed (TotalView-ITCH 5.0, section 1.4.1), type `E`, 31 bytes.
public struct OrderExecuted: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "E") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 31 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// The order. Offset 11, 8 bytes.
  public var reference: OrderReference
  /// Shares executed. Offset 19, 4 bytes.
  public var executedShares: UInt32
  /// Match number of the execution. Offset 23, 8 bytes.
  public var match: MatchNumber

  /// A message from its fields.
  public init(
    header: ITCHHeader, reference: OrderReference, executedShares: UInt32, match: MatchNumber
  ) {
    self.header = header
    self.reference = reference
    self.executedShares = executedShares
    self.match = match
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable @inline(__always)
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    reference = OrderReference(bytes.u64(11))
    executedShares = bytes.u32(19)
    match = MatchNumber(bytes.u64(23))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(reference.rawValue)
    writer.u32(executedShares)
    writer.u64(match.rawValue)
  }
}

/// Order Executed with Price (TotalView-ITCH 5.0, section 1.4.2), type `C`, 36 bytes.
public struct OrderExecutedWithPrice: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "C") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 36 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// The order. Offset 11, 8 bytes.
  public var reference: OrderReference
  /// Shares executed. Offset 19, 4 bytes.
  public var executedShares: UInt32
  /// Match number of the execution. Offset 23, 8 bytes.
  public var match: MatchNumber
  /// `Y`: counts in time and sales and volume; `N`: reported elsewhere (a cross). Offset 31, 1 byte.
  public var printable: ITCHCode
  /// Price of the execution. Offset 32, 4 bytes, price with scale 4.
  public var executionPrice: Price

  /// A message from its fields.
  public init(
    header: ITCHHeader, reference: OrderReference, executedShares: UInt32, match: MatchNumber,
    printable: ITCHCode, executionPrice: Price
  ) {
    self.header = header
    self.reference = reference
    self.executedShares = executedShares
    self.match = match
    self.printable = printable
    self.executionPrice = executionPrice
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable @inline(__always)
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    reference = OrderReference(bytes.u64(11))
    executedShares = bytes.u32(19)
    match = MatchNumber(bytes.u64(23))
    printable = ITCHCode(bytes.u8(31))
    executionPrice = Price(units: Int64(bytes.u32(32)))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(reference.rawValue)
    writer.u32(executedShares)
    writer.u64(match.rawValue)
    writer.u8(printable.rawValue)
    writer.price4(executionPrice)
  }
}
