// JSON (RFC 8259) → values with places, from bytes that are read in place: a plan of 100 MB is never a tree as a whole, its
// parts are read one by one and the rest is passed over.
// Columns count bytes: lines of such files may be as long as the file.
// Limits: values within each other, and, where it is said, memory that values take.

public import GuardRules

/// Reads values of a JSON text one after the other.
public struct JSONReader: ~Copyable {
  let bytes: UnsafeRawBufferPointer
  /// The next byte.
  public internal(set) var position: Int
  var line = 1
  var lineStart = 0
  var depth = 0
  private let stack = StackMark()
  private var names = SharedNames()
  private let mostBytes: Int
  private var namesOnce = false
  /// Told of places that are behind, every now and then.
  private let passed: ((Int) -> Void)?
  private var nextTold: Int
  /// About how much memory the values took that were read since it was set.
  public var spentBytes = 0

  /// Values within each other.
  public static var mostDepth: Int { 128 }
  private static var toldEach: Int { 4 << 20 }

  /// - Parameters:
  ///   - bytes: stay in place as long as the reader is used.
  ///   - mostBytes: what `spentBytes` may come to.
  ///   - passed: told of the reader's position every few MiB.
  public init(
    _ bytes: UnsafeRawBufferPointer, mostBytes: Int = .max, passed: ((Int) -> Void)? = nil
  ) {
    self.bytes = bytes
    self.mostBytes = mostBytes
    self.passed = passed
    nextTold = passed == nil ? .max : Self.toldEach
    // A byte order mark is passed over.
    position = bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
  }

  // MARK: - Whole values

  /// Reads the one value of a text.
  /// - Throws: `DocumentFault`.
  /// - Parameter namesOnce: whether a name that stands twice in one map is a fault; else the later one counts.
  public static func value(of text: String, namesOnce: Bool = false) throws(DocumentFault) -> Value {
    var text = text
    let result: Result<Value, DocumentFault> = text.withUTF8 { bytes in
      Result { () throws(DocumentFault) -> Value in
        var reader = JSONReader(UnsafeRawBufferPointer(bytes))
        reader.namesOnce = namesOnce
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
    tell()
    let place = place
    guard position < bytes.count else { throw fault("a value") }
    switch bytes[position] {
    case UInt8(ascii: "{"):
      let members = try allMembers()
      try spend(112 + members.count * (members.count > 12 ? 64 : 24))
      let map = Members.read(members)
      guard !namesOnce || map.all.count == members.count else {
        throw DocumentFault(place: place, found: "a name twice", wanted: "each name once")
      }
      return Value(.map(map), at: place)
    case UInt8(ascii: "["):
      let values = try allElements()
      try spend(112 + values.count * 8)
      return Value(.list(values), at: place)
    case UInt8(ascii: "\""):
      let (range, isPlain) = try span()
      try spend(80 + (range.count > 15 ? 48 + range.count : 0))
      return Value(.string(try isPlain ? plainText(range) : unescaped(range)), at: place)
    default:
      try spend(80)
      switch bytes[position] {
      case UInt8(ascii: "t"): return Value(.bool(true), at: try word("true", place))
      case UInt8(ascii: "f"): return Value(.bool(false), at: try word("false", place))
      case UInt8(ascii: "n"): return Value(.null, at: try word("null", place))
      default: return Value(try number(), at: place)
      }
    }
  }

  // Not by `object` and `array`: a level takes as little of the stack as can be.

  private mutating func allMembers() throws(DocumentFault) -> [Members.Member] {
    var all: [Members.Member] = []
    try open("{")
    blanks()
    if !take("}") {
      repeat {
        let (range, isPlain) = try name()
        let text = try isPlain ? sharedName(range) : unescaped(range)
        all.append(Members.Member(name: text, value: try value()))
        blanks()
      } while take(",")
      guard take("}") else { throw fault("\",\" or \"}\"") }
    }
    depth -= 1
    return all
  }

  private mutating func allElements() throws(DocumentFault) -> [Value] {
    var all: [Value] = []
    try open("[")
    blanks()
    if !take("]") {
      repeat {
        all.append(try value())
        blanks()
      } while take(",")
      guard take("]") else { throw fault("\",\" or \"]\"") }
    }
    depth -= 1
    return all
  }

  private mutating func spend(_ count: Int) throws(DocumentFault) {
    spentBytes += count
    guard spentBytes <= mostBytes else {
      throw DocumentFault(
        place: place, found: "more values than \(mostBytes >> 20) MiB hold",
        wanted: "a smaller document, or more memory")
    }
  }

  // MARK: - Parts

  /// Goes through the members of the object that begins here; `body` must take each one's value (`value` or `skip`).
  public mutating func object(
    _ body: (String, inout JSONReader) throws(DocumentFault) -> Void
  ) throws(DocumentFault) {
    try members { (range, isPlain, reader) throws(DocumentFault) in
      let name = try isPlain ? reader.sharedName(range) : reader.unescaped(range)
      try body(name, &reader)
    }
  }

  /// The same with each name's bytes, and whether nothing in it is escaped.
  mutating func members(
    _ body: (Range<Int>, Bool, inout JSONReader) throws(DocumentFault) -> Void
  ) throws(DocumentFault) {
    try open("{")
    blanks()
    if take("}") {
      depth -= 1
      return
    }
    repeat {
      let (range, isPlain) = try name()
      try body(range, isPlain, &self)
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

  // MARK: - Pieces

  var peek: UInt8? { position < bytes.count ? bytes[position] : nil }
  var place: TextPlace { TextPlace(line: line, column: position - lineStart + 1) }

  func fault(_ wanted: String) -> DocumentFault {
    let rest = bytes[min(position, bytes.count)..<min(position + 20, bytes.count)]
    let found =
      rest.isEmpty
      ? "the end of the text" : "\"\(String(decoding: rest.prefix { $0 >= 32 }, as: UTF8.self))\""
    return DocumentFault(place: place, found: found, wanted: wanted)
  }

  mutating func tell() {
    guard position >= nextTold else { return }
    nextTold = position + Self.toldEach
    passed?(position)
  }

  mutating func blanks() {
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

  mutating func take(_ sign: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: sign) else { return false }
    position += 1
    return true
  }

  private mutating func open(_ sign: Unicode.Scalar) throws(DocumentFault) {
    blanks()
    guard take(sign) else { throw fault("\"\(sign)\"") }
    depth += 1
    if depth > Self.mostDepth || !stack.hasRoom { throw tooDeep() }
  }

  func tooDeep() -> DocumentFault { fault("at most \(Self.mostDepth) values within each other") }

  /// A member's name and the colon behind it.
  mutating func name() throws(DocumentFault) -> (Range<Int>, isPlain: Bool) {
    blanks()
    guard peek == UInt8(ascii: "\"") else { throw fault("a name in quotes") }
    let name = try span()
    blanks()
    guard take(":") else { throw fault("\":\"") }
    return name
  }

  mutating func word(_ text: StaticString, _ place: TextPlace) throws(DocumentFault) -> TextPlace {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { throw fault("\(text)") }
    for offset in 0..<count where bytes[position + offset] != text.utf8Start[offset] {
      throw fault("\(text)")
    }
    position += count
    return place
  }

  /// Where the number that begins here ends, and whether it is a whole one.
  mutating func numberSpan() throws(DocumentFault) -> (Range<Int>, isWhole: Bool) {
    let begin = position
    var end = position
    func digits() -> Int {
      var count = 0
      while end + count < bytes.count, (48...57).contains(bytes[end + count]) { count += 1 }
      return count
    }
    if end < bytes.count, bytes[end] == UInt8(ascii: "-") { end += 1 }
    let whole = digits()
    guard whole > 0, whole == 1 || bytes[end] != UInt8(ascii: "0") else { throw fault("a value") }
    end += whole
    var isWhole = true
    if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
      isWhole = false
      end += 1
      let fraction = digits()
      guard fraction > 0 else { throw fault("digits behind the point") }
      end += fraction
    }
    if end < bytes.count, bytes[end] | 32 == UInt8(ascii: "e") {
      isWhole = false
      end += 1
      if end < bytes.count, bytes[end] == UInt8(ascii: "+") || bytes[end] == UInt8(ascii: "-") { end += 1 }
      let power = digits()
      guard power > 0 else { throw fault("digits of the power") }
      end += power
    }
    position = end
    return (begin..<end, isWhole)
  }

  private mutating func number() throws(DocumentFault) -> Value.Content {
    let (range, isWhole) = try numberSpan()
    if isWhole, range.count <= 18 {
      var (number, isNegative): (Int64, Bool) = (0, false)
      for place in range {
        if bytes[place] == UInt8(ascii: "-") {
          isNegative = true
        } else {
          number = number * 10 + Int64(bytes[place] - 48)
        }
      }
      return .int(isNegative ? -number : number)
    }
    let text = plainText(range)
    if isWhole, let value = Int64(text) { return .int(value) }
    guard let value = Double(text), value.isFinite else {
      position = range.lowerBound
      throw fault("a number that a double holds")
    }
    return .float(value)
  }

  /// The bytes of a text, quotes left out, and whether nothing in it is escaped.
  mutating func span() throws(DocumentFault) -> (Range<Int>, isPlain: Bool) {
    position += 1
    let begin = position
    var isPlain = true
    while true {
      // Eight at once: none of them a quote, a backslash or a control character.
      while position + 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        let special = Self.special(word)
        if special == 0 {
          position += 8
          continue
        }
        position += special.trailingZeroBitCount >> 3
        break
      }
      guard position < bytes.count else { break }
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

  /// The high bit of the first byte that is `"`, `\\` or below 32; of later ones it may be set without.
  @inline(__always) private static func special(_ word: UInt64) -> UInt64 {
    let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
    let quote = word ^ 0x2222_2222_2222_2222
    let backslash = word ^ 0x5c5c_5c5c_5c5c_5c5c
    let control = (word &- 0x2020_2020_2020_2020) & ~word
    return (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | control) & highs
  }

  func plainText(_ range: Range<Int>) -> String {
    String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
  }

  /// A name, kept once for all members that have it.
  private mutating func sharedName(_ range: Range<Int>) -> String {
    // Short ones take no memory of their own.
    range.count <= 15 || range.count > 64 ? plainText(range) : names.name(range, bytes)
  }

  func unescaped(_ range: Range<Int>) throws(DocumentFault) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(range.count)
    var place = range.lowerBound
    func unit(_ from: Int) -> UInt32? {
      guard from + 4 <= range.upperBound else { return nil }
      // `UInt32` would take a sign for the first digit.
      guard bytes[from] != UInt8(ascii: "+"), bytes[from] != UInt8(ascii: "-") else { return nil }
      return UInt32(plainText(from..<from + 4), radix: 16)
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
