// Frames in: whose they are, whether they are believed, and whether they are next.

import MarketData
import TickerPlant

extension StreamMerger {
  /// Takes a frame, a beat, or a part of an answer that came with a stream.
  /// - Parameters:
  ///   - bytes: as they came; used during the call alone.
  ///   - stream: as `addStream` gave it.
  ///   - now: nanoseconds of a clock that only goes forward.
  ///   - deliver: gets what is next.
  public mutating func take(
    _ bytes: UnsafeRawBufferPointer, stream: Int, at now: UInt64, deliver: Deliver
  ) {
    guard streams.indices.contains(stream), streams[stream].isTaken else { return }
    streams[stream].counters.frames &+= 1
    streams[stream].counters.bytes &+= UInt64(bytes.count)
    guard let frame = try? StreamFrame(decoding: bytes) else {
      noteMalformed(stream)
      return
    }
    let header = frame.header
    guard header.configuration == configuration.configuration else {
      return refuse(stream, header.configuration)
    }
    streams[stream].refusedFor = nil
    if streams[stream].incarnation != header.incarnation { begin(stream, header.incarnation) }
    streams[stream].heardAt = now
    if header.flags.contains(.continues), header.epoch != epoch, header.kind == .records {
      // Whose epoch begins, perhaps: the last part tells.
      return gather(frame, stream)
    }
    switch relation(of: header, stream, at: now) {
    case .older:
      streams[stream].counters.older &+= 1
      note(header, stream, at: now)
      return
    case .disputed:
      streams[stream].counters.older &+= 1
      note(header, stream, at: now)
      return keep(frame, stream, at: now)
    case .newer:
      note(header, stream, at: now)
      // What waited of it comes first.
      if disputed?.epoch == header.epoch {
        keep(frame, stream, at: now)
        return adoptCandidate(at: now, deliver: deliver)
      }
      adopt(header.epoch, at: now)
    case .current: note(header, stream, at: now)
    case .nothing: return note(header, stream, at: now)
    }
    epochHeardAt = now
    take(frame, stream, at: now, deliver: deliver)
    if !active.isEmpty { tick(at: now, deliver: deliver) } else { show(at: now, deliver: deliver) }
  }

  /// A frame of the epoch that is followed.
  mutating func take(_ frame: StreamFrame, _ stream: Int, at now: UInt64, deliver: Deliver) {
    let header = frame.header
    switch header.kind {
    case .beat: takeBeat(header, stream, at: now)
    case .records, .replay: takeRecords(frame, stream, at: now, deliver: deliver)
    case .snapshot: takeSnapshot(frame, stream, at: now, deliver: deliver)
    case .refusal: takeRefusal(frame, stream, at: now, deliver: deliver)
    }
  }

  private mutating func noteMalformed(_ stream: Int) {
    streams[stream].counters.malformed &+= 1
    streams[stream].malformedInARow += 1
  }

  private mutating func refuse(_ stream: Int, _ other: UInt32) {
    streams[stream].counters.refused &+= 1
    streams[stream].heardAt = nil
    guard streams[stream].refusedFor != other else { return }
    streams[stream].refusedFor = other
    actions.append(
      .refused(
        stream: stream,
        reason:
          "\(streams[stream].name) runs configuration \(Self.hex(other)), this node \(Self.hex(configuration.configuration)): "
          + "they don't merge until both run the same"))
  }

  private static func hex(_ value: UInt32) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 8 - text.count) + text
  }

  private mutating func begin(_ stream: Int, _ incarnation: UInt64) {
    streams[stream].incarnation = incarnation
    streams[stream].epoch = nil
    streams[stream].through = 0
    streams[stream].state = .recovering
    streams[stream].gap = (0, 0)
    (streams[stream].advancedAt, streams[stream].told) = (nil, 0)
    (streams[stream].muteSince, streams[stream].strangeSince) = (nil, nil)
    streams[stream].assembly.removeAll()
    streams[stream].replayAssembly.removeAll()
  }

  /// Learns how the stream's source is. Answers tell of another time.
  @inline(__always)
  private mutating func note(_ header: FrameHeader, _ stream: Int, at now: UInt64) {
    guard header.kind == .records || header.kind == .beat, !header.flags.contains(.continues) else { return }
    let isKnown = streams[stream].epoch == header.epoch
    if header.kind == .records {
      streams[stream].told = isKnown ? max(streams[stream].told, header.through) : header.through
      streams[stream].hasTold = true
      streams[stream].muteSince = nil
    }
    guard !isKnown || header.through >= streams[stream].through else { return }
    streams[stream].state = header.state
    streams[stream].gap = (header.gapFrom, header.gapThrough)
    guard header.through > 0 else { return }
    if !isKnown, header.kind == .beat {
      // Where it stood when it was first heard says nothing of frames that don't come.
      (streams[stream].told, streams[stream].hasTold) = (header.through, false)
      streams[stream].muteSince = nil
    }
    if isKnown, header.through > streams[stream].through { streams[stream].advancedAt = now }
    if header.kind == .beat, header.through > streams[stream].told, streams[stream].muteSince == nil {
      streams[stream].muteSince = now
    }
    streams[stream].epoch = header.epoch
    streams[stream].through = header.through
    if header.epoch == epoch {
      streams[stream].strangeSince = nil
    } else if streams[stream].strangeSince == nil {
      streams[stream].strangeSince = now
    }
  }

  private mutating func takeBeat(_ header: FrameHeader, _ stream: Int, at now: UInt64) {
    guard !configuration.isSelective, !header.hasGap || !hasWholeStream(at: now) else { return }
    if header.through > coverages[0].known {
      coverages[0].known = header.through
      if let position = coverages[0].position, header.through > position { activate(0, at: now) }
    }
  }

  // MARK: - Records

  /// The coverage that a frame is about; nil where it is none of ours.
  func coverage(of frame: StreamFrame) -> Int? {
    let isSingle = frame.header.flags.contains(.single)
    guard isSingle == configuration.isSelective else { return nil }
    if !isSingle { return 0 }
    guard frame.codeCount == 1 else { return nil }
    let place = interest.number(of: frame.code(0))
    return place >= 0 && coverages[place].isWanted ? place : nil
  }

  private mutating func takeRecords(
    _ frame: StreamFrame, _ stream: Int, at now: UInt64, deliver: Deliver
  ) {
    guard let place = coverage(of: frame) else { return }
    coverages[place].heardAt = now
    let header = frame.header
    let isReplay = header.kind == .replay
    if header.flags.contains(.continues) || header.part > 0 {
      assemble(frame, stream, place, at: now, deliver: deliver)
    } else {
      offer(frame, stream, place, at: now, deliver: deliver)
    }
    if isReplay, header.flags.contains(.last) { endReplay(place, stream, at: now) }
  }

  private mutating func gather(_ frame: StreamFrame, _ stream: Int) {
    guard (try? frame.validateRecords()) != nil else {
      noteMalformed(stream)
      return streams[stream].assembly.removeAll()
    }
    _ = streams[stream].assembly.add(frame.bytes, frame.header)
  }

  /// A part of one huge message: nothing of it counts before the last part is there.
  private mutating func assemble(
    _ frame: StreamFrame, _ stream: Int, _ place: Int, at now: UInt64, deliver: Deliver
  ) {
    let header = frame.header
    guard (try? frame.validateRecords()) != nil else {
      noteMalformed(stream)
      streams[stream].assembly.removeAll()
      return
    }
    let parts: [[UInt8]]
    if header.kind == .replay {
      guard streams[stream].replayAssembly.add(frame.bytes, header),
        !header.flags.contains(.continues)
      else { return }
      parts = streams[stream].replayAssembly.take()
    } else {
      guard streams[stream].assembly.add(frame.bytes, header), !header.flags.contains(.continues) else {
        return
      }
      parts = streams[stream].assembly.take()
    }
    offer(
      Offered(header), stream, place, at: now, deliver: deliver, hold: { parts },
      apply: { merger, position in merger.deliver(parts, after: position, place, deliver: deliver) })
  }

  private mutating func offer(
    _ frame: StreamFrame, _ stream: Int, _ place: Int, at now: UInt64, deliver: Deliver
  ) {
    let header = frame.header
    // The path of nearly every frame.
    if let position = coverages[place].position {
      if header.through <= position {
        streams[stream].counters.duplicates &+= 1
        return
      }
    }
    guard (try? frame.validateRecords()) != nil else {
      noteMalformed(stream)
      return
    }
    streams[stream].malformedInARow = 0
    offer(
      Offered(header), stream, place, at: now, deliver: deliver, hold: { [[UInt8](frame.bytes)] },
      apply: { merger, position in
        merger.copy(frame, after: position, place)
        merger.hand(false, deliver)
      })
  }

  /// What decides whether a frame, or the parts of one, is next.
  struct Offered {
    var from: UInt64
    var through: UInt64
    var hasGap: Bool
    var opens: Bool

    init(_ header: FrameHeader) {
      from = header.from
      through = header.through
      hasGap = header.hasGap
      opens = header.flags.contains(.opens) && header.from == 0
    }

    init(_ held: Coverage.Held) {
      from = held.from
      through = held.through
      hasGap = held.hasGap
      opens = held.opens
    }
  }

  @inline(__always)
  private mutating func offer(
    _ frame: Offered, _ stream: Int, _ place: Int, at now: UInt64, deliver: Deliver, hold: () -> [[UInt8]],
    apply: (inout StreamMerger, UInt64?) -> Void
  ) {
    switch decide(frame, place, at: now) {
    case .duplicate: streams[stream].counters.duplicates &+= 1
    case .passOver: streams[stream].counters.incomplete &+= 1
    case .hold: self.hold(frame, stream, place, parts: hold(), at: now)
    case .apply:
      streams[stream].counters.delivered &+= 1
      advance(frame, place, at: now, deliver: deliver, apply: apply)
      if !coverages[place].held.isEmpty { drain(place, at: now, deliver: deliver) }
    }
  }

  enum Decision { case duplicate, passOver, hold, apply }

  /// The rule of the head of this file, and what a gap means for it.
  @inline(__always)
  func decide(_ frame: Offered, _ place: Int, at now: UInt64) -> Decision {
    guard let position = coverages[place].position else {
      if frame.hasGap, hasWholeStream(at: now) { return .passOver }
      return frame.opens && coverages[place].floor == 0 && !frame.hasGap ? .apply : .hold
    }
    if frame.through <= position { return .duplicate }
    if frame.hasGap {
      if !coverages[place].isTainted, hasWholeStream(at: now) { return .passOver }
      // The whole state is coming: it must not be behind what was delivered.
      if coverages[place].isTainted, coverages[place].progress != nil { return .hold }
    } else if coverages[place].isTainted {
      return .hold
    }
    return frame.from <= position ? .apply : .hold
  }

  /// Delivers a frame that is next.
  @inline(__always)
  private mutating func advance(
    _ frame: Offered, _ place: Int, at now: UInt64, deliver: Deliver,
    apply: (inout StreamMerger, UInt64?) -> Void
  ) {
    let position = coverages[place].position
    if position == nil { openEpoch(place, at: now) }
    if frame.hasGap, !coverages[place].isTainted {
      coverages[place].isTainted = true
      activate(place, at: now)
      showBefore(at: now)
    }
    apply(&self, position)
    coverages[place].position = frame.through
    coverages[place].floor = max(coverages[place].floor, frame.through)
    shownSequence = max(shownSequence, frame.through)
    if coverages[place].isActive { settle(place, at: now) }
  }

  // MARK: - Frames that wait

  private mutating func hold(
    _ frame: Offered, _ stream: Int, _ place: Int, parts: [[UInt8]], at now: UInt64
  ) {
    let bytes = parts.reduce(0) { $0 + $1.count }
    activate(place, at: now)
    guard coverages[place].heldBytes + bytes <= configuration.heldBytes else {
      counters.overflows &+= 1
      let last = coverages[place].held.reduce(frame.through) { max($0, $1.through) }
      coverages[place].known = max(coverages[place].known, last)
      coverages[place].held.removeAll()
      coverages[place].heldBytes = 0
      coverages[place].needsSnapshot = true
      return
    }
    // The same frame of another rail is no more than a copy.
    var low = coverages[place].held.count
    while low > 0, coverages[place].held[low - 1].from > frame.from { low -= 1 }
    if low > 0, coverages[place].held[low - 1].from == frame.from,
      coverages[place].held[low - 1].through == frame.through,
      coverages[place].held[low - 1].hasGap == frame.hasGap
    {
      streams[stream].counters.duplicates &+= 1
      return
    }
    streams[stream].counters.held &+= 1
    coverages[place].heldBytes += bytes
    coverages[place].held.insert(
      Coverage.Held(
        from: frame.from, through: frame.through, stream: stream, hasGap: frame.hasGap, opens: frame.opens,
        parts: parts, byteCount: bytes), at: low)
  }

  /// Delivers what waits and is next now.
  mutating func drain(_ place: Int, at now: UInt64, deliver: Deliver) {
    var index = 0
    while index < coverages[place].held.count {
      let held = coverages[place].held[index]
      switch decide(Offered(held), place, at: now) {
      case .hold:
        // A whole frame behind a gap waits for the snapshot; what the gap's own source says may still be next.
        guard coverages[place].isTainted else { return }
        index += 1
        continue
      case .duplicate, .passOver: break
      case .apply:
        streams[held.stream].counters.delivered &+= 1
        advance(
          Offered(held), place, at: now, deliver: deliver,
          apply: { merger, position in
            merger.deliver(held.parts, after: position, place, deliver: deliver)
          })
      }
      coverages[place].heldBytes -= held.byteCount
      coverages[place].held.remove(at: index)
    }
    settle(place, at: now)
  }

  /// Delivers the parts of a message; whoever gets them shows nothing before the last.
  mutating func deliver(_ parts: [[UInt8]], after position: UInt64?, _ place: Int, deliver: Deliver) {
    for (number, part) in parts.enumerated() {
      part.withUnsafeBytes { bytes in
        if let frame = try? StreamFrame(decoding: bytes) { copy(frame, after: position, place) }
      }
      hand(number < parts.count - 1, deliver)
    }
  }
}
