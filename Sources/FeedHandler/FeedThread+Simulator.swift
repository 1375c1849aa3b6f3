// Plays the simulated market. With `speed` it begins shortly before the open and goes at that pace; without, it
// keeps the clock's time while Tokyo trades, and outside these hours plays a day in about a quarter of an hour, so
// that whoever looks sees a moving market. Idle stretches are cut.

import ExchangeSimulator
import FeedProtocols
import Foundation
import MarketData
import TickerPlant

extension FeedThread {
  /// Where an accelerated day begins to be shown, nanoseconds since midnight: what comes before is caught up.
  private static var showFrom: UInt64 { (8 * 3600 + 59 * 60) * 1_000_000_000 }
  private static var acceleration: Double { 20 }
  /// Messages applied between two looks at the clock.
  private static var batchMessages: Int { 4096 }

  func playSimulator(_ configuration: SimulatorConfiguration, _ speed: FeedSpeed?) throws(FeedSetupError) {
    var configuration = configuration
    var daysToPass = 0
    var passUntil: UInt64 = 0
    if plant.sequence > 0 {
      if let days = daysFromFirst(configuration) {
        configuration.date = days.first
        daysToPass = days.count
        passUntil = plant.sequence
      } else {
        // Never back in time: what the store has of later days would stand before it.
        let date = max(feed.date, plant.date.nextWeekday)
        outlets.log(
          .info,
          "\(feed.source): the kept state (\(plant.session) \(plant.date)) is of another market or too many days on; a new one begins on \(date)"
        )
        configuration.date = date
        plant.setReference(SimulatedMarket(configuration).reference)
        plant.beginEpoch(session: PreparedFeed.session(seed: configuration.seed, first: date), date: date)
        publish()
      }
    }
    var market = SimulatedMarket(configuration)
    for _ in 0..<daysToPass where !stops {
      var writer = ByteWriter(capacity: 1 << 20)
      while market.nextTimestamp != nil, !stops {
        writer.bytes.removeAll(keepingCapacity: true)
        _ = market.advance(to: .max, limit: 100_000, into: &writer)
      }
      market.beginNextDay()
    }
    if plant.sequence > 0 { plant.setReference(market.reference) }
    var day = configuration.date
    for _ in 0..<daysToPass { day = day.nextWeekday }
    while !stops {
      playDay(&market, speed, passUntil: passUntil)
      passUntil = 0
      if stops { return }
      sleep(nanoseconds: 2_000_000_000)
      market.beginNextDay()
      day = day.nextWeekday
      plant.setReference(market.reference)
      plant.beginEpoch(session: plant.session, date: day)
      publish()
    }
  }

  /// Whether the restored state is of this market and near enough to be reached by playing it again: the first day,
  /// and how many whole days lie before the restored one.
  private func daysFromFirst(_ configuration: SimulatorConfiguration) -> (first: CalendarDate, count: Int)? {
    let parts = plant.session.split(separator: "-")
    guard parts.count == 2, parts[1].count == 8, let number = Int(parts[1]),
      let first = CalendarDate(year: number / 10_000, month: number / 100 % 100, day: number % 100),
      plant.session == PreparedFeed.session(seed: configuration.seed, first: first),
      plant.instrumentCount == configuration.instruments
    else { return nil }
    var count = 0
    var day = first
    while day < plant.date {
      day = day.nextWeekday
      count += 1
      if count > 5 { return nil }
    }
    return day == plant.date ? (first, count) : nil
  }

  private func playDay(_ market: inout SimulatedMarket, _ speed: FeedSpeed?, passUntil: UInt64) {
    var writer = ByteWriter(capacity: 1 << 20)
    var sequence: UInt64 = 0
    // What a restored plant has seen.
    while sequence < passUntil, market.nextTimestamp != nil, !stops {
      writer.bytes.removeAll(keepingCapacity: true)
      let count = market.advance(
        to: .max, limit: min(Self.batchMessages, Int(passUntil - sequence)), into: &writer)
      if sequence + UInt64(count) > passUntil { apply(writer, from: sequence + 1) }
      sequence += UInt64(count)
      if count == 0 { break }
    }
    let clock = speed == nil ? Self.tokyoNanoseconds() : nil
    var times = Self.acceleration
    if case .times(let wanted)? = speed { times = wanted }
    let isMax = speed == .max
    if clock != nil { times = 1 }
    // Catch up to where the day is to be shown from.
    let showFrom = clock ?? Self.showFrom
    if let next = market.nextTimestamp, next < showFrom, !isMax {
      plant.setSourceState(.recovering)
      while let next = market.nextTimestamp, next < showFrom, !stops {
        writer.bytes.removeAll(keepingCapacity: true)
        let count = market.advance(to: showFrom, limit: Self.batchMessages, into: &writer)
        apply(writer, from: sequence + 1)
        sequence += UInt64(count)
      }
      plant.setSourceState(.live)
      publish()
    }
    if plant.sourceState == .recovering { plant.setSourceState(.live) }
    var base = market.nextTimestamp ?? 0
    if passUntil == 0 { base = max(base, showFrom) }
    var anchor = Self.monotonic()
    let idle = UInt64(Self.longestIdleSeconds * 1e9 * times)
    while let next = market.nextTimestamp, !stops {
      let now = Self.monotonic()
      var target = isMax ? UInt64.max : base &+ UInt64(Double(now &- anchor) * times)
      if next > target {
        if next - target > idle {
          // Nothing happens for a while: go on just before it does.
          base = next
          anchor = now
          target = next
        } else {
          sleep(nanoseconds: min(5_000_000, UInt64(Double(next - target) / times) + 1_000_000))
          if plant.updates.bytes.count == 0 { publish() }
          continue
        }
      }
      writer.bytes.removeAll(keepingCapacity: true)
      let count = market.advance(to: target, limit: Self.batchMessages, into: &writer)
      lag = isMax || target < next ? 0 : UInt64(Double(target - next) / times)
      apply(writer, from: sequence + 1)
      sequence += UInt64(count)
      if !isMax, count < Self.batchMessages { sleep(nanoseconds: 4_000_000) }
    }
  }

  private func apply(_ writer: ByteWriter, from sequence: UInt64) {
    writer.bytes.withUnsafeBytes {
      _ = plant.apply(framed: $0, firstSequence: sequence, receivedAt: Self.wallClock())
    }
    publish()
  }

  /// Nanoseconds since midnight in Tokyo while it trades on a weekday; nil at other times.
  private static func tokyoNanoseconds() -> UInt64? {
    let local = wallClock() + 9 * 3600 * 1_000_000_000
    let date = CalendarDate(daysSince1970: Int(local / 86_400_000_000_000))
    let time = local % 86_400_000_000_000
    let open: UInt64 = 8 * 3600 + 30 * 60
    let close: UInt64 = 15 * 3600 + 30 * 60
    guard date.weekday != 0, date.weekday != 6, (open * 1_000_000_000..<close * 1_000_000_000).contains(time)
    else {
      return nil
    }
    return time
  }
}
