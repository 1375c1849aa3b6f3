// @validateUtf8Encoding (ModSecurity reference manual; RFC 3629, section 4): matches where the value isn't UTF-8:
// a byte that can't begin or continue a character, a surrogate, or a form that is longer than it need be.

final class ValidateUtf8Encoding: Operator {
  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    var index = 0
    while true {
      index = value.first(from: index) { $0 >= 0x80 }
      guard index < value.count else { return false }
      let length = ValidateUtf8Encoding.length(value, at: index)
      guard length > 0 else {
        scratch.mark(index..<value.count)
        return true
      }
      index += length
    }
  }

  /// The bytes of the character at `index`, which has more than one; 0 where there is none.
  private static func length(_ value: ByteView, at index: Int) -> Int {
    let lead = value.start[index]
    let (length, second): (Int, ClosedRange<UInt8>) =
      switch lead {
      case 0xC2...0xDF: (2, 0x80...0xBF)
      case 0xE0: (3, 0xA0...0xBF)
      case 0xED: (3, 0x80...0x9F)
      case 0xE1...0xEF: (3, 0x80...0xBF)
      case 0xF0: (4, 0x90...0xBF)
      // Up to F4 BF, as in libmodsecurity, though Unicode ends at F4 8F.
      case 0xF1...0xF4: (4, 0x80...0xBF)
      default: (0, 0...0)
      }
    guard length > 0, index + length <= value.count, second.contains(value.start[index + 1]) else { return 0 }
    for offset in 2..<max(2, length) where value.start[index + offset] & 0xC0 != 0x80 { return 0 }
    return length
  }
}
