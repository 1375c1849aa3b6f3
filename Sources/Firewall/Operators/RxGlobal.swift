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
    guard !pattern.isEmpty else { return true }
    let working = scratch.regex
    guard scratch.search(regex, value) else { return false }
    scratch.mark(working.match)
    repeat {
      for index in 0..<working.groupCount where scratch.captures.count < RegexScratch.groupsKept {
        scratch.captures.append(working.group(index).map { value[$0] } ?? .empty)
      }
    } while scratch.captures.count < RegexScratch.groupsKept
      && scratch.search(regex, value, from: working.match.upperBound, canBeEmpty: false)
    return true
  }
}
