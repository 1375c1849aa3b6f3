// The whole state from one stream's publisher: it replaces what was delivered. Its parts wait here until the last has
// come: consumers never wait for one, and of a snapshot that is given up they see nothing.

import MarketData
import TickerPlant

extension StreamMerger {
  mutating func takeSnapshot(_ frame: StreamFrame, _ stream: Int, at now: UInt64, deliver: Deliver) {
    if configuration.isSelective, !frame.header.flags.contains(.single) {
      return takeList(frame, stream, at: now, deliver: deliver)
    }
    guard let place = coverage(of: frame), let request = coverages[place].request, request.isSnapshot,
      request.stream == stream
    else { return }
    let header = frame.header
    coverages[place].heardAt = now
    guard (try? frame.validateRecords()) != nil else {
      streams[stream].counters.malformed &+= 1
      return fail(place, stream, at: now, deliver: deliver)
    }
    if let progress = coverages[place].progress {
      guard progress.stream == stream, progress.incarnation == header.incarnation,
        progress.through == header.through, progress.parts.count == Int(header.part),
        progress.byteCount + frame.bytes.count <= Coverage.Progress.mostBytes
      else { return fail(place, stream, at: now, deliver: deliver) }
    } else {
      guard header.part == 0, isUseful(header, place, at: now) else {
        return fail(place, stream, at: now, deliver: deliver)
      }
      coverages[place].progress = Coverage.Progress(
        stream: stream, incarnation: header.incarnation, through: header.through)
    }
    coverages[place].request?.askedAt = now
    guard header.flags.contains(.last) else {
      coverages[place].progress?.byteCount += frame.bytes.count
      coverages[place].progress?.parts.append([UInt8](frame.bytes))
      return
    }
    // What was missing may have come otherwise while the parts came.
    guard isUseful(header, place, at: now) else { return fail(place, stream, at: now, deliver: deliver) }
    let parts = coverages[place].progress?.parts ?? []
    begin(header, place, at: now)
    for part in parts {
      part.withUnsafeBytes { bytes in
        if let frame = try? StreamFrame(decoding: bytes) { copy(frame, after: nil, place, isSnapshot: true) }
      }
      hand(true, deliver)
    }
    copy(frame, after: nil, place, isSnapshot: true)
    finish(header, place, at: now, deliver: deliver)
  }

  /// It must not lead back, and not into a gap where somebody has everything.
  private func isUseful(_ header: FrameHeader, _ place: Int, at now: UInt64) -> Bool {
    guard header.epoch == epoch else { return false }
    if header.hasGap, hasWholeStream(at: now) { return false }
    if coverages[place].position != nil, !coverages[place].isTainted {
      return header.through > coverages[place].floor
    }
    return header.through >= coverages[place].floor
  }

  private mutating func begin(_ header: FrameHeader, _ place: Int, at now: UInt64) {
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
      if local >= 0, !seen[local] { appendCleared(local, sequence: header.through, isHeard: false) }
    } else {
      for local in 0..<locals.count where !seen[local] { appendCleared(local, sequence: header.through) }
    }
    hand(false, deliver)
    counters.snapshots &+= 1
    coverages[place].position = header.through
    coverages[place].isTainted = header.hasGap
    coverages[place].needsSnapshot = false
    coverages[place].request = nil
    coverages[place].tried.removeAll()
    coverages[place].since = nil
    drain(place, at: now, deliver: deliver)
    if coverages[place].lacks { activate(place, at: now) }
  }

  /// An answer won't come: nothing of a snapshot was delivered, and what it made wait goes on.
  mutating func fail(_ place: Int, _ stream: Int, at now: UInt64, deliver: Deliver) {
    streams[stream].counters.unanswered &+= 1
    coverages[place].request = nil
    coverages[place].tried.append(stream)
    if !coverages[place].held.isEmpty { drain(place, at: now, deliver: deliver) }
  }
}
