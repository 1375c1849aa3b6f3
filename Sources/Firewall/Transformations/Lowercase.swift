// lowercase (ModSecurity reference manual): the letters of ASCII in lower case.

extension Transformation {
  static let lowercase = Transformation("lowercase", triggers: .upper) { value, arena in
    let first = value.first { $0 &- 0x41 < 26 }
    guard first < value.count else { return value }
    return arena.build(value.count) { place in
      place.update(from: value.start, count: first)
      for index in first..<value.count { place[index] = lowercased(value.start[index]) }
      return value.count
    }
  }
}
