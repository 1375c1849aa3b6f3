// Pacing by message time: speeds, late players, idle stretches, new days.

import FeedHandler
import Testing

@Suite("Pacing")
struct FeedPacerTests {
  @Test func realTimeWaitsForWhatIsLeft() {
    var pacer = FeedPacer(speed: .realTime)
    #expect(pacer.sleepNanoseconds(beforeMessageAt: 1_000, now: 50) == 0)
    #expect(pacer.sleepNanoseconds(beforeMessageAt: 1_500, now: 50) == 500)
    #expect(pacer.sleepNanoseconds(beforeMessageAt: 1_500, now: 250) == 300)
    #expect(pacer.sleepNanoseconds(beforeMessageAt: 2_000, now: 5_000) == 0)
    #expect(pacer.sleepNanoseconds(beforeMessageAt: 10_000, now: 5_000) == 4_050)
  }

  @Test func fasterSlowerAndUnpaced() {
    var fast = FeedPacer(speed: .times(10))
    _ = fast.sleepNanoseconds(beforeMessageAt: 0, now: 0)
    #expect(fast.sleepNanoseconds(beforeMessageAt: 1_000, now: 0) == 100)
    var slow = FeedPacer(speed: .times(0.5))
    _ = slow.sleepNanoseconds(beforeMessageAt: 0, now: 0)
    #expect(slow.sleepNanoseconds(beforeMessageAt: 1_000, now: 0) == 2_000)
    var max = FeedPacer(speed: .max)
    _ = max.sleepNanoseconds(beforeMessageAt: 0, now: 0)
    #expect(max.sleepNanoseconds(beforeMessageAt: .max, now: 0) == 0)
  }

  @Test func aJumpBackBeginsAnotherDay() {
    var pacer = FeedPacer(speed: .realTime)
    let evening: UInt64 = 72_000_000_000_000
    _ = pacer.sleepNanoseconds(beforeMessageAt: evening, now: 0)
    #expect(pacer.sleepNanoseconds(beforeMessageAt: evening - 5, now: 7) == 0)
    #expect(pacer.sleepNanoseconds(beforeMessageAt: evening + 10, now: 7) == 3)
    #expect(pacer.sleepNanoseconds(beforeMessageAt: 1_000, now: 100) == 0)
    #expect(pacer.sleepNanoseconds(beforeMessageAt: 1_100, now: 100) == 100)
  }

  @Test func idleStretchesCanBeCut() {
    var pacer = FeedPacer(speed: .times(2), longestIdleNanoseconds: 1_000)
    _ = pacer.sleepNanoseconds(beforeMessageAt: 0, now: 0)
    #expect(pacer.sleepNanoseconds(beforeMessageAt: 1_000_000, now: 0) == 500)
    #expect(pacer.sleepNanoseconds(beforeMessageAt: 1_000_500, now: 500) == 250)
    var whole = FeedPacer(speed: .times(2))
    _ = whole.sleepNanoseconds(beforeMessageAt: 0, now: 0)
    #expect(whole.sleepNanoseconds(beforeMessageAt: 1_000_000, now: 0) == 500_000)
  }

  @Test func extremesDontTrap() {
    for times in [0.001, 1, 1_000_000] {
      var pacer = FeedPacer(speed: .times(times), longestIdleNanoseconds: 5)
      for time in [0, UInt64.max, 1, .max, 0, .max / 2] {
        for now in [UInt64.max, 0] { _ = pacer.sleepNanoseconds(beforeMessageAt: time, now: now) }
      }
    }
  }
}
