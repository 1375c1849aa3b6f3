// A comment on a pull or merge request in Markdown (GitHub Flavored Markdown 0.29; GitLab's takes the same): a table of counts,
// findings with file and line, details folded. What comes from inputs stands in code only, so that it can neither be taken for
// Markdown or HTML nor call on somebody. A comment has at most 65,536 characters; what didn't fit is told.

import GuardRules

/// See the head of this file.
public enum PullRequestComment {
  /// What GitHub takes, in UTF-16 units, of which a character has at least one.
  public static let mostCharacters = 65_536
  /// The first line: by it the comment of an earlier run is found, to be replaced.
  public static let marker = "<!-- kabuto govern check -->"

  /// A comment.
  /// - Parameters:
  ///   - most: characters that it may have.
  public static func text(_ result: CheckResult, language: ReportLanguage, most: Int = mostCharacters)
    -> String
  {
    let words = Words(language)
    var out = head(result, words)
    let order = ["FAIL": 0, "UNKNOWN": 1, "EXCEPTED": 2]
    let findings = result.findings.enumerated().sorted { one, other in
      let (a, b) = (one.element, other.element)
      if a.status != b.status { return order[a.status, default: 3] < order[b.status, default: 3] }
      if a.severity != b.severity { return a.severity > b.severity }
      return one.offset < other.offset
    }.map(\.element)
    // Room for the line that says what is left out, and for what closes a table.
    let room = most - 400
    var length = out.utf16.count
    var shown = 0
    if !findings.isEmpty {
      let table =
        "\n| \(words.status) | \(words.severity) | \(words.rule) | \(words.place) |\n| --- | --- | --- | --- |\n"
      out += table
      length += table.utf16.count
      for finding in findings {
        let row = row(finding, words)
        guard length + row.utf16.count <= room else { break }
        out += row
        length += row.utf16.count
        shown += 1
      }
    }
    var detailed = 0
    for finding in findings.prefix(shown) {
      let details = details(finding, result, words)
      guard length + details.utf16.count <= room else { break }
      out += details
      length += details.utf16.count
      detailed += 1
    }
    if detailed < findings.count {
      out += "\n" + words.leftOut(findings.count - shown, details: shown - detailed) + "\n"
    }
    return out
  }

  private static func head(_ result: CheckResult, _ words: Words) -> String {
    let verdict: String
    switch result.status {
    case _ where !result.faults.isEmpty: verdict = words.unread
    case .fail: verdict = words.fails
    case .unknown: verdict = words.open
    case .pass, .skip: verdict = words.passes
    }
    var out = "\(marker)\n### \(words.title): \(verdict)\n\n"
    out +=
      "| \(words.inputs) | PASS | FAIL | UNKNOWN | \(words.excepted) | SKIP |\n| --: | --: | --: | --: | --: | --: |\n"
    out += "| \(result.inputs) | \(result.count(.pass)) | \(result.count(.fail)) | \(result.count(.unknown)) "
    out += "| \(result.exceptedCount) | \(result.count(.skip)) |\n"
    let most = 20
    for fault in result.faults.prefix(most) { out += "\n- \(words.fault): \(code(fault, most: 200))" }
    if result.faults.count > most { out += "\n- \(words.fault): + \(result.faults.count - most)" }
    for note in result.notes.prefix(most) { out += "\n- \(words.note): \(code(note, most: 200))" }
    if result.notes.count > most { out += "\n- \(words.note): + \(result.notes.count - most)" }
    if !result.faults.isEmpty || !result.notes.isEmpty { out += "\n" }
    return out
  }

  private static func row(_ finding: Finding, _ words: Words) -> String {
    let mark = ["FAIL": "❌", "UNKNOWN": "❔", "EXCEPTED": "☑️"][finding.status] ?? ""
    let place = finding.line > 0 ? "\(finding.input):\(finding.line)" : finding.input
    let resource = finding.resource.isEmpty ? "" : "<br>\(cell(finding.resource, most: 120))"
    return
      "| \(mark) \(finding.status) | \(words.severity(finding.severity)) | \(cell(finding.rule, most: 120)) "
      + "| \(cell(place, most: 200))\(resource) |\n"
  }

  private static func details(_ finding: Finding, _ result: CheckResult, _ words: Words) -> String {
    let language = words.language
    let (title, mend) = (finding.title(in: language), finding.mend(in: language))
    let subject = finding.resource.isEmpty ? finding.input : finding.resource
    var lines: [(String, String)] = []
    if !finding.path.isEmpty { lines.append((words.at, finding.path)) }
    let requirement = finding.requirement(in: language)
    let isTold = finding.wanted.isEmpty || requirement != finding.clause
    lines.append((words.wanted, isTold ? requirement : "\(requirement) (\(finding.wanted))"))
    if !finding.found.isEmpty { lines.append((words.found, finding.found)) }
    if !finding.message.isEmpty { lines.append((words.says, finding.message)) }
    if !mend.isEmpty { lines.append((words.mend, mend)) }
    if let id = finding.exception {
      lines.append((words.exception, "\(id): \(result.exceptions[id] ?? "")"))
    }
    let body = lines.map { "\($0.0): \(cut($0.1.trimmingLines, 1_000))" }.joined(separator: "\n")
    return
      "\n<details><summary>\(escaped(cut(title, 200))) — <code>\(escaped(cut(subject, 200)))</code></summary>\n\n"
      + "<pre>\(escaped(body))</pre>\n</details>\n"
  }

  // MARK: - Text of others

  static func cut(_ text: String, _ most: Int) -> String {
    text.count <= most ? text : text.prefix(most) + "…"
  }

  /// As text within HTML. Characters of Markdown mean nothing within `<pre>`; a blank line would end it, an @ might call. In
  /// a cell addresses become links: of mail even where the @ is written out, unless something stands behind it.
  static func escaped(_ text: String) -> String {
    var out = ""
    // Of what stands before, in a row.
    var letters = 0
    for scalar in text.visible(keepsLines: true).unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "@": out += "&#64;<wbr>"
      case ":": out += "&#58;"
      case "~": out += "&#126;"
      case "$": out += "&#36;"
      case "\\": out += "&#92;"
      case "." where letters >= 3: out += "&#46;"
      case "`": out += "&#96;"
      case "*": out += "&#42;"
      case "_": out += "&#95;"
      case "[": out += "&#91;"
      case "#": out += "&#35;"
      case "|": out += "&#124;"
      default: out.unicodeScalars.append(scalar)
      }
      letters = scalar == "w" || scalar == "W" ? letters + 1 : 0
    }
    return out
  }

  /// As code on a line.
  private static func code(_ text: String, most: Int) -> String {
    "<code>\(escaped(cut(text, most).replacing("\n", with: " ")))</code>"
  }

  private static func cell(_ text: String, most: Int) -> String { code(text, most: most) }

  // MARK: - Words

  private struct Words {
    let language: ReportLanguage
    var isJapanese: Bool { language == .japanese }

    init(_ language: ReportLanguage) { self.language = language }

    private func say(_ en: String, _ ja: String) -> String { isJapanese ? ja : en }

    var title: String { say("Rules of the cloud", "クラウドのルール") }
    var fails: String { say("violations", "違反あり") }
    var open: String { say("not everything can be told", "判定できない項目あり") }
    var passes: String { say("kept", "適合") }
    var unread: String { say("not everything could be read", "読み込めないものあり") }
    var inputs: String { say("Inputs", "対象") }
    var excepted: String { say("Excepted", "例外") }
    var status: String { say("Status", "判定") }
    var severity: String { say("Severity", "重大度") }
    var rule: String { say("Rule", "ルール") }
    var place: String { say("Where", "場所") }
    var fault: String { say("Couldn't be read", "読み込み不可") }
    var note: String { say("Note", "注意") }
    var at: String { say("at     ", "位置") }
    var wanted: String { say("wanted ", "期待") }
    var found: String { say("found  ", "実際") }
    var says: String { say("why    ", "理由") }
    var mend: String { say("mend   ", "対処") }
    var exception: String { say("exception", "例外") }

    func severity(_ severity: Severity) -> String { severity.text.text(language) }

    func leftOut(_ findings: Int, details: Int) -> String {
      say(
        "\(findings) findings and the details of \(details) more were left out, as a comment has at most "
          + "\(PullRequestComment.mostCharacters) characters. The whole is in the report: `--format json` or `sarif`.",
        "コメントの上限(\(PullRequestComment.mostCharacters) 文字)のため、\(findings) 件の検出と、ほか \(details) 件の詳細を省略しました。"
          + "全件は `--format json` または `sarif` のレポートを参照してください。")
    }
  }
}

extension String {
  /// Without blanks around its lines, and without empty ones.
  fileprivate var trimmingLines: String {
    split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " || $0 == "\t" } }.filter { !$0.isEmpty }
      .joined(separator: "\n")
  }
}
