// Bytes a second that a client asked for (docs/STREAM.md, Delivery): a bucket of tokens, a byte each, with one
// second's worth as burst. Updates may overdraw it by the frame that uses it up, and wait until that is paid off;
// what a client asked for itself (answers, snapshots) goes out whole, and costs at most one second's worth.
// Owner: one event loop. Pure: time comes in, milliseconds.

/// See the head of this file.
struct ByteBudget {
  /// Bytes a second; 0 = no limit.
  private(set) var rate = 0
  private var tokens = 0.0
  private var countedAt: UInt64 = 0

  /// Another limit; nil = none.
  mutating func limit(to bytesPerSecond: Int?, now: UInt64) {
    let rate = max(0, bytesPerSecond ?? 0)
    guard rate != self.rate else { return }
    refill(now)
    tokens = self.rate == 0 ? Double(rate) : min(tokens, Double(rate))
    countedAt = now
    self.rate = rate
  }

  private mutating func refill(_ now: UInt64) {
    guard now > countedAt else { return }
    tokens = min(Double(rate), tokens + Double(now - countedAt) / 1000 * Double(rate))
    countedAt = now
  }

  /// Whether an update may be sent.
  @inline(__always)
  mutating func hasSome(now: UInt64) -> Bool {
    if rate == 0 { return true }
    refill(now)
    return tokens > 0
  }

  /// Whether so many instruments that wait may be sent: enough is there for what they take by experience, or for a
  /// whole second's worth. With less, each sending would be for a few bytes and yet look through all that waits.
  mutating func hasEnough(forWaiting count: Int, now: UInt64) -> Bool {
    if rate == 0 { return true }
    refill(now)
    let wanted = Double(max(rate / 20, min(count, rate) * Self.expectedBytes))
    return tokens >= min(wanted, Double(rate)) - 1
  }

  private static let expectedBytes = 100

  /// Takes what a frame of updates cost.
  @inline(__always)
  mutating func spend(_ bytes: Int) {
    if rate > 0 { tokens -= Double(bytes) }
  }

  /// Takes what a frame cost that the client asked for.
  mutating func spendOnAnswer(_ bytes: Int) {
    if rate > 0 { tokens = max(min(tokens, -Double(rate)), tokens - Double(bytes)) }
  }
}
