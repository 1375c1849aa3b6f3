// Repeatable randomness for this target, a plant in a box, and short words for messages.

import FeedProtocols
import Foundation
import MarketData
import TickerPlant

/// The run's seed: KABUTO_SEED (hexadecimal), or another one each time.
let runSeed: UInt64 = {
  let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
  let seed = given ?? UInt64.random(in: 1...0xffff_ffff)
  print("TickerPlantTests: KABUTO_SEED=\(String(seed, radix: 16))")
  return seed
}()

/// A generator for one test; `name` and `round` keep the tests' numbers apart.
func generator(_ name: String, round: Int = 0) -> SeededGenerator {
  var digest = StateDigest()
  digest.combine(runSeed)
  digest.combine(name)
  digest.combine(UInt64(round))
  return SeededGenerator(seed: digest.value)
}

extension SeededGenerator {
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// A message with its two-byte length.
func framed(_ message: [UInt8]) -> [UInt8] {
  [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
}

func framed(_ message: some ITCHPayload) -> [UInt8] {
  var writer = ByteWriter(capacity: 64)
  writer.framed(message)
  return writer.bytes
}

/// The frames of a stretch of a feed, one by one.
func frames(_ bytes: [UInt8]) -> [[UInt8]] {
  var list: [[UInt8]] = []
  var offset = 0
  while offset + 2 <= bytes.count {
    let next = offset + 2 + Int(bytes[offset]) << 8 + Int(bytes[offset + 1])
    list.append(Array(bytes[offset..<next]))
    offset = next
  }
  return list
}

let second: UInt64 = 1_000_000_000
func clock(_ hour: UInt64, _ minute: UInt64, _ seconds: UInt64 = 0) -> UInt64 {
  ((hour * 60 + minute) * 60 + seconds) * second
}

/// One update record, whole.
struct Record: Equatable, CustomStringConvertible {
  var kind: UInt8
  var flags: UInt8
  /// The instrument's code; 0 = the source.
  var raw: UInt64
  var sequence: UInt64
  var time: UInt64
  var payload: [UInt8]

  var code: String { InstrumentCode(raw).description }
  var update: UpdateKind? { UpdateKind(rawValue: kind) }

  func payload<Payload: BitwiseCopyable>(as type: Payload.Type = Payload.self, skip: Int = 0) -> Payload {
    payload.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: skip, as: Payload.self) }
  }

  var description: String {
    update == .facts
      ? "\(payload(as: FactsPayload.self))"
      : "\(update.map { "\($0)" } ?? "?") of \(code), seq \(sequence), flags \(flags), time \(time), \(payload.count) bytes"
  }
}

/// A plant that can be passed around, and the number of its next message.
final class Box {
  var plant: TickerPlant
  var next: UInt64 = 1

  init(
    market: String = "XTST", session: String = "", date: String = "2026-11-20",
    reference: ReferenceData? = nil,
    expectedOrders: Int = 16, expectedInstruments: Int = 1
  ) {
    plant = TickerPlant(
      PlantConfiguration(
        market: market, session: session, date: CalendarDate(date) ?? CalendarDate(daysSince1970: 0),
        reference: reference, expectedOrders: expectedOrders, expectedInstruments: expectedInstruments))
  }

  /// Applies frames under the next numbers, or under `sequence`.
  @discardableResult
  func apply(_ bytes: [UInt8], sequence: UInt64? = nil) -> Int {
    let first = sequence ?? next
    let count = bytes.withUnsafeBytes { plant.apply(framed: $0, firstSequence: first, receivedAt: 7) }
    next = max(next, first &+ UInt64(count))
    return count
  }

  func apply(_ messages: any ITCHPayload...) { for message in messages { apply(framed(message)) } }

  /// The records since the last call.
  func records() -> [Record] {
    var list: [Record] = []
    var cursor = UpdateCursor(plant.updates.bytes)
    var offset = 0
    while cursor.next() {
      let header = cursor.header
      let raw = header.instrument == .max ? 0 : plant.code(of: Int(header.instrument)).rawValue
      let bytes = Array(plant.updates.bytes[offset + 32..<offset + Int(header.byteCount)])
      list.append(
        Record(
          kind: header.kind, flags: header.flags, raw: raw, sequence: header.sequence, time: header.time,
          payload: bytes))
      offset += Int(header.byteCount)
    }
    plant.updates.removeAll()
    return list
  }

  func index(_ code: String) -> Int { InstrumentCode(code).flatMap { plant.index(of: $0) } ?? -1 }
  func statistics(_ code: String) -> StatisticsPayload { plant.statistics(of: index(code)) }
  func facts(_ code: String) -> FactsPayload { plant.facts(of: index(code)) }
  func levels(_ code: String, _ side: Side) -> [PriceLevel] { levels(of: index(code), side) }
  func levels(of index: Int, _ side: Side) -> [PriceLevel] {
    var list: [PriceLevel] = []
    while let level = plant.level(list.count, of: index, side: side) { list.append(level) }
    return list
  }
}

/// Short words for messages about one instrument.
struct Instrument {
  var code: InstrumentCode
  var locate: UInt16

  init(_ code: String, locate: UInt16 = 1) {
    self.code = InstrumentCode(code) ?? InstrumentCode(0)
    self.locate = locate
  }

  func header(_ time: UInt64) -> ITCHHeader { ITCHHeader(locate: locate, timestamp: time) }

  func add(_ number: UInt64, _ side: Side, _ shares: UInt32, _ price: String, at time: UInt64 = 0) -> AddOrder
  {
    AddOrder(
      header: header(time), reference: OrderReference(number), side: side, shares: shares, stock: code,
      price: Price(price) ?? Price(0))
  }
  func execute(_ number: UInt64, _ shares: UInt32, match: UInt64 = 0, at time: UInt64 = 0) -> OrderExecuted {
    OrderExecuted(
      header: header(time), reference: OrderReference(number), executedShares: shares,
      match: MatchNumber(match))
  }
  func execute(
    _ number: UInt64, _ shares: UInt32, price: String, printable: ITCHCode, match: UInt64 = 0,
    at time: UInt64 = 0
  ) -> OrderExecutedWithPrice {
    OrderExecutedWithPrice(
      header: header(time), reference: OrderReference(number), executedShares: shares,
      match: MatchNumber(match),
      printable: printable, executionPrice: Price(price) ?? Price(0))
  }
  func cancel(_ number: UInt64, _ shares: UInt32, at time: UInt64 = 0) -> OrderCancel {
    OrderCancel(header: header(time), reference: OrderReference(number), cancelledShares: shares)
  }
  func delete(_ number: UInt64, at time: UInt64 = 0) -> OrderDelete {
    OrderDelete(header: header(time), reference: OrderReference(number))
  }
  func replace(_ old: UInt64, by new: UInt64, _ shares: UInt32, _ price: String, at time: UInt64 = 0)
    -> OrderReplace
  {
    OrderReplace(
      header: header(time), originalReference: OrderReference(old), newReference: OrderReference(new),
      shares: shares, price: Price(price) ?? Price(0))
  }
  func hidden(_ shares: UInt32, _ price: String, match: UInt64 = 0, at time: UInt64 = 0) -> NonCrossTrade {
    NonCrossTrade(
      header: header(time), reference: OrderReference(0), side: .buy, shares: shares, stock: code,
      price: Price(price) ?? Price(0), match: MatchNumber(match))
  }
  func cross(_ shares: UInt64, _ price: String, _ type: ITCHCode, match: UInt64 = 0, at time: UInt64 = 0)
    -> CrossTrade
  {
    CrossTrade(
      header: header(time), shares: shares, stock: code, crossPrice: Price(price) ?? Price(0),
      match: MatchNumber(match), crossType: type)
  }
  func broken(_ match: UInt64, at time: UInt64 = 0) -> BrokenTrade {
    BrokenTrade(header: header(time), match: MatchNumber(match))
  }
  func action(_ state: ITCHCode, _ reason: ITCHCode4 = "", at time: UInt64 = 0) -> StockTradingAction {
    StockTradingAction(header: header(time), stock: code, tradingState: state, reserved: " ", reason: reason)
  }
}

func system(_ event: ITCHCode, at time: UInt64 = 0) -> SystemEvent {
  SystemEvent(header: ITCHHeader(locate: 0, timestamp: time), event: event)
}

/// A snapshot's checksum, so that a forgery gets past it.
func sealSnapshot(_ bytes: inout [UInt8]) {
  func word(_ offset: Int) -> UInt64 {
    (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
  }
  let count = bytes.count - 8
  var lanes: [UInt64] = [1, 2, 3, 4]
  var offset = 0
  while offset + 32 <= count {
    for lane in 0..<4 { lanes[lane] = StateDigest.mix(lanes[lane] ^ word(offset + 8 * lane)) }
    offset += 32
  }
  var digest = StateDigest()
  for lane in lanes { digest.combine(lane) }
  while offset < count {
    digest.combine(UInt64(bytes[offset]))
    offset += 1
  }
  for index in 0..<8 { bytes[count + index] = UInt8(truncatingIfNeeded: digest.value >> UInt64(8 * index)) }
}
