import FeedProtocols
import MarketData
import Testing

@testable import ExchangeSimulator

/// A small market, the same for all tests of this file.
private func smallMarket(seed: UInt64 = 7, instruments: Int = 30) throws -> SimulatedMarket {
  let date = try #require(CalendarDate("2026-11-20"))
  return SimulatedMarket(
    SimulatorConfiguration(seed: seed, instruments: instruments, date: date, messagesPerDay: 24_000))
}

private func wholeDay(_ market: inout SimulatedMarket) -> [UInt8] {
  var writer = ByteWriter(capacity: 2 << 20)
  market.advance(to: 86_400_000_000_000, into: &writer)
  return writer.bytes
}

@Suite struct SimulatedDayTests {
  @Test(arguments: [7 as UInt64, 8]) func everyDayReplaysWithoutFault(seed: UInt64) throws {
    var market = try smallMarket(seed: seed)
    for day in 0..<2 {
      if day > 0 { market.beginNextDay() }
      #expect(market.reference.faults().isEmpty)
      var replay = NaiveReplay(market.reference)
      try replay.replay(wholeDay(&market))
      #expect(replay.faults.isEmpty, "seed \(seed), day \(day)")
      #expect(replay.systemEvents == "OSQMEC")
      #expect(replay.issues.count == 30)
      #expect(replay.orders.count == market.liveOrders)
      #expect(replay.reasons.isSuperset(of: ["LNCH", "ITAY"]))
      let unknown = replay.reasons.subtracting(["NEWS"]).filter { market.reference.reasons?[$0] == nil }
      #expect(unknown.isEmpty)
      #expect(replay.crossTypes.isSuperset(of: "OC".utf8))
      #expect(replay.issues.values.contains { $0.touchedLimit }, "every day somebody runs into a limit")
      #expect(market.nextTimestamp == nil)
    }
  }

  /// The canary: an oracle that finds nothing in a broken feed would prove nothing.
  @Test func theOracleNoticesAMissingOrder() throws {
    var market = try smallMarket(instruments: 3)
    let bytes = wholeDay(&market)
    var offset = 0
    while bytes[offset + 2] != AddOrder.type {
      offset += 2 + Int(bytes[offset]) << 8 + Int(bytes[offset + 1])
    }
    var replay = NaiveReplay(market.reference)
    try replay.replay(Array(bytes[..<offset] + bytes[(offset + 2 + AddOrder.byteCount)...]))
    #expect(!replay.faults.isEmpty)
  }

  @Test func messagesAreMixedAsOnARealFeed() throws {
    var market = try smallMarket()
    var replay = NaiveReplay(market.reference)
    try replay.replay(wholeDay(&market))
    let total = Double(replay.messages)
    func share(_ types: String) -> Double {
      Double(types.utf8.reduce(0) { $0 + replay.counts[$1, default: 0] }) / total
    }
    #expect((22_500...25_500).contains(replay.messages))
    #expect((0.42...0.52).contains(share("AF")))
    #expect((0.35...0.45).contains(share("D")))
    #expect((0.05...0.09).contains(share("U")))
    #expect((0.02...0.07).contains(share("EC")))
    #expect((0.01...0.025).contains(share("X")))
    #expect(share("P") > 0 && share("F") > 0 && share("I") > 0)
  }

  @Test func sameSeedGivesSameBytesAndAnotherSeedOthers() throws {
    var first = try smallMarket()
    var second = try smallMarket()
    var third = try smallMarket(seed: 8)
    let bytes = wholeDay(&first)
    #expect(bytes == wholeDay(&second))
    #expect(bytes != wholeDay(&third))
    #expect(first.reference == second.reference)
    #expect(first.reference.instruments.map(\.name) != third.reference.instruments.map(\.name))
  }

  /// The bytes themselves are a promise: files of one release must come out of the next one, unless it says so.
  @Test func smallStepsGiveTheSameBytesAsOneGo() throws {
    var whole = try smallMarket(instruments: 5)
    var byTime = whole
    var byCount = whole
    let bytes = wholeDay(&whole)

    var writer = ByteWriter()
    var time: UInt64 = 0
    var count = 0
    while let next = byTime.nextTimestamp {
      #expect(next >= time)
      time = max(next, time + 7_000_000_000)
      let appended = byTime.advance(to: time, into: &writer)
      #expect(appended > 0)
      count += appended
    }
    #expect(writer.bytes == bytes)
    #expect(count == byTime.composer.messages)

    writer.bytes.removeAll()
    while let next = byCount.nextTimestamp {
      #expect(byCount.advance(to: next - 1, into: &writer) == 0)
      #expect(byCount.advance(to: .max, limit: 100, into: &writer) > 0)
    }
    #expect(writer.bytes == bytes)
  }

  @Test func nextDayBeginsFromTheCloses() throws {
    var market = try smallMarket()
    var replay = NaiveReplay(market.reference)
    try replay.replay(wholeDay(&market))
    let closes = replay.issues.values.reduce(into: [:]) { $0[$1.line.code] = $1.last ?? $1.line.reference }
    #expect(market.reference.date?.description == "2026-11-20")
    #expect(market.reference.instruments[0].referenceDate?.description == "2026-11-19")

    market.beginNextDay()
    // The 20th is a Friday.
    #expect(market.reference.date?.description == "2026-11-23")
    for line in market.reference.instruments {
      #expect(line.referenceDate?.description == "2026-11-20")
      #expect(line.reference == closes[line.code])
    }
    #expect(market.nextTimestamp == 25_200_000_000_000)
    var next = NaiveReplay(market.reference)
    try next.replay(wholeDay(&market))
    #expect(next.faults.isEmpty)
  }

  @Test func aDayMayBeLeftInTheMiddle() throws {
    var market = try smallMarket(instruments: 5)
    var writer = ByteWriter()
    market.advance(to: DaySchedule.at(10, 0), into: &writer)
    market.beginNextDay()
    var replay = NaiveReplay(market.reference)
    try replay.replay(wholeDay(&market))
    #expect(replay.faults.isEmpty)
  }

  @Test(arguments: [1, 2]) func tinyMarketsLive(instruments: Int) throws {
    let date = try #require(CalendarDate("2026-11-20"))
    var market = SimulatedMarket(
      SimulatorConfiguration(instruments: instruments, date: date, messagesPerDay: 100 * instruments))
    var replay = NaiveReplay(market.reference)
    try replay.replay(wholeDay(&market))
    #expect(replay.faults.isEmpty)
  }
}
