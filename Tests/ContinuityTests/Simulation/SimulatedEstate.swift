// Two sites with two plants each, lines, rails and gateways, in one thread and faster than time. Faults come by a seed.
// Nothing here knows what the merger does; the oracle is a plant that got every message (SimulatedDay).

import Continuity
import FeedProtocols
import MarketData
import TickerPlant

@testable import FeedHandler

/// See the head of this file. Times are nanoseconds from one second on.
final class SimulatedEstate {
  static let step = 4 * millisecond
  static let beat = 20 * millisecond

  var random: SeededGenerator
  let days: [SimulatedDay]
  let hasRequestServer: Bool
  let rails: Int
  var now: UInt64 = 1_000_000_000
  var day = 0
  /// Messages of the day that the exchange has sent.
  var sent = 0
  var plants: [SimulatedPlant] = []
  var gateways: [SimulatedGateway] = []
  /// Until when a rail carries nothing.
  var railLostUntil: [UInt64]
  /// Until when a rail carries nothing between the sites.
  var partedUntil: [UInt64]
  var frameLoss = 0
  var incarnations: UInt64 = 0
  /// What must not happen, and did.
  var faults: [String] = []
  /// Gateways that took something of the other site.
  var crossed: Set<Int> = []
  var log: [String] = []
  var checks = 0
  /// Instruments of the day.
  private(set) lazy var codes = days[day].view(through: days[day].messages.count).codes
  /// Nothing more happens.
  var isCalm = false
  /// The session is over.
  var hasEnded = false
  private var nextHeartbeat: UInt64 = 0
  /// What was sent last on a connection: told again when it is made anew.
  private var recent: [[[[UInt8]]]] = []

  init(
    _ random: SeededGenerator, days: [SimulatedDay], gateways count: Int = 2, streams: Int = 2,
    across: Int = 1, isSelective: Bool = false, breaksDedup: Bool = false
  ) {
    self.random = random
    self.days = days
    hasRequestServer = self.random.chance(85)
    rails = self.random.chance(60) ? 2 : 1
    railLostUntil = [0, 0]
    partedUntil = [0, 0]
    for number in 0..<4 {
      incarnations += 1
      plants.append(
        SimulatedPlant(
          number: number, site: number / 2, incarnation: incarnations, today: days[0].date,
          hasRequestServer: hasRequestServer))
    }
    for number in 0..<count {
      gateways.append(
        SimulatedGateway(
          number: number, site: number % 2, plants: plants, rails: rails, streams: streams,
          across: across, isSelective: isSelective, breaksDedup: breaksDedup))
    }
    recent = plants.map { _ in Array(repeating: [], count: rails) }
  }

  // MARK: - Exchange

  func send(_ count: Int) {
    let end = min(days[day].messages.count, sent + count)
    guard end > sent else { return }
    packet(first: sent, Array(days[day].messages[sent..<end]))
    sent = end
  }

  private func packet(first: Int, _ messages: [[UInt8]]) {
    var writer = MoldUDP64PacketWriter(
      session: MoldSession(days[day].session), firstSequence: UInt64(first + 1), maximumBytes: 60_000)
    for message in messages { _ = writer.append(message) }
    multicast(writer.finish())
  }

  /// The exchange says that the session is over, as it does for a while at the end of each.
  func endSession() {
    hasEnded = true
    multicast(
      MoldUDP64PacketWriter(session: MoldSession(days[day].session), firstSequence: UInt64(sent + 1))
        .endOfSession())
  }

  private func multicast(_ bytes: [UInt8]) {
    for plant in plants where plant.life != .dead {
      for line in 0..<2 {
        let fault = plant.lines[line]
        if fault.deadUntil > now || random.chance(fault.loss) { continue }
        var delay = UInt64(100_000 + random.below(1_000_000))
        if random.chance(fault.reorder) { delay += 6 * millisecond }
        if plant.datagrams.count < 400 { plant.datagrams.append((now + delay, line, bytes)) }
        if random.chance(fault.duplicate) { plant.datagrams.append((now + delay + 300_000, line, bytes)) }
      }
    }
  }

  // MARK: - Time

  func run(_ nanoseconds: UInt64) {
    let end = now + nanoseconds
    while now < end { advance() }
  }

  func advance() {
    now += Self.step
    if now >= nextHeartbeat {
      nextHeartbeat = now + Self.beat
      if hasEnded { endSession() } else { packet(first: sent, []) }
    }
    for plant in plants { work(plant) }
    for gateway in gateways { work(gateway) }
  }

  private func work(_ plant: SimulatedPlant) {
    switch plant.life {
    case .dead, .frozen: return
    case .stuck: return beat(plant)
    case .runs: break
    }
    plant.receiver.today = days[day].date
    if plant.datagrams.contains(where: { $0.at <= now }) {
      let due = plant.datagrams.filter { $0.at <= now }.sorted { $0.at < $1.at }
      plant.datagrams.removeAll { $0.at <= now }
      for datagram in due {
        datagram.bytes.withUnsafeBytes {
          plant.receiver.take(
            $0, line: datagram.line, receivedAt: datagram.at, at: max(datagram.at, now - Self.step),
            plant: &plant.plant)
        }
        if random.chance(30) { settle(plant) }
      }
    }
    if now >= plant.nextTick {
      plant.nextTick = now + 2 * Self.step
      plant.receiver.tick(at: now, plant: &plant.plant)
    }
    settle(plant)
    publish(plant)
    beat(plant)
    let due = plant.requests.filter { $0.at <= now }
    plant.requests.removeAll { $0.at <= now }
    for request in due { answer(plant, request.gateway, request.rail, request.action) }
  }

  private func settle(_ plant: SimulatedPlant) {
    for request in plant.receiver.outgoing {
      guard request.session == MoldSession(days[day].session), !random.chance(5) else { continue }
      let first = Int(request.sequence)
      guard first >= 1, first <= sent else { continue }
      let end = min(sent, first - 1 + min(25, Int(request.count)))
      var writer = MoldUDP64PacketWriter(
        session: request.session, firstSequence: request.sequence, maximumBytes: 60_000)
      for message in days[day].messages[first - 1..<end] { _ = writer.append(message) }
      plant.datagrams.append(
        (now + UInt64(200_000 + random.below(3_000_000)), plant.receiver.arbiter.requestLine, writer.finish())
      )
    }
    plant.receiver.outgoing.removeAll()
    for note in plant.receiver.notes {
      log.append("\(now / millisecond) plant \(plant.number): \(note.text)")
    }
    plant.receiver.notes.removeAll()
    plant.receiver.takeHistory { _ in }
    // The ring: batches cut as the feed thread cuts them.
    if plant.plant.updates.bytes.count > 0 {
      var pieces = RecordSplitter(plant.plant.updates.bytes, limit: 700, hardLimit: 1400)
      while let piece = pieces.next() {
        plant.publisher.take(
          piece.records, tag: piece.continues ? RecordSplitter.continues : 0, at: now, wall: now
        ) { carry($1, from: plant.number, to: $0) }
      }
      plant.plant.updates.removeAll()
    }
  }

  private func publish(_ plant: SimulatedPlant) {
    plant.publisher.advance(
      to: plant.plant.sequence, epoch: EpochName(session: plant.plant.session, date: plant.plant.date))
    plant.publisher.flush(at: now, wall: now) { carry($1, from: plant.number, to: $0) }
  }

  private func beat(_ plant: SimulatedPlant) {
    guard now >= plant.nextBeat else { return }
    plant.nextBeat = now + Self.beat
    plant.publisher.beat(service: .inService, lag: 0, at: now, wall: now) {
      carry($1, from: plant.number, to: $0)
    }
  }

  // MARK: - Rails

  private func isCut(_ rail: Int, _ a: Int, _ b: Int) -> Bool {
    railLostUntil[rail] > now || (a != b && partedUntil[rail] > now)
  }

  /// Publishes on every rail.
  private func carry(
    _ frame: UnsafeRawBufferPointer, from plant: Int, to destination: StreamPublisher.Destination
  ) {
    let bytes = [UInt8](frame)
    let isBeat = frame[3] == FrameKind.beat.rawValue
    for rail in 0..<rails {
      recent[plant][rail].append(bytes)
      if recent[plant][rail].count > 5 { recent[plant][rail].removeFirst() }
      for gateway in gateways where gateway.hears(destination, isBeat: isBeat) {
        carry(bytes, from: plant, rail, to: gateway)
      }
    }
  }

  private func carry(_ bytes: [UInt8], from plant: Int, _ rail: Int, to gateway: SimulatedGateway) {
    guard !isCut(rail, plants[plant].site, gateway.site), !random.chance(frameLoss) else { return }
    let base = plants[plant].site == gateway.site ? 300_000 : 3_000_000
    let at = max(gateway.lastArrival[plant][rail], now + UInt64(base + random.below(2_000_000)))
    gateway.lastArrival[plant][rail] = at
    gateway.arriving.append((at, plant, rail, bytes))
  }

  /// A connection is made anew: what was sent last comes again.
  func tellAgain(plant: Int, rail: Int) {
    for bytes in recent[plant][rail] {
      for gateway in gateways { carry(bytes, from: plant, rail, to: gateway) }
    }
  }

  private func answer(_ plant: SimulatedPlant, _ number: Int, _ rail: Int, _ action: StreamMerger.Action) {
    let gateway = gateways[number]
    switch action {
    case .replay(_, let from, let through, let epoch, let code):
      plant.publisher.replay(
        from: from, through: through, epoch: epoch, code: code, mostBytes: 6000, wall: now
      ) {
        carry([UInt8]($0), from: plant.number, rail, to: gateway)
      }
    case .snapshot, .list:
      var (code, isList): (InstrumentCode?, Bool) = (nil, true)
      if case .snapshot(_, let one) = action { (code, isList) = (one, false) }
      // Everything until here has been published: the state is of the same message.
      plant.plant.emitAll(announcing: 0)
      SnapshotEncoder.encode(
        plant.plant.updates.bytes,
        position: StreamPosition(
          epoch: EpochName(session: plant.plant.session, date: plant.plant.date),
          sequence: plant.plant.sequence), state: plant.plant.sourceState, gap: plant.plant.gap, code: code,
        isList: isList,
        configuration: plant.configuration, incarnation: plant.incarnation, wall: now, partBytes: 1500
      ) { carry([UInt8]($0), from: plant.number, rail, to: gateway) }
      plant.plant.updates.removeAll()
    case .refused: break
    }
  }

  // MARK: - Gateways

  private func want(_ gateway: SimulatedGateway) {
    if !isCalm, random.chance(3) { gateway.turn(random.pick(codes), at: now) }
    for plant in plants
    where plant.life == .runs && gateway.streams[plant.number].contains(where: { $0 != nil }) {
      guard (0..<rails).contains(where: { !isCut($0, plant.site, gateway.site) }) else { continue }
      plant.publisher.want(gateway.wanted, at: now)
    }
  }

  private func work(_ gateway: SimulatedGateway) {
    if gateway.isSelective { want(gateway) }
    if gateway.arriving.contains(where: { $0.at <= now }) {
      let due = gateway.arriving.filter { $0.at <= now }.sorted { $0.at < $1.at }
      gateway.arriving.removeAll { $0.at <= now }
      for frame in due {
        gateway.take(frame.bytes, plant: frame.plant, rail: frame.rail, at: max(frame.at, now - Self.step))
        act(gateway)
      }
    }
    gateway.merger.tick(at: now) { gateway.deliver($0, $1) }
    gateway.choose(at: now)
    act(gateway)
    let crossing = gateway.crossing(plants)
    if gateway.across == 1, crossing.count > 1 {
      faults.append("gateway \(gateway.number) takes \(crossing)")
    }
    if !crossing.isEmpty { crossed.insert(gateway.number) }
    check(gateway)
  }

  private func act(_ gateway: SimulatedGateway) {
    while let action = gateway.merger.nextAction() {
      switch action {
      case .replay(let stream, _, _, _, _), .snapshot(let stream, _), .list(let stream):
        let (plant, rail) = gateway.owners[stream]
        log.append("\(now / millisecond) gateway \(gateway.number): \(action)")
        guard plants[plant].life != .dead, !isCut(rail, plants[plant].site, gateway.site) else { continue }
        plants[plant].requests.append(
          (now + UInt64(500_000 + random.below(3_000_000)), gateway.number, rail, action))
      case .refused(_, let reason): gateway.refusals.append(reason)
      }
    }
  }

  /// What is shown as live is what the oracle showed at that message.
  private func check(_ gateway: SimulatedGateway) {
    // Of one that takes single instruments the end is looked at.
    guard !gateway.isSelective, gateway.view.state == .live, !gateway.view.isOpen,
      let position = gateway.merger.position
    else {
      return
    }
    guard random.chance(25) else { return }
    checks += 1
    guard let shown = days.first(where: { $0.session == position.epoch.session }) else {
      return faults.append("gateway \(gateway.number) shows epoch \(position.epoch)")
    }
    guard Int(position.sequence) < shown.shown.count else {
      return faults.append("gateway \(gateway.number) is at \(position.sequence)")
    }
    if gateway.view.sum != shown.shown[Int(position.sequence)] {
      faults.append(
        "\(now / millisecond): gateway \(gateway.number) shows a wrong value as live at \(position)")
    }
  }
}
