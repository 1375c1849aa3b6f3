// Nasdaq TotalView-ITCH 5.0: K (Quoting Period Update, 1.2.6).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Quoting Period Update (TotalView-ITCH 5.0, section 1.2.6), type `K`, 28 bytes.
public struct QuotingPeriodUpdate: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "K") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 28 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Instrument. Offset 11, 8 bytes.
  public var stock: InstrumentCode
  /// Quotation release time, seconds since midnight. Offset 19, 4 bytes.
  public var releaseTimeSeconds: UInt32
  /// `A` anticipated, `C` cancelled. Offset 23, 1 byte.
  public var qualifier: ITCHCode
  /// IPO price. Offset 24, 4 bytes, price with scale 4.
  public var price: Price

  /// A message from its fields.
  public init(
    header: ITCHHeader, stock: InstrumentCode, releaseTimeSeconds: UInt32, qualifier: ITCHCode, price: Price
  ) {
    self.header = header
    self.stock = stock
    self.releaseTimeSeconds = releaseTimeSeconds
    self.qualifier = qualifier
    self.price = price
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    stock = InstrumentCode(bytes.u64(11))
    releaseTimeSeconds = bytes.u32(19)
    qualifier = ITCHCode(bytes.u8(23))
    price = Price(units: Int64(bytes.u32(24)))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(stock.rawValue)
    writer.u32(releaseTimeSeconds)
    writer.u8(qualifier.rawValue)
    writer.price4(price)
  }
}
