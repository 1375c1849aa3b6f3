// compressWhitespace (ModSecurity reference manual): each run of white space becomes one space.
//
// White space is C's: space, tab, LF, VT, FF, CR. As in libmodsecurity, a no-break space is none.

extension Transformation {
  static let compressWhitespace = Transformation("compressWhitespace", triggers: .whitespace) {
    value, arena in
    let first = firstToCompress(value)
    guard first < value.count else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      out.put(value.prefix(first))
      var index = first
      while index < value.count {
        out.put(0x20)
        let word = value.first(from: index) { !$0.isSpace }
        index = value.first(from: word) { $0.isSpace }
        out.put(value[word..<index])
      }
    }
  }

  /// The offset of the first white space that isn't a single space.
  private static func firstToCompress(_ value: ByteView) -> Int {
    var index = 0
    while index < value.count {
      let byte = value.start[index]
      if byte.isSpace, byte != 0x20 || index + 1 < value.count && value.start[index + 1].isSpace { break }
      index += 1
    }
    return index
  }
}
