// compressWhitespace (ModSecurity reference manual): each run of white space becomes one space.
//
// White space is C's: space, tab, LF, VT, FF, CR. As in libmodsecurity, a no-break space is none.

extension Transformation {
  static let compressWhitespace = Transformation("compressWhitespace", triggers: .whitespace) {
    value, arena in
    let first = value.first { $0.isSpace }
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
}
