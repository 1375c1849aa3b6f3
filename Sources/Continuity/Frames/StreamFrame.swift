// A frame: what crosses between nodes (docs/BACKBONE.md). Little-endian, readable by itself: a header of 104 bytes, the
// codes of the instruments that occur (8 bytes each), then records as `UpdateCursor` reads them, whose `instrument` is
// the place in that table. A beat has `BeatFacts` instead.
// Invariant: a frame that `StreamFrame(decoding:)` accepts is safe to walk and to hand on; what it says may still be
// untrue. Valid as long as the bytes that it was decoded from.

public import MarketData
public import TickerPlant

/// What a frame is.
public enum FrameKind: UInt8, Sendable, CaseIterable {
  /// Records of the messages in (from, through].
  case records = 1
  /// A part of the whole state at `through`.
  case snapshot = 2
  /// Records told again because somebody asked.
  case replay = 3
  /// The publisher lives; where it is.
  case beat = 4
  /// What was asked for can't be had; `through` is where what is kept begins.
  case refusal = 5
}

/// What holds of a frame besides.
public struct FrameFlags: OptionSet, Sendable, Hashable {
  /// The bits.
  public var rawValue: UInt8
  /// Flags from bits.
  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The last message goes on in the next part.
  public static let continues = FrameFlags(rawValue: 1)
  /// The answer's last part.
  public static let last = FrameFlags(rawValue: 2)
  /// The epoch begins: nothing of before counts, records of sequence 0 are its state before the first message.
  public static let opens = FrameFlags(rawValue: 4)
  /// About the one instrument of the table alone.
  public static let single = FrameFlags(rawValue: 8)
}

/// What a frame says before its records.
public struct FrameHeader: Sendable, Equatable {
  /// Bytes.
  public static let byteCount = 104
  /// Version of this layout.
  public static let layoutVersion: UInt8 = 2

  /// What it is.
  public var kind: FrameKind
  /// What holds besides.
  public var flags: FrameFlags
  /// How the publisher's source is.
  public var state: SourceState
  /// Hash of the configuration that the publisher runs.
  public var configuration: UInt32
  /// One life of the publisher's process.
  public var incarnation: UInt64
  /// The epoch.
  public var epoch: EpochKey
  /// The last message that the frame before covered; for a refusal what was asked.
  public var from: UInt64
  /// The last message that is covered.
  public var through: UInt64
  /// When it was sent by the publisher's wall clock, nanoseconds since 1970: for people, nothing is decided by it.
  public var sentAt: UInt64
  /// First and last number of the newest declared gap; 0 = none.
  public var gapFrom: UInt64
  /// Last number of the newest declared gap; 0 = none.
  public var gapThrough: UInt64
  /// Which part of a message or an answer, from 0.
  public var part: UInt32

  /// A header.
  public init(
    kind: FrameKind, flags: FrameFlags = [], state: SourceState = .live, configuration: UInt32,
    incarnation: UInt64, epoch: EpochKey, from: UInt64, through: UInt64, sentAt: UInt64 = 0,
    gapFrom: UInt64 = 0, gapThrough: UInt64 = 0, part: UInt32 = 0
  ) {
    self.kind = kind
    self.flags = flags
    self.state = state
    self.configuration = configuration
    self.incarnation = incarnation
    self.epoch = epoch
    self.from = from
    self.through = through
    self.sentAt = sentAt
    self.gapFrom = gapFrom
    self.gapThrough = gapThrough
    self.part = part
  }

  /// Whether its source lacks messages: a gap that was declared is one after the session's end, too.
  public var hasGap: Bool { state == .gap || gapThrough > 0 }

  /// Writes the header before `codes` codes and `recordBytes` bytes; `place` has room for 104 bytes.
  func store(to place: UnsafeMutableRawPointer, codes: Int, recordBytes: Int) {
    func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, _ offset: Int) {
      place.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }
    put(UInt8(ascii: "K"), 0)
    put(UInt8(ascii: "F"), 1)
    put(Self.layoutVersion, 2)
    put(kind.rawValue, 3)
    put(flags.rawValue, 4)
    put(state.rawValue, 5)
    put(UInt16(0), 6)
    put(configuration, 8)
    put(UInt32(truncatingIfNeeded: codes), 12)
    put(incarnation, 16)
    put(Int32(truncatingIfNeeded: epoch.day), 24)
    put(UInt32(truncatingIfNeeded: recordBytes), 28)
    put(from, 32)
    put(through, 40)
    put(sentAt, 48)
    put(gapFrom, 56)
    put(gapThrough, 64)
    put(part, 72)
    put(UInt32(0), 76)
    // Bytes of text, in memory order whatever the machine.
    place.storeBytes(of: epoch.first, toByteOffset: 80, as: UInt64.self)
    place.storeBytes(of: epoch.second, toByteOffset: 88, as: UInt64.self)
    place.storeBytes(of: epoch.third, toByteOffset: 96, as: UInt64.self)
  }
}

/// What a beat says besides its header.
public struct BeatFacts: Sendable, Equatable {
  /// Most windows that a beat tells of.
  public static let mostWindows = RecordDigest.defaultKept
  /// Bytes before the windows, and of each.
  static let (headBytes, windowBytes) = (16, 16)

  /// The publisher's `ServiceState`.
  public var service: UInt64
  /// How late the publisher is, nanoseconds.
  public var lag: UInt64
  /// Windows of the digest that are over, oldest first: all since the beat before the last one, and at least the newest;
  /// none where there is none, or the plant has a gap.
  public var windows: [DigestWindow]

  /// What a beat says.
  public init(service: UInt64 = 0, lag: UInt64 = 0, windows: [DigestWindow] = []) {
    self.service = service
    self.lag = lag
    self.windows = windows
  }

  /// Whether so many bytes can be a beat's.
  static func isPossible(byteCount: Int) -> Bool {
    byteCount >= headBytes && byteCount <= headBytes + mostWindows * windowBytes
      && (byteCount - headBytes) % windowBytes == 0
  }
}

/// See the head of this file.
public struct StreamFrame {
  /// Bytes of the largest frame that is accepted; publishers stay below half of it.
  public static let mostBytes = 1 << 20

  /// What it says before its records.
  public let header: FrameHeader
  /// Instruments that occur.
  public let codeCount: Int
  /// The whole frame.
  public let bytes: UnsafeRawBufferPointer

  init(header: FrameHeader, codeCount: Int, bytes: UnsafeRawBufferPointer) {
    self.header = header
    self.codeCount = codeCount
    self.bytes = bytes
  }

  /// An instrument of the table; `place` is below `codeCount`.
  @inlinable
  public func code(_ place: Int) -> InstrumentCode {
    InstrumentCode(
      UInt64(
        littleEndian: bytes.loadUnaligned(
          fromByteOffset: FrameHeader.byteCount + place * 8, as: UInt64.self)))
  }

  /// The records; of a beat its facts.
  public var records: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[(FrameHeader.byteCount + codeCount * 8)...])
  }

  /// What a beat says; nil for every other kind.
  public var beat: BeatFacts? {
    guard header.kind == .beat, BeatFacts.isPossible(byteCount: records.count) else { return nil }
    let words = records
    func word(_ place: Int) -> UInt64 {
      UInt64(littleEndian: words.loadUnaligned(fromByteOffset: place * 8, as: UInt64.self))
    }
    let count = (words.count - BeatFacts.headBytes) / BeatFacts.windowBytes
    return BeatFacts(
      service: word(0), lag: word(1),
      windows: (0..<count).map { DigestWindow(start: word(2 + $0 * 2), sum: word(3 + $0 * 2)) })
  }
}
