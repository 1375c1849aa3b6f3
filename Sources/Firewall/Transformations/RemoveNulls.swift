// removeNulls (ModSecurity reference manual): NUL bytes are dropped.

extension Transformation {
  static let removeNulls = Transformation("removeNulls", triggers: .null) { value, arena in
    guard var null = value.firstIndex(of: 0) else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      out.put(value.prefix(null))
      while true {
        let from = null + 1
        null = value.firstIndex(of: 0, from: from) ?? value.count
        out.put(value[from..<null])
        if null >= value.count { return }
      }
    }
  }
}
