// jsDecode (ECMAScript, "String Literals"; ModSecurity reference manual).
//
// \uHHHH gives the low byte (full-width forms become ASCII), \xHH a byte, \OOO octal up to 377, \n and so on their
// control; a backslash before anything else vanishes, one at the end stays.

extension Transformation {
  static let jsDecode = Transformation("jsDecode", triggers: .backslash) { value, arena in
    guard var next = value.firstIndex(of: UInt8(ascii: "\\")) else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      var index = 0
      while next + 1 < value.count {
        out.put(value[index..<next])
        let escape = value.start[next + 1]
        index = next + 2
        if escape == UInt8(ascii: "u"), let high = value.hexPair(at: index),
          let low = value.hexPair(at: index + 2)
        {
          out.put(high == 0xFF ? fullWidthToASCII(low) : low)
          index += 4
        } else if escape == UInt8(ascii: "x"), let byte = value.hexPair(at: index) {
          out.put(byte)
          index += 2
        } else if escape.isOctalDigit {
          var byte = escape - UInt8(ascii: "0")
          // A third digit only where the number stays below 256.
          let end = min(index + (escape <= UInt8(ascii: "3") ? 2 : 1), value.count)
          while index < end, value.start[index].isOctalDigit {
            byte = byte << 3 | (value.start[index] - UInt8(ascii: "0"))
            index += 1
          }
          out.put(byte)
        } else {
          out.put(controlEscape(escape) ?? escape)
        }
        guard let following = value.firstIndex(of: UInt8(ascii: "\\"), from: index) else { break }
        next = following
      }
      out.put(value.dropFirst(index))
    }
  }
}
