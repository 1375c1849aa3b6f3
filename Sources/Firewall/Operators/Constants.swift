// @unconditionalMatch, @noMatch (ModSecurity reference manual), and the operators that ask what isn't here:
// @geoLookup (no database) and @rbl (no resolver) never match.

final class UnconditionalMatch: Operator {
  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool { true }
}

final class NoMatch: Operator {
  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool { false }
}
