// @streq (ModSecurity reference manual): the value is the argument.

final class StrEq: Operator {
  private let argument: Literal

  init(_ argument: [UInt8]) { self.argument = Literal(argument) }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool { value == argument.view }
}
