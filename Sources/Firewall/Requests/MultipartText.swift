// A form as curl's -F sends it (RFC 7578), and a path as curl sends it (RFC 3986, 5.2.4).

struct MultipartText {
  private static let boundary = Array("------------------------d74496d66958873e".utf8)
  private var parts: [UInt8] = []

  mutating func add(name: [UInt8], content: [UInt8], fileName: [UInt8]?, type: [UInt8]?) {
    func quoted(_ bytes: [UInt8]) -> [UInt8] {
      bytes.flatMap { $0 == Ascii.doubleQuote ? Array("%22".utf8) : [$0] }
    }
    let line = Array("\r\n".utf8)
    parts += Array("--".utf8) + Self.boundary + line
    parts += Array("Content-Disposition: form-data; name=\"".utf8) + quoted(name) + [Ascii.doubleQuote]
    if let fileName { parts += Array("; filename=\"".utf8) + quoted(fileName) + [Ascii.doubleQuote] }
    parts += line
    if let type { parts += Array("Content-Type: ".utf8) + type + line }
    parts += line + content + line
  }

  /// Nil where there is no field.
  var body: [UInt8]? { parts.isEmpty ? nil : parts + Array("--".utf8) + Self.boundary + Array("--\r\n".utf8) }
  var contentType: [UInt8] { Array("multipart/form-data; boundary=".utf8) + Self.boundary }

  /// `value;type=text/plain;filename=a` apart; other semicolons are part of the value.
  static func attributes(_ text: some Collection<UInt8>) -> (value: [UInt8], attributes: [String: [UInt8]]) {
    var pieces = Array(text).split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
    var attributes: [String: [UInt8]] = [:]
    while pieces.count > 1, let last = pieces.last, let equals = last.firstIndex(of: Ascii.equals) {
      let name = String(decoding: last[..<equals].drop(while: Ascii.isBlank), as: UTF8.self).lowercased()
      guard name == "type" || name == "filename" else { break }
      attributes[name] = last[(equals + 1)...].filter { $0 != Ascii.doubleQuote }
      pieces.removeLast()
    }
    return (Array(pieces.joined(separator: [UInt8(ascii: ";")])), attributes)
  }
}

enum DotSegments {
  /// A path without `.` and `..`, its query untouched.
  static func removed(from target: [UInt8]) -> [UInt8] {
    let path = target.prefix { $0 != UInt8(ascii: "?") }
    let query = target[path.endIndex...]
    var segments: [ArraySlice<UInt8>] = []
    let all = path.dropFirst().split(separator: Ascii.slash, omittingEmptySubsequences: false)
    for (index, segment) in all.enumerated() {
      let isDot = segment.elementsEqual(".".utf8)
      let isParent = segment.elementsEqual("..".utf8)
      if isParent, !segments.isEmpty { segments.removeLast() }
      if !isDot, !isParent { segments.append(segment) } else if index == all.count - 1 { segments.append([]) }
    }
    return [Ascii.slash] + segments.joined(separator: [Ascii.slash]) + query
  }
}
