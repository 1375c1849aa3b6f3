// Wakes a thread that waits for it and, if it likes, for a socket.
// Invariant: a signal that was set before or during a wait ends that wait; signals add up to one.

import CNetwork
import Foundation

/// See the head of this file.
public final class EventSignal: Sendable {
  /// For whoever polls it with others; -1 where the process has no descriptor left: waits then end by their time.
  public let descriptor: Int32

  /// A signal that isn't set.
  public init() { descriptor = kabuto_event() }

  deinit { close(descriptor) }

  /// Wakes who waits.
  public func set() {
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  /// Takes what was set.
  public func clear() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
  }

  /// Waits for the signal, at most so long; takes it.
  public func wait(nanoseconds: UInt64) { _ = kabuto_wait_event(descriptor, -1, 0, 0, nanoseconds) }

  /// Waits for the signal or the socket, at most so long; takes the signal.
  /// - Returns: whether the socket can be read (or is broken), and written.
  public func wait(
    nanoseconds: UInt64, also socket: Int32, reading: Bool, writing: Bool
  ) -> (canRead: Bool, canWrite: Bool) {
    let found = kabuto_wait_event(descriptor, socket, reading ? 1 : 0, writing ? 1 : 0, nanoseconds)
    return (found & 1 != 0, found & 2 != 0)
  }
}
