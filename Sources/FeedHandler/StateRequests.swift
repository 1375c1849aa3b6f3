// Asks a feed thread for the whole state of its plant: it comes into the asker's own ring, between the records before
// and after it, with the tag bit `RecordSplitter.told`.
// Bound: one state at a time, and not more often than the feed can bear: it stands still meanwhile.

public import MarketData
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
  private let place = Mutex<Place?>(nil)

  /// How far the feed thread is: the records of all messages up to here are in the ring.
  public struct Place: Sendable, Equatable {
    /// Name of the session.
    public var session: String
    /// Its day.
    public var date: CalendarDate
    /// The last message.
    public var sequence: UInt64

    /// A place from its parts.
    public init(session: String, date: CalendarDate, sequence: UInt64) {
      self.session = session
      self.date = date
      self.sequence = sequence
    }
  }

  /// How far the feed thread was when it handed on last; nil before. Read it before the ring is drained.
  public var reached: Place? { place.withLock { $0 } }

  /// The feed thread has handed on all records up to here: once a batch, not once a message.
  func reach(_ sequence: UInt64, session: String, date: CalendarDate) {
    place.withLock { place in
      if place?.sequence == sequence, place?.date == date, place?.session == session { return }
      place = Place(session: session, date: date, sequence: sequence)
    }
  }

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
