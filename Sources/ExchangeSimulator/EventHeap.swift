// Who acts next: a four-ary heap with one entry a participant (an instrument, or the market's clock), in two
// flat arrays. Order is by time, then by number, so that equal times have one order everywhere.

/// The next moment of every participant; `UInt64.max` = never again.
struct EventHeap: Sendable {
  private var times: [UInt64]
  private var numbers: [UInt32]

  /// A heap of participants 0..<times.count, each at its time.
  init(times initial: [UInt64]) {
    times = initial
    numbers = (0..<initial.count).map { UInt32($0) }
    guard initial.count > 1 else { return }
    for index in stride(from: (initial.count - 2) / 4, through: 0, by: -1) {
      sink(times[index], numbers[index], from: index)
    }
  }

  /// The earliest time.
  var topTime: UInt64 { times[0] }
  /// Whose it is.
  var top: Int { Int(numbers[0]) }

  /// Gives the first participant its next time.
  mutating func reschedule(_ time: UInt64) { sink(time, numbers[0], from: 0) }

  private mutating func sink(_ time: UInt64, _ number: UInt32, from start: Int) {
    let count = times.count
    var hole = start
    while true {
      let first = hole * 4 + 1
      if first >= count { break }
      var best = first
      var bestTime = times[first]
      var child = first + 1
      let end = min(first + 4, count)
      while child < end {
        let childTime = times[child]
        if childTime < bestTime || (childTime == bestTime && numbers[child] < numbers[best]) {
          best = child
          bestTime = childTime
        }
        child += 1
      }
      if bestTime > time || (bestTime == time && numbers[best] > number) { break }
      times[hole] = bestTime
      numbers[hole] = numbers[best]
      hole = best
    }
    times[hole] = time
    numbers[hole] = number
  }
}
