// What goes in comes out: trades, quotes, bars, by a real plant; and nothing twice.

import FeedProtocols
import MarketData
import PriceStore
import Testing
import TickerPlant

@Suite struct TicksAndBarsTests {
  /// A morning of two minutes in one instrument.
  static var morning: Script {
    var script = Script()
    script.event("O", at: 1)  // 1
    script.event("Q", at: nine)  // 2
    script.order(1, .buy, 2_345, 300, at: nine + 1)  // 3
    script.order(2, .sell, 2_346, 200, at: nine + 2)  // 4
    script.execute(2, 100, match: 11, at: nine + second)  // 5
    script.trade(2_340, 50, match: 12, at: nine + 2 * second)  // 6
    script.execute(1, 300, match: 13, at: nine + 61 * second)  // 7
    return script
  }

  @Test func tradesComeBackNewestFirstWithTheFeedsNames() async throws {
    let store = try openStore(nil)
    var line = Line(store, session: "S1")
    line.play(Self.morning)
    #expect(await store.flush())
    let trades = try await store.trades(market: 0, code: code("7203"), limit: 10)
    #expect(trades.map(\.sequence) == [7, 6, 5])
    #expect(trades.map(\.price) == [Price(2_345), Price(2_340), Price(2_346)])
    #expect(trades.map(\.size) == [300, 50, 100])
    #expect(trades.map(\.match.rawValue) == [13, 12, 11])
    #expect(trades.map(\.kind) == [.trade, .hidden, .trade])
    #expect(trades.map(\.aggressor) == [.sell, nil, .buy])
    #expect(trades.map(\.direction) == [1, -1, nil])
    #expect(trades.allSatisfy { $0.epoch == "S1.2026-11-24" && $0.day.offsetText == "+09:00" && !$0.broken })
    // 09:00:01 in Tokyo is midnight and one second UTC.
    #expect(trades[2].time == Int64(firstDay.daysSince1970) * 86_400_000_000_000 + 1_000_000_000)
    store.close()
  }

  @Test func aCursorGoesOnWhereThePageEnded() async throws {
    let store = try openStore(nil)
    var line = Line(store)
    line.play(Self.morning)
    await store.flush()
    var pages: [UInt64] = []
    var cursor: TradeCursor?
    while true {
      let page = try await store.trades(market: 0, code: code("7203"), before: cursor, limit: 2)
      guard let last = page.last else { break }
      pages += page.map(\.sequence)
      cursor = TradeCursor(last.cursor.description)
    }
    #expect(pages == [7, 6, 5])
    #expect(TradeCursor("2026-11-24.3") == nil)
    // Who knows a trade from elsewhere knows its day, not the store's ordinal of the epoch.
    let known = TradeCursor(date: firstDay, epoch: .max, sequence: 6)
    let older = try await store.trades(market: 0, code: code("7203"), before: known, limit: 9)
    #expect(older.map(\.sequence) == [5])
  }

  @Test func theQuoteOfAMessageIsTheOneAfterIt() async throws {
    let store = try openStore(nil)
    var script = Self.morning
    // A replacement takes an order away and enters another: one message, one tick.
    script.order(3, .buy, 2_300, 100, at: nine + 62 * second)  // 8
    script.add(
      OrderReplace(
        header: ITCHHeader(locate: 7203, timestamp: nine + 63 * second), originalReference: OrderReference(3),
        newReference: OrderReference(4), shares: 400, price: Price(2_310)))  // 9
    var line = Line(store)
    line.play(script)
    await store.flush()
    let quotes = try await store.quotes(market: 0, code: code("7203"), limit: 10)
    #expect(quotes.map(\.sequence) == [9, 8, 7, 5, 4, 3])
    #expect(
      quotes[0].top.bid == 23_100_000 && quotes[0].top.bidSize == 400 && quotes[0].top.ask == 23_460_000)
    #expect(quotes[2].top.bid == noPrice && quotes[2].top.bidSize == 0)
    #expect(quotes[5].top.ask == noPrice)
  }

  @Test func quotesCanBeLeftOut() async throws {
    var configuration = configuration(nil)
    configuration.keepsQuotes = false
    let store = try PriceStore(configuration) { _ in }
    var line = Line(store)
    line.play(Self.morning)
    await store.flush()
    #expect(try await store.quotes(market: 0, code: code("7203"), limit: 10).isEmpty)
    #expect(try await store.trades(market: 0, code: code("7203"), limit: 10).count == 3)
  }

  @Test func minuteBarsCloseAndTheLastOneIsKeptAtTheEnd() async throws {
    let directory = TemporaryDirectory()
    var store = try openStore(directory.path)
    var line = Line(store)
    line.play(Self.morning)
    await store.flush()
    var bars = try await store.bars(market: 0, code: code("7203"), interval: .minute, limit: 10)
    #expect(bars.count == 1)
    let first = try #require(bars.first)
    #expect(first.closed && first.trades == 2 && first.volume == 150)
    #expect(first.open == Price(2_346) && first.high == Price(2_346))
    #expect(first.low == Price(2_340) && first.close == Price(2_340))
    #expect(first.turnover == 23_460_000 * 100 + 23_400_000 * 50)
    #expect(first.start == Int64(firstDay.daysSince1970) * 86_400_000_000_000)
    store.close()
    store = try openStore(directory.path)
    bars = try await store.bars(market: 0, code: code("7203"), interval: .minute, limit: 10)
    #expect(bars.map(\.closed) == [true, false])
    #expect(bars.last?.close == Price(2_345))
    store.close()
  }

  @Test func rangesOfBarsAreHalfOpen() async throws {
    let store = try openStore(nil)
    var script = Script()
    for day in 0..<3 {
      script.event("O", at: 1)
      for minute in 0..<5 {
        script.trade(
          100 + Int64(minute), 10, match: UInt64(day * 10 + minute), at: nine + UInt64(minute) * 60 * second)
      }
      script.event("M", at: nine + 600 * second)
    }
    var line = Line(store)
    line.play(script)
    await store.flush()
    func starts(_ interval: BarInterval, _ from: Int64?, _ to: Int64?, _ limit: Int = 100) async throws
      -> [Int64]
    {
      try await store.bars(
        market: 0, code: code("7203"), interval: interval, from: from, to: to, limit: limit
      )
      .map(\.start)
    }
    let midnight = TradingDay(date: firstDay, utcOffsetSeconds: tokyo).midnightNanoseconds
    let open = midnight + Int64(nine)
    let minute: Int64 = 60_000_000_000
    #expect(
      try await starts(.minute, open + minute, open + 3 * minute) == [open + minute, open + 2 * minute])
    #expect(try await starts(.minute, open + 1, open + minute + 1) == [open + minute])
    #expect(try await starts(.minute, nil, open + 3 * minute, 2) == [open + minute, open + 2 * minute])
    #expect(try await starts(.minute, open, nil, 2) == [open, open + minute])
    #expect(try await starts(.minute, nil, nil).count == 15)
    let day: Int64 = 86_400_000_000_000
    #expect(try await starts(.day, nil, nil) == [midnight, midnight + day, midnight + 2 * day])
    #expect(try await starts(.day, midnight, midnight + day) == [midnight])
    #expect(try await starts(.day, midnight + 1, nil, 1) == [midnight + day])
    #expect(try await starts(.day, nil, nil, 1) == [midnight + 2 * day])
    let daily = try await store.bars(market: 0, code: code("7203"), interval: .day, limit: 1)
    #expect(daily.first?.close == Price(104) && daily.first?.open == Price(100) && daily.first?.trades == 5)
    #expect(try await store.bars(market: 0, code: code("9999"), interval: .day, limit: 1).isEmpty)
  }

  @Test func theSameRecordsAgainChangeNothing() async throws {
    let store = try openStore(nil)
    var script = Script()
    script.randomDay(1_500, seed: 1)
    var line = Line(store)
    line.play(script)
    await store.flush()
    let once = try await Contents(store)
    let written = store.status.rowsWritten
    #expect(once.trades.count > 100 && once.quotes.count > 500 && once.minuteBars.count >= 60)
    var again = Line(store)
    again.play(script)
    #expect(await store.flush())
    #expect(try await Contents(store) == once)
    #expect(store.status.rowsWritten == written)
    #expect(store.status.rowsLost == 0)
  }

  @Test func aBrokenTradeMarksTheStoredOneAndMendsItsMinute() async throws {
    let store = try openStore(nil)
    var script = Self.morning
    script.trade(2_350, 10, match: 14, at: nine + 130 * second)  // 8
    var line = Line(store)
    line.play(script)
    await store.flush()
    script.takeBack(match: 12, at: nine + 131 * second)  // 9: the low of the first minute
    script.takeBack(match: 13, at: nine + 132 * second)  // 10: the only one of the second
    line.play(script, 8..<10)
    await store.flush()
    let trades = try await store.trades(market: 0, code: code("7203"), limit: 10)
    #expect(trades.map(\.broken) == [false, true, true, false])
    #expect(trades.map(\.brokenBy) == [nil, 10, 9, nil])
    #expect(trades[1].direction == 1 && trades[1].kind == .trade)
    let bars = try await store.bars(market: 0, code: code("7203"), interval: .minute, limit: 10)
    #expect(bars.count == 1)
    #expect(bars.first?.low == Price(2_346) && bars.first?.trades == 1 && bars.first?.volume == 100)
    #expect(bars.first?.sequence == 9)
    script.event("M", at: nine + 200 * second)  // 11: closes the third minute
    line.play(script, 10..<11)
    await store.flush()
    let before = try await Contents(store, ["7203"])
    #expect(before.minuteBars.map(\.trades) == [1, 1] && before.dailyBars.map(\.trades) == [2])
    var again = Line(store)
    again.play(script)
    await store.flush()
    #expect(try await Contents(store, ["7203"]) == before)
  }

  @Test func recordsWithoutAnEpochAreCountedLost() async throws {
    let store = try openStore(nil)
    var script = Script()
    script.order(1, .buy, 100, at: nine)
    script.order(2, .buy, 101, at: nine)
    var line = Line(store)
    line.play(script)
    #expect(await store.flush() == false)
    #expect(store.status.rowsLost == 2 && store.status.rowsWritten == 0)
    line.plant.emitAll(announcing: 0)
    line.hand()
    script.order(3, .buy, 102, at: nine)
    line.play(script, 2..<3)
    #expect(await store.flush())
    // What the image says is a state; what the third message made is a tick.
    #expect(try await store.quotes(market: 0, code: code("7203"), limit: 10).map(\.sequence) == [3])
  }
}
