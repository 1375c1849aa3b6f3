// Requests and responses that a browser has recorded: HTTP Archive (HAR) 1.2, "log", "entries".
//
// A browser writes HTTP/2 with pseudo-headers; they become the line of the request and a Host header, as a proxy sees it.
// Entries that went over no wire (data:, blob: and the browser's own addresses) are no requests, and left out.

extension CapturedRequest {
  /// All entries of a file, with their responses.
  public static func har(_ bytes: [UInt8], file: String) throws(CaptureFault) -> [CapturedRequest] {
    let json: CapturedJSON
    do throws(CapturedJSON.Fault) { json = try CapturedJSON(bytes) } catch {
      throw CaptureFault(
        place: "\(file):\(error.line):\(error.column)", found: error.found, wanted: "JSON: \(error.wanted)")
    }
    guard let entries = json["log"]?["entries"]?.elements else {
      throw CaptureFault(
        place: file, found: "JSON without log.entries", wanted: "an HTTP archive, as browsers save it")
    }
    var requests: [CapturedRequest] = []
    for (index, entry) in entries.enumerated() where !isLocal(entry["request"]?["url"]?.text ?? "") {
      requests.append(try CapturedRequest(entry: entry, place: "\(file): entry \(index + 1)"))
    }
    return requests
  }

  private static func isLocal(_ url: String) -> Bool {
    ["data:", "blob:", "about:", "file:", "chrome:", "chrome-extension:", "moz-extension:"]
      .contains { url.lowercased().hasPrefix($0) }
  }

  private init(entry: CapturedJSON, place: String) throws(CaptureFault) {
    self.init()
    guard let request = entry["request"], let method = request["method"]?.bytes,
      let url = request["url"]?.bytes
    else {
      throw CaptureFault(place: place, found: "no request with a method and a url", wanted: "both, as text")
    }
    guard let parts = URLParts(url), ByteSearch.range(of: Array("://".utf8), in: url) != nil else {
      throw CaptureFault(
        place: place, found: "the url `\(ArgumentText.excerpt(url, limit: 60))`",
        wanted: "http:// or https:// and a host")
    }
    id = "\(place), \(ArgumentText.excerpt(method)) \(ArgumentText.excerpt(parts.target, limit: 60))"
    self.method = method
    uri = parts.target
    version = Self.version(request["httpVersion"]?.text ?? "")
    headers = Self.fields(request["headers"])
    if header("host") == nil { headers.insert(Header(name: Array("Host".utf8), value: parts.host), at: 0) }
    if let data = request["postData"] { body = try Self.content(data, place) }
    if let answer = entry["response"], let status = answer["status"]?.integer, status > 0 {
      var response = Response()
      response.status = status
      response.headers = Self.fields(answer["headers"])
      if let content = answer["content"] { response.body = try Self.content(content, place) }
      self.response = response
    }
  }

  private static func version(_ text: String) -> [UInt8] {
    switch text.lowercased() {
    case "http/1.0": Array("HTTP/1.0".utf8)
    case "h2", "http/2", "http/2.0": Array("HTTP/2.0".utf8)
    case "h3", "http/3", "http/3.0": Array("HTTP/3.0".utf8)
    default: Array("HTTP/1.1".utf8)
    }
  }

  private static func fields(_ json: CapturedJSON?) -> [Header] {
    (json?.elements ?? []).compactMap { pair in
      guard let name = pair["name"]?.bytes, let value = pair["value"]?.bytes, name.first != Ascii.colon else {
        return nil
      }
      return Header(name: name, value: value)
    }
  }

  /// `text`, perhaps in base64; else a form's `params`.
  private static func content(_ json: CapturedJSON, _ place: String) throws(CaptureFault) -> [UInt8] {
    if let text = json["text"]?.bytes {
      guard json["encoding"]?.text == "base64" else { return text }
      guard let bytes = base64(text) else {
        throw CaptureFault(
          place: place, found: "content that is no base64", wanted: "base64, as its encoding says")
      }
      return bytes
    }
    let pairs = (json["params"]?.elements ?? []).map { pair in
      FormText.encoded(pair["name"]?.bytes ?? []) + [Ascii.equals]
        + FormText.encoded(pair["value"]?.bytes ?? [])
    }
    return Array(pairs.joined(separator: [Ascii.ampersand]))
  }
}

/// Where a URL leads, and what is asked for there (RFC 3986).
struct URLParts {
  var host: [UInt8] = []
  /// Path and query, as sent.
  var target: [UInt8] = []
  /// What stands before an @.
  var user: [UInt8]?

  /// Nil without a host, or with a scheme that isn't HTTP. Without a scheme, HTTP is meant.
  init?(_ url: [UInt8]) {
    var rest = url[...]
    if let scheme = ByteSearch.range(of: Array("://".utf8), in: url) {
      let name = String(decoding: url[..<scheme], as: UTF8.self).lowercased()
      guard name == "http" || name == "https" else { return nil }
      rest = url[(scheme + 3)...]
    }
    rest = rest.prefix { $0 != Ascii.hash }
    let ends: Set = [Ascii.slash, UInt8(ascii: "?")]
    var authority = rest.prefix { !ends.contains($0) }
    target = Array(rest[authority.endIndex...])
    if target.first != Ascii.slash { target.insert(Ascii.slash, at: 0) }
    if let at = authority.lastIndex(of: Ascii.at) {
      user = Array(authority[..<at])
      authority = authority[(at + 1)...]
    }
    host = Array(authority)
    guard !host.isEmpty else { return nil }
  }
}

enum ByteSearch {
  /// The offset of the first `part`.
  static func range(of part: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= part.count else { return nil }
    return (0...(bytes.count - part.count)).first { bytes[$0..<($0 + part.count)].elementsEqual(part) }
  }
}

/// application/x-www-form-urlencoded.
enum FormText {
  static func encoded(_ bytes: [UInt8], blank: [UInt8] = [UInt8(ascii: "+")]) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    let marks = Array("-._~".utf8)
    return bytes.flatMap { byte -> [UInt8] in
      if byte == 0x20 { return blank }
      let isPlain = Ascii.isWord(byte) || marks.contains(byte)
      return isPlain ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
  }

  /// RFC 4648, section 4.
  static func base64(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
      for index in 0..<4 {
        result.append(index <= group.count ? digits[bits >> (18 - 6 * index) & 63] : Ascii.equals)
      }
    }
    return result
  }
}
