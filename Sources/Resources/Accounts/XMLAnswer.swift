// The XML that AWS's older services answer in → values. Elements and text only: no document type, hence no entities but the
// five of XML 1.0 (5th edition, section 4.6) and characters by number. An element whose parts are all named `item` or
// `member` is a list; parts that stand more than once are a list; an element without anything but blanks is null; text stays
// text.

public import GuardRules

/// See the head of this file.
public enum XMLAnswer {
  /// Elements within each other.
  public static var mostDepth: Int { 64 }

  /// What the outermost element holds.
  /// - Throws: `DocumentFault` with the place, where it isn't such XML.
  public static func value(of bytes: [UInt8]) throws(DocumentFault) -> Value { try element(of: bytes).value }

  /// The outermost element's name, and what it holds.
  /// - Throws: `DocumentFault` with the place, where it isn't such XML.
  public static func element(of bytes: [UInt8]) throws(DocumentFault) -> (name: String, value: Value) {
    var reader = XMLAnswerReader(bytes: bytes)
    return try reader.document()
  }
}

private struct XMLAnswerReader {
  let bytes: [UInt8]
  var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  func fault(_ wanted: String) -> DocumentFault {
    let before = bytes.prefix(position)
    let line = before.count { $0 == 10 } + 1
    let column = position - (before.lastIndex(of: 10) ?? -1)
    let found = String(decoding: bytes[min(position, bytes.count)...].prefix(24), as: UTF8.self)
    return DocumentFault(
      place: TextPlace(line: line, column: column), found: found.isEmpty ? "the end of the text" : found,
      wanted: wanted)
  }

  func begins(_ text: String) -> Bool { bytes[min(position, bytes.count)...].starts(with: text.utf8) }

  /// Goes behind the next occurrence of a text.
  mutating func skip(behind text: String) throws(DocumentFault) {
    let wanted = Array(text.utf8)
    while position + wanted.count <= bytes.count {
      if begins(text) {
        position += wanted.count
        return
      }
      position += 1
    }
    throw fault(text)
  }

  mutating func blanks() {
    while position < bytes.count, [32, 9, 10, 13].contains(bytes[position]) { position += 1 }
  }

  /// Blanks, comments, instructions.
  mutating func between() throws(DocumentFault) {
    while true {
      blanks()
      if begins("<?") {
        try skip(behind: "?>")
      } else if begins("<!--") {
        try skip(behind: "-->")
      } else {
        return
      }
    }
  }

  mutating func document() throws(DocumentFault) -> (name: String, value: Value) {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    try between()
    guard !begins("<!") else { throw fault("an element; a document type has no place in an answer") }
    let root = try element(depth: 1)
    try between()
    guard position == bytes.count else { throw fault("the end of the text") }
    return root
  }

  mutating func name() throws(DocumentFault) -> String {
    let start = position
    while position < bytes.count,
      ![32, 9, 10, 13, UInt8(ascii: ">"), UInt8(ascii: "/"), UInt8(ascii: "=")]
        .contains(bytes[position])
    { position += 1 }
    guard position > start else { throw fault("a name") }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  mutating func element(depth: Int) throws(DocumentFault) -> (name: String, value: Value) {
    guard begins("<") else { throw fault("an element") }
    guard depth <= XMLAnswer.mostDepth else {
      throw fault("at most \(XMLAnswer.mostDepth) elements within each other")
    }
    position += 1
    let name = try name()
    // Attributes are name spaces and types: nothing that is looked at.
    var quote: UInt8?
    while true {
      guard position < bytes.count else { throw fault("the end of the tag <\(name)>") }
      let byte = bytes[position]
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      } else if byte == UInt8(ascii: ">") {
        break
      }
      position += 1
    }
    let isEmpty = bytes[position - 1] == UInt8(ascii: "/")
    position += 1
    if isEmpty { return (name, Value(.null)) }
    var parts: [(name: String, value: Value)] = []
    var text: [UInt8] = []
    while true {
      guard position < bytes.count else { throw fault("</\(name)>") }
      if begins("</") {
        position += 2
        guard try self.name() == name else { throw fault("</\(name)>") }
        blanks()
        guard begins(">") else { throw fault(">") }
        position += 1
        break
      } else if begins("<![CDATA[") {
        position += 9
        let start = position
        try skip(behind: "]]>")
        text += bytes[start..<position - 3]
      } else if begins("<!--") {
        try skip(behind: "-->")
      } else if begins("<") {
        parts.append(try element(depth: depth + 1))
      } else if bytes[position] == UInt8(ascii: "&") {
        try entity(&text)
      } else {
        text.append(bytes[position])
        position += 1
      }
    }
    return (name, Self.value(parts, text))
  }

  mutating func entity(_ text: inout [UInt8]) throws(DocumentFault) {
    guard let end = bytes[position...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
      throw fault("an entity")
    }
    let name = String(decoding: bytes[position + 1..<end], as: UTF8.self)
    switch name {
    case "lt": text.append(UInt8(ascii: "<"))
    case "gt": text.append(UInt8(ascii: ">"))
    case "amp": text.append(UInt8(ascii: "&"))
    case "quot": text.append(UInt8(ascii: "\""))
    case "apos": text.append(UInt8(ascii: "'"))
    default:
      let number = name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : UInt32(name.dropFirst())
      guard name.hasPrefix("#"), let scalar = number.flatMap(Unicode.Scalar.init) else {
        throw fault("a known entity")
      }
      text += Array(String(Character(scalar)).utf8)
    }
    position = end + 1
  }

  static func value(_ parts: [(name: String, value: Value)], _ text: [UInt8]) -> Value {
    guard let first = parts.first else {
      let isBlank = text.allSatisfy { [32, 9, 10, 13].contains($0) }
      return isBlank ? Value(.null) : Value(.string(String(decoding: text, as: UTF8.self)))
    }
    if first.name == "item" || first.name == "member", parts.allSatisfy({ $0.name == first.name }) {
      return Value(.list(parts.map(\.value)))
    }
    var names: [String] = []
    var values: [String: [Value]] = [:]
    for part in parts {
      if values[part.name] == nil { names.append(part.name) }
      values[part.name, default: []].append(part.value)
    }
    return Value(
      .map(
        Members(
          names.map { name in
            let all = values[name] ?? []
            return (name, all.count == 1 ? all[0] : Value(.list(all)))
          })))
  }
}
