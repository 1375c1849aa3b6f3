// Packets of a capture file, pcap and pcapng, in both byte orders. Pure and incremental: the caller owns a window
// of the file's bytes and fills it; `position` says what has been used. A record has a bounded size, so the window
// has too. A fault that leaves the next record unfindable ends the file.

/// How a packet begins (LINKTYPE_ values of the formats).
public struct LinkType: RawRepresentable, Sendable, Hashable {
  /// The number in the file.
  public var rawValue: UInt32
  /// A link type from its number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// BSD loopback: address family in the writer's byte order.
  public static let null = LinkType(rawValue: 0)
  /// Ethernet.
  public static let ethernet = LinkType(rawValue: 1)
  /// IPv4 or IPv6 without anything before it.
  public static let raw = LinkType(rawValue: 101)
  /// OpenBSD loopback: address family in network byte order.
  public static let loop = LinkType(rawValue: 108)
  /// Linux cooked, version 1.
  public static let linuxCooked = LinkType(rawValue: 113)
  /// IPv4.
  public static let ipv4 = LinkType(rawValue: 228)
  /// IPv6.
  public static let ipv6 = LinkType(rawValue: 229)
  /// Linux cooked, version 2.
  public static let linuxCooked2 = LinkType(rawValue: 276)
}

/// A packet as captured.
public struct CapturedPacket: Sendable, Hashable {
  /// Where its bytes are within the window.
  public var range: Range<Int>
  /// How it begins.
  public var link: LinkType
  /// When it was captured, nanoseconds since 1970; 0 where the file doesn't say.
  public var timestampNanoseconds: UInt64
  /// Offset in the file of the record's first byte.
  public var recordOffset: UInt64
  /// Offset in the file of the packet's first byte.
  public var fileOffset: UInt64
  /// Bytes the packet had on the wire.
  public var originalByteCount: Int
}

/// Cuts a capture file into packets.
public struct CaptureReader: Sendable {
  /// The two formats.
  public enum Format: String, Sendable {
    /// The classic format of tcpdump.
    case pcap
    /// The format of blocks.
    case pcapng
  }

  /// What a step found.
  public enum Step: Sendable, Hashable {
    /// A packet; its bytes may still be cut short.
    case packet(CapturedPacket)
    /// Something is wrong; reading goes on if it can, else the next step is `end`.
    case fault(CaptureFault)
    /// The window ends within a record: keep it from `position`, add bytes, come again.
    case needMore
    /// The file is used up, or nothing more can be found in it.
    case end
  }

  /// Longest record or block that carries a packet, and so the window that always suffices.
  public static let maximumRecordBytes = 512 * 1024

  enum State {
    case start
    case pcap(PcapLayout)
    case pcapng(PcapNGSection)
    /// Bytes of a block nobody needs, then on with the section.
    case skipping(UInt64, PcapNGSection)
    case ended
  }

  /// Offset in the file of what comes next.
  public internal(set) var offset: UInt64 = 0
  var state: State = .start

  /// A reader at the file's beginning.
  public init() {}

  /// The format that begins with those bytes, or nil.
  public static func format(of bytes: RawSpan) -> Format? {
    guard bytes.byteCount >= 4 else { return nil }
    switch bytes.u32(0) {
    case 0xa1b2_c3d4, 0xd4c3_b2a1, 0xa1b2_3c4d, 0x4d3c_b2a1: return .pcap
    case 0x0a0d_0d0a: return .pcapng
    default: return nil
    }
  }

  /// The next packet, or what is in its way.
  /// - Parameters:
  ///   - window: bytes of the file.
  ///   - position: where in the window to read on; moved behind what was used.
  ///   - isLast: no byte of the file follows the window.
  public mutating func next(in window: RawSpan, at position: inout Int, isLast: Bool) -> Step {
    while true {
      let step: Step?
      switch state {
      case .start: step = begin(in: window, at: &position, isLast: isLast)
      case .pcap(let layout): step = record(layout, in: window, at: &position, isLast: isLast)
      case .pcapng(var section):
        step = block(&section, in: window, at: &position, isLast: isLast)
      case .skipping(let bytes, let section):
        let used = min(bytes, UInt64(window.byteCount - position))
        use(Int(used), at: &position)
        if used == bytes {
          state = .pcapng(section)
          step = nil
        } else if isLast {
          step = end(
            .truncated(what: "block", found: 0, wanted: Int(clamping: bytes - used)), at: offset)
        } else {
          state = .skipping(bytes - used, section)
          step = .needMore
        }
      case .ended: step = .end
      }
      if let step { return step }
    }
  }

  private mutating func begin(in window: RawSpan, at position: inout Int, isLast: Bool) -> Step? {
    let left = window.byteCount - position
    guard left >= 4 else {
      if !isLast { return .needMore }
      return end(.truncated(what: "file header", found: left, wanted: 24), at: offset)
    }
    let magic = window.u32(position)
    switch Self.format(of: window.extracting(position..<position + 4)) {
    case .pcap: return fileHeader(in: window, at: &position, isLast: isLast)
    case .pcapng:
      state = .pcapng(PcapNGSection())
      return nil
    case nil: return end(.notACapture(magic: magic), at: offset)
    }
  }

  // MARK: - Shared by both formats

  mutating func use(_ count: Int, at position: inout Int) {
    position += count
    offset += UInt64(count)
  }

  /// A fault after which nothing can be found.
  mutating func end(_ reason: CaptureFault.Reason, at offset: UInt64) -> Step {
    state = .ended
    return .fault(CaptureFault(offset: offset, reason: reason))
  }
}

extension RawSpan {
  func u16(_ offset: Int, little: Bool) -> UInt16 { little ? u16(offset).byteSwapped : u16(offset) }
  func u32(_ offset: Int, little: Bool) -> UInt32 { little ? u32(offset).byteSwapped : u32(offset) }
  func u64(_ offset: Int, little: Bool) -> UInt64 { little ? u64(offset).byteSwapped : u64(offset) }
}
