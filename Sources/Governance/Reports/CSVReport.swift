// Findings as comma-separated values (RFC 4180, UTF-8). A field that a spreadsheet would take for a formula is given an
// apostrophe before it: names of resources and values in them are other people's. Some separate by semicolons or tabs:
// fields with those are in quotes too, so that no part of one becomes a field of its own.

import GuardRules

/// See the head of this file.
public enum CSVReport {
  static let columns = [
    "id", "status", "severity", "rule", "title", "title_ja", "account", "region", "input", "line", "column",
    "resource", "resource_type", "path", "found", "wanted", "clause", "mend", "mend_ja", "controls",
    "exception", "message",
  ]
  private static let columnsJa = [
    "ID", "判定", "重要度", "ルール", "内容", "内容(日本語)", "アカウント", "リージョン", "対象", "行", "列",
    "リソース", "種類", "項目", "検出値", "期待値", "条件", "対処", "対処(日本語)", "基準", "例外", "ルールの説明",
  ]

  /// A line a finding, and one with the columns' names before them.
  public static func text(_ result: CheckResult, language: ReportLanguage = .english) -> String {
    let isJapanese = language == .japanese
    var out = line(isJapanese ? columnsJa : columns)
    for finding in result.findings {
      let place = InputPlace(finding.input)
      let fields = [
        finding.identity.id, finding.status, finding.severity.text.text(language), finding.rule,
        finding.title,
        finding.titleJa, place.account, place.region, finding.input,
        finding.line > 0 ? String(finding.line) : "", finding.line > 0 ? String(finding.column) : "",
        finding.resource, finding.resourceType, finding.path, finding.found,
        isJapanese && finding.requirement(in: language) != finding.clause
          ? finding.requirement(in: language) : finding.wanted,
        finding.clause,
        finding.mend, finding.mendJa, finding.controls.joined(separator: "; "), finding.exception ?? "",
        finding.message,
      ]
      out += line(fields)
    }
    return out
  }

  private static let signs = Set("=+-@\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars)

  private static let quoted = Set(",;\t\"\r\n".unicodeScalars)

  /// A line with its end.
  public static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + "\r\n" }

  /// A field, in quotes where it needs them.
  static func field(_ text: String) -> String {
    var text = text.visible(keepsLines: true)
    // Full-width signs are formulas too in some spreadsheets, and blanks before them are nothing to some.
    let rest = text.unicodeScalars.drop { $0.properties.isWhitespace }
    if let sign = rest.first, Self.signs.contains(sign) || text.first == "\t" || text.first == "\n" {
      text = "'" + text
    }
    guard text.unicodeScalars.contains(where: Self.quoted.contains) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
