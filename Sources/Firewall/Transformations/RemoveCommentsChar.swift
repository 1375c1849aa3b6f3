// removeCommentsChar (ModSecurity reference manual): the marks of comments are dropped, what they enclose stays.
//
// The marks: /* */ <!-- --> -- #. None is without one of * - #.

extension Transformation {
  static let removeCommentsChar = Transformation(
    "removeCommentsChar", triggers: [.star, .dash, .hash]
  ) { value, arena in
    arena.rewrite(value, capacity: value.count) { out in
      var index = 0
      while index < value.count {
        switch value.start[index] {
        case UInt8(ascii: "/") where value.holds("/*", at: index): index += 2
        case UInt8(ascii: "*") where value.holds("*/", at: index): index += 2
        case UInt8(ascii: "<") where value.holds("<!--", at: index): index += 4
        case UInt8(ascii: "-") where value.holds("-->", at: index): index += 3
        case UInt8(ascii: "-") where value.holds("--", at: index): index += 2
        case UInt8(ascii: "#"): index += 1
        default:
          out.put(value.start[index])
          index += 1
        }
      }
    }
  }
}

extension ByteView {
  /// Whether `mark` stands at `index`.
  @inline(__always) func holds(_ mark: StaticString, at index: Int) -> Bool {
    guard index + mark.utf8CodeUnitCount <= count else { return false }
    for offset in 0..<mark.utf8CodeUnitCount where start[index + offset] != mark.utf8Start[offset] {
      return false
    }
    return true
  }
}
