// A store that was away: what was kept meanwhile goes into its ring beside what its stream brings. A ring has one writer,
// so a thread of its own joins both: the stream's records in a ring that stands for the store's, kept ticks in another.
// Queues: both rings are bounded, and who finds one full waits, as with the store's own.
// Kept frames end where windows of messages do: what is missing between the last kept frame and the stream's beginning
// comes a little later, so that there are a few rounds.
//
// @unchecked Sendable: `ticks` is the asking thread's own after `start`; all else is a ring, atomic, or behind `shared`.

import FeedHandler
import Foundation
import Synchronization
public import TickerPlant

/// See the head of this file.
public final class StoreCatchUp: @unchecked Sendable {
  /// Its figures at one moment.
  public struct Report: Sendable, Equatable {
    /// Frames that were taken.
    public var frames = 0
    /// Rounds that went through.
    public var rounds = 0
    /// Why the last one didn't; nil = it did.
    public var fault: String?
  }

  /// Stands for the store's ring.
  public let ring: UpdateRing
  private let kept: UpdateRing
  private let store: UpdateRing
  private let ticks: KeptTicks
  private let name: String
  private let configuration: UInt32
  private let tag: UInt32
  private let log: @Sendable (BusLevel, String) -> Void
  private let joining: EventSignal
  private let asking = EventSignal()
  private let stops = Atomic<Bool>(false)
  private let asksNoMore = Atomic<Bool>(false)
  private let finished = DispatchSemaphore(value: 0)
  private let shared = Mutex(Report())
  private var hasStarted = false

  /// When rounds begin, seconds after the start.
  private static var rounds: [Double] { [0, 15, 60] }
  private static var retrySeconds: Double { 5 }

  /// A store's way to what was kept; it hasn't begun.
  /// - Parameters:
  ///   - market: market identifier code.
  ///   - store: names the place of this store among the kept messages.
  ///   - configuration: hash of the node's configuration.
  ///   - bus: the rail with the server that keeps, and that server's JetStream domain.
  ///   - ring: the store's, of which this is the one writer from now on.
  ///   - tag: the market's index.
  public init(
    market: String, store name: String, configuration: UInt32, bus: NatsBus, domain: String?,
    ring: UpdateRing,
    tag: UInt32, log: @escaping @Sendable (BusLevel, String) -> Void = { _, _ in }
  ) {
    ticks = KeptTicks(market: market, bus: bus, domain: domain)
    self.name = name
    self.configuration = configuration
    self.tag = tag
    self.log = log
    store = ring
    let signal = EventSignal()
    joining = signal
    self.ring = UpdateRing(capacity: ring.capacity) { signal.set() }
    kept = UpdateRing(capacity: 4 << 20) { signal.set() }
  }

  /// Figures at this moment.
  public var report: Report { shared.withLock { $0 } }

  /// Begins.
  public func start() {
    hasStarted = true
    for (name, body) in [("keep-join", join), ("keep-ask", ask)] {
      let thread = Thread { [self] in
        body()
        finished.signal()
      }
      thread.name = name
      thread.start()
    }
  }

  /// Ends, once what came is in the store's ring; after the stream's end, before the store's.
  public func stop() {
    guard !asksNoMore.exchange(true, ordering: .acquiringAndReleasing), hasStarted else { return }
    asking.set()
    finished.wait()
    stops.store(true, ordering: .releasing)
    joining.set()
    finished.wait()
  }

  private func join() {
    while true {
      let isEnding = stops.load(ordering: .acquiring)
      let isEmpty = ring.drain(limit: 1 << 20) { tag, records in put(records, tag, into: store) }
      let hasNoMore = kept.drain(limit: 64 << 10) { tag, records in put(records, tag, into: store) }
      if isEmpty, hasNoMore {
        if isEnding { return }
        joining.wait(nanoseconds: 50_000_000)
      }
    }
  }

  /// Waits where it is full, but not for a store that is gone.
  private func put(_ records: UnsafeRawBufferPointer, _ tag: UInt32, into ring: UpdateRing) {
    var waits = 0
    while !ring.write(records, tag: tag) {
      if asksNoMore.load(ordering: .acquiring) {
        waits += 1
        if waits > 5_000 { return }
      }
      usleep(200)
    }
  }

  private func ask() {
    let begin = Clock.monotonic()
    for after in Self.rounds {
      var at = begin + UInt64(after * 1e9)
      while !asksNoMore.load(ordering: .acquiring) {
        let now = Clock.monotonic()
        if now < at {
          asking.wait(nanoseconds: min(at - now, 1_000_000_000))
          continue
        }
        if round() { break }
        at = Clock.monotonic() + UInt64(Self.retrySeconds * 1e9)
      }
    }
  }

  /// - Returns: false where it is to be tried again.
  private func round() -> Bool {
    do throws(BusError) {
      try ticks.ensure()
      let frames = try ticks.catchUp(
        store: name, configuration: configuration,
        isEnding: { self.asksNoMore.load(ordering: .acquiring) }
      ) { records, continues in
        // Kept by this process's own numbers of instruments, as what is learned later of a gap is.
        var pieces = RecordSplitter(records, limit: 8 << 10)
        while let piece = pieces.next() {
          let bits = RecordSplitter.mends | (piece.continues || continues ? RecordSplitter.continues : 0)
          put(piece.records, tag | bits, into: kept)
        }
      }
      shared.withLock { shared in
        shared.frames += frames
        shared.rounds += 1
        shared.fault = nil
      }
      if frames > 0 { log(.info, "\(frames) frames of kept ticks taken into the store") }
      return true
    } catch {
      let isNew = shared.withLock { shared in
        defer { shared.fault = error.description }
        return shared.fault != error.description
      }
      if isNew { log(.warning, error.description) }
      return false
    }
  }
}
