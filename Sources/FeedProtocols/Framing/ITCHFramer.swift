// Framing of ITCH files (Nasdaq BinaryFILE): two-byte big-endian length, then the message; a length of zero at the
// end of the file ends it. Files exist whose lengths are all zero: there the length follows from the type byte, and
// the framer writes it into the window, so that everyone behind sees one framing.
// Pure and incremental: the caller owns the window and fills it; `position` says what has been used.
// Invariant: every byte of the file is part of a frame handed out, of a bad frame, or of an end mark.

/// Cuts a file's bytes into messages.
public struct ITCHFramer: Sendable {
  /// Longest length prefix that is believed when nothing speaks for it but itself.
  public static let plausibleLength = 512
  /// Bytes of window that always suffice to get on: a frame with the longest length and the start of the next.
  public static let sufficientBytes = 2 + 65_535 + 3

  /// What a step found.
  public enum Step: Sendable, Equatable {
    /// Whole, good messages, `range` within the window, each with its nonzero length before it.
    /// `startsDay`: the first is System Event `O`. Such an event is always the first of its run.
    case frames(range: Range<Int>, count: Int, startsDay: Bool)
    /// Something that is no message.
    case bad(BadFrame)
    /// The window ends within a frame: keep it from `position`, add bytes, come again.
    case needMore
    /// The file is used up.
    case end
  }

  /// Offset in the file of what comes next.
  public private(set) var offset: UInt64
  /// Messages so far whose length prefix was zero.
  public private(set) var zeroPrefixedCount: UInt64 = 0
  private var search: Search?

  /// A stretch that is being searched for the next message.
  private struct Search {
    var start: UInt64
    var type: UInt8?
    var reason: BadFrame.Reason
  }

  /// A framer at the file's beginning, or at `offset`.
  public init(offset: UInt64 = 0) { self.offset = offset }

  /// The next run of good messages, at most `maxFrames`, or what is in their way.
  /// - Parameters:
  ///   - window: bytes of the file.
  ///   - position: where in the window to read on; moved behind what was used.
  ///   - isLast: no byte of the file follows the window.
  public mutating func next(
    in window: inout MutableRawSpan, at position: inout Int, maxFrames: Int, isLast: Bool
  ) -> Step {
    while true {
      if search == nil {
        let start = position
        let (count, startsDay) = run(in: &window, at: &position, maxFrames: max(1, maxFrames))
        offset += UInt64(position - start)
        if count > 0 { return .frames(range: start..<position, count: count, startsDay: startsDay) }
      }
      if let step = obstacle(in: window.bytes, at: &position, isLast: isLast) { return step }
    }
  }

  /// The quick way: as many whole good frames as there are.
  private mutating func run(
    in window: inout MutableRawSpan, at position: inout Int, maxFrames: Int
  ) -> (count: Int, startsDay: Bool) {
    let entries = ITCHFrameTable.entries
    let end = window.byteCount
    var place = position
    var count = 0
    var startsDay = false
    while true {
      window.withUnsafeMutableBytes {
        Self.plain(UnsafeRawBufferPointer($0), at: &place, count: &count, maxFrames: maxFrames, entries)
      }
      guard count < maxFrames, end - place >= 3 else { break }
      // place + 2 < end: checked by the loop; MutableRawSpan checks again.
      let prefix = Int(window.unsafeLoadUnaligned(fromByteOffset: place, as: UInt16.self).bigEndian)
      let entry = entries[Int(window.unsafeLoad(fromByteOffset: place + 2, as: UInt8.self))]
      let length = Int(entry & 0xff)
      guard length != 0, prefix == length || prefix == 0, end - place - 2 >= length else { break }
      if entry > 0xff {
        if entry & ITCHFrameTable.sideMark != 0 {
          let side = window.unsafeLoad(
            fromByteOffset: place + 2 + ITCHFrameTable.sideOffset, as: UInt8.self)
          guard side == 0x42 || side == 0x53 else { break }
        } else if window.unsafeLoad(fromByteOffset: place + 13, as: UInt8.self) == UInt8(ascii: "O") {
          if count > 0 { break }
          startsDay = true
        }
      }
      if prefix == 0 {
        window.storeBytes(of: UInt16(length).bigEndian, toByteOffset: place, as: UInt16.self)
        zeroPrefixedCount += 1
      }
      place += 2 + length
      count += 1
    }
    position = place
    return (count, startsDay)
  }
}

extension ITCHFramer {
  /// Bytes that any message of the table fits into, with its length.
  private static var reach: Int { 64 }

  /// The quickest way: frames with nothing particular about them, far enough from the window's end.
  private static func plain(
    _ window: UnsafeRawBufferPointer, at place: inout Int, count: inout Int, maxFrames: Int,
    _ entries: [UInt16]
  ) {
    guard let base = window.baseAddress, entries.count == 256 else { return }
    entries.withUnsafeBufferPointer { entries in
      let end = window.count - reach
      var offset = place
      var number = count
      while number < maxFrames, offset <= end {
        let prefix = UInt(base.loadUnaligned(fromByteOffset: offset, as: UInt16.self).bigEndian)
        let entry = UInt(entries[Int(base.load(fromByteOffset: offset &+ 2, as: UInt8.self))])
        // In plain arithmetic: types and sides follow one another at random, and a branch that can't be foretold costs
        // more than all of this. 'B' and 'S' differ in two bits.
        let difference = UInt(
          base.load(fromByteOffset: offset &+ 2 &+ ITCHFrameTable.sideOffset, as: UInt8.self) ^ 0x42)
        let sideIsWrong = (difference & 0xee) | ((difference ^ difference &>> 4) & 1)
        let hasSide = (entry &>> 8) & 1
        let isSystem = entry &>> 9
        guard prefix != 0, (prefix ^ (entry & 0xff)) | isSystem | (sideIsWrong &* hasSide) == 0 else { break }
        offset &+= 2 &+ Int(bitPattern: prefix)
        number &+= 1
      }
      place = offset
      count = number
    }
  }
}

// MARK: - What isn't a good frame

extension ITCHFramer {
  /// Deals with what stopped the quick way; nil where that was an end mark between two files.
  private mutating func obstacle(in window: RawSpan, at position: inout Int, isLast: Bool) -> Step? {
    if search != nil { return searchOn(in: window, at: &position, isLast: isLast) }
    let left = window.byteCount - position
    guard left > 2 || isLast else { return .needMore }
    switch left {
    case 0: return .end
    case 1: return bad(.truncatedLength, type: nil, bytes: 1, at: &position)
    case 2:
      let prefix = Int(window.u16(position))
      if prefix == 0 {
        use(2, at: &position)
        return .end
      }
      return bad(.truncated(found: 0, wanted: prefix), type: nil, bytes: 2, at: &position)
    default: break
    }
    let prefix = Int(window.u16(position))
    let type = window.u8(position + 2)
    let wanted = ITCHMessageTable.byteCount(ofType: type) ?? 0
    if wanted > 0, prefix == wanted || prefix == 0 {
      // A known type with its length (or none): it isn't whole, or a field is wrong.
      guard left - 2 >= wanted else {
        guard isLast else { return .needMore }
        return bad(.truncated(found: left - 2, wanted: wanted), type: type, bytes: left, at: &position)
      }
      let message = window.extracting(position + 2..<position + 2 + wanted)
      let fault =
        ITCHMessageTable.fault(in: message) ?? ITCHError(type: type, offset: 0, reason: .unknownType)
      return bad(.message(fault), type: type, bytes: 2 + wanted, at: &position)
    }
    if prefix == 0 {
      // An end mark with another file behind it (files strung together), or nonsense.
      switch landing(at: position + 2, in: window, isLast: isLast) {
      case .unknown: return .needMore
      case .frame:
        use(2, at: &position)
        return nil
      case .length, .nothing: break
      }
      search = Search(start: offset, type: type, reason: .zeroLength)
      return searchOn(in: window, at: &position, isLast: isLast)
    }
    return wrongLength(prefix, type: type, wanted: wanted, in: window, at: &position, isLast: isLast)
  }

  /// A length that isn't the type's, or a type that doesn't exist: which of both, if any, leads to a next frame?
  private mutating func wrongLength(
    _ prefix: Int, type: UInt8, wanted: Int, in window: RawSpan, at position: inout Int, isLast: Bool
  ) -> Step {
    let left = window.byteCount - position - 2
    let fault =
      wanted == 0
      ? ITCHError(type: type, offset: 0, reason: .unknownType)
      : ITCHError(type: type, offset: min(prefix, wanted), reason: .length(found: prefix, wanted: wanted))
    let byPrefix = landing(at: position + 2 + prefix, in: window, isLast: isLast)
    if byPrefix == .unknown { return .needMore }
    if byPrefix == .frame { return bad(.message(fault), type: type, bytes: 2 + prefix, at: &position) }
    if wanted > 0 {
      let byType = landing(at: position + 2 + wanted, in: window, isLast: isLast)
      if byType == .unknown { return .needMore }
      if byType == .frame { return bad(.message(fault), type: type, bytes: 2 + wanted, at: &position) }
    }
    if byPrefix == .length, prefix <= Self.plausibleLength {
      return bad(.message(fault), type: type, bytes: 2 + prefix, at: &position)
    }
    let reason = prefix > left ? BadFrame.Reason.pastEnd(length: prefix, left: left) : .message(fault)
    search = Search(start: offset, type: type, reason: reason)
    return searchOn(in: window, at: &position, isLast: isLast)
  }

  /// Looks for two frames in a row (or one and the end of the file).
  private mutating func searchOn(in window: RawSpan, at position: inout Int, isLast: Bool) -> Step {
    guard let search else { return .needMore }
    var place = search.start == offset ? position + 1 : position
    while place < window.byteCount {
      let first = landing(at: place, in: window, isLast: isLast)
      if first == .frame, place + 3 <= window.byteCount {
        let length = ITCHMessageTable.byteCount(ofType: window.u8(place + 2)) ?? 0
        let second = landing(at: place + 2 + length, in: window, isLast: isLast)
        if second == .frame { break }
        if second == .unknown { return pause(at: place, position: &position) }
      } else if first == .unknown {
        return pause(at: place, position: &position)
      }
      place += 1
    }
    if place >= window.byteCount, !isLast { return pause(at: place, position: &position) }
    use(place - position, at: &position)
    self.search = nil
    return .bad(
      BadFrame(
        offset: search.start, byteCount: Int(offset - search.start), type: search.type,
        reason: search.reason, resynchronised: true))
  }

  private mutating func pause(at place: Int, position: inout Int) -> Step {
    use(place - position, at: &position)
    return .needMore
  }

  private mutating func use(_ count: Int, at position: inout Int) {
    position += count
    offset += UInt64(count)
  }

  private mutating func bad(
    _ reason: BadFrame.Reason, type: UInt8?, bytes: Int, at position: inout Int
  ) -> Step {
    let frame = BadFrame(offset: offset, byteCount: bytes, type: type, reason: reason)
    use(bytes, at: &position)
    return .bad(frame)
  }

  /// What stands at a place where a frame might begin.
  private enum Landing {
    /// A known type with its length (or with length zero), the file's end, or an end mark right before it.
    case frame
    /// A length that could be one.
    case length
    /// Neither.
    case nothing
    /// The window ends too early to tell.
    case unknown
  }

  private func landing(at place: Int, in window: RawSpan, isLast: Bool) -> Landing {
    let left = window.byteCount - place
    guard left >= 3 else {
      guard isLast else { return .unknown }
      if left == 0 { return .frame }
      return left == 2 && window.u16(place) == 0 ? .frame : .nothing
    }
    let prefix = Int(window.u16(place))
    let wanted = ITCHMessageTable.byteCount(ofType: window.u8(place + 2)) ?? 0
    if wanted > 0, prefix == wanted || prefix == 0 { return .frame }
    return (1...Self.plausibleLength).contains(prefix) ? .length : .nothing
  }
}
