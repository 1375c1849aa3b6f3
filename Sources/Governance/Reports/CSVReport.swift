// Findings as comma-separated values (RFC 4180, UTF-8). A field that a spreadsheet would take for a formula is given an
// apostrophe before it: names of resources and values in them are other people's.

import GuardRules

/// See the head of this file.
public enum CSVReport {
  static let columns = [
    "id", "status", "severity", "rule", "title", "title_ja", "account", "region", "input", "line", "column",
    "resource", "resource_type", "path", "found", "wanted", "clause", "mend", "mend_ja", "controls",
    "exception", "message",
  ]

  /// A line a finding, and one with the columns' names before them.
  public static func text(_ result: CheckResult) -> String {
    var out = line(columns)
    for finding in result.findings {
      let place = InputPlace(finding.input)
      let fields = [
        finding.identity.id, finding.status, finding.severity.rawValue, finding.rule, finding.title,
        finding.titleJa, place.account, place.region, finding.input,
        finding.line > 0 ? String(finding.line) : "", finding.line > 0 ? String(finding.column) : "",
        finding.resource, finding.resourceType, finding.path, finding.found, finding.wanted, finding.clause,
        finding.mend, finding.mendJa, finding.controls.joined(separator: "; "), finding.exception ?? "",
        finding.message,
      ]
      out += line(fields)
    }
    return out
  }

  /// A line with its end.
  public static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + "\r\n" }

  /// A field, in quotes where it needs them.
  static func field(_ text: String) -> String {
    var text = text
    // Full-width signs are formulas too in some spreadsheets. Scalars: a carriage return with a line feed is one character.
    if let first = text.unicodeScalars.first,
      "=+-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars.contains(first)
    {
      text = "'" + text
    }
    guard text.unicodeScalars.contains(where: { $0 == "," || $0 == "\"" || $0 == "\r" || $0 == "\n" }) else {
      return text
    }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
