// One file that says it all: no script, nothing from elsewhere, prints well. What it shows of resources is other people's
// text and is escaped; a policy in its head forbids everything but its own style.

import Crypto
import Foundation
import GuardRules

/// See the head of this file.
public struct HTMLReport {
  private let result: CheckResult
  private let context: ReportContext

  /// A report of a check.
  public init(_ result: CheckResult, _ context: ReportContext) {
    self.result = result
    self.context = context
  }

  private func say(_ english: String, _ japanese: String) -> String {
    context.language == .japanese ? japanese : english
  }

  /// The document.
  public var text: String {
    let policy =
      "default-src 'none'; style-src 'sha256-\(Data(SHA256.hash(data: Data(HTMLStyle.text.utf8))).base64EncodedString())'"
    let title = say("Findings", "検出結果")
    return """
      <!doctype html>
      <html lang="\(context.language.rawValue)">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(policy)">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title) · Kabuto</title>
      <style>\(HTMLStyle.text)</style>
      </head>
      <body>
      <header><h1>\(title)</h1><p>\(Self.escaped(Timestamp.text(context.at))) · Kabuto \(Self.escaped(context.version))</p></header>
      <main>
      \(figures)\(trend)\(faults)\(rules)\(findings)
      </main>
      </body>
      </html>

      """
  }

  // MARK: - Overview

  private var figures: String {
    func count(_ severity: Severity) -> Int {
      result.findings.count { $0.status == "FAIL" && $0.severity == severity }
    }
    var figures = Severity.allCases.map { severity in
      (severityText(severity), count(severity), severity >= .high)
    }
    figures.append((say("Can't be told", "判定不能"), result.findings.count { $0.status == "UNKNOWN" }, false))
    figures.append((say("Excepted", "例外"), result.findings.count { $0.status == "EXCEPTED" }, false))
    let cells = figures.map { name, count, isGrave in
      "<div><dt>\(name)</dt><dd\(isGrave && count > 0 ? " class=\"bad\"" : "")>\(count)</dd></div>"
    }.joined()
    let sum = say(
      "\(counted(result.inputs, "input")). Rules on inputs: \(result.count(.pass)) passed, \(result.count(.fail)) failed, \(result.count(.unknown)) unknown, \(result.count(.skip)) skipped.",
      "対象 \(result.inputs) 件。ルール判定: 適合 \(result.count(.pass))、違反 \(result.count(.fail))、判定不能 \(result.count(.unknown))、対象なし \(result.count(.skip))。"
    )
    return "<dl class=\"figures\">\(cells)</dl><p class=\"muted\">\(sum)</p>\n"
  }

  private var faults: String {
    guard !result.faults.isEmpty else { return "" }
    let items = result.faults.map { "<li>\(Self.escaped($0))</li>" }.joined()
    return
      "<section><h2>\(say("What couldn't be looked at", "確認できなかったもの"))</h2><ul class=\"faults\">\(items)</ul></section>\n"
  }

  private var rules: String {
    var order: [String] = []
    var groups: [String: [Finding]] = [:]
    for finding in result.findings {
      if groups[finding.rule] == nil { order.append(finding.rule) }
      groups[finding.rule, default: []].append(finding)
    }
    guard !order.isEmpty else { return "" }
    let sorted = order.enumerated().sorted { one, other in
      let left = groups[one.element]?.first?.severity.rank ?? 0
      let right = groups[other.element]?.first?.severity.rank ?? 0
      return left == right ? one.offset < other.offset : left > right
    }.map(\.element)
    let rows = sorted.map { rule in
      let all = groups[rule] ?? []
      let first = all.first
      let counts = ["FAIL", "UNKNOWN", "EXCEPTED"].map { status in
        "<td class=\"number\">\(all.count { $0.status == status })</td>"
      }.joined()
      return "<tr><td>\(first.map { severityMark($0.severity) } ?? "")</td>"
        + "<td>\(Self.escaped(first.map(title) ?? rule))<br><span class=\"muted\">\(Self.escaped(rule))</span></td>\(counts)</tr>"
    }.joined()
    let heads = [
      say("Severity", "重要度"), say("Rule", "ルール"), say("Failed", "違反"), say("Unknown", "判定不能"),
      say("Excepted", "例外"),
    ].enumerated().map { "<th scope=\"col\"\($0.offset > 1 ? " class=\"number\"" : "")>\($0.element)</th>" }
      .joined()
    return
      "<section><h2>\(say("By rule", "ルール別"))</h2><table><thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table></section>\n"
  }

  // MARK: - Findings

  private var findings: String {
    guard !result.findings.isEmpty else {
      return "<section><p class=\"empty\">\(say("Nothing was found.", "検出事項はありません。"))</p></section>"
    }
    let sorted = result.findings.enumerated().sorted { one, other in
      let (left, right) = (rank(one.element), rank(other.element))
      return left == right ? one.offset < other.offset : left < right
    }.map(\.element)
    return "<section><h2>\(say("Findings", "検出事項"))</h2>\(sorted.map(article).joined())</section>"
  }

  private func rank(_ finding: Finding) -> Int {
    let status = finding.status == "FAIL" ? 0 : finding.status == "UNKNOWN" ? 1 : 2
    return status * 10 + 4 - finding.severity.rank
  }

  private func title(_ finding: Finding) -> String { finding.title(in: context.language) }

  private func article(_ finding: Finding) -> String {
    let place = finding.line > 0 ? "\(finding.input):\(finding.line):\(finding.column)" : finding.input
    var rows: [(String, String)] = [
      (say("Where", "場所"), place), (say("Resource", "リソース"), finding.resource),
      (say("Type", "種類"), finding.resourceType), (say("Path", "項目"), finding.path),
      (say("Found", "検出値"), finding.found), (say("Wanted", "期待値"), finding.requirement(in: context.language)),
      (say("How to mend", "対処"), finding.mend(in: context.language)), (say("Rule", "ルール"), finding.rule),
      (say("Controls", "基準"), finding.controls.joined(separator: ", ")),
      (say("Exception", "例外"), finding.exception ?? ""),
    ]
    rows.append((say("Rule's own words", "ルールの説明"), finding.ownWords.joined(separator: "\n")))
    let body = rows.filter { !$0.1.isEmpty }.map { "<dt>\($0.0)</dt><dd>\(Self.escaped($0.1))</dd>" }.joined()
    return
      "<article data-status=\"\(Self.escaped(finding.status))\"><h3>\(severityMark(finding.severity)) \(statusText(finding.status)) <span>\(Self.escaped(title(finding)))</span></h3><dl>\(body)</dl></article>\n"
  }

  private func statusText(_ status: String) -> String {
    let text =
      switch status {
      case "FAIL": say("Failed", "違反")
      case "UNKNOWN": say("Can't be told", "判定不能")
      default: say("Excepted", "例外")
      }
    return "<span class=\"status\">\(text)</span>"
  }

  private func severityText(_ severity: Severity) -> String {
    switch severity {
    case .critical: say("Critical", "緊急")
    case .high: say("High", "高")
    case .medium: say("Medium", "中")
    case .low: say("Low", "低")
    case .info: say("Info", "情報")
    }
  }

  private func severityMark(_ severity: Severity) -> String {
    "<span class=\"severity \(severity.rawValue)\">\(severityText(severity))</span>"
  }

  // MARK: - Trend

  private var trend: String {
    guard context.trend.count > 1 else { return "" }
    let rows = context.trend.suffix(12).map { point in
      let counts = point.open
      let cells = [
        counts.critical, counts.high, counts.medium, counts.low, counts.info, counts.unknown, counts.excepted,
      ].map { "<td class=\"number\">\($0)</td>" }.joined()
      return "<tr><td class=\"time\">\(Self.escaped(point.at))</td>\(cells)</tr>"
    }.joined()
    let heads =
      "<th scope=\"col\">\(say("Time", "時刻"))</th>"
      + (Severity.allCases.map(severityText) + [say("Unknown", "判定不能"), say("Excepted", "例外")]).map {
        "<th scope=\"col\" class=\"number\">\($0)</th>"
      }.joined()
    return """
      <section><h2>\(say("Open over time", "未解決の推移"))</h2>\(HTMLTrend.picture(context.trend, label: say("Open failures and what can't be told, over time", "違反と判定不能の件数の推移"), failed: say("failed", "違反"), unknown: say("can't be told", "判定不能")))
      <table><thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table></section>

      """
  }

  /// As text within elements and quoted attributes; characters that can't be seen are written out.
  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.visible(keepsLines: true).unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}

/// The course as a picture: failures as a line, what can't be told as a dashed one.
enum HTMLTrend {
  static func picture(_ points: [TrendPoint], label: String, failed: String, unknown: String) -> String {
    let (width, height) = (720.0, 120.0)
    let fails = points.map { Double($0.open.open - $0.open.unknown) }
    let unknowns = points.map { Double($0.open.unknown) }
    let most = max(1, (fails + unknowns).max() ?? 1)
    // A value holds until the next run: steps, at the runs' times.
    let times = points.map { ISO8601DateFormatter().date(from: $0.at)?.timeIntervalSince1970 ?? 0 }
    let (first, last) = (times.first ?? 0, times.last ?? 0)
    func path(_ values: [Double]) -> String {
      zip(times, values).enumerated().map { place, point in
        let x = Int(((point.0 - first) / max(1, last - first) * width).rounded())
        let y = Int((height - point.1 / most * (height - 8) - 2).rounded())
        return place == 0 ? "M\(x) \(y)" : "H\(x)V\(y)"
      }.joined()
    }
    return """
      <svg viewBox="0 0 720 120" role="img" aria-label="\(HTMLReport.escaped(label))" preserveAspectRatio="none">\
      <path class="base" d="M0 118H720"/><path class="failed" d="\(path(fails))"/>\
      <path class="unknown" d="\(path(unknowns))"/></svg>
      <p class="muted legend"><span class="failed">━ \(failed)</span> <span class="unknown">┅ \(unknown)</span></p>
      """
  }
}
