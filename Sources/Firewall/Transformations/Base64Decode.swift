// base64Decode (RFC 4648, section 4; ModSecurity reference manual).
//
// Strict, as in libmodsecurity: it reads up to the first NUL, and a value that isn't base64 throughout gives nothing; an
// incomplete last group is dropped. Output: at most three quarters of the input.

extension Transformation {
  static let base64Decode = Transformation("base64Decode") { value, arena in
    guard !value.isEmpty else { return value }
    let text = value.prefix(value.firstIndex(of: 0) ?? value.count)
    guard isBase64(text) else { return .empty }
    return arena.rewrite(value, capacity: text.count) { out in
      var bits: UInt32 = 0
      var digits = 0
      var padded = 0
      for byte in text.buffer where byte != 0x20 && byte != 0x0A && byte != 0x0D {
        if byte == UInt8(ascii: "=") { padded += 1 }
        bits = bits << 6 | UInt32(byte == UInt8(ascii: "=") ? 0 : base64Digit(byte) & 0x3F)
        digits += 1
        guard digits == 4 else { continue }
        digits = 0
        let whole = 3 - padded
        if whole > 0 { out.put(UInt8(truncatingIfNeeded: bits >> 16)) }
        if whole > 1 { out.put(UInt8(truncatingIfNeeded: bits >> 8)) }
        if whole > 2 { out.put(UInt8(truncatingIfNeeded: bits)) }
      }
    }
  }
}

/// Whether `text` is strict base64: blanks only at the ends of lines, at most two `=`, at the end.
private func isBase64(_ text: ByteView) -> Bool {
  var padding = 0
  var index = 0
  while index < text.count {
    let blanks = index
    while index < text.count, text.start[index] == 0x20 { index += 1 }
    guard index < text.count else { break }
    let byte = text.start[index]
    if byte == 0x0D, index + 1 < text.count, text.start[index + 1] == 0x0A {
      index += 1
      continue
    }
    index += 1
    if byte == 0x0A { continue }
    guard blanks == index - 1 else { return false }
    if byte == UInt8(ascii: "=") {
      padding += 1
      if padding > 2 { return false }
    } else if padding > 0 || base64Digit(byte) > 63 {
      return false
    }
  }
  return true
}

/// The value of a digit; 0xFF for any other byte.
@inline(__always) func base64Digit(_ byte: UInt8) -> UInt8 {
  switch byte {
  case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
  case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
  case UInt8(ascii: "+"): 62
  case UInt8(ascii: "/"): 63
  default: 0xFF
  }
}
