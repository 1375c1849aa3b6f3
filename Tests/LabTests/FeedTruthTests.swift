// The reference against the feed's file, with answers that are known.

import Testing

@testable import Lab

@Suite struct FeedTruthTests {
  typealias Record = JudgeTests.Record

  /// What the file makes: quotes change at 1, 10, 20, 30, a trade at 15.
  private static var file: FeedTruth {
    var truth = FeedTruth()
    for event in [
      JudgeTests.snapshot(1, bid: "99"), JudgeTests.trades(0, []), JudgeTests.update(10, "\"bid\":100"),
      JudgeTests.trade(15), JudgeTests.update(20, "\"ask\":102"), JudgeTests.update(30, "\"bid\":101"),
    ] { truth.take("[\(event)]".utf8) }
    return truth
  }

  private static func reference(_ frames: [(UInt64, String)]) -> Truth {
    var record = Record()
    for (ms, event) in frames { record.frame(ms, 1, event) }
    return Truth(record: record.lines)
  }

  private static let good: [(UInt64, String)] = [
    (110, JudgeTests.snapshot(10, bid: "100")), (110, JudgeTests.trades(0, [])), (115, JudgeTests.trade(15)),
    (120, JudgeTests.update(20, "\"ask\":102")), (130, JudgeTests.update(30, "\"bid\":101")),
  ]

  private static func differences(_ change: (inout [(UInt64, String)]) -> Void) -> [String] {
    var frames = good
    change(&frames)
    return file.differences(of: reference(frames))
  }

  @Test func aReferenceThatGotWhatTheFileSaysIsBelieved() {
    #expect(Self.differences { _ in } == [])
    // The run ended before the file did.
    #expect(Self.differences { $0.removeLast() } == [])
  }

  @Test func whatTheReferenceHasOtherwiseIsNamed() {
    #expect(
      Self.differences { $0[4].1 = JudgeTests.update(30, "\"bid\":105") }
        == ["quotes 7203 30: bid 105 found, 101 wanted"])
    #expect(
      Self.differences { $0[2].1 = JudgeTests.trade(15, price: "9") }
        == ["trade 7203 15: price 9 found, 15.5 wanted"])
    #expect(Self.differences { $0[0].1 = JudgeTests.snapshot(10, bid: "99") }.count == 1)
  }

  @Test func whatTheReferenceLacksOrMadeUpIsNamed() {
    #expect(Self.differences { $0.remove(at: 3) } == ["quotes 7203 20: the reference did not get it"])
    #expect(Self.differences { $0.remove(at: 2) } == ["trade 7203 15: the reference did not get it"])
    #expect(
      Self.differences { $0.insert((122, JudgeTests.update(22, "\"bid\":100")), at: 4) }
        == ["quotes 7203 22: the file has no such change"])
    // A snapshot with the number at which it was made instead of that of the last change.
    #expect(
      Self.differences { $0[0].1 = JudgeTests.snapshot(12, bid: "100") }
        == ["quotes 7203 12: the file has no such change"])
  }

  @Test func theFilesValuesHaveTheReferencesTimes() {
    let (truth, late) = Self.file.timed(by: Self.reference(Self.good))
    #expect(late == 0)
    #expect(truth.quotes["7203"]?.map(\.sequence) == [1, 10, 20, 30])
    #expect(truth.quotes["7203"]?.map { $0.at / 1_000_000 } == [110, 110, 120, 130])
    #expect(truth.trades["7203"]?.map { $0.at / 1_000_000 } == [115])
    #expect(truth.epoch == "\"s-1\"")
    let short = Self.file.timed(by: Self.reference(Array(Self.good.prefix(4)))).truth
    #expect(short.quotes["7203"]?.last?.sequence == 20)
  }

  @Test func whatAClientKnewBeforeTheReferenceCounts() {
    // The reference's own frames came 50 ms late from 20 on; a client that wants less had 25 by then.
    var late = Self.good
    for place in 3..<5 { late[place].0 += 50 }
    let client = Self.reference([
      (112, JudgeTests.snapshot(10, bid: "100")), (126, JudgeTests.update(25, "\"ask\":102")),
    ])
    let (truth, most) = Self.file.timed(by: Self.reference(late), or: [client])
    #expect(most == 44_000_000)
    #expect(truth.quotes["7203"]?.map { $0.at / 1_000_000 } == [110, 110, 126, 180])
    #expect(truth.trades["7203"]?.map { $0.at / 1_000_000 } == [115])
  }

  @Test func framesThatCannotBeReadAreTold() {
    var truth = Self.file
    truth.take("[{".utf8)
    #expect(truth.differences(of: Self.reference(Self.good)).count == 1)
  }
}
