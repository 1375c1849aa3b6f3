// Captures of MoldUDP64 as feeds: both lines, order, gaps, sessions, blanked numbers, and what isn't MoldUDP64.

import FeedHandler
import FeedProtocols
import MarketData
import Testing

@Suite("Captures as feeds")
struct CaptureFeedTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func feed(_ bytes: [UInt8]) throws -> FeedFile { try FeedFile(paths: [folder.file("f", bytes)]) }
  private func records(_ payloads: [[UInt8]], maxMessages: Int = 100) throws -> [String] {
    try Record.read(feed(capture(payloads)), maxMessages: maxMessages)
  }

  @Test func messagesCarrySequenceAndTimeOfTheirPacket() throws {
    let feed = try feed(capture([(5_000_000_007, mold("S", 90, [order(1), order(2)]))]))
    guard case .session("S") = try feed.next(maxMessages: 10) else {
      Issue.record("wanted the session first")
      return
    }
    guard case .messages(let run) = try feed.next(maxMessages: 10) else {
      Issue.record("wanted messages")
      return
    }
    #expect(run.firstSequence == 90 && run.count == 2 && run.receivedAtNanoseconds == 5_000_000_007)
    #expect(Array(run.bytes) == framed([order(1), order(2)]))
  }

  @Test(arguments: [1, 100])
  func theSecondLineIsLeftOut(maxMessages: Int) throws {
    let packets = [
      mold("S", 1, [order(1), order(2)]), mold("S", 3, [order(3)]), mold("S", 4, [order(4), order(5)]),
    ]
    let expected = ["session S"] + (1...5).map { "m \($0) \($0) A \($0)" }
    #expect(try records(packets.flatMap { [$0, $0] }, maxMessages: maxMessages) == expected)
    let feed = try feed(capture(packets + packets))
    #expect(try Record.read(feed) == expected)
    #expect(feed.duplicateCount == 5)
  }

  @Test func overlappingPacketsGiveEachMessageOnce() throws {
    let packets = [mold("S", 1, [order(1), order(2)]), mold("S", 2, [order(2), order(3)])]
    #expect(try records(packets) == ["session S"] + (1...3).map { "m \($0) \($0) A \($0)" })
  }

  @Test func packetsOutOfOrderAreWaitedFor() throws {
    let packets = [1, 4, 3, 5, 2, 6].map { mold("S", $0, [order($0)]) }
    #expect(try records(packets) == ["session S"] + (1...6).map { "m \($0) \($0) A \($0)" })
  }

  @Test func whatNeverComesIsAGap() throws {
    let packets = [1, 2, 5, 6, 9].map { mold("S", $0, [order($0)]) }
    #expect(
      try records(packets) == [
        "session S", "m 1 1 A 1", "m 2 2 A 2", "gap S 3-4", "m 5 3 A 5", "m 6 4 A 6", "gap S 7-8",
        "m 9 5 A 9",
      ])
  }

  @Test func aGapIsDeclaredWhenTimeIsUp() throws {
    let bytes = capture(
      [(1_000, mold("S", 1, [order(1)])), (2_000, mold("S", 3, [order(3)]))]
        + [(300_000_000, mold("S", 4, [order(4)])), (300_000_001, mold("S", 2, [order(2)]))])
    let expected = ["session S", "m 1 1 A 1", "gap S 2-2", "m 3 2 A 3", "m 4 3 A 4"]
    #expect(try Record.read(feed(bytes)) == expected)
  }

  @Test func aHeartbeatRevealsAGap() throws {
    #expect(
      try records([mold("S", 1, [order(1)]), mold("S", 4, []), mold("S", 4, [])]) == [
        "session S", "m 1 1 A 1", "gap S 2-3",
      ])
  }

  @Test func sessionsHaveTheirOwnNumbers() throws {
    let packets = [
      mold("S1", 10, [order(1)]), mold("S2", 1, [order(2)]), mold("S1", 11, [order(3)]),
      mold("S1", 13, [order(4)]), mold("S2", 2, [order(5)]),
    ]
    #expect(
      try records(packets) == [
        "session S1", "m 10 1 A 1", "session S2", "m 1 2 A 2", "session S1", "m 11 3 A 3", "gap S1 12-12",
        "m 13 4 A 4", "session S2", "m 2 5 A 5",
      ])
  }

  @Test func blankedPacketsAreNumberedHere() throws {
    let blank = "\0\0\0\0\0\0\0\0\0\0"
    let packets = [mold(blank, 0, [order(1), order(2)]), mold(blank, 0, [order(3)])]
    #expect(try records(packets) == (1...3).map { "m \($0) \($0) A \($0)" })
  }

  @Test func badMessagesTakeTheirSequenceAndBadPacketsNone() throws {
    let packets = [
      mold("S", 1, [order(1), Array("Zz".utf8), [], order(4)]), Array("no Mold".utf8),
      mold("S", 5, [order(5)]),
    ]
    #expect(
      try records(packets) == [
        "session S", "m 1 1 A 1", "bad 2 2 @126 Z", "bad 3 3 @130 -", "m 4 4 A 4", "bad - - @221 -",
        "m 5 5 A 5",
      ])
  }

  @Test func sequencesAtTheEndOfSixtyFourBitsDontTrap() throws {
    let packets = [mold("S", 1, [order(1)]), mold("S", .max - 1, [order(2)]), mold("S", .max, [order(3)])]
    #expect(
      try Array(records(packets).prefix(4)) == [
        "session S", "m 1 1 A 1", "bad - - @282 -",
        "gap S 2-\(UInt64.max - 2)",
      ])
  }

  @Test func manyPacketsOutOfReachDontFillMemory() throws {
    let packets = [mold("S", 1, [order(1)])] + (0..<2_000).map { mold("S", 10 + $0 * 2, [order($0)]) }
    let bytes = capture(packets.map { (7, $0) })
    let lines = try Record.read(feed(bytes))
    #expect(lines.count { $0.hasPrefix("gap") } == 2_000)
    #expect(lines.count { $0.hasPrefix("m ") } == 2_001)
  }
}
