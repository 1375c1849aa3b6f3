// Nasdaq TotalView-ITCH 5.0: H (Stock Trading Action, 1.2.2), Y (Reg SHO Short Sale Price Test Restricted Indicator, 1.2.3), h (Operational Halt, 1.2.8).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Stock Trading Action (TotalView-ITCH 5.0, section 1.2.2), type `H`, 25 bytes.
public struct StockTradingAction: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "H") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 25 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Instrument. Offset 11, 8 bytes.
  public var stock: InstrumentCode
  /// `H` halted, `P` paused, `Q` quotation only, `T` trading. Offset 19, 1 byte.
  public var tradingState: ITCHCode
  /// Reserved. Offset 20, 1 byte.
  public var reserved: ITCHCode
  /// Reason code, four characters. Offset 21, 4 bytes.
  public var reason: ITCHCode4

  /// A message from its fields.
  public init(
    header: ITCHHeader, stock: InstrumentCode, tradingState: ITCHCode, reserved: ITCHCode, reason: ITCHCode4
  ) {
    self.header = header
    self.stock = stock
    self.tradingState = tradingState
    self.reserved = reserved
    self.reason = reason
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    stock = InstrumentCode(bytes.u64(11))
    tradingState = ITCHCode(bytes.u8(19))
    reserved = ITCHCode(bytes.u8(20))
    reason = ITCHCode4(bytes.u32(21))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(stock.rawValue)
    writer.u8(tradingState.rawValue)
    writer.u8(reserved.rawValue)
    writer.u32(reason.rawValue)
  }
}

/// Reg SHO Short Sale Price Test Restricted Indicator (TotalView-ITCH 5.0, section 1.2.3), type `Y`, 20 bytes.
public struct RegSHORestriction: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "Y") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 20 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Instrument. Offset 11, 8 bytes.
  public var stock: InstrumentCode
  /// `0` no price test, `1` in force, `2` remains in force. Offset 19, 1 byte.
  public var action: ITCHCode

  /// A message from its fields.
  public init(
    header: ITCHHeader, stock: InstrumentCode, action: ITCHCode
  ) {
    self.header = header
    self.stock = stock
    self.action = action
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    stock = InstrumentCode(bytes.u64(11))
    action = ITCHCode(bytes.u8(19))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(stock.rawValue)
    writer.u8(action.rawValue)
  }
}

/// Operational Halt (TotalView-ITCH 5.0, section 1.2.8), type `h`, 21 bytes.
public struct OperationalHalt: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "h") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 21 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Instrument. Offset 11, 8 bytes.
  public var stock: InstrumentCode
  /// `Q` Nasdaq, `B` BX, `X` PSX. Offset 19, 1 byte.
  public var marketCode: ITCHCode
  /// `H` halted, `T` resumed. Offset 20, 1 byte.
  public var action: ITCHCode

  /// A message from its fields.
  public init(
    header: ITCHHeader, stock: InstrumentCode, marketCode: ITCHCode, action: ITCHCode
  ) {
    self.header = header
    self.stock = stock
    self.marketCode = marketCode
    self.action = action
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    stock = InstrumentCode(bytes.u64(11))
    marketCode = ITCHCode(bytes.u8(19))
    action = ITCHCode(bytes.u8(20))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u64(stock.rawValue)
    writer.u8(marketCode.rawValue)
    writer.u8(action.rawValue)
  }
}
