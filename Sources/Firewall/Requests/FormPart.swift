// A part of a multipart form as curl's -F writes it (curl(1), RFC 7578).

struct FormPart {
  var name: [UInt8]
  var content: [UInt8]
  var type: [UInt8]?
  var filename: [UInt8]?

  /// Always the same, so that a check can be repeated; curl draws one.
  static let boundary = "------------------------6b616275746f0000"

  init(name: [UInt8], content: [UInt8], type: [UInt8]? = nil, filename: [UInt8]? = nil) {
    self.name = name
    self.content = content
    self.type = type
    self.filename = filename
  }

  /// `name=content;type=text/plain;filename=a.txt`; all of it content where it is literal. `@file` and `<file` are refused.
  init(_ text: [UInt8], isLiteral: Bool, option: String, place: String) throws(CaptureFault) {
    guard let split = text.firstIndex(of: Ascii.equals) else {
      throw CaptureFault(
        place: place, found: "\(option) \"\(ArgumentText.excerpt(text))\"", wanted: "name=content")
    }
    self.init(name: Array(text[..<split]), content: [])
    var rest = text[(split + 1)...]
    if isLiteral {
      content = Array(rest)
      return
    }
    if let first = rest.first, first == Ascii.at || first == Ascii.less {
      throw CaptureFault(
        place: place,
        found: "\(option) with the content of the file \"\(ArgumentText.excerpt(rest.dropFirst()))\"",
        wanted: "the content itself, as in \"name=content;filename=a.txt;type=text/plain\"")
    }
    content = Self.word(&rest)
    while rest.first == UInt8(ascii: ";") {
      rest = rest.dropFirst().drop { $0 == 0x20 }
      let key = rest.prefix { $0 != Ascii.equals && $0 != UInt8(ascii: ";") }
      let label = String(decoding: key.map(lowercased), as: UTF8.self)
      rest = rest[key.endIndex...]
      guard rest.first == Ascii.equals else { continue }
      rest = rest.dropFirst()
      switch label {
      case "type": type = Self.type(&rest)
      case "filename": filename = Self.word(&rest)
      case "encoder", "headers":
        throw CaptureFault(
          place: place, found: "\(option) with `\(label)=`", wanted: "name, content, type and filename alone")
      default: _ = Self.word(&rest)
      }
    }
  }

  /// Up to a semicolon; in double quotes with `\"` and `\\`.
  private static func word(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
    guard rest.first == Ascii.doubleQuote else {
      let word = rest.prefix { $0 != UInt8(ascii: ";") }
      rest = rest[word.endIndex...]
      return Array(word)
    }
    var word: [UInt8] = []
    var at = rest.startIndex + 1
    while at < rest.endIndex, rest[at] != Ascii.doubleQuote {
      if rest[at] == Ascii.backslash, at + 1 < rest.endIndex,
        rest[at + 1] == Ascii.doubleQuote || rest[at + 1] == Ascii.backslash
      {
        at += 1
      }
      word.append(rest[at])
      at += 1
    }
    rest = rest[min(at + 1, rest.endIndex)...].drop { $0 != UInt8(ascii: ";") }
    return word
  }

  /// A media type with its own parameters: up to one of the form's.
  private static func type(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
    var type: [UInt8] = []
    while true {
      type += rest.prefix { $0 != UInt8(ascii: ";") }
      rest = rest.drop { $0 != UInt8(ascii: ";") }
      let next = String(decoding: rest.dropFirst().drop { $0 == 0x20 }.map(lowercased), as: UTF8.self)
      if rest.isEmpty || ["filename=", "encoder=", "headers="].contains(where: next.hasPrefix) {
        return type
      }
      type.append(UInt8(ascii: ";"))
      rest = rest.dropFirst()
    }
  }

  static func body(_ parts: [FormPart], boundary: String = FormPart.boundary) -> [UInt8] {
    var body: [UInt8] = []
    for part in parts {
      body += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"".utf8) + escaped(part.name)
      body.append(Ascii.doubleQuote)
      if let filename = part.filename {
        body += Array("; filename=\"".utf8) + escaped(filename) + [Ascii.doubleQuote]
      }
      if let type = part.type { body += Array("\r\nContent-Type: ".utf8) + type }
      body += Array("\r\n\r\n".utf8) + part.content + Array("\r\n".utf8)
    }
    return body + Array("--\(boundary)--\r\n".utf8)
  }

  private static func escaped(_ name: [UInt8]) -> [UInt8] {
    name.flatMap { byte -> [UInt8] in
      switch byte {
      case Ascii.doubleQuote: Array("%22".utf8)
      case Ascii.lineFeed: Array("%0A".utf8)
      case Ascii.carriageReturn: Array("%0D".utf8)
      default: [byte]
      }
    }
  }
}
