// A receiver that changes from one plant to another: the old stream counts until the new one is there, and each stream
// keeps one place however often it is taken. The receiver's thread isn't begun: the test is its thread.

import Continuity
import FeedHandler
import MarketData
import Testing
import TickerPlant

@testable import Backbone

@Suite struct SwitchTests {
  private static let epoch = EpochKey(EpochName(session: "DAY1", date: CalendarDate(daysSince1970: 20_000)))
  private static let second: UInt64 = 1_000_000_000

  /// Beats of both candidates; `away` gives no service.
  private static func hear(_ receiver: StreamReceiver, away: Int?, at now: UInt64) {
    for candidate in 0..<2 {
      receiver.chooser.hear(
        candidate,
        PathChooser.Beat(
          epoch: epoch, through: 10, service: candidate == away ? .outByCommand : .inService), at: now)
    }
    receiver.choose(at: now)
    receiver.leave(at: now)
  }

  @Test func whatIsLeftCountsUntilTheNewOneIsThereOrASecondIsOver() {
    let bus = InProcessBus(rail: "a")
    defer { bus.close() }
    let ring = UpdateRing(capacity: 1 << 20) {}
    let receiver = StreamsTests.receiver([bus], streams: 1, ring: ring)
    var now = 100 * Self.second
    Self.hear(receiver, away: nil, at: now)
    #expect(receiver.chooser.taken == [0])
    #expect(receiver.streams[0] == [0] && receiver.streams[1] == nil)
    now += Self.second / 10
    Self.hear(receiver, away: 0, at: now)
    #expect(receiver.chooser.taken == [1])
    #expect(receiver.streams[0] == [0] && receiver.streams[1] == [1])
    for _ in 0..<9 {
      now += Self.second / 10
      Self.hear(receiver, away: 0, at: now)
    }
    #expect(receiver.streams[0] == [0])
    now += Self.second / 5
    Self.hear(receiver, away: 0, at: now)
    #expect(receiver.streams[0] == nil && receiver.leaving.isEmpty)
  }

  @Test func streamsKeepTheirPlaceHoweverOftenTheyAreTaken() {
    let bus = InProcessBus(rail: "a")
    defer { bus.close() }
    let ring = UpdateRing(capacity: 1 << 20) {}
    let receiver = StreamsTests.receiver([bus], streams: 1, ring: ring)
    var now = 100 * Self.second
    for turn in 0..<40 {
      for _ in 0..<30 {
        now += Self.second / 10
        Self.hear(receiver, away: turn % 2, at: now)
      }
      #expect(receiver.chooser.taken == [1 - turn % 2])
    }
    #expect(receiver.owners.count == 2)
    #expect(receiver.owners.allSatisfy { $0.taking >= 19 })
    #expect(receiver.answerSubject(0) != receiver.answerSubject(1))
    #expect(receiver.answerSubject(0).hasSuffix(".0-\(receiver.owners[0].taking)"))
  }
}
