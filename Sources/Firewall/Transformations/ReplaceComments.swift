// replaceComments (ModSecurity reference manual): each comment of C becomes one space, one that stays open too.

extension Transformation {
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
