// Cutting a TCP stream into SoupBinTCP logical packets, in place and without allocation: the caller owns the window
// and fills it; `position` says what has been used. Sequenced packets in a row become one run of framed messages
// (two-byte length, then the message), moved together within the window, which is what a plant takes.
// Invariant: every byte of the stream is part of exactly one packet handed out, in order, however it was cut by TCP.

/// Cuts a stream's bytes into packets.
public struct SoupBinTCPCutter: Sendable {
  /// What a step found.
  public enum Step: Sendable, Hashable {
    /// Sequenced messages in a row, framed, `range` within the window. A message may be empty.
    case run(range: Range<Int>, count: Int)
    /// Another packet: its type and its payload's place in the window.
    case packet(type: UInt8, payload: Range<Int>)
    /// The window ends within a packet: keep it from `position`, add bytes, come again.
    case needMore
  }

  /// Offset in the stream of what comes next.
  public private(set) var offset: UInt64 = 0
  /// Longest length field that is taken.
  public let maximumLength: Int

  /// A cutter at the stream's beginning. A window that can hold `2 + maximumLength` bytes always gets on.
  public init(maximumLength: Int = 65_535) { self.maximumLength = min(max(maximumLength, 1), 65_535) }

  /// The next packet or run of sequenced messages.
  /// - Parameters:
  ///   - window: bytes of the stream. A run's bytes are rewritten.
  ///   - position: where in the window to read on; moved behind what was used.
  ///   - maximumRun: most messages of a run; 0 hands sequenced packets out like all others.
  /// - Throws: `SoupBinTCPError` with the offset in the stream. What stands before it has been handed out.
  public mutating func next(
    in window: inout MutableRawSpan, at position: inout Int, maximumRun: Int = .max
  ) throws(SoupBinTCPError) -> Step {
    let start = position
    var count = 0
    var end = start
    while count < maximumRun {
      let place = position
      let length = sequencedLength(window.bytes, at: place)
      guard length > 0 else { break }
      // The message moves back over the type bytes of the packets before it.
      window.storeBytes(of: UInt16(length - 1).bigEndian, toByteOffset: end, as: UInt16.self)
      if length > 1 { Self.move(&window, from: place + 3, to: end + 2, count: length - 1) }
      end += 1 + length
      position = place + 2 + length
      count += 1
    }
    offset &+= UInt64(position - start)
    if count > 0 { return .run(range: start..<end, count: count) }
    return try single(window.bytes, at: &position)
  }

  /// The length field of a whole sequenced packet; 0 where there is none at `place`.
  @inline(__always)
  private func sequencedLength(_ window: RawSpan, at place: Int) -> Int {
    guard window.byteCount - place >= 3, window.u8(place + 2) == SoupBinTCPType.sequenced else { return 0 }
    let length = Int(window.u16(place))
    return length <= maximumLength && window.byteCount - place - 2 >= length ? length : 0
  }

  private mutating func single(_ window: RawSpan, at position: inout Int) throws(SoupBinTCPError) -> Step {
    let left = window.byteCount - position
    guard left >= 2 else { return .needMore }
    let length = Int(window.u16(position))
    guard length > 0 else { throw SoupBinTCPError(offset: offset, reason: .emptyPacket) }
    guard length <= maximumLength else {
      throw SoupBinTCPError(
        offset: offset,
        reason: .tooLong(type: left > 2 ? window.u8(position + 2) : 0, found: length, wanted: maximumLength))
    }
    guard left >= 2 + length else { return .needMore }
    let payload = position + 3..<position + 2 + length
    let type = window.u8(position + 2)
    position = payload.upperBound
    offset &+= UInt64(2 + length)
    return .packet(type: type, payload: payload)
  }

  @inline(__always)
  private static func move(_ window: inout MutableRawSpan, from: Int, to: Int, count: Int) {
    window.withUnsafeMutableBytes { bytes in
      // Both ranges lie within the window: `next` has seen that the packet is whole, and `to` < `from`.
      guard let base = bytes.baseAddress else { return }
      (base + to).copyMemory(from: base + from, byteCount: count)
    }
  }
}
