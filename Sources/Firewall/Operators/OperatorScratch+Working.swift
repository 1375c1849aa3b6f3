// What operators share: marking the part that matched, and searching with the thread's memory for regular expressions.

extension OperatorScratch {
  /// Whether `expression` is found; a limit that was hit is noted.
  func search(_ expression: Regex, _ value: ByteView, from: Int = 0, canBeEmpty: Bool = true) -> Bool {
    note(expression.firstMatch(in: value, from: from, canBeEmpty: canBeEmpty, regex))
  }

  /// Whether it is a match; a limit that was hit is noted.
  func note(_ outcome: RegexOutcome) -> Bool {
    switch outcome {
    case .match: return true
    case .noMatch: return false
    case .limitExceeded, .undecided:
      limitExceeded = true
      return false
    }
  }

  /// The part of the value that matched.
  func mark(_ part: Range<Int>) {
    offset = part.lowerBound
    length = part.count
  }
}
