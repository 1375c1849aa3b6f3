// When to hand on the next message of a recorded feed. Pure: the clock's time comes in with each question.
// Message times are nanoseconds since midnight; a jump back of a second or more is another day, and the pacer
// starts afresh there. Idle stretches (a night, a lunch break) can be cut to a length.
// Invariant: the times at which messages are due never decrease by the caller's clock.

/// Paces messages by their own times.
public struct FeedPacer: Sendable {
  /// A step back in message time from which on another day is assumed.
  public static let newDayNanoseconds: UInt64 = 1_000_000_000

  /// How fast.
  public let speed: FeedSpeed
  /// Stretches without a message that are longer (by message time) are cut to this; nil = none is cut.
  public let longestIdleNanoseconds: UInt64?

  private struct Base {
    var message: UInt64
    var clock: UInt64
  }

  private var base: Base?
  private var lastMessage: UInt64 = 0

  /// A pacer that hasn't seen a message.
  public init(speed: FeedSpeed, longestIdleNanoseconds: UInt64? = nil) {
    self.speed = speed
    self.longestIdleNanoseconds = longestIdleNanoseconds
  }

  /// Nanoseconds to sleep before a message; 0 = now, also where the player is late.
  /// - Parameters:
  ///   - messageTime: the message's time, nanoseconds since midnight.
  ///   - now: the clock's time, nanoseconds; any clock that doesn't go back.
  public mutating func sleepNanoseconds(beforeMessageAt messageTime: UInt64, now: UInt64) -> UInt64 {
    guard case .times(let times) = speed else { return 0 }
    guard var base else { return rebase(messageTime, now) }
    if messageTime < lastMessage {
      guard lastMessage - messageTime < Self.newDayNanoseconds else { return rebase(messageTime, now) }
    } else {
      let idle = messageTime - lastMessage
      if let longest = longestIdleNanoseconds, idle > longest {
        base.message &+= idle - longest
        self.base = base
      }
      lastMessage = messageTime
    }
    guard messageTime > base.message else { return 0 }
    let elapsed = now > base.clock ? now - base.clock : 0
    let due = Double(messageTime - base.message) / times
    let wait = due - Double(elapsed)
    return wait <= 0 ? 0 : wait >= 9e18 ? 9_000_000_000_000_000_000 : UInt64(wait)
  }

  private mutating func rebase(_ messageTime: UInt64, _ now: UInt64) -> UInt64 {
    base = Base(message: messageTime, clock: now)
    lastMessage = messageTime
    return 0
  }
}
