// Nasdaq TotalView-ITCH 5.0: S (System Event, 1.1).
// Integers are big-endian, prices have four decimals unless said otherwise, times are ns since midnight.

/// System Event (TotalView-ITCH 5.0, section 1.1), type `S`, 12 bytes.
public struct SystemEvent: ITCHPayload {
  /// The type byte.
  @inlinable public static var type: UInt8 { UInt8(ascii: "S") }
  /// Bytes of the message, type byte included.
  @inlinable public static var byteCount: Int { 12 }

  /// Locate code, tracking number and time. Offset 0, 11 bytes with the type.
  public var header: ITCHHeader
  /// What happened: `O` start of messages, `S` start of system hours, `Q` start of market hours, `M` end of market hours, `E` end of system hours, `C` end of messages. Offset 11, 1 byte.
  public var event: ITCHCode

  /// A message from its fields.
  public init(
    header: ITCHHeader, event: ITCHCode
  ) {
    self.header = header
    self.event = event
  }

  /// Reads the fields in place. `bytes` must have `byteCount` bytes: `ITCHMessage` and the plant check that once.
  @inlinable
  public init(reading bytes: RawSpan) {
    header = ITCHHeader(reading: bytes)
    event = ITCHCode(bytes.u8(11))
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) {
    header.encode(type: Self.type, into: &writer)
    writer.u8(event.rawValue)
  }
}
