// Searching a long value with PCRE2, as if it were searched whole, within a bound.
//
// PCRE2's time can grow with the square of a value's length: what an attempt costs is limited, not how many there are.
// So a window of 4 KiB is looked at, and PCRE2 is told that more may follow (PCRE2_PARTIAL_HARD): "no match" then holds
// for the whole value, and a place where the window's end was reached undecided is asked alone, in windows that grow.
// Only that can cost more than the windows themselves, and is charged to a budget. Where the budget or PCRE2's own limit
// is spent, what is left is searched for matches within a window, and "no match" is reported as not certain.
// Invariant: an answer other than `limitExceeded` is the one that the whole value would give, or a match within a window.

struct LongSearch {
  /// Longer values are searched so.
  static let bytes = 4096
  /// What may be looked at beyond that: this much, and so much for each byte of the value.
  static let budget = (bytes: 1 << 20, perByte: 16)

  /// How many steps an attempt beyond a window may take, as SecPcreMatchLimit has it: a step can pass over all that is
  /// looked at.
  private static func steps(over count: Int) -> UInt32 { UInt32(max(20_000, (1 << 29) / max(1, count))) }

  private let regex: Regex
  private let value: ByteView
  private let window: Int
  private var budget: Int
  /// The last place of the byte that every match needs; nil until it is known. -1: there is none.
  private var lastNeeded: Int?

  init(_ regex: Regex, _ value: ByteView, window: Int = LongSearch.bytes, bytesLookedAt: Int? = nil) {
    self.regex = regex
    self.value = value
    self.window = window
    budget = bytesLookedAt ?? LongSearch.budget.bytes + value.count * LongSearch.budget.perByte
  }

  /// As `Regex.firstMatch`; where the match lies is told in the whole value.
  mutating func firstMatch(
    from start: Int = 0, canBeEmpty: Bool = true, _ scratch: RegexScratch
  ) -> RegexOutcome {
    var from = start
    while true {
      guard spend(window) else { return firstMatchInWindows(from: from, canBeEmpty, scratch) }
      let end = min(value.count, from + window)
      // Nothing is known of a match that would begin where the window ends.
      let lastStart = end == value.count ? end : end - 1
      switch regex.look(in: value, from..<end, lastStart: lastStart, canBeEmpty: canBeEmpty, scratch) {
      case .match: return .match
      case .noMatch:
        if end == value.count { return .noMatch }
        from = end
      case .limitExceeded: return firstMatchInWindows(from: from, canBeEmpty, scratch)
      case .undecided(let place) where place > from: from = place
      case .undecided:
        if !canMatch(from: from) { return .noMatch }
        switch matchAlone(at: from, canBeEmpty, scratch) {
        case .match: return .match
        case .noMatch: from += 1
        case .limitExceeded, .undecided: return firstMatchInWindows(from: from, canBeEmpty, scratch)
        }
      }
    }
  }

  /// Whether a match begins at `place`, however long it is.
  private mutating func matchAlone(at place: Int, _ canBeEmpty: Bool, _ scratch: RegexScratch) -> RegexOutcome
  {
    var size = window
    while true {
      size *= 4
      guard spend(min(size, value.count - place)) else { return .limitExceeded }
      let end = min(value.count, place + size)
      let outcome = regex.look(
        in: value, place..<end, lastStart: place, canBeEmpty: canBeEmpty,
        limit: LongSearch.steps(over: end - place), scratch)
      guard case .undecided(let next) = outcome else { return outcome }
      if next > place { return .noMatch }
    }
  }

  /// Matches that aren't longer than half a window are found; "no match" isn't certain.
  private func firstMatchInWindows(from: Int, _ canBeEmpty: Bool, _ scratch: RegexScratch) -> RegexOutcome {
    let step = max(1, window / 2)
    var from = from
    while true {
      let end = min(value.count, from + window)
      let lastStart = end == value.count ? end : from + step - 1
      let outcome = regex.look(
        in: value, from..<end, lastStart: lastStart, isCut: true, canBeEmpty: canBeEmpty, scratch)
      if outcome == .match { return .match }
      guard end < value.count else { return .limitExceeded }
      from += step
    }
  }

  private mutating func spend(_ count: Int) -> Bool {
    guard budget >= count else { return false }
    budget -= count
    return true
  }

  private mutating func canMatch(from place: Int) -> Bool {
    guard let needed = regex.neededByte else { return true }
    let last =
      lastNeeded ?? value.buffer.lastIndex { $0 == needed || ($0 ^ needed == 0x20 && $0 | 0x20 >= 0x61) }
      ?? -1
    lastNeeded = last
    return last >= place
  }
}
