// application/x-www-form-urlencoded: bodies and query strings (WHATWG URL, section 5; libmodsecurity 3.0.9's reading).
//
// Text is cut at the separator, each piece at its first `=`; both halves are decoded once. A piece without `=` is a name
// with an empty value, an empty piece is an argument with an empty name, but nothing comes after a last separator.
// Invariant: names and values together are never longer than the input.

/// application/x-www-form-urlencoded.
public enum URLEncodedBody {
  /// Adds the arguments of `text` to `content`, up to the limit; more are left out and reported.
  /// - Parameter separator: SecArgumentSeparator.
  public static func parse(
    _ text: ByteView, separator: UInt8 = UInt8(ascii: "&"), limits: BodyLimits, arena: Arena,
    into content: inout BodyContent
  ) {
    var at = 0
    var invalid = 0
    while at < text.count {
      guard content.arguments.count < limits.argumentCount else {
        content.limitReached = true
        break
      }
      let end = text.firstIndex(of: separator, from: at) ?? text.count
      let piece = text[at..<end]
      let equals = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.count
      content.arguments.append(
        Argument(
          name: piece.prefix(equals).percentDecoded(plusIsSpace: true, arena: arena, invalid: &invalid),
          value: piece.dropFirst(equals + 1).percentDecoded(
            plusIsSpace: true, arena: arena, invalid: &invalid)))
      at = end + 1
    }
    if invalid > 0 { content.hasInvalidEscape = true }
  }
}
