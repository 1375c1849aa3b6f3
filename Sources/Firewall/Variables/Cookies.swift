// REQUEST_COOKIES from a Cookie field's value (RFC 6265, section 4.2), as libmodsecurity 3.0.9 reads it.
//
// Pairs are cut at semicolons, quoted or not, and at their first `=`. Nothing is decoded. Whitespace is skipped before a
// name and after the last pair only. A pair without `=` is a name with an empty value; one without a name is left out.

/// The Cookie field.
public enum Cookies {
  /// Adds the cookies of `value` to `cookies`; all views lie in it.
  public static func parse(_ value: ByteView, into cookies: inout [Argument]) {
    var at = 0
    while at < value.count {
      let end = value.firstIndex(of: UInt8(ascii: ";"), from: at) ?? value.count
      var stop = end
      // The last pair: nothing, or one semicolon, is left behind it.
      if end + 1 >= value.count {
        while stop > at, isWhitespace(value[stop - 1]) { stop -= 1 }
      }
      while at < stop, isWhitespace(value[at]) { at += 1 }
      let pair = value[at..<stop]
      let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count
      if equals > 0 {
        cookies.append(Argument(name: pair.prefix(equals), value: pair.dropFirst(equals + 1)))
      }
      at = end + 1
    }
  }
}
