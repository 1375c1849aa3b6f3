// trimLeft (ModSecurity reference manual): white space at the start is dropped; the result is a part of the value.

extension Transformation {
  static let trimLeft = Transformation("trimLeft", triggers: .whitespace) { value, _ in trimmedLeft(value) }

  static func trimmedLeft(_ value: ByteView) -> ByteView {
    value.dropFirst(value.first { !$0.isSpace })
  }
}
