// Real and published market data, where it is at hand (TestData.swift): counts that are known from its sources.

import FeedHandler
import FeedProtocols
import MarketData
import Testing

@Suite(
  "Real data",
  .enabled(if: TestData.isThere, "no market data at ../shared/data or $KABUTO_TESTDATA"))
struct RealDataTests {
  private func statistics(_ path: String) throws -> FileStatistics {
    try FileStatistics.gather(from: FeedFile(paths: [path]))
  }

  private func count(_ statistics: FileStatistics, _ letter: Character) -> UInt64 {
    letter.asciiValue.map { statistics.typeCounts[Int($0)] } ?? 0
  }

  @Test func aDayOfOneInstrument() throws {
    let statistics = try statistics(TestData.path("itch/goog-2012-06-21.itch.gz"))
    #expect(statistics.messages == 157_252 && statistics.isClean)
    #expect(statistics.instruments == 1 && statistics.format == "itch")
    #expect(statistics.bytes == 4_778_256)
  }

  @Test func theBeginningOfANasdaqDay() throws {
    let statistics = try statistics(TestData.path("itch/nasdaq-itch50-first1000.itch"))
    #expect(statistics.messages == 1_000 && statistics.isClean && statistics.instruments == 993)
    #expect(count(statistics, "S") == 1 && count(statistics, "R") == 993)
    #expect(count(statistics, "H") == 3 && count(statistics, "Y") == 3)
  }

  @Test func aFileWhoseLengthsAreZero() throws {
    let statistics = try statistics(TestData.path("itch/ritch-simulated-ex20101224.TEST_ITCH_50.gz"))
    #expect(statistics.messages == 12_012 && statistics.isClean && statistics.instruments == 3)
    #expect(statistics.zeroPrefixed == 12_012)
    let wanted: [Character: UInt64] = [
      "S": 6, "R": 3, "H": 3, "A": 4_997, "F": 3, "E": 198, "X": 45, "D": 1_745, "U": 12, "P": 5_000,
    ]
    for (letter, number) in wanted { #expect(count(statistics, letter) == number) }
  }

  /// The type byte of the message that a TotalView capture is named after.
  static let named: [String: Character] = [
    "AddOrderNoMpidAttributionMessage": "A", "MarketParticipantPositionMessage": "L",
    "NetOrderImbalanceIndicatorMessage": "I", "OrderDeleteMessage": "D", "OrderExecutedMessage": "E",
    "OrderReplaceMessage": "U", "StockTradingActionMessage": "H", "AddOrderNoMPID": "A",
    "AddOrderWithMPID": "F", "CrossTrade": "Q", "LULDAuctionCollar": "J", "MarketParticipantPosition": "L",
    "NetOrderImbalanceIndicator": "I", "NonCrossTrade": "P", "OrderCancel": "X", "OrderDelete": "D",
    "OrderExecuted": "E", "OrderExecutedWithPrice": "C", "OrderReplace": "U", "RegSHORestriction": "Y",
    "StockTradingAction": "H", "SystemEvent": "S",
  ]

  @Test func everyTotalViewCaptureDecodes() throws {
    let captures = TestData.captures(in: "itch/pcap/Nasdaq").filter { $0.contains("TotalView") }
    #expect(captures.count == 23)
    for path in captures {
      let statistics = try statistics(path)
      #expect(statistics.bad == 0 && statistics.messages > 0 && statistics.format == "pcap", "\(path)")
      let name = path.split(separator: "/").last?.dropLast(5) ?? ""
      if name == "Multiple.Packets" { continue }
      let letter = try #require(Self.named[String(name)], "\(path)")
      #expect(count(statistics, letter) > 0, "\(path)")
    }
  }

  @Test func aPacketOfThirtyEightMessages() throws {
    let path = TestData.path("itch/pcap/Nasdaq/Nasdaq.Equities.TotalView.Itch.v5.0/Multiple.Packets.pcap")
    let feed = try FeedFile(paths: [path])
    var runs: [Int] = []
    var gaps: [UInt64] = []
    reading: while true {
      switch try feed.next(maxMessages: 1_000) {
      case .messages(let run):
        runs.append(run.count)
        #expect(run.receivedAtNanoseconds / 1_000_000_000 == 1_692_711_000 || runs.count > 1)
      case .gap(_, let from, let through): gaps += [from, through]
      case .session(let name): #expect(name == "000010059B")
      case .bad(let bad): Issue.record("\(bad)")
      case .end: break reading
      }
    }
    #expect(runs == [1, 38])
    #expect(gaps == [0xe1_49d1, 0x0122_0e5c])
  }

  @Test func otherProtocolsAreReportedCleanly() throws {
    let foreign = TestData.captures(in: "itch/pcap").filter { !$0.contains("TotalView") }
    #expect(foreign.count == 22)
    for path in foreign where !path.hasSuffix("Heartbeat.pcap") {
      let statistics = try statistics(path)
      #expect(statistics.bad > 0, "\(path)")
      #expect(statistics.badMessages.allSatisfy { $0.file == path && !$0.reason.isEmpty && $0.offset >= 24 })
    }
  }

  @Test func theDayOfACaptureIsItsOwn() throws {
    let path = TestData.path("itch/pcap/Nasdaq/Nasdaq.Equities.TotalView.Itch.v5.0/OrderDeleteMessage.pcap")
    let resolution = try TradingDayResolver(file: path, facts: FeedFacts(), reference: nil).resolve()
    #expect(resolution.day.date.description == "2023-08-22" && resolution.origin == .capture)
    #expect(resolution.day.utcOffsetSeconds == -14_400)
  }
}
