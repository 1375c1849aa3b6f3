// Walking the message blocks of a MoldUDP64 downstream packet in place: a cursor hands out byte ranges, nothing
// is copied. `MoldUDP64Header.validated` looks at a whole packet first, so that a packet is taken or refused whole.

/// A place among the blocks of one packet.
public struct MoldUDP64BlockCursor: Sendable {
  /// Offset of the next block's length.
  public private(set) var offset: Int
  /// Blocks still to come.
  public private(set) var remaining: Int
  /// Blocks in the packet.
  public let total: Int

  /// Stands before the first block of a packet with that header.
  public init(after header: MoldUDP64Header) {
    offset = MoldUDP64Header.byteCount
    remaining = header.blockCount
    total = header.blockCount
  }

  /// The next message's bytes within `packet`, or nil after the last block.
  /// - Throws: `MoldUDP64Error` where the packet ends before the block does.
  public mutating func next(in packet: RawSpan) throws(MoldUDP64Error) -> Range<Int>? {
    guard remaining > 0 else { return nil }
    let number = total - remaining + 1
    guard packet.byteCount - offset >= 2 else {
      throw MoldUDP64Error(offset: offset, reason: .blockLength(block: number, of: total))
    }
    let length = Int(packet.u16(offset))
    let start = offset + 2
    guard packet.byteCount - start >= length else {
      throw MoldUDP64Error(
        offset: start,
        reason: .block(block: number, of: total, found: packet.byteCount - start, wanted: length))
    }
    offset = start + length
    remaining -= 1
    return start..<offset
  }
}

extension MoldUDP64Header {
  /// Reads a header and makes sure that all blocks lie within the packet and nothing follows them.
  /// - Throws: `MoldUDP64Error` with the first fault.
  public static func validated(_ packet: RawSpan) throws(MoldUDP64Error) -> MoldUDP64Header {
    let header = try MoldUDP64Header(decoding: packet)
    guard !header.sequence.addingReportingOverflow(UInt64(header.blockCount)).overflow else {
      throw MoldUDP64Error(offset: 10, reason: .sequence(header.sequence))
    }
    var cursor = MoldUDP64BlockCursor(after: header)
    while try cursor.next(in: packet) != nil {}
    guard cursor.offset == packet.byteCount else {
      throw MoldUDP64Error(offset: cursor.offset, reason: .trailing(packet.byteCount - cursor.offset))
    }
    return header
  }
}
