// A regression test of ModSecurity v3 (folder modsecurity-regression of the test data): rules, one request and its
// response, and what must come of it. Objects repeat keys (headers) and misspell some.

import Firewall
import Foundation

struct ModSecurityCase: Sendable {
  struct Expectation: Sendable {
    var httpCode: Int?
    var redirectURL: String?
    /// Regular expressions, to be found anywhere.
    var debugLog: [String] = []
    var errorLog: [String] = []
    var auditLog: [String] = []
    var parserError: String?
  }

  let file: String
  let title: String
  let isEnabled: Bool
  /// What it needs: `lua`, `libxml2`, `curl` and so on.
  let resource: String?
  let rules: String
  let client: (address: String, port: Int)
  let server: (address: String, port: Int)
  let request: TestRequest
  /// Nil where the test has none.
  let response: (status: Int, version: String, headers: [TestRequest.Header], body: [UInt8])?
  let expected: Expectation

  /// `action-id.json: Testing Action :: id (2/6)`.
  var name: String { "\(file): \(title)" }

  /// All tests, in order.
  static func all() throws -> [ModSecurityCase] {
    try FirewallData.files(in: "modsecurity-regression/regression", ending: ".json").flatMap { path in
      let document = try CapturedJSON(try FirewallData.bytes(path))
      let file = URL(fileURLWithPath: path).lastPathComponent
      return (document.elements ?? []).map { ModSecurityCase($0, file: file) }
    }
  }

  init(_ json: CapturedJSON, file: String) {
    self.file = file
    title = json["title"]?.text ?? ""
    isEnabled = json["enabled"]?.integer != 0
    resource = json["resource"]?.text
    rules = (json["rules"]?.elements ?? []).compactMap(\.text).joined(separator: "\n")
    client = (json["client"]?["ip"]?.text ?? "127.0.0.1", json["client"]?["port"]?.integer ?? 0)
    server = (json["server"]?["ip"]?.text ?? "127.0.0.1", json["server"]?["port"]?.integer ?? 0)
    let request = json["request"]
    self.request = TestRequest(
      id: "\(file): \(title)", client: client.address, method: request?["method"]?.text ?? "GET",
      uri: request?["uri"]?.text ?? "/",
      version: "HTTP/" + (request?["http_version"]?.text ?? "1.1"),
      headers: Self.headers(request?["headers"]), body: Self.body(request?["body"]))
    if let response = json["response"] {
      self.response = (
        200, response["protocol"]?.text ?? "HTTP/1.1", Self.headers(response["headers"]),
        Self.body(response["body"])
      )
    } else {
      self.response = nil
    }
    var expected = Expectation()
    for (name, value) in json["expected"]?.members ?? [] {
      guard let text = value.text else { continue }
      switch name {
      case "http_code": expected.httpCode = value.integer
      case "redirect_url": expected.redirectURL = text
      case "debug_log", "debug_logs": expected.debugLog.append(text)
      case "error_log", "error_logs": expected.errorLog.append(text)
      case "audit_log", "audit_logs": expected.auditLog.append(text)
      case "parser_error": expected.parserError = text
      default: break
      }
    }
    self.expected = expected
  }

  private static func headers(_ json: CapturedJSON?) -> [TestRequest.Header] {
    (json?.members ?? []).map { .init(name: Array($0.name.utf8), value: $0.value.bytes ?? []) }
  }

  /// Lines, each with a line feed, the last one too; a plain "" is an empty body.
  private static func body(_ json: CapturedJSON?) -> [UInt8] {
    guard let lines = json?.elements else { return json?.bytes ?? [] }
    return lines.flatMap { ($0.bytes ?? []) + [10] }
  }

  /// Where the paths of these rules lead. libmodsecurity looks at its working folder first, so that an included file
  /// may name its own folder once more.
  static var loader: DiskLoader {
    let data = FirewallData.folder + "/modsecurity-regression/data"
    return DiskLoader(
      replacing: [("test-cases/data/test-cases/data", data), ("test-cases/data", data)])
  }
}
