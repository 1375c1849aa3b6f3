// The day of a feed, and reference files.

import FeedHandler
import Foundation
import MarketData
import Testing

@Suite("Trading days")
struct TradingDayTests {
  private func resolve(
    _ name: String = "x", date: String? = nil, market: String? = nil, zone: String? = nil,
    reference: ReferenceData? = nil, capture: UInt64? = nil, modified: Int64 = 0
  ) throws -> TradingDayResolver.Resolution {
    var facts = FeedFacts()
    facts.date = date.flatMap { CalendarDate($0) }
    facts.market = market
    facts.zone = zone
    return try TradingDayResolver(
      facts: facts, reference: reference, captureNanoseconds: capture, fileName: name,
      modifiedSeconds: modified
    ).resolve()
  }

  @Test(arguments: [
    ("20190130.itch", "2019-01-30"), ("01302019.NASDAQ_ITCH50.gz", "2019-01-30"),
    ("/20200101/goog-2012-06-21.itch.gz", "2012-06-21"),
    ("ritch-simulated-ex20101224.TEST_ITCH_50", "2010-12-24"),
    ("S013019-v50.txt", "2019-01-30"), ("a_2012_06_21", "2012-06-21"),
    ("12345678-20240229.pcap", "2024-02-29"),
  ])
  func fileNames(name: String, day: String) throws {
    let resolution = try resolve(name)
    #expect(resolution.day.date.description == day && resolution.origin == .fileName)
  }

  @Test(arguments: [
    "x.itch", "20191330.itch", "201901301.itch", "2012-06-211", "nasdaq-itch50-first1000.itch",
  ])
  func namesWithoutADay(name: String) throws {
    let resolution = try resolve(name, modified: 1_700_000_000)
    #expect(resolution.day.date.description == "2023-11-14" && resolution.origin == .modification)
  }

  @Test func theBestOfAllIsTaken() throws {
    var reference = ReferenceData(market: "XTKS")
    reference.date = CalendarDate("2026-11-24")
    let capture: UInt64 = 1_692_710_232_000_000_000
    let name = "20190130.pcap"
    #expect(try resolve(name, date: "2001-02-03", reference: reference, capture: capture).origin == .option)
    #expect(try resolve(name, reference: reference, capture: capture).origin == .reference)
    #expect(try resolve(name, capture: capture).origin == .capture)
    #expect(try resolve(name, capture: 0).origin == .fileName)
  }

  @Test func zonesAndSummerTime() throws {
    let summer = try resolve(date: "2023-08-22")
    #expect(summer.zone == "America/New_York" && summer.day.offsetText == "-04:00" && summer.market == "XNAS")
    #expect(try resolve(date: "2023-01-22").day.offsetText == "-05:00")
    // The day the clocks change, they have changed by noon.
    #expect(try resolve(date: "2023-03-12").day.offsetText == "-04:00")
    #expect(try resolve(date: "2023-11-05").day.offsetText == "-05:00")
    #expect(try resolve(date: "2023-08-22", market: "XTKS").day.offsetText == "+09:00")
    #expect(try resolve(date: "2023-08-22", market: "XTKS", zone: "Europe/Berlin").day.offsetText == "+02:00")
    #expect(throws: TradingDayResolver.UnknownZone(name: "Moon/Sea")) { try resolve(zone: "Moon/Sea") }
    // 23:30 UTC of the 22nd is the 23rd in Tokyo.
    let late: UInt64 = 1_692_747_000_000_000_000
    #expect(try resolve(market: "XTKS", capture: late).day.date.description == "2023-08-23")
  }
}

@Suite("Reference files")
struct ReferenceFileTests {
  private func read(_ text: String) throws -> ReferenceData {
    try ReferenceFile.read(Array(text.utf8), path: "r")
  }
  private func faults(_ text: String) -> [String] {
    do {
      _ = try read(text)
      return []
    } catch {
      return (error as? ReferenceFileError)?.faults ?? []
    }
  }

  @Test func whatIsBesideAFeedIsFound() throws {
    let folder = try TemporaryFolder()
    let content = Array(#"{"market":"XTKS","instruments":[{"code":"7203","reference":2345.5}]}"#.utf8)
    let feed = try folder.file("a.itch.gz", [])
    #expect(try ReferenceFile.load(named: nil, beside: [feed]) == nil)
    let first = try folder.file("a.itch.reference.json", content)
    #expect(ReferenceFile.path(beside: feed) == first)
    let second = try folder.file("a.itch.gz.reference.json", content)
    #expect(ReferenceFile.path(beside: feed) == second)
    let reference = try ReferenceFile.load(named: nil, beside: [feed])
    #expect(reference?.instruments.first?.reference == Price(units: 23_455_000))
    #expect(throws: ReferenceFileError.self) {
      try ReferenceFile.load(named: folder.path + "/nothing", beside: [feed])
    }
  }

  @Test func allFaultsOfShapeAreNamed() {
    let found = faults(
      #"{"market":7,"date":"2019-02-30","instruments":[{"code":"A","lot":"x","reference":1.23456},{"lot":1},3]}"#
    )
    #expect(found.count == 6)
    for place in [
      "market", "date", "instruments[0].lot", "instruments[0].reference", "instruments[1]", "instruments[2]",
    ] {
      #expect(found.contains { $0.hasPrefix(place + ":") }, "\(place) in \(found)")
    }
  }

  @Test func allFaultsOfMeaningAreNamed() {
    let found = faults(#"{"market":"","instruments":[{"code":"A"},{"code":"A"},{"code":"too long a code"}]}"#)
    #expect(found.count == 3)
  }

  @Test func whatIsNoJSONIsSaid() {
    #expect(faults("{\"market\": ").count == 1)
    #expect(faults("[]").count == 1)
    #expect(faults("").count == 1)
    #expect(faults("{}").contains { $0.contains("market") })
  }
}
