// MoldUDP64 1.00, downstream packet: session (10 bytes), sequence number (8), message count (2), then blocks of
// a two-byte length and a message. Count 0 is a heartbeat, 0xFFFF the end of the session.
// Pure: a datagram's payload in, values out. Malformed bytes give a MoldUDP64Error; nothing here traps on them.

/// A session's name: ten bytes, kept as they are.
public struct MoldSession: Sendable, Hashable {
  /// Bytes 0 to 7, first byte highest.
  public var head: UInt64
  /// Bytes 8 and 9.
  public var tail: UInt16

  /// A session from its ten bytes.
  @inlinable
  public init(head: UInt64, tail: UInt16) {
    self.head = head
    self.tail = tail
  }

  /// The first ten bytes of `text`, right padded with spaces.
  public init(_ text: String) {
    var bytes = text.utf8.makeIterator()
    head = 0
    tail = 0
    for _ in 0..<8 { head = head << 8 | UInt64(bytes.next() ?? 0x20) }
    for _ in 0..<2 { tail = tail << 8 | UInt16(bytes.next() ?? 0x20) }
  }

  /// Ten zero bytes, found in captures whose session was blanked out.
  public static let zero = MoldSession(head: 0, tail: 0)
}

extension MoldSession: CustomStringConvertible {
  /// The characters without padding; what isn't printable ASCII shows as `?`, zero bytes not at all.
  public var description: String {
    var bytes: [UInt8] = []
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: head >> shift))
    }
    bytes.append(UInt8(truncatingIfNeeded: tail >> 8))
    bytes.append(UInt8(truncatingIfNeeded: tail))
    let shown = bytes.filter { $0 != 0 }.map { (0x20...0x7e).contains($0) ? $0 : 0x3f }
    guard let first = shown.firstIndex(where: { $0 != 0x20 }),
      let last = shown.lastIndex(where: { $0 != 0x20 })
    else { return "" }
    return String(decoding: shown[first...last], as: UTF8.self)
  }
}

/// The twenty bytes every downstream packet begins with.
public struct MoldUDP64Header: Sendable, Hashable {
  /// Bytes of the header.
  public static let byteCount = 20
  /// The count that ends a session.
  public static let endOfSessionCount: UInt16 = 0xFFFF

  /// The session. Offset 0, 10 bytes.
  public var session: MoldSession
  /// Sequence number of the first message; of heartbeats and ends: the next one to come. Offset 10, 8 bytes.
  public var sequence: UInt64
  /// The count as on the wire. Offset 18, 2 bytes.
  public var count: UInt16

  /// A header from its fields.
  @inlinable
  public init(session: MoldSession, sequence: UInt64, count: UInt16) {
    self.session = session
    self.sequence = sequence
    self.count = count
  }

  /// Reads a header.
  /// - Throws: `MoldUDP64Error` where there are fewer than twenty bytes.
  @inlinable
  public init(decoding bytes: RawSpan) throws(MoldUDP64Error) {
    guard bytes.byteCount >= Self.byteCount else {
      throw MoldUDP64Error(
        offset: bytes.byteCount, reason: .header(found: bytes.byteCount, wanted: Self.byteCount))
    }
    session = MoldSession(head: bytes.u64(0), tail: bytes.u16(8))
    sequence = bytes.u64(10)
    count = bytes.u16(18)
  }

  /// Appends the twenty bytes.
  public func encode(into writer: inout ByteWriter) {
    writer.u64(session.head)
    writer.u16(session.tail)
    writer.u64(sequence)
    writer.u16(count)
  }

  /// True where the packet carries nothing and says which sequence comes next.
  @inlinable
  public var isHeartbeat: Bool { count == 0 }
  /// True where the session is over.
  @inlinable
  public var isEndOfSession: Bool { count == Self.endOfSessionCount }
  /// Message blocks that follow the header.
  @inlinable
  public var blockCount: Int { isEndOfSession ? 0 : Int(count) }
}

/// Why bytes are not a MoldUDP64 packet.
public struct MoldUDP64Error: Error, Sendable, Hashable {
  /// What is wrong.
  public enum Reason: Sendable, Hashable {
    /// Too few bytes for a header.
    case header(found: Int, wanted: Int)
    /// The packet ends before the two-byte length of a block.
    case blockLength(block: Int, of: Int)
    /// The packet ends within a block.
    case block(block: Int, of: Int, found: Int, wanted: Int)
    /// Bytes after the last block.
    case trailing(Int)
    /// First sequence plus count leaves 64 bits.
    case sequence(UInt64)
  }

  /// Offset of the fault within the packet, in bytes.
  public var offset: Int
  /// What is wrong.
  public var reason: Reason

  /// An error from its parts.
  public init(offset: Int, reason: Reason) {
    self.offset = offset
    self.reason = reason
  }
}

extension MoldUDP64Error: CustomStringConvertible {
  /// What was found and what is wanted.
  public var description: String {
    switch reason {
    case .header(let found, let wanted):
      "MoldUDP64 header: \(found) bytes found, \(wanted) wanted"
    case .blockLength(let block, let total):
      "MoldUDP64 block \(block) of \(total): packet ends before its length (offset \(offset))"
    case .block(let block, let total, let found, let wanted):
      "MoldUDP64 block \(block) of \(total): \(found) bytes found, \(wanted) wanted (offset \(offset))"
    case .trailing(let count):
      "MoldUDP64 packet: \(count) bytes after the last block (offset \(offset))"
    case .sequence(let first):
      "MoldUDP64 packet: sequence \(first) plus its count exceeds 64 bits (offset \(offset))"
    }
  }
}
