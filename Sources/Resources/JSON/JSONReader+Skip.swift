// Passing over values: as strict as reading them, without making any. Values within each other are counted, not gone into.

public import GuardRules

extension JSONReader {
  /// A place to come back to.
  struct Mark {
    fileprivate let position: Int
    fileprivate let line: Int
    fileprivate let lineStart: Int
    fileprivate let depth: Int
  }

  var mark: Mark { Mark(position: position, line: line, lineStart: lineStart, depth: depth) }

  mutating func go(to mark: Mark) {
    (position, line, lineStart, depth) = (mark.position, mark.line, mark.lineStart, mark.depth)
  }

  /// Passes over the value that begins here; it is looked at all the same.
  public mutating func skip() throws(DocumentFault) {
    let outer = depth
    // Of each level whether it is an object: a bit each, the innermost the lowest.
    var levels: (UInt64, UInt64) = (0, 0)
    func isObject() -> Bool { levels.0 & 1 == 1 }
    func enter(_ object: Bool) { levels = (levels.0 << 1 | (object ? 1 : 0), levels.1 << 1 | levels.0 >> 63) }
    func leave() { levels = (levels.0 >> 1 | levels.1 << 63, levels.1 >> 1) }
    values: while true {
      blanks()
      tell()
      guard let byte = peek else { throw fault("a value") }
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        position += 1
        depth += 1
        guard depth <= Self.mostDepth else { throw tooDeep() }
        let isMap = byte == UInt8(ascii: "{")
        blanks()
        if take(isMap ? "}" : "]") {
          depth -= 1
        } else {
          enter(isMap)
          if isMap { _ = try name() }
          continue values
        }
      case UInt8(ascii: "\""): _ = try span()
      case UInt8(ascii: "t"): _ = try word("true", place)
      case UInt8(ascii: "f"): _ = try word("false", place)
      case UInt8(ascii: "n"): _ = try word("null", place)
      default: _ = try numberSpan()
      }
      // Behind a value: the next one of the level, or the level's end.
      while depth > outer {
        blanks()
        if take(",") {
          if isObject() { _ = try name() }
          continue values
        }
        guard take(isObject() ? "}" : "]") else {
          throw fault(isObject() ? "\",\" or \"}\"" : "\",\" or \"]\"")
        }
        leave()
        depth -= 1
      }
      return
    }
  }

  /// Passes over the object that begins here and keeps the texts of some members; of two with one name the later one.
  /// - Returns: nil where a name is escaped, or where it is no object: then only reading it tells what it has.
  mutating func skip(keeping wanted: [StaticString]) throws(DocumentFault) -> [String?]? {
    guard first() == UInt8(ascii: "{") else {
      try skip()
      return nil
    }
    var found = [String?](repeating: nil, count: wanted.count)
    var isPlain = true
    try members { (name, isPlainName, reader) throws(DocumentFault) in
      if !isPlainName { isPlain = false }
      guard let place = wanted.firstIndex(where: { reader.bytes.holds($0, at: name) }) else {
        return try reader.skip()
      }
      guard reader.first() == UInt8(ascii: "\"") else {
        found[place] = nil
        return try reader.skip()
      }
      let (range, isPlainText) = try reader.span()
      found[place] = try isPlainText ? reader.plainText(range) : reader.unescaped(range)
    }
    return isPlain ? found : nil
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func holds(_ text: StaticString, at range: Range<Int>) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    for offset in 0..<range.count where self[range.lowerBound + offset] != text.utf8Start[offset] {
      return false
    }
    return true
  }
}
