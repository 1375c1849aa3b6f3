// removeComments, removeCommentsChar, replaceComments (ModSecurity reference manual): comments of C, SQL, HTML and
// shells. Details are libmodsecurity's, as the vectors have them:
// - removeComments copies the byte after a comment unseen, a NUL where there is none; an open comment becomes a space.
// - removeCommentsChar drops the marks only. - replaceComments knows C comments only, and puts a space for each.
// No mark can be without one of * - #.

extension Transformation {
  static let removeComments = Transformation("removeComments", triggers: [.star, .dash, .hash]) {
    value, arena in
    let bytes = value.start
    let count = value.count
    // One byte more than the value: the NUL after a comment that ends it.
    return arena.rewrite(value, capacity: count + 1) { out in
      var index = 0
      while index < count {
        let byte = bytes[index]
        let opened: Int
        if byte == UInt8(ascii: "/"), value.holds("/*", at: index) {
          opened = index + 2
        } else if byte == UInt8(ascii: "<"), value.holds("<!--", at: index) {
          opened = index + 4
        } else if byte == UInt8(ascii: "#") || byte == UInt8(ascii: "-") && value.holds("--", at: index) {
          return
        } else {
          out.put(byte)
          index += 1
          continue
        }
        index = opened
        while index < count, !value.holds("*/", at: index), !value.holds("-->", at: index) { index += 1 }
        guard index < count else {
          out.put(0x20)
          return
        }
        index += bytes[index] == UInt8(ascii: "*") ? 2 : 3
        out.put(index < count ? bytes[index] : 0)
        index += 1
      }
    }
  }

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

  static let replaceComments = Transformation("replaceComments", triggers: .star) { value, arena in
    let open = ByteView("/*")
    guard var start = value.firstRange(of: open) else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      var index = 0
      while true {
        out.put(value[index..<start])
        out.put(0x20)
        guard let end = value.firstRange(of: ByteView("*/"), from: start + 2) else { return }
        index = end + 2
        guard let next = value.firstRange(of: open, from: index) else { break }
        start = next
      }
      out.put(value.dropFirst(index))
    }
  }
}

extension ByteView {
  @inline(__always) fileprivate func holds(_ mark: StaticString, at index: Int) -> Bool {
    guard index + mark.utf8CodeUnitCount <= count else { return false }
    for offset in 0..<mark.utf8CodeUnitCount where start[index + offset] != mark.utf8Start[offset] {
      return false
    }
    return true
  }
}
