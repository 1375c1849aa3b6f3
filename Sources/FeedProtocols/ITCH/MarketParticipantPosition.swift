// Nasdaq TotalView-ITCH 5.0: L (Market Participant Position, 1.2.4).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

public import MarketData

/// Market Participant Position (TotalView-ITCH 5.0, section 1.2.4), type `L`, 26 bytes.
public struct MarketParticipantPosition: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "L") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 26 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// Market participant identifier. Offset 11, 4 bytes.
  public var participant: ITCHCode4
  /// Instrument. Offset 15, 8 bytes.
  public var stock: InstrumentCode
  /// `Y`: primary market maker. Offset 23, 1 byte.
  public var primaryMarketMaker: ITCHCode
  /// Market maker mode. Offset 24, 1 byte.
  public var mode: ITCHCode
  /// Market participant state. Offset 25, 1 byte.
  public var state: ITCHCode

  /// A message from its fields.
  public init(
    header: ITCHHeader, participant: ITCHCode4, stock: InstrumentCode, primaryMarketMaker: ITCHCode,
    mode: ITCHCode, state: ITCHCode
  ) {
    self.header = header
    self.participant = participant
    self.stock = stock
    self.primaryMarketMaker = primaryMarketMaker
    self.mode = mode
    self.state = state
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    participant = ITCHCode4(bytes.u32(11))
    stock = InstrumentCode(bytes.u64(15))
    primaryMarketMaker = ITCHCode(bytes.u8(23))
    mode = ITCHCode(bytes.u8(24))
    state = ITCHCode(bytes.u8(25))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u32(participant.rawValue)
    writer.u64(stock.rawValue)
    writer.u8(primaryMarketMaker.rawValue)
    writer.u8(mode.rawValue)
    writer.u8(state.rawValue)
  }
}
