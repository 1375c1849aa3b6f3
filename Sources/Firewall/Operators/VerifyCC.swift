// @verifyCC (ModSecurity reference manual): numbers of payment cards (ISO/IEC 7812-1, annex B).

extension CheckDigits {
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
}
