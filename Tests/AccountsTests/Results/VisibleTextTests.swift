// Text of others in reports: nothing that a terminal obeys, a spreadsheet reckons or an eye is deceived by.

import GuardRules
import Testing

@testable import Governance

@Suite struct VisibleTextTests {
  @Test(arguments: [
    ("plain ~", "plain ~"), ("日本語 é 👩‍💻", "日本語 é 👩‍💻"),
    ("\u{1B}[31mRED\u{1B}[0m\u{202E}", "\\u{1B}[31mRED\\u{1B}[0m\\u{202E}"),
    ("\u{1B}]0;t\u{7}", "\\u{1B}]0;t\\u{7}"), ("a\nb\tc\r", "a\\nb\\tc\\u{D}"), ("\u{9B}31m", "\\u{9B}31m"),
    ("a\u{200B}b\u{2066}\u{FEFF}\u{E0041}", "a\\u{200B}b\\u{2066}\\u{FEFF}\\u{E0041}"),
  ])
  func whatCannotBeSeenIsWrittenOut(_ text: String, _ visible: String) {
    #expect(text.visible() == visible)
  }

  @Test func linesStayWhereTheyMay() {
    #expect("a\r\nb\rc\td\u{1B}".visible(keepsLines: true) == "a\r\nb\nc\td\\u{1B}")
  }

  static func finding(_ name: String, message: String = "", clause: String = "Properties.A exists") -> Finding
  {
    Finding(
      status: "FAIL", rule: "r", ruleFile: "r.guard", ruleLine: 1, input: "t.yaml", line: 1, column: 1,
      resource: name, resourceType: "A::\u{1B}]0;x\u{7}", path: "P", clause: clause, found: "f\u{9B}",
      wanted: "w", message: message, severity: .high, title: "T", titleJa: "題", mend: "m", mendJa: "直す")
  }

  @Test func noReportHasIt() {
    var result = CheckResult()
    result.findings = [Self.finding("\u{1B}[31mRED\u{202E}", message: "\u{1B}c\u{2066}")]
    result.faults = ["t.yaml: \u{1B}]0;x\u{7}"]
    let context = ReportContext(at: 0, version: "1")
    let texts = [
      CSVReport.text(result), JUnit.text(result), PullRequestComment.text(result, language: .english),
      HTMLReport(result, context).text, result.findings[0].lines(in: .english).joined(separator: "\n"),
    ]
    for text in texts {
      let bad = text.unicodeScalars.filter {
        ($0.value < 0x20 && $0 != "\n" && $0 != "\r" && $0 != "\t") || (0x7F...0x9F).contains($0.value)
          || (0x202A...0x202E).contains($0.value) || (0x2066...0x2069).contains($0.value)
      }
      #expect(bad.isEmpty, "\(text)")
      #expect(text.contains("u{1B}") || text.contains("u&#123;1B"))
    }
  }

  @Test(arguments: [
    ("=cmd|x", "'=cmd|x"), (" =cmd|x", "' =cmd|x"), ("\n=1", "\"'\n=1\""), ("+1", "'+1"), ("-1", "'-1"),
    ("@a", "'@a"),
    ("\t@a", "\"'\t@a\""), ("\u{3000}＝1", "'\u{3000}＝1"), ("\r=1", "\"'\n=1\""),
    ("\u{200B}=1", "\\u{200B}=1"),
    ("a=1", "a=1"),
    ("", ""), ("  ", "  "), ("a,\"b\"", "\"a,\"\"b\"\"\""),
  ])
  func noFieldIsAFormula(_ text: String, _ field: String) { #expect(CSVReport.field(text) == field) }

  @Test func aFindingInBothLanguages() {
    let plain = Self.finding("R", message: " why \n\n so ")
    #expect(
      plain.lines(in: .english) == [
        "  severity  high", "  title     T", "  wanted    Properties.A exists", "  found     f\\u{9B}",
        "  why       why", "  why       so", "  mend      m",
      ])
    #expect(
      plain.lines(in: .japanese) == [
        "  重要度  高", "  内容  題", "  期待値  Properties.A exists", "  検出値  f\\u{9B}", "  理由  why", "  理由  so",
        "  対処  直す",
      ])
    // A variable's name says nothing: what the rule is called does.
    let selection = Self.finding("R", clause: "%bad empty")
    #expect(selection.requirement(in: .english) == "T" && selection.requirement(in: .japanese) == "題")
    #expect(!selection.lines(in: .english).contains { $0.contains("title") || $0.contains("%bad") })
    #expect(selection.sentence() == "R: wanted T; found f\u{9B}")
    #expect(CSVReport.text(CheckResult(), language: .japanese).hasPrefix("ID,判定,重要度,"))
  }

  @Test func faultsAreTestsToo() {
    var result = CheckResult()
    result.faults = ["a"]
    #expect(
      JUnit.text(result).contains(
        "<testsuites name=\"kabuto govern check\" tests=\"1\" failures=\"0\" errors=\"1\">"))
  }
}
