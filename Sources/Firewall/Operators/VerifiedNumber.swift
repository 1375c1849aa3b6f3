// What @verifyCC, @verifyCPF, @verifySSN and @verifySVNR share: a number that the regular expression finds and whose
// check digits are right (each has its own file).
//
// libmodsecurity searches every suffix of the value; here each search goes on right after the start of the last match,
// so that the work stays in proportion.

final class VerifiedNumber: Operator {
  private let regex: Regex
  private let isEmpty: Bool
  private let isValid: @Sendable (_ match: ByteView) -> Bool

  init(
    _ pattern: [UInt8], _ options: RegexOptions, isValid: @escaping @Sendable (ByteView) -> Bool
  ) throws(OperatorFault) {
    regex = try Regex(pattern, options: options)
    isEmpty = pattern.isEmpty
    self.isValid = isValid
  }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    guard !isEmpty else { return false }
    var from = 0
    while from < value.count, scratch.search(regex, value, from: from) {
      let match = scratch.regex.match
      if isValid(value[match]) {
        scratch.mark(match)
        scratch.captures.append(value[match])
        return true
      }
      from = max(from, match.lowerBound) + 1
    }
    return false
  }
}

/// Checks of numbers, by what they number.
enum CheckDigits {
  /// The digits of a text, `most` of them.
  static func digits(_ text: ByteView, _ most: Int) -> [Int] {
    text.buffer.lazy.filter(\.isDigit).prefix(most).map { Int($0 & 15) }
  }
}
