// @verifySVNR (ModSecurity reference manual): Austrian social insurance numbers.

extension CheckDigits {
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
}
