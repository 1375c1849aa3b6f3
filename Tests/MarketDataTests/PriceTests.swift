import Foundation
import MarketData
import Testing

@Suite struct PriceTests {
  @Test(arguments: [
    (0, "0"), (1, "0.0001"), (10, "0.001"), (100, "0.01"), (1_000, "0.1"), (10_000, "1"),
    (23_455_000, "2345.5"),
    (-1, "-0.0001"), (-10_000, "-1"), (-23_450_100, "-2345.01"), (4_294_967_295, "429496.7295"),
    (Int64.max, "922337203685477.5807"), (-Int64.max, "-922337203685477.5807"),
  ])
  func textIsTheExactDecimal(units: Int64, text: String) {
    #expect(Price(units: units).description == text)
    #expect(Price(text) == Price(units: units))
  }

  @Test func theSmallestIntegerHasATextToo() {
    #expect(Price(units: .min).description == "-922337203685477.5808")
  }

  @Test(arguments: [
    "", "-", ".", "-.", "+1", " 1", "1 ", "1.23456", "1.2.3", "1,5", "1e3", "0x10", "--1", "1-", "１",
    "922337203685477.5808", "99999999999999999999", "922337203685478",
  ])
  func textThatIsNoPriceIsRefused(text: String) { #expect(Price(text) == nil) }

  @Test func trailingZerosBeyondFourDecimalsAreTaken() {
    #expect(Price("1.50000000") == Price(units: 15_000))
    #expect(Price("1.00001") == nil)
  }

  @Test func wholePricesAreScaledAndOrdered() {
    #expect(Price(2_345).units == 23_450_000)
    #expect(Price(1) < Price(units: 10_001))
    #expect(Price(units: -1) < Price(0))
  }

  @Test func everyPriceSurvivesTextAndJSON() throws {
    var random = generator("everyPriceSurvivesTextAndJSON")
    for _ in 0..<2_000 {
      let bits = UInt64.random(in: 0...63, using: &random)
      let units = Int64(bitPattern: random.next()) >> Int64(bits)
      let price = Price(units: max(units, -Int64.max))
      #expect(Price(price.description) == price)
      let json = try JSONEncoder().encode([price])
      #expect(String(decoding: json, as: UTF8.self) == "[\(price)]")
      #expect(try JSONDecoder().decode([Price].self, from: json) == [price])
    }
  }

  @Test func jsonTakesNumbersAndTexts() throws {
    let json = Data(#"[2345.5, "2345.5", 0.0001, -3, 1e2, 922337203685477.5807]"#.utf8)
    let units: [Int64] = [23_455_000, 23_455_000, 1, -30_000, 1_000_000, .max]
    #expect(try JSONDecoder().decode([Price].self, from: json) == units.map(Price.init(units:)))
  }

  @Test(arguments: ["[1.00001]", "[\"abc\"]", "[null]", "[true]", "[1e300]", "[[]]"])
  func jsonThatIsNoPriceIsAnError(json: String) {
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([Price].self, from: Data(json.utf8)) }
  }
}
