// Percent-decoding of request parts, once, as libmodsecurity 3.0.9 does it: two hexadecimal digits after a percent sign
// are a byte, anything else after it stays as it is and is counted. Nothing is known here of %u (see t:urlDecodeUni).

extension ByteView {
  /// The decoded bytes: this very view where there is nothing to decode.
  /// - Parameters:
  ///   - plusIsSpace: as in query strings and forms, not in paths.
  ///   - invalid: counts percent signs that aren't followed by two hexadecimal digits.
  func percentDecoded(plusIsSpace: Bool, arena: Arena, invalid: inout Int) -> ByteView {
    var first = firstIndex(of: UInt8(ascii: "%")) ?? count
    if plusIsSpace { first = prefix(first).firstIndex(of: UInt8(ascii: "+")) ?? first }
    guard first < count else { return self }
    var wrong = 0
    let decoded = arena.build(count) { place in
      place.update(from: start, count: first)
      var from = first
      var to = first
      while from < count {
        let byte = start[from]
        if byte == UInt8(ascii: "%") {
          if from + 2 < count, let high = hexDigit(start[from + 1]), let low = hexDigit(start[from + 2]) {
            place[to] = high << 4 | low
            from += 3
            to += 1
            continue
          }
          wrong += 1
        }
        place[to] = plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte
        from += 1
        to += 1
      }
      return to
    }
    invalid += wrong
    // Where only invalid escapes were found nothing has changed.
    return decoded.count == count && decoded == self ? self : decoded
  }
}

/// The value of a hexadecimal digit.
@inline(__always) func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}

/// Whitespace as C's isspace has it in the C locale: space, tab, line feed, vertical tab, form feed, carriage return.
@inline(__always) func isWhitespace(_ byte: UInt8) -> Bool { byte == 0x20 || byte &- 9 < 5 }
