// From bytes of another node to a frame. Nothing is believed: lengths, kinds, places in the table, values that Swift
// types would take for granted.

import MarketData
import TickerPlant

/// Why bytes are not a frame.
public struct FrameError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Sendable, Equatable {
    /// Fewer bytes than the part needs.
    case short
    /// More bytes than the largest frame, or behind the records.
    case long
    /// Not "KF".
    case magic
    /// A layout that this version doesn't know.
    case layoutVersion
    /// An unknown kind, flag or state.
    case unknownValue
    /// A day that no calendar has.
    case day
    /// `from` after `through`.
    case order
    /// A record's length isn't its kind's.
    case recordSize
    /// A record of a kind that doesn't travel.
    case recordKind
    /// A place that the table hasn't.
    case instrument
    /// A record's sequence number outside the frame's, or lower than the one before.
    case sequence
    /// A value that its field can't have.
    case payload
  }

  /// Byte of the frame.
  public var offset: Int
  /// What is wrong there.
  public var reason: Reason

  /// For people: place, found, remedy.
  public var description: String {
    let text =
      switch reason {
      case .short: "the frame ends too early"
      case .long: "the frame is longer than its header says or than \(StreamFrame.mostBytes) bytes"
      case .magic: "no frame: \"KF\" is wanted"
      case .layoutVersion:
        "another layout than version \(FrameHeader.layoutVersion): bring both nodes to the same release"
      case .unknownValue: "an unknown kind, flag or source state"
      case .day: "a day out of range"
      case .order: "\"from\" is after \"through\""
      case .recordSize: "a record's length is not its kind's"
      case .recordKind: "a record of a kind that doesn't travel"
      case .instrument: "a record names an instrument that the table lacks"
      case .sequence: "a record's number is outside the frame or goes back"
      case .payload: "a value that its field can't have"
      }
    return "frame, byte \(offset): \(text)"
  }
}

extension StreamFrame {
  /// Days around 1970 that dates may have.
  static let days: ClosedRange<Int64> = -1_000_000...10_000_000

  /// Reads the header and checks the lengths. The records are looked at by `validateRecords`: a copy that is not
  /// needed costs no more than this.
  /// - Throws: `FrameError`.
  @inlinable
  public init(decoding bytes: UnsafeRawBufferPointer) throws(FrameError) {
    self = try Self.decode(bytes)
  }

  @usableFromInline
  static func decode(_ bytes: UnsafeRawBufferPointer) throws(FrameError) -> StreamFrame {
    guard bytes.count >= FrameHeader.byteCount else { throw FrameError(offset: bytes.count, reason: .short) }
    guard bytes.count <= mostBytes else { throw FrameError(offset: mostBytes, reason: .long) }
    func word(_ offset: Int) -> UInt64 {
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    func half(_ offset: Int) -> UInt32 {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    guard bytes[0] == UInt8(ascii: "K"), bytes[1] == UInt8(ascii: "F") else {
      throw FrameError(offset: 0, reason: .magic)
    }
    guard bytes[2] == FrameHeader.layoutVersion else { throw FrameError(offset: 2, reason: .layoutVersion) }
    guard let kind = FrameKind(rawValue: bytes[3]) else { throw FrameError(offset: 3, reason: .unknownValue) }
    guard bytes[4] < 16 else { throw FrameError(offset: 4, reason: .unknownValue) }
    guard let state = SourceState(rawValue: bytes[5]) else {
      throw FrameError(offset: 5, reason: .unknownValue)
    }
    let codes = Int(half(12))
    let recordBytes = Int(half(28))
    let day = Int64(Int32(bitPattern: half(24)))
    guard days.contains(day) else { throw FrameError(offset: 24, reason: .day) }
    let wanted = FrameHeader.byteCount + codes * 8 + recordBytes
    guard bytes.count >= wanted else { throw FrameError(offset: bytes.count, reason: .short) }
    guard bytes.count == wanted else { throw FrameError(offset: wanted, reason: .long) }
    let header = FrameHeader(
      kind: kind, flags: FrameFlags(rawValue: bytes[4]), state: state, configuration: half(8),
      incarnation: word(16),
      epoch: EpochKey(
        day: day, first: bytes.loadUnaligned(fromByteOffset: 80, as: UInt64.self),
        second: bytes.loadUnaligned(fromByteOffset: 88, as: UInt64.self),
        third: bytes.loadUnaligned(fromByteOffset: 96, as: UInt64.self)),
      from: word(32), through: word(40), sentAt: word(48), gapFrom: word(56), gapThrough: word(64),
      part: half(72))
    guard header.from <= header.through || kind == .refusal else {
      throw FrameError(offset: 32, reason: .order)
    }
    // Numbers beyond this would overflow where one is added; no feed comes there.
    guard header.through < 1 << 62, header.from < 1 << 62 else {
      throw FrameError(offset: 40, reason: .order)
    }
    if kind == .beat, !BeatFacts.isPossible(byteCount: recordBytes) {
      throw FrameError(offset: 28, reason: .recordSize)
    }
    if kind == .refusal, recordBytes != 0 { throw FrameError(offset: 28, reason: .recordSize) }
    return StreamFrame(header: header, codeCount: codes, bytes: bytes)
  }

  /// Walks over the records: after it, `UpdateCursor` and every consumer can take them.
  /// - Throws: `FrameError`.
  public func validateRecords() throws(FrameError) {
    guard header.kind != .beat, header.kind != .refusal else { return }
    let start = FrameHeader.byteCount + codeCount * 8
    let end = bytes.count
    let isSnapshot = header.kind == .snapshot
    var last: UInt64 = 0
    if !isSnapshot, !header.flags.contains(.opens) { last = header.from + 1 }
    var offset = start
    while offset < end {
      guard end - offset >= MemoryLayout<UpdateHeader>.size else {
        throw FrameError(offset: offset, reason: .short)
      }
      let record = bytes.loadUnaligned(fromByteOffset: offset, as: UpdateHeader.self)
      let size = RecordSizes.size(kind: record.kind)
      guard size > 0 else { throw FrameError(offset: offset, reason: .recordKind) }
      guard Int(record.byteCount) == size else { throw FrameError(offset: offset + 2, reason: .recordSize) }
      guard end - offset >= size else { throw FrameError(offset: offset, reason: .short) }
      guard Int(record.instrument) < codeCount else {
        throw FrameError(offset: offset + 4, reason: .instrument)
      }
      guard record.sequence >= last, record.sequence <= header.through else {
        throw FrameError(offset: offset + 8, reason: .sequence)
      }
      last = record.sequence
      if RecordSizes.isFacts(kind: record.kind) {
        try validateFacts(at: offset + MemoryLayout<UpdateHeader>.size, place: Int(record.instrument))
      } else if record.kind == UpdateKind.level.rawValue, record.flags > 1 {
        throw FrameError(offset: offset + 1, reason: .payload)
      } else if record.kind == UpdateKind.stamps.rawValue {
        let place = offset + MemoryLayout<UpdateHeader>.size
        let stamps = bytes.loadUnaligned(fromByteOffset: place, as: StampsPayload.self)
        guard stamps.isPossible(at: header.through) else { throw FrameError(offset: place, reason: .payload) }
      }
      offset += size
    }
  }

  /// The bytes of `Bool`s, and days that a calendar computes with.
  private func validateFacts(at offset: Int, place: Int) throws(FrameError) {
    try validateTruth(at: offset + RecordSizes.shortRestricted)
    try validateTruth(at: offset + RecordSizes.suspect)
    try validateDay(at: offset + RecordSizes.referenceDate)
    try validateDay(at: offset + RecordSizes.previousDate)
    let code = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    guard code == self.code(place).rawValue else { throw FrameError(offset: offset, reason: .payload) }
  }
}

/// How long records are, and where their delicate fields stand.
enum RecordSizes {
  static func size<Payload: BitwiseCopyable>(_ type: Payload.Type) -> Int {
    MemoryLayout<UpdateHeader>.size + (MemoryLayout<Payload>.size + 7) & ~7
  }

  static let shortRestricted = MemoryLayout<FactsPayload>.offset(of: \.shortRestricted) ?? 0
  static let suspect = MemoryLayout<FactsPayload>.offset(of: \.suspect) ?? 0
  static let referenceDate = MemoryLayout<FactsPayload>.offset(of: \.referenceDate) ?? 0
  static let previousDate = MemoryLayout<FactsPayload>.offset(of: \.previousDate) ?? 0

  @inline(__always)
  static func isFacts(kind: UInt8) -> Bool {
    kind == UpdateKind.facts.rawValue || kind == UpdateKind.instrument.rawValue
  }

  /// Bytes of a record of that kind; 0 where the kind doesn't travel.
  @inline(__always)
  static func size(kind: UInt8) -> Int {
    switch kind {
    case UpdateKind.level.rawValue: size(LevelPayload.self)
    case UpdateKind.top.rawValue: size(TopPayload.self)
    case UpdateKind.trade.rawValue: size(TradeRecord.self)
    case UpdateKind.facts.rawValue, UpdateKind.instrument.rawValue: size(FactsPayload.self)
    case UpdateKind.bar.rawValue: size(BarPayload.self)
    case UpdateKind.daily.rawValue: size(StatisticsPayload.self)
    case UpdateKind.cleared.rawValue: MemoryLayout<UpdateHeader>.size
    case UpdateKind.stamps.rawValue: size(StampsPayload.self)
    default: 0
    }
  }
}

extension StreamFrame {
  private func validateTruth(at offset: Int) throws(FrameError) {
    guard bytes[offset] <= 1 else { throw FrameError(offset: offset, reason: .payload) }
  }

  private func validateDay(at offset: Int) throws(FrameError) {
    let day = bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self)
    guard day == .min || Self.days.contains(day) else { throw FrameError(offset: offset, reason: .payload) }
  }
}
