// What belongs to one event loop: the policy in use, the pool of backends, counters, the clock of time-outs.
// Owner: the event loop. @unchecked Sendable: other threads have it only as a name to hop to the loop with.

import Firewall
import NIOCore

/// Something with time-outs, looked at each tick: so a request schedules nothing.
protocol Timed: AnyObject {
  /// Its place among those that are looked at.
  var timerSlot: Int { get set }
  func look(now: Int64)
  /// Ends without more ado.
  func stop()
}

final class ProxyLoop: @unchecked Sendable {
  let eventLoop: any EventLoop
  let configuration: FirewallConfiguration
  let budget: BodyBudget
  let ledger: ConnectionLedger
  var policy: ActivePolicy
  var counters = LoopCounters()
  var random: RandomBits
  var log: LogBatch?
  var fieldViews: [Field] = []
  private let backends: [(BackendAddress, SocketAddress)]
  private let loops: Int
  private(set) lazy var pool = BackendPool(loop: self, backends: backends, loops: loops)
  /// Of the last tick; good for time-outs.
  private(set) var coarseNow: Int64
  private var wallOffset: Int64
  var isStopping = false
  private var timed: [any Timed] = []
  private var clock: RepeatedTask?
  private var checkAt: Int64 = 0

  /// Of a large body that is over, for the next one: fresh memory costs more than what is done with it.
  private var spareBody: ByteBuffer?

  static let tickMilliseconds: Int64 = 100
  /// Before that much of a body has come it gets no more memory of its own, whatever its length is said to be.
  private static let promisedBytes = 64 << 10
  /// What a spare may have.
  private static let spareBytes = 256 << 10...4 << 20

  init(
    eventLoop: any EventLoop, configuration: FirewallConfiguration, snapshot: PolicySnapshot,
    backends: [(BackendAddress, SocketAddress)], loops: Int, budget: BodyBudget, ledger: ConnectionLedger,
    seed: UInt64, log: TransactionLog?
  ) {
    self.eventLoop = eventLoop
    self.configuration = configuration
    self.budget = budget
    self.ledger = ledger
    policy = ActivePolicy(snapshot, mode: configuration.mode)
    random = RandomBits(seed: seed)
    coarseNow = Clock.monotonic()
    wallOffset = Clock.wall() - coarseNow
    self.backends = backends
    self.loops = loops
    if let log { self.log = LogBatch(log) }
  }

  /// Nanoseconds since 1970 at a time of the monotonic clock.
  @inline(__always)
  func wall(_ monotonic: Int64) -> Int64 { monotonic &+ wallOffset }

  func use(_ snapshot: PolicySnapshot) {
    eventLoop.preconditionInEventLoop()
    policy = ActivePolicy(snapshot, mode: configuration.mode)
  }

  /// Memory for a body of `count` bytes to be held; it grows with what comes.
  func bodyMemory(_ count: Int) -> ByteBuffer {
    if count > Self.promisedBytes, let spare = spareBody {
      spareBody = nil
      return spare
    }
    var memory = ByteBuffer()
    memory.reserveCapacity(min(count, Self.promisedBytes))
    return memory
  }

  /// A body that was held is over.
  func takeBack(_ memory: inout ByteBuffer) {
    if Self.spareBytes.contains(memory.capacity), spareBody == nil,
      // Somebody else may have it still: a backend's connection that is being closed.
      memory.modifyIfUniquelyOwned({ $0.clear() }) != nil
    {
      spareBody = memory
    }
    memory = ByteBuffer()
  }

  func start() {
    eventLoop.preconditionInEventLoop()
    let tick = TimeAmount.milliseconds(Self.tickMilliseconds)
    clock = eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { [weak self] _ in self?.tick() }
  }

  func end() {
    clock?.cancel()
    clock = nil
    pool.close()
    log?.flush()
  }

  private func tick() {
    coarseNow = Clock.monotonic()
    wallOffset = Clock.wall() - coarseNow
    // From the end: who leaves is replaced by the last, who was looked at already.
    var index = timed.count - 1
    while index >= 0 {
      if index < timed.count { timed[index].look(now: coarseNow) }
      index -= 1
    }
    pool.look(now: coarseNow)
    log?.flush()
    if configuration.healthPath != nil, coarseNow >= checkAt {
      checkAt = coarseNow + Int64(configuration.healthInterval) * 1_000_000
      pool.check()
    }
  }

  func add(_ one: any Timed) {
    one.timerSlot = timed.count
    timed.append(one)
  }

  func remove(_ one: any Timed) {
    let slot = one.timerSlot
    guard slot >= 0, slot < timed.count else { return }
    one.timerSlot = -1
    let last = timed.removeLast()
    if last !== one {
      timed[slot] = last
      last.timerSlot = slot
    }
  }

  /// Ends what is still open.
  func stopAll() {
    for one in timed.reversed() { one.stop() }
  }
}
