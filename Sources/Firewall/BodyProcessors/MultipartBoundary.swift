// The boundary that a Content-Type field declares (RFC 2046, section 5.1.1), as strictly as libmodsecurity 3.0.9 wants
// it: no parameter before it, one of its name, quoted wholly or not at all, of the characters that the RFC allows.
//
// One departure: an empty boundary is refused here, where libmodsecurity lets such a body pass unread.

struct MultipartBoundary {
  static let mediaType = ByteView("multipart/form-data")
  private static let parameter = ByteView("boundary")
  private static let fieldBytes = 1024

  let value: ByteView

  /// Reads a Content-Type field's value; nil leaves its reason in `content`.
  init?(contentType: ByteView, flags: inout MultipartFlags, content: inout BodyContent) {
    func refuse(_ reason: String, _ flags: inout MultipartFlags) {
      flags.error = true
      content.fail("Multipart parsing error: Multipart: \(reason).", at: nil)
    }
    guard !contentType.isEmpty else {
      refuse("Content-Type header not available", &flags)
      return nil
    }
    guard contentType.count <= MultipartBoundary.fieldBytes else {
      refuse("Invalid boundary in C-T (length)", &flags)
      return nil
    }
    guard contentType.hasPrefixIgnoringCase(MultipartBoundary.mediaType) else {
      refuse("Invalid MIME type", &flags)
      return nil
    }
    let parameters = MultipartBoundary.parameterCount(contentType)
    guard parameters <= 1 else {
      refuse("Multiple boundary parameters in C-T", &flags)
      return nil
    }
    guard let name = contentType.firstRange(of: MultipartBoundary.parameter) else {
      refuse(
        parameters > 0 ? "Invalid boundary in C-T (case sensitivity)" : "Boundary not found in C-T", &flags)
      return nil
    }
    var semicolonSeen = false
    for byte in contentType[MultipartBoundary.mediaType.count..<name].buffer where !isWhitespace(byte) {
      guard !semicolonSeen, byte == UInt8(ascii: ";") else {
        refuse("Invalid boundary in C-T (malformed)", &flags)
        return nil
      }
      semicolonSeen = true
    }
    if !semicolonSeen { flags.missingSemicolon = true }
    let nameEnd = name + MultipartBoundary.parameter.count
    guard let equals = contentType.firstIndex(of: UInt8(ascii: "="), from: nameEnd) else {
      refuse("Invalid boundary in C-T (malformed)", &flags)
      return nil
    }
    for byte in contentType[nameEnd..<equals].buffer {
      guard isWhitespace(byte) else {
        refuse("Invalid boundary in C-T (parameter name)", &flags)
        return nil
      }
      flags.boundaryWhitespace = true
    }
    let rest = contentType.dropFirst(equals + 1)
    if !rest.isEmpty, isWhitespace(rest[0]) { flags.boundaryWhitespace = true }
    // Quotes are looked for at the ends of all that is left, and only then is the next parameter cut off.
    var value = rest
    let quote = UInt8(ascii: "\"")
    if rest.count >= 2, rest[0] == quote, rest[rest.count - 1] == quote {
      value = rest[1..<(rest.count - 1)]
      flags.boundaryQuoted = true
    } else if !rest.isEmpty, rest[0] == quote || rest[rest.count - 1] == quote {
      refuse("Invalid boundary in C-T (quote)", &flags)
      return nil
    }
    value = value.prefix(value.firstIndex(of: UInt8(ascii: ";")) ?? value.count)
    guard MultipartBoundary.parameterCount(value) == 0 else {
      refuse("Invalid boundary in C-T (content)", &flags)
      return nil
    }
    guard MultipartBoundary.areValid(value) else {
      refuse("Invalid boundary in C-T (characters)", &flags)
      return nil
    }
    guard !value.isEmpty else {
      refuse("Invalid boundary in C-T (empty)", &flags)
      return nil
    }
    self.value = value
  }

  /// How often the parameter's name stands in `text`, in any case, with an equals sign somewhere after it.
  private static func parameterCount(_ text: ByteView) -> Int {
    var count = 0
    var at = 0
    while at + parameter.count <= text.count {
      if text[at..<(at + parameter.count)].equalsIgnoringCase(parameter) {
        at += parameter.count
        if text.firstIndex(of: UInt8(ascii: "="), from: at) != nil { count += 1 }
      } else {
        at += 1
      }
    }
    return count
  }

  /// A space is allowed, but not as the last character.
  private static func areValid(_ value: ByteView) -> Bool {
    for (index, byte) in value.buffer.enumerated() {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        continue
      case UInt8(ascii: " ") where index + 1 < value.count: continue
      case UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "+"), UInt8(ascii: "_"),
        UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ":"),
        UInt8(ascii: "="), UInt8(ascii: "?"):
        continue
      default: return false
      }
    }
    return true
  }
}
