// sqlHexDecode (ModSecurity reference manual): 0x414243 becomes ABC, wherever it stands.
//
// libmodsecurity 3.0.9 drops the last byte of a value that doesn't end in such a number, and all after a NUL; that
// hides bytes from the rules, and isn't done here.

extension Transformation {
  // No such number is without the digit 0.
  static let sqlHexDecode = Transformation("sqlHexDecode", triggers: .digit) { value, arena in
    let zero = UInt8(ascii: "0")
    guard var next = value.firstIndex(of: zero) else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      var index = 0
      while true {
        out.put(value[index..<next])
        index = next
        if next + 1 < value.count, value.start[next + 1] | 0x20 == UInt8(ascii: "x"),
          value.hexPair(at: next + 2) != nil
        {
          index = next + 2
          while let byte = value.hexPair(at: index) {
            out.put(byte)
            index += 2
          }
        } else {
          out.put(zero)
          index += 1
        }
        guard let following = value.firstIndex(of: zero, from: index) else { break }
        next = following
      }
      out.put(value.dropFirst(index))
    }
  }
}
