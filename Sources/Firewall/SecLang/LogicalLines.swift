// SecLang's lines: physical ones, joined where a backslash ends them (ModSecurity reference manual, "Configuration
// directives"; Apache's own rule for its files). Comments, blank lines and carriage returns are dropped here.
//
// Invariant: the text of a logical line holds a line feed exactly where two physical lines were joined, and the next
// line's indentation is gone. So the number of line feeds before a byte tells the line that it came from.

/// One directive's text.
struct LogicalLine {
  /// A line feed stands for a join.
  var text: [UInt8]
  /// The first physical line, from 1.
  var line: Int
  /// A physical line that ends with a backslash and blanks: nearly always a join that was meant.
  var lostJoin: Int?
}

struct LogicalLines: Sequence, IteratorProtocol {
  private let bytes: [UInt8]
  private var position: Int
  private var line = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  mutating func next() -> LogicalLine? {
    while let first = physicalLine() {
      guard let head = first.first, head != Ascii.hash else { continue }
      var result = LogicalLine(text: [], line: line, lostJoin: nil)
      var part = first
      while part.last == Ascii.backslash {
        result.text += part.dropLast()
        result.text.append(Ascii.lineFeed)
        guard let more = physicalLine() else { return result }
        part = more
      }
      if let end = part.lastIndex(where: { !Ascii.isBlank($0) }), part[end] == Ascii.backslash {
        result.lostJoin = line
      }
      result.text += part
      return result
    }
    return nil
  }

  /// The next line without its indentation and its end.
  private mutating func physicalLine() -> ArraySlice<UInt8>? {
    guard position < bytes.count else { return nil }
    var end = position
    while end < bytes.count, bytes[end] != Ascii.lineFeed { end += 1 }
    var text = bytes[position..<end]
    position = end + 1
    line += 1
    while text.last == Ascii.carriageReturn { text = text.dropLast() }
    return text.drop(while: Ascii.isBlank)
  }
}

/// The bytes that SecLang's syntax is made of.
enum Ascii {
  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
  static let backslash = UInt8(ascii: "\\")
  static let hash = UInt8(ascii: "#")
  static let doubleQuote = UInt8(ascii: "\"")
  static let quote = UInt8(ascii: "'")
  static let slash = UInt8(ascii: "/")
  static let pipe = UInt8(ascii: "|")
  static let comma = UInt8(ascii: ",")
  static let colon = UInt8(ascii: ":")
  static let dot = UInt8(ascii: ".")
  static let equals = UInt8(ascii: "=")
  static let at = UInt8(ascii: "@")
  static let exclamation = UInt8(ascii: "!")
  static let ampersand = UInt8(ascii: "&")
  static let less = UInt8(ascii: "<")
  static let greater = UInt8(ascii: ">")

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0B || byte == 0x0C }
  /// Blanks, and joins of lines.
  static func isSpace(_ byte: UInt8) -> Bool { isBlank(byte) || byte == lineFeed || byte == carriageReturn }
  static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
