// @containsWord (ModSecurity reference manual): the argument is in the value, with no letter right before or after it.
// As in libmodsecurity, digits and _ are no part of a word.

final class ContainsWord: Operator {
  private let argument: Literal

  init(_ argument: [UInt8]) { self.argument = Literal(argument) }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    let word = argument.view
    guard !word.isEmpty else { return true }
    var from = 0
    while let found = value.firstRange(of: word, from: from) {
      let end = found + word.count
      if found == 0 || !value.start[found - 1].isLetter, end == value.count || !value.start[end].isLetter {
        scratch.mark(found..<end)
        return true
      }
      from = found + 1
    }
    return false
  }
}
