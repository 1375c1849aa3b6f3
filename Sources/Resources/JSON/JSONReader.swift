// JSON (RFC 8259) → values with places, from bytes that are read in place: a plan of 100 MB is never a tree as a whole, its
// parts are read one by one and the rest is passed over.
// Columns count bytes: lines of such files may be as long as the file.

public import GuardRules

/// Reads values of a JSON text one after the other.
public struct JSONReader: ~Copyable {
  private let bytes: UnsafeRawBufferPointer
  /// The next byte.
  public private(set) var position: Int
  private var line = 1
  private var lineStart = 0
  private var depth = 0
  private let stack = StackMark()

  /// Values within each other.
  public static var mostDepth: Int { 128 }

  /// - Parameter bytes: stay in place as long as the reader is used.
  public init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    // A byte order mark is passed over.
    position = bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
  }

  // MARK: - Whole values

  /// Reads the one value of a text.
  /// - Throws: `DocumentFault`.
  public static func value(of text: String) throws(DocumentFault) -> Value {
    var text = text
    let result: Result<Value, DocumentFault> = text.withUTF8 { bytes in
      Result { () throws(DocumentFault) -> Value in
        var reader = JSONReader(UnsafeRawBufferPointer(bytes))
        let value = try reader.value()
        try reader.end()
        return value
      }
    }
    return try result.get()
  }

  /// Nothing but blanks may follow.
  public mutating func end() throws(DocumentFault) {
    blanks()
    if position < bytes.count { throw fault("the end of the text") }
  }

  /// The value that begins here.
  public mutating func value() throws(DocumentFault) -> Value {
    blanks()
    let place = place
    guard position < bytes.count else { throw fault("a value") }
    switch bytes[position] {
    case UInt8(ascii: "{"):
      var members: [(name: String, value: Value)] = []
      try object { (name, reader) throws(DocumentFault) in members.append((name, try reader.value())) }
      return Value(.map(Members(members)), at: place)
    case UInt8(ascii: "["):
      var values: [Value] = []
      try array { (reader) throws(DocumentFault) in values.append(try reader.value()) }
      return Value(.list(values), at: place)
    case UInt8(ascii: "\""): return Value(.string(try text()), at: place)
    case UInt8(ascii: "t"): return Value(.bool(true), at: try word("true", place))
    case UInt8(ascii: "f"): return Value(.bool(false), at: try word("false", place))
    case UInt8(ascii: "n"): return Value(.null, at: try word("null", place))
    default: return Value(try number(), at: place)
    }
  }

  // MARK: - Parts

  /// Goes through the members of the object that begins here; `body` must take each one's value (`value` or `skip`).
  public mutating func object(
    _ body: (String, inout JSONReader) throws(DocumentFault) -> Void
  ) throws(DocumentFault) {
    try open("{")
    blanks()
    if take("}") {
      depth -= 1
      return
    }
    repeat {
      blanks()
      guard peek == UInt8(ascii: "\"") else { throw fault("a name in quotes") }
      let name = try text()
      blanks()
      guard take(":") else { throw fault("\":\"") }
      try body(name, &self)
      blanks()
    } while take(",")
    guard take("}") else { throw fault("\",\" or \"}\"") }
    depth -= 1
  }

  /// Goes through the elements of the array that begins here; `body` must take each one (`value` or `skip`).
  public mutating func array(_ body: (inout JSONReader) throws(DocumentFault) -> Void) throws(DocumentFault) {
    try open("[")
    blanks()
    if take("]") {
      depth -= 1
      return
    }
    repeat {
      try body(&self)
      blanks()
    } while take(",")
    guard take("]") else { throw fault("\",\" or \"]\"") }
    depth -= 1
  }

  /// What kind of value begins here: its first byte; nil = the end.
  public mutating func first() -> UInt8? {
    blanks()
    return peek
  }

  /// Passes over the value that begins here; it is looked at all the same.
  public mutating func skip() throws(DocumentFault) {
    switch first() {
    case UInt8(ascii: "{"): try object { (_, reader) throws(DocumentFault) in try reader.skip() }
    case UInt8(ascii: "["): try array { (reader) throws(DocumentFault) in try reader.skip() }
    case UInt8(ascii: "\""): _ = try span()
    default: _ = try value()
    }
  }

  // MARK: - Pieces

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }
  private var place: TextPlace { TextPlace(line: line, column: position - lineStart + 1) }

  private func fault(_ wanted: String) -> DocumentFault {
    let rest = bytes[min(position, bytes.count)..<min(position + 20, bytes.count)]
    let found =
      rest.isEmpty
      ? "the end of the text" : "\"\(String(decoding: rest.prefix { $0 >= 32 }, as: UTF8.self))\""
    return DocumentFault(place: place, found: found, wanted: wanted)
  }

  private mutating func blanks() {
    while position < bytes.count {
      switch bytes[position] {
      case 32, 9, 13: position += 1
      case 10:
        position += 1
        line += 1
        lineStart = position
      default: return
      }
    }
  }

  private mutating func take(_ sign: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: sign) else { return false }
    position += 1
    return true
  }

  private mutating func open(_ sign: Unicode.Scalar) throws(DocumentFault) {
    blanks()
    guard take(sign) else { throw fault("\"\(sign)\"") }
    depth += 1
    if depth > Self.mostDepth || !stack.hasRoom {
      throw fault("at most \(Self.mostDepth) values within each other")
    }
  }

  private mutating func word(_ text: StaticString, _ place: TextPlace) throws(DocumentFault) -> TextPlace {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { throw fault("\(text)") }
    for offset in 0..<count where bytes[position + offset] != text.utf8Start[offset] {
      throw fault("\(text)")
    }
    position += count
    return place
  }

  private mutating func number() throws(DocumentFault) -> Value.Content {
    let begin = position
    var end = position
    func digits() -> Int { bytes[end...].prefix { (48...57).contains($0) }.count }
    if end < bytes.count, bytes[end] == UInt8(ascii: "-") { end += 1 }
    let whole = digits()
    guard whole > 0, whole == 1 || bytes[end] != UInt8(ascii: "0") else { throw fault("a value") }
    end += whole
    var isFloat = false
    if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
      isFloat = true
      end += 1
      let fraction = digits()
      guard fraction > 0 else { throw fault("digits behind the point") }
      end += fraction
    }
    if end < bytes.count, bytes[end] | 32 == UInt8(ascii: "e") {
      isFloat = true
      end += 1
      if end < bytes.count, bytes[end] == UInt8(ascii: "+") || bytes[end] == UInt8(ascii: "-") { end += 1 }
      let power = digits()
      guard power > 0 else { throw fault("digits of the power") }
      end += power
    }
    let text = String(decoding: bytes[begin..<end], as: UTF8.self)
    position = end
    if !isFloat, let value = Int64(text) { return .int(value) }
    guard let value = Double(text), value.isFinite else { throw fault("a number that a double holds") }
    return .float(value)
  }

  /// The bytes of a text, quotes left out, and whether something in it is escaped.
  private mutating func span() throws(DocumentFault) -> (Range<Int>, isPlain: Bool) {
    position += 1
    let begin = position
    var isPlain = true
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return (begin..<position - 1, isPlain)
      case UInt8(ascii: "\\"):
        isPlain = false
        position += 2
      case 0..<32: throw fault("no control characters in a text")
      default: position += 1
      }
    }
    position = min(position, bytes.count)
    throw fault("a closing \"")
  }

  private mutating func text() throws(DocumentFault) -> String {
    let (range, isPlain) = try span()
    if isPlain { return String(decoding: bytes[range], as: UTF8.self) }
    var out: [UInt8] = []
    out.reserveCapacity(range.count)
    var place = range.lowerBound
    func unit(_ from: Int) -> UInt32? {
      guard from + 4 <= range.upperBound else { return nil }
      // `UInt32` would take a sign for the first digit.
      guard bytes[from] != UInt8(ascii: "+"), bytes[from] != UInt8(ascii: "-") else { return nil }
      return UInt32(String(decoding: bytes[from..<from + 4], as: UTF8.self), radix: 16)
    }
    while place < range.upperBound {
      guard bytes[place] == UInt8(ascii: "\\") else {
        out.append(bytes[place])
        place += 1
        continue
      }
      place += 2
      switch bytes[place - 1] {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(bytes[place - 1])
      case UInt8(ascii: "b"): out.append(8)
      case UInt8(ascii: "f"): out.append(12)
      case UInt8(ascii: "n"): out.append(10)
      case UInt8(ascii: "r"): out.append(13)
      case UInt8(ascii: "t"): out.append(9)
      case UInt8(ascii: "u"):
        guard var scalar = unit(place) else { throw fault("four hexadecimal digits behind \\u") }
        place += 4
        if (0xD800..<0xDC00).contains(scalar), place + 6 <= range.upperBound,
          bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "u"),
          let low = unit(place + 2),
          (0xDC00..<0xE000).contains(low)
        {
          scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
          place += 6
        }
        // Half of a pair stands for nothing.
        out.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
      default: throw fault("an escape of JSON")
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
