// What is missing: when it is asked for, how long it is waited for, when it is declared lost.

extension LineArbiter {
  /// Most messages that one request asks for: a request server answers with one packet anyway.
  private static var mostMessages: UInt64 { 60_000 }
  private static var leastPause: UInt64 { 1_000_000 }
  /// Holes that are asked for at the same time.
  private static var holesAtOnce: Int { 8 }
  /// Messages at a hole's end that are asked for now and then: a request server may have no more than the newest.
  private static var tailMessages: UInt64 { 32 }

  /// The gap in front, where it is to be given up.
  mutating func expired(at now: UInt64) -> Action? {
    guard configuration.declares || isClosing != nil, let hole = holes.first, hole.from == next else {
      return nil
    }
    guard now >= hole.progressAt &+ configuration.waitNanoseconds else { return nil }
    if configuration.hasRequestServer, hole.attempts < configuration.leastAttempts { return nil }
    // A line that hasn't come so far yet may bring it; but it isn't waited for without end.
    let patience = hole.progressAt &+ 10 &* configuration.waitNanoseconds
    if now < patience,
      tracks.indices.prefix(configuration.ownLines).contains(where: {
        isHeard($0, at: now) && tracks[$0].expected <= hole.from
      })
    {
      return nil
    }
    return declare(hole)
  }

  private mutating func declare(_ hole: SequenceHole) -> Action {
    requests.gaps &+= 1
    requests.lost &+= hole.end - hole.from
    next = hole.end
    holes.forget(below: hole.end)
    return .declare(from: hole.from, through: hole.end - 1)
  }

  /// Everything that is missing is declared, then the next session begins.
  mutating func close() -> Action? {
    if let hole = holes.first {
      return declare(hole)
    }
    guard let closing = isClosing else { return nil }
    isClosing = nil
    next = 1
    known = 1
    held.removeAll()
    hasEnded = false
    saidEnd = false
    for line in tracks.indices { tracks[line].begin() }
    switch closing {
    case .session(let new):
      session = new
      return .session(new)
    case .restart: return .restarted
    }
  }

  /// A request that is due and allowed.
  mutating func dueRequest(at now: UInt64, budget: inout RequestBudget) -> MoldUDP64Request? {
    guard configuration.hasRequestServer, isSettled, let session else { return nil }
    for (place, hole) in holes.list.prefix(Self.holesAtOnce).enumerated() {
      let dueAt: UInt64
      if let asked = hole.askedAt {
        dueAt = asked &+ configuration.retryNanoseconds
      } else {
        // Of a hole that an answer has made smaller the rest is asked for at once.
        dueAt = hole.progressAt &+ (hole.wasAsked ? 0 : configuration.graceNanoseconds)
      }
      guard now >= dueAt else { continue }
      guard budget.take(at: now) else {
        requests.heldBack &+= 1
        return nil
      }
      holes.asked(place, at: now)
      requests.sent &+= 1
      let size = hole.end - hole.from
      // Where the beginning isn't answered, perhaps the end is: each second time a shorter one, down to one message.
      var from = hole.from
      if hole.attempts % 2 == 1 {
        let tail = max(1, Self.tailMessages >> UInt64(clamping: hole.attempts - 1))
        if size > tail { from = hole.end - tail }
      }
      return MoldUDP64Request(
        session: session, sequence: from,
        count: UInt16(truncatingIfNeeded: min(hole.end - from, Self.mostMessages)))
    }
    return nil
  }

  /// When `nextAction` may have something to do though no packet comes; nil = nothing is open.
  public func nextDue(after now: UInt64) -> UInt64? {
    guard let first = holes.first else { return nil }
    guard configuration.hasRequestServer else {
      return max(first.progressAt &+ configuration.waitNanoseconds, now &+ Self.leastPause)
    }
    var due = now &+ configuration.retryNanoseconds
    for hole in holes.list.prefix(Self.holesAtOnce) {
      let own = hole.askedAt.map { $0 &+ configuration.retryNanoseconds }
      due = min(due, own ?? hole.progressAt &+ configuration.graceNanoseconds)
    }
    // Where the budget is used up, the next look is no sooner.
    return max(due, now &+ Self.leastPause)
  }
}
