// trim, trimLeft, trimRight (ModSecurity reference manual): white space at the ends is dropped. The result is a part of
// the value itself.

extension Transformation {
  static let trim = Transformation("trim", triggers: .whitespace) { value, _ in
    trimmedRight(trimmedLeft(value))
  }

  static let trimLeft = Transformation("trimLeft", triggers: .whitespace) { value, _ in trimmedLeft(value) }

  static let trimRight = Transformation("trimRight", triggers: .whitespace) { value, _ in trimmedRight(value)
  }

  private static func trimmedLeft(_ value: ByteView) -> ByteView {
    value.dropFirst(value.first { !$0.isSpace })
  }

  private static func trimmedRight(_ value: ByteView) -> ByteView {
    var end = value.count
    while end > 0, value.start[end - 1].isSpace { end -= 1 }
    return value.prefix(end)
  }
}
