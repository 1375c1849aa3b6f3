// What belongs to one event loop: its fan-out, its rings, its flush clock.
// Owner: the event loop; every method runs on it (checked). @unchecked Sendable: the context is handed to other
// threads only as a name to hop to the loop with.

import Distribution
import Glibc
import NIOCore
import TickerPlant

/// See the head of this file.
final class LoopContext: @unchecked Sendable {
  /// The loop.
  let eventLoop: any EventLoop
  let distributor: Distributor
  /// Asked about each request; nil: nobody is.
  let screen: (any LoopScreen)?
  /// What tenants use.
  let meters: TenantMeters
  private(set) var rings: [UpdateRing] = []
  private var clock: RepeatedTask?
  /// Nanoseconds of taking records before connections get their turn.
  private static let drainNanoseconds: UInt64 = 5_000_000
  private static let tickMilliseconds: Int64 = 10
  var share = WorkShare()
  /// Requests that wait for instruments' states.
  var awaited: [AwaitedState] = []
  /// When it was last looked who has waited enough, milliseconds.
  var settledAt: UInt64 = 0
  private var lastWakeWanted = true
  private var drainScheduled = false
  private var sendScheduled = false
  /// Nanoseconds of the clock before which clients aren't sent anything again.
  private var holdUntil: UInt64 = 0
  /// After a turn of sending that took more processor time than this the loop rests twice as long as the excess: updates gather,
  /// and the same system calls carry more of them. Light load is never held (docs/RATIONALE.md).
  private static let freeSendNanoseconds: UInt64 = 1_000_000
  private static let longestHoldNanoseconds: UInt64 = 20_000_000

  init(
    eventLoop: any EventLoop, markets: [MarketDescription], ringBytes: Int,
    screen: (any RequestScreen)? = nil,
    tenants: [String] = []
  ) {
    self.eventLoop = eventLoop
    meters = TenantMeters(tenants)
    self.screen = screen?.loopScreen()
    distributor = Distributor(markets: markets)
    for _ in markets {
      rings.append(
        UpdateRing(capacity: ringBytes) { [weak self] in
          guard let self else { return }
          self.eventLoop.execute { self.woken() }
        })
    }
  }

  /// Milliseconds of a clock that only goes forward.
  static func now() -> UInt64 { NIODeadline.now().uptimeNanoseconds / 1_000_000 }

  func start() {
    eventLoop.execute {
      self.clock = self.eventLoop.scheduleRepeatedTask(
        initialDelay: .milliseconds(Self.tickMilliseconds), delay: .milliseconds(Self.tickMilliseconds)
      ) { _ in self.tick() }
    }
  }

  func stop() {
    eventLoop.execute {
      self.clock?.cancel()
      self.settleAwaited(ending: true)
    }
  }

  /// The loop has ended, and with it its connections: what they said to the screen at their end is still to be flushed.
  /// Called once nothing runs on the loop any more, by whoever ended it.
  func ended() { screen?.end() }

  private func tick() {
    woken()
    distributor.tick(now: Self.now())
    if !share.isEmpty { performWaiting() }
    settleAwaited()
    screen?.tick()
    let wanted = distributor.wantsImmediate
    if wanted != lastWakeWanted {
      lastWakeWanted = wanted
      for ring in rings { ring.setWakeWanted(wanted) }
    }
  }

  /// Takes what the plants wrote.
  func drain() {
    eventLoop.preconditionInEventLoop()
    drainScheduled = false
    let begin = NIODeadline.now().uptimeNanoseconds
    let now = begin / 1_000_000
    var more = true
    // A piece at a time, so that a flood of updates to many clients can't keep requests waiting.
    while more, NIODeadline.now().uptimeNanoseconds - begin < Self.drainNanoseconds {
      more = false
      for (market, ring) in rings.enumerated() {
        let done = ring.drain(limit: 1) { tag, records in
          distributor.consume(
            market: market, records: records, continues: tag & RecordSplitter.continues != 0, more: true,
            now: now)
        }
        if !done { more = true }
      }
    }
    settleAwaited()
    send()
    if more, !drainScheduled {
      drainScheduled = true
      // Not `execute`: the loop runs what is executed before it looks at its sockets again.
      eventLoop.scheduleTask(in: .microseconds(100)) { self.drain() }
    }
  }

  /// One frame a client and turn, however many batches there were: the busier the loop, the larger the frames.
  private func send() {
    let begin = NIODeadline.now().uptimeNanoseconds
    if begin < holdUntil {
      guard !sendScheduled else { return }
      sendScheduled = true
      eventLoop.scheduleTask(in: .nanoseconds(Int64(holdUntil - begin))) {
        self.sendScheduled = false
        self.send()
      }
      return
    }
    let usedBefore = Self.processorNanoseconds()
    distributor.finishBatches(now: begin / 1_000_000)
    // The processor's time, not the clock's: a turn in which others had the processor was not a long one.
    let took = Self.processorNanoseconds() &- usedBefore
    if took > Self.freeSendNanoseconds {
      let rest = min(2 * (took - Self.freeSendNanoseconds), Self.longestHoldNanoseconds)
      holdUntil = NIODeadline.now().uptimeNanoseconds + rest
    }
  }

  static func processorNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }

  /// A plant wrote: takes it, unless a turn is waiting already.
  private func woken() {
    if !drainScheduled { drain() }
  }
}
