// Line arbitration (MoldUDP64 1.00): the lines A and B and the answers of the request server carry the same sequenced
// messages; the first copy of each is delivered, in order. What is missing is asked for within a budget, waited for
// a bounded time, and then declared lost, once. A line that speaks of another session, whose numbers went back or
// jumped beyond reason is not believed while another line contradicts it.
// Owner: the feed thread. Pure: time comes in with each call, actions go out; the caller carries them out.
// Invariants: `next` never decreases within a session; every sequence number is delivered or declared lost, once;
// every number below `known` is delivered, declared, held, or in a hole; memory is bounded by `maximumHeldBytes`.
// On the path of a packet that comes in its turn: no allocation, no lock.

/// How an arbiter decides. Times are nanoseconds.
public struct LineArbiterConfiguration: Sendable {
  /// Lines: 1 or 2, and one more where another plant's packets may come.
  public var lines: Int
  /// A line's heartbeats come at least this often.
  public var heartbeatNanoseconds: UInt64 = 100_000_000
  /// Whether there is somebody to ask.
  public var hasRequestServer = false
  /// How long a gap is waited for before it is declared.
  public var waitNanoseconds: UInt64 = 500_000_000
  /// How long the other line may take before the request server is asked.
  public var graceNanoseconds: UInt64 = 2_000_000
  /// After this an unanswered request is repeated.
  public var retryNanoseconds: UInt64 = 20_000_000
  /// Requests without an answer before a gap may be declared, however long it took to be allowed to ask.
  public var leastAttempts = 8
  /// A step of the numbers beyond this is believed only where no line contradicts it.
  public var maximumJump: UInt64 = 65_536
  /// How long a line may be quiet before another one's claim of another session, or of numbers begun anew, is followed.
  public var trustNanoseconds: UInt64 = 5_000_000_000
  /// Bytes of packets that wait for their turn.
  public var maximumHeldBytes = 32 << 20
  /// Whether gaps are ever declared; a healing arbiter waits on.
  public var declares = true

  /// Lines beyond this are other plants', which may be waiting for the same: nothing is waited for because of them.
  public var ownLines: Int

  /// The defaults for that many lines.
  public init(lines: Int) {
    self.lines = lines
    ownLines = lines
  }

  /// Silence after which a line is declared silent: with the caller's clock of a tenth of an interval, within three.
  var silenceNanoseconds: UInt64 { heartbeatNanoseconds * 5 / 2 }
}

/// See the head of this file.
public struct LineArbiter: Sendable {
  /// What to do with the packet just received.
  public enum Verdict: Sendable, Equatable {
    /// Its messages from this one on (0 = the first) are next: apply them, then call `advance`.
    case deliver(skip: Int)
    /// It waits for its turn: call `hold` with its bytes.
    case hold
    /// Nothing of it is new.
    case ignore
    /// It begins another session: take the actions there are, then offer it again.
    case again
    /// It isn't believed, but its session may come to be followed: keep it, and offer it when a session begins.
    case keep
  }

  /// What happened besides; taken with `nextAction` until there is none.
  public enum Action: Sendable {
    /// Packets held until now are next; apply the messages from `skip` on.
    case deliver(HeldPacket, skip: Int)
    /// Nobody has these: they are lost.
    case declare(from: UInt64, through: UInt64)
    /// Ask the request server.
    case request(MoldUDP64Request)
    /// Another session begins at its first message; everything of the one before has been delivered or declared.
    case session(MoldSession)
    /// The same session began anew at its first message.
    case restarted
    /// The session is over and everything of it has been delivered or declared.
    case ended
    /// A line changed its state.
    case line(Int, LineState)
    /// No line is heard any more, or one is again.
    case silent(Bool)
  }

  /// How it decides.
  public let configuration: LineArbiterConfiguration
  /// The session that is followed; nil before the first packet that is believed.
  public internal(set) var session: MoldSession?
  /// The next number to be delivered.
  public internal(set) var next: UInt64 = 1
  /// One past the highest number known of.
  public internal(set) var known: UInt64 = 1
  /// By line.
  public internal(set) var lines: [LineStatistics]
  /// What was asked for and lost.
  public internal(set) var requests = RequestStatistics()
  /// Whether the session has ended.
  public internal(set) var hasEnded = false

  var tracks: [LineTrack]
  var holes = SequenceHoles()
  var held: HeldPackets
  /// Actions that are due at once, oldest first.
  var actions: [Action] = []
  /// Session and place were taken from what lines say first, once all had spoken or time was up.
  public internal(set) var isSettled = false
  var firstHeardAt: UInt64 = 0
  /// No line is heard.
  public internal(set) var isSilent = false
  var saidEnd = false
  /// The packet being looked at begins a session that nobody has been told of.
  var hasNewSession = false
  /// Everything still missing is declared, so that another session can begin.
  var isClosing: Closing?

  private var isRestarting: Bool { if case .restart = isClosing { true } else { false } }

  enum Closing {
    case session(MoldSession)
    case restart
  }

  /// The line number of what the request server sends.
  public var requestLine: Int { configuration.lines }

  /// An arbiter that has heard nothing.
  /// - Parameters:
  ///   - session: the session of the state that is there already; nil = any.
  ///   - next: the number that is wanted first.
  ///   - isSettled: the session is known to be the lines'; otherwise they are heard first.
  public init(
    _ configuration: LineArbiterConfiguration, session: MoldSession? = nil, next: UInt64 = 1,
    isSettled: Bool = false
  ) {
    self.isSettled = isSettled && session != nil
    self.configuration = configuration
    self.session = session
    self.next = max(1, next)
    known = self.next
    lines = Array(repeating: LineStatistics(), count: configuration.lines)
    tracks = Array(repeating: LineTrack(), count: configuration.lines)
    held = HeldPackets(maximumBytes: configuration.maximumHeldBytes)
  }

  /// Nothing is missing: all that is known has been delivered or declared.
  public var isComplete: Bool { holes.isEmpty && held.isEmpty }
  /// A gap is older than a heartbeat, or long: what was delivered may be old.
  public func isRecovering(at now: UInt64) -> Bool {
    guard let hole = holes.first else { return false }
    return hole.end - hole.from > 1024 || now >= hole.noticedAt &+ configuration.heartbeatNanoseconds
  }
  /// Bytes that wait for their turn.
  public var heldBytes: Int { held.byteCount }

  /// A packet that waits for its turn and has that message; nil where none does.
  public func heldPacket(with sequence: UInt64) -> HeldPacket? { held.packet(with: sequence) }

  // MARK: - Packets

  /// Takes a packet whose header and blocks were found right (`MoldUDP64Header.validated`).
  /// - Parameters:
  ///   - line: which line brought it, from 0; `requestLine` for the request server.
  ///   - byteCount: of the whole packet, for the counts.
  ///   - now: nanoseconds of a clock that only goes forward.
  public mutating func receive(_ header: MoldUDP64Header, line: Int, byteCount: Int, at now: UInt64)
    -> Verdict
  {
    let count = UInt64(header.blockCount)
    if line < lines.count {
      lines[line].heardAt = now
      let isBelieved = isBelieved(header, line, at: now)
      // Counted when it is taken.
      if hasNewSession || isAwaited(header.session) {
        hasNewSession = false
        return .again
      }
      lines[line].packets &+= 1
      lines[line].bytes &+= UInt64(byteCount)
      lines[line].messages &+= count
      if count == 0 { lines[line].heartbeats &+= 1 }
      guard isBelieved else {
        lines[line].disbelieved &+= 1
        return isSettled && header.session == session ? .ignore : .keep
      }
      tracks[line].follow(header, &lines[line])
    } else {
      guard header.session == session, isSettled, count > 0 else { return .ignore }
      requests.answers &+= 1
    }
    guard count > 0 else {
      notice(upTo: header.sequence, at: now)
      if line < lines.count { noteEnd(header.isEndOfSession, line, at: now) }
      return .ignore
    }
    let end = header.sequence &+ count
    if end <= next {
      if line < lines.count { lines[line].repeated &+= count }
      return .ignore
    }
    if header.sequence <= next {
      let skip = Int(next - header.sequence)
      if line < lines.count { lines[line].repeated &+= UInt64(skip) }
      return .deliver(skip: skip)
    }
    return .hold
  }

  /// The packet of a `deliver` verdict has been applied up to, not including, `end`.
  @inline(__always)
  public mutating func advance(to end: UInt64, line: Int, at now: UInt64) {
    if holes.isEmpty {
      count(end &- next, firstBy: line)
      next = end
      if end > known { known = end }
    } else {
      advanceSlowly(to: end, line: line, at: now)
    }
  }

  @inline(never)
  private mutating func advanceSlowly(to end: UInt64, line: Int, at now: UInt64) {
    // What was held already was counted for the line that brought it.
    let new =
      holes.fill(from: next, end: min(end, known), at: now) &+ (end > known ? end - max(known, next) : 0)
    count(new, firstBy: line)
    next = end
    known = max(known, end)
  }

  /// An end is believed when every line that is heard says it; one that goes on takes it back.
  private mutating func noteEnd(_ saysEnd: Bool, _ line: Int, at now: UInt64) {
    tracks[line].saysEnd = saysEnd
    let all = tracks.indices.allSatisfy { tracks[$0].saysEnd || !isHeard($0, at: now) }
    if all, saysEnd { hasEnded = true }
  }

  /// Whether packets of that session are waited for until the present one is done.
  private func isAwaited(_ other: MoldSession) -> Bool {
    if case .session(let new) = isClosing { return new == other }
    return false
  }

  @inline(__always)
  private mutating func count(_ messages: UInt64, firstBy line: Int) {
    if line < lines.count { lines[line].first &+= messages } else { requests.recovered &+= messages }
  }

  /// Keeps the packet of a `hold` verdict. `blocks`: the bytes behind the header.
  public mutating func hold(
    _ header: MoldUDP64Header, blocks: RawSpan, line: Int, receivedAt: UInt64, at now: UInt64
  ) {
    let count = UInt64(header.blockCount)
    let end = header.sequence &+ count
    notice(upTo: header.sequence, at: now)
    let isNew = end > known || holes.list.contains { $0.from < end && $0.end > header.sequence }
    guard isNew else {
      if line < lines.count { lines[line].repeated &+= count }
      return
    }
    let packet = HeldPacket(
      sequence: header.sequence, count: Int(count), bytes: blocks.withUnsafeBytes { [UInt8]($0) },
      receivedAt: receivedAt)
    guard held.insert(packet) else {
      // No room: what it carries is missing like the rest.
      requests.passedOver &+= count
      notice(upTo: end, at: now)
      return
    }
    var filled = holes.fill(from: header.sequence, end: min(end, known), at: now)
    if end > known {
      filled += end - max(known, header.sequence)
      known = end
    }
    self.count(filled, firstBy: line)
    if line < lines.count { lines[line].repeated &+= count &- min(count, filled) }
  }

  /// Learns that all numbers below `end` have been sent.
  private mutating func notice(upTo end: UInt64, at now: UInt64) {
    guard end > known else { return }
    holes.append(from: known, end: end, at: now, join: configuration.waitNanoseconds)
    known = end
  }

  /// A packet that is no MoldUDP64.
  public mutating func countMalformed(line: Int) {
    if line < lines.count { lines[line].malformed &+= 1 }
  }

  /// The kernel's count of packets dropped on a line's socket.
  public mutating func countDropped(_ total: UInt64, line: Int) {
    if line < lines.count { lines[line].dropped = total }
  }

  // MARK: - What to do

  /// The next thing to do; nil where there is none now. Call it after each packet and at least ten times a heartbeat
  /// interval, until it gives nil.
  @inline(__always)
  public mutating func nextAction(at now: UInt64, budget: inout RequestBudget) -> Action? {
    if actions.isEmpty, holes.isEmpty, held.isEmpty, !hasEnded, isClosing == nil { return nil }
    return nextActionSlowly(at: now, budget: &budget)
  }

  @inline(never)
  private mutating func nextActionSlowly(at now: UInt64, budget: inout RequestBudget) -> Action? {
    if !actions.isEmpty { return actions.removeFirst() }
    while let packet = held.take(at: next) {
      guard packet.end > next else { continue }
      let skip = Int(next - packet.sequence)
      next = packet.end
      return .deliver(packet, skip: skip)
    }
    if let gap = expired(at: now) { return gap }
    if let request = dueRequest(at: now, budget: &budget) { return .request(request) }
    // What is missing of a session is asked and waited for before the next one begins.
    if isClosing != nil, holes.isEmpty || isRestarting { return close() }
    if hasEnded, !saidEnd, holes.isEmpty {
      saidEnd = true
      return .ended
    }
    return nil
  }
}
