// Whether a client that can't take more takes anything at all: a few looks at how many bytes its peer has taken,
// a quarter of the limit apart. A process that stood still itself has looked once meanwhile, and blames nobody.
// Owner: one event loop. Pure: time and bytes come in.

/// See the head of this file.
struct Progress {
  private static let looksWanted = 4
  private var isWatching = false
  private var lookedAt: UInt64 = 0
  private var takenBytes: UInt64 = 0
  private var idleLooks = 0

  /// What was sent has gone, or nothing waits.
  mutating func reset() { isWatching = false }

  /// Looks, if it is time to; true where nothing was taken for `limit` milliseconds.
  mutating func isStuck(limit: UInt64, now: UInt64, takenBytes look: () -> UInt64) -> Bool {
    if isWatching, now &- lookedAt < limit / UInt64(Self.looksWanted) { return false }
    lookedAt = now
    let taken = look()
    if !isWatching || taken != takenBytes {
      isWatching = true
      takenBytes = taken
      idleLooks = 0
      return false
    }
    idleLooks += 1
    return idleLooks >= Self.looksWanted
  }
}
