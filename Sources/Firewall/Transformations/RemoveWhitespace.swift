// removeWhitespace (ModSecurity reference manual): white space is dropped, and so is each byte of a no-break space in
// UTF-8, C2 and A0, wherever it stands; as in libmodsecurity.

extension Transformation {
  static let removeWhitespace = Transformation(
    "removeWhitespace", triggers: [.whitespace, .high], rewrites: true
  ) { value, arena in
    let isBlank = { (byte: UInt8) in byte.isSpace || byte == 0xA0 || byte == 0xC2 }
    let first = value.first(where: isBlank)
    guard first < value.count else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      out.put(value.prefix(first))
      var index = first
      while index < value.count {
        let word = value.first(from: index) { !isBlank($0) }
        index = value.first(from: word, where: isBlank)
        out.put(value[word..<index])
      }
    }
  }
}
