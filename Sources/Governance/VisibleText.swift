// Text of others as people may see it: what a terminal would obey, what turns the direction of text and what can't be seen
// is written out, so that nothing looks like another thing than it is.

extension String {
  /// The same with such characters written out: `\u{1B}`.
  /// - Parameter keepsLines: whether ends of lines, and tabs, stay.
  public func visible(keepsLines: Bool = false) -> String {
    // Most text is plain.
    guard utf8.contains(where: { $0 < 0x20 || $0 > 0x7E }) else { return self }
    var out = ""
    let scalars = unicodeScalars
    for place in scalars.indices {
      let scalar = scalars[place]
      switch scalar {
      case "\n" where keepsLines, "\t" where keepsLines: out.unicodeScalars.append(scalar)
      case "\r" where keepsLines:
        // By itself it takes terminals back to the line's beginning.
        let next = scalars.index(after: place)
        out.unicodeScalars.append(next < scalars.endIndex && scalars[next] == "\n" ? "\r" : "\n")
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case _ where scalar.isUnseen: out += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}

extension Unicode.Scalar {
  fileprivate var isUnseen: Bool {
    switch value {
    // Controls; what terminals obey among them.
    case 0...0x1F, 0x7F...0x9F: true
    // Soft hyphen, and marks that turn the direction of text.
    case 0xAD, 0x61C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x206F: true
    // Of no width (those that join letters are part of words), other ends of lines, and tags.
    case 0x180E, 0x200B, 0x2028, 0x2029, 0x2060...0x2065, 0xFEFF, 0xFFF9...0xFFFB, 0xFFFE, 0xFFFF,
      0xE0000...0xE007F:
      true
    default: false
    }
  }
}
