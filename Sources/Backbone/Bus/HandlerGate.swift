// What stands between a bus and a handler: once it is closed, nothing is delivered any more, also by a thread that was
// about to. Whoever closes it waits for the delivery under way, unless it is the one that delivers.
//
// @unchecked Sendable: `handler` is touched with the lock held; the lock may be taken again by the thread that has it.

import Foundation

/// See the head of this file.
final class HandlerGate: @unchecked Sendable {
  private let lock = NSRecursiveLock()
  private var handler: (@Sendable (BusMessage) -> Void)?

  init(_ handler: @escaping @Sendable (BusMessage) -> Void) { self.handler = handler }

  /// Delivers, where it is open.
  func deliver(_ message: BusMessage) {
    lock.lock()
    handler?(message)
    lock.unlock()
  }

  func close() {
    lock.lock()
    // What the handler holds may end here, but not under the lock.
    let last = handler
    handler = nil
    lock.unlock()
    withExtendedLifetime(last) {}
  }
}

/// What a bus gives to who subscribes: closes the gate first, then forgets the subscription.
final class GatedSubscription: BusSubscription {
  private let gate: HandlerGate
  private let forget: @Sendable () -> Void

  init(_ gate: HandlerGate, forget: @escaping @Sendable () -> Void) {
    self.gate = gate
    self.forget = forget
  }

  deinit { cancel() }

  func cancel() {
    gate.close()
    forget()
  }
}
