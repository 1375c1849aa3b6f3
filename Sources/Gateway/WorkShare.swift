// How much of a loop's time goes into what connections ask for (snapshots, answers): prices come first. A connection that
// has asked for little is served at once; one that keeps the loop busy waits until a share of the loop's time is free,
// in turn with the others that do. So who asks for everything without end slows those who do the same.
// Owner: the event loop. Bound: a connection that waits is not read from (WebSocket) or answered one request at a time
// (HTTP), so what waits is no more than what came with one read.

import NIOCore

/// What one connection has used of its loop's time lately.
final class WorkAccount {
  /// Nanoseconds, less as time goes by.
  fileprivate var used: UInt64 = 0
  fileprivate var usedAt: UInt64 = 0
  /// Pieces of work that wait.
  fileprivate(set) var waiting = 0
}

/// See the head of this file.
struct WorkShare {
  /// Of a loop's time, what may go into the work of busy connections.
  private static let share = 0.2
  /// What such work may use at once after a quiet time.
  private static let burstNanoseconds = 10_000_000.0
  /// What a connection may use before it counts as busy, and what of it is forgotten a second.
  private static let freeNanoseconds: UInt64 = 1_000_000
  private static let forgottenPerSecond: UInt64 = 500_000

  private var credit = Self.burstNanoseconds
  private var creditAt: UInt64 = 0
  private var queue: [(account: WorkAccount, work: () -> Void)] = []
  private var head = 0

  var isEmpty: Bool { head == queue.count }
  /// Pieces of work that wait.
  var count: Int { queue.count - head }

  /// Whether a connection's work is done at once.
  mutating func isFree(_ account: WorkAccount, at now: UInt64) -> Bool {
    guard account.waiting == 0 else { return false }
    let forgotten = (now &- account.usedAt) / 1_000 &* Self.forgottenPerSecond / 1_000_000
    account.used -= min(account.used, forgotten)
    account.usedAt = now
    return account.used < Self.freeNanoseconds
  }

  mutating func wait(_ account: WorkAccount, _ work: @escaping () -> Void) {
    account.waiting += 1
    queue.append((account, work))
  }

  /// Counts what a piece of work took. `fromShare`: it had waited; what is done at once is nobody else's debt.
  mutating func charge(_ account: WorkAccount, _ nanoseconds: UInt64, fromShare: Bool) {
    account.used &+= nanoseconds
    if fromShare { credit -= Double(nanoseconds) }
  }

  /// The next piece that waits, where there is credit for one.
  mutating func next(at now: UInt64) -> (account: WorkAccount, work: () -> Void)? {
    credit = min(Self.burstNanoseconds, credit + Double(now &- creditAt) * Self.share)
    creditAt = now
    guard head < queue.count, credit > 0 else { return nil }
    let item = queue[head]
    queue[head].work = {}
    head += 1
    if head == queue.count || head > 1_024 {
      queue.removeSubrange(..<head)
      head = 0
    }
    item.account.waiting -= 1
    return item
  }
}

extension LoopContext {
  /// Does what a connection asks for: at once, or in its turn.
  func perform(_ account: WorkAccount, _ work: @escaping () -> Void) {
    eventLoop.preconditionInEventLoop()
    if share.isFree(account, at: NIODeadline.now().uptimeNanoseconds) {
      timed(account, work, fromShare: false)
    } else {
      share.wait(account, work)
      performWaiting()
    }
  }

  /// Does what waits, as far as there is time for it.
  func performWaiting() {
    while let item = share.next(at: NIODeadline.now().uptimeNanoseconds) {
      timed(item.account, item.work, fromShare: true)
    }
  }

  private func timed(_ account: WorkAccount, _ work: () -> Void, fromShare: Bool) {
    let before = Self.processorNanoseconds()
    work()
    share.charge(account, Self.processorNanoseconds() &- before, fromShare: fromShare)
  }
}
