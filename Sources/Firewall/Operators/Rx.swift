// @rx (ModSecurity reference manual): a regular expression; its groups 0 to 9 are captured. An empty one matches
// everything and captures nothing, as in libmodsecurity.

/// An operator that asks a regular expression, for the compiler's databases.
protocol PatternOperator: Operator {
  var pattern: [UInt8] { get }
  /// The same question of a long value, within a bound: see LongSearch.swift.
  func matchesLong(_ value: ByteView, _ scratch: OperatorScratch) -> Bool
}

final class Rx: PatternOperator {
  let pattern: [UInt8]
  private let regex: Regex

  init(_ pattern: [UInt8], _ options: RegexOptions) throws(OperatorFault) {
    self.pattern = pattern
    regex = try Regex(pattern, options: options)
  }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    guard !pattern.isEmpty else { return true }
    guard scratch.search(regex, value) else { return false }
    capture(value, scratch)
    return true
  }

  func matchesLong(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    guard !pattern.isEmpty else { return true }
    var search = LongSearch(regex, value)
    guard scratch.note(search.firstMatch(scratch.regex)) else { return false }
    capture(value, scratch)
    return true
  }

  private func capture(_ value: ByteView, _ scratch: OperatorScratch) {
    let working = scratch.regex
    scratch.mark(working.match)
    for index in 0..<working.groupCount {
      scratch.captures.append(working.group(index).map { value[$0] } ?? .empty)
    }
  }
}
