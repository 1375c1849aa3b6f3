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

  @Test func everyWindowSinceTheLastBeatIsListed() {
    var comparison = PlantComparison()
    _ = comparison.take(own: 0, sum: 1, epoch: Self.epoch)
    let listed = [100, 130, 130, 1_130, 1_140].map { comparison.unlisted(through: $0, length: 10) }
    #expect(listed[0] == [100])
    #expect(listed[1] == [110, 120, 130])
    #expect(listed[2] == [130])
    #expect(listed[3].count == 7 && listed[3].last == 1_130)
    #expect(listed[4] == [1_140])
  }

  @Test func aDifferenceIsOverAfterEqualWindows() throws {
    var comparison = PlantComparison()
    let code = InstrumentCode(0x7203)
    func summary(_ sum: UInt64) -> WindowSummary {
      WindowSummary(start: 10, sum: sum, instruments: [(code, sum)], messages: [sum])
    }
    let none = comparison.take(own: 10, sum: 1, epoch: Self.epoch)
    let steps = comparison.take("p2", start: 10, sum: 2, epoch: Self.epoch)
    #expect(none == [] && steps == [.ask(node: "p2", windowStart: 10)])
    let found = comparison.take("p2", theirs: summary(2), own: summary(1), wall: 9)
    #expect(found?.difference.instruments == [code] && found?.difference.sequence == 10)
    #expect(comparison.differences.count == 1)
    for window in 2..<UInt64(12) {
      _ = comparison.take(own: window * 10, sum: window, epoch: Self.epoch)
      _ = comparison.take("p2", start: window * 10, sum: window, epoch: Self.epoch)
    }
    #expect(comparison.differences.isEmpty)
    #expect(comparison.equal == 10)
  }
}
