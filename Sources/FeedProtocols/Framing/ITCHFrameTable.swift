// What framing must know of each TotalView-ITCH 5.0 type byte, in one load: its length, and which byte to look at.
// A message that passes `check` decodes without error (ITCHMessage), so nobody behind framing needs to ask again.

/// Lengths and marks by type byte.
@usableFromInline
enum ITCHFrameTable {
  /// The message has a side at offset 19.
  @usableFromInline static let sideMark: UInt16 = 0x100
  /// The message is a System Event.
  @usableFromInline static let systemMark: UInt16 = 0x200
  /// Offset of the side within messages that have one.
  @usableFromInline static let sideOffset = 19

  /// Length in the low byte (0 = no such type), marks above; by type byte.
  @usableFromInline static let entries: [UInt16] = {
    var entries = ITCHMessageTable.byteCounts.map { UInt16($0) }
    for type in [AddOrder.type, AddOrderAttributed.type, NonCrossTrade.type] {
      entries[Int(type)] |= sideMark
    }
    entries[Int(SystemEvent.type)] |= systemMark
    return entries
  }()
}

extension ITCHMessageTable {
  /// Says why `message` (without length prefix) would not decode, or nil where it does. Cheaper than decoding.
  @inlinable
  public static func fault(in message: RawSpan) -> ITCHError? {
    guard message.byteCount > 0 else { return ITCHError(type: 0, offset: 0, reason: .empty) }
    let type = message.u8(0)
    let entry = ITCHFrameTable.entries[Int(type)]
    let wanted = Int(entry & 0xff)
    guard wanted > 0 else { return ITCHError(type: type, offset: 0, reason: .unknownType) }
    guard message.byteCount == wanted else {
      return ITCHError(
        type: type, offset: min(message.byteCount, wanted),
        reason: .length(found: message.byteCount, wanted: wanted))
    }
    if entry & ITCHFrameTable.sideMark != 0 {
      let side = message.u8(ITCHFrameTable.sideOffset)
      guard side == 0x42 || side == 0x53 else {
        return ITCHError(type: type, offset: ITCHFrameTable.sideOffset, reason: .side(found: side))
      }
    }
    return nil
  }
}
