// Command lines as a POSIX shell and bash split them (POSIX.1-2017, Shell Command Language, 2.2 Quoting; bash, ANSI-C
// Quoting), as far as a pasted command needs it: '…', "…", $'…', backslashes, comments, several commands.
//
// Nothing is expanded: a variable or a command in the text is a fault, since what it stands for isn't there.
// Invariant: bytes outside of quotes and escapes stay as they are.

/// A command line, split.
struct ShellWords {
  /// A command: its words, the line where it begins, and what stands before it.
  struct Command {
    var words: [[UInt8]] = []
    var line: Int
    /// After `|`: what it is given is another command's output.
    var isFed = false
  }

  private let bytes: [UInt8]
  private let place: String
  private var at = 0
  private var line = 1
  private var commands: [Command] = []
  private var command: Command
  private var word: [UInt8]?

  /// The commands of `bytes`, those without words left out.
  static func commands(_ bytes: [UInt8], place: String) throws(CaptureFault) -> [Command] {
    var reader = ShellWords(bytes: bytes, place: place)
    try reader.read()
    return reader.commands
  }

  private init(bytes: [UInt8], place: String) {
    self.bytes = bytes
    self.place = place
    command = Command(line: 1)
  }

  private var current: UInt8? { at < bytes.count ? bytes[at] : nil }
  private var next: UInt8? { at + 1 < bytes.count ? bytes[at + 1] : nil }

  private func fault(_ found: String, _ wanted: String) -> CaptureFault {
    CaptureFault(place: "\(place):\(line)", found: found, wanted: wanted)
  }

  private mutating func put(_ byte: UInt8) {
    if word == nil { word = [] }
    word?.append(byte)
  }

  private mutating func endWord() {
    if let word { command.words.append(word) }
    word = nil
  }

  private mutating func endCommand(isFed: Bool = false) {
    endWord()
    if !command.words.isEmpty { commands.append(command) }
    command = Command(line: line, isFed: isFed)
  }

  private mutating func read() throws(CaptureFault) {
    while let byte = current {
      switch byte {
      case Ascii.backslash:
        at += 1
        guard let escaped = current else {
          throw fault("a backslash at the end", "the line that it should join")
        }
        at += 1
        if escaped == Ascii.carriageReturn, current == Ascii.lineFeed {
          at += 1
          line += 1
        } else if escaped == Ascii.lineFeed {
          line += 1
        } else {
          put(escaped)
        }
      case Ascii.quote: try single()
      case Ascii.doubleQuote: try double()
      case UInt8(ascii: "$") where next == Ascii.quote: try escapedQuote()
      case UInt8(ascii: "$") where next == Ascii.doubleQuote: at += 1
      case UInt8(ascii: "$"), UInt8(ascii: "`"): try literalOrFault()
      case Ascii.lineFeed:
        at += 1
        endCommand()
        line += 1
        command.line = line
      case UInt8(ascii: ";"), UInt8(ascii: "&"):
        at += 1
        endCommand()
      case Ascii.pipe:
        at += 1
        let isFed = current != Ascii.pipe
        if !isFed { at += 1 }
        endCommand(isFed: isFed)
      case Ascii.less, Ascii.greater: try redirection()
      case UInt8(ascii: "("), UInt8(ascii: ")"):
        throw fault(
          "`\(Character(Unicode.Scalar(byte)))` outside of quotes", "one in quotes, or a plain command")
      case Ascii.hash where word == nil:
        while let byte = current, byte != Ascii.lineFeed { at += 1 }
      case 0x20, 0x09, Ascii.carriageReturn:
        at += 1
        endWord()
      default:
        put(byte)
        at += 1
      }
    }
    endCommand()
  }

  /// `$x` and `` `x` `` can't be known; a `$` before anything else means itself.
  private mutating func literalOrFault() throws(CaptureFault) {
    let byte = bytes[at]
    if byte == UInt8(ascii: "$") {
      guard let next, Ascii.isWord(next) || next == UInt8(ascii: "{") || next == UInt8(ascii: "(") else {
        put(byte)
        at += 1
        return
      }
    }
    let text = ArgumentText.excerpt(bytes[at...], limit: 16)
    throw fault(
      "`\(text)`, which a shell would replace", "the text that it stands for, or single quotes around it")
  }

  /// What a redirection is about isn't part of the request.
  private mutating func redirection() throws(CaptureFault) {
    if bytes[at] == Ascii.less {
      throw fault("`<`, which reads a file or another text", "a command line with all its text in it")
    }
    // A number before it is which output is meant.
    if let word, word.count == 1, word[0] &- 48 < 10 { self.word = nil }
    endWord()
    while let byte = current, byte == Ascii.greater || byte == UInt8(ascii: "&") { at += 1 }
    while let byte = current, byte == 0x20 || byte == 0x09 { at += 1 }
    while let byte = current, !Ascii.isSpace(byte), byte != UInt8(ascii: ";"), byte != Ascii.pipe { at += 1 }
  }

  private func unclosed(_ mark: String, _ start: Int, _ startLine: Int) -> CaptureFault {
    CaptureFault(
      place: "\(place):\(startLine)",
      found: "the quote at `\(ArgumentText.excerpt(bytes[start...], limit: 24))`",
      wanted: "\(mark) at its end")
  }

  private mutating func single() throws(CaptureFault) {
    let (start, startLine) = (at, line)
    at += 1
    word = word ?? []
    while let byte = current, byte != Ascii.quote {
      if byte == Ascii.lineFeed { line += 1 }
      put(byte)
      at += 1
    }
    guard current != nil else { throw unclosed("'", start, startLine) }
    at += 1
  }

  private mutating func double() throws(CaptureFault) {
    let (start, startLine) = (at, line)
    at += 1
    word = word ?? []
    while let byte = current, byte != Ascii.doubleQuote {
      if byte == UInt8(ascii: "$") || byte == UInt8(ascii: "`") {
        try literalOrFault()
        continue
      }
      at += 1
      if byte == Ascii.lineFeed { line += 1 }
      guard byte == Ascii.backslash, let escaped = current else {
        put(byte)
        continue
      }
      switch escaped {
      case UInt8(ascii: "$"), UInt8(ascii: "`"), Ascii.doubleQuote, Ascii.backslash:
        put(escaped)
        at += 1
      case Ascii.lineFeed:
        line += 1
        at += 1
      default: put(byte)
      }
    }
    guard current != nil else { throw unclosed("\"", start, startLine) }
    at += 1
  }

  /// `$'…'`.
  private mutating func escapedQuote() throws(CaptureFault) {
    let (start, startLine) = (at, line)
    at += 2
    word = word ?? []
    while let byte = current, byte != Ascii.quote {
      at += 1
      if byte == Ascii.lineFeed { line += 1 }
      guard byte == Ascii.backslash, let escape = current else {
        put(byte)
        continue
      }
      at += 1
      switch escape {
      case UInt8(ascii: "n"): put(0x0A)
      case UInt8(ascii: "r"): put(0x0D)
      case UInt8(ascii: "t"): put(0x09)
      case UInt8(ascii: "a"): put(0x07)
      case UInt8(ascii: "b"): put(0x08)
      case UInt8(ascii: "e"), UInt8(ascii: "E"): put(0x1B)
      case UInt8(ascii: "f"): put(0x0C)
      case UInt8(ascii: "v"): put(0x0B)
      case Ascii.backslash, Ascii.quote, Ascii.doubleQuote, UInt8(ascii: "?"): put(escape)
      case UInt8(ascii: "0")...UInt8(ascii: "7"):
        at -= 1
        put(UInt8(truncatingIfNeeded: number(radix: 8, digits: 3) ?? 0))
      case UInt8(ascii: "x"): scalar(escape, digits: 2)
      case UInt8(ascii: "u"): scalar(escape, digits: 4)
      case UInt8(ascii: "U"): scalar(escape, digits: 8)
      case UInt8(ascii: "c"):
        put((current ?? 0x40) & 0x1F)
        at += 1
      default:
        put(Ascii.backslash)
        put(escape)
      }
    }
    guard current != nil else { throw unclosed("'", start, startLine) }
    at += 1
  }

  /// Up to so many digits; nil where there is none.
  private mutating func number(radix: UInt32, digits: Int) -> UInt32? {
    var value: UInt32?
    for _ in 0..<digits {
      guard let byte = current, let digit = hexDigit(byte), UInt32(digit) < radix else { break }
      value = (value ?? 0) &* radix &+ UInt32(digit)
      at += 1
    }
    return value
  }

  private mutating func scalar(_ escape: UInt8, digits: Int) {
    guard let value = number(radix: 16, digits: digits) else {
      put(Ascii.backslash)
      put(escape)
      return
    }
    if escape == UInt8(ascii: "x") { return put(UInt8(truncatingIfNeeded: value)) }
    for byte in String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8 { put(byte) }
  }
}
