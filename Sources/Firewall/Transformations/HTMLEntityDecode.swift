// htmlEntityDecode (HTML 4, "Character references"; ModSecurity reference manual).
//
// &#DDD and &#xHH give the low byte of the number, and &quot &amp &lt &gt &nbsp their character, in any case; each with
// or without its semicolon. Everything else stays. A number too large for C's strtol is its largest value, as there:
// its low byte is 0xFF.

extension Transformation {
  static let htmlEntityDecode = Transformation("htmlEntityDecode", triggers: .ampersand) { value, arena in
    guard var next = value.firstIndex(of: UInt8(ascii: "&")) else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      var index = 0
      while true {
        out.put(value[index..<next])
        index = next
        if let (byte, end) = entity(value, at: next + 1) {
          out.put(byte)
          index = end < value.count && value.start[end] == UInt8(ascii: ";") ? end + 1 : end
        } else {
          out.put(UInt8(ascii: "&"))
          index = next + 1
        }
        guard let following = value.firstIndex(of: UInt8(ascii: "&"), from: index) else { break }
        next = following
      }
      out.put(value.dropFirst(index))
    }
  }

  /// The byte of the entity whose name begins at `index`, and the offset after it.
  private static func entity(_ value: ByteView, at index: Int) -> (UInt8, end: Int)? {
    guard index < value.count else { return nil }
    if value.start[index] == UInt8(ascii: "#") {
      guard index + 1 < value.count else { return nil }
      if value.start[index + 1] | 0x20 == UInt8(ascii: "x") { return number(value, at: index + 2, radix: 16) }
      return number(value, at: index + 1, radix: 10)
    }
    let end = value.first(from: index) { !$0.isLetter && !$0.isDigit }
    let name = value[index..<end]
    for (known, byte) in namedEntities where name.equalsIgnoringCase(known) { return (byte, end) }
    return nil
  }

  private static func number(_ value: ByteView, at index: Int, radix: UInt64) -> (UInt8, end: Int)? {
    var end = index
    var number: UInt64 = 0
    while end < value.count {
      let digit = UInt64(value.start[end].hexDigit)
      guard digit < radix else { break }
      // Once too large, always too large.
      number = number > UInt64(Int64.max) / radix ? .max : number * radix + digit
      end += 1
    }
    guard end > index else { return nil }
    return (UInt8(truncatingIfNeeded: min(number, UInt64(Int64.max))), end)
  }

  private static let namedEntities: [(ByteView, UInt8)] = [
    (ByteView("quot"), 0x22), (ByteView("amp"), 0x26), (ByteView("lt"), 0x3C), (ByteView("gt"), 0x3E),
    (ByteView("nbsp"), 0xA0),
  ]
}
