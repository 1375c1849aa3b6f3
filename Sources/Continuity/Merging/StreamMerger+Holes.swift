// What is missing: waited for, asked for, and in the end replaced by a snapshot.

import MarketData
import TickerPlant

extension StreamMerger {
  /// Time goes on: holes, requests without answers, silence. Call it each few milliseconds.
  public mutating func tick(at now: UInt64, deliver: Deliver) {
    if !active.isEmpty {
      var (index, kept) = (0, 0)
      while index < active.count {
        let place = active[index]
        pursue(place, at: now, deliver: deliver)
        if coverages[place].isActive {
          active[kept] = place
          kept += 1
        }
        index += 1
      }
      active.removeLast(index - kept)
    }
    if configuration.isSelective {
      askForList(at: now)
      leaveUnheard(at: now, deliver: deliver)
    }
    if let other = disputed, now &- other.heardAt > configuration.patienceNanoseconds, now > other.heardAt {
      disputed = nil
    }
    show(at: now, deliver: deliver)
  }

  /// A plant that doesn't take a want up, or whose frames don't come through, says nothing more of an instrument: its last
  /// state must not stand as if it were so now. It is shown as unheard, and asked for again.
  private mutating func leaveUnheard(at now: UInt64, deliver: Deliver) {
    guard now &- silenceLookedAt >= configuration.unheardNanoseconds / 4, hasHeardStream(at: now) else {
      return
    }
    silenceLookedAt = now
    for place in coverages.indices
    where coverages[place].isWanted && coverages[place].position != nil
      && now &- coverages[place].heardAt > configuration.unheardNanoseconds && now > coverages[place].heardAt
    {
      coverages[place].reset()
      coverages[place].floor = shownSequence
      let local = locals.number(of: InstrumentCode(coverages[place].code))
      if local >= 0 { appendCleared(local, sequence: shownSequence, isHeard: false) }
      counters.leftUnheard &+= 1
      activate(place, at: now)
    }
    hand(false, deliver)
  }

  /// Something is missing.
  mutating func activate(_ place: Int, at now: UInt64) {
    if coverages[place].since == nil {
      coverages[place].since = now
      if coverages[place].position != nil { counters.holes &+= 1 }
    }
    guard !coverages[place].isActive else { return }
    coverages[place].isActive = true
    active.append(place)
  }

  /// Looks whether what was missing has come.
  mutating func settle(_ place: Int, at now: UInt64) {
    if coverages[place].needsSnapshot, !coverages[place].isTainted, coverages[place].position != nil,
      coverages[place].holeEnd == nil
    {
      // Frames brought what the snapshot was for.
      coverages[place].needsSnapshot = false
    }
    guard coverages[place].lacks else {
      coverages[place].since = nil
      coverages[place].request = nil
      coverages[place].tried.removeAll()
      return
    }
    guard let request = coverages[place].request, !request.isSnapshot,
      let then = request.positionThen, let position = coverages[place].position, position > then
    else { return }
    // The hole that was asked about is filled or smaller; what is missing now is younger.
    if coverages[place].held.first.map({ $0.from > position }) ?? true { coverages[place].since = now }
  }

  private mutating func pursue(_ place: Int, at now: UInt64, deliver: Deliver) {
    guard coverages[place].isWanted, coverages[place].lacks else {
      coverages[place].since = nil
      coverages[place].request = nil
      coverages[place].tried.removeAll()
      coverages[place].isActive = false
      return
    }
    let since = coverages[place].since ?? now
    coverages[place].since = since
    if let request = coverages[place].request {
      let isTaken = streams[request.stream].isTaken && isHeard(streams[request.stream], at: now)
      if isTaken, now &- request.askedAt < configuration.answerNanoseconds { return }
      streams[request.stream].counters.unanswered &+= 1
      coverages[place].tried.append(request.stream)
      let wasComing = coverages[place].progress != nil
      coverages[place].request = nil
      if wasComing, !coverages[place].held.isEmpty { drain(place, at: now, deliver: deliver) }
      guard coverages[place].lacks else { return }
    }
    guard now >= since &+ wait(at: now) else { return }
    ask(place, at: now)
  }

  /// With nobody else to fill it, a hole isn't waited for.
  private func wait(at now: UInt64) -> UInt64 {
    var heard = 0
    for stream in streams where isHeard(stream, at: now) && stream.epoch == epoch { heard += 1 }
    return heard > 1 ? configuration.waitNanoseconds : 0
  }

  private mutating func ask(_ place: Int, at now: UInt64) {
    let code = coverages[place].code == 0 ? nil : InstrumentCode(coverages[place].code)
    // Where nobody has everything, what there is goes on, and is said to have a gap.
    let awaitsWhole = coverages[place].isTainted && hasWholeStream(at: now)
    if coverages[place].isTainted, !awaitsWhole, coverages[place].holeEnd == nil,
      coverages[place].position != nil, !coverages[place].needsSnapshot
    {
      coverages[place].since = now
      return
    }
    if let position = coverages[place].position, !awaitsWhole, !coverages[place].needsSnapshot,
      let end = coverages[place].holeEnd, let epoch
    {
      if let stream = candidate(place, beyond: position, at: now) {
        streams[stream].counters.replays &+= 1
        coverages[place].request = Coverage.Request(
          stream: stream, isSnapshot: false, askedAt: now, positionThen: position)
        actions.append(.replay(stream: stream, from: position, through: end, epoch: epoch, code: code))
        return
      }
      // Nobody has it any more, if anybody is there.
      guard hasHeardStream(at: now) else { return }
      coverages[place].needsSnapshot = true
      coverages[place].tried.removeAll()
    }
    let mayRepeat = coverages[place].isTainted || coverages[place].position == nil
    let least = mayRepeat ? coverages[place].floor : coverages[place].floor &+ 1
    if let stream = candidate(place, beyond: max(1, least) - 1, at: now) {
      streams[stream].counters.snapshots &+= 1
      coverages[place].request = Coverage.Request(
        stream: stream, isSnapshot: true, askedAt: now, positionThen: nil)
      actions.append(.snapshot(stream: stream, code: code))
    } else {
      // All were asked in vain: again after a while.
      coverages[place].tried.removeAll()
      coverages[place].since = now
    }
  }

  /// The stream to ask: of those that have everything the one that is furthest, else of the others.
  private func candidate(_ place: Int, beyond position: UInt64, at now: UInt64) -> Int? {
    var best: Int?
    let mustBeWhole = hasWholeStream(at: now)
    for (number, stream) in streams.enumerated() {
      guard isHeard(stream, at: now), stream.epoch == epoch, stream.through > position,
        !coverages[place].tried.contains(number)
      else { continue }
      if mustBeWhole, stream.hasGap { continue }
      if let known = best, streams[known].through >= stream.through { continue }
      best = number
    }
    return best
  }

  // MARK: - Answers

  mutating func endReplay(_ place: Int, _ stream: Int, at now: UInt64) {
    guard let request = coverages[place].request, request.stream == stream, !request.isSnapshot else {
      return
    }
    coverages[place].request = nil
    // An answer that brought nothing won't the next time either.
    if coverages[place].position == request.positionThen {
      coverages[place].tried.append(stream)
    } else {
      coverages[place].tried.removeAll()
    }
  }

  mutating func takeRefusal(_ frame: StreamFrame, _ stream: Int, at now: UInt64, deliver: Deliver) {
    guard let place = coverage(of: frame), let request = coverages[place].request, request.stream == stream
    else { return }
    fail(place, stream, at: now, deliver: deliver)
  }

  // MARK: - Who is heard

  @inline(__always)
  func isHeard(_ stream: StreamTrack, at now: UInt64) -> Bool {
    guard stream.isTaken, let heardAt = stream.heardAt else { return false }
    return now &- heardAt <= configuration.silenceNanoseconds || heardAt > now
  }

  func hasHeardStream(at now: UInt64) -> Bool {
    for stream in streams where isHeard(stream, at: now) && stream.epoch == epoch { return true }
    return false
  }

  /// Whether a stream is heard that has everything of its epoch and whose lines speak.
  func hasWholeStream(at now: UInt64) -> Bool {
    for stream in streams
    where stream.isWhole && isHeard(stream, at: now) && stream.epoch == epoch { return true }
    return false
  }
}
