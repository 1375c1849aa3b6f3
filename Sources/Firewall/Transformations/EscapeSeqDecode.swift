// escapeSeqDecode (ModSecurity reference manual): escapes of ANSI C, \n and \x41 and \101.
//
// A backslash before anything else vanishes; one at the end stays. Octal takes up to three digits, modulo 256.

extension Transformation {
  static let escapeSeqDecode = Transformation("escapeSeqDecode", triggers: .backslash) { value, arena in
    guard var next = value.firstIndex(of: UInt8(ascii: "\\")) else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      var index = 0
      while next + 1 < value.count {
        out.put(value[index..<next])
        let escape = value.start[next + 1]
        index = next + 2
        if let byte = controlEscape(escape) {
          out.put(byte)
        } else if escape | 0x20 == UInt8(ascii: "x"), let byte = value.hexPair(at: index) {
          out.put(byte)
          index += 2
        } else if escape.isOctalDigit {
          var byte = escape - UInt8(ascii: "0")
          let end = min(index + 2, value.count)
          while index < end, value.start[index].isOctalDigit {
            byte = byte &* 8 &+ (value.start[index] - UInt8(ascii: "0"))
            index += 1
          }
          out.put(byte)
        } else {
          out.put(escape)
        }
        guard let following = value.firstIndex(of: UInt8(ascii: "\\"), from: index) else { break }
        next = following
      }
      out.put(value.dropFirst(index))
    }
  }
}

/// What a letter after a backslash stands for in C; nil for the others.
@inline(__always) func controlEscape(_ letter: UInt8) -> UInt8? {
  switch letter {
  case UInt8(ascii: "a"): 0x07
  case UInt8(ascii: "b"): 0x08
  case UInt8(ascii: "f"): 0x0C
  case UInt8(ascii: "n"): 0x0A
  case UInt8(ascii: "r"): 0x0D
  case UInt8(ascii: "t"): 0x09
  case UInt8(ascii: "v"): 0x0B
  default: nil
  }
}
