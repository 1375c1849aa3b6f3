// From datagrams of the lines and the request server to the plant: arbitration, declared gaps, sessions, healing.
// Owner: the feed thread. Pure: no socket, no clock; datagrams and times come in, requests and notes go out.
// Invariant: what the plant shows as live is what a plant that got every message would show.

import FeedProtocols
import MarketData
import TickerPlant

/// See the head of this file.
struct MoldReceiver: ~Copyable {
  /// Something for the log.
  struct Note: Equatable {
    var level: FeedThread.Level
    var text: String
  }

  /// Arbitration of what is shown.
  private(set) var arbiter: LineArbiter
  private(set) var healing = Healing()
  /// To be sent to the request server; the owner empties it.
  var outgoing: [MoldUDP64Request] = []
  /// To be logged; the owner empties it.
  var notes: [Note] = []
  /// Keeps what is applied, for other plants; nil = nobody wants it.
  var retained: RetainedFeed?
  /// What a line beyond A and B is called.
  var relayName: (@Sendable () -> String)?
  /// The day at the exchange now; the owner keeps it.
  var today: CalendarDate
  private var budget: RequestBudget
  /// The first session's day.
  private let firstDay: CalendarDate
  /// Days follow one another from the first, whatever the clock says.
  private let hasFixedDay: Bool
  private var hasBegun = false
  private var restarts = 1
  private var malformedNotes = 0
  private var hasEnded = false
  private var sessionBegan = false
  private var wasSettled = false
  /// Packets of sessions that aren't followed, or not before the present one is done.
  private var waiting = WaitingPackets()
  /// A second plant that has replaced the first: what it learned is still to be handed over.
  private var finished: SecondPlant?

  /// A receiver for a plant, which may have been restored.
  init(
    _ configuration: LineArbiterConfiguration, requestsPerSecond: Int, plant: borrowing TickerPlant,
    firstDay: CalendarDate, hasFixedDay: Bool
  ) {
    budget = RequestBudget(perSecond: requestsPerSecond)
    self.firstDay = firstDay
    self.hasFixedDay = hasFixedDay
    today = firstDay
    if plant.sequence > 0, plant.date == firstDay {
      let (name, restarts) = Self.parts(of: plant.session)
      arbiter = LineArbiter(configuration, session: MoldSession(name), next: plant.sequence + 1)
      self.restarts = restarts
      hasBegun = true
      if plant.sourceState == .gap { healing.wait(from: 1, base: nil, at: 0) }
    } else {
      arbiter = LineArbiter(configuration)
    }
  }

  /// A session's name and how often its numbers began anew: `NAME~2` is the second time.
  private static func parts(of session: String) -> (name: String, restarts: Int) {
    let parts = session.split(separator: "~", maxSplits: 1)
    return (parts.first.map(String.init) ?? "", parts.count == 2 ? max(1, Int(parts[1]) ?? 1) : 1)
  }

  // MARK: - In

  /// Takes a datagram.
  /// - Parameters:
  ///   - line: from 0; `arbiter.requestLine` for the request server.
  ///   - receivedAt: nanoseconds since 1970.
  ///   - now: nanoseconds of a clock that only goes forward.
  mutating func take(
    _ packet: UnsafeRawBufferPointer, line: Int, receivedAt: UInt64, at now: UInt64, plant: inout TickerPlant
  ) {
    let header: MoldUDP64Header
    do throws(MoldUDP64Error) { header = try MoldUDP64Header.validated(packet.bytes) } catch {
      arbiter.countMalformed(line: line)
      malformedNotes += 1
      if malformedNotes <= 20 { note(.warning, "\(name(line)): \(error): passed over") }
      if malformedNotes == 20 { note(.warning, "further malformed packets are counted, not logged") }
      return
    }
    var tries = 0
    trying: while true {
      let outcome = SequencedPackets.take(
        packet, header, line: line, receivedAt: receivedAt, at: now, arbiter: &arbiter, plant: &plant,
        keeping: retained)
      switch outcome {
      case .done: break trying
      case .keep:
        keep(packet, header, line: line, receivedAt: receivedAt, at: now)
        break trying
      case .again:
        act(at: now, plant: &plant)
        tries += 1
        // The present session isn't done: something of it is waited for.
        if tries == 2 {
          keep(packet, header, line: line, receivedAt: receivedAt, at: now)
          break trying
        }
        // What came before it comes first.
        offerWaiting(at: now, plant: &plant)
      }
    }
    act(at: now, plant: &plant)
    offerWaiting(at: now, plant: &plant)
    if case .none = healing.state { return }
    heal(packet, header, line: line, receivedAt: receivedAt, at: now, plant: &plant)
  }

  private mutating func keep(
    _ packet: UnsafeRawBufferPointer, _ header: MoldUDP64Header, line: Int, receivedAt: UInt64, at now: UInt64
  ) {
    if waiting.keep(packet, header, line: line, receivedAt: receivedAt, at: now) { return }
    note(
      .warning,
      "\(name(line)): more than \(WaitingPackets.mostBytes >> 20) MiB came of session \"\(header.session)\", which isn't "
        + "followed: what comes now is passed over")
  }

  /// Takes packets that came before their session began.
  private mutating func offerWaiting(at now: UInt64, plant: inout TickerPlant) {
    guard sessionBegan || (arbiter.isSettled && !wasSettled) else { return }
    sessionBegan = false
    wasSettled = true
    for packet in waiting.takeAll() {
      packet.bytes.withUnsafeBytes {
        take($0, line: packet.line, receivedAt: packet.receivedAt, at: now, plant: &plant)
      }
    }
  }

  /// Time goes on: silent lines, gaps to be declared, requests to be repeated. Call it each few milliseconds.
  mutating func tick(at now: UInt64, plant: inout TickerPlant) {
    arbiter.tick(at: now)
    act(at: now, plant: &plant)
    offerWaiting(at: now, plant: &plant)
    waiting.forgetDisproved(arbiter, at: now)
    if let from = healing.question(at: now), let session = arbiter.session, budget.take(at: now) {
      outgoing.append(MoldUDP64Request(session: session, sequence: from, count: 1_000))
    }
    if let second = healing.second {
      second.arbiter.tick(at: now)
      second.act(at: now, budget: &budget, outgoing: &outgoing)
      finishHealing(second, at: now, plant: &plant)
      healing.watch(at: now)
    }
    let state = state(at: now)
    if plant.sourceState != state, plant.sourceState != .ended { plant.setSourceState(state) }
  }

  /// Makes the state anew, beside the one that is shown: from the session's first message where it is still kept or
  /// somebody can be asked, else on the oldest of the states that follow on each other to what is kept.
  /// - Parameter bases: the plant's earlier states, oldest first, with their last message.
  mutating func rebuild(from bases: [(sequence: UInt64, bytes: [UInt8])], at now: UInt64) {
    guard let session = arbiter.session else { return }
    var first: (sequence: UInt64, bytes: [UInt8]?) = (0, nil)
    if let retained, retained.packet(session, from: 1, most: 1) == nil,
      let base = bases.first(where: { retained.packet(session, from: $0.sequence + 1, most: 1) != nil })
    {
      first = (base.sequence, base.bytes)
    }
    guard healing.doubt(from: first.sequence + 1, base: first.bytes, at: now) else { return }
    note(
      .warning,
      "the state is made anew from message \(first.sequence + 1) on; what is shown goes on meanwhile")
  }

  /// Whether a second plant is catching up or waited for.
  var isHealing: Bool { if case .none = healing.state { false } else { true } }

  /// What was asked for, lost and healed.
  var requests: RequestStatistics {
    var requests = arbiter.requests
    requests.healed = healing.healed
    requests.passedOver &+= waiting.passedOver
    return requests
  }

  /// The kernel's count of packets dropped on a line's socket.
  mutating func countDropped(_ total: UInt64, line: Int) { arbiter.countDropped(total, line: line) }

  private func state(at now: UInt64) -> SourceState {
    if hasEnded { return .ended }
    if arbiter.isSilent { return .silent }
    if !arbiter.isSettled || arbiter.isRecovering(at: now) { return .recovering }
    return .live
  }

  // MARK: - Actions

  private mutating func act(at now: UInt64, plant: inout TickerPlant) {
    while let action = SequencedPackets.nextAction(
      at: now, arbiter: &arbiter, budget: &budget, plant: &plant, keeping: retained)
    {
      switch action {
      case .request(let request): outgoing.append(request)
      case .declare(let from, let through): declare(from: from, through: through, at: now, plant: &plant)
      case .session(let session): begin(session.description, plant: &plant)
      case .restarted:
        restarts += 1
        note(.warning, "the session \(arbiter.session?.description ?? "") began anew at its first message")
        begin(arbiter.session?.description ?? "", plant: &plant)
      case .ended:
        hasEnded = true
        note(
          .info, "session \(arbiter.session?.description ?? "") has ended after message \(arbiter.next - 1)")
        plant.setSourceState(.ended)
      case .line(let line, let state): tell(line, state)
      case .silent(let isSilent):
        note(
          isSilent ? .error : .info, isSilent ? "no line is heard: prices are stale" : "a line is heard again"
        )
      case .deliver: break  // done by `SequencedPackets`
      }
    }
  }

  private mutating func declare(from: UInt64, through: UInt64, at now: UInt64, plant: inout TickerPlant) {
    note(
      .error,
      "messages \(from) to \(through) are lost: neither line nor request server has them; prices are stale until they come"
    )
    // With nobody to ask, nothing heals but another day.
    if arbiter.configuration.hasRequestServer, !healing.isHealingGap {
      healing.wait(from: from, base: plant.snapshot(), at: now)
    }
    plant.declareGap(from: from, through: through)
  }

  private mutating func begin(_ session: String, plant: inout TickerPlant) {
    healing.cancel()
    retained?.begin()
    hasEnded = false
    sessionBegan = true
    if Self.parts(of: plant.session).name != session { restarts = 1 }
    let day: CalendarDate
    if !hasBegun {
      day = firstDay
    } else if hasFixedDay {
      day = restarts > 1 ? plant.date : plant.date.nextWeekday
    } else {
      day = max(today, plant.date)
    }
    hasBegun = true
    plant.beginEpoch(session: restarts > 1 ? "\(session)~\(restarts)" : session, date: day)
    note(.info, "session \(session), day \(day)")
  }

  private mutating func tell(_ line: Int, _ state: LineState) {
    switch state {
    case .waiting: break
    case .live: note(.info, "\(name(line)) is live")
    case .silent where isRelayed(line): note(.info, "\(name(line)) is not taken any more")
    case .silent:
      note(
        .warning, "\(name(line)) is silent: nothing came for three heartbeats; is it up, is its group joined?"
      )
    case .wrongSession(let other):
      note(
        .warning,
        "\(name(line)) speaks of session \"\(other)\", \"\(arbiter.session?.description ?? "")\" is followed: passed over"
      )
    case .wentBack:
      note(.warning, "\(name(line)): its numbers went back below \(arbiter.next): passed over")
    case .jumped:
      note(
        .warning,
        "\(name(line)): its numbers jumped by more than \(arbiter.configuration.maximumJump) beyond \(arbiter.known): passed over"
      )
    }
  }

  /// What a line is called.
  func name(_ line: Int) -> String {
    guard line < arbiter.configuration.lines else { return "request server" }
    if isRelayed(line), let relayName { return "line C (\(relayName()))" }
    return "line \(line == 0 ? "A" : "B")"
  }

  /// Whether the line is another plant's.
  private func isRelayed(_ line: Int) -> Bool { relayName != nil && line == arbiter.configuration.lines - 1 }

  private mutating func note(_ level: FeedThread.Level, _ text: String) {
    notes.append(Note(level: level, text: text))
  }

  // MARK: - Healing

  private mutating func heal(
    _ packet: UnsafeRawBufferPointer, _ header: MoldUDP64Header, line: Int, receivedAt: UInt64,
    at now: UInt64,
    plant: inout TickerPlant
  ) {
    if line == arbiter.requestLine, healing.isAnswered(by: header) { startHealing(at: now, plant: plant) }
    guard let second = healing.second else { return }
    second.take(
      packet, header, line: line, receivedAt: receivedAt, at: now, budget: &budget, outgoing: &outgoing)
    finishHealing(second, at: now, plant: &plant)
  }

  private mutating func startHealing(at now: UInt64, plant: borrowing TickerPlant) {
    guard let session = arbiter.session else { return }
    var fresh = TickerPlant(
      PlantConfiguration(
        market: plant.market, session: plant.session, date: plant.date, reference: plant.reference,
        expectedOrders: max(1 << 16, plant.liveOrders * 2), expectedInstruments: plant.instrumentCount))
    if let base = healing.base {
      do throws(SnapshotError) { try fresh.restore(base) } catch {
        note(.error, "the state before the gap can't be read: \(error); beginning at message 1")
      }
    }
    // Who keeps history hears first where this begins.
    fresh.setSourceState(.recovering)
    if fresh.sequence == 0 { fresh.emitAll(announcing: 0) }
    note(.info, "the request server has message \(healing.from): catching up from \(fresh.sequence + 1)")
    healing.run(SecondPlant(arbiter.configuration, session: session, plant: fresh), at: now)
  }

  private mutating func finishHealing(_ second: SecondPlant, at now: UInt64, plant: inout TickerPlant) {
    // Its lines seem to speak of another session: where that is so, the first arbiter finds out by itself.
    if second.isOver { return healing.waitAgain(at: now) }
    guard arbiter.isComplete, second.arbiter.isComplete, second.arbiter.next == arbiter.next,
      second.plant.sequence == plant.sequence
    else { return }
    second.plant.setSourceState(state(at: now))
    do throws(SnapshotError) {
      try plant.restore(second.plant.snapshot())
      note(.info, "healed: every message up to \(plant.sequence) is in the books; prices are live")
    } catch {
      note(.error, "healing failed: \(error)")
    }
    finished = second
    healing.finish()
  }

  /// Hands over what the second plant has written, for who keeps history.
  mutating func takeHistory(_ body: (UnsafeRawBufferPointer) -> Void) {
    for second in [finished, healing.second] {
      guard let second, second.plant.updates.bytes.count > 0 else { continue }
      body(second.plant.updates.bytes)
      second.plant.updates.removeAll()
    }
    finished = nil
  }
}
