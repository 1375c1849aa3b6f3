// The tokens of JSON (RFC 8259, sections 6 and 7) that have an inside: strings, numbers, literals.
//
// What passes is what YAJL 2.1 lets pass, for its users' rules were written against it: UTF-8 is checked for its shape
// only (overlong forms and surrogates pass), whitespace includes vertical tab and form feed. The end of the text acts
// like a space.
// Invariant: never reads outside the text; offsets that come back are inside it or its end.

struct JSONLexer {
  enum Fault: String {
    case invalidUTF8 = "lexical error: invalid bytes in UTF8 string."
    case controlInString = "lexical error: invalid character inside string."
    case invalidEscape =
      "lexical error: inside a string, '\\' occurs before a character which it may not."
    case invalidHex = "lexical error: invalid (non-hex) character occurs after '\\u' inside string."
    case invalidCharacter = "lexical error: invalid char in json text."
    case invalidLiteral = "lexical error: invalid string in json text."
    case comment = "lexical error: probable comment found in input text, comments are not enabled."
    case fractionMissing =
      "lexical error: malformed number, a digit is required after the decimal point."
    case exponentMissing = "lexical error: malformed number, a digit is required after the exponent."
    case digitMissing = "lexical error: malformed number, a digit is required after the minus sign."
    case prematureEnd = "parse error: premature EOF"
    case trailingGarbage = "parse error: trailing garbage"
    case unallowedToken = "parse error: unallowed token at this point in JSON text"
    case keyNotString = "parse error: invalid object key (must be a string)"
    case colonMissing = "parse error: object key and value must be separated by a colon (':')"
    case memberEnd = "parse error: after key and value, inside map, I expect ',' or '}'"
    case elementEnd = "parse error: after array element, I expect ',' or ']'"
    case tooDeep = "parse error: nested too deeply. Parsing depth limit exceeded"
    case tooManyArguments = "parse error: more arguments than the limit allows"
    case namesTooLong = "parse error: names of arguments too long altogether"
  }

  struct StringToken {
    /// Between the quotes, as it stands.
    let content: ByteView
    let hasEscapes: Bool
    /// Behind the closing quote.
    let end: Int
  }

  let text: ByteView
  /// Where the last fault is.
  var faultOffset = 0

  init(_ text: ByteView) { self.text = text }

  /// The first place at or after `at` that isn't whitespace.
  @inline(__always)
  func skipWhitespace(_ at: Int) -> Int {
    var at = at
    while at < text.count, isWhitespace(text.start[at]) { at += 1 }
    return at
  }

  // MARK: Strings

  /// A string whose opening quote is at `at`.
  mutating func string(_ at: Int) -> Result<StringToken, Fault> {
    let bytes = text.start
    let count = text.count
    var index = at + 1
    var hasEscapes = false
    while true {
      index = JSONLexer.skipPlain(bytes, index, count)
      guard index < count else { return fail(.prematureEnd, count) }
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") {
        return .success(
          StringToken(content: text[(at + 1)..<index], hasEscapes: hasEscapes, end: index + 1))
      } else if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        guard index + 1 < count else { return fail(.invalidEscape, index) }
        switch bytes[index + 1] {
        case UInt8(ascii: "u"):
          for digit in 0..<4 where index + 2 + digit >= count || hexDigit(bytes[index + 2 + digit]) == nil {
            return fail(.invalidHex, index)
          }
          index += 6
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
          UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
          index += 2
        default: return fail(.invalidEscape, index)
        }
      } else if byte < 0x20 {
        return fail(.controlInString, index)
      } else {
        let length = byte >> 5 == 0b110 ? 2 : byte >> 4 == 0b1110 ? 3 : byte >> 3 == 0b11110 ? 4 : 0
        guard length > 0 else { return fail(.invalidUTF8, index) }
        for next in 1..<length where index + next >= count || bytes[index + next] >> 6 != 0b10 {
          return fail(.invalidUTF8, index)
        }
        index += length
      }
    }
  }

  /// The first place from `from` on with a quote, a backslash, a control character or a byte above ASCII; eight bytes
  /// at a time (a byte is found where its high bit is set; a borrow can only name places behind a true one).
  @inline(__always)
  private static func skipPlain(_ bytes: UnsafePointer<UInt8>, _ from: Int, _ count: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    var index = from
    while index + 8 <= count {
      let word = UInt64(
        littleEndian: UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt64.self))
      let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
      let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
      let found =
        ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- ones &* 0x20) & ~word)
        | word
      let marks = found & highs
      if marks != 0 { return index + marks.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 || byte >= 0x80 { break }
      index += 1
    }
    return index
  }

  /// The value of a string token: a view of the text, or of the arena where there were escapes.
  static func value(_ token: StringToken, arena: Arena) -> ByteView {
    guard token.hasEscapes else { return token.content }
    let content = token.content
    // Every escape is longer than what it stands for.
    return arena.build(content.count) { place in
      var from = 0
      var to = 0
      while from < content.count {
        let run = content.firstIndex(of: UInt8(ascii: "\\"), from: from) ?? content.count
        (place + to).update(from: content.start + from, count: run - from)
        to += run - from
        from = run
        if from < content.count { unescape(content, &from, place, &to) }
      }
      return to
    }
  }

  private static func unescape(
    _ content: ByteView, _ from: inout Int, _ place: UnsafeMutablePointer<UInt8>, _ to: inout Int
  ) {
    let letter = content[from + 1]
    guard letter == UInt8(ascii: "u") else {
      let byte: UInt8 =
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
      place[to] = byte
      to += 1
      from += 2
      return
    }
    var scalar = unit(content, from + 2)
    from += 6
    if scalar & 0xFC00 == 0xD800 {
      // A high surrogate takes any unit after it as its low one; alone it is a question mark.
      guard from + 6 <= content.count, content[from] == UInt8(ascii: "\\"),
        content[from + 1] == UInt8(ascii: "u")
      else {
        place[to] = UInt8(ascii: "?")
        to += 1
        return
      }
      scalar = 0x10000 + (scalar & 0x3FF) << 10 | (unit(content, from + 2) & 0x3FF)
      from += 6
    }
    func put(_ byte: UInt32) {
      place[to] = UInt8(truncatingIfNeeded: byte)
      to += 1
    }
    switch scalar {
    case 0..<0x80: put(scalar)
    case 0x80..<0x800:
      put(0xC0 | scalar >> 6)
      put(0x80 | scalar & 0x3F)
    case 0x800..<0x10000:
      put(0xE0 | scalar >> 12)
      put(0x80 | scalar >> 6 & 0x3F)
      put(0x80 | scalar & 0x3F)
    default:
      put(0xF0 | scalar >> 18)
      put(0x80 | scalar >> 12 & 0x3F)
      put(0x80 | scalar >> 6 & 0x3F)
      put(0x80 | scalar & 0x3F)
    }
  }

  /// Four hexadecimal digits, which were checked before.
  private static func unit(_ content: ByteView, _ at: Int) -> UInt32 {
    var unit: UInt32 = 0
    for index in at..<(at + 4) { unit = unit << 4 | UInt32(hexDigit(content[index]) ?? 0) }
    return unit
  }

  // MARK: Numbers and literals

  /// The end of a number that begins at `at` with a minus or a digit.
  mutating func number(_ at: Int) -> Result<Int, Fault> {
    var index = at
    if text[index] == UInt8(ascii: "-") { index += 1 }
    guard index < text.count, isDigit(text[index]) else { return fail(.digitMissing, index) }
    if text[index] == UInt8(ascii: "0") { index += 1 } else { index = skipDigits(index) }
    if index < text.count, text[index] == UInt8(ascii: ".") {
      let end = skipDigits(index + 1)
      guard end > index + 1 else { return fail(.fractionMissing, end) }
      index = end
    }
    if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
      var first = index + 1
      if first < text.count, text[first] == UInt8(ascii: "+") || text[first] == UInt8(ascii: "-") {
        first += 1
      }
      let end = skipDigits(first)
      guard end > first else { return fail(.exponentMissing, end) }
      index = end
    }
    return .success(index)
  }

  private func skipDigits(_ at: Int) -> Int {
    var at = at
    while at < text.count, isDigit(text[at]) { at += 1 }
    return at
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  /// The end of `literal`, whose first letter is at `at`.
  mutating func literal(_ literal: ByteView, _ at: Int) -> Result<Int, Fault> {
    guard text.dropFirst(at).hasPrefix(literal) else { return fail(.invalidLiteral, at) }
    return .success(at + literal.count)
  }

  /// What is wrong with the token at `at`, which can't stand there: a fault of its own counts first.
  mutating func unexpected(_ at: Int, _ otherwise: Fault) -> Fault {
    faultOffset = at
    let own: Fault? =
      switch text[at] {
      case UInt8(ascii: "\""): JSONLexer.fault(of: string(at))
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): JSONLexer.fault(of: number(at))
      case UInt8(ascii: "t"): JSONLexer.fault(of: literal(ByteView("true"), at))
      case UInt8(ascii: "f"): JSONLexer.fault(of: literal(ByteView("false"), at))
      case UInt8(ascii: "n"): JSONLexer.fault(of: literal(ByteView("null"), at))
      case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"),
        UInt8(ascii: ","):
        nil
      case UInt8(ascii: "/"): .comment
      default: .invalidCharacter
      }
    return own ?? otherwise
  }

  private static func fault<T>(of result: Result<T, Fault>) -> Fault? {
    if case .failure(let fault) = result { fault } else { nil }
  }

  private mutating func fail<T>(_ fault: Fault, _ at: Int) -> Result<T, Fault> {
    faultOffset = min(at, text.count)
    return .failure(fault)
  }
}

extension JSONLexer.Fault: Error {}
