// uppercase (ModSecurity reference manual): the letters of ASCII in upper case.

extension Transformation {
  static let uppercase = Transformation("uppercase", triggers: .lower) { value, arena in
    let first = value.first { $0 &- 0x61 < 26 }
    guard first < value.count else { return value }
    return arena.build(value.count) { place in
      place.update(from: value.start, count: first)
      for index in first..<value.count {
        let byte = value.start[index]
        place[index] = byte &- 0x61 < 26 ? byte ^ 0x20 : byte
      }
      return value.count
    }
  }
}
