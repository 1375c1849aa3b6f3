// @rx (ModSecurity reference manual): a regular expression; its groups 0 to 9 are captured. An empty one matches
// everything and captures nothing, as in libmodsecurity.

/// An operator that asks a regular expression, for the compiler's databases.
protocol PatternOperator: Operator {
  var pattern: [UInt8] { get }
}

extension PatternOperator {
  /// The same question of a long value, in pieces: a match lies within one, so its length is bounded, and so is the time.
  func matchesInPieces(_ value: ByteView, _ scratch: OperatorScratch) -> Bool {
    LongValue.search(value, scratch) { matches($0, scratch) }
  }
}

/// How long values are taken to pieces.
enum LongValue {
  /// Longer values are.
  static let bytes = 4096
  /// A match of up to half a piece lies within one, wherever it begins.
  static let step = 2048

  /// Asks `matches` piece by piece; where the match lies is told in the whole value.
  static func search(_ value: ByteView, _ scratch: OperatorScratch, _ matches: (ByteView) -> Bool) -> Bool {
    var at = 0
    defer { scratch.regex.setEdges(isBeginning: true, isEnd: true) }
    while true {
      let piece = value[at..<at + bytes]
      scratch.regex.setEdges(isBeginning: at == 0, isEnd: at + bytes >= value.count)
      scratch.clear(for: piece)
      if matches(piece) {
        scratch.offset += at
        return true
      }
      guard at + bytes < value.count else { return false }
      at += step
    }
  }
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
    let working = scratch.regex
    guard scratch.search(regex, value) else { return false }
    scratch.mark(working.match)
    for index in 0..<working.groupCount {
      scratch.captures.append(working.group(index).map { value[$0] } ?? .empty)
    }
    return true
  }
}
