import MarketData
import Testing

@testable import ExchangeSimulator

@Suite struct PartsTests {
  @Test func everyCodeAndNameIsUnique() throws {
    let date = try #require(CalendarDate("2026-11-20"))
    var random = RandomSource(seed: 3)
    let codes = InstrumentCodes.draw(20_000, random: &random)
    #expect(Set(codes).count == 20_000)
    #expect(codes.allSatisfy { $0.utf8.count == 4 && InstrumentCode($0) != nil })
    let names = CompanyNames.draw(20_000, random: &random)
    #expect(Set(names.map(\.name.ja)).count == 20_000)
    #expect(Set(names.map(\.name.en)).count == 20_000)
    let reference = SimulatedMarket(SimulatorConfiguration(instruments: 300, date: date)).reference
    #expect(reference.faults().isEmpty)
    #expect(Set(reference.instruments.map(\.name)).count == 300)
    #expect(reference.instruments.contains { $0.code == "7203" })
    #expect(reference.instruments.contains { $0.code.hasSuffix("A") })
    #expect(reference.instruments.allSatisfy { $0.limitDown! < $0.reference! && $0.reference! < $0.limitUp! })
    #expect(reference.simulated == true)
  }

  @Test(arguments: [TickSizeTable.tokyo, .tokyoTopix500])
  func laddersHaveEveryPriceBetweenTheLimits(table: TickSizeTable) {
    for yen in [1, 30, 150, 999, 1_000, 1_001, 2_990, 3_000, 4_995, 9_990, 29_950, 31_000, 60_000, 310_000]
      as [Int64]
    {
      let base = table.floor(Price(yen))
      guard base.units > 0 else { continue }
      let limits = TokyoPriceLimits.limits(base: base, ticks: table)
      let ladder = PriceLadder(from: limits.down, to: limits.up, table: table)
      var price = limits.down
      for level in 0..<ladder.count {
        #expect(ladder.price(level) == price)
        #expect(ladder.level(atOrBelow: price.units) == level)
        #expect(ladder.level(atOrAbove: price.units) == level)
        price = table.up(price)
      }
      #expect(ladder.price(ladder.count - 1) == limits.up)
    }
  }

  @Test func ownFunctionsAreNearTheTrueOnes() {
    // ln 10, ln 1/1000, e, e^-0.5, known to 16 digits.
    #expect(abs(RandomSource.log(10) - 2.302_585_092_994_046) < 1e-8)
    #expect(abs(RandomSource.log(0.001) + 6.907_755_278_982_137) < 1e-8)
    #expect(abs(RandomSource.exp(1) - 2.718_281_828_459_045) < 1e-6)
    #expect(abs(RandomSource.exp(-0.5) - 0.606_530_659_712_633_4) < 1e-6)
    var random = RandomSource(seed: 1)
    let draws = (0..<20_000).map { _ in random.gaussian() }
    let mean = draws.reduce(0, +) / 20_000
    #expect(abs(mean) < 0.03)
    #expect(abs(draws.reduce(0) { $0 + $1 * $1 } / 20_000 - 1) < 0.05)
  }

  @Test func configurationsOutOfBoundsSayWhatIsWanted() throws {
    let date = try #require(CalendarDate("2026-11-20"))
    func fault(_ configuration: SimulatorConfiguration) -> SimulatorConfigurationError? {
      do {
        try configuration.validate()
        return nil
      } catch {
        return error
      }
    }
    #expect(fault(SimulatorConfiguration(date: date)) == nil)
    #expect(SimulatorConfiguration(date: date).messagesPerDay == 2_400_000)
    #expect(fault(SimulatorConfiguration(instruments: 20_000, date: date)) == nil)
    #expect(fault(SimulatorConfiguration(instruments: 0, date: date))?.place == "instruments")
    #expect(fault(SimulatorConfiguration(instruments: .max, date: date))?.found == "\(Int.max)")
    #expect(
      fault(SimulatorConfiguration(instruments: 10, date: date, messagesPerDay: 999))?.description
        == "messages: 999 found; wanted a number from 1000 (100 an instrument) to 1000000000")
    #expect(
      fault(SimulatorConfiguration(date: CalendarDate(daysSince1970: -100_000)))?.place == "date")
  }

  @Test func theHeapGivesTimesInOrderAndTiesByNumber() {
    var random = RandomSource(seed: 5)
    var heap = EventHeap(times: (0..<50).map { _ in UInt64(random.below(20)) })
    var last: (UInt64, Int) = (0, -1)
    for _ in 0..<50 {
      let now = (heap.topTime, heap.top)
      #expect(now.0 > last.0 || (now.0 == last.0 && now.1 > last.1))
      last = now
      heap.reschedule(.max)
    }
    #expect(heap.topTime == .max)
  }
}
