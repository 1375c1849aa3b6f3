// removeComments (ModSecurity reference manual): comments of C, SQL, HTML and shells are dropped; the rest of the value
// after -- and #.
//
// Details are libmodsecurity's, as the vectors have them: the byte after a comment is copied unseen, a NUL where there is
// none; a comment that stays open becomes a space. No mark is without one of * - #.

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
}
