// What is secret is in no report, no history and no answer of the pages, whatever rules make of it.

import Foundation
import GuardRules
import Resources
import Testing

@testable import Governance

@Suite struct SecretOutputTests {
  private static let rules = """
    let all = Resources.*[ Type == 'AWS::IAM::User' ]
    rule plain { %all.Properties.UserName == 'n' }
    rule upper { let v = to_upper(%all.Properties.UserName)
      %v == 'n' <<too loud>> }
    rule lower { let v = to_lower(%all.Properties.UserName)
      %v == 'n' }
    rule part { let v = substring(%all.Properties.UserName, 1, 8)
      %v == 'n' }
    rule joined { let v = join(%all.Properties.UserName, '-')
      %v == 'n' }
    rule replaced { let v = regex_replace(%all.Properties.UserName, '^(.)(.*)$', '$2$1')
      %v == 'n' }
    rule decoded { let v = url_decode(%all.Properties.UserName)
      %v == 'n' }
    rule parsed { let v = json_parse(%all.Properties.UserName)
      %v.* == 'n' }
    rule number { let v = parse_int(%all.Properties.UserName)
      %v == 5 }
    rule whole { %all.Properties == {} }
    rule named { %all.Properties[ keys == /./ ] == 'n' }
    rule key { let v = %all.Properties.UserName
      %all.Properties.%v exists }
    rule wanted { %all.Properties.Path == %all.Properties.UserName }
    rule resource { %all { this == 'n' } }
    rule parameters when Parameters exists { Parameters.*.Default == 'n'
      Parameters == 'n' }
    """

  private static let secret = "QzJxWkVqZK"
  private static var pieces: [String] {
    let letters = Array(secret.lowercased())
    return (0...(letters.count - 4)).map { String(letters[$0..<$0 + 4]) }
  }

  private static func isClean(_ text: String, _ what: Comment) {
    let lower = text.lowercased()
    for piece in pieces { #expect(!lower.contains(piece), what) }
  }

  private func result(_ folder: TestFolder) throws -> CheckResult {
    let template = """
      Parameters: {P: {Type: String, NoEcho: true, Default: \(Self.secret)}}
      Resources:
        U: {Type: 'AWS::IAM::User', Properties: {UserName: !Ref P, Path: !Sub '/${P}/'}}
        V: {Type: 'AWS::IAM::User', Properties: {UserName: !Join ['', ['x', !Ref P]], Path: /open/}}
      """
    let plan =
      #"{"format_version":"1.2","resource_changes":[{"address":"aws_iam_user.u","mode":"managed","type":"aws_iam_user","change":{"actions":["create"],"after":{"name":"\#(Self.secret)","path":"/\#(Self.secret)/","tags":{"k":"{\"\#(Self.secret)\":1}"}},"after_unknown":{},"after_sensitive":{"name":true,"path":true,"tags":true}}}]}"#
    try Data(template.utf8).write(to: URL(fileURLWithPath: folder.file("t.yaml")))
    try Data(plan.utf8).write(to: URL(fileURLWithPath: folder.file("plan.json")))
    return try Check(try RuleSet(text: Self.rules, name: "t.guard"), now: 0)
      .run([folder.file("t.yaml"), folder.file("plan.json")])
  }

  @Test func noReportShowsASecret() throws {
    let folder = try TestFolder()
    let result = try result(folder)
    #expect(result.findings.count > 20 && result.findings.count { $0.found == "(hidden)" } > 10)
    #expect(result.findings.contains { $0.message == "too loud" && $0.found == "(hidden)" })
    // Functions that refuse a value say so.
    #expect(result.faults.contains { $0.contains("parse_int of (hidden)") })
    let encoder = JSONEncoder()
    func json(_ value: some Encodable) throws -> String {
      String(decoding: try encoder.encode(value), as: UTF8.self)
    }
    Self.isClean(result.faults.joined(), "faults")
    Self.isClean("\(result.findings)", "text")
    Self.isClean(try json(result.findings), "JSON")
    Self.isClean(try json(SARIF(result, version: "1")), "SARIF")
    Self.isClean(JUnit.text(result), "JUnit")
    Self.isClean(CSVReport.text(result), "CSV")
    for language in ReportLanguage.allCases {
      var context = ReportContext(at: 1_795_680_000, version: "1")
      context.language = language
      Self.isClean(HTMLReport(result, context).text, "HTML")
      Self.isClean(try json(OCSF(result, context)), "OCSF")
      Self.isClean(try json(ASFF(result, context)), "ASFF")
      Self.isClean(PullRequestComment.text(result, language: language), "comment")
    }
  }

  @Test func noHistoryAndNoPageShowsASecret() throws {
    let folder = try TestFolder()
    let result = try result(folder)
    let data = try TestFolder()
    let history = try FindingHistory(data.path)
    let change = try history.record(
      result, scope: [folder.file("t.yaml"), folder.file("plan.json")], source: "check", at: 1_000)
    #expect(change.opened.count > 20)
    let encoder = JSONEncoder()
    Self.isClean(String(decoding: try encoder.encode(change.told), as: UTF8.self), "changes")
    let pages = HistoryPages(data.path, now: { 2_000 })
    var asked: [[String]] = [["summary"], ["trend"], ["findings"], ["rules"], ["accounts"]]
    asked += change.opened.map { ["findings", $0.id] }
    for path in asked {
      guard case .json(let bytes, _) = pages.answer(path, [:], tag: nil) else {
        Issue.record("\(path) has no answer")
        continue
      }
      Self.isClean(String(decoding: bytes, as: UTF8.self), "\(path)")
    }
    // Nor the files themselves.
    for name in try FileManager.default.contentsOfDirectory(atPath: data.path) {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: data.file(name)))
      Self.isClean(String(decoding: bytes, as: UTF8.self), "\(name)")
    }
  }
}
