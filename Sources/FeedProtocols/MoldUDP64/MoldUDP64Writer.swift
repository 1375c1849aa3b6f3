// Writing MoldUDP64 1.00: downstream packets, heartbeats, the end of a session, and requests.

/// Fills one downstream packet after the other.
public struct MoldUDP64PacketWriter: Sendable {
  /// The session all packets belong to.
  public let session: MoldSession
  /// Most bytes of a packet, so that it fits a datagram that isn't fragmented.
  public let maximumBytes: Int
  /// Sequence number of the next message.
  public private(set) var nextSequence: UInt64
  private var count: UInt16 = 0
  private var writer: ByteWriter

  /// A writer whose first message has `firstSequence`. `maximumBytes` is held between 32 and 65,507.
  public init(session: MoldSession, firstSequence: UInt64 = 1, maximumBytes: Int = 1_400) {
    self.session = session
    self.maximumBytes = min(max(maximumBytes, 32), 65_507)
    nextSequence = firstSequence
    writer = ByteWriter(capacity: self.maximumBytes)
    writer.append(contentsOf: repeatElement(0, count: MoldUDP64Header.byteCount))
  }

  /// True while the packet has no message.
  public var isEmpty: Bool { count == 0 }

  /// Adds a message; false, and nothing happens, where it doesn't fit: take the packet with `finish` and repeat.
  public mutating func append(_ message: some Collection<UInt8>) -> Bool {
    guard message.count <= maximumBytes - writer.bytes.count - 2,
      count < MoldUDP64Header.endOfSessionCount - 1
    else { return false }
    writer.u16(UInt16(message.count))
    writer.append(contentsOf: message)
    count += 1
    nextSequence &+= 1
    return true
  }

  /// The packet so far (a heartbeat where it is empty); the next one begins.
  public mutating func finish() -> [UInt8] {
    let first = nextSequence &- UInt64(count)
    var packet = ByteWriter(capacity: writer.bytes.count)
    MoldUDP64Header(session: session, sequence: first, count: count).encode(into: &packet)
    packet.append(contentsOf: writer.bytes[MoldUDP64Header.byteCount...])
    writer.bytes.removeSubrange(MoldUDP64Header.byteCount...)
    count = 0
    return packet.bytes
  }

  /// The packet that ends the session.
  public func endOfSession() -> [UInt8] {
    var packet = ByteWriter(capacity: MoldUDP64Header.byteCount)
    let header = MoldUDP64Header(
      session: session, sequence: nextSequence &- UInt64(count), count: MoldUDP64Header.endOfSessionCount)
    header.encode(into: &packet)
    return packet.bytes
  }
}

/// A request for packets that were lost, to the request server.
public struct MoldUDP64Request: Sendable, Hashable {
  /// Bytes of a request.
  public static let byteCount = 20
  /// The session. Offset 0, 10 bytes.
  public var session: MoldSession
  /// First sequence number wanted. Offset 10, 8 bytes.
  public var sequence: UInt64
  /// Messages wanted. Offset 18, 2 bytes.
  public var count: UInt16

  /// A request from its fields.
  public init(session: MoldSession, sequence: UInt64, count: UInt16) {
    self.session = session
    self.sequence = sequence
    self.count = count
  }

  /// Reads a request.
  /// - Throws: `MoldUDP64Error` where there aren't exactly twenty bytes.
  public init(decoding bytes: RawSpan) throws(MoldUDP64Error) {
    let fields = try MoldUDP64Header(decoding: bytes)
    guard bytes.byteCount == Self.byteCount else {
      throw MoldUDP64Error(offset: Self.byteCount, reason: .trailing(bytes.byteCount - Self.byteCount))
    }
    self.init(session: fields.session, sequence: fields.sequence, count: fields.count)
  }

  /// Appends the twenty bytes.
  public func encode(into writer: inout ByteWriter) {
    MoldUDP64Header(session: session, sequence: sequence, count: count).encode(into: &writer)
  }
}
