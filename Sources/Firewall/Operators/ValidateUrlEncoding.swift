// @validateUrlEncoding (ModSecurity reference manual; RFC 3986, 2.1): matches where a % isn't followed by two
// hexadecimal digits.

final class ValidateUrlEncoding: Operator {
  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    var from = 0
    while let percent = value.firstIndex(of: UInt8(ascii: "%"), from: from) {
      guard value.hexPair(at: percent + 1) != nil else {
        scratch.mark(percent..<value.count)
        return true
      }
      from = percent + 3
    }
    return false
  }
}
