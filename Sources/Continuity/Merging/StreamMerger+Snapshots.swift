// The whole state from one stream's publisher: it replaces what was delivered.

import MarketData
import TickerPlant

extension StreamMerger {
  mutating func takeSnapshot(_ frame: StreamFrame, _ stream: Int, at now: UInt64, deliver: Deliver) {
    guard let place = coverage(of: frame), let request = coverages[place].request, request.isSnapshot,
      request.stream == stream
    else { return }
    let header = frame.header
    guard (try? frame.validateRecords()) != nil else {
      streams[stream].counters.malformed &+= 1
      return fail(place, stream, deliver: deliver)
    }
    if let progress = coverages[place].progress {
      guard progress.stream == stream, progress.incarnation == header.incarnation,
        progress.through == header.through, progress.nextPart == header.part
      else { return fail(place, stream, deliver: deliver) }
    } else {
      guard header.part == 0 else { return fail(place, stream, deliver: deliver) }
      guard isUseful(header, place, at: now) else { return fail(place, stream, deliver: deliver) }
      begin(header, place, stream, at: now)
    }
    coverages[place].progress?.nextPart &+= 1
    coverages[place].request?.askedAt = now
    copy(frame, after: nil, place, isSnapshot: true)
    guard header.flags.contains(.last) else { return hand(true, deliver) }
    finish(header, place, at: now, deliver: deliver)
  }

  /// It must not lead back, and not into a gap where somebody has everything.
  private func isUseful(_ header: FrameHeader, _ place: Int, at now: UInt64) -> Bool {
    guard header.epoch == epoch else { return false }
    if header.state == .gap, hasWholeStream(at: now) { return false }
    if coverages[place].position != nil, !coverages[place].isTainted {
      return header.through > coverages[place].floor
    }
    return header.through >= coverages[place].floor
  }

  private mutating func begin(_ header: FrameHeader, _ place: Int, _ stream: Int, at now: UInt64) {
    coverages[place].progress = Coverage.Progress(
      stream: stream, incarnation: header.incarnation, through: header.through, nextPart: 0)
    coverages[place].position = nil
    for local in seen.indices { seen[local] = false }
    if shownEpoch != epoch {
      beginShowing(sequence: header.through, isWhole: true, at: now)
    } else if !configuration.isSelective {
      ordinal &+= 1
      shownGap = (0, 0)
      appendSource(.recovering, sequence: header.through)
    }
    coverages[place].floor = max(coverages[place].floor, header.through)
    shownSequence = max(shownSequence, header.through)
  }

  private mutating func finish(_ header: FrameHeader, _ place: Int, at now: UInt64, deliver: Deliver) {
    if configuration.isSelective {
      // The publisher doesn't know the instrument: nothing of it is left.
      let local = locals.number(of: InstrumentCode(coverages[place].code))
      if local >= 0, !seen[local] { appendCleared(local, sequence: header.through) }
    } else {
      for local in 0..<locals.count where !seen[local] { appendCleared(local, sequence: header.through) }
    }
    hand(false, deliver)
    // Whoever got parts shows nothing before an end.
    counters.snapshots &+= 1
    coverages[place].progress = nil
    coverages[place].position = header.through
    coverages[place].isTainted = header.state == .gap
    coverages[place].needsSnapshot = false
    coverages[place].request = nil
    coverages[place].tried.removeAll()
    coverages[place].since = nil
    drain(place, at: now, deliver: deliver)
    if coverages[place].lacks { activate(place, at: now) }
  }

  private mutating func fail(_ place: Int, _ stream: Int, deliver: Deliver) {
    streams[stream].counters.unanswered &+= 1
    coverages[place].request = nil
    coverages[place].tried.append(stream)
    abandonSnapshot(place, deliver: deliver)
  }

  /// A snapshot won't be finished: what came of it stays, and is no state.
  mutating func abandonSnapshot(_ place: Int, deliver: Deliver) {
    guard coverages[place].progress != nil else { return }
    coverages[place].progress = nil
    deliver(UnsafeRawBufferPointer(start: nil, count: 0), false)
  }
}
