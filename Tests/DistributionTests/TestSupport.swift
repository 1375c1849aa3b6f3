// A market in one thread: plants, a fan-out, clients that write down what they get, and a clock that is told.

import Distribution
import ExchangeSimulator
import FeedProtocols
import Foundation
import MarketData
import TickerPlant

/// The run's seed: KABUTO_SEED (hexadecimal), or another one each time.
let runSeed: UInt64 = {
  let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
  let seed = given ?? UInt64.random(in: 1...0xffff_ffff)
  print("DistributionTests: KABUTO_SEED=\(String(seed, radix: 16))")
  return seed
}()

/// The line that repeats a run.
var seedNote: String { "KABUTO_SEED=\(String(runSeed, radix: 16))" }

/// A generator for one test; `name` and `round` keep the tests' numbers apart.
func generator(_ name: String, round: Int = 0) -> SeededGenerator {
  var digest = StateDigest()
  digest.combine(runSeed)
  digest.combine(name)
  digest.combine(UInt64(round))
  return SeededGenerator(seed: digest.value)
}

/// Calls `body` at least `rounds` times, and on until KABUTO_FUZZ_SECONDS have passed.
func fuzz(rounds: Int, _ body: () throws -> Void) rethrows {
  let seconds = ProcessInfo.processInfo.environment["KABUTO_FUZZ_SECONDS"].flatMap(Double.init) ?? 0
  let end = Date().addingTimeInterval(seconds)
  for _ in 0..<rounds { try body() }
  while Date() < end { try body() }
}

extension SeededGenerator {
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
}

let minute: UInt64 = 60_000_000_000
func clock(_ hour: UInt64, _ minutes: UInt64, _ seconds: UInt64 = 0) -> UInt64 {
  (hour * 60 + minutes) * minute + seconds * 1_000_000_000
}

func framed(_ message: some ITCHPayload) -> [UInt8] {
  var writer = ByteWriter(capacity: 64)
  writer.framed(message)
  return writer.bytes
}

/// A client's connection in a test: it keeps frames, and can refuse.
final class FakeTransport: ClientTransport {
  var canTakeMore = true
  var takenBytes: UInt64 = 0
  var frames: [[UInt8]] = []
  var encodings: [StreamEncoding] = []
  var closed: (code: UInt16, reason: String)?

  /// What happens while a frame is being sent: a connection may end in the middle of it.
  var whileSending: (() -> Void)?

  func send(frame: OutgoingFrame) {
    frames.append(Array(frame.bytes))
    encodings.append(frame.encoding)
    whileSending?()
  }
  func close(code: UInt16, reason: String) { closed = (code, reason) }
}

/// Two simulated days as frames, made once; some messages of other kinds are mixed in.
struct MixedFeed: Sendable {
  var days: [[[UInt8]]] = []
  var reference: ReferenceData
  static let all = (0..<2).map { MixedFeed(seed: runSeed &+ $0, instruments: 3 + Int($0)) }

  init(seed: UInt64, instruments: Int) {
    let date = CalendarDate("2026-11-20") ?? CalendarDate(daysSince1970: 0)
    var market = SimulatedMarket(
      SimulatorConfiguration(
        seed: seed, instruments: instruments, date: date, messagesPerDay: instruments * 300))
    reference = market.reference
    var random = generator("mixed", round: Int(truncatingIfNeeded: seed & 0xff))
    for day in 0..<2 {
      if day > 0 { market.beginNextDay() }
      var writer = ByteWriter(capacity: 1 << 16)
      market.advance(to: .max, into: &writer)
      days.append(Self.mixed(writer.bytes, &random))
    }
  }

  private static func mixed(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [[UInt8]] {
    var frames: [[UInt8]] = []
    var matches: [(match: MatchNumber, header: ITCHHeader)] = []
    var stocks: [UInt16: InstrumentCode] = [:]
    var offset = 0
    while offset + 2 <= bytes.count {
      let next = offset + 2 + Int(bytes[offset]) << 8 + Int(bytes[offset + 1])
      let frame = Array(bytes[offset..<next])
      frames.append(frame)
      offset = next
      guard let message = try? ITCHMessage(decoding: Array(frame[2...]).span.bytes) else { continue }
      let header = message.header
      switch message {
      case .stockDirectory(let m): stocks[header.locate] = m.stock
      case .orderExecuted(let m): matches.append((m.match, header))
      case .nonCrossTrade(let m): matches.append((m.match, header))
      default: break
      }
      guard random.chance(4), let stock = stocks[header.locate] else { continue }
      switch random.below(6) {
      case 0:
        guard let one = matches.popLast() else { continue }
        var header = header
        header.locate = one.header.locate
        frames.append(framed(BrokenTrade(header: header, match: one.match)))
      case 1:
        frames.append(
          framed(OrderCancel(header: header, reference: OrderReference(1 << 60), cancelledShares: 1)))
      case 2:
        frames.append(
          framed(
            AuctionCollar(
              header: header, stock: stock, referencePrice: Price(10),
              upperPrice: Price(Int64(random.below(50))),
              lowerPrice: Price(5), extensionCount: 0)))
      case 3:
        frames.append(
          framed(RegSHORestriction(header: header, stock: stock, action: random.chance(50) ? "1" : "0")))
      case 4:
        frames.append(
          framed(
            OperationalHalt(
              header: header, stock: stock, marketCode: "Q", action: random.chance(50) ? "H" : "T")))
      default:
        frames.append(
          framed(
            NonCrossTrade(
              header: header, reference: OrderReference(0), side: .buy, shares: UInt32(1 + random.below(300)),
              stock: stock, price: Price(units: Int64(1_000_000 + random.below(90) * 100)),
              match: MatchNumber(1 << 40 + random.next() >> 40))))
      }
    }
    return frames
  }
}

/// Plants and one fan-out.
final class World {
  final class Source {
    var plant: TickerPlant
    let feed: MixedFeed
    var day = 0
    var position = 0
    var next: UInt64 = 1

    init(market: String, feed: MixedFeed) {
      self.feed = feed
      plant = TickerPlant(
        PlantConfiguration(
          market: market, session: "S", date: CalendarDate("2026-11-20") ?? CalendarDate(daysSince1970: 0),
          reference: feed.reference, expectedOrders: 64, expectedInstruments: 4))
    }
  }

  let distributor: Distributor
  var sources: [Source] = []
  var now: UInt64 = 100_000

  init(markets: [String] = ["XTKS"], feeds: [MixedFeed]? = nil) {
    let feeds = feeds ?? MixedFeed.all
    distributor = World.fanOut(markets, feeds)
    for (number, market) in markets.enumerated() {
      let source = Source(market: market, feed: feeds[number % feeds.count])
      source.plant.setSourceState(.recovering)
      source.plant.emitAll(announcing: 0)
      source.plant.setSourceState(.live)
      sources.append(source)
      deliver(number)
    }
  }

  static func fanOut(_ markets: [String], _ feeds: [MixedFeed]) -> Distributor {
    Distributor(
      markets: markets.enumerated().map { number, market in
        MarketDescription(
          market: market, timeZone: "Asia/Tokyo", reference: feeds[number % feeds.count].reference,
          utcOffsetSeconds: { _ in 32_400 })
      })
  }

  /// Applies frames of a source; false where its days are over.
  @discardableResult
  func feed(_ number: Int = 0, _ count: Int) -> Bool {
    let source = sources[number]
    guard source.day < source.feed.days.count else { return false }
    let frames = source.feed.days[source.day]
    let end = min(frames.count, source.position + count)
    apply(frames[source.position..<end].flatMap { $0 }, to: number)
    source.position = end
    if end == frames.count {
      source.day += 1
      source.position = 0
      if source.day < source.feed.days.count {
        source.plant.beginEpoch(session: "S", date: source.plant.date.nextWeekday)
        source.next = 1
        deliver(number)
      }
    }
    return true
  }

  func apply(_ bytes: [UInt8], to number: Int = 0) {
    let source = sources[number]
    let count = bytes.withUnsafeBytes {
      source.plant.apply(framed: $0, firstSequence: source.next, receivedAt: 1_790_000_000_000_000_000)
    }
    source.next += UInt64(count)
    deliver(number)
  }

  func apply(_ messages: any ITCHPayload...) { for message in messages { apply(framed(message)) } }

  func deliver(_ number: Int = 0) {
    let source = sources[number]
    distributor.consume(market: number, records: source.plant.updates.bytes, now: now)
    source.plant.updates.removeAll()
  }

  /// Lets time go on in steps of 10 ms.
  func wait(_ milliseconds: UInt64) {
    for _ in 0..<max(1, milliseconds / 10) {
      now += 10
      // As the loop does it: what another's subscription flushed leaves with the next turn.
      distributor.finishBatches(now: now)
      distributor.tick(now: now)
    }
  }

  /// REST's answer of a name.
  func quote(_ name: String) -> [String: Any] { answer(name) { $0.writeQuote($1, into: &$2) } }
  func book(_ name: String, levels: Int = 10) -> [String: Any] {
    answer(name) { $0.writeBook($1, levels: levels, into: &$2) }
  }
  func trades(_ name: String, limit: Int = 50) -> [[String: Any]] {
    let answer = answer(name) {
      $2.raw("{\"trades\":[")
      _ = $0.writeTrades($1, limit: limit, before: .max, into: &$2)
      $2.raw("]}")
    }
    return answer["trades"] as? [[String: Any]] ?? []
  }

  private func answer(_ name: String, _ write: (Distributor, Int, inout JSONWriter) -> Void) -> [String: Any]
  {
    guard case .found(let index) = distributor.lookUp(name) else { return [:] }
    var writer = JSONWriter()
    write(distributor, index, &writer)
    return object(Array(writer.bytes))
  }

  /// Names of all instruments, as answers show them.
  var names: [String] { (0..<distributor.instrumentCount).map { distributor.fullName(of: $0).shown } }
}

/// A JSON object; empty where the bytes are none.
func object(_ bytes: [UInt8]) -> [String: Any] {
  (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any] ?? [:]
}

/// Equal JSON values.
func same(_ a: Any?, _ b: Any?) -> Bool {
  switch (a, b) {
  case (nil, nil): true
  case (let a as [String: Any], let b as [String: Any]):
    a.count == b.count && a.allSatisfy { same($0.value, b[$0.key]) }
  case (let a as [Any], let b as [Any]): a.count == b.count && zip(a, b).allSatisfy { same($0, $1) }
  case (let a as String, let b as String): a == b
  case (let a as NSNumber, let b as NSNumber): a == b
  case (is NSNull, is NSNull): true
  default: false
  }
}

/// Fields in which two objects differ, with both values.
func difference(_ a: [String: Any], _ b: [String: Any]) -> String? {
  for key in Set(a.keys).union(b.keys).sorted() where !same(a[key], b[key]) {
    return "\(key): \(a[key] ?? "absent") against \(b[key] ?? "absent")"
  }
  return nil
}
