// @verifyCPF (ModSecurity reference manual): numbers of Brazilian taxpayers.

extension CheckDigits {
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
}
