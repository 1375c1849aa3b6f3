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
  let response: TestResponse
  let expected: Expectation

  /// `action-id.json: Testing Action :: id (2/6)`.
  var name: String { "\(file): \(title)" }

  /// libmodsecurity takes a list of actions whose double quote is never closed, to the end of its line. It is a fault
  /// here: in a file, that quote would swallow the rule below.
  static let unclosed: Set = [
    "issue-1831.json: Invalid actions break CRS 3.1 on rule 912160 - 1",
    "issue-1831.json: Invalid actions break CRS 3.1 on rule 912160 - 2",
    "issue-1960.json: SecRuleEngine DetectionOnly with disruptive SecDefaultAction",
    "rule-920200.json: Testing Byte ranges :: OWASP CRS id:920200",
  ]

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
    var response = TestResponse(headers: [])
    if let given = json["response"] {
      if let version = given["protocol"]?.text { response.version = version }
      response.headers = Self.headers(given["headers"])
      response.body = Self.body(given["body"])
    }
    self.response = response
    var expected = Expectation()
    // Two tests have it twice.
    let expectations = (json.members ?? []).filter { $0.name == "expected" }.flatMap {
      $0.value.members ?? []
    }
    for (name, value) in expectations {
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

  /// The rules, with the double quote that four tests never close: libmodsecurity takes the line's end for it.
  var mendedRules: String {
    guard Self.unclosed.contains(name) else { return rules }
    return rules.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let bare = line.replacing("\\\"", with: "")
      return bare.count { $0 == "\"" } % 2 == 1 ? line + "\"" : String(line)
    }.joined(separator: "\n")
  }

  /// Ids of the rules among these directives.
  func ruleIDs(_ directives: [DirectiveSyntax]) -> Set<Int> {
    Set(
      directives.compactMap { directive in
        guard case .rule(let rule) = directive.kind else { return nil }
        return rule.actions.first { $0.name == "id" }?.argument.flatMap { Int($0) }
      })
  }

  /// Where the paths of these rules lead. libmodsecurity looks at its working folder first, so that an included file
  /// may name its own folder once more.
  static var loader: DiskLoader {
    let data = FirewallData.folder + "/modsecurity-regression/data"
    return DiskLoader(
      replacing: [("test-cases/data/test-cases/data", data), ("test-cases/data", data)])
  }
}
