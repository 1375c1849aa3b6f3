// base64Encode (RFC 4648, section 4; ModSecurity reference manual). Output: four thirds of the input, padded.

extension Transformation {
  static let base64Encode = Transformation("base64Encode") { value, arena in
    guard !value.isEmpty else { return value }
    return arena.rewrite(value, capacity: (value.count + 2) / 3 * 4) { out in
      var index = 0
      while index < value.count {
        let left = value.count - index
        let first = UInt32(value.start[index])
        let second = left > 1 ? UInt32(value.start[index + 1]) : 0
        let third = left > 2 ? UInt32(value.start[index + 2]) : 0
        let bits = first << 16 | second << 8 | third
        out.put(base64Character(bits >> 18))
        out.put(base64Character(bits >> 12))
        out.put(left > 1 ? base64Character(bits >> 6) : UInt8(ascii: "="))
        out.put(left > 2 ? base64Character(bits) : UInt8(ascii: "="))
        index += 3
      }
    }
  }
}

@inline(__always) private func base64Character(_ bits: UInt32) -> UInt8 {
  let digit = UInt8(truncatingIfNeeded: bits & 0x3F)
  return switch digit {
  case 0..<26: digit + UInt8(ascii: "A")
  case 26..<52: digit - 26 + UInt8(ascii: "a")
  case 52..<62: digit - 52 + UInt8(ascii: "0")
  case 62: UInt8(ascii: "+")
  default: UInt8(ascii: "/")
  }
}
