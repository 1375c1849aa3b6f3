// JSON as captured requests come in it (RFC 8259): HAR files, JSON lines.
//
// Members of an object keep their order and may repeat, numbers stay text, strings are bytes. Not for bodies of
// requests: those have limits and names of their own (BodyProcessors).
// Invariant: nesting is bounded, so that no input exhausts the stack.

/// A JSON value.
public indirect enum CapturedJSON: Sendable {
  case null
  case bool(Bool)
  /// As written.
  case number(String)
  /// UTF-8; a surrogate without its partner has become U+FFFD.
  case string([UInt8])
  case array([CapturedJSON])
  case object([(name: String, value: CapturedJSON)])

  /// Where text stops being JSON.
  public struct Fault: Error, Equatable, CustomStringConvertible {
    /// From 1.
    public let line: Int
    /// In bytes, from 1.
    public let column: Int
    /// What stands there.
    public let found: String
    /// What should.
    public let wanted: String
    /// One line for people.
    public var description: String { "\(line):\(column): error: \(found); \(wanted)" }
  }

  /// How deep arrays and objects may lie in one another.
  public static let depthLimit = 200

  /// The one value that `bytes` hold.
  public init(_ bytes: [UInt8]) throws(Fault) {
    var reader = CapturedJSONReader(bytes: bytes)
    self = try reader.document()
  }

  /// The first member of this name, nil where there is none or this is no object.
  public subscript(_ name: String) -> CapturedJSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// The elements of an array; nil for anything else.
  public var elements: [CapturedJSON]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  /// The members of an object; nil for anything else.
  public var members: [(name: String, value: CapturedJSON)]? {
    guard case .object(let members) = self else { return nil }
    return members
  }

  /// The bytes of a string or the text of a number; nil for anything else.
  public var bytes: [UInt8]? {
    switch self {
    case .string(let bytes): bytes
    case .number(let text): Array(text.utf8)
    default: nil
    }
  }

  /// The same as text.
  public var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

  /// A whole number, or a string that holds one.
  public var integer: Int? { text.flatMap { Int($0) } }
}

private struct CapturedJSONReader {
  let bytes: [UInt8]
  var at = 0

  private var current: UInt8? { at < bytes.count ? bytes[at] : nil }

  private func fault(_ wanted: String) -> CapturedJSON.Fault {
    let before = bytes.prefix(at)
    let lineStart = before.lastIndex(of: Ascii.lineFeed).map { $0 + 1 } ?? 0
    let rest = bytes.dropFirst(at).prefix { $0 != Ascii.lineFeed && $0 != Ascii.carriageReturn }.prefix(64)
    return CapturedJSON.Fault(
      line: before.count { $0 == Ascii.lineFeed } + 1, column: min(at, bytes.count) - lineStart + 1,
      found: at >= bytes.count ? "the end" : "`\(ArgumentText.excerpt(rest, limit: 20))`", wanted: wanted)
  }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { at += 1 }
  }

  mutating func document() throws(CapturedJSON.Fault) -> CapturedJSON {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    let value = try value(depth: 0)
    skipSpace()
    guard current == nil else { throw fault("nothing may follow the value") }
    return value
  }

  private mutating func value(depth: Int) throws(CapturedJSON.Fault) -> CapturedJSON {
    guard depth < CapturedJSON.depthLimit else {
      throw fault("no more than \(CapturedJSON.depthLimit) arrays and objects may lie in one another")
    }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case Ascii.doubleQuote: return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case .some(let byte) where byte == UInt8(ascii: "-") || 0x30...0x39 ~= byte:
      let start = at
      while let byte = current,
        Ascii.isWord(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
          || byte == Ascii.dot
      { at += 1 }
      let text = String(decoding: bytes[start..<at], as: UTF8.self)
      guard Double(text) != nil else {
        at = start
        throw fault("a number such as -1.5e3 was expected")
      }
      return .number(text)
    default: throw fault("a value was expected")
    }
  }

  private mutating func word(_ word: StaticString, _ value: CapturedJSON) throws(CapturedJSON.Fault)
    -> CapturedJSON
  {
    let text = Array(word.description.utf8)
    guard bytes.dropFirst(at).starts(with: text) else { throw fault("`\(word)` was expected") }
    at += text.count
    return value
  }

  private mutating func array(depth: Int) throws(CapturedJSON.Fault) -> CapturedJSON {
    at += 1
    var elements: [CapturedJSON] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      at += 1
      return .array([])
    }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      guard current == Ascii.comma || current == UInt8(ascii: "]") else {
        throw fault("`,` or `]` was expected")
      }
      at += 1
      if bytes[at - 1] != Ascii.comma { return .array(elements) }
    }
  }

  private mutating func object(depth: Int) throws(CapturedJSON.Fault) -> CapturedJSON {
    at += 1
    var members: [(name: String, value: CapturedJSON)] = []
    skipSpace()
    if current == UInt8(ascii: "}") {
      at += 1
      return .object([])
    }
    while true {
      skipSpace()
      guard current == Ascii.doubleQuote else { throw fault("a name in double quotes was expected") }
      let name = String(decoding: try string(), as: UTF8.self)
      skipSpace()
      guard current == Ascii.colon else { throw fault("`:` was expected") }
      at += 1
      members.append((name, try value(depth: depth + 1)))
      skipSpace()
      guard current == Ascii.comma || current == UInt8(ascii: "}") else {
        throw fault("`,` or `}` was expected")
      }
      at += 1
      if bytes[at - 1] != Ascii.comma { return .object(members) }
    }
  }

  private mutating func string() throws(CapturedJSON.Fault) -> [UInt8] {
    let start = at
    at += 1
    var result: [UInt8] = []
    while let byte = current, byte != Ascii.doubleQuote {
      guard byte >= 0x20 else { throw fault("a control character in a string is written \\u00XX") }
      at += 1
      guard byte == Ascii.backslash else {
        result.append(byte)
        continue
      }
      guard let escape = current else { break }
      at += 1
      switch escape {
      case Ascii.doubleQuote, Ascii.backslash, Ascii.slash: result.append(escape)
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "u"): result += Array(String(try unicode()).utf8)
      default:
        at -= 2
        throw fault("an escape such as \\n or \\u00E9 was expected")
      }
    }
    guard current == Ascii.doubleQuote else {
      at = start
      throw fault("this string is never closed")
    }
    at += 1
    return result
  }

  /// After `\u`.
  private mutating func unicode() throws(CapturedJSON.Fault) -> Unicode.Scalar {
    let first = try unit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, bytes.dropFirst(at).starts(with: [Ascii.backslash, UInt8(ascii: "u")]) else {
      return "\u{FFFD}"
    }
    let back = at
    at += 2
    let second = try unit()
    guard 0xDC00...0xDFFF ~= second else {
      at = back
      return "\u{FFFD}"
    }
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
  }

  private mutating func unit() throws(CapturedJSON.Fault) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let digit: UInt8
      switch current {
      case .some(let byte) where 0x30...0x39 ~= byte: digit = byte - 0x30
      case .some(let byte) where 0x61...0x66 ~= byte | 0x20: digit = (byte | 0x20) - 0x61 + 10
      default: throw fault("four hexadecimal digits were expected")
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }
}
