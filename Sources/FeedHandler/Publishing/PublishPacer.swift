// When messages of a file are due that is being published: by the messages' own times, at a rate, or at once.
// Pure: the clock's time comes in with each question.
// At a rate, message number k is due k/rate seconds after the first, so the count is exact over any time.

/// How fast a file is published.
public enum PublishPace: Sendable, Hashable {
  /// By the messages' own times, or without waiting.
  case speed(FeedSpeed)
  /// So many messages a second.
  case rate(Double)

  /// Slowest and fastest rate that is read.
  public static let rates: ClosedRange<Double> = 0.001...100_000_000
}

/// See the head of this file.
public struct PublishPacer: Sendable {
  /// Stretches without a message are cut to this much of the caller's time.
  public static let longestIdleSeconds = 2.0

  /// What is due of a run of messages.
  public struct Due: Sendable, Hashable {
    /// So many messages.
    public var count: Int
    /// Their bytes.
    public var bytes: Int
    /// How long until the next one is due; 0 where that isn't known yet.
    public var waitNanoseconds: UInt64
  }

  private let pace: PublishPace
  private var pacer: FeedPacer
  private var began: UInt64?
  private var taken: UInt64 = 0

  /// A pacer before the first message.
  public init(_ pace: PublishPace) {
    self.pace = pace
    var speed = FeedSpeed.max
    var idle: UInt64?
    if case .speed(let wanted) = pace { speed = wanted }
    if case .times(let times) = speed { idle = UInt64(Self.longestIdleSeconds * 1e9 * times) }
    pacer = FeedPacer(speed: speed, longestIdleNanoseconds: idle)
  }

  /// How many of `frames` (whole framed messages) are due.
  public mutating func due(_ frames: UnsafeRawBufferPointer, at now: UInt64) -> Due {
    switch pace {
    case .speed(.max):
      return Due(count: Self.count(frames), bytes: frames.count, waitNanoseconds: 0)
    case .rate(let rate):
      let start = began ?? now
      began = start
      let elapsed = Double(now >= start ? now - start : 0)
      // The first message is due at the beginning.
      let allowed = UInt64(min(9e18, elapsed * rate / 1e9)) + 1
      let most = Int(clamping: allowed > taken ? allowed - taken : 0)
      let (count, bytes) = Self.first(most, of: frames)
      taken += UInt64(count)
      let wait = max(0, Double(taken) / rate * 1e9 - elapsed)
      return Due(
        count: count, bytes: bytes, waitNanoseconds: bytes < frames.count ? UInt64(min(wait, 9e18)) : 0)
    case .speed(.times):
      var count = 0
      var place = 0
      while place + 2 <= frames.count {
        let length = Self.length(frames, at: place)
        // Messages of any kind have their time at the same place; what is too short to have one is due.
        if length >= 11 {
          let time = Self.time(frames, at: place + 2)
          let wait = pacer.sleepNanoseconds(beforeMessageAt: time, now: now)
          if wait > 0 { return Due(count: count, bytes: place, waitNanoseconds: wait) }
        }
        place += 2 + length
        count += 1
      }
      return Due(count: count, bytes: place, waitNanoseconds: 0)
    }
  }

  // MARK: - Frames

  static func length(_ frames: UnsafeRawBufferPointer, at place: Int) -> Int {
    Int(frames.loadUnaligned(fromByteOffset: place, as: UInt16.self).bigEndian)
  }

  private static func time(_ frames: UnsafeRawBufferPointer, at message: Int) -> UInt64 {
    let high = UInt64(frames.loadUnaligned(fromByteOffset: message + 5, as: UInt16.self).bigEndian)
    return high << 32 | UInt64(frames.loadUnaligned(fromByteOffset: message + 7, as: UInt32.self).bigEndian)
  }

  /// The first `most` frames: how many there are, and their bytes.
  static func first(_ most: Int, of frames: UnsafeRawBufferPointer) -> (count: Int, bytes: Int) {
    var count = 0
    var place = 0
    while count < most, place + 2 <= frames.count {
      place += 2 + length(frames, at: place)
      count += 1
    }
    return (count, place)
  }

  private static func count(_ frames: UnsafeRawBufferPointer) -> Int { first(.max, of: frames).count }
}
