// @rxGlobal (ModSecurity reference manual, v3): as @rx, for all matches one after the other; their groups are captured
// in sequence, the first ten of them. After the first match, matches of no bytes don't count.

final class RxGlobal: PatternOperator {
  let pattern: [UInt8]
  private let regex: Regex

  init(_ pattern: [UInt8], _ options: RegexOptions) throws(OperatorFault) {
    self.pattern = pattern
    regex = try Regex(pattern, options: options)
  }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    matches(value, scratch) { scratch.search(regex, value, from: $0, canBeEmpty: $1) }
  }

  func matchesLong(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    var search = LongSearch(regex, value)
    return matches(value, scratch) {
      scratch.note(search.firstMatch(from: $0, canBeEmpty: $1, scratch.regex))
    }
  }

  private func matches(
    _ value: ByteView, _ scratch: OperatorScratch, _ search: (_ from: Int, _ canBeEmpty: Bool) -> Bool
  ) -> Bool {
    guard !pattern.isEmpty else { return true }
    let working = scratch.regex
    guard search(0, true) else { return false }
    scratch.mark(working.match)
    repeat {
      for index in 0..<working.groupCount where scratch.captures.count < RegexScratch.groupsKept {
        scratch.captures.append(working.group(index).map { value[$0] } ?? .empty)
      }
    } while scratch.captures.count < RegexScratch.groupsKept && search(working.match.upperBound, false)
    return true
  }
}
