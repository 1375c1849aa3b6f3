// What operators share: marking the part that matched, and searching with the thread's memory for regular expressions.

extension OperatorScratch {
  /// Whether `expression` is found; a limit that was hit is noted.
  func search(_ expression: Regex, _ value: ByteView, from: Int = 0, canBeEmpty: Bool = true) -> Bool {
    switch expression.firstMatch(in: value, from: from, canBeEmpty: canBeEmpty, regex) {
    case .match: return true
    case .noMatch: return false
    case .limitExceeded:
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
