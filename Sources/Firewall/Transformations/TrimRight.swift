// trimRight (ModSecurity reference manual): white space at the end is dropped; the result is a part of the value.

extension Transformation {
  static let trimRight = Transformation("trimRight", triggers: .whitespace) { value, _ in trimmedRight(value)
  }

  static func trimmedRight(_ value: ByteView) -> ByteView {
    var end = value.count
    while end > 0, value.start[end - 1].isSpace { end -= 1 }
    return value.prefix(end)
  }
}
