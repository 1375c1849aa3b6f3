// removeNulls, replaceNulls (ModSecurity reference manual): NUL bytes are dropped, or become spaces.

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

  static let replaceNulls = Transformation("replaceNulls", triggers: .null) { value, arena in
    guard value.firstIndex(of: 0) != nil else { return value }
    return arena.build(value.count) { place in
      for index in 0..<value.count { place[index] = value.start[index] == 0 ? 0x20 : value.start[index] }
      return value.count
    }
  }
}
