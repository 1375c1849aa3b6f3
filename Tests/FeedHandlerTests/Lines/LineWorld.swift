// Both lines, the request server and the receiving plant in one thread, faster than time: packets are lost, doubled
// and overtaken by a seed, and what arrives is given to a MoldReceiver. Nothing here knows what the receiver does.

import ExchangeSimulator
import FeedProtocols
import MarketData
import TickerPlant

@testable import FeedHandler

/// Messages of one simulated day but for its end mark (after which a feed is over, not live), and the digest of a plant
/// that got each of them.
struct LineDay: Sendable {
  let messages: [[UInt8]]
  let digest: UInt64
  static let market = "XTKS"
  static let date = CalendarDate("2026-11-25") ?? CalendarDate(daysSince1970: 0)

  static let shared = LineDay(seed: runSeed, instruments: 4, messages: 10_000)

  init(seed: UInt64, instruments: Int, messages count: Int) {
    var market = SimulatedMarket(
      SimulatorConfiguration(
        seed: seed, instruments: instruments, date: Self.date, messagesPerDay: max(count, instruments * 100)))
    var writer = ByteWriter(capacity: 1 << 20)
    market.advance(to: .max, into: &writer)
    var found: [[UInt8]] = []
    var place = 0
    while place + 2 <= writer.bytes.count {
      let length = Int(writer.bytes[place]) << 8 | Int(writer.bytes[place + 1])
      found.append([UInt8](writer.bytes[place + 2..<place + 2 + length]))
      place += 2 + length
    }
    if let last = found.last, last.first == UInt8(ascii: "S"), last.last == UInt8(ascii: "C") {
      found.removeLast()
    }
    messages = found
    let bytes = framed(found)
    var plant = Self.plant()
    plant.beginEpoch(session: "DAY1", date: Self.date)
    bytes.withUnsafeBytes { _ = plant.apply(framed: $0, firstSequence: 1) }
    digest = plant.digest().value
  }

  static func plant() -> TickerPlant {
    TickerPlant(PlantConfiguration(market: market, date: date))
  }
}

/// What happens to packets on their way.
struct LineFaults {
  var loss = 0.0
  var duplicate = 0.0
  var reorder = 0.0
  /// Messages that are on no line.
  var missing: Set<UInt64> = []
  /// Virtual times in which the line is dead.
  var dead: Range<UInt64>?
}

/// See the head of this file. Times are nanoseconds from 1 on.
struct LineWorld: ~Copyable {
  var receiver: MoldReceiver
  var plant: TickerPlant
  var random: SeededGenerator
  var now: UInt64 = 1_000_000_000
  var faults: [LineFaults]
  var requestLoss = 0.0
  /// Messages the request server doesn't have.
  var requestMissing: Set<UInt64> = []
  var requestsReceived = 0
  var history: [UInt64] = []
  /// Source states seen, changes only.
  var states: [SourceState] = []
  var notes: [MoldReceiver.Note] = []
  /// Declared gaps, as the plant's records told them.
  var declared: [ClosedRange<UInt64>] = []
  private var inFlight: [(at: UInt64, line: Int, bytes: [UInt8])] = []

  static let millisecond: UInt64 = 1_000_000

  init(
    _ random: SeededGenerator, lines: Int = 2, hasRequestServer: Bool = true, requestsPerSecond: Int = 5_000,
    plant: consuming TickerPlant = LineDay.plant(),
    change: (inout LineArbiterConfiguration) -> Void = { _ in }
  ) {
    var configuration = LineArbiterConfiguration(lines: lines)
    configuration.hasRequestServer = hasRequestServer
    change(&configuration)
    self.random = random
    receiver = MoldReceiver(
      configuration, requestsPerSecond: requestsPerSecond, plant: plant, firstDay: LineDay.date,
      hasFixedDay: true)
    self.plant = plant
    faults = Array(repeating: LineFaults(), count: lines)
  }

  private mutating func chance(_ probability: Double) -> Bool {
    probability > 0 && Double.random(in: 0..<1, using: &random) < probability
  }

  // MARK: - Sending

  /// A packet on both lines, each with its own faults.
  mutating func send(_ session: String, _ first: UInt64, _ messages: [[UInt8]], only line: Int? = nil) {
    for place in faults.indices where line == nil || line == place {
      let fault = faults[place]
      if let dead = fault.dead, dead.contains(now) { continue }
      if messages.indices.contains(where: { fault.missing.contains(first + UInt64($0)) }) { continue }
      if chance(fault.loss) { continue }
      var delay = UInt64.random(in: 20_000...200_000, using: &random)
      if chance(fault.reorder) { delay += UInt64.random(in: 1_000_000...5_000_000, using: &random) }
      let bytes = Self.packet(session, first, messages)
      inFlight.append((now + delay, place, bytes))
      if chance(fault.duplicate) { inFlight.append((now + delay + 100_000, place, bytes)) }
    }
  }

  mutating func heartbeat(_ session: String, _ next: UInt64, only line: Int? = nil) {
    send(session, next, [], only: line)
  }

  static func packet(_ session: String, _ first: UInt64, _ messages: [[UInt8]]) -> [UInt8] {
    var writer = MoldUDP64PacketWriter(
      session: MoldSession(session), firstSequence: first, maximumBytes: 60_000)
    for message in messages { _ = writer.append(message) }
    return writer.finish()
  }

  mutating func endOfSession(_ session: String, _ next: UInt64) {
    let writer = MoldUDP64PacketWriter(session: MoldSession(session), firstSequence: next)
    for place in faults.indices { inFlight.append((now + 50_000, place, writer.endOfSession())) }
  }

  // MARK: - Time

  /// Lets time go on; the request server answers from `messages`.
  mutating func run(_ nanoseconds: UInt64, session: String, messages: [[UInt8]], sent: Int) {
    let end = now + nanoseconds
    while now < end {
      now += Self.millisecond
      let due = inFlight.filter { $0.at <= now }.sorted { $0.at < $1.at }
      inFlight.removeAll { $0.at <= now }
      for packet in due {
        packet.bytes.withUnsafeBytes {
          receiver.take($0, line: packet.line, receivedAt: packet.at, at: max(packet.at, 1), plant: &plant)
        }
        settle(session, messages, sent)
      }
      receiver.tick(at: now, plant: &plant)
      settle(session, messages, sent)
    }
  }

  private mutating func settle(_ session: String, _ messages: [[UInt8]], _ sent: Int) {
    for request in receiver.outgoing {
      requestsReceived += 1
      guard request.session == MoldSession(session), !chance(requestLoss) else { continue }
      var answer: [[UInt8]] = []
      var number = request.sequence
      while answer.count < min(Int(request.count), 25), number >= 1, number <= UInt64(sent),
        !requestMissing.contains(number)
      {
        answer.append(messages[Int(number) - 1])
        number += 1
      }
      guard !answer.isEmpty, !chance(requestLoss) else { continue }
      let delay = UInt64.random(in: 100_000...800_000, using: &random)
      inFlight.append(
        (now + delay, receiver.arbiter.requestLine, Self.packet(session, request.sequence, answer)))
    }
    receiver.outgoing.removeAll()
    notes += receiver.notes
    receiver.notes.removeAll()
    receiver.takeHistory { _ in }
    var cursor = UpdateCursor(plant.updates.bytes)
    while cursor.next() {
      guard cursor.header.kind == UpdateKind.source.rawValue else { continue }
      let source: SourcePayload = cursor.payload()
      let state = SourceState(rawValue: UInt8(truncatingIfNeeded: source.state)) ?? .silent
      if state == .gap, source.gapFrom > 0, declared.last?.lowerBound != source.gapFrom {
        declared.append(source.gapFrom...max(source.gapFrom, source.gapThrough))
      }
      if states.last != state { states.append(state) }
    }
    plant.updates.removeAll()
  }

  /// Sends messages in packets of a few each millisecond, then heartbeats until all is quiet.
  mutating func play(
    _ session: String, _ messages: [[UInt8]], from first: Int = 0, through last: Int? = nil,
    quiet: UInt64 = 2_000
  ) {
    var place = first
    let end = last ?? messages.count
    while place < end {
      let count = min(end - place, Int.random(in: 1...12, using: &random))
      send(session, UInt64(place + 1), Array(messages[place..<place + count]))
      place += count
      run(Self.millisecond, session: session, messages: messages, sent: place)
    }
    for _ in 0..<quiet / 100 {
      heartbeat(session, UInt64(end + 1))
      run(100 * Self.millisecond, session: session, messages: messages, sent: end)
    }
  }
}
