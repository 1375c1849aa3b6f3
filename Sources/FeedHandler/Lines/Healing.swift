// After a declared gap the books may be wrong. Healing: a second plant begins where the first had its gap (from a
// snapshot made then, or from nothing), asks the request server for everything since, and takes the same live packets.
// When it has come as far as the first one, its state replaces the first one's. Until it is known that the request
// server has the missing messages, it is only asked for them now and then.
// Owner: the feed thread. Pure: packets and times come in.

import FeedProtocols
import TickerPlant

/// See the head of this file.
struct Healing: ~Copyable {
  /// Between two questions whether the missing messages can be had; doubles up to `longestPause`.
  private static var firstPause: UInt64 { 1_000_000_000 }
  private static var longestPause: UInt64 { 60_000_000_000 }
  /// Without progress for so long a second plant is given up.
  private static var patience: UInt64 { 120_000_000_000 }

  enum State {
    case none
    /// The messages from that one on are asked for now and then.
    case waiting(from: UInt64, base: [UInt8]?, askAt: UInt64, pause: UInt64)
    /// A second plant is catching up.
    case running(SecondPlant, from: UInt64, base: [UInt8]?, reached: UInt64, since: UInt64)
  }

  /// A state that is only doubted is given up after so many unanswered questions: a minute.
  private static var mostQuestions: Int { 6 }

  private(set) var state = State.none
  /// Nothing is known to be missing: the state is made anew because another plant says something else.
  private(set) var isDoubt = false
  private var questions = 0
  /// How often a gap was healed.
  private(set) var healed: UInt64 = 0

  /// A gap was declared. `base`: the state before its first message; nil = before any message.
  mutating func wait(from: UInt64, base: [UInt8]?, at now: UInt64) {
    // An earlier gap's way leads past this one. A doubt gives way: what is missing is known.
    guard !isHealingGap else { return }
    isDoubt = false
    state = .waiting(from: from, base: base, askAt: now + Self.firstPause, pause: Self.firstPause)
  }

  /// The state is doubted: the messages from that one on are applied anew, on `base`, the state before them.
  /// - Returns: false where a gap is being healed, or a doubt already: what is made anew then is all new.
  mutating func doubt(from: UInt64, base: [UInt8]?, at now: UInt64) -> Bool {
    guard case .none = state else { return false }
    isDoubt = true
    questions = 0
    state = .waiting(from: from, base: base, askAt: now, pause: Self.firstPause)
    return true
  }

  /// Whether a declared gap is waited for or caught up with.
  var isHealingGap: Bool { if case .none = state { false } else { !isDoubt } }

  /// Gives up: another session has begun.
  mutating func cancel() {
    state = .none
    isDoubt = false
  }

  /// The first message to ask for now; nil = nothing.
  mutating func question(at now: UInt64) -> UInt64? {
    guard case .waiting(let from, let base, let askAt, let pause) = state, now >= askAt else { return nil }
    if isDoubt {
      questions += 1
      // Nobody has the messages any more; a gap that comes must find the way free.
      guard questions <= Self.mostQuestions else {
        cancel()
        return nil
      }
    }
    let next = min(pause * 2, Self.longestPause)
    state = .waiting(from: from, base: base, askAt: now + next, pause: next)
    return from
  }

  /// Whether an answer of the request server says that the missing messages can be had.
  func isAnswered(by header: MoldUDP64Header) -> Bool {
    guard case .waiting(let from, _, _, _) = state else { return false }
    return header.sequence <= from && from < header.sequence &+ UInt64(header.blockCount)
  }

  /// Begins with a second plant.
  mutating func run(_ second: SecondPlant, at now: UInt64) {
    guard case .waiting(let from, let base, _, _) = state else { return }
    state = .running(second, from: from, base: base, reached: second.arbiter.next, since: now)
  }

  /// The second plant's beginning, while it is waited for.
  var base: [UInt8]? { if case .waiting(_, let base, _, _) = state { base } else { nil } }
  /// The first missing message, while it is waited for.
  var from: UInt64 { if case .waiting(let from, _, _, _) = state { from } else { 0 } }
  /// The second plant, while it is catching up.
  var second: SecondPlant? { if case .running(let second, _, _, _, _) = state { second } else { nil } }

  /// Looks whether the second plant gets on; one that doesn't is given up, and the question asked again later.
  mutating func watch(at now: UInt64) {
    guard case .running(let second, let from, let base, let reached, let since) = state else { return }
    if second.arbiter.next > reached {
      state = .running(second, from: from, base: base, reached: second.arbiter.next, since: now)
    } else if now >= since + Self.patience {
      waitAgain(at: now)
    }
  }

  /// Gives the second plant up, and asks again later.
  mutating func waitAgain(at now: UInt64) {
    guard case .running(_, let from, let base, _, _) = state else { return }
    guard !isDoubt else { return cancel() }
    state = .waiting(from: from, base: base, askAt: now + Self.longestPause, pause: Self.longestPause)
  }

  /// The second plant has replaced the first.
  mutating func finish() {
    healed += 1
    cancel()
  }
}

/// A plant that follows the first one from before its gap. Owner: the feed thread.
final class SecondPlant {
  var arbiter: LineArbiter
  var plant: TickerPlant
  /// The lines speak of another session, or of an end: what is followed here is over.
  private(set) var isOver = false

  init(_ configuration: LineArbiterConfiguration, session: MoldSession, plant: consuming TickerPlant) {
    var configuration = configuration
    configuration.declares = false
    arbiter = LineArbiter(configuration, session: session, next: plant.sequence + 1, isSettled: true)
    self.plant = plant
  }

  /// Takes a packet; requests are added to `outgoing`.
  func take(
    _ packet: UnsafeRawBufferPointer, _ header: MoldUDP64Header, line: Int, receivedAt: UInt64,
    at now: UInt64,
    budget: inout RequestBudget, outgoing: inout [MoldUDP64Request]
  ) {
    let outcome = SequencedPackets.take(
      packet, header, line: line, receivedAt: receivedAt, at: now, arbiter: &arbiter, plant: &plant)
    if case .again = outcome { isOver = true }
    act(at: now, budget: &budget, outgoing: &outgoing)
  }

  /// Carries out what is due.
  func act(at now: UInt64, budget: inout RequestBudget, outgoing: inout [MoldUDP64Request]) {
    while let action = SequencedPackets.nextAction(at: now, arbiter: &arbiter, budget: &budget, plant: &plant)
    {
      switch action {
      case .request(let request): outgoing.append(request)
      case .session, .restarted: isOver = true
      case .deliver, .declare, .ended, .line, .silent: break
      }
    }
  }
}
