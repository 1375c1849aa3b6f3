// @validateByteRange (ModSecurity reference manual): matches where a byte is outside of the ranges, `32-126, 9, 10`.

final class ValidateByteRange: Operator {
  private let isAllowed: [Bool]

  init(_ argument: [UInt8]) throws(OperatorFault) {
    var allowed = [Bool](repeating: false, count: 256)
    for part in argument.split(separator: UInt8(ascii: ",")) where part.contains(where: { !$0.isSpace }) {
      let ends = part.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
      let numbers = ends.compactMap { UInt8(String(decoding: trimmed($0), as: UTF8.self)) }
      guard numbers.count == ends.count, let first = numbers.first, let last = numbers.last, first <= last
      else {
        throw OperatorFault(
          found: "the range \"\(String(decoding: part, as: UTF8.self))\"",
          wanted: "a number from 0 to 255, or two of them with a dash between, the smaller one first")
      }
      for byte in first...last { allowed[Int(byte)] = true }
    }
    isAllowed = allowed
  }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    isAllowed.withUnsafeBufferPointer { table in
      let found = value.first { !table[Int($0)] }
      guard found < value.count else { return false }
      scratch.mark(found..<found + 1)
      return true
    }
  }
}

/// Without white space at its ends.
func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  var text = text
  while let last = text.last, last.isSpace { text.removeLast() }
  return text.drop { $0.isSpace }
}
