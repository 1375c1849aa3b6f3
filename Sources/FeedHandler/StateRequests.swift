// Asks a feed thread for the whole state of its plant: it comes into the asker's own ring, between the records before
// and after it, with the tag bit `RecordSplitter.told`.
// Bound: one state at a time, and not more often than the feed can bear: it stands still meanwhile.

import Synchronization
public import TickerPlant

/// See the head of this file.
public final class StateRequests: Sendable {
  /// The asker's ring; one of the thread's outlets too.
  public let ring: UpdateRing
  private let isAsked = Atomic<Bool>(false)
  private let toldAt = Atomic<UInt64>(0)
  private let pause: UInt64
  private let signal = EventSignal()

  /// A way to ask.
  /// - Parameter milliseconds: between two states at least.
  public init(ring: UpdateRing, milliseconds: UInt64 = 200) {
    self.ring = ring
    pause = milliseconds * 1_000_000
  }

  /// Asks; several questions before the answer get one.
  public func ask() {
    isAsked.store(true, ordering: .releasing)
    signal.set()
  }

  /// Whether the state is to be told now.
  func isDue(at now: UInt64) -> Bool {
    guard isAsked.load(ordering: .relaxed), now &- toldAt.load(ordering: .relaxed) >= pause else {
      return false
    }
    toldAt.store(now, ordering: .relaxed)
    return isAsked.exchange(false, ordering: .acquiring)
  }

  /// Waits for a question, where the feed is over.
  func wait(nanoseconds: UInt64) { signal.wait(nanoseconds: nanoseconds) }
}
