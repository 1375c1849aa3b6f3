// The file of the transaction log: a thread of its own writes what loops hand over, so that no loop ever waits for a disk.
//
// What waits is bounded; beyond it lines are dropped, counted, and the count is written as a line of its own when there
// is room again. So it is with lines that the disk doesn't take; what keeps it from doing so is reported when it begins
// and when it is over. `reopen` opens the path anew, for those who rotate.
// Shared: loops hand over batches under a lock, some times a second.

import Dispatch
import Glibc
import Synchronization

final class TransactionLog: Sendable {
  private struct State {
    var batches: [[UInt8]] = []
    var waiting = 0
    var droppedSinceSaid: UInt64 = 0
    var dropped: UInt64 = 0
    var wantsReopen = false
    var isEnding = false
    var fault: String?
  }

  let path: String
  private let limit: Int
  private let report: @Sendable (String) -> Void
  private let state = Mutex(State())
  /// Rung when there is something to do.
  private let bell = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  /// - Parameter report: told what is wrong with the file, and when it no longer is; called on the log's thread.
  /// - Throws: where the file can't be opened for appending.
  init(
    path: String, limitBytes: Int, report: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(FirewallError) {
    self.path = path
    self.report = report
    limit = limitBytes
    let file = Self.open(path)
    guard file >= 0 else {
      throw FirewallError(
        "log '\(path)': \(String(cString: strerror(errno))); wanted a file that may be written, in a folder that exists"
      )
    }
    let log = self
    WriterThread.start { log.run(file) }
  }

  private static func open(_ path: String) -> Int32 {
    Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
  }

  // MARK: - From loops

  /// Takes a batch of whole lines; false where there is no room for it.
  func take(_ batch: [UInt8], lines: UInt64) {
    state.withLock { state in
      guard state.waiting + batch.count <= limit, !state.isEnding else {
        state.dropped += lines
        state.droppedSinceSaid += lines
        return
      }
      state.batches.append(batch)
      state.waiting += batch.count
    }
    bell.signal()
  }

  var droppedLines: UInt64 { state.withLock { $0.dropped } }
  /// Why the file couldn't be written or opened anew, last.
  var fault: String? { state.withLock { $0.fault } }

  func reopen() {
    state.withLock { $0.wantsReopen = true }
    bell.signal()
  }

  /// Writes what waits, and ends the thread.
  func close() {
    let first = state.withLock { state in
      defer { state.isEnding = true }
      return !state.isEnding
    }
    guard first else { return }
    bell.signal()
    ended.wait()
  }

  // MARK: - The thread

  private func run(_ first: Int32) {
    var file = first
    // The file ends within a line.
    var isTorn = false
    var wasFull = false
    while true {
      bell.wait()
      let (batches, reopens, dropped, ends) = state.withLock { state in
        defer {
          state.batches = []
          state.waiting = 0
          state.wantsReopen = false
          state.droppedSinceSaid = 0
        }
        return (state.batches, state.wantsReopen, state.droppedSinceSaid, state.isEnding)
      }
      for batch in batches { put(batch, file, &isTorn) }
      // Said when it begins, not with each batch.
      if dropped > 0, !wasFull { report("log '\(path)': no room for more lines; \(dropped) were dropped") }
      wasFull = dropped > 0
      if dropped > 0 { put(Array("{\"dropped_lines\":\(dropped)}\n".utf8), file, &isTorn) }
      if reopens {
        let next = Self.open(path)
        if next >= 0 {
          _ = Glibc.close(file)
          file = next
          isTorn = false
        } else {
          note("log '\(path)': \(String(cString: strerror(errno))); the old file is written on")
        }
      }
      if ends { break }
    }
    _ = Glibc.close(file)
    ended.signal()
  }

  private func put(_ batch: [UInt8], _ file: Int32, _ isTorn: inout Bool) {
    let newline = UInt8(ascii: "\n")
    let bytes = isTorn ? [newline] + batch : batch
    let done = bytes.withUnsafeBytes { all in
      var done = 0
      while done < all.count, let start = all.baseAddress {
        let count = write(file, start + done, all.count - done)
        if count > 0 {
          done += count
        } else if errno != EINTR {
          note("log '\(path)': \(String(cString: strerror(errno))); lines are dropped")
          break
        }
      }
      return done
    }
    if done > 0 { isTorn = bytes[done - 1] != newline }
    guard done < bytes.count else { return clear() }
    let lost = bytes[done...].reduce(UInt64(0)) { $0 + ($1 == newline ? 1 : 0) }
    state.withLock { state in
      state.dropped += lost
      state.droppedSinceSaid += lost
    }
  }

  private func note(_ fault: String) {
    let isNew = state.withLock { state in
      defer { state.fault = fault }
      return state.fault != fault
    }
    if isNew { report(fault) }
  }

  private func clear() {
    let had = state.withLock { state in
      defer { state.fault = nil }
      return state.fault != nil
    }
    if had { report("log '\(path)': it is written again") }
  }
}

/// A thread that runs a closure.
private enum WriterThread {
  private final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  static func start(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let failed = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
    if failed == 0 { pthread_detach(thread) } else { box.release() }
  }
}
