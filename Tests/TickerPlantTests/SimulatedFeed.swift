// Small simulated markets as lists of frames, made once and shared by the tests of this target.

import ExchangeSimulator
import FeedProtocols
import Foundation
import MarketData

/// A market's days.
struct SimulatedFeed: Sendable {
  struct Day: Sendable {
    var date: CalendarDate
    var reference: ReferenceData
    var frames: [[UInt8]]
  }

  var days: [Day] = []

  init(seed: UInt64, instruments: Int = 3, messagesPerDay: Int = 900, days count: Int = 2) {
    let date = CalendarDate("2026-11-20") ?? CalendarDate(daysSince1970: 0)
    var market = SimulatedMarket(
      SimulatorConfiguration(seed: seed, instruments: instruments, date: date, messagesPerDay: messagesPerDay)
    )
    for number in 0..<count {
      if number > 0 { market.beginNextDay() }
      let reference = market.reference
      var writer = ByteWriter(capacity: 1 << 16)
      market.advance(to: .max, into: &writer)
      days.append(
        Day(date: reference.date ?? date, reference: reference, frames: TickerPlantTests.frames(writer.bytes))
      )
    }
  }

  /// Two markets, from the run's seed.
  static let pair = [SimulatedFeed(seed: runSeed), SimulatedFeed(seed: runSeed ^ 0xff)]
}
