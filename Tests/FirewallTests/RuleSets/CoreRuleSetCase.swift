// A test of the OWASP Core Rule Set (folder crs-3.3-tests of the test data): a request, and which rule must or mustn't
// match it. The request is completed as the set's own runner (ftw 1.3.0) does, unless the test says `stop_magic`.
//
// Every scalar is read as text: YAML would make numbers and booleans of `version: 1.1` and `Content-Length: 0`.

import Foundation
import Yams

struct CoreRuleSetCase: Sendable {
  enum Expectation: Sendable, Equatable {
    case match(rule: Int)
    case noMatch(rule: Int)
    /// The response's status is one of these. Detection never denies, so a 4xx comes from the server in front.
    case status([Int])
    /// The connection may break without an answer.
    case mayBreak
    /// Looks for a text that never occurs.
    case provesNothing
  }

  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  /// `942100-1`.
  let title: String
  /// `942100.yaml`.
  let file: String
  let isEnabled: Bool
  let request: TestRequest
  let expectations: [Expectation]

  /// The rule that the test is about: the number its title begins with.
  var rule: Int { Int(title.prefix { $0.isNumber }) ?? 0 }

  /// All tests of a folder, by file.
  static func all(in folder: String) throws -> [CoreRuleSetCase] {
    try FirewallData.files(in: folder, ending: ".yaml").flatMap { path -> [CoreRuleSetCase] in
      let text = String(decoding: try FirewallData.bytes(path), as: UTF8.self)
      let file = URL(fileURLWithPath: path).lastPathComponent
      guard let document = try Yams.compose(yaml: text), let tests = document["tests"]?.sequence else {
        throw Malformed(description: "\(file): no tests")
      }
      let isEnabled = document["meta"]?["enabled"]?.scalar?.string != "false"
      return try tests.map { try CoreRuleSetCase($0, file: file, isEnabled: isEnabled) }
    }
  }

  private init(_ test: Node, file: String, isEnabled: Bool) throws {
    self.file = file
    self.isEnabled = isEnabled
    title = test["test_title"]?.scalar?.string ?? "?"
    guard let stages = test["stages"]?.sequence, stages.count == 1, let stage = stages.first?["stage"],
      let input = stage["input"], let output = stage["output"]
    else { throw Malformed(description: "\(file): \(title) hasn't one stage") }
    request = try Self.request(input, id: title)
    expectations = try Self.expectations(output, title: title)
    guard !expectations.isEmpty else { throw Malformed(description: "\(file): \(title) expects nothing") }
  }

  private static func text(_ node: Node?) -> String? {
    guard let scalar = node?.scalar else { return nil }
    // `data:` with nothing behind it.
    return scalar.style == .plain && scalar.string == "~" ? "" : scalar.string
  }

  private static func request(_ input: Node, id: String) throws -> TestRequest {
    if let encoded = text(input["encoded_request"]) {
      guard let raw = Data(base64Encoded: encoded, options: .ignoreUnknownCharacters) else {
        throw Malformed(description: "\(id): encoded_request isn't base64")
      }
      return TestRequest(id: id, raw: [UInt8](raw))
    }
    if let raw = text(input["raw_request"]) { return TestRequest(id: id, raw: Array(raw.utf8)) }
    var request = TestRequest(id: id)
    if let method = text(input["method"]) { request.method = Array(method.utf8) }
    if let uri = text(input["uri"]) { request.uri = Array(uri.utf8) }
    if let version = text(input["version"]) { request.version = Array(version.utf8) }
    if let headers = input["headers"]?.mapping {
      request.headers = headers.map { .init(text($0.key) ?? "", text($0.value) ?? "") }
    }
    if let lines = input["data"]?.sequence {
      request.body = Array(lines.map { text($0) ?? "" }.joined(separator: "\r\n").utf8)
    } else if let data = text(input["data"]) {
      request.body = Array(data.utf8)
    }
    if text(input["stop_magic"]) != "true", !request.body.isEmpty { request.complete() }
    return request
  }

  private static func expectations(_ output: Node, title: String) throws -> [Expectation] {
    var result: [Expectation] = []
    if let text = text(output["log_contains"]) {
      guard let rule = rule(in: text) else { throw Malformed(description: "\(title): log_contains \(text)") }
      result.append(.match(rule: rule))
    }
    if let text = text(output["no_log_contains"]) {
      // A log says `[id "921140"]`, never `id:921140`.
      if text.hasPrefix("id:") {
        result.append(.provesNothing)
      } else {
        guard let rule = rule(in: text) else {
          throw Malformed(description: "\(title): no_log_contains \(text)")
        }
        result.append(.noMatch(rule: rule))
      }
    }
    if let status = output["status"] {
      let numbers = (status.sequence.map(Array.init) ?? [status]).compactMap { text($0).flatMap { Int($0) } }
      result.append(.status(numbers))
    }
    if text(output["expect_error"]) == "true" { result.append(.mayBreak) }
    return result
  }

  /// The number in `id "942100"`, `id "942480` or `930120`.
  private static func rule(in text: String) -> Int? {
    let digits = text.filter(\.isNumber)
    return digits.count == 6 ? Int(digits) : nil
  }
}

extension TestRequest {
  /// What ftw adds to a request with a body: a type, the encoding of a form that isn't encoded yet, and the length.
  mutating func complete() {
    let form = "application/x-www-form-urlencoded"
    if value("Content-Type") == nil { headers.append(.init("Content-Type", form)) }
    if value("Content-Type") == form, let encoded = Self.encodedForm(body) { body = encoded }
    if value("Content-Length") == nil { headers.append(.init("Content-Length", String(body.count))) }
  }

  /// A form encoded again, as Python's `urlencode(parse_qsl(…))` does; nil where it is encoded, or no form.
  private static func encodedForm(_ body: [UInt8]) -> [UInt8]? {
    for (index, byte) in body.enumerated() where byte == UInt8(ascii: "%") {
      let digits = body[(index + 1)...].prefix(2)
      if digits.count == 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) { return nil }
    }
    let pairs = body.split(separator: UInt8(ascii: "&")).compactMap { part -> [UInt8]? in
      guard let equals = part.firstIndex(of: UInt8(ascii: "=")), equals + 1 < part.endIndex else {
        return nil
      }
      func again(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        percentEncoded(bytes.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 })
      }
      return again(part[..<equals]) + [UInt8(ascii: "=")] + again(part[(equals + 1)...])
    }
    guard !pairs.isEmpty else { return nil }
    return Array(pairs.joined(separator: [UInt8(ascii: "&")]))
  }

  /// For a query or a form: letters, digits and `_.-~` stay, a blank becomes a plus.
  static func percentEncoded(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    bytes.flatMap { byte -> [UInt8] in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: return [byte]
      case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "~"): return [byte]
      case UInt8(ascii: " "): return [UInt8(ascii: "+")]
      default:
        return Array("%".utf8) + Array((byte < 16 ? "0" : "").utf8)
          + Array(String(byte, radix: 16, uppercase: true).utf8)
      }
    }
  }

  /// Whether a strict HTTP/1.1 server refuses it before any rule is asked (RFC 9112): what Apache does in these tests,
  /// and the proxy's own parser.
  var isRefusedByServer: Bool {
    func isToken(_ bytes: [UInt8]) -> Bool {
      let marks = Set("!#$%&'*+-.^_`|~".utf8)
      return !bytes.isEmpty
        && bytes.allSatisfy {
          0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0 || marks.contains($0)
        }
    }
    guard !hasBareLineFeeds, isToken(method),
      ["HTTP/1.0", "HTTP/1.1"].contains(String(decoding: version, as: UTF8.self))
    else {
      return true
    }
    guard !uri.isEmpty, uri.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return true }
    let isPath = uri.first == UInt8(ascii: "/") || uri.starts(with: "http://".utf8)
    let isForm = String(decoding: method, as: UTF8.self) == "OPTIONS" && uri == [UInt8(ascii: "*")]
    guard isPath || isForm, headers.allSatisfy({ isToken($0.name) }) else { return true }
    let hosts = headers.filter { $0.isNamed("Host") }
    if String(decoding: version, as: UTF8.self) == "HTTP/1.1", hosts.count != 1 { return true }
    if let host = hosts.first, host.value.isEmpty { return true }
    let lengths = headers.filter { $0.isNamed("Content-Length") }
    return lengths.contains { Int(String(decoding: $0.value, as: UTF8.self)) == nil }
  }
}
