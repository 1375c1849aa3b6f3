// @verifySSN (ModSecurity reference manual): social security numbers of the United States; there is no check digit, so
// what was never issued is refused.

extension CheckDigits {
  /// A social security number of the United States: area, group and serial none of them 0, the area one in use.
  static func isSocialSecurity(_ text: ByteView) -> Bool {
    let digits = CheckDigits.digits(text, 10)
    guard digits.count == 9, Set(digits).count > 1 else { return false }
    if zip(digits, digits.dropFirst()).allSatisfy({ $0 + 1 == $1 }) { return false }
    let area = digits[0] * 100 + digits[1] * 10 + digits[2]
    return area > 0 && area < 740 && area != 666 && digits[3...4] != [0, 0] && digits[5...8] != [0, 0, 0, 0]
  }
}
