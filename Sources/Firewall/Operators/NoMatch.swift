// @noMatch (ModSecurity reference manual): never matches. So do @geoLookup, as there is no database of places, and @rbl,
// as nobody is asked about addresses while a request waits.

final class NoMatch: Operator {
  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool { false }
}
