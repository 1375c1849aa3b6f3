// How a command that runs until it is told learns that it is to end.

import Dispatch
import Foundation

/// SIGTERM and SIGINT.
enum Signals {
  static func wait() async -> String {
    await withCheckedContinuation { (continuation: CheckedContinuation<String, Never>) in
      let once = Once()
      for (number, name) in [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")] {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
          if once.first() {
            continuation.resume(returning: name)
          } else {
            // A second signal means now.
            exit(130)
          }
        }
        source.resume()
        once.keep(source)
      }
    }
  }

  private final class Once: @unchecked Sendable {
    // Guarded by the lock.
    private let lock = NSLock()
    private var done = false
    private var kept: [any DispatchSourceSignal] = []
    func first() -> Bool {
      lock.withLock {
        defer { done = true }
        return !done
      }
    }
    func keep(_ source: any DispatchSourceSignal) { lock.withLock { kept.append(source) } }
  }
}
