// @verifyCC, @verifyCPF, @verifySSN, @verifySVNR (ModSecurity reference manual): a number that the regular expression
// finds and whose check digits are right: of payment cards (ISO/IEC 7812, Luhn), Brazilian taxpayers, United States
// social security (what was never issued is refused) and Austrian social security.
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

enum CheckDigits {
  /// Luhn's formula over all digits, from the right: every second one doubled.
  static func isPaymentCard(_ text: ByteView) -> Bool {
    var sum = 0
    var count = 0
    for byte in text.buffer.reversed() where byte.isDigit {
      let digit = Int(byte & 15)
      sum += count & 1 == 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2
      count += 1
    }
    return count > 0 && sum % 10 == 0
  }

  /// Cadastro de Pessoas Físicas: eleven digits, the last two checks modulo 11.
  static func isTaxpayer(_ text: ByteView) -> Bool {
    let digits = CheckDigits.digits(text, 11)
    guard digits.count == 11, Set(digits).count > 1, digits != [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0] else {
      return false
    }
    for length in 9...10 {
      var sum = 0
      for index in 0..<length { sum += digits[index] * (length + 1 - index) }
      let rest = sum % 11
      if digits[length] != (rest < 2 ? 0 : 11 - rest) { return false }
    }
    return true
  }

  /// A social security number of the United States: area, group and serial none of them 0, the area one in use.
  static func isSocialSecurity(_ text: ByteView) -> Bool {
    let digits = CheckDigits.digits(text, 10)
    guard digits.count == 9, Set(digits).count > 1 else { return false }
    if zip(digits, digits.dropFirst()).allSatisfy({ $0 + 1 == $1 }) { return false }
    let area = digits[0] * 100 + digits[1] * 10 + digits[2]
    return area > 0 && area < 740 && area != 666 && digits[3...4] != [0, 0] && digits[5...8] != [0, 0, 0, 0]
  }

  /// A Sozialversicherungsnummer: ten digits, the fourth a check modulo 11.
  static func isSocialInsurance(_ text: ByteView) -> Bool {
    let digits = CheckDigits.digits(text, 10)
    guard digits.count == 10, Set(digits).count > 1, digits != [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      digits != [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    else { return false }
    let weights = [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]
    let rest = zip(digits, weights).reduce(0) { $0 + $1.0 * $1.1 } % 11
    return digits[3] == (rest == 10 ? 0 : rest)
  }

  /// The digits of a text, `most` of them.
  private static func digits(_ text: ByteView, _ most: Int) -> [Int] {
    text.buffer.lazy.filter(\.isDigit).prefix(most).map { Int($0 & 15) }
  }
}
