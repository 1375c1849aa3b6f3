// hexDecode (ModSecurity reference manual): two hexadecimal digits become a byte; an odd one at the end is dropped.
//
// As in libmodsecurity, bytes that are no digits are not refused: they count by the same arithmetic.

extension Transformation {
  static let hexDecode = Transformation("hexDecode") { value, arena in
    guard !value.isEmpty else { return value }
    return arena.rewrite(value, capacity: value.count / 2) { out in
      var index = 0
      while index + 1 < value.count {
        out.put(looseDigit(value.start[index]) << 4 &+ looseDigit(value.start[index + 1]))
        index += 2
      }
    }
  }
}

@inline(__always) private func looseDigit(_ byte: UInt8) -> UInt8 {
  byte >= UInt8(ascii: "A") ? (byte & 0xDF) &- UInt8(ascii: "A") &+ 10 : byte &- UInt8(ascii: "0")
}
