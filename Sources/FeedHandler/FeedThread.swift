// One source, one thread: reads or makes messages at their pace, applies them to the plant, copies what changed
// into every consumer's ring. Nobody else touches the plant.
// Queues: a full ring makes this thread wait (files and the simulator can), so nothing is lost and memory is bounded.
//
// @unchecked Sendable: the plant and all that isn't behind `shared` is touched by the thread alone after `start`.

import ExchangeSimulator
import FeedProtocols
import Foundation
public import MarketData
import Synchronization
public import TickerPlant

/// See the head of this file.
public final class FeedThread: @unchecked Sendable {
  /// What the thread hands on besides records.
  public struct Outlets: Sendable {
    /// Rings that get every record, with this source's tag.
    public var rings: [UpdateRing]
    /// The one of them whose consumer keeps history: it also gets what is learned later of a gap.
    public var archive: UpdateRing?
    /// The tag: the market's index.
    public var tag: UInt32
    /// Keeps a snapshot; must not block. Nil = none are made.
    public var save:
      (@Sendable (_ bytes: [UInt8], _ epoch: String, _ date: CalendarDate, _ sequence: UInt64) -> Void)?
    /// Seconds between snapshots.
    public var snapshotSeconds: Double
    /// Whoever asks here gets the whole state into a ring of its own among the others.
    public var states: StateRequests?
    /// Gives the feed's own messages to other plants, and takes theirs; for MoldUDP64 lines.
    public var relay: FeedRelay?
    /// Says something to the log.
    public var log: @Sendable (_ level: Level, _ text: String) -> Void

    /// Outlets; all but rings and tag can be left out.
    public init(
      rings: [UpdateRing], archive: UpdateRing? = nil, tag: UInt32, snapshotSeconds: Double = 60,
      save: (@Sendable ([UInt8], String, CalendarDate, UInt64) -> Void)? = nil,
      log: @escaping @Sendable (Level, String) -> Void = { _, _ in }
    ) {
      self.rings = rings
      self.archive = archive
      self.tag = tag
      self.snapshotSeconds = snapshotSeconds
      self.save = save
      self.log = log
    }
  }

  /// How loud.
  public enum Level: Sendable { case info, warning, error }

  private struct Shared {
    var report: SourceReport
    var stops = false
    var ended = false
  }

  /// What it plays.
  public let feed: PreparedFeed
  let outlets: Outlets
  var plant: TickerPlant
  private let shared: Mutex<Shared>
  private let stopFlag = Atomic<Bool>(false)
  /// When the thread last came round, monotonic nanoseconds; 0 = it hasn't begun.
  private let turnedAt = Atomic<UInt64>(0)
  private let finished = DispatchSemaphore(value: 0)
  private var thread: Thread?
  private var ringWaits: UInt64 = 0
  private var lastReport: UInt64 = 0
  private var lastSnapshot: UInt64 = 0
  private var hasSaved = false
  var lag: UInt64 = 0
  var progress: Double?
  /// The last two snapshots, for making a doubted state anew.
  var bases: [(epoch: String, sequence: UInt64, bytes: [UInt8])] = []
  /// Of live lines, for the report.
  var lineReports: [LineReport] = []
  var requestReport: RequestStatistics?

  /// A thread that hasn't begun.
  public init(_ feed: PreparedFeed, outlets: Outlets) {
    self.feed = feed
    self.outlets = outlets
    plant = TickerPlant(
      PlantConfiguration(
        market: feed.market, session: feed.session, date: feed.date, reference: feed.reference,
        expectedInstruments: max(1024, feed.reference?.instruments.count ?? 0)))
    shared = Mutex(
      Shared(
        report: SourceReport(
          market: feed.market, source: feed.source, epoch: plant.epoch, sequence: 0, state: "recovering")))
  }

  /// Takes the plant's state from a snapshot; before `start`.
  /// - Throws: `SnapshotError` where the bytes are damaged; the plant is as it was.
  public func restore(_ bytes: [UInt8]) throws(SnapshotError) { try plant.restore(bytes) }

  /// Begins.
  public func start() {
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "feed-\(feed.market)"
    thread.stackSize = 4 << 20
    self.thread = thread
    thread.start()
  }

  /// Ends: the last snapshot is handed on. Blocks until the thread is done.
  public func stop() {
    stopFlag.store(true, ordering: .releasing)
    if thread != nil { finished.wait() }
  }

  /// Figures, at most a tenth of a second old.
  public var report: SourceReport { shared.withLock { $0.report } }
  /// How late the feed is now, nanoseconds: what it says of its messages, and at least the time since its thread came
  /// round, so that one that hangs is late too.
  public var lagNow: UInt64 {
    let turned = turnedAt.load(ordering: .relaxed)
    let now = Self.monotonic()
    let quiet = turned > 0 && now > turned ? now - turned : 0
    // A turn may take its time: what is shorter than a few of them is no lag.
    return max(report.lagNanoseconds, quiet > 100_000_000 ? quiet : 0)
  }
  /// Whether the feed is over.
  public var hasEnded: Bool { shared.withLock { $0.ended } }

  var stops: Bool { stopFlag.load(ordering: .acquiring) }

  private func run() {
    lastSnapshot = Self.monotonic()
    // Nobody has heard the lines yet.
    if case .mold = feed.input { plant.setSourceState(.recovering) }
    if plant.sequence == 0 {
      // Nothing is known yet: not ready before the first message.
      plant.setSourceState(.recovering)
      plant.emitAll(announcing: 0)
    }
    publish()
    var failed = false
    do throws(FeedSetupError) {
      switch feed.input {
      case .files(let paths, let expectation, let speed): try playFiles(paths, expectation, speed)
      case .simulator(let configuration, let speed): try playSimulator(configuration, speed)
      case .mold(let lines): try playLines(lines)
      case .soup(let soup, let dateIsToday): playSoup(soup, dateIsToday: dateIsToday)
      }
    } catch {
      failed = true
      outlets.log(.error, "\(feed.source): \(error)")
      plant.setSourceState(.silent)
      publish()
      shared.withLock { $0.report.fault = error.description }
    }
    if !stops, !failed {
      plant.setSourceState(.ended)
      publish()
      progress = progress == nil ? nil : 1
      shared.withLock { $0.ended = true }
    }
    saveSnapshot()
    updateReport(Self.monotonic())
    // The state can be had as long as the process lives, also after the end of its feed.
    while let states = outlets.states, !stops {
      states.wait(nanoseconds: 50_000_000)
      turnedAt.store(Self.monotonic(), ordering: .relaxed)
      tellState()
    }
  }

  // MARK: - Handing on

  /// Records that a loop takes in one go, bytes: about 150 updates.
  private static var pieceBytes: Int { 8 << 10 }

  /// Copies what changed into every ring; waits where one is full.
  func publish() {
    let records = plant.updates.bytes
    if records.count > 0 {
      write(records, to: outlets.rings, tag: outlets.tag)
      plant.updates.removeAll()
    }
    outlets.states?.reach(plant.sequence, session: plant.session, date: plant.date)
    tellState()
    let now = Self.monotonic()
    turnedAt.store(now, ordering: .relaxed)
    if isReportDue(now) {
      updateReport(now)
      if outlets.save != nil, isSnapshotDue(now) {
        lastSnapshot = now
        saveSnapshot()
      }
    }
  }

  /// The first is due as soon as the plant has caught up: one that is killed again and again within the time between two
  /// would ask for more of the day at each start, and be ready later and later.
  private func isSnapshotDue(_ now: UInt64) -> Bool {
    if !hasSaved, plant.sourceState == .live, plant.sequence > 0 { return true }
    return Double(now &- lastSnapshot) > outlets.snapshotSeconds * 1e9
  }

  /// Tells the whole state, where somebody asked for it: behind everything that was handed on, before all that comes.
  private func tellState() {
    guard let states = outlets.states, states.isDue(at: Self.monotonic()) else { return }
    plant.emitAll(announcing: 0)
    write(plant.updates.bytes, to: [states.ring], tag: outlets.tag | RecordSplitter.told)
    plant.updates.removeAll()
  }

  /// Hands on what was learned later of a gap: to who keeps history alone.
  func archive(_ records: UnsafeRawBufferPointer) {
    if let ring = outlets.archive { write(records, to: [ring], tag: outlets.tag | RecordSplitter.mends) }
  }

  private func write(_ records: UnsafeRawBufferPointer, to rings: [UpdateRing], tag: UInt32) {
    var pieces = RecordSplitter(records, limit: Self.pieceBytes)
    while let piece = pieces.next() {
      for ring in rings {
        var waitsAfterStop = 0
        while !ring.write(piece.records, tag: tag | (piece.continues ? RecordSplitter.continues : 0)) {
          ringWaits += 1
          if stops {
            // Who should take it may be gone already.
            waitsAfterStop += 1
            if waitsAfterStop > 5_000 { break }
          }
          usleep(200)
        }
      }
    }
  }

  /// Whether the figures are to be told again.
  func isReportDue(_ now: UInt64) -> Bool { now &- lastReport > 100_000_000 }

  /// What is wrong, for whoever asks; nil = nothing any more.
  func tell(fault: String?) { shared.withLock { $0.report.fault = fault } }

  /// Hands a snapshot to the store, and takes the digest: the feed stands still for both.
  func saveSnapshot() {
    guard plant.sequence > 0, outlets.save != nil || plant.sourceState == .ended else { return }
    let begin = Self.monotonic()
    let digest: StateDigest
    if let save = outlets.save {
      let state = plant.snapshotAndDigest()
      hasSaved = true
      save(state.bytes, plant.epoch, plant.date, plant.sequence)
      if outlets.relay != nil {
        // The one before the last is older than anything that is doubted now.
        if bases.count > 1 { bases.removeFirst() }
        bases.append((plant.epoch, plant.sequence, state.bytes))
      }
      digest = state.digest
    } else {
      digest = plant.digest()
    }
    let sequence = plant.sequence
    let took = outlets.save == nil ? 0 : Self.monotonic() &- begin
    shared.withLock { shared in
      shared.report.digest = digest
      shared.report.digestSequence = sequence
      shared.report.snapshotNanoseconds = took
    }
  }

  private func updateReport(_ now: UInt64) {
    lastReport = now
    let counters = plant.counters
    shared.withLock { shared in
      if shared.report.epoch != plant.epoch { shared.report.digest = nil }
      shared.report.epoch = plant.epoch
      shared.report.sequence = plant.sequence
      shared.report.state =
        switch plant.sourceState {
        case .live: "live"
        case .gap: "gap"
        case .silent: "silent"
        case .recovering: "recovering"
        case .ended: "ended"
        }
      shared.report.messages = counters.messages
      shared.report.malformed = counters.malformed
      shared.report.unknownOrders = counters.unknownOrders
      shared.report.duplicateOrders = counters.duplicateOrders
      shared.report.impossibleSizes = counters.impossibleSizes
      shared.report.unknownTrades = counters.unknownTrades
      shared.report.lost = counters.lost
      shared.report.repeated = counters.repeated
      shared.report.trades = counters.trades
      shared.report.instruments = plant.instrumentCount
      shared.report.liveOrders = plant.liveOrders
      shared.report.lagNanoseconds = lag
      shared.report.ringFill = outlets.rings.map(\.fill).max() ?? 0
      shared.report.ringWaits = ringWaits
      shared.report.progress = progress
      shared.report.time = plant.time
      shared.report.lines = lineReports
      shared.report.requests = requestReport
    }
  }

  // MARK: - Clocks

  /// Nanoseconds of a clock that only goes forward.
  static func monotonic() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }

  /// Nanoseconds since 1970.
  static func wallClock() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }

  /// Sleeps, and wakes early where the thread is to stop.
  func sleep(nanoseconds: UInt64) {
    var left = nanoseconds
    while left > 0, !stops {
      let part = min(left, 50_000_000)
      usleep(UInt32(max(1, part / 1000)))
      turnedAt.store(Self.monotonic(), ordering: .relaxed)
      left -= part
    }
  }
}
