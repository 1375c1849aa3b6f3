// @eq, @ge, @gt, @le, @lt (ModSecurity reference manual): numbers compared, as C's atoll reads them: blanks, a sign and
// digits; nothing that can be read is 0, and a number too large is the largest. (libmodsecurity's @eq takes a number
// above 2³¹ for 0.)

final class Comparison: Operator {
  enum Kind: Sendable { case equal, greaterOrEqual, greater, lessOrEqual, less }

  private let kind: Kind
  private let argument: Int64

  init(_ kind: Kind, _ argument: [UInt8]) {
    self.kind = kind
    self.argument = argument.withUnsafeBytes { ByteView($0).number }
  }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    let number = value.number
    return switch kind {
    case .equal: number == argument
    case .greaterOrEqual: number >= argument
    case .greater: number > argument
    case .lessOrEqual: number <= argument
    case .less: number < argument
    }
  }
}

extension ByteView {
  /// The number that the value begins with, as `atoll` reads it.
  var number: Int64 {
    var index = first { !$0.isSpace }
    guard index < count else { return 0 }
    let isNegative = start[index] == UInt8(ascii: "-")
    if isNegative || start[index] == UInt8(ascii: "+") { index += 1 }
    // Counted below zero, where there is room for one more.
    var number: Int64 = 0
    while index < count, start[index].isDigit {
      let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, again) = tens.subtractingReportingOverflow(Int64(start[index] - UInt8(ascii: "0")))
      if overflow || again { return isNegative ? .min : .max }
      number = sum
      index += 1
    }
    if isNegative { return number }
    return number == .min ? .max : -number
  }
}
