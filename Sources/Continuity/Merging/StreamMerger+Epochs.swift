// Epochs: which of two is newer, and what happens when another begins.

import MarketData
import TickerPlant

extension StreamMerger {
  enum Relation { case current, newer, older, nothing }

  /// What a frame's epoch is to the one that is followed. Newer is a later day; on the same day a session that began
  /// again (`NAME~2`), or one that a stream went over to before our eyes, or that speaks while nobody speaks of ours.
  @inline(__always)
  func relation(of header: FrameHeader, _ stream: Int, at now: UInt64) -> Relation {
    if header.epoch == epoch { return .current }
    return slowRelation(of: header, stream, at: now)
  }

  @inline(never)
  private func slowRelation(of header: FrameHeader, _ stream: Int, at now: UInt64) -> Relation {
    // Before its first message an epoch is only somebody's guess.
    guard header.through > 0 else { return epoch == nil ? .nothing : .older }
    guard let epoch else { return .newer }
    if left.contains(header.epoch) || header.kind == .replay { return .older }
    if header.state == .gap, hasWholeStream(at: now) { return .older }
    if header.epoch.day != epoch.day { return header.epoch.day > epoch.day ? .newer : .older }
    let (theirs, ours) = (header.epoch.parts, epoch.parts)
    if theirs.base == ours.base { return theirs.restarts > ours.restarts ? .newer : .older }
    if streams[stream].epoch == epoch { return .newer }
    let isContradicted = streams.contains { $0.epoch == epoch && isHeard($0, at: now) }
    return isContradicted ? .older : .newer
  }

  /// Follows another epoch from now on. What is shown stays until something of it has come.
  mutating func adopt(_ other: EpochKey, at now: UInt64, deliver: Deliver) {
    if let epoch {
      left.append(epoch)
      if left.count > 16 { left.removeFirst() }
    }
    epoch = other
    counters.epochs &+= 1
    for place in coverages.indices where coverages[place].isWanted {
      abandonSnapshot(place, deliver: deliver)
      coverages[place].reset()
      activate(place, at: now)
    }
  }

  /// The first records of an epoch, or of an instrument in it, are about to be delivered: what was shown is cleared.
  mutating func openEpoch(_ place: Int, at now: UInt64) {
    if shownEpoch != epoch {
      beginShowing(sequence: 0, isWhole: !configuration.isSelective, at: now)
    } else if configuration.isSelective {
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
    for local in 0..<locals.count { appendCleared(local, sequence: sequence) }
  }
}
