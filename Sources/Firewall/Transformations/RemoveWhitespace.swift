// removeWhitespace (ModSecurity reference manual): white space is dropped, and so is each byte 0xA0 (the no-break space
// of Latin-1), as in libmodsecurity.

extension Transformation {
  static let removeWhitespace = Transformation(
    "removeWhitespace", triggers: [.whitespace, .noBreakSpace]
  ) { value, arena in
    let first = value.first { $0.isSpace || $0 == 0xA0 }
    guard first < value.count else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      out.put(value.prefix(first))
      var index = first
      while index < value.count {
        let word = value.first(from: index) { !($0.isSpace || $0 == 0xA0) }
        index = value.first(from: word) { $0.isSpace || $0 == 0xA0 }
        out.put(value[word..<index])
      }
    }
  }
}
