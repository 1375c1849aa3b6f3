// @endsWith (ModSecurity reference manual): the value ends with the argument.

final class EndsWith: Operator {
  private let argument: Literal

  init(_ argument: [UInt8]) { self.argument = Literal(argument) }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    guard value.hasSuffix(argument.view) else { return false }
    scratch.mark(value.count - argument.view.count..<value.count)
    return true
  }
}
