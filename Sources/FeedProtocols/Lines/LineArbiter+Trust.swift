// Which lines are believed: session changes, numbers that go back or jump, silence.
// A line is believed while it goes on from where it was. One that doesn't is passed over and said; it is followed
// only where every line that is still heard says the same, or none is left that contradicts it.

/// Where one line is, apart from the others.
struct LineTrack: Sendable {
  /// The line's own next number, as it says; 0 = not heard in this session.
  var expected: UInt64 = 0
  /// When it was last heard in the session that is followed; 0 = never.
  var goodAt: UInt64 = 0
  /// Its last packet said that the session is over.
  var saysEnd = false
  /// What it says that isn't believed, since when, how often in a row, and how far it came.
  var claim: Claim?

  struct Claim: Sendable {
    var kind: Kind
    var since: UInt64
    var count: Int
    /// The claim's own next number.
    var expected: UInt64
    var heardAt: UInt64

    enum Kind: Sendable, Equatable {
      case session(MoldSession)
      case back
      case jump
    }

    /// Said often enough, and lately; steps back also for long enough, because repeats look like them.
    func isFirm(_ kind: Kind, _ configuration: LineArbiterConfiguration, at now: UInt64) -> Bool {
      self.kind == kind && count >= 3 && now < heardAt &+ configuration.silenceNanoseconds
        && (kind != .back || now >= since &+ 3 &* configuration.heartbeatNanoseconds)
    }
  }

  /// Another session begins.
  mutating func begin() {
    expected = 0
    saysEnd = false
    claim = nil
  }

  /// A believed packet.
  mutating func follow(_ header: MoldUDP64Header, _ statistics: inout LineStatistics) {
    let end = header.sequence &+ UInt64(header.blockCount)
    if expected > 0 {
      if header.sequence > expected {
        statistics.missing &+= header.sequence - expected
      } else if header.sequence < expected, header.blockCount > 0 {
        statistics.outOfOrder &+= 1
      }
    }
    if end > expected { expected = end }
  }
}

extension LineArbiter {
  /// Whether the line has spoken of the session that is followed lately.
  func isHeard(_ line: Int, at now: UInt64) -> Bool {
    tracks[line].goodAt > 0 && now < tracks[line].goodAt &+ configuration.silenceNanoseconds
  }

  /// Looks at a line's packet before anything else does.
  mutating func isBelieved(_ header: MoldUDP64Header, _ line: Int, at now: UInt64) -> Bool {
    guard isSettled else { return settle(header, line, at: now) }
    let end = header.sequence &+ UInt64(header.blockCount)
    guard header.session == session else { return claims(.session(header.session), header, line, at: now) }
    let expected = tracks[line].expected
    if end < expected {
      // Repeats and packets overtaken by others: normal, unless nothing else comes any more.
      if tracks[line].claim?.isFirm(.back, configuration, at: now) ?? false || lines[line].state == .wentBack
      {
        return claims(.back, header, line, at: now)
      }
      note(.back, end: end, line, at: now)
      tracks[line].goodAt = now
      return true
    }
    if header.sequence > known, header.sequence - known > configuration.maximumJump {
      return claims(.jump, header, line, at: now)
    }
    tracks[line].claim = nil
    tracks[line].goodAt = now
    if lines[line].state != .live { say(line, .live) }
    return true
  }

  /// Remembers what a line says.
  private mutating func note(_ kind: LineTrack.Claim.Kind, end: UInt64, _ line: Int, at now: UInt64) {
    if tracks[line].claim?.kind == kind {
      tracks[line].claim?.count += 1
      tracks[line].claim?.heardAt = now
    } else {
      tracks[line].claim = LineTrack.Claim(kind: kind, since: now, count: 1, expected: end, heardAt: now)
    }
  }

  /// The line says what isn't believed. True where it is now, because nobody contradicts it.
  private mutating func claims(
    _ kind: LineTrack.Claim.Kind, _ header: MoldUDP64Header, _ line: Int, at now: UInt64
  ) -> Bool {
    note(kind, end: header.sequence &+ UInt64(header.blockCount), line, at: now)
    let state: LineState =
      switch kind {
      case .session(let other): .wrongSession(other)
      case .back: .wentBack
      case .jump: .jumped
      }
    if lines[line].state != state { say(line, state) }
    guard isAgreed(kind, line, at: now) else { return false }
    switch kind {
    case .session(let new):
      isClosing = .session(new)
      // What this packet carries is asked for, or comes over the other line.
      return false
    case .back:
      isClosing = .restart
      return false
    case .jump:
      tracks[line].claim = nil
      tracks[line].goodAt = now
      say(line, .live)
      return true
    }
  }

  /// Whether a claim is to be followed: it is firm, and no line that is heard says otherwise.
  private func isAgreed(_ kind: LineTrack.Claim.Kind, _ line: Int, at now: UInt64) -> Bool {
    guard isClosing == nil else { return false }
    // After the end of a session another may begin at once.
    if case .session = kind, hasEnded { return true }
    guard tracks[line].claim?.isFirm(kind, configuration, at: now) ?? false else { return false }
    var others = 0
    for other in tracks.indices where other != line {
      if tracks[other].claim?.isFirm(kind, configuration, at: now) ?? false {
        others += 1
      } else if tracks[other].goodAt > 0, now < tracks[other].goodAt &+ patience(for: kind) {
        return false
      }
    }
    // A line alone must have stopped saying what it said before.
    return others > 0 || !isHeard(line, at: now)
  }

  /// How long the other lines' silence must be. To follow a wrong session or a false beginning costs the day's books.
  private func patience(for kind: LineTrack.Claim.Kind) -> UInt64 {
    kind == .jump ? configuration.silenceNanoseconds : configuration.trustNanoseconds
  }

  // MARK: - The beginning

  /// Before anything was delivered: hears all lines, or waits three intervals, and begins with what the state that
  /// is there already belongs to, else with what was said first.
  private mutating func settle(_ header: MoldUDP64Header, _ line: Int, at now: UInt64) -> Bool {
    if firstHeardAt == 0 { firstHeardAt = max(1, now) }
    let end = header.sequence &+ UInt64(header.blockCount)
    if tracks[line].claim == nil || tracks[line].claim?.kind != .session(header.session) {
      tracks[line].claim = LineTrack.Claim(
        kind: .session(header.session), since: now, count: 1, expected: end, heardAt: now)
    }
    // What is next comes in its turn: there is nothing to weigh.
    if session == nil || session == header.session, header.sequence <= next {
      begin(with: header.session)
      return isBelieved(header, line, at: now)
    }
    let isTimeUp = now >= firstHeardAt &+ 3 &* configuration.heartbeatNanoseconds
    guard isTimeUp || tracks.allSatisfy({ $0.claim != nil }) else { return false }
    let claims = tracks.compactMap(\.claim)
    var chosen = claims.min { $0.since < $1.since }?.kind
    if let session, claims.contains(where: { $0.kind == .session(session) }) { chosen = .session(session) }
    guard case .session(let begun) = chosen else { return false }
    // Of two lines far apart the one behind is begun with: the other's place can't be reached from it by any loss.
    let places = claims.filter { $0.kind == .session(begun) }.map(\.expected)
    begin(with: begun)
    if let lowest = places.min(), lowest > known, lowest - known > configuration.maximumJump {
      // A late start, far into the day: all of it is missing.
      holes.append(from: known, end: lowest, at: now)
      known = lowest
    }
    return isBelieved(header, line, at: now)
  }

  private mutating func begin(with begun: MoldSession) {
    isSettled = true
    for place in tracks.indices { tracks[place].begin() }
    guard session != begun else {
      // Of a session that goes on, lines that are behind what was had before have gone back.
      if next > 1 { for place in tracks.indices { tracks[place].expected = next } }
      return
    }
    session = begun
    next = 1
    known = 1
    hasNewSession = true
    actions.append(.session(begun))
  }

  // MARK: - Silence

  /// Time goes on: declares lines silent. Call it at least ten times a heartbeat interval.
  public mutating func tick(at now: UInt64) {
    for line in lines.indices {
      guard lines[line].state != .silent, lines[line].heardAt > 0,
        now >= lines[line].heardAt &+ configuration.silenceNanoseconds
      else { continue }
      tracks[line].claim = nil
      say(line, .silent)
    }
    // What is heard but not believed doesn't keep prices fresh.
    let heard = tracks.indices.contains { isHeard($0, at: now) }
    if isSettled, heard == isSilent {
      isSilent.toggle()
      actions.append(.silent(isSilent))
    }
  }

  private mutating func say(_ line: Int, _ state: LineState) {
    lines[line].state = state
    actions.append(.line(line, state))
  }
}
