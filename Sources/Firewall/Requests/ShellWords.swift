// A command line as a POSIX shell splits it: '…', "…", $'…', backslashes and joined lines. What a shell would compute or
// run (variables, pipes, a second command) is a fault: the request would not be the one that is meant.

struct ShellWords {
  private let bytes: [UInt8]
  private let place: String
  private var at = 0

  static func split(_ bytes: [UInt8], place: String) throws(CaptureFault) -> [[UInt8]] {
    var words = ShellWords(bytes: bytes, place: place)
    return try words.all()
  }

  private init(bytes: [UInt8], place: String) {
    self.bytes = bytes
    self.place = place
  }

  private func fault(at offset: Int, _ found: String, _ wanted: String) -> CaptureFault {
    CaptureFault(place: "\(place), byte \(offset + 1)", found: found, wanted: wanted)
  }

  private mutating func all() throws(CaptureFault) -> [[UInt8]] {
    var words: [[UInt8]] = []
    var word: [UInt8]?
    while at < bytes.count {
      let byte = bytes[at]
      switch byte {
      case Ascii.quote: word = (word ?? []) + (try single())
      case Ascii.doubleQuote: word = (word ?? []) + (try double())
      case UInt8(ascii: "$") where at + 1 < bytes.count && bytes[at + 1] == Ascii.quote:
        word = (word ?? []) + (try ansi())
      case Ascii.backslash:
        at += 1
        if at < bytes.count, bytes[at] == Ascii.carriageReturn, at + 1 < bytes.count,
          bytes[at + 1] == Ascii.lineFeed
        {
          at += 1
        }
        if at < bytes.count, bytes[at] != Ascii.lineFeed { word = (word ?? []) + [bytes[at]] }
        at += 1
      case _ where Ascii.isSpace(byte):
        if let done = word { words.append(done) }
        word = nil
        at += 1
      case UInt8(ascii: "|"), UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"),
        UInt8(ascii: "`"), UInt8(ascii: "("), UInt8(ascii: ")"):
        throw fault(
          at: at, "`\(ArgumentText.excerpt([byte]))` outside of quotes",
          "one curl command; put URLs and data in quotes")
      case UInt8(ascii: "$")
      where at + 1 < bytes.count && (Ascii.isWord(bytes[at + 1]) || bytes[at + 1] == 0x7B):
        throw fault(
          at: at, "a variable of the shell", "its value, or single quotes around what is meant as it stands")
      default:
        word = (word ?? []) + [byte]
        at += 1
      }
    }
    if let done = word { words.append(done) }
    return words
  }

  private mutating func single() throws(CaptureFault) -> [UInt8] {
    let start = at
    guard let end = bytes[(at + 1)...].firstIndex(of: Ascii.quote) else {
      throw fault(at: start, "a ' that is never closed", "a closing '")
    }
    at = end + 1
    return Array(bytes[(start + 1)..<end])
  }

  private mutating func double() throws(CaptureFault) -> [UInt8] {
    let start = at
    var result: [UInt8] = []
    at += 1
    while at < bytes.count, bytes[at] != Ascii.doubleQuote {
      let byte = bytes[at]
      let next = at + 1 < bytes.count ? bytes[at + 1] : 0
      if byte == Ascii.backslash,
        [Ascii.doubleQuote, Ascii.backslash, UInt8(ascii: "$"), UInt8(ascii: "`")].contains(next)
      {
        result.append(next)
        at += 2
      } else if byte == Ascii.backslash, next == Ascii.lineFeed {
        at += 2
      } else if byte == UInt8(ascii: "`")
        || (byte == UInt8(ascii: "$") && (Ascii.isWord(next) || next == 0x7B || next == 0x28))
      {
        throw fault(at: at, "something that a shell would replace", "its value, or single quotes")
      } else {
        result.append(byte)
        at += 1
      }
    }
    guard at < bytes.count else { throw fault(at: start, "a \" that is never closed", "a closing \"") }
    at += 1
    return result
  }

  /// `$'…'`, as browsers copy requests: escapes of C, `\xHH`, `\uHHHH`, octal.
  private mutating func ansi() throws(CaptureFault) -> [UInt8] {
    let start = at
    var result: [UInt8] = []
    at += 2
    while at < bytes.count, bytes[at] != Ascii.quote {
      guard bytes[at] == Ascii.backslash, at + 1 < bytes.count else {
        result.append(bytes[at])
        at += 1
        continue
      }
      let escape = bytes[at + 1]
      at += 2
      switch escape {
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "a"): result.append(0x07)
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "e"), UInt8(ascii: "E"): result.append(0x1B)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "v"): result.append(0x0B)
      case UInt8(ascii: "x"): result.append(UInt8(truncatingIfNeeded: number(radix: 16, digits: 2)))
      case UInt8(ascii: "u"), UInt8(ascii: "U"):
        let value = number(radix: 16, digits: escape == UInt8(ascii: "u") ? 4 : 8)
        result += Array(String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8)
      case UInt8(ascii: "0")...UInt8(ascii: "7"):
        at -= 1
        result.append(UInt8(truncatingIfNeeded: number(radix: 8, digits: 3)))
      case Ascii.quote, Ascii.doubleQuote, Ascii.backslash, UInt8(ascii: "?"): result.append(escape)
      default: result += [Ascii.backslash, escape]
      }
    }
    guard at < bytes.count else { throw fault(at: start, "a $' that is never closed", "a closing '") }
    at += 1
    return result
  }

  private mutating func number(radix: UInt32, digits: Int) -> UInt32 {
    var value: UInt32 = 0
    var left = digits
    while left > 0, at < bytes.count,
      let digit = Character(Unicode.Scalar(bytes[at])).hexDigitValue, digit < Int(radix)
    {
      value = value &* radix &+ UInt32(digit)
      at += 1
      left -= 1
    }
    return value
  }
}
