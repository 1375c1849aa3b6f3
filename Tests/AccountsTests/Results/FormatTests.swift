// Reports for others: what their formats demand of fields and lengths, and that other people's text stays text.

import Foundation
import GuardRules
import Testing

@testable import Governance

@Suite struct FormatTests {
  private func json(_ value: some Encodable) throws -> Any {
    try JSONSerialization.jsonObject(with: JSONEncoder().encode(value))
  }
  private var context: ReportContext { ReportContext(at: 1_795_680_000, version: "9.9.9") }

  @Test func asffHasWhatTheFormatDemands() throws {
    let findings = (0..<205).map { Finding.made(of: "bucket-\($0)") }
    let batches = try #require(try json(ASFF(.made(findings), context)) as? [[String: Any]])
    let lists = batches.compactMap { $0["Findings"] as? [[String: Any]] }
    #expect(lists.map(\.count) == [100, 100, 5])
    let first = try #require(lists.first?.first)
    for key in [
      "SchemaVersion", "Id", "ProductArn", "GeneratorId", "AwsAccountId", "Types", "CreatedAt", "UpdatedAt",
      "Severity", "Title", "Description", "Resources",
    ] { #expect(first[key] != nil, "\(key)") }
    #expect(first["SchemaVersion"] as? String == "2018-10-08")
    #expect(first["AwsAccountId"] as? String == "111122223333")
    #expect(
      first["ProductArn"] as? String
        == "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default")
    #expect((first["Severity"] as? [String: String])?["Label"] == "HIGH")
    #expect((first["Resources"] as? [[String: String]])?.first?["Type"] == "AwsS3Bucket")
    #expect(first["CreatedAt"] as? String == "2026-11-26T08:00:00Z")
    #expect(Set(lists.joined().compactMap { $0["Id"] as? String }).count == 205)
  }

  @Test func junitTellsWhatNoRuleWasAskedAbout() {
    let shape = Finding.made("kabuto_shape", of: "web", status: "UNKNOWN")
    let text = JUnit.text(.made([shape, .made()], [("s3_public", .fail)]))
    #expect(text.contains(#"tests="2" failures="1" errors="1""#))
    #expect(text.contains(#"<testcase name="kabuto_shape web""#) && text.contains("<error message="))
  }

  @Test func sarifHasEachTagOnce() throws {
    var finding = Finding.made()
    finding.controls = ["CIS 2.1", "CIS 2.1", "security"]
    let report = try #require(try json(SARIF(.made([finding]), version: "1")) as? [String: Any])
    let run = try #require((report["runs"] as? [[String: Any]])?.first)
    let driver = (run["tool"] as? [String: [String: Any]])?["driver"]
    let rule = try #require((driver?["rules"] as? [[String: Any]])?.first)
    #expect((rule["properties"] as? [String: Any])?["tags"] as? [String] == ["security", "CIS 2.1"])
  }

  @Test func asffKeepsLengthsAndStatuses() throws {
    let long = String(repeating: "長", count: 3_000)
    let findings: [Finding] = [
      .made(found: long, title: long), .made(of: "", path: "", status: "UNKNOWN", severity: .info, type: ""),
      .made(of: "b3", status: "EXCEPTED", exception: "EX-1"),
    ]
    let batches = try #require(try json(ASFF(.made(findings), context)) as? [[String: Any]])
    let all = batches.flatMap { $0["Findings"] as? [[String: Any]] ?? [] }
    func length(_ text: Any?) -> Int { (text as? String)?.unicodeScalars.count ?? 0 }
    #expect(
      all.allSatisfy {
        length($0["Title"]) <= 256 && length($0["Description"]) <= 1_024 && length($0["Id"]) <= 512
      })
    #expect(length(all[0]["Title"]) == 256)
    let status = all.map { ($0["Compliance"] as? [String: Any])?["Status"] as? String }
    #expect(status == ["FAILED", "WARNING", "FAILED"])
    #expect(all.map { ($0["Workflow"] as? [String: String])?["Status"] } == ["NEW", "NEW", "SUPPRESSED"])
    #expect((all[1]["Severity"] as? [String: String])?["Label"] == "INFORMATIONAL")
    #expect((all[1]["Resources"] as? [[String: String]])?.first?["Type"] == "AwsAccount")
  }

  @Test func ocsfHasWhatTheClassDemands() throws {
    let findings: [Finding] = [
      .made(severity: .critical), .made(of: "b2", status: "UNKNOWN"),
      .made(of: "b3", status: "EXCEPTED", exception: "EX-1"),
    ]
    let events = try #require(try json(OCSF(.made(findings), context)) as? [[String: Any]])
    #expect(events.count == 3)
    for event in events {
      #expect(event["class_uid"] as? Int == 2003 && event["category_uid"] as? Int == 2)
      #expect(event["type_uid"] as? Int == 2003 * 100 + (event["activity_id"] as? Int ?? -1))
      #expect(event["time"] as? Int == 1_795_680_000_000)
      for key in ["severity_id", "metadata", "finding_info", "compliance", "cloud", "resources"] {
        #expect(event[key] != nil, "\(key)")
      }
      let metadata = event["metadata"] as? [String: Any]
      #expect(metadata?["version"] as? String == "1.3.0")
      #expect((metadata?["product"] as? [String: String])?["vendor_name"] == "Kabuto")
    }
    #expect(events.map { $0["severity_id"] as? Int } == [5, 4, 4])
    #expect(events.map { ($0["compliance"] as? [String: Any])?["status_id"] as? Int } == [3, 2, 3])
    #expect(events.map { $0["status_id"] as? Int } == [1, 1, 3])
  }

  @Test func csvGuardsFormulasAndQuotes() {
    for (text, wanted) in [
      ("plain", "plain"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\r\nb", "\"a\r\nb\""),
      ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
      ("\t=1", "\"'\t=1\""), ("a;=1+1", "\"a;=1+1\""), ("a\t=1", "\"a\t=1\""), ("\r\n=1", "\"'\r\n=1\""),
      ("=1,2", "\"'=1,2\""), ("", ""),
    ] { #expect(CSVReport.field(text) == wanted) }
    let text = CSVReport.text(.made([.made(of: "=HYPERLINK(\"http://x\")")]))
    let lines = text.components(separatedBy: "\r\n")
    #expect(lines[0].hasPrefix("id,status,severity,rule,"))
    #expect(lines[1].contains(",\"'=HYPERLINK(\"\"http://x\"\")\","))
  }

  @Test func nothingInACommentBecomesALinkOrMarkdown() {
    for (text, wanted) in [
      ("https://evil.example/x", "https&#58;//evil.example/x"), ("www.evil.example", "www&#46;evil.example"),
      ("WWW.evil.example", "WWW&#46;evil.example"), ("ww.x", "ww.x"), ("~~x~~", "&#126;&#126;x&#126;&#126;"),
      ("$x$", "&#36;x&#36;"), ("\\*", "&#92;&#42;"), ("me@evil.example", "me&#64;<wbr>evil.example"),
    ] { #expect(PullRequestComment.escaped(text) == wanted) }
  }

  @Test func htmlEscapesEverythingThatIsOthers() {
    let evil = "<script>alert(1)</script><img src=x onerror='a'>\"&\u{202E}"
    let finding = Finding.made(
      evil, in: evil, of: evil, path: evil, found: evil, type: evil, clause: evil, title: evil,
      exception: evil)
    var result = CheckResult.made([finding])
    result.faults = [evil]
    for language in ReportLanguage.allCases {
      var context = context
      context.language = language
      let text = HTMLReport(result, context).text
      #expect(!text.contains("<script") && !text.contains("<img") && !text.contains("onerror='"))
      #expect(!text.contains("\u{202E}"))
      #expect(text.contains("&lt;script&gt;"))
      #expect(text.contains("<html lang=\"\(language.rawValue)\">"))
      #expect(!text.contains("http://") && !text.contains("https://"), "nothing comes from elsewhere")
      #expect(!text.contains(" style=\""), "its policy allows no style but its own")
      #expect(text.contains(language == .japanese ? "検出値" : "Found"))
    }
  }

  @Test func htmlShowsTheTrendWhereThereIsOne() {
    var context = context
    func counts(_ high: Int) -> FindingCounts {
      FindingCounts(critical: 0, high: high, medium: 0, low: 0, info: 0, unknown: 2, excepted: 0)
    }
    #expect(!HTMLReport(.made([.made()]), context).text.contains("<svg"))
    context.trend = [
      TrendPoint(at: "2026-11-01T00:00:00Z", open: counts(4)),
      TrendPoint(at: "2026-11-02T00:00:00Z", open: counts(1)),
    ]
    let text = HTMLReport(.made([.made()]), context).text
    #expect(text.contains("<svg") && text.contains("2026-11-02T00:00:00Z"))
  }

  @Test func sarifTellsSeverityAndHelp() throws {
    let findings: [Finding] = [
      .made("a", severity: .critical), .made("b", severity: .medium), .made("c", severity: .info),
      .made("d", status: "UNKNOWN", severity: .high),
    ]
    let log = try #require(try json(SARIF(.made(findings), version: "9.9.9")) as? [String: Any])
    let run = try #require((log["runs"] as? [[String: Any]])?.first)
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(results.map { $0["level"] as? String } == ["error", "warning", "note", "none"])
    #expect(results.map { $0["kind"] as? String } == ["fail", "fail", "fail", "open"])
    let driver = try #require((run["tool"] as? [String: Any])?["driver"] as? [String: Any])
    let rules = try #require(driver["rules"] as? [[String: Any]])
    #expect(
      rules.map { ($0["properties"] as? [String: Any])?["security-severity"] as? String } == [
        "9.5", "5.5", "0.0", "8.0",
      ])
    #expect(
      rules.allSatisfy { ($0["help"] as? [String: String])?["text"] == "Set AccessControl to Private." })
    for result in results {
      let index = try #require(result["ruleIndex"] as? Int)
      #expect(rules[index]["id"] as? String == result["ruleId"] as? String)
      #expect((result["partialFingerprints"] as? [String: String])?["kabutoFinding/v1"]?.count == 32)
    }
  }

  @Test func identityIsStable() {
    // Known answer: half of SHA-256 over each part with its length before it.
    #expect(
      FindingIdentity(rule: "r", input: "i", resource: "", path: "p").id
        == String(HexText.hash("1:r1:i0:1:p").prefix(32)))
    #expect(
      FindingIdentity(rule: "ab", input: "c", resource: "", path: "").id
        != FindingIdentity(rule: "a", input: "bc", resource: "", path: "").id)
  }
}
