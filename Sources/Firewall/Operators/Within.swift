// @within (ModSecurity reference manual): the value is somewhere in the argument. An empty value is everywhere.

final class Within: Operator {
  private let argument: Literal

  init(_ argument: [UInt8]) { self.argument = Literal(argument) }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    argument.view.firstRange(of: value) != nil
  }
}
