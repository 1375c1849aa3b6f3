// Loads policies anew, one at a time, so that older rules never take the place of newer ones.
//
// Who asks while a reload runs is served by one after it, together with all others who asked meanwhile: each gets the
// result of a reload that began after its call, and so of the files as they were then.
// Shared by all threads; the lock is never held while something is loaded.

import NIOCore
import NIOPosix
import Synchronization

final class Reloading: Sendable {
  private struct State {
    var isRunning = false
    var waiting: [CheckedContinuation<Result<Void, any Error>, Never>] = []
  }

  private let load: @Sendable () throws -> PolicySnapshot
  private let state = Mutex(State())

  /// - Parameter load: reads and compiles the rules; never called on an event loop, nor twice at a time.
  init(_ load: @escaping @Sendable () throws -> PolicySnapshot) { self.load = load }

  /// Those who wait for the next reload.
  var waitingCount: Int { state.withLock { $0.waiting.count } }

  /// - Parameter take: takes the policy into use, or tells why there is none; what it throws, the caller gets.
  func run(
    _ take: @escaping @Sendable (Result<PolicySnapshot, any Error>) async throws -> Void
  ) async throws {
    let result = await withCheckedContinuation { continuation in
      let begins = state.withLock { state in
        state.waiting.append(continuation)
        defer { state.isRunning = true }
        return !state.isRunning
      }
      if begins { Task { await self.work(take) } }
    }
    try result.get()
  }

  private func work(_ take: @Sendable (Result<PolicySnapshot, any Error>) async throws -> Void) async {
    while let callers = next() {
      let loaded = await loadAside()
      let result: Result<Void, any Error>
      do { result = .success(try await take(loaded)) } catch { result = .failure(error) }
      for caller in callers { caller.resume(returning: result) }
    }
  }

  private func next() -> [CheckedContinuation<Result<Void, any Error>, Never>]? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isRunning = false
        return nil
      }
      defer { state.waiting = [] }
      return state.waiting
    }
  }

  /// On a thread that may take its time: neither an event loop nor one of Swift's pool has to wait for it.
  private func loadAside() async -> Result<PolicySnapshot, any Error> {
    await withCheckedContinuation { continuation in
      let load = load
      NIOSingletons.posixBlockingThreadPool.submit { _ in
        continuation.resume(returning: Result { try load() })
      }
    }
  }
}
