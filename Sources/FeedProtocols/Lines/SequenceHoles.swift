// Which sequence numbers are missing below the highest one known, and what was done to get them.
// Invariant: holes are in order, not empty, and don't touch one another unless they were noticed at different times.

/// Missing sequence numbers in a row.
struct SequenceHole: Sendable, Equatable {
  /// The first missing number.
  var from: UInt64
  /// One past the last.
  var end: UInt64
  /// When it was noticed.
  var noticedAt: UInt64
  /// When it was noticed, or last became smaller.
  var progressAt: UInt64
  /// When it was asked for last; nil = not yet, or it became smaller since.
  var askedAt: UInt64?
  /// It was asked for before it became smaller.
  var wasAsked = false
  /// Requests since it became smaller last.
  var attempts = 0
}

/// See the head of this file.
struct SequenceHoles: Sendable {
  /// More than are asked for at once: from then on holes that touch are one, so that they stay few.
  private static let manyHoles = 16

  private(set) var list: [SequenceHole] = []

  var isEmpty: Bool { list.isEmpty }
  var first: SequenceHole? { list.first }

  /// Notices numbers above all others. Where they follow a hole that was noticed less than `join` before, they are part
  /// of it: a loss is noticed piece by piece where heartbeats come in between.
  mutating func append(from: UInt64, end: UInt64, at now: UInt64, join: UInt64 = 0) {
    guard from < end else { return }
    if let last = list.last, last.end == from, now < last.noticedAt &+ join || Self.manyHoles < list.count {
      list[list.count - 1].end = end
      list[list.count - 1].progressAt = now
      list[list.count - 1].wasAsked = last.wasAsked || last.askedAt != nil
      list[list.count - 1].askedAt = nil
      return
    }
    list.append(SequenceHole(from: from, end: end, noticedAt: now, progressAt: now))
  }

  /// Numbers that have come. Returns how many of them were missing.
  mutating func fill(from: UInt64, end: UInt64, at now: UInt64) -> UInt64 {
    guard let first = list.first, end > first.from, from < end else { return 0 }
    var filled: UInt64 = 0
    var place = 0
    while place < list.count, list[place].from < end {
      let hole = list[place]
      guard hole.end > from else {
        place += 1
        continue
      }
      let low = max(hole.from, from)
      let high = min(hole.end, end)
      filled += high - low
      var parts: [SequenceHole] = []
      for (from, end) in [(hole.from, low), (high, hole.end)] where from < end {
        parts.append(
          SequenceHole(
            from: from, end: end, noticedAt: hole.noticedAt, progressAt: now,
            wasAsked: hole.wasAsked || hole.askedAt != nil))
      }
      list.replaceSubrange(place...place, with: parts)
      place += parts.count
    }
    return filled
  }

  /// Gives up on everything below `end`.
  mutating func forget(below end: UInt64) {
    list.removeAll { $0.end <= end }
    if let first = list.first, first.from < end { list[0].from = end }
  }

  /// Notes that a hole was asked for.
  mutating func asked(_ place: Int, at now: UInt64) {
    list[place].askedAt = now
    list[place].attempts += 1
  }
}
