// replaceNulls (ModSecurity reference manual): NUL bytes become spaces.

extension Transformation {
  static let replaceNulls = Transformation("replaceNulls", triggers: .null) { value, arena in
    guard value.firstIndex(of: 0) != nil else { return value }
    return arena.build(value.count) { place in
      for index in 0..<value.count { place[index] = value.start[index] == 0 ? 0x20 : value.start[index] }
      return value.count
    }
  }
}
