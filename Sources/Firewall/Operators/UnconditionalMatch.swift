// @unconditionalMatch (ModSecurity reference manual): always matches.

final class UnconditionalMatch: Operator {
  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool { true }
}
