// How many requests may be sent: exchanges cap them, and who asks more is cut off. A token bucket.
// Owner: the feed thread. Pure: time comes in.

/// See the head of this file.
public struct RequestBudget: Sendable {
  /// Requests a second.
  public let perSecond: Int
  /// Requests that may be sent at once after a quiet time.
  public let burst: Int
  private var tokens: Double
  private var filledAt: UInt64 = 0

  /// A full bucket: a tenth of a second's requests at once, at least eight.
  public init(perSecond: Int) {
    self.perSecond = max(1, perSecond)
    burst = max(8, perSecond / 10)
    tokens = Double(burst)
  }

  /// Takes one; false where none is left.
  public mutating func take(at now: UInt64) -> Bool {
    if now > filledAt {
      if filledAt > 0 {
        tokens = min(Double(burst), tokens + Double(now - filledAt) / 1e9 * Double(perSecond))
      }
      filledAt = now
    }
    guard tokens >= 1 else { return false }
    tokens -= 1
    return true
  }
}
