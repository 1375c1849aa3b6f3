// The Content-Disposition field of a part of multipart/form-data (RFC 7578, section 4.2; RFC 5987 for `filename*`), as
// strictly as libmodsecurity 3.0.9 reads it, with its numbers for what is wrong.
//
// `name` and `filename` may each come once, `filename*` only beside `filename`, nothing else at all. The value of
// `filename*` is checked and not used. One departure: a quoted value that is never closed is refused (-9).

struct ContentDisposition {
  /// Empty: not there.
  var name = ByteView.empty
  var fileName = ByteView.empty
  private var hasExtendedName = false

  /// Reads `value`; a negative number says what is wrong with it.
  /// - Parameter content: is told every name and file name on the way.
  mutating func parse(
    _ value: ByteView, arena: Arena, flags: inout MultipartFlags, content: inout BodyContent
  ) -> Int {
    guard value.hasPrefix(ByteView("form-data")) else { return -1 }
    var reader = Reader(text: value, at: 9)
    reader.skipBlanks()
    if !reader.isAtEnd {
      guard reader.byte == UInt8(ascii: ";") else { return -2 }
      reader.at += 1
      while !reader.isAtEnd {
        let result = parseParameter(&reader, arena, &flags, &content)
        guard result > 0 else { return result }
      }
    }
    return !fileName.isEmpty || !hasExtendedName ? 1 : -21
  }

  private mutating func parseParameter(
    _ reader: inout Reader, _ arena: Arena, _ flags: inout MultipartFlags, _ content: inout BodyContent
  ) -> Int {
    reader.skipBlanks()
    guard !reader.isAtEnd else { return -3 }
    let start = reader.at
    while !reader.isAtEnd, reader.byte != UInt8(ascii: "="), !reader.isAtBlank { reader.at += 1 }
    guard !reader.isAtEnd else { return -4 }
    let parameter = reader.text[start..<reader.at]
    reader.skipBlanks()
    guard !reader.isAtEnd else { return -5 }
    guard reader.byte == UInt8(ascii: "=") else { return -13 }
    reader.at += 1
    reader.skipBlanks()
    guard !reader.isAtEnd else { return -6 }

    if parameter == ByteView("filename*") {
      let result = reader.extendedValue()
      guard result > 0 else { return result }
      guard !hasExtendedName else { return -20 }
      hasExtendedName = reader.lastValueCount > 0
    } else {
      let value: ByteView
      var isQuestionable = false
      if reader.byte == UInt8(ascii: "\"") || reader.byte == UInt8(ascii: "'") {
        if reader.byte == UInt8(ascii: "'") { flags.invalidQuoting = true }
        switch reader.quotedString(arena) {
        case .success(let found): value = found
        case .failure(let wrong): return wrong.number
        }
      } else {
        value = reader.token()
        isQuestionable = value.firstIndex(of: UInt8(ascii: "'")) != nil
      }
      let isName = parameter == ByteView("name")
      guard isName || parameter == ByteView("filename") else { return -11 }
      if isQuestionable { flags.invalidQuoting = true }
      if isName {
        content.partNames.append(value)
        guard !reader.isUnclosed else { return -9 }
        guard name.isEmpty else { return -14 }
        name = value
      } else {
        content.partFileNames.append(value)
        guard !reader.isUnclosed else { return -9 }
        guard fileName.isEmpty else { return -15 }
        fileName = value
      }
    }

    guard !reader.isAtEnd else { return 1 }
    reader.skipBlanks()
    guard !reader.isAtEnd else { return 1 }
    guard reader.byte == UInt8(ascii: ";") else {
      let before = reader.text[reader.at - 1]
      if before == UInt8(ascii: "'") || before == UInt8(ascii: "\"") { flags.invalidQuoting = true }
      return -12
    }
    reader.at += 1
    return 1
  }

  private struct Wrong: Error { let number: Int }

  private struct Reader {
    let text: ByteView
    var at: Int
    /// The length of the last extended value.
    var lastValueCount = 0
    /// The last quoted string had no end.
    var isUnclosed = false

    init(text: ByteView, at: Int) {
      self.text = text
      self.at = at
    }

    var isAtEnd: Bool { at >= text.count }
    /// The byte here; zero at the end.
    var byte: UInt8 { at < text.count ? text[at] : 0 }
    var isAtBlank: Bool { byte == UInt8(ascii: "\t") || byte == UInt8(ascii: " ") }

    mutating func skipBlanks() { while isAtBlank { at += 1 } }

    /// A quoted string: a backslash takes itself away before the quote and before another one.
    mutating func quotedString(_ arena: Arena) -> Result<ByteView, Wrong> {
      let quote = byte
      at += 1
      let start = at
      guard !isAtEnd else { return .failure(Wrong(number: -7)) }
      var escapes = 0
      while !isAtEnd, byte != quote {
        if byte == UInt8(ascii: "\\") {
          guard at + 1 < text.count else { return .failure(Wrong(number: -8)) }
          if text[at + 1] == quote || text[at + 1] == UInt8(ascii: "\\") {
            escapes += 1
            at += 1
          }
        }
        at += 1
      }
      isUnclosed = isAtEnd
      let raw = text[start..<at]
      at += 1
      guard escapes > 0 else { return .success(raw) }
      return .success(
        arena.build(raw.count) { place in
          var from = 0
          var to = 0
          while from < raw.count {
            if raw[from] == UInt8(ascii: "\\"), from + 1 < raw.count,
              raw[from + 1] == quote || raw[from + 1] == UInt8(ascii: "\\")
            {
              from += 1
            }
            place[to] = raw[from]
            from += 1
            to += 1
          }
          return to
        })
    }

    mutating func token() -> ByteView {
      let start = at
      while !isAtEnd, isTokenByte(byte) { at += 1 }
      return text[start..<at]
    }

    private func isTokenByte(_ byte: UInt8) -> Bool {
      guard byte > 32, byte < 127 else { return false }
      switch byte {
      case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "@"),
        UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"), UInt8(ascii: "\\"), UInt8(ascii: "\""),
        UInt8(ascii: "/"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "?"), UInt8(ascii: "="):
        return false
      default: return true
      }
    }

    /// `charset'language'value` of RFC 5987.
    mutating func extendedValue() -> Int {
      let start = at
      while isCharsetByte(byte) { at += 1 }
      guard at > start, byte == UInt8(ascii: "'") else { return -16 }
      at += 1
      while !isAtEnd, byte != UInt8(ascii: "'") { at += 1 }
      guard !isAtEnd else { return -17 }
      at += 1
      let value = at
      while !isAtEnd, byte != UInt8(ascii: ";") {
        if byte == UInt8(ascii: "%") {
          guard at + 2 < text.count, hexDigit(text[at + 1]) != nil, hexDigit(text[at + 2]) != nil else {
            return -18
          }
          at += 3
        } else {
          guard isAttributeByte(byte) else { return -19 }
          at += 1
        }
      }
      lastValueCount = at - value
      return 1
    }

    private func isAlphanumeric(_ byte: UInt8) -> Bool {
      byte | 0x20 &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
    }

    private func isCharsetByte(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
        UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
        UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "~"):
        true
      default: isAlphanumeric(byte)
      }
    }

    private func isAttributeByte(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "+"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
        UInt8(ascii: "~"):
        true
      default: isAlphanumeric(byte)
      }
    }
  }
}
