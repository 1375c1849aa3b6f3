// Frames told again to who missed them.

public import MarketData
import TickerPlant

extension StreamPublisher {
  /// Tells again what covers (from, through], as parts of kind `.replay`, the last one marked `.last`; or one
  /// `.refusal` where that is no longer kept or of another epoch. What is asked beyond `mostBytes` is left out: the one
  /// who asked sees where the last part ends, and asks again.
  /// - Parameters:
  ///   - from: the position that the other side holds.
  ///   - through: the last message that it misses.
  ///   - epoch: of both.
  ///   - code: the one instrument that is asked for; nil = the market.
  ///   - wall: nanoseconds since 1970.
  ///   - emit: gets each part; its bytes are valid during the call.
  /// - Returns: whether it was told.
  @discardableResult
  public mutating func replay(
    from: UInt64, through: UInt64, epoch asked: EpochKey, code: InstrumentCode? = nil,
    mostBytes: Int = 8 << 20,
    wall: UInt64, emit: (UnsafeRawBufferPointer) -> Void
  ) -> Bool {
    guard ordinal != nil, asked == epoch, let first = history.place(after: from) else {
      counters.refused &+= 1
      refuse(from: from, code: code, wall: wall, emit: emit)
      return false
    }
    counters.replays &+= 1
    var end = first
    var bytes = 0
    // Whole messages: parts of one aren't divided between answers.
    while end < history.count {
      let entry = history[end]
      if entry.isFirst, end > first, entry.from >= through || bytes >= mostBytes { break }
      bytes += entry.count
      end += 1
    }
    var part = FrameBuilder()
    var buffer = ByteStore(capacity: 64 << 10)
    for place in first..<end {
      let entry = history[place]
      let flag: FrameFlags = place == end - 1 ? [.last] : []
      guard let frame = try? StreamFrame(decoding: history.bytes(entry)) else { continue }
      var header = frame.header
      header.kind = .replay
      header.sentAt = wall
      header.flags.formUnion(flag)
      if let code {
        header.flags.insert(.single)
        extract(code, of: frame, into: &part)
        part.mention(code: code.rawValue)
        part.finish(header, into: &buffer)
      } else {
        buffer.removeAll()
        buffer.append(frame.bytes)
        header.store(to: buffer.base, codes: frame.codeCount, recordBytes: frame.records.count)
      }
      emit(buffer.bytes)
    }
    return true
  }

  private func extract(_ code: InstrumentCode, of frame: StreamFrame, into part: inout FrameBuilder) {
    guard let place = (0..<frame.codeCount).first(where: { frame.code($0) == code }),
      let start = frame.records.baseAddress
    else { return }
    var offset = 0
    while offset < frame.records.count {
      var header = (start + offset).loadUnaligned(as: UpdateHeader.self)
      if Int(header.instrument) == place {
        header.instrument = 0
        part.append(start + offset, header, code: code.rawValue)
      }
      offset += Int(header.byteCount)
    }
  }

  private mutating func refuse(
    from: UInt64, code: InstrumentCode?, wall: UInt64, emit: (UnsafeRawBufferPointer) -> Void
  ) {
    var flags: FrameFlags = [.last]
    if code != nil { flags.insert(.single) }
    var refusal = FrameBuilder()
    if let code { refusal.mention(code: code.rawValue) }
    refusal.finish(
      header(.refusal, flags: flags, from: from, through: history.oldest ?? told, wall: wall), into: &out)
    emit(out.bytes)
  }
}
