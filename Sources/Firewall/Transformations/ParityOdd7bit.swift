// parityOdd7bit (ModSecurity reference manual): the top bit of each byte is set so that the number of ones is odd.
//
// As in libmodsecurity the ones of all eight bits are counted, where the manual says seven: bytes above 7F differ.

extension Transformation {
  static let parityOdd7bit = Transformation("parityOdd7bit") { value, arena in
    parity(value, arena) { $0.nonzeroBitCount & 1 == 0 ? $0 | 0x80 : $0 & 0x7F }
  }
}
