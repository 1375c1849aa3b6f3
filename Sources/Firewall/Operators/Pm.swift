// @pm, @pmFromFile (ModSecurity reference manual): any of many phrases, without case; the phrase found is captured.
//
// libmodsecurity 3.0.9 misses a phrase of one byte at the very start, and every phrase with a byte above 7F; neither is
// done here.

/// An operator that looks for phrases without case, for the compiler's databases.
protocol LiteralSet: Operator {
  /// The phrases, in lower case, none of them empty.
  var literals: [[UInt8]] { get }
}

final class Pm: LiteralSet {
  let literals: [[UInt8]]
  private let phrases: AhoCorasick

  init(phrases: [[UInt8]]) throws(OperatorFault) {
    literals = phrases.filter { !$0.isEmpty }.map { $0.map(lowercased) }
    guard let table = AhoCorasick(literals) else {
      throw OperatorFault(found: "\(literals.count) phrases", wanted: "phrases of a few megabytes at most")
    }
    self.phrases = table
  }

  /// The argument of @pm: phrases with white space between them.
  convenience init(argument: [UInt8]) throws(OperatorFault) {
    let content = Pm.unescaped(argument) ?? argument
    try self.init(phrases: content.split(whereSeparator: \.isSpace).map(Array.init))
  }

  /// The content of a file of @pmFromFile: a phrase a line; blank lines and those that begin with # are left out.
  convenience init(file: [UInt8]) throws(OperatorFault) {
    try self.init(phrases: lines(of: file))
  }

  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    guard let found = phrases.firstMatch(in: value) else { return false }
    scratch.mark(found)
    scratch.captures.append(value[found])
    return true
  }

  /// Snort's escapes undone: bytes in hexadecimal between bars, and \: \; \\ \" outside of them. Nil where there is any
  /// other escape: then the argument means what it says.
  private static func unescaped(_ argument: [UInt8]) -> [UInt8]? {
    var text = argument.drop { $0 == 0x20 || $0 == 0x09 }
    let quote = UInt8(ascii: "\"")
    if text.count > 1, text.first == quote, text.last == quote { text = text.dropFirst().dropLast() }
    var result: [UInt8] = []
    var isHexadecimal = false
    var isEscaped = false
    var high: UInt8?
    for byte in text {
      if byte == UInt8(ascii: "|"), !isEscaped {
        isHexadecimal.toggle()
      } else if isHexadecimal {
        guard byte.isHexDigit else { continue }
        if let digit = high {
          result.append(digit << 4 | byte.hexDigit)
          high = nil
        } else {
          high = byte.hexDigit
        }
      } else if isEscaped {
        guard [UInt8(ascii: ":"), UInt8(ascii: ";"), UInt8(ascii: "\\"), quote].contains(byte) else {
          return nil
        }
        result.append(byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else {
        result.append(byte)
      }
    }
    return result
  }
}

/// The lines of a list of phrases or addresses, without blank ones and comments.
func lines(of file: [UInt8]) -> [[UInt8]] {
  file.split(separator: 0x0A).compactMap { line in
    let line = line.last == 0x0D ? line.dropLast() : line
    guard let first = line.first(where: { !$0.isSpace }), first != UInt8(ascii: "#") else { return nil }
    return Array(line)
  }
}
