// Nasdaq TotalView-ITCH 5.0: I (Net Order Imbalance Indicator (NOII), 1.6), O (Direct Listing with Capital Raise Price Discovery, 1.8).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Net Order Imbalance Indicator (NOII) (TotalView-ITCH 5.0, section 1.6), type `I`, 50 bytes.
public struct NetOrderImbalance: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "I") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 50 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Shares that match at the current reference price. Offset 11, 8 bytes.
  public var pairedShares: UInt64
  /// Shares that do not. Offset 19, 8 bytes.
  public var imbalanceShares: UInt64
  /// `B` buy, `S` sell, `N` none, `O` insufficient orders, `P` paused. Offset 27, 1 byte.
  public var direction: ITCHCode
  /// Instrument. Offset 28, 8 bytes.
  public var stock: InstrumentCode
  /// Clearing price of the auction orders alone. Offset 36, 4 bytes, price with scale 4.
  public var farPrice: Price
  /// Clearing price of auction and continuous orders. Offset 40, 4 bytes, price with scale 4.
  public var nearPrice: Price
  /// Price at which the figures are calculated. Offset 44, 4 bytes, price with scale 4.
  public var referencePrice: Price
  /// `O` opening, `C` closing, `H` halted or IPO, `A` extended. Offset 48, 1 byte.
  public var crossType: ITCHCode
  /// Deviation of near price from reference, a code. Offset 49, 1 byte.
  public var priceVariation: ITCHCode

  /// A message from its fields.
  public init(
    header: ITCHHeader, pairedShares: UInt64, imbalanceShares: UInt64, direction: ITCHCode,
    stock: InstrumentCode, farPrice: Price, nearPrice: Price, referencePrice: Price, crossType: ITCHCode,
    priceVariation: ITCHCode
  ) {
    self.header = header
    self.pairedShares = pairedShares
    self.imbalanceShares = imbalanceShares
    self.direction = direction
    self.stock = stock
    self.farPrice = farPrice
    self.nearPrice = nearPrice
    self.referencePrice = referencePrice
    self.crossType = crossType
    self.priceVariation = priceVariation
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    pairedShares = bytes.u64(11)
    imbalanceShares = bytes.u64(19)
    direction = ITCHCode(bytes.u8(27))
    stock = InstrumentCode(bytes.u64(28))
    farPrice = Price(units: Int64(bytes.u32(36)))
    nearPrice = Price(units: Int64(bytes.u32(40)))
    referencePrice = Price(units: Int64(bytes.u32(44)))
    crossType = ITCHCode(bytes.u8(48))
    priceVariation = ITCHCode(bytes.u8(49))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(pairedShares)
    writer.u64(imbalanceShares)
    writer.u8(direction.rawValue)
    writer.u64(stock.rawValue)
    writer.price4(farPrice)
    writer.price4(nearPrice)
    writer.price4(referencePrice)
    writer.u8(crossType.rawValue)
    writer.u8(priceVariation.rawValue)
  }
}

/// Direct Listing with Capital Raise Price Discovery (TotalView-ITCH 5.0, section 1.8), type `O`, 48 bytes.
public struct DirectListingPriceDiscovery: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "O") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 48 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Instrument. Offset 11, 8 bytes.
  public var stock: InstrumentCode
  /// `Y`: may be released for trading. Offset 19, 1 byte.
  public var openEligibility: ITCHCode
  /// Lowest price allowed. Offset 20, 4 bytes, price with scale 4.
  public var minimumAllowablePrice: Price
  /// Highest price allowed. Offset 24, 4 bytes, price with scale 4.
  public var maximumAllowablePrice: Price
  /// Current near execution price. Offset 28, 4 bytes, price with scale 4.
  public var nearExecutionPrice: Price
  /// When that price was set, nanoseconds since midnight. Offset 32, 8 bytes.
  public var nearExecutionTimeNanoseconds: UInt64
  /// Lower collar, 10 % below. Offset 40, 4 bytes, price with scale 4.
  public var lowerPriceRangeCollar: Price
  /// Upper collar, 10 % above. Offset 44, 4 bytes, price with scale 4.
  public var upperPriceRangeCollar: Price

  /// A message from its fields.
  public init(
    header: ITCHHeader, stock: InstrumentCode, openEligibility: ITCHCode, minimumAllowablePrice: Price,
    maximumAllowablePrice: Price, nearExecutionPrice: Price, nearExecutionTimeNanoseconds: UInt64,
    lowerPriceRangeCollar: Price, upperPriceRangeCollar: Price
  ) {
    self.header = header
    self.stock = stock
    self.openEligibility = openEligibility
    self.minimumAllowablePrice = minimumAllowablePrice
    self.maximumAllowablePrice = maximumAllowablePrice
    self.nearExecutionPrice = nearExecutionPrice
    self.nearExecutionTimeNanoseconds = nearExecutionTimeNanoseconds
    self.lowerPriceRangeCollar = lowerPriceRangeCollar
    self.upperPriceRangeCollar = upperPriceRangeCollar
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    stock = InstrumentCode(bytes.u64(11))
    openEligibility = ITCHCode(bytes.u8(19))
    minimumAllowablePrice = Price(units: Int64(bytes.u32(20)))
    maximumAllowablePrice = Price(units: Int64(bytes.u32(24)))
    nearExecutionPrice = Price(units: Int64(bytes.u32(28)))
    nearExecutionTimeNanoseconds = bytes.u64(32)
    lowerPriceRangeCollar = Price(units: Int64(bytes.u32(40)))
    upperPriceRangeCollar = Price(units: Int64(bytes.u32(44)))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(stock.rawValue)
    writer.u8(openEligibility.rawValue)
    writer.price4(minimumAllowablePrice)
    writer.price4(maximumAllowablePrice)
    writer.price4(nearExecutionPrice)
    writer.u64(nearExecutionTimeNanoseconds)
    writer.price4(lowerPriceRangeCollar)
    writer.price4(upperPriceRangeCollar)
  }
}
