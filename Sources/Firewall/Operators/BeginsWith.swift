// @beginsWith (ModSecurity reference manual): the value begins with the argument.

final class BeginsWith: Operator {
  private let argument: Literal

  init(_ argument: [UInt8]) { self.argument = Literal(argument) }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    guard value.hasPrefix(argument.view) else { return false }
    scratch.mark(0..<argument.view.count)
    return true
  }
}
