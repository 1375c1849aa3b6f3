// @contains and @strmatch (ModSecurity reference manual): the argument is somewhere in the value.

final class Contains: Operator {
  private let argument: Literal

  init(_ argument: [UInt8]) { self.argument = Literal(argument) }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    guard let found = value.firstRange(of: argument.view) else { return false }
    scratch.mark(found..<found + argument.view.count)
    return true
  }
}
