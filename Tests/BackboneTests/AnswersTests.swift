// The order of answers, what a rail refuses, and how plants are compared.

import Continuity
import FeedHandler
import Foundation
import MarketData
import Testing
import TickerPlant

@testable import Backbone

@Suite struct AnswersTests {
  private static let epoch = EpochKey(day: 20_000, first: 1, second: 0, third: 0)

  @Test func replaysGoFirstAndNewerQuestionsReplaceOlder() async throws {
    let rail = try await StreamsTests.Rail(.inProcess, "a", users: 2)
    defer { rail.close() }
    let heard = Heard()
    let inbox = try rail.users[1].subscribe("_INBOX.>", heard.handler)
    var queue = AnswerQueue()
    func add(_ texts: [String], _ reply: String, isUrgent: Bool, code: InstrumentCode? = nil) {
      queue.add(
        texts.map { Array($0.utf8) }, reply: "_INBOX." + reply, rail: 0, about: code, isUrgent: isUrgent,
        at: 1)
    }
    add(["old 1", "old 2"], "x", isUrgent: false)
    add(["snapshot 1", "snapshot 2"], "y", isUrgent: false)
    add(["new 1", "new 2"], "x", isUrgent: false)
    add(["of one"], "x", isUrgent: false, code: InstrumentCode(0x7203))
    add(["replay"], "z", isUrgent: true)
    let isLeft = queue.send(over: [rail.users[0]], at: 2)
    #expect(!isLeft)
    let wanted = [
      "_INBOX.z=replay", "_INBOX.y=snapshot 1", "_INBOX.y=snapshot 2", "_INBOX.x=new 1", "_INBOX.x=new 2",
      "_INBOX.x=of one",
    ]
    #expect(await eventually { heard.all.count >= wanted.count })
    #expect(heard.all == wanted)
    withExtendedLifetime(inbox) {}
  }

  /// A rail's budget: parts wait for it, none is left out, and a part beyond a second's worth goes too.
  @Test func whatTheBudgetRefusesIsKept() async throws {
    let asker = InProcessBus(rail: "a")
    let plant = asker.endpoint(budgets: [.answer: 800_000])
    defer {
      asker.close()
      plant.close()
    }
    let heard = Heard()
    let inbox = try asker.subscribe("_INBOX.x", heard.handler)
    var queue = AnswerQueue()
    let parts = (0..<4).map { number in [UInt8](repeating: UInt8(ascii: "a") + UInt8(number), count: 900_000)
    }
    queue.add(parts, reply: "_INBOX.x", rail: 0, about: nil, isUrgent: false, at: Clock.monotonic())
    let isLeft = queue.send(over: [plant], at: Clock.monotonic())
    #expect(isLeft)
    #expect(
      await eventually {
        _ = queue.send(over: [plant], at: Clock.monotonic())
        return heard.count == 4
      })
    #expect(heard.all.map { $0.dropFirst("_INBOX.x=".count).first } == ["a", "b", "c", "d"])
    withExtendedLifetime(inbox) {}
  }

  @Test func whatNobodyTakesIsForgotten() {
    var queue = AnswerQueue()
    queue.add([[1]], reply: "_INBOX.x", rail: 5, about: nil, isUrgent: true, at: 1)
    let isLeft = queue.send(over: [], at: 2)
    let isLeftLater = queue.send(over: [], at: 20_000_000_000)
    #expect(isLeft && !isLeftLater)
  }

  private static func windows(_ starts: some Sequence<UInt64>, wrong: Set<UInt64> = []) -> [DigestWindow] {
    starts.map { DigestWindow(start: $0, sum: wrong.contains($0) ? 7 : $0 + 1) }
  }

  @Test func everyWindowIsComparedHoweverManyABeatTells() {
    var comparison = PlantComparison(windowBits: 4)
    var asked: [PlantComparison.Step] = []
    // Twenty windows a beat, each told twice, one plant ahead of the other.
    for beat in 0..<UInt64(30) {
      let starts = { (from: UInt64) in (max(20, from) - 20..<from + 20).map { $0 * 16 } }
      let wrong: Set<UInt64> = [16 * 333]
      asked += comparison.take(own: Self.windows(starts(beat * 20)), epoch: Self.epoch, at: beat)
      asked += comparison.take(
        "p2", Self.windows(starts(beat * 20 + 7), wrong: wrong), epoch: Self.epoch, at: beat)
    }
    #expect(comparison.equal == 599 && comparison.passedOver == 0)
    #expect(asked == [.ask(node: "p2", windowStart: 16 * 333)])
  }

  @Test func windowsThatNobodyComparedAreCounted() {
    var comparison = PlantComparison(windowBits: 4)
    _ = comparison.take(own: Self.windows([0, 16, 32, 48, 64, 80]), epoch: Self.epoch, at: 1)
    _ = comparison.take("p2", Self.windows([16]), epoch: Self.epoch, at: 1)
    #expect(comparison.passedOver == 0)
    // The other one was restarted meanwhile, then this one was.
    _ = comparison.take("p2", Self.windows([64, 80]), epoch: Self.epoch, at: 1)
    #expect(comparison.equal == 3 && comparison.passedOver == 2)
    _ = comparison.take("p2", Self.windows([96, 112, 128]), epoch: Self.epoch, at: 1)
    _ = comparison.take(own: Self.windows([128]), epoch: Self.epoch, at: 1)
    #expect(comparison.equal == 4 && comparison.passedOver == 4)
  }

  @Test func aDifferenceWhoseDetailsNobodyHasIsTold() {
    var comparison = PlantComparison(windowBits: 4)
    _ = comparison.take(own: Self.windows([16]), epoch: Self.epoch, at: 1)
    let steps = comparison.take("p2", Self.windows([16], wrong: [16]), epoch: Self.epoch, at: 1)
    #expect(steps == [.ask(node: "p2", windowStart: 16)])
    let early = comparison.unanswered(at: 1_000_000_000, wall: 5)
    let late = comparison.unanswered(at: 3_000_000_000, wall: 6)
    let again = comparison.unanswered(at: 9_000_000_000, wall: 7)
    #expect(early.isEmpty && again.isEmpty)
    #expect(late.map(\.difference.windowStart) == [16] && late.map(\.node) == ["p2"])
    #expect(comparison.differences == late)
  }

  @Test func aDifferenceIsOverAfterEqualWindows() throws {
    var comparison = PlantComparison(windowBits: 3)
    let code = InstrumentCode(0x7203)
    func summary(_ sum: UInt64) -> WindowSummary {
      WindowSummary(start: 10, sum: sum, instruments: [(code, sum)], messages: [sum])
    }
    func one(_ start: UInt64, _ sum: UInt64) -> [DigestWindow] { [DigestWindow(start: start, sum: sum)] }
    let none = comparison.take(own: one(10, 1), epoch: Self.epoch, at: 1)
    let steps = comparison.take("p2", one(10, 2), epoch: Self.epoch, at: 1)
    #expect(none == [] && steps == [.ask(node: "p2", windowStart: 10)])
    let found = comparison.take("p2", theirs: summary(2), own: summary(1), wall: 9)
    #expect(found?.difference.instruments == [code] && found?.difference.sequence == 10)
    #expect(comparison.differences.count == 1)
    for window in 2..<UInt64(12) {
      _ = comparison.take(own: one(window * 10, window), epoch: Self.epoch, at: 1)
      _ = comparison.take("p2", one(window * 10, window), epoch: Self.epoch, at: 1)
    }
    #expect(comparison.differences.isEmpty)
    #expect(comparison.equal == 10)
  }
}
