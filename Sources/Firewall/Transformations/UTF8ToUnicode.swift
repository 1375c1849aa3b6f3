// utf8toUnicode (RFC 3629; ModSecurity reference manual): each character of more than one byte becomes %uHHHH.
//
// As libmodsecurity does it with what isn't right: NUL bytes, and lead bytes whose continuation is missing, are dropped;
// lone continuations stay; overlong forms and surrogates are written, and their lead byte after them; a lead byte above
// F4 before them. Output: at most four bytes for each.

extension Transformation {
  static let utf8toUnicode = Transformation("utf8toUnicode", triggers: [.high, .null]) { value, arena in
    let first = value.first { $0 &- 1 >= 0x7F }
    guard first < value.count else { return value }
    return arena.rewrite(value, capacity: first + (value.count - first) * 4) { out in
      out.put(value.prefix(first))
      var index = first
      while index < value.count {
        let lead = value.start[index]
        if lead < 0x80 {
          if lead != 0 { out.put(lead) }
          index += 1
          continue
        }
        let length = lead >= 0xF8 ? 0 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0
        if length == 0 || lead >= 0xF5 { out.put(lead) }
        guard length > 0, hasContinuations(value, after: index, count: length - 1) else {
          index += 1
          continue
        }
        var character = UInt32(lead) & (0x7F >> UInt32(length))
        for offset in 1..<length { character = character << 6 | UInt32(value.start[index + offset] & 0x3F) }
        put(character, &out)
        let shortest: UInt32 = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80
        if character < shortest || (0xD800...0xDFFF).contains(character) { out.put(lead) }
        // A surrogate in four bytes is overlong too.
        if length == 4, (0xD800...0xDFFF).contains(character) { out.put(lead) }
        index += length
      }
    }
  }

  private static func hasContinuations(_ value: ByteView, after index: Int, count: Int) -> Bool {
    guard index + count < value.count else { return false }
    for offset in 1...count where value.start[index + offset] & 0xC0 != 0x80 { return false }
    return true
  }

  /// %u and at least four digits.
  private static func put(_ character: UInt32, _ out: inout ByteWriter) {
    out.put(UInt8(ascii: "%"))
    out.put(UInt8(ascii: "u"))
    var shift: UInt32 = character > 0xFFFFF ? 20 : character > 0xFFFF ? 16 : 12
    while true {
      out.put(hexCharacter(UInt8(truncatingIfNeeded: character >> shift & 15)))
      if shift == 0 { return }
      shift -= 4
    }
  }
}
