import FeedProtocols
import MarketData
import Testing

@testable import TickerPlant

private func units(_ text: String) -> Int64 { Price(text)?.units ?? .min }

@Suite struct DayFiguresTests {
  private let stock = Instrument("7203")

  @Test func figuresFollowEveryTrade() {
    let box = Box()
    box.apply(
      stock.add(1, .sell, 300, "100.5"), stock.add(2, .buy, 200, "99.5"),
      stock.execute(1, 100, match: 1, at: clock(9, 0, 1)),
      stock.execute(2, 200, match: 2, at: clock(9, 0, 2)),
      stock.execute(1, 50, price: "100", printable: "Y", match: 3, at: clock(9, 0, 3)))
    let figures = box.statistics("7203")
    #expect(figures.open == units("100.5") && figures.openTime == clock(9, 0, 1))
    #expect(figures.high == units("100.5") && figures.highTime == clock(9, 0, 1))
    #expect(figures.low == units("99.5") && figures.lowTime == clock(9, 0, 2))
    #expect(figures.last == units("100") && figures.lastSize == 50 && figures.lastTime == clock(9, 0, 3))
    #expect(figures.volume == 350 && figures.trades == 3 && figures.direction == 1)
    #expect(figures.turnover == 1_005_000 * 100 + 995_000 * 200 + 1_000_000 * 50)
    #expect(box.levels("7203", .sell) == [PriceLevel(price: 1_005_000, orders: 1, size: 150)])
    #expect(box.levels("7203", .buy).isEmpty)
  }

  @Test func theAggressorIsTheOtherSide() {
    let box = Box()
    box.apply(stock.add(1, .sell, 300, "100"), stock.add(2, .buy, 200, "99"))
    _ = box.records()
    box.apply(
      stock.execute(1, 100), stock.execute(2, 100), stock.hidden(5, "99.5"), stock.cross(7, "99.5", "I"))
    let trades = box.records().filter { $0.update == .trade }.map { $0.payload(as: TradePayload.self) }
    #expect(trades.map(\.aggressor) == [0, 1, 2, 2])
    #expect(trades.map(\.kind) == [0, 0, 1, 6])
    #expect(trades.map(\.direction) == [2, -1, 1, 0])
    #expect(trades.map(\.tradeSequence) == [3, 4, 5, 6])
  }

  @Test func aCrossCountsItsVolumeOnceAndItsPartsNot() {
    let box = Box()
    box.apply(
      stock.add(1, .buy, 300, "101"), stock.add(2, .sell, 300, "99"),
      stock.execute(1, 300, price: "100", printable: "N", match: 1),
      stock.execute(2, 300, price: "100", printable: "N", match: 1),
      stock.cross(300, "100", "O", match: 1))
    let figures = box.statistics("7203")
    #expect(figures.volume == 300 && figures.trades == 1 && figures.open == units("100"))
    #expect(box.plant.liveOrders == 0)
    #expect(box.levels("7203", .buy).isEmpty && box.levels("7203", .sell).isEmpty)
  }

  @Test(arguments: [
    ("O" as ITCHCode, TradeKind.openingCross), ("C", .closingCross), ("H", .haltCross), ("I", .intradayCross),
  ])
  func crossesHaveTheirKinds(type: ITCHCode, kind: TradeKind) {
    let box = Box()
    box.apply(stock.cross(100, "10", type))
    let trades = box.records().filter { $0.update == .trade }.map { $0.payload(as: TradePayload.self) }
    #expect(trades.map(\.kind) == [kind.rawValue])
    #expect(box.facts("7203").close == (kind == .closingCross ? units("10") : noPrice))
  }

  @Test func aCrossOfNothingIsNoTradeButEndsTheAuction() {
    let box = Box()
    box.apply(indication(near: "10"), stock.cross(0, "0", "C"))
    #expect(box.statistics("7203").trades == 0)
    #expect(box.facts("7203").auction.crossType == 0)
    #expect(box.facts("7203").close == noPrice)
  }

  @Test func hiddenTradesTouchNoOrder() {
    let box = Box()
    box.apply(stock.add(1, .buy, 100, "10"), stock.hidden(50, "10.5", at: clock(10, 0)))
    #expect(box.statistics("7203").last == units("10.5"))
    #expect(box.levels("7203", .buy) == [PriceLevel(price: 100_000, orders: 1, size: 100)])
  }

  @Test func aBrokenTradeGivesBackHighLowVolumeAndLast() {
    let box = Box()
    box.apply(
      stock.hidden(100, "10", match: 1, at: clock(9, 0)), stock.hidden(100, "12", match: 2, at: clock(9, 1)),
      stock.hidden(100, "8", match: 3, at: clock(9, 2)), stock.hidden(100, "11", match: 4, at: clock(9, 3)))
    box.apply(stock.broken(2, at: clock(9, 4)))
    #expect(box.statistics("7203").high == units("11"))
    #expect(box.statistics("7203").volume == 300)
    box.apply(stock.broken(3, at: clock(9, 4)), stock.broken(4, at: clock(9, 4)))
    #expect(box.statistics("7203").last == units("10") && box.statistics("7203").direction == 2)
    _ = box.records()
    box.apply(stock.broken(1, at: clock(9, 4)))
    #expect(box.statistics("7203") == StatisticsPayload())
    let told = box.records().first { $0.update == .trade }
    let trade: TradePayload? = told.map { $0.payload(as: TradePayload.self) }
    #expect(trade?.broken == 1 && trade?.tradeSequence == 1 && told?.sequence == 8)
    #expect(box.plant.counters.unknownTrades == 0)
    #expect(!box.facts("7203").suspect)
    box.apply(stock.broken(1, at: clock(9, 5)))
    #expect(box.plant.counters.unknownTrades == 1 && box.facts("7203").suspect)
  }

  @Test func theNextDayHasYesterdaysCloseAndNothingElse() {
    let box = Box(date: "2026-11-20")
    let other = Instrument("9984", locate: 2)
    box.apply(
      system("O"), stock.add(1, .buy, 100, "10"), stock.hidden(100, "12"), other.hidden(100, "55"),
      stock.cross(100, "11", "C"), system("M", at: clock(15, 30)), system("C", at: clock(16, 0)))
    #expect(box.facts("7203").close == units("11"))
    #expect(box.facts("9984").close == units("55"), "without a closing cross the last price is the close")
    #expect(box.plant.sourceState == .ended)
    box.apply(system("O", at: clock(7, 0)))
    #expect(box.plant.epoch == "2026-11-23")
    #expect(box.plant.sequence == 8)
    #expect(box.plant.sourceState == .live)
    #expect(box.plant.liveOrders == 0 && box.levels("7203", .buy).isEmpty)
    #expect(box.statistics("7203") == StatisticsPayload())
    #expect(box.facts("7203").previousClose == units("11") && box.facts("9984").previousClose == units("55"))
    #expect(box.facts("7203").previousDate == CalendarDate("2026-11-20").map { Int64($0.daysSince1970) })
    #expect(box.facts("7203").close == noPrice)
    // A third day without a trade keeps the close that there was.
    box.plant.beginEpoch(session: "", date: box.plant.date.nextWeekday)
    #expect(box.facts("7203").previousClose == units("11"))
    #expect(box.facts("7203").previousDate == CalendarDate("2026-11-20").map { Int64($0.daysSince1970) })
  }

  @Test func referenceDataOfTheNewDayWinsOverTheClose() throws {
    var data = ReferenceData(market: "XTST")
    var line = ReferenceData.Instrument(code: "7203")
    line.reference = Price("10")
    line.referenceDate = CalendarDate("2026-11-19")
    line.limitUp = Price("13")
    line.limitDown = Price("7")
    line.lot = 100
    data.instruments = [line]
    data.date = CalendarDate("2026-11-20")
    let box = Box(reference: data)
    box.apply(system("O"), stock.hidden(100, "12"))
    #expect(box.facts("7203").limitUp == units("13") && box.facts("7203").limitDown == units("7"))
    #expect(box.facts("7203").reference == units("10") && box.facts("7203").previousClose == units("10"))
    #expect(box.facts("7203").lot == 100)
    box.plant.beginEpoch(session: "", date: box.plant.date.nextWeekday)
    #expect(box.facts("7203").previousClose == units("12"), "the file is about the day before")
    #expect(box.facts("7203").limitUp == noPrice)
    box.apply(framed(stock.hidden(100, "14")), sequence: 1)
    data.date = CalendarDate("2026-11-24")
    data.instruments[0].reference = Price("13.5")
    data.instruments[0].previousClose = Price("13")
    box.plant.setReference(data)
    box.plant.beginEpoch(session: "", date: box.plant.date.nextWeekday)
    #expect(box.facts("7203").reference == units("13.5") && box.facts("7203").previousClose == units("13"))
    #expect(box.facts("7203").limitUp == units("13"))
  }

  private func indication(near: String) -> NetOrderImbalance {
    NetOrderImbalance(
      header: stock.header(0), pairedShares: 1, imbalanceShares: 1, direction: "B", stock: stock.code,
      farPrice: Price(0), nearPrice: Price(near) ?? Price(0), referencePrice: Price(10), crossType: "C",
      priceVariation: " ")
  }
}

@Suite struct BarTests {
  private let stock = Instrument("7203")

  private func bars(_ box: Box) -> [(closed: Bool, bar: BarPayload, sequence: UInt64, code: String)] {
    box.records().filter { $0.update == .bar }
      .map { ($0.flags & 1 == 1, $0.payload(as: BarPayload.self), $0.sequence, $0.code) }
  }

  @Test func barsCloseWithTheFirstMessageOfALaterMinute() {
    let box = Box()
    box.apply(
      stock.hidden(100, "10", at: clock(9, 0)), stock.hidden(100, "12", at: clock(9, 0, 30)),
      stock.hidden(200, "11", at: clock(9, 0, 59) + 999_999_999))
    var found = bars(box)
    #expect(found.map(\.closed) == [false, false, false])
    #expect(found.last?.bar.startSeconds == 32_400)
    box.apply(stock.add(1, .buy, 100, "9", at: clock(9, 1)))
    found = bars(box)
    #expect(found.map(\.closed) == [true] && found.first?.sequence == 4)
    let bar = found.first?.bar ?? BarPayload()
    #expect(
      bar.open == units("10") && bar.high == units("12") && bar.low == units("10") && bar.close == units("11")
    )
    #expect(bar.volume == 400 && bar.trades == 3)
    #expect(bar.turnover == 100_000 * 100 + 120_000 * 100 + 110_000 * 200)
  }

  @Test func minutesWithoutATradeHaveNoBar() {
    let box = Box()
    box.apply(stock.hidden(100, "10", at: clock(9, 0)), stock.hidden(100, "11", at: clock(9, 5)))
    let found = bars(box)
    #expect(found.map(\.closed) == [false, true, false])
    #expect(found.map(\.bar.startSeconds) == [32_400, 32_400, 32_700])
    #expect(found.last?.bar.open == units("11"), "a bar knows nothing of the one before")
  }

  @Test func everyInstrumentsBarClosesAtTheMinute() {
    let box = Box()
    let other = Instrument("9984", locate: 2)
    box.apply(
      stock.hidden(100, "10", at: clock(9, 0)), other.hidden(100, "20", at: clock(9, 0)),
      other.add(1, .buy, 1, "1", at: clock(9, 1)))
    let closed = bars(box).filter(\.closed)
    #expect(closed.map(\.code) == ["7203", "9984"])
    #expect(closed.allSatisfy { $0.sequence == 3 })
  }

  @Test func theCloseOfTheMarketClosesTheBarsAndTellsTheDay() {
    let box = Box()
    box.apply(stock.hidden(100, "10", at: clock(15, 30)), system("M", at: clock(15, 30, 1)))
    let records = box.records()
    let closed = records.filter { $0.update == .bar && $0.flags == 1 }
    #expect(closed.count == 1)
    let daily = records.filter { $0.update == .daily }.map { $0.payload(as: StatisticsPayload.self) }
    #expect(daily == [box.statistics("7203")])
  }

  @Test func aTradeTakenBackInItsMinuteLeavesTheBar() {
    let box = Box()
    box.apply(
      stock.hidden(100, "10", match: 1, at: clock(9, 0)),
      stock.hidden(100, "99", match: 2, at: clock(9, 0, 1)),
      stock.broken(2, at: clock(9, 0, 2)))
    let found = bars(box)
    #expect(
      found.last?.bar.high == units("10") && found.last?.bar.volume == 100 && found.last?.closed == false)
    box.apply(stock.broken(1, at: clock(9, 0, 3)))
    #expect(bars(box).last?.bar.volume == 0)
  }

  @Test func aTradeTakenBackAfterItsMinuteMakesNoBarWithoutAStart() {
    let box = Box()
    box.apply(
      stock.hidden(100, "10", match: 1, at: clock(9, 0)), stock.add(1, .buy, 1, "1", at: clock(9, 1)),
      stock.broken(1, at: clock(9, 1, 1)))
    #expect(bars(box).allSatisfy { $0.bar.startSeconds != .max })
  }
}
