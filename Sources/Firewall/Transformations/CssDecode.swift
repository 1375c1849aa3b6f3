// cssDecode (CSS 2.1, 4.1.3 "Characters and case"; ModSecurity reference manual).
//
// A backslash and one to six hexadecimal digits are one byte, of the last two digits; full-width forms (FF01 to FF5E)
// become ASCII; one white space after them is dropped. A backslash before a line feed, or at the end, vanishes with it;
// before anything else it vanishes alone. libmodsecurity 3.0.9 also cuts the result at its first NUL: that hides
// whatever follows from the rules, and isn't done here.

extension Transformation {
  static let cssDecode = Transformation("cssDecode", triggers: .backslash) { value, arena in
    guard var next = value.firstIndex(of: UInt8(ascii: "\\")) else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      var index = 0
      while true {
        out.put(value[index..<next])
        index = next + 1
        guard index < value.count else { return }
        index = decodeEscape(value, at: index, &out)
        guard let following = value.firstIndex(of: UInt8(ascii: "\\"), from: index) else { break }
        next = following
      }
      out.put(value.dropFirst(index))
    }
  }

  /// Writes what the escape that begins at `index`, after its backslash, stands for; the offset after it.
  private static func decodeEscape(_ value: ByteView, at index: Int, _ out: inout ByteWriter) -> Int {
    var end = index
    while end < value.count, end < index + 6, value.start[end].isHexDigit { end += 1 }
    let digits = end - index
    guard digits > 0 else {
      if value.start[index] != 0x0A { out.put(value.start[index]) }
      return index + 1
    }
    let bytes = value.start
    var decoded = digits == 1 ? bytes[index].hexDigit : bytes[end - 2].hexDigit << 4 | bytes[end - 1].hexDigit
    let zero = UInt8(ascii: "0")
    let isShort =
      switch digits {
      case 4: true
      case 5: bytes[index] == zero
      case 6: bytes[index] == zero && bytes[index + 1] == zero
      default: false
      }
    if isShort, bytes[end - 4].hexDigit == 15, bytes[end - 3].hexDigit == 15 {
      decoded = fullWidthToASCII(decoded)
    }
    out.put(decoded)
    return end < value.count && bytes[end].isSpace ? end + 1 : end
  }
}

/// Full-width ASCII is U+FF01 to U+FF5E: the low byte and 0x20 are the character itself.
@inline(__always) func fullWidthToASCII(_ low: UInt8) -> UInt8 { low > 0 && low < 0x5F ? low + 0x20 : low }
