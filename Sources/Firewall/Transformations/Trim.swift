// trim (ModSecurity reference manual): white space at both ends is dropped; the result is a part of the value itself.

extension Transformation {
  static let trim = Transformation("trim", triggers: .whitespace) { value, _ in
    trimmedRight(trimmedLeft(value))
  }
}
