// How fast a request's body comes. It is measured anew each `bodyPause`, so that a burst buys no trickle after it: a
// body that trickles holds memory and a connection for little of the client's own (slow POST).
// Owner: the front that reads the body. Invariant: time in which we didn't read is never held against the client.

struct BodyPace {
  /// Of the window that is measured.
  private var since: Int64 = 0
  private var bytes = 0
  /// When the last byte came.
  private var last: Int64 = 0

  /// The body begins, or is read on after a pause of ours.
  mutating func begin(now: Int64) {
    since = now
    last = now
    bytes = 0
  }

  @inline(__always)
  mutating func came(_ count: Int, now: Int64) {
    bytes &+= count
    last = now
  }

  /// Whether to wait no longer; to be asked each tick while the body is read.
  mutating func isTooSlow(now: Int64, _ patience: FirewallPatience) -> Bool {
    let pause = Int64(clamping: patience.bodyPause).multipliedReportingOverflow(by: 1_000_000)
    let window = pause.overflow ? Int64.max : pause.partialValue
    if now &- last > window { return true }
    let elapsed = now &- since
    guard elapsed > window else { return false }
    if Double(bytes) < Double(elapsed) / 1e9 * Double(patience.bodyBytesPerSecond) { return true }
    since = now
    bytes = 0
    return false
  }
}
