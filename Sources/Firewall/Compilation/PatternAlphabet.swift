// Whether a pattern can match a value made of few kinds of bytes: letters and digits, plain words.
//
// Most values are such, and most attacks need more (a quote, an angle bracket, a parenthesis). So each node of a plan has
// smaller databases for plain values, without the patterns that can't match them; often that leaves nothing to scan.
// The answer errs to one side: what isn't understood can match. Case doesn't matter: the alphabets hold both.

/// A kind of plain value.
enum Alphabet: Int, CaseIterable, Sendable {
  /// Letters, digits, `_`, `-`, `.`: identifiers, numbers, most cookies.
  case identifier
  /// And space, `/`, `:`, `,`, `+`: words, dates, paths.
  case text

  var classes: ByteClass {
    switch self {
    case .identifier: [.upper, .lower, .digit, .underscore, .dash, .dot]
    case .text: [.upper, .lower, .digit, .underscore, .dash, .dot, .space, .slash, .comma, .plus, .colon]
    }
  }

  private static let members: [[Bool]] = allCases.map { alphabet in
    (0..<256).map { !ByteClass.table[$0].isDisjoint(with: alphabet.classes) }
  }
  func contains(_ byte: UInt8) -> Bool { Alphabet.members[rawValue][Int(byte)] }
  func contains(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy(contains) }
}

/// Reads a pattern of PCRE2 as far as this question needs it.
struct PatternAlphabet {
  private let pattern: [UInt8]
  private let alphabet: Alphabet
  private var at = 0
  private var depth = 0
  /// Something wasn't understood: the pattern can match, for all that is known.
  private var isUnknown = false

  /// Whether `pattern` may match somewhere in a value of bytes of `alphabet` alone.
  static func canMatch(_ pattern: [UInt8], within alphabet: Alphabet) -> Bool {
    var reader = PatternAlphabet(pattern: pattern, alphabet: alphabet)
    let answer = reader.alternatives()
    return answer || reader.isUnknown || reader.at != pattern.count
  }

  private init(pattern: [UInt8], alphabet: Alphabet) {
    self.pattern = pattern
    self.alphabet = alphabet
  }

  private var current: UInt8? { at < pattern.count ? pattern[at] : nil }
  private func peek(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard at + count <= pattern.count else { return false }
    return (0..<count).allSatisfy { pattern[at + $0] == text.utf8Start[$0] }
  }

  /// `a|b|c` up to a closing parenthesis or the end.
  private mutating func alternatives() -> Bool {
    depth += 1
    defer { depth -= 1 }
    guard depth < 250 else {
      isUnknown = true
      at = pattern.count
      return true
    }
    var canAny = false
    while true {
      let can = sequence()
      canAny = canAny || can
      guard current == UInt8(ascii: "|") else { return canAny }
      at += 1
    }
  }

  private mutating func sequence() -> Bool {
    var canAll = true
    while let byte = current, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")"), !isUnknown {
      let can = item()
      // Flags for the rest of the group, `(?i)`, are items that take nothing.
      canAll = (quantifierAllowsNone() || can) && canAll
    }
    return canAll
  }

  /// A quantifier behind an item: whether it allows the item to be missing.
  private mutating func quantifierAllowsNone() -> Bool {
    var allowsNone = false
    while let byte = current {
      switch byte {
      case UInt8(ascii: "*"), UInt8(ascii: "?"):
        // A `?` or `+` right behind a quantifier only changes how it searches.
        allowsNone = true
        at += 1
      case UInt8(ascii: "+"): at += 1
      case UInt8(ascii: "{"):
        guard let (least, end) = bounds() else {
          // `{,5}` and bounds with blanks are quantifiers to PCRE2 from 10.43 on.
          let next = at + 1 < pattern.count ? pattern[at + 1] : 0
          return next == UInt8(ascii: ",") || next == 0x20 || next == 0x09 ? unknown() : allowsNone
        }
        if least == 0 { allowsNone = true }
        at = end
      default: return allowsNone
      }
    }
    return allowsNone
  }

  /// `{2}`, `{2,}`, `{2,5}`: the least count and what follows it; nil where the brace means itself.
  private func bounds() -> (least: Int, end: Int)? {
    var place = at + 1
    var least = 0
    var digits = 0
    while place < pattern.count, pattern[place] &- 48 < 10 {
      least = min(100_000, least * 10 + Int(pattern[place] &- 48))
      digits += 1
      place += 1
    }
    guard digits > 0 else { return nil }
    if place < pattern.count, pattern[place] == UInt8(ascii: ",") {
      place += 1
      while place < pattern.count, pattern[place] &- 48 < 10 { place += 1 }
    }
    guard place < pattern.count, pattern[place] == UInt8(ascii: "}") else { return nil }
    return (least, place + 1)
  }

  private mutating func item() -> Bool {
    guard let byte = current else { return true }
    at += 1
    switch byte {
    case UInt8(ascii: "^"), UInt8(ascii: "$"), UInt8(ascii: "."): return true
    case UInt8(ascii: "("): return group()
    case UInt8(ascii: "["): return bracket()
    case UInt8(ascii: "\\"): return escape()
    default: return alphabet.contains(byte)
    }
  }

  private mutating func group() -> Bool {
    var isLookaround = false
    if peek("?:") || peek("?>") || peek("?|") {
      at += 2
    } else if peek("?=") || peek("?!") {
      at += 2
      isLookaround = true
    } else if peek("?<=") || peek("?<!") {
      at += 3
      isLookaround = true
    } else if peek("?") {
      // `(?i)` and `(?i:…)`; names, conditions, comments and the rest aren't looked into.
      var place = at + 1
      while place < pattern.count, [UInt8]("imsJU-".utf8).contains(pattern[place]) { place += 1 }
      guard place < pattern.count, place > at + 1 else { return unknown() }
      if pattern[place] == UInt8(ascii: ")") {
        at = place + 1
        return true
      }
      guard pattern[place] == UInt8(ascii: ":") else { return unknown() }
      at = place + 1
    } else if peek("*") {
      return unknown()
    }
    let can = alternatives()
    guard current == UInt8(ascii: ")") else { return unknown() }
    at += 1
    return can || isLookaround
  }

  private mutating func unknown() -> Bool {
    isUnknown = true
    at = pattern.count
    return true
  }

  private mutating func escape() -> Bool {
    switch escaped() {
    case .byte(let byte): return alphabet.contains(byte)
    case .either(let can): return can
    case .unknown: return unknown()
    }
  }

  private enum Escape { case byte(UInt8), either(Bool), unknown }

  /// What stands behind a backslash.
  private mutating func escaped(inBrackets: Bool = false) -> Escape {
    guard let byte = current else { return .unknown }
    at += 1
    switch byte {
    case UInt8(ascii: "d"), UInt8(ascii: "w"), UInt8(ascii: "S"), UInt8(ascii: "D"), UInt8(ascii: "H"),
      UInt8(ascii: "V"), UInt8(ascii: "N"):
      // Each takes letters or digits.
      return .either(true)
    case UInt8(ascii: "W"): return .either(alphabet.contains(UInt8(ascii: "-")))
    case UInt8(ascii: "s"), UInt8(ascii: "h"): return .either(alphabet.contains(0x20))
    case UInt8(ascii: "v"), UInt8(ascii: "R"): return .either(alphabet.contains(0x0A))
    case UInt8(ascii: "b") where inBrackets: return .byte(0x08)
    case UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "A"), UInt8(ascii: "z"), UInt8(ascii: "Z"),
      UInt8(ascii: "G"), UInt8(ascii: "K"):
      return inBrackets ? .unknown : .either(true)
    case UInt8(ascii: "t"): return .byte(0x09)
    case UInt8(ascii: "n"): return .byte(0x0A)
    case UInt8(ascii: "r"): return .byte(0x0D)
    case UInt8(ascii: "f"): return .byte(0x0C)
    case UInt8(ascii: "a"): return .byte(0x07)
    case UInt8(ascii: "e"): return .byte(0x1B)
    case UInt8(ascii: "x"): return hexadecimal()
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      // A back reference or an octal number: not told apart.
      while let digit = current, digit &- 48 < 10 { at += 1 }
      return inBrackets ? .unknown : .either(true)
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): return .unknown
    default: return .byte(byte)
    }
  }

  private mutating func hexadecimal() -> Escape {
    guard current != UInt8(ascii: "{") else { return .unknown }
    var value: UInt8 = 0
    var digits = 0
    while digits < 2, let byte = current, let digit = hexDigit(byte) {
      value = value << 4 | digit
      digits += 1
      at += 1
    }
    return .byte(value)
  }

  /// `[…]`: whether any of its bytes is in the alphabet.
  private mutating func bracket() -> Bool {
    var isNegated = false
    if current == UInt8(ascii: "^") {
      isNegated = true
      at += 1
    }
    var members = [Bool](repeating: false, count: 256)
    var isFirst = true
    while let byte = current {
      at += 1
      if byte == UInt8(ascii: "]"), !isFirst {
        return (0..<256).contains { members[$0] != isNegated && alphabet.contains(UInt8($0)) }
      }
      isFirst = false
      var low = byte
      if byte == UInt8(ascii: "["),
        current == UInt8(ascii: ":") || current == UInt8(ascii: ".") || current == UInt8(ascii: "=")
      {
        // [:alpha:] and its kin.
        return unknown()
      }
      if byte == UInt8(ascii: "\\") {
        switch escaped(inBrackets: true) {
        case .byte(let value): low = value
        case .either:
          guard take(pattern[at - 1], into: &members) else { return unknown() }
          continue
        case .unknown: return unknown()
        }
      }
      guard current == UInt8(ascii: "-"), at + 1 < pattern.count, pattern[at + 1] != UInt8(ascii: "]") else {
        members[Int(low)] = true
        continue
      }
      at += 1
      guard let end = current else { return unknown() }
      at += 1
      var high = end
      if end == UInt8(ascii: "\\") {
        guard case .byte(let value) = escaped(inBrackets: true) else { return unknown() }
        high = value
      }
      guard low <= high else { return unknown() }
      for member in low...high { members[Int(member)] = true }
    }
    return unknown()
  }

  /// `\d`, `\w`, `\s` and their opposites within brackets. False: another.
  private func take(_ letter: UInt8, into members: inout [Bool]) -> Bool {
    let digits = Array(UInt8(ascii: "0")...UInt8(ascii: "9"))
    let word =
      digits + Array(UInt8(ascii: "a")...UInt8(ascii: "z")) + Array(UInt8(ascii: "A")...UInt8(ascii: "Z"))
      + [UInt8(ascii: "_")]
    let space: [UInt8] = [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D]
    let set: [UInt8]
    switch letter | 0x20 {
    case UInt8(ascii: "d"): set = digits
    case UInt8(ascii: "w"): set = word
    case UInt8(ascii: "s"): set = space
    default: return false
    }
    let isOpposite = letter & 0x20 == 0
    for byte in 0..<256 where set.contains(UInt8(byte)) != isOpposite { members[byte] = true }
    return true
  }
}
