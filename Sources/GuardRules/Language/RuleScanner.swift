// The text of rules, byte by byte: blanks and comments, words, literals, and where one is.

/// See the head of this file.
struct RuleScanner {
  let file: String
  private let bytes: [UInt8]
  private(set) var position = 0
  /// Where lines begin, and whether a byte is a character: a place is told without reading the text again.
  private let lines: [Int]
  private let isASCII: Bool
  /// Where comment lines that begin with `# @` were passed over.
  private(set) var noteLines: Set<Int> = []

  init(_ text: String, file: String) {
    let bytes = Array(text.utf8)
    self.bytes = bytes
    self.file = file
    lines = [0] + bytes.indices.filter { bytes[$0] == 10 }.map { $0 + 1 }
    isASCII = bytes.allSatisfy { $0 < 0x80 }
  }

  // MARK: - Where

  var isAtEnd: Bool { position >= bytes.count }

  /// Goes to a place seen before.
  mutating func go(to position: Int) { self.position = position }

  func place(at position: Int) -> TextPlace {
    let end = min(position, bytes.count)
    var (low, high) = (0, lines.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lines[middle] <= end { low = middle } else { high = middle }
    }
    let start = lines[low]
    // Characters: bytes that don't go on one.
    let column = (isASCII ? end - start : bytes[start..<end].count { $0 & 0xC0 != 0x80 }) + 1
    return TextPlace(line: low + 1, column: column)
  }

  func fault(_ wanted: String, at position: Int? = nil) -> RuleFault {
    let position = position ?? self.position
    let rest = bytes[min(position, bytes.count)...].prefix { $0 != 10 }
    let text = String(decoding: rest.prefix(40), as: UTF8.self).trimming
    return RuleFault(
      file: file, place: place(at: position),
      found: position >= bytes.count
        ? "the end of the file" : text.isEmpty ? "the end of the line" : "\"\(text)\"",
      wanted: wanted)
  }

  /// What stands between two places, blanks made one.
  func text(from start: Int, to end: Int) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(end - start)
    for word in bytes[start..<end].split(whereSeparator: { $0 == 32 || (9...13).contains($0) }) {
      if !out.isEmpty { out.append(UInt8(ascii: " ")) }
      out += word
    }
    return String(decoding: out, as: UTF8.self)
  }

  // MARK: - Blanks

  /// Passes over blanks and comments.
  mutating func skipBlanks() {
    while position < bytes.count {
      switch bytes[position] {
      case 9, 10, 13, 32: position += 1
      case UInt8(ascii: "#"):
        if note(at: position) != nil { noteLines.insert(position) }
        while position < bytes.count, bytes[position] != 10 { position += 1 }
      default: return
      }
    }
  }

  // MARK: - Notes

  /// What a comment that begins a line says of a rule; nil = it is an ordinary one.
  func note(at position: Int) -> RuleNotes.Line? {
    var begin = position + 1
    while begin < bytes.count, Self.isSpace(bytes[begin]) { begin += 1 }
    guard begin < bytes.count, bytes[begin] == UInt8(ascii: "@"), lineBegins(position) else { return nil }
    let line = bytes[(begin + 1)...].prefix { $0 != 10 }
    let key = line.prefix { !Self.isSpace($0) && $0 != 13 }
    return RuleNotes.Line(
      position: begin, key: String(decoding: key, as: UTF8.self),
      text: String(decoding: line[key.endIndex...], as: UTF8.self).trimming)
  }

  /// Where the comment lines directly above a place begin, which itself begins its line; the uppermost first.
  func comments(above position: Int) -> [Int] {
    guard lineBegins(position) else { return [] }
    var number = Int(place(at: position).line) - 2
    var found: [Int] = []
    while number >= 0 {
      var begin = lines[number]
      while begin < bytes.count, Self.isSpace(bytes[begin]) { begin += 1 }
      guard begin < bytes.count, bytes[begin] == UInt8(ascii: "#") else { break }
      found.append(begin)
      number -= 1
    }
    return found.reversed()
  }

  /// Whether nothing but blanks stands before a place on its line.
  private func lineBegins(_ position: Int) -> Bool {
    var before = position - 1
    while before >= 0, Self.isSpace(bytes[before]) { before -= 1 }
    return before < 0 || bytes[before] == 10
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

  /// Passes over blanks of this line.
  mutating func skipSpaces() {
    while position < bytes.count, bytes[position] == 32 || bytes[position] == 9 { position += 1 }
  }

  // MARK: - Words and signs

  func peek(_ offset: Int = 0) -> UInt8? {
    position + offset < bytes.count ? bytes[position + offset] : nil
  }

  func sees(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { return false }
    for offset in 0..<count where bytes[position + offset] != text.utf8Start[offset] { return false }
    return true
  }

  /// Takes a sign if it stands here.
  mutating func take(_ text: StaticString) -> Bool {
    guard sees(text) else { return false }
    position += text.utf8CodeUnitCount
    return true
  }

  static func isWord(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (48...57).contains(byte) || (65...90).contains(byte)
      || (97...122).contains(byte)
  }

  /// The word that stands here: letters, digits, `_`.
  func word() -> String? {
    let found = bytes[position...].prefix(while: Self.isWord)
    return found.isEmpty ? nil : String(decoding: found, as: UTF8.self)
  }

  /// Whether a blank or a comment stands some bytes from here.
  func isBlank(_ offset: Int) -> Bool {
    switch peek(offset) {
    case 9, 10, 13, 32, UInt8(ascii: "#"): true
    default: false
    }
  }

  /// Takes a word in lower case or in upper case, if it stands here alone.
  mutating func take(word wanted: String) -> Bool {
    guard let word = word(), word == wanted || word == wanted.uppercased() else { return false }
    position += word.utf8.count
    return true
  }

  mutating func takeWord() -> String? {
    guard let word = word() else { return nil }
    position += word.utf8.count
    return word
  }

  // MARK: - Literals

  /// A text in quotes, of which one stands here.
  mutating func quoted() throws(RuleFault) -> String {
    let begin = position
    let quote = bytes[position]
    position += 1
    var out: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      if byte == quote {
        position += 1
        return String(decoding: out, as: UTF8.self)
      }
      if byte == UInt8(ascii: "\\"), peek(1) == quote {
        out.append(quote)
        position += 2
        continue
      }
      out.append(byte)
      position += 1
    }
    throw fault("a closing \(quote == 34 ? "\"" : "'")", at: begin)
  }

  /// A regular expression; its opening slash stands here.
  mutating func pattern() throws(RuleFault) -> Pattern {
    let begin = position
    position += 1
    var out: [UInt8] = []
    while position < bytes.count, bytes[position] != 10 {
      let byte = bytes[position]
      if byte == UInt8(ascii: "/") {
        position += 1
        do throws(Pattern.Fault) { return try Pattern(String(decoding: out, as: UTF8.self)) } catch {
          throw RuleFault(
            file: file, place: place(at: begin + 1 + error.offset), found: error.reason,
            wanted: "a regular expression")
        }
      }
      if byte == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "/") {
        out.append(UInt8(ascii: "/"))
        position += 2
        continue
      }
      out.append(byte)
      position += 1
    }
    throw fault("a closing / on the same line", at: begin)
  }

  /// A number, if one stands here.
  mutating func number() throws(RuleFault) -> Value.Content? {
    let begin = position
    var end = position
    if end < bytes.count, bytes[end] == UInt8(ascii: "-") { end += 1 }
    let digits = bytes[end...].prefix { (48...57).contains($0) }
    guard !digits.isEmpty else { return nil }
    end += digits.count
    var isFloat = false
    if end + 1 < bytes.count, bytes[end] == UInt8(ascii: "."), (48...57).contains(bytes[end + 1]) {
      isFloat = true
      end += 1 + bytes[(end + 1)...].prefix { (48...57).contains($0) }.count
    }
    if end < bytes.count, bytes[end] | 32 == UInt8(ascii: "e") {
      var power = end + 1
      if power < bytes.count, bytes[power] == UInt8(ascii: "-") || bytes[power] == UInt8(ascii: "+") {
        power += 1
      }
      let digits = power < bytes.count ? bytes[power...].prefix { (48...57).contains($0) }.count : 0
      if digits > 0 {
        isFloat = true
        end = power + digits
      }
    }
    let text = String(decoding: bytes[begin..<end], as: UTF8.self)
    position = end
    if isFloat {
      guard let value = Double(text), value.isFinite else {
        throw fault("a number that a double holds", at: begin)
      }
      return .float(value)
    }
    guard let value = Int64(text) else { throw fault("a whole number of 64 bits", at: begin) }
    return .int(value)
  }

  /// `<< … >>`, if it stands here after blanks.
  mutating func message() throws(RuleFault) -> String? {
    let before = position
    skipBlanks()
    guard take("<<") else {
      position = before
      return nil
    }
    let begin = position
    while position < bytes.count {
      if sees(">>") {
        let text = String(decoding: bytes[begin..<position], as: UTF8.self).trimming
        position += 2
        return text
      }
      position += 1
    }
    throw fault("a closing >> of the message", at: begin - 2)
  }

  /// Goes to where the next rule seems to begin, to read on after a fault.
  mutating func skipToRule() {
    while position < bytes.count {
      while position < bytes.count, bytes[position] != 10 { position += 1 }
      position = min(position + 1, bytes.count)
      guard let word = word(), word == "rule" || word == "let" else { continue }
      if isBlank(word.utf8.count) { return }
    }
    position = bytes.count
  }
}

extension String {
  var trimming: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
