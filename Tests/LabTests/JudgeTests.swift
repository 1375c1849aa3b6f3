// The judge with records whose answer is known.

import Foundation
import Testing

@testable import Lab

@Suite struct JudgeTests {
  /// A record of a client, a line an event; times in milliseconds.
  struct Record {
    var lines: [Substring] = []
    mutating func frame(_ ms: UInt64, _ connection: Int = 1, _ events: String...) {
      lines.append(Substring("F \(ms * 1_000_000) \(connection) [\(events.joined(separator: ","))]"))
    }
  }

  static func snapshot(_ sequence: UInt64, bid: String, ask: String = "101", epoch: String = "\"s-1\"")
    -> String
  {
    "{\"type\":\"snapshot\",\"channel\":\"quotes\",\"instrument\":\"7203\",\"market\":\"XTKS\",\"epoch\":\(epoch),"
      + "\"seq\":\(sequence),\"bid\":\(bid),\"ask\":\(ask),\"stale\":null}"
  }
  static func update(_ sequence: UInt64, _ fields: String) -> String {
    "{\"type\":\"update\",\"channel\":\"quotes\",\"instrument\":\"7203\",\"seq\":\(sequence),\(fields)}"
  }
  static func trades(_ sequence: UInt64, _ numbers: [UInt64]) -> String {
    let all = numbers.reversed().map { "{\"seq\":\($0),\"price\":\($0).5,\"match\":\($0)}" }
    return
      "{\"type\":\"snapshot\",\"channel\":\"trades\",\"instrument\":\"7203\",\"market\":\"XTKS\",\"epoch\":\"s-1\","
      + "\"seq\":\(sequence),\"trades\":[\(all.joined(separator: ","))]}"
  }
  static func trade(_ sequence: UInt64, price: String? = nil) -> String {
    "{\"type\":\"update\",\"channel\":\"trades\",\"instrument\":\"7203\",\"seq\":\(sequence),"
      + "\"price\":\(price ?? "\(sequence).5"),\"match\":\(sequence)}"
  }

  /// The feed: quotes change at 10, 20, 30, 40 (ms: the number); trades at 15, 25, 35.
  static var truth: Truth {
    var record = Record()
    record.frame(1, 1, snapshot(1, bid: "99"), trades(2, [2]))
    record.frame(10, 1, update(10, "\"bid\":100"))
    record.frame(15, 1, trade(15))
    record.frame(20, 1, update(20, "\"ask\":102"))
    record.frame(25, 1, trade(25))
    record.frame(30, 1, update(30, "\"bid\":101"))
    record.frame(35, 1, trade(35))
    record.frame(40, 1, update(40, "\"bid\":103"))
    record.frame(50, 1)
    return Truth(record: record.lines)
  }

  static func isClean(_ client: JudgedClient) -> Bool {
    client.lost + client.repeated + client.outOfOrder + client.wrong == 0
  }

  static func judge(_ record: Record, windows: [JudgedWindow] = []) -> JudgedClient {
    Judge.judge(record: record.lines, truth: truth, windows: windows).whole
  }

  /// Everything, two milliseconds later than the reference.
  static var good: Record {
    var record = Record()
    record.frame(3, 1, snapshot(1, bid: "99"), trades(2, [2]))
    for (ms, event) in [
      (10, update(10, "\"bid\":100")), (15, trade(15)), (20, update(20, "\"ask\":102")), (25, trade(25)),
      (30, update(30, "\"bid\":101")), (35, trade(35)), (40, update(40, "\"bid\":103")),
    ] { record.frame(UInt64(ms + 2), 1, event) }
    return record
  }

  @Test func aClientThatGotEverythingIsClean() {
    let result = Self.judge(Self.good)
    #expect(Self.isClean(result))
    #expect(result.waitedMilliseconds == 2)
    #expect(result.updates == 8)
  }

  @Test func whatANewerValueReplacesIsNotLost() {
    var record = Record()
    record.frame(3, 1, Self.snapshot(1, bid: "99"), Self.trades(2, [2]))
    // 10 and 20 come folded into 30.
    record.frame(
      32, 1, Self.trade(15), Self.trade(25), Self.update(30, "\"bid\":101,\"ask\":102,\"conflated\":2"))
    record.frame(42, 1, Self.trade(35), Self.update(40, "\"bid\":103"))
    let result = Self.judge(record)
    #expect(Self.isClean(result))
    // What came at 10 was news until 32.
    #expect(result.waitedMilliseconds == 22)
  }

  @Test func aFieldThatIsMissingFromADifferenceIsWrongUntilItComes() {
    var record = Self.good
    record.lines.removeAll { $0.contains("\"ask\":102") }
    let result = Self.judge(record)
    // After 30 and after 40 the ask is still the old one.
    #expect(result.wrong == 2)
    #expect(result.lost == 0)
    #expect(result.examples.first?.contains("ask 101 found, 102 wanted") == true)
  }

  @Test func aValueThatNeverCameIsLostByField() {
    var record = Self.good
    record.lines.removeLast()
    let result = Self.judge(record)
    #expect(result.lost == 1)
    #expect(result.waitedMilliseconds == 10, "from 40 to the end of the feed")
  }

  @Test func everyTradeCounts() {
    var record = Self.good
    record.lines.removeAll { $0.contains("\"match\":25") }
    let result = Self.judge(record)
    #expect(result.lost == 1)
    // News from 25 on; the next trade came at 37.
    #expect(result.waitedMilliseconds == 12)
  }

  @Test func tradesOfASnapshotFillTheGap() {
    var record = Self.good
    record.lines.removeAll { $0.contains("\"match\":25") }
    record.frame(45, 2, Self.trades(35, [15, 25, 35]))
    let result = Self.judge(record)
    #expect(result.lost == 0)
    #expect(result.overlap == 2)
  }

  @Test func twiceOnOneConnectionIsRepeatedAndOnTwoIsNot() {
    var record = Self.good
    record.frame(43, 1, Self.update(40, "\"bid\":103"))
    #expect(Self.judge(record).repeated == 1)
    var other = Self.good
    other.frame(43, 2, Self.update(40, "\"bid\":103"))
    let result = Self.judge(other)
    #expect(Self.isClean(result))
    #expect(result.overlap == 1)
  }

  @Test func aLowerNumberOnAConnectionIsOutOfOrder() {
    var record = Self.good
    record.frame(43, 1, Self.update(30, "\"bid\":101"))
    #expect(Self.judge(record).outOfOrder == 1)
  }

  @Test func aWrongValueIsWrong() {
    var record = Self.good
    record.lines = record.lines.map { Substring($0.replacing("\"bid\":101", with: "\"bid\":101.5")) }
    let result = Self.judge(record)
    // The next update of the same field mends it.
    #expect(result.wrong == 1)
    #expect(Self.judge(Self.replacing("\"price\":25.5", by: "\"price\":25")).wrong == 1)
    #expect(
      Self.judge(Self.replacing("\"epoch\":\"s-1\",\"seq\":1", by: "\"epoch\":\"s-2\",\"seq\":1")).wrong == 1)
  }

  static func replacing(_ one: String, by other: String) -> Record {
    var record = good
    record.lines = record.lines.map { Substring($0.replacing(one, with: other)) }
    return record
  }

  @Test func aSnapshotThatIsWrongInItsTimeOnlyIsWrong() {
    var feed = Record()
    let time = "\"bid\":99,\"time\":\"09:00\""
    feed.frame(1, 1, Self.snapshot(1, bid: "99").replacing("\"bid\":99", with: time))
    feed.frame(10, 1, Self.update(10, "\"bid\":100,\"time\":\"09:10\""))
    feed.frame(20, 1)
    func judged(_ text: String) -> JudgedClient {
      var record = Record()
      record.frame(12, 1, Self.snapshot(12, bid: "99").replacing("\"bid\":99", with: text))
      return Judge.judge(record: record.lines, truth: Truth(record: feed.lines), windows: []).whole
    }
    #expect(judged("\"bid\":100,\"time\":\"09:10\"").wrong == 0)
    #expect(judged("\"bid\":100,\"time\":\"09:12\"").wrong == 1)
    #expect(judged("\"bid\":99,\"time\":\"09:12\"").wrong == 1)
  }

  @Test func aTradeThatTheFeedHasNotIsWrong() {
    var record = Self.good
    record.frame(46, 1, Self.trade(36))
    #expect(Self.judge(record).wrong == 1)
  }

  @Test func anOutageIsCountedInTheWindowInWhichItBegan() {
    var record = Record()
    record.frame(3, 1, Self.snapshot(1, bid: "99"), Self.trades(2, [2]))
    record.frame(12, 1, Self.update(10, "\"bid\":100"))
    // A cut from 13 to 38; another connection resumes.
    record.frame(
      38, 2, Self.update(30, "\"bid\":101,\"ask\":102"), Self.trade(15), Self.trade(25), Self.trade(35))
    record.frame(42, 2, Self.update(40, "\"bid\":103"))
    let windows = [
      JudgedWindow(from: 0, through: 12_500_000), JudgedWindow(from: 12_600_000, through: 50_000_000),
    ]
    let (whole, parts) = Judge.judge(record: record.lines, truth: Self.truth, windows: windows)
    #expect(Self.isClean(whole))
    #expect(parts[0].waitedMilliseconds == 2)
    #expect(parts[1].waitedMilliseconds == 23, "the trade of 15 came at 38")
    #expect(parts[1].waitedFor == "trades 7203")
  }

  /// The good record until 12 ms, and nothing more.
  static var cutOff: Record {
    var record = good
    record.lines = Array(record.lines.prefix(2))
    return record
  }

  @Test func anOutageThatIsOpenAtTheEndOfTheLastWindowCounts() {
    let windows = [
      JudgedWindow(from: 0, through: 13_000_000), JudgedWindow(from: 13_000_001, through: 45_000_000),
    ]
    let parts = Judge.judge(record: Self.cutOff.lines, truth: Self.truth, windows: windows).windows
    #expect(parts[0].waitedMilliseconds == 2 && parts[0].openMilliseconds == 0)
    #expect(parts[1].waitedMilliseconds == 35, "from the trade of 15 to the end of the feed at 50")
    #expect(parts[1].openMilliseconds == 30)
    #expect(parts[1].lost > 0)
  }

  @Test func anOutageIntoTheNextRepetitionCountsInBoth() {
    var record = Self.cutOff
    record.frame(
      38, 2, Self.update(30, "\"bid\":101,\"ask\":102"), Self.trade(15), Self.trade(25), Self.trade(35))
    record.frame(42, 2, Self.update(40, "\"bid\":103"))
    let windows = [
      JudgedWindow(from: 0, through: 30_000_000), JudgedWindow(from: 30_000_000, through: 50_000_000),
    ]
    let (whole, parts) = Judge.judge(record: record.lines, truth: Self.truth, windows: windows)
    #expect(whole.waitedMilliseconds == 23)
    #expect(parts[0].waitedMilliseconds == 23 && parts[0].openMilliseconds == 15)
    #expect(parts[1].waitedMilliseconds == 8 && parts[1].openMilliseconds == 0)
    // Within one repetition it is the fault's alone, and over when it is.
    var same = windows
    same[1].isContinuation = true
    let two = Judge.judge(record: record.lines, truth: Self.truth, windows: same).windows
    #expect(two[0].waitedMilliseconds == 23 && two[0].openMilliseconds == 0)
    #expect(two[1].waitedMilliseconds == 3, "the trade of 35")
  }

  @Test func whoGotNothingWaitedAllTheTime() {
    let windows = [JudgedWindow(from: 0, through: 60_000_000)]
    let result = Judge.judge(record: Record().lines, truth: Self.truth, windows: windows).windows[0]
    #expect(result.waitedMilliseconds == 59, "from the first snapshot to the window's end")
  }

  @Test func whatComesAgainIsComparedToo() {
    var record = Self.good
    record.frame(43, 2, Self.snapshot(30, bid: "101", ask: "102"))
    record.frame(44, 2, Self.update(40, "\"bid\":103.5"))
    record.frame(45, 2, Self.trade(35, price: "36.5"))
    let result = Self.judge(record)
    #expect(result.wrong == 2)
    #expect(result.overlap == 3)
    #expect(result.examples.contains { $0.contains("bid 103.5 found, 103 wanted") })
    // A second connection whose snapshot lacks what came before it is wrong by itself.
    var old = Self.good
    old.frame(43, 2, Self.snapshot(30, bid: "101", ask: "101"))
    #expect(Self.judge(old).wrong == 1)
  }

  @Test func aResumedConnectionIsComparedByWhatItTold() {
    var record = Self.good
    record.frame(43, 2, Self.update(20, "\"ask\":102"), Self.update(30, "\"bid\":101"))
    #expect(Self.isClean(Self.judge(record)))
    // One difference is missing: the bid is old when the next one comes.
    var missing = Self.good
    missing.frame(43, 2, Self.update(10, "\"bid\":100"), Self.update(40, "\"ask\":102"))
    #expect(Self.judge(missing).wrong == 1)
  }

  @Test func whatCannotBeReadIsCounted() {
    var record = Self.good
    record.lines.append("F 44000000 1 [{\"type\":\"upda")
    record.lines.append("F 45000")
    #expect(Self.judge(record).unreadable == 2)
  }

  @Test func aReferenceThatFoldedOrBeganAgainIsInDoubt() {
    #expect(Self.truth.doubts.isEmpty)
    func doubts(_ connection: Int, _ text: String) -> [String] {
      var record = Record()
      record.frame(1, 1, Self.snapshot(1, bid: "99"))
      record.frame(10, connection, text)
      return LabFaults.ofReference(Truth(record: record.lines), through: 20_000_000)
    }
    #expect(doubts(1, Self.update(10, "\"bid\":100")).isEmpty)
    #expect(doubts(2, Self.update(10, "\"bid\":100")).count == 1)
    #expect(doubts(1, Self.update(10, "\"bid\":100,\"conflated\":2")).count == 1)
    #expect(doubts(1, "{\"type\":\"stale\",\"stale\":{\"since\":\"x\"}}").count == 1)
    #expect(doubts(1, "{\"type\":").count == 1)
  }

  @Test func aFeedThatEndedIsSeen() {
    #expect(Self.truth.isAlive(in: JudgedWindow(from: 0, through: 50_000_000)))
    #expect(!Self.truth.isAlive(in: JudgedWindow(from: 50_000_000, through: 90_000_000)))
    #expect(!Self.truth.isAlive(in: JudgedWindow(from: 0, through: 3_000_000_000)))
  }

  @Test func waitsThatSpoilTheFiguresAreFaults() {
    var calm = LabWindow(isControl: true, run: 1, target: "nothing", from: 0)
    var client = JudgedClient()
    client.updates = 1
    client.waitedMilliseconds = 99
    #expect(LabFaults.of("c", client, [(calm, client)]).isEmpty)
    client.waitedMilliseconds = 101
    #expect(LabFaults.of("c", client, [(calm, client)]).count == 1)
    calm.isControl = false
    #expect(LabFaults.of("c", client, [(calm, client)]).isEmpty)
    client.openMilliseconds = 101
    #expect(LabFaults.of("c", client, [(calm, client)]).count == 1)
    client.unreadable = 1
    #expect(LabFaults.of("c", client, []).count == 1)
  }

  @Test func aClientThatGotNothingHasLostEverything() {
    let result = Self.judge(Record())
    #expect(result.updates == 0)
    #expect(result.lost >= 2)
  }

  @Test func framesAreTakenApartAsTheyAreWritten() throws {
    let events = try #require(
      FrameScanner.events(
        #"[{"type":"update","a":-1.50,"b":null,"c":{"x":[1,"}"]},"d":"q\"]"} , {"type":"pong"}]"#.utf8))
    #expect(events.count == 2)
    #expect(events[0].fields["a"] == "-1.50")
    #expect(events[0].fields["c"] == #"{"x":[1,"}"]}"#)
    #expect(events[0].fields["d"] == #""q\"]""#)
    for bad in ["", "[", "[{]", "{}", "[{\"a\"}]", "[{\"a\":}]", "[{\"a\":1,}", "[{\"a\":\"x]", "[1]"] {
      #expect(FrameScanner.events(bad.utf8) == nil, "\(bad)")
    }
    #expect(FrameScanner.events("[]".utf8) == [])
  }

  @Test func aClientResumesFromBeforeItsNewest() throws {
    var keeper = PositionKeeper()
    func take(_ ms: UInt64, _ text: String) {
      keeper.take(FrameScanner.events("[\(text)]".utf8) ?? [], at: ms * 1_000_000)
    }
    #expect(keeper.safe(before: 0) == nil)
    take(1000, Self.snapshot(5, bid: "1"))
    #expect(keeper.safe(before: 1_100_000_000) == nil, "not long enough ago")
    for step in 1...50 { take(1000 + UInt64(step) * 20, Self.update(5 + UInt64(step), "\"bid\":2")) }
    let position = try #require(keeper.safe(before: 9_000_000_000))
    #expect(position.market == "XTKS" && position.epoch == "\"s-1\"")
    #expect(position.sequence == 42, "the newest of 1,750 ms, a quarter of a second before the last frame")
    take(3000, Self.snapshot(1, bid: "1", epoch: "\"s-2\""))
    #expect(keeper.safe(before: 9_000_000_000) == nil, "positions of another epoch say nothing")
  }
}
