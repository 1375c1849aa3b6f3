// One request of a test corpus, as bytes, and how it is written down for other engines (a JSON object on a line).

import Foundation

struct TestRequest: Sendable, Equatable {
  struct Header: Sendable, Equatable {
    var name: [UInt8]
    var value: [UInt8]

    init(name: [UInt8], value: [UInt8]) {
      self.name = name
      self.value = value
    }

    init(_ name: String, _ value: String) {
      self.init(name: Array(name.utf8), value: Array(value.utf8))
    }

    func isNamed(_ other: String) -> Bool {
      String(decoding: name, as: UTF8.self).lowercased() == other.lowercased()
    }
  }

  /// What it is called in results: `942100-1`, `access-log:17`.
  var id: String
  var client = "127.0.0.1"
  var method: [UInt8]
  var uri: [UInt8]
  var version: [UInt8]
  var headers: [Header]
  var body: [UInt8]
  /// Lines of a raw request end with LF alone: a strict server refuses that.
  var hasBareLineFeeds = false

  init(
    id: String, client: String = "127.0.0.1", method: String = "GET", uri: String = "/",
    version: String = "HTTP/1.1", headers: [Header] = [], body: [UInt8] = []
  ) {
    self.id = id
    self.client = client
    self.method = Array(method.utf8)
    self.uri = Array(uri.utf8)
    self.version = Array(version.utf8)
    self.headers = headers
    self.body = body
  }

  func value(_ name: String) -> String? {
    headers.first { $0.isNamed(name) }.map { String(decoding: $0.value, as: UTF8.self) }
  }

  /// Takes a request apart as leniently as can be: lines end with LF or CRLF, a colon parts name and value, and what
  /// makes no sense is kept where it stands.
  init(id: String, raw: [UInt8]) {
    self.init(id: id)
    var lines: [[UInt8]] = []
    var at = 0
    while at < raw.count {
      let end = raw[at...].firstIndex(of: 10) ?? raw.count
      var line = Array(raw[at..<end])
      if line.last == 13 { line.removeLast() } else { hasBareLineFeeds = true }
      at = end + 1
      if line.isEmpty { break }
      lines.append(line)
    }
    body = at < raw.count ? Array(raw[at...]) : []
    guard let first = lines.first else { return }
    let parts = first.split(separator: 32, maxSplits: 1, omittingEmptySubsequences: false)
    method = Array(parts[0])
    let rest = parts.count > 1 ? parts[1] : []
    if let space = rest.lastIndex(of: 32) {
      uri = Array(rest[..<space])
      version = Array(rest[(space + 1)...])
    } else {
      uri = Array(rest)
      version = []
    }
    for line in lines.dropFirst() {
      let colon = line.firstIndex(of: 58) ?? line.endIndex
      let value = line.dropFirst(colon + 1).drop { $0 == 32 || $0 == 9 }
      headers.append(Header(name: Array(line[..<colon]), value: Array(value)))
    }
  }

  /// `{"id":…,"client":…,"method":…,"uri":…,"version":…,"headers":[[n,v],…],"body_base64":…}`, as
  /// `kabuto firewall check` reads it. Where bytes aren't UTF-8, `uri_base64` and `headers_base64` stand instead.
  var jsonLine: String {
    func isText(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }
    func base64(_ bytes: [UInt8]) -> String { "\"\(Data(bytes).base64EncodedString())\"" }
    func text(_ bytes: [UInt8]) -> String { Self.quoted(String(decoding: bytes, as: UTF8.self)) }
    let areHeadersText = headers.allSatisfy { isText($0.name) && isText($0.value) }
    let code = areHeadersText ? text : base64
    let fields = headers.map { "[\(code($0.name)),\(code($0.value))]" }.joined(separator: ",")
    let parts = [
      "\"id\":\(Self.quoted(id))", "\"client\":\(Self.quoted(client))", "\"method\":\(text(method))",
      isText(uri) ? "\"uri\":\(text(uri))" : "\"uri_base64\":\(base64(uri))", "\"version\":\(text(version))",
      "\"headers\(areHeadersText ? "" : "_base64")\":[\(fields)]", "\"body_base64\":\(base64(body))",
    ]
    return "{" + parts.joined(separator: ",") + "}"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
