// Epochs: which of two is newer, and what happens when another begins.

import MarketData
import TickerPlant

extension StreamMerger {
  enum Relation { case current, newer, disputed, older, nothing }

  /// What a frame's epoch is to the one that is followed. Newer is a later day; on the same day a session that began
  /// again (`NAME~2`), or one that a stream went over to before our eyes, or that speaks while nobody speaks of ours.
  /// A later day or a session begun again is disputed while another publisher, with everything, goes on in ours.
  @inline(__always)
  func relation(of header: FrameHeader, _ stream: Int, at now: UInt64) -> Relation {
    if header.epoch == epoch { return .current }
    return slowRelation(of: header, stream, at: now)
  }

  @inline(never)
  private func slowRelation(of header: FrameHeader, _ stream: Int, at now: UInt64) -> Relation {
    // Before its first message an epoch is only somebody's guess.
    guard header.through > 0 else { return epoch == nil ? .nothing : .older }
    // Answers were asked of the epoch that was followed then.
    guard header.kind == .records || header.kind == .beat else { return .older }
    guard let epoch else { return .newer }
    if header.hasGap, hasWholeStream(at: now) { return .older }
    // Whatever was left, or is of a day before: it counts where for long nobody spoke of ours.
    let isLeftAlone = now > epochHeardAt && now - epochHeardAt > configuration.patienceNanoseconds
    let last: Relation = isLeftAlone && header.state == .live && !header.hasGap ? .newer : .older
    if header.epoch.day != epoch.day {
      return header.epoch.day > epoch.day ? believed(header, stream, at: now) : last
    }
    let (theirs, ours) = (header.epoch.parts, epoch.parts)
    if theirs.base == ours.base {
      return theirs.restarts > ours.restarts ? believed(header, stream, at: now) : last
    }
    if left.contains(header.epoch) { return last }
    if streams[stream].epoch == epoch { return .newer }
    let isContradicted = streams.contains { $0.epoch == epoch && isHeard($0, at: now) }
    return isContradicted ? .older : .newer
  }

  /// Whether a newer epoch is followed: where nobody else goes on in ours, where a second publisher tells of it, or
  /// where it was told for long and not more than one contradicts.
  private func believed(_ header: FrameHeader, _ stream: Int, at now: UInt64) -> Relation {
    var against: UInt64?
    var areMany = false
    for (number, other) in streams.enumerated() where number != stream && isHeard(other, at: now) {
      guard let incarnation = other.incarnation, incarnation != header.incarnation else { continue }
      if other.epoch == header.epoch { return .newer }
      guard other.epoch == epoch, other.state == .live, other.isWhole, let advancedAt = other.advancedAt,
        advancedAt >= now || now - advancedAt <= configuration.silenceNanoseconds
      else { continue }
      if let against, against != incarnation { areMany = true }
      against = incarnation
    }
    guard against != nil else { return .newer }
    if !areMany, let disputed, disputed.epoch == header.epoch,
      now &- disputed.since > configuration.disputeNanoseconds
    {
      return .newer
    }
    return .disputed
  }

  /// Keeps a frame of an epoch that isn't believed yet; what has no room is asked for later.
  mutating func keep(_ frame: StreamFrame, _ stream: Int, at now: UInt64) {
    if disputed?.epoch != frame.header.epoch {
      disputed = EpochCandidate(epoch: frame.header.epoch, since: now, heardAt: now)
    }
    disputed?.heardAt = now
    let isPart = frame.header.part > 0
    var parts = isPart ? streams[stream].assembly.take() : []
    parts.append([UInt8](frame.bytes))
    let bytes = parts.reduce(0) { $0 + $1.count }
    guard let waiting = disputed?.byteCount, waiting + bytes <= configuration.heldBytes else { return }
    disputed?.byteCount += bytes
    for part in parts { disputed?.frames.append((stream, part)) }
  }

  /// The newer epoch is believed: it is followed, and what waited of it is taken.
  mutating func adoptCandidate(at now: UInt64, deliver: Deliver) {
    guard let waiting = disputed else { return }
    adopt(waiting.epoch, at: now)
    epochHeardAt = now
    for (stream, bytes) in waiting.frames {
      bytes.withUnsafeBytes { raw in
        if let frame = try? StreamFrame(decoding: raw) { take(frame, stream, at: now, deliver: deliver) }
      }
    }
    tick(at: now, deliver: deliver)
  }

  /// Follows another epoch from now on. What is shown stays until something of it has come.
  mutating func adopt(_ other: EpochKey, at now: UInt64) {
    if let epoch {
      left.append(epoch)
      if left.count > 16 { left.removeFirst() }
    }
    left.removeAll { $0 == other }
    epoch = other
    disputed = nil
    counters.epochs &+= 1
    for place in coverages.indices where coverages[place].isWanted {
      coverages[place].reset()
      // What was shown already is never told again.
      if other == shownEpoch, !configuration.isSelective { coverages[place].floor = shownSequence }
      activate(place, at: now)
    }
    for stream in streams.indices where streams[stream].epoch == other { streams[stream].strangeSince = nil }
  }

  /// The first records of an epoch, or of an instrument in it, are about to be delivered: what was shown is cleared.
  mutating func openEpoch(_ place: Int, at now: UInt64) {
    if shownEpoch != epoch {
      beginShowing(sequence: 0, isWhole: !configuration.isSelective, at: now)
    }
    if configuration.isSelective {
      let local = locals.number(of: InstrumentCode(coverages[place].code))
      if local >= 0 { appendCleared(local, sequence: 0) }
    }
  }

  /// Another epoch is shown from here on: the source says so, and everything is empty.
  mutating func beginShowing(sequence: UInt64, isWhole: Bool, at now: UInt64) {
    shownEpoch = epoch
    shownSequence = sequence
    shownGap = (0, 0)
    ordinal &+= 1
    appendSource(.recovering, sequence: sequence)
    for local in 0..<locals.count {
      appendCleared(local, sequence: sequence, isHeard: !configuration.isSelective)
    }
  }
}
