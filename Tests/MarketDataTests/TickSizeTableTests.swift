import Foundation
import MarketData
import Testing

@Suite struct TickSizeTableTests {
  private static let tables: [TickSizeTable] = [.tokyo, .tokyoTopix500, .unitedStates]

  @Test(.enabled(if: TestData.hasTables, "the exchange's tables aren't here")) func bandsAreAsPublished()
    throws
  {
    for line in try TestData.table("tse-tick-sizes.csv") {
      let other = try #require(Price(line[1]))
      let topix500 = try #require(Price(line[2]))
      let inBand = try line[0].isEmpty ? Price(60_000_000) : #require(Price(line[0]))
      for price in [inBand, Price(units: inBand.units - 1), Price(units: inBand.units - 50_000)] {
        #expect(TickSizeTable.tokyo.tick(at: price) == other, "\(price)")
        #expect(TickSizeTable.tokyoTopix500.tick(at: price) == topix500, "\(price)")
      }
    }
  }

  @Test(.enabled(if: TestData.hasTables, "the exchange's tables aren't here")) func limitsAreAsPublished()
    throws
  {
    for line in try TestData.table("tse-daily-price-limits.csv") {
      let width = try #require(Price(line[1]))
      let below = try line[0].isEmpty ? Price(70_000_001) : #require(Price(line[0]))
      #expect(TokyoPriceLimits.width(base: Price(units: below.units - 1)) == width, "\(line)")
      if !line[0].isEmpty { #expect(TokyoPriceLimits.width(base: below) > width, "\(line)") }
    }
  }

  @Test(arguments: [
    ("1000", "999", "1001"), ("3000", "2999", "3005"), ("3005", "3000", "3010"), ("30000", "29990", "30050"),
    ("1", "1", "2"), ("50000000", "49950000", "50100000"), ("3000000", "2999000", "3005000"),
  ])
  func stepsCrossBandsInTokyo(price: String, down: String, up: String) throws {
    let price = try #require(Price(price))
    #expect(TickSizeTable.tokyo.up(price).description == up)
    #expect(TickSizeTable.tokyo.down(price).description == down)
  }

  @Test func upAndDownAreInverseAndNeverLeaveTheGrid() {
    var random = generator("upAndDownAreInverseAndNeverLeaveTheGrid")
    for table in Self.tables {
      for _ in 0..<1_000 {
        let digits = Int64.random(in: 5...12, using: &random)
        let top = (0..<digits).reduce(Int64(1)) { value, _ in value * 10 }
        let any = Price(units: Int64.random(in: 1...top, using: &random))
        let price = table.floor(any)
        #expect(price <= any && any.units - price.units < table.tick(at: any).units)
        guard price.units > 0 else { continue }
        let next = table.up(price)
        #expect(next > price && table.floor(next) == next, "\(price)")
        #expect(table.down(next) == price, "\(price) → \(next)")
        #expect(table.up(any) > any)
      }
      #expect(table.down(Price(units: 1)).units > 0)
    }
  }

  @Test(arguments: [
    ("450", "370", "530"), ("2000", "1500", "2500"), ("99", "69", "129"), ("20", "1", "50"),
    ("3500", "2800", "4200"), ("1", "1", "31"), ("29900", "24900", "34900"),
  ])
  func limitsLieOnTheGrid(base: String, down: String, up: String) throws {
    let limits = TokyoPriceLimits.limits(base: try #require(Price(base)), ticks: .tokyo)
    #expect(limits.down.description == down)
    #expect(limits.up.description == up)
  }

  @Test func aTableWithoutBandsStillHasATick() {
    #expect(TickSizeTable(bands: []).tick(at: Price(1)).units == 1)
  }

  @Test func jsonKeepsTheBands() throws {
    for table in Self.tables {
      let json = try JSONEncoder().encode(table)
      #expect(try JSONDecoder().decode(TickSizeTable.self, from: json) == table)
    }
    let json = Data(#"{"bands":[{"up_to":3000,"tick":0.5},{"tick":1}]}"#.utf8)
    let table = try JSONDecoder().decode(TickSizeTable.self, from: json)
    #expect(
      table.bands == [.init(upTo: Price(3_000), tick: Price(units: 5_000)), .init(upTo: nil, tick: Price(1))])
  }
}
