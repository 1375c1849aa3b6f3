// Nasdaq TotalView-ITCH 5.0: N (Retail Price Improvement Indicator, 1.7).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Retail Price Improvement Indicator (TotalView-ITCH 5.0, section 1.7), type `N`, 20 bytes.
public struct RetailPriceImprovement: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "N") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 20 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Instrument. Offset 11, 8 bytes.
  public var stock: InstrumentCode
  /// `B` buy, `S` sell, `A` both, `N` none. Offset 19, 1 byte.
  public var interest: ITCHCode

  /// A message from its fields.
  public init(
    header: ITCHHeader, stock: InstrumentCode, interest: ITCHCode
  ) {
    self.header = header
    self.stock = stock
    self.interest = interest
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    stock = InstrumentCode(bytes.u64(11))
    interest = ITCHCode(bytes.u8(19))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(stock.rawValue)
    writer.u8(interest.rawValue)
  }
}
