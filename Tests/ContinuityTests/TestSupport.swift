// Repeatable randomness for this target, and a small market's day. A run is repeated with KABUTO_SEED=… as printed.

import ExchangeSimulator
import FeedProtocols
import Foundation
import MarketData
import TickerPlant

@testable import Continuity

/// The run's seed: KABUTO_SEED (hexadecimal), or another one each time.
let runSeed: UInt64 = {
  let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
  let seed = given ?? UInt64.random(in: 1...0xffff_ffff)
  print("ContinuityTests: KABUTO_SEED=\(String(seed, radix: 16))")
  return seed
}()

/// A generator for one test; `name` keeps the tests' numbers apart.
func generator(_ name: String) -> SeededGenerator {
  var digest = StateDigest()
  digest.combine(runSeed)
  digest.combine(name)
  return SeededGenerator(seed: digest.value)
}

/// Estates that each half of the simulation plays: KABUTO_ESTATES, or what a minute of two slow cores is enough for.
let estates = ProcessInfo.processInfo.environment["KABUTO_ESTATES"].flatMap(Int.init) ?? 400

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

let millisecond: UInt64 = 1_000_000
let testMarket = "XTKS"
let testDate = CalendarDate("2026-11-25") ?? CalendarDate(daysSince1970: 0)

/// The messages of a simulated day but for its end mark (after which a feed is over, not live).
func dayMessages(
  seed: UInt64, instruments: Int, messages count: Int, date: CalendarDate = testDate, until: UInt64 = .max
)
  -> [[UInt8]]
{
  var market = SimulatedMarket(
    SimulatorConfiguration(
      seed: seed, instruments: instruments, date: date, messagesPerDay: max(count, instruments * 100)))
  var writer = ByteWriter(capacity: 1 << 20)
  market.advance(to: until, into: &writer)
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
  return found
}

func framed(_ messages: some Sequence<[UInt8]>) -> [UInt8] {
  var bytes: [UInt8] = []
  for message in messages {
    bytes.append(UInt8(message.count >> 8))
    bytes.append(UInt8(message.count & 255))
    bytes += message
  }
  return bytes
}

func newPlant(date: CalendarDate = testDate) -> TickerPlant {
  TickerPlant(PlantConfiguration(market: testMarket, date: date, expectedOrders: 256, expectedInstruments: 8))
}

extension TickerPlant {
  mutating func apply(_ messages: some Sequence<[UInt8]>, first: UInt64) {
    let bytes = framed(messages)
    bytes.withUnsafeBytes { _ = apply(framed: $0, firstSequence: first) }
  }
}
