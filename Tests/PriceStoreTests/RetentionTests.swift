// What is kept, counted in days that the store has seen.

import FeedProtocols
import MarketData
import Testing
import TickerPlant

@testable import PriceStore

@Suite struct RetentionTests {
  @Test func oldTicksAndBarsAreTakenAwayAtTheStart() async throws {
    let directory = TemporaryDirectory()
    var store = try openStore(directory.path)
    var script = Script()
    for day in 0..<6 {
      script.event("O", at: 1)
      for number in 0..<50 {
        let time = nine + UInt64(number) * 10 * second
        script.order(UInt64(day * 1_000 + number), .buy, 100, at: time)
        script.trade(100, 10, match: UInt64(day * 1_000 + number), at: time)
      }
      script.event("M", at: nine + 1_000 * second)
      script.event("C", at: nine + 1_001 * second)
    }
    var line = Line(store)
    line.play(script)
    for number in 0..<5 {
      store.save(snapshot: [1, 2, 3], market: 0, epoch: "E", date: firstDay, sequence: UInt64(number))
      await store.flush()
    }
    #expect(try store.snapshots(market: 0).map(\.sequence) == [4, 3, 2])
    store.close()

    var configuration = configuration(directory.path)
    configuration.retention.tickDays = 2
    configuration.retention.minuteBarDays = 3
    configuration.retention.dailyBarDays = 4
    configuration.retention.snapshots = 1
    store = try PriceStore(configuration) { _ in }
    func days(_ dates: [CalendarDate]) -> Int { Set(dates).count }
    var kept: [Int] = []
    for _ in 0..<100 where kept != [2, 2, 3, 4, 1] {
      try await Task.sleep(for: .milliseconds(20))
      kept = [
        days(try await store.trades(market: 0, code: code("7203"), limit: 1_000).map(\.day.date)),
        days(try await store.quotes(market: 0, code: code("7203"), limit: 1_000).map(\.day.date)),
        days(
          try await store.bars(market: 0, code: code("7203"), interval: .minute, limit: 1_000).map(\.day.date)
        ),
        try await store.bars(market: 0, code: code("7203"), interval: .day, limit: 1_000).count,
        try store.snapshots(market: 0).count,
      ]
    }
    #expect(kept == [2, 2, 3, 4, 1])
    let trades = try await store.trades(market: 0, code: code("7203"), limit: 1_000)
    #expect(trades.count == 100 && trades.first?.day.date == line.plant.date)

    // A pruned day that is played again is there again.
    var again = Line(store)
    again.play(script, 0..<103)
    await store.flush()
    #expect(try await store.trades(market: 0, code: code("7203"), limit: 1_000).count == 150)
    store.close()
  }
}
