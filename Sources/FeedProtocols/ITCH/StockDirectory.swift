// Nasdaq TotalView-ITCH 5.0: R (Stock Directory, 1.2.1).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Stock Directory (TotalView-ITCH 5.0, section 1.2.1), type `R`, 39 bytes.
public struct StockDirectory: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "R") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 39 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Instrument, right padded with spaces. Offset 11, 8 bytes.
  public var stock: InstrumentCode
  /// Listing market. Offset 19, 1 byte.
  public var marketCategory: ITCHCode
  /// Financial status indicator; space = not available. Offset 20, 1 byte.
  public var financialStatus: ITCHCode
  /// Shares in a round lot. Offset 21, 4 bytes.
  public var roundLotSize: UInt32
  /// `Y`: only round lots are accepted. Offset 25, 1 byte.
  public var roundLotsOnly: ITCHCode
  /// Security class. Offset 26, 1 byte.
  public var issueClassification: ITCHCode
  /// Security sub-type, two characters. Offset 27, 2 bytes.
  public var issueSubType: UInt16
  /// `P` live, `T` test. Offset 29, 1 byte.
  public var authenticity: ITCHCode
  /// Short-sale threshold list: `Y`, `N` or space. Offset 30, 1 byte.
  public var shortSaleThreshold: ITCHCode
  /// `Y`: new issue. Offset 31, 1 byte.
  public var ipoFlag: ITCHCode
  /// Limit up/limit down tier: `1`, `2` or space. Offset 32, 1 byte.
  public var luldReferencePriceTier: ITCHCode
  /// `Y`: exchange-traded product. Offset 33, 1 byte.
  public var etpFlag: ITCHCode
  /// Leverage, whole number. Offset 34, 4 bytes.
  public var etpLeverageFactor: UInt32
  /// `Y`: inverse product. Offset 38, 1 byte.
  public var inverseIndicator: ITCHCode

  /// A message from its fields.
  public init(
    header: ITCHHeader, stock: InstrumentCode, marketCategory: ITCHCode, financialStatus: ITCHCode,
    roundLotSize: UInt32, roundLotsOnly: ITCHCode, issueClassification: ITCHCode, issueSubType: UInt16,
    authenticity: ITCHCode, shortSaleThreshold: ITCHCode, ipoFlag: ITCHCode, luldReferencePriceTier: ITCHCode,
    etpFlag: ITCHCode, etpLeverageFactor: UInt32, inverseIndicator: ITCHCode
  ) {
    self.header = header
    self.stock = stock
    self.marketCategory = marketCategory
    self.financialStatus = financialStatus
    self.roundLotSize = roundLotSize
    self.roundLotsOnly = roundLotsOnly
    self.issueClassification = issueClassification
    self.issueSubType = issueSubType
    self.authenticity = authenticity
    self.shortSaleThreshold = shortSaleThreshold
    self.ipoFlag = ipoFlag
    self.luldReferencePriceTier = luldReferencePriceTier
    self.etpFlag = etpFlag
    self.etpLeverageFactor = etpLeverageFactor
    self.inverseIndicator = inverseIndicator
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    stock = InstrumentCode(bytes.u64(11))
    marketCategory = ITCHCode(bytes.u8(19))
    financialStatus = ITCHCode(bytes.u8(20))
    roundLotSize = bytes.u32(21)
    roundLotsOnly = ITCHCode(bytes.u8(25))
    issueClassification = ITCHCode(bytes.u8(26))
    issueSubType = bytes.u16(27)
    authenticity = ITCHCode(bytes.u8(29))
    shortSaleThreshold = ITCHCode(bytes.u8(30))
    ipoFlag = ITCHCode(bytes.u8(31))
    luldReferencePriceTier = ITCHCode(bytes.u8(32))
    etpFlag = ITCHCode(bytes.u8(33))
    etpLeverageFactor = bytes.u32(34)
    inverseIndicator = ITCHCode(bytes.u8(38))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(stock.rawValue)
    writer.u8(marketCategory.rawValue)
    writer.u8(financialStatus.rawValue)
    writer.u32(roundLotSize)
    writer.u8(roundLotsOnly.rawValue)
    writer.u8(issueClassification.rawValue)
    writer.u16(issueSubType)
    writer.u8(authenticity.rawValue)
    writer.u8(shortSaleThreshold.rawValue)
    writer.u8(ipoFlag.rawValue)
    writer.u8(luldReferencePriceTier.rawValue)
    writer.u8(etpFlag.rawValue)
    writer.u32(etpLeverageFactor)
    writer.u8(inverseIndicator.rawValue)
  }
}
