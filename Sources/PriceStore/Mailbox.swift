// What other threads ask of the writer thread: to wake, to write a snapshot, to say when all is written, to stop.
// Bounds: one snapshot a market (a newer one replaces it, counted); flushes are as many as callers that wait.
// The lock is held for a few assignments, never across I/O: a feed thread that saves a snapshot doesn't wait.

import Dispatch
import MarketData
import Synchronization

/// A snapshot on its way into the database.
struct SnapshotRequest: Sendable {
  var bytes: [UInt8]
  var market: Int
  var epoch: String
  var date: CalendarDate
  var sequence: UInt64
}

final class Mailbox: Sendable {
  struct Contents {
    var snapshots: [Int: SnapshotRequest] = [:]
    var flushes: [CheckedContinuation<Bool, Never>] = []
    var isClosing = false
    var isClosed = false
  }

  private let contents = Mutex(Contents())
  private let status = Mutex(StoreStatus())
  private let hurry = Atomic<Bool>(false)
  private let semaphore = DispatchSemaphore(value: 0)
  private let ended = DispatchGroup()

  init() { ended.enter() }

  // MARK: - Any thread

  /// Something is in a ring.
  func wake() { semaphore.signal() }

  func put(_ snapshot: SnapshotRequest) {
    let replaced = contents.withLock { contents -> Bool in
      guard !contents.isClosed else { return true }
      return contents.snapshots.updateValue(snapshot, forKey: snapshot.market) != nil
    }
    if replaced { status.withLock { $0.snapshotsSuperseded += 1 } }
    semaphore.signal()
  }

  /// Resumes when the writer has been through its rings; true where all is durable.
  func flush() async -> Bool {
    await withCheckedContinuation { continuation in
      let isClosed = contents.withLock { contents -> Bool in
        if !contents.isClosed { contents.flushes.append(continuation) }
        return contents.isClosed
      }
      if isClosed {
        let status = currentStatus
        continuation.resume(returning: status.state == .ok)
      } else {
        hurry.store(true, ordering: .releasing)
        semaphore.signal()
      }
    }
  }

  /// Asks the thread to end, and waits for it.
  func close() {
    contents.withLock { $0.isClosing = true }
    hurry.store(true, ordering: .releasing)
    semaphore.signal()
    ended.wait()
  }

  /// Takes note of damage; true for the first.
  func isFirstDamage(_ text: String) -> Bool {
    status.withLock { status in
      defer { status.damage = status.damage ?? text }
      return status.damage == nil
    }
  }

  var currentStatus: StoreStatus { status.withLock { $0 } }

  // MARK: - The writer thread

  /// Waits for a wake-up, at most so long.
  func wait(milliseconds: Double) {
    _ = semaphore.wait(timeout: .now() + .microseconds(Int(max(0, milliseconds) * 1_000)))
  }

  /// Somebody waits: no time to gather.
  var isHurried: Bool { hurry.load(ordering: .acquiring) }

  /// Everything asked for so far. Taken before the rings are drained: what was written to a ring before the
  /// request is then drained after it.
  func take() -> Contents {
    hurry.store(false, ordering: .releasing)
    return contents.withLock { contents in
      let taken = contents
      contents.snapshots = [:]
      contents.flushes = []
      return taken
    }
  }

  /// Puts a snapshot back that couldn't be written, where no newer one has come.
  func putBack(_ snapshot: SnapshotRequest) {
    contents.withLock { contents in
      if contents.snapshots[snapshot.market] == nil { contents.snapshots[snapshot.market] = snapshot }
    }
  }

  func update(_ change: (inout StoreStatus) -> Void) { status.withLock { change(&$0) } }

  /// The thread is at its end: nobody is left waiting.
  func end() {
    let flushes = contents.withLock { contents in
      contents.isClosed = true
      let flushes = contents.flushes
      contents.flushes = []
      return flushes
    }
    let isDurable = currentStatus.state == .ok
    for continuation in flushes { continuation.resume(returning: isDurable) }
    ended.leave()
  }
}
