// base64Decode, base64DecodeExt, base64Encode (RFC 4648, section 4; ModSecurity reference manual).
//
// base64Decode is strict, as libmodsecurity's: it reads up to the first NUL, and a value that isn't base64 throughout
// gives nothing; an incomplete last group is dropped. base64DecodeExt skips what doesn't belong.
// Output: at most three quarters of the input; four thirds when encoding.

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
    } else if padding > 0 || base64Digit(byte) > 63 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    {
      return false
    }
  }
  return true
}

/// The value of a digit, in the standard alphabet or the one for URLs; 0xFF for any other byte.
@inline(__always) private func base64Digit(_ byte: UInt8) -> UInt8 {
  switch byte {
  case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
  case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
  case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
  case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
  default: 0xFF
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
