// phpArgsNames (ModSecurity reference manual): the name of an argument as PHP stores it.
//
// Leading spaces go; space and dot become _ up to the first bracket; a bracket that never closes becomes _ as well, and
// ends the changes. After a bracketed part that closes, more of them may follow at once; the rest is dropped. A name
// that begins with [ or = is none.

extension Transformation {
  // A bracket or = may matter at the very start, so `other` and `equals` belong to the triggers.
  static let phpArgsNames = Transformation(
    "phpArgsNames", triggers: [.space, .dot, .other, .equals]
  ) { value, arena in
    guard let first = value.isEmpty ? nil : value.start[0] else { return value }
    if first == UInt8(ascii: "[") || first == UInt8(ascii: "=") { return .empty }
    let bracket = UInt8(ascii: "[")
    let close = UInt8(ascii: "]")
    return arena.rewrite(value, capacity: value.count) { out in
      var index = value.first { $0 != 0x20 }
      var isOpen = false
      while index < value.count {
        let byte = value.start[index]
        if byte == bracket, !isOpen {
          if value.firstIndex(of: close, from: index) != nil { break }
          out.put(UInt8(ascii: "_"))
          isOpen = true
        } else if !isOpen, byte == 0x20 || byte == UInt8(ascii: ".") {
          out.put(UInt8(ascii: "_"))
        } else {
          out.put(byte)
        }
        index += 1
      }
      while index < value.count, value.start[index] == bracket,
        let end = value.firstIndex(of: close, from: index)
      {
        // A single space between the brackets counts for nothing.
        if end - index == 2, value.start[index + 1] == 0x20 {
          out.put(bracket)
          out.put(close)
        } else {
          out.put(value[index..<end + 1])
        }
        index = end + 1
      }
    }
  }
}
