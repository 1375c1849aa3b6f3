import Foundation
import MarketData
import Testing

@Suite struct ReferenceDataTests {
  private func good() throws -> ReferenceData {
    var data = ReferenceData(market: "XTKS")
    data.name = LocalizedName(ja: "東京", en: "Tokyo")
    data.currency = "JPY"
    data.timeZone = "Asia/Tokyo"
    data.date = CalendarDate("2026-11-24")
    data.simulated = true
    data.sessions = [.init(open: 32_400, close: 41_400)]
    data.tickTables = ["standard": .tokyo]
    data.reasons = ["LNCH": .lunchBreak, "SPBD": .specialBid, "ITAY": .auction]
    var line = ReferenceData.Instrument(code: "7203")
    line.name = LocalizedName(ja: "トヨタ", en: "Toyota")
    line.lot = 100
    line.reference = Price("2345.5")
    line.referenceDate = CalendarDate("2026-11-20")
    line.previousClose = Price("2340")
    line.limitUp = Price(2_845)
    line.limitDown = Price(1_845)
    line.tickTable = "standard"
    data.instruments = [line, ReferenceData.Instrument(code: "130A")]
    return data
  }

  @Test func goodDataHasNoFaults() throws { #expect(try good().faults().isEmpty) }

  @Test func jsonKeepsEverything() throws {
    let data = try good()
    let json = try JSONEncoder().encode(data)
    #expect(try JSONDecoder().decode(ReferenceData.self, from: json) == data)
    let text = String(decoding: json, as: UTF8.self)
    for key in [
      "time_zone", "tick_tables", "reference_date", "previous_close", "limit_up", "limit_down", "tick_table",
    ] {
      #expect(text.contains("\"\(key)\""), "\(key)")
    }
    #expect(text.contains("2345.5"))
  }

  @Test func aMarketAndAnEmptyListAreEnough() throws {
    let data = try JSONDecoder().decode(
      ReferenceData.self, from: Data(#"{"market":"XNAS","instruments":[]}"#.utf8))
    #expect(data == ReferenceData(market: "XNAS"))
  }

  @Test(arguments: ["", "xtks", "XTKS-TOKYO", "X:KS", "X KS", "株式"])
  func aMarketThatIsNoIdentifierIsAFault(market: String) throws {
    var data = try good()
    data.market = market
    let faults = data.faults()
    #expect(faults.count == 1)
    #expect(faults.first?.hasPrefix("market: ") == true)
  }

  @Test func everyFaultIsToldWithItsPlace() throws {
    var data = try good()
    data.instruments[0].tickTable = "none"
    data.instruments[0].limitUp = Price(1_000)
    data.instruments[1].code = "TOO LONG FOR IT"
    data.instruments[1].reference = Price(0)
    data.instruments.append(ReferenceData.Instrument(code: "7203"))
    data.instruments[2].previousClose = Price(units: -1)
    data.tickTables?["empty"] = TickSizeTable(bands: [])
    data.tickTables?["zero"] = TickSizeTable(bands: [.init(upTo: nil, tick: Price(0))])
    let faults = data.faults()
    for wanted in [
      "instruments[0] (7203).tick_table", "instruments[0] (7203): limit_down",
      "instruments[1] (TOO LONG FOR IT).code",
      "instruments[1] (TOO LONG FOR IT).reference", "instruments[2] (7203).code",
      "instruments[2] (7203).previous_close",
      "tick_tables.empty", "tick_tables.zero",
    ] { #expect(faults.filter { $0.hasPrefix(wanted) }.count == 1, "\(wanted) in \(faults)") }
    #expect(faults.count == 8)
  }
}
