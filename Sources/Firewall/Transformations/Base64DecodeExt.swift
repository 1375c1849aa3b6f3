// base64DecodeExt (ModSecurity reference manual): base64 with anything in between, which is skipped.
//
// An incomplete last group gives what it holds. Output: at most three quarters of the input.

extension Transformation {
  static let base64DecodeExt = Transformation("base64DecodeExt") { value, arena in
    guard !value.isEmpty else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      let place = out.at
      var carried: UInt8 = 0
      var digits = 0
      for index in 0..<value.count {
        let byte = value.start[index]
        if byte == UInt8(ascii: "=") {
          // One digit and then padding: not base64 at all.
          let next = index + 1 < value.count ? value.start[index + 1] : 0
          if next != UInt8(ascii: "="), digits % 4 == 1 {
            out = ByteWriter(place)
            return
          }
          continue
        }
        let digit = base64Digit(byte)
        guard digit < 64 else { continue }
        switch digits % 4 {
        case 0: carried = digit << 2
        case 1:
          out.put(carried | digit >> 4)
          carried = digit << 4
        case 2:
          out.put(carried | digit >> 2)
          carried = digit << 6
        default: out.put(carried | digit)
        }
        digits += 1
      }
      if value.start[value.count - 1] == UInt8(ascii: "="), digits % 4 == 1 { out = ByteWriter(place) }
    }
  }
}
