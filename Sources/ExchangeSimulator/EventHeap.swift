// Who acts next: a four-ary heap with one entry a participant (an instrument, or the market's clock).
// An entry is one integer, the time above the participant's number: equal times have one order everywhere, and
// the heap of thousands of participants stays in the nearest cache.

/// The next moment of every participant; `UInt64.max` = never again.
struct EventHeap: Sendable {
  private static let numberBits: UInt64 = 15
  private static let never: UInt64 = 1 << 48 - 1
  private var entries: [UInt64]

  /// A heap of participants 0..<times.count, each at its time.
  init(times: [UInt64]) {
    precondition(times.count <= 1 << Self.numberBits, "more participants than numbers")
    entries = times.enumerated().map { Self.entry($0.element, UInt64($0.offset)) }
    guard times.count > 1 else { return }
    for index in stride(from: (times.count - 2) / 4, through: 0, by: -1) { sink(entries[index], from: index) }
  }

  /// The earliest time.
  var topTime: UInt64 {
    let time = entries[0] >> Self.numberBits
    return time == Self.never ? .max : time
  }

  /// Whose it is.
  var top: Int { Int(entries[0] & (1 << Self.numberBits - 1)) }

  /// Gives the first participant its next time.
  mutating func reschedule(_ time: UInt64) {
    sink(Self.entry(time, entries[0] & (1 << Self.numberBits - 1)), from: 0)
  }

  private static func entry(_ time: UInt64, _ number: UInt64) -> UInt64 {
    min(time, never) << numberBits | number
  }

  private mutating func sink(_ entry: UInt64, from start: Int) {
    let count = entries.count
    var hole = start
    while true {
      let first = hole * 4 + 1
      guard first < count else { break }
      var best = first
      var bestEntry = entries[first]
      for child in first + 1..<max(first + 1, min(first + 4, count)) where entries[child] < bestEntry {
        best = child
        bestEntry = entries[child]
      }
      guard bestEntry < entry else { break }
      entries[hole] = bestEntry
      hole = best
    }
    entries[hole] = entry
  }
}
