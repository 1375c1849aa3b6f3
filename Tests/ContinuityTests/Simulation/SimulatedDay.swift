// A small market's days and what a plant that got every message knew after each of them.

import Continuity
import MarketData
import TickerPlant

/// See the head of this file.
struct SimulatedDay: Sendable {
  let session: String
  let date: CalendarDate
  let messages: [[UInt8]]
  /// Sum over what is shown after so many messages.
  let shown: [UInt64]
  /// Trades by instrument, in order, by the message that told them.
  let trades: [InstrumentCode: [UInt64]]

  static let pairs: [[SimulatedDay]] = (0..<6).map { number in
    let second = testDate.nextWeekday
    let first = SimulatedDay(session: "DAY1", date: testDate, seed: runSeed &+ UInt64(number), take: 260)
    return [
      first, SimulatedDay(session: "DAY2", date: second, seed: runSeed &+ UInt64(number) &+ 100, take: 160),
    ]
  }

  init(session: String, date: CalendarDate, seed: UInt64, take: Int) {
    self.session = session
    self.date = date
    messages = Array(dayMessages(seed: seed, instruments: 3, messages: 300, date: date).prefix(take))
    var plant = newPlant(date: date)
    plant.beginEpoch(session: session, date: date)
    let view = MarketView()
    var sums: [UInt64] = []
    for number in 0...messages.count {
      if number > 0 { plant.apply([messages[number - 1]], first: UInt64(number)) }
      view.take(plant.updates.bytes)
      plant.updates.removeAll()
      sums.append(view.sum)
    }
    shown = sums
    trades = view.trades
  }

  /// What is shown after so many messages.
  func view(through count: Int) -> MarketView {
    var plant = newPlant(date: date)
    plant.beginEpoch(session: session, date: date)
    plant.apply(messages.prefix(count), first: 1)
    let view = MarketView()
    view.take(plant.updates.bytes)
    return view
  }
}

extension MarketView {
  /// Over what is shown, in whatever order.
  var sum: UInt64 {
    var total: UInt64 = 0
    // What nothing was said of today is as a plant happens to know it from the day before.
    for (code, instrument) in instruments
    where !instrument.bids.isEmpty || !instrument.asks.isEmpty || instrument.statistics.trades > 0 {
      let seed = StateDigest.mix(code.rawValue)
      for (price, level) in instrument.bids {
        total &+= StateDigest.mix(seed ^ UInt64(price) << 32 ^ level.size << 8 ^ UInt64(level.orders))
      }
      for (price, level) in instrument.asks {
        total &+= StateDigest.mix(~seed ^ UInt64(price) << 32 ^ level.size << 8 ^ UInt64(level.orders))
      }
      let figures = instrument.statistics
      var one = StateDigest()
      one.combine(instrument.top.bid)
      one.combine(instrument.top.ask)
      one.combine(instrument.top.bidSize)
      one.combine(instrument.top.askSize)
      one.combine(figures.last)
      one.combine(figures.volume)
      one.combine(figures.turnover)
      one.combine(figures.trades)
      one.combine(instrument.close)
      one.combine(UInt64(instrument.state))
      one.combine(instrument.suspect ? 1 : 0 as UInt64)
      total &+= StateDigest.mix(one.value ^ seed)
    }
    return total
  }
}
