// What must last of a market: a plant's trades and best quotes, in frames of whole messages on `keep.ticks.MARKET`,
// kept by JetStream. A frame's name is its epoch and place, so that the copies of two plants are one. A thread of its own
// drains a ring of the feed thread: the price path doesn't know of it.
// Queues: the ring is one of the feed thread's; frames wait until the server that keeps has acknowledged them, at most
// `mostWaiting` bytes: then the oldest are given up and counted. History can also be had from the stores.
//
// @unchecked Sendable: what several threads touch is behind `shared`; the rest is the thread's own after `start`.

import Continuity
import FeedHandler
import Foundation
import Synchronization
public import TickerPlant

/// See the head of this file.
public final class TickKeeper: @unchecked Sendable {
  /// Its figures at one moment.
  public struct Report: Sendable, Equatable {
    /// Frames that were made.
    public var frames: UInt64 = 0
    /// Frames that are kept for sure.
    public var kept: UInt64 = 0
    /// Of these, frames that another plant had sent before.
    public var duplicates: UInt64 = 0
    /// Frames sent again because nobody answered.
    public var repeated: UInt64 = 0
    /// Frames given up: too much waited.
    public var givenUp: UInt64 = 0
    /// Frames that were not sent because this plant lacked messages: another's of the same name would count as kept.
    public var withheld: UInt64 = 0
    /// Frames that wait for an answer.
    public var waiting = 0
    /// What the server that keeps said last, where it refused.
    public var fault: String?
  }

  private struct Waiting {
    var id: String
    var bytes: [UInt8]
    var sentAt: UInt64
  }

  private struct Shared {
    var answers: [(number: UInt64, answer: KeepAnswer)] = []
    var report = Report()
  }

  /// Messages of one frame: the numbers at which frames end are the same at every plant.
  static let windowBits: UInt64 = 10
  private static let mostWaiting = 64 << 20
  private static let answerNanoseconds: UInt64 = 2_000_000_000

  /// One of the feed thread's rings.
  public let ring: UpdateRing
  private let market: String
  private let node: String
  private let bus: NatsBus
  private var publisher: StreamPublisher
  private var filtered: [UInt8] = []
  private var window: UInt64 = 0
  private var waiting: [UInt64: Waiting] = [:]
  private var waitingBytes = 0
  private var next: UInt64 = 0
  private let shared = Mutex(Shared())
  private let signal: EventSignal
  private let stops = Atomic<Bool>(false)
  private let finished = DispatchSemaphore(value: 0)
  private var subscription: (any BusSubscription)?

  /// A keeper that hasn't begun.
  /// - Parameter configuration: hash of the node's configuration.
  public init(market: String, node: String, configuration: UInt32, bus: NatsBus) {
    self.market = market
    self.node = node
    self.bus = bus
    var settings = StreamPublisher.Configuration(configuration: configuration, incarnation: 1)
    // Frames end where windows do, not where they are full.
    settings.frameBytes = 400 << 10
    settings.historyBytes = 1 << 16
    settings.hasDigest = false
    publisher = StreamPublisher(settings)
    let signal = EventSignal()
    self.signal = signal
    ring = UpdateRing(capacity: 16 << 20) { signal.set() }
  }

  /// Figures at this moment.
  public var report: Report { shared.withLock { $0.report } }

  /// The rail whose server keeps.
  public var rail: String { bus.rail }

  private var inbox: String { "_INBOX.\(StreamSubjects.word(node)).keep\(market)" }

  /// Begins.
  /// - Throws: `BusError` where market or node can't be words of a subject.
  public func start() throws(BusError) {
    subscription = try bus.subscribe(inbox + ".*") { [weak self] message in
      guard let number = UInt64(message.lastWord) else { return }
      let answer = KeepAnswer(message.payload)
      self?.shared.withLock { $0.answers.append((number, answer)) }
      self?.signal.set()
    }
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "keep-\(market)"
    thread.start()
  }

  /// Ends, after at most `seconds` for what is still unanswered.
  public func stop(seconds: Double = 1) {
    let end = Clock.monotonic() + UInt64(seconds * 1e9)
    while report.waiting > 0, Clock.monotonic() < end { usleep(5_000) }
    guard !stops.exchange(true, ordering: .acquiringAndReleasing), subscription != nil else { return }
    subscription?.cancel()
    signal.set()
    finished.wait()
  }

  /// Makes the stream, on a thread of its own that tries until it is there: for nodes with the role store, which may.
  /// - Parameter domain: JetStream domain of the server that keeps; nil = the server's own.
  public func makeStream(domain: String?) {
    let (market, bus) = (market, bus)
    Thread { [weak self] in
      let ticks = KeptTicks(market: market, bus: bus, domain: domain)
      while let keeper = self, !keeper.stops.load(ordering: .acquiring) {
        do throws(BusError) { return try ticks.ensure() } catch {
          let fault = error.description
          keeper.shared.withLock { $0.report.fault = fault }
        }
        sleep(2)
      }
    }.start()
  }

  // MARK: - The thread

  private func run() {
    var checkAt: UInt64 = 0
    while !stops.load(ordering: .acquiring) {
      let now = Clock.monotonic()
      let isEmpty = ring.drain(limit: 1 << 20) { tag, records in filter(records, tag: tag, at: now) }
      takeAnswers()
      if now >= checkAt {
        checkAt = now + 100_000_000
        repeatUnanswered(at: now)
        let count = waiting.count
        shared.withLock { $0.report.waiting = count }
      }
      if isEmpty { signal.wait(nanoseconds: 50_000_000) }
    }
  }

  /// Leaves the books out, and ends a frame with each window.
  private func filter(_ records: UnsafeRawBufferPointer, tag: UInt32, at now: UInt64) {
    guard tag & RecordSplitter.mends == 0 else { return }
    defer { give(tag: tag & RecordSplitter.continues, at: now) }
    guard let start = records.baseAddress else { return }
    var offset = 0
    while offset + MemoryLayout<UpdateHeader>.size <= records.count {
      let header = records.loadUnaligned(fromByteOffset: offset, as: UpdateHeader.self)
      let size = Int(header.byteCount)
      guard size >= MemoryLayout<UpdateHeader>.size, offset + size <= records.count else { return }
      let record = UnsafeRawBufferPointer(start: start + offset, count: size)
      offset += size
      switch UpdateKind(rawValue: header.kind) {
      case .level, .stamps, nil: continue
      case .source:
        let source = record.loadUnaligned(
          fromByteOffset: MemoryLayout<UpdateHeader>.size, as: SourcePayload.self)
        let state = SourceState(rawValue: UInt8(truncatingIfNeeded: source.state))
        filtered.append(contentsOf: record)
        // The day's last window isn't full.
        if state == .ended { flush(at: now) }
        window = header.sequence >> Self.windowBits
        continue
      case .top, .trade, .facts, .bar, .daily, .cleared, .instrument: break
      }
      if header.sequence >> Self.windowBits != window {
        flush(at: now)
        window = header.sequence >> Self.windowBits
      }
      filtered.append(contentsOf: record)
    }
  }

  /// A message's records are given together.
  private func give(tag: UInt32, at now: UInt64) {
    filtered.withUnsafeBytes { records in
      publisher.take(records, tag: tag, at: now, wall: 0) { keep($0, $1, at: now) }
    }
    filtered.removeAll(keepingCapacity: true)
  }

  private func flush(at now: UInt64) {
    give(tag: 0, at: now)
    // A message's records are complete where the next one's window begins.
    publisher.flush(at: now, wall: 0) { keep($0, $1, at: now) }
  }

  private func keep(
    _ destination: StreamPublisher.Destination, _ bytes: UnsafeRawBufferPointer, at now: UInt64
  ) {
    guard case .market = destination, let frame = try? StreamFrame(decoding: bytes) else { return }
    let header = frame.header
    guard header.state != .gap else { return shared.withLock { $0.report.withheld += 1 } }
    next += 1
    let id = "\(market).\(header.epoch.name).\(header.from)-\(header.through).\(header.part)"
    while waitingBytes + bytes.count > Self.mostWaiting, let oldest = waiting.keys.min() {
      waitingBytes -= waiting.removeValue(forKey: oldest)?.bytes.count ?? 0
      shared.withLock { $0.report.givenUp += 1 }
    }
    waiting[next] = Waiting(id: id, bytes: [UInt8](bytes), sentAt: now)
    waitingBytes += bytes.count
    let count = waiting.count
    shared.withLock { shared in
      shared.report.frames += 1
      shared.report.waiting = count
    }
    _ = bus.publish("keep.ticks.\(market)", reply: "\(inbox).\(next)", id: id, bytes)
  }

  private func takeAnswers() {
    let answers = shared.withLock { shared in
      defer { shared.answers = [] }
      return shared.answers
    }
    for (number, answer) in answers {
      guard answer.fault == nil else {
        shared.withLock { $0.report.fault = answer.fault }
        continue
      }
      guard let frame = waiting.removeValue(forKey: number) else { continue }
      waitingBytes -= frame.bytes.count
      let count = waiting.count
      shared.withLock { shared in
        shared.report.kept += 1
        if answer.isDuplicate { shared.report.duplicates += 1 }
        shared.report.waiting = count
      }
    }
  }

  private func repeatUnanswered(at now: UInt64) {
    for number in waiting.keys.sorted() {
      guard let frame = waiting[number], now &- frame.sentAt >= Self.answerNanoseconds else { continue }
      waiting[number]?.sentAt = now
      let isSent = frame.bytes.withUnsafeBytes {
        bus.publish("keep.ticks.\(market)", reply: "\(inbox).\(number)", id: frame.id, $0)
      }
      // The rest waits for its turn too.
      guard isSent else { return }
      shared.withLock { $0.report.repeated += 1 }
    }
  }
}
