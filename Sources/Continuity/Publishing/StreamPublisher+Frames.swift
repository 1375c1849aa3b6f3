// Frames out: what has gathered, parts of one huge message, beats.

import MarketData
import TickerPlant

extension StreamPublisher {
  /// A frame of one message's part ends before this.
  static var mostBytes: Int { 480 << 10 }

  func header(
    _ kind: FrameKind, flags: FrameFlags = [], from: UInt64, through: UInt64, part: UInt32 = 0, wall: UInt64
  ) -> FrameHeader {
    FrameHeader(
      kind: kind, flags: flags, state: state, configuration: configuration.configuration,
      incarnation: configuration.incarnation, epoch: epoch, from: from, through: through, sentAt: wall,
      gapFrom: gap.from, gapThrough: gap.through, part: part)
  }

  /// Sends what has gathered. Call it when the ring is empty. Nothing leaves while a message's records are still coming,
  /// nor before the first message of an epoch.
  public mutating func flush(
    at now: UInt64, wall: UInt64, emit: (Destination, UnsafeRawBufferPointer) -> Void
  ) {
    guard ordinal != nil, openMessage == nil, !(opens && complete == 0) else { return }
    guard !pending.isEmpty || complete > told || stateToTell else { return }
    let flags: FrameFlags = opens ? [.opens] : []
    let from = told
    let isFirst = part == 0
    pending.finish(
      header(.records, flags: flags, from: from, through: complete, part: part, wall: wall), into: &out)
    send(from: from, through: complete, isFirst: isFirst, isPart: false, at: now, emit: emit)
    told = complete
    opens = false
    part = 0
    stateToTell = false
    if wanted.hasAny { emitWanted(at: now, wall: wall, emit: emit) }
  }

  /// Sends a part of the message that is open.
  mutating func emitPart(
    at now: UInt64, wall: UInt64, emit: (Destination, UnsafeRawBufferPointer) -> Void
  ) {
    let through = max(complete, openMessage ?? complete)
    let flags: FrameFlags = opens ? [.opens, .continues] : [.continues]
    pending.finish(
      header(.records, flags: flags, from: told, through: through, part: part, wall: wall), into: &out)
    send(from: told, through: through, isFirst: part == 0, isPart: true, at: now, emit: emit)
    part &+= 1
  }

  private mutating func send(
    from: UInt64, through: UInt64, isFirst: Bool, isPart: Bool, at now: UInt64,
    emit: (Destination, UnsafeRawBufferPointer) -> Void
  ) {
    counters.frames &+= 1
    counters.bytes &+= UInt64(out.count)
    history.append(out.bytes, from: from, through: through, isFirst: isFirst, isPart: isPart, at: now)
    emit(.market, out.bytes)
  }

  /// Says that the publisher lives, and where it is; call it each beat's time, after `flush`.
  /// - Parameters:
  ///   - service: the node's `ServiceState`.
  ///   - lag: how late the plant is, nanoseconds.
  ///   - emit: gets the beat (`.market`) and frames of wanted instruments that had no news for long.
  public mutating func beat(
    service: ServiceState, lag: UInt64, at now: UInt64, wall: UInt64,
    emit: (Destination, UnsafeRawBufferPointer) -> Void
  ) {
    guard ordinal != nil else { return }
    let facts = BeatFacts(service: UInt64(service.rawValue), lag: lag, windows: windowsToTell())
    encode(beat: facts, header(.beat, from: told, through: told, wall: wall))
    emit(.market, out.bytes)
    if wanted.hasAny {
      wanted.expire(at: now, codes: codes)
      emitIdle(at: now, wall: wall, emit: emit)
    }
  }

  /// Each window is told by two beats: one may be lost.
  private mutating func windowsToTell() -> [DigestWindow] {
    guard configuration.hasDigest, state != .gap else { return [] }
    var windows = digest.fullWindows(after: listedBefore)
    listedBefore = listed
    if let last = digest.lastFullWindow {
      listed = last.start
      if windows.isEmpty { windows = [DigestWindow(start: last.start, sum: last.sum)] }
    }
    return Array(windows.suffix(BeatFacts.mostWindows))
  }

  /// All sums of the window of the digest that begins with message `start`, for `ask.….digest`; nil where it isn't kept
  /// or wasn't summed whole.
  public func summary(windowStart start: UInt64) -> WindowSummary? { digest.summary(windowStart: start) }

  /// First message and sum of the newest window of the digest that is over; nil where none is.
  public var lastFullWindow: (start: UInt64, sum: UInt64)? { digest.lastFullWindow }

  private mutating func encode(beat: BeatFacts, _ header: FrameHeader) {
    out.removeAll()
    let place = out.extend(by: FrameHeader.byteCount)
    header.store(
      to: place, codes: 0, recordBytes: BeatFacts.headBytes + beat.windows.count * BeatFacts.windowBytes)
    out.append(beat.service.littleEndian)
    out.append(beat.lag.littleEndian)
    for window in beat.windows {
      out.append(window.start.littleEndian)
      out.append(window.sum.littleEndian)
    }
  }
}
