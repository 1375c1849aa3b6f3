// The report as one page that explains itself: no script, nothing from outside, light and dark, English and Japanese.
// Everything that comes from logs is escaped; the policy in the page forbids scripts all the same.

import Foundation

extension LabReport {
  /// The page.
  public var html: String {
    var out = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(Self.escaped(scenario)) – Kabuto laboratory</title>
      <style>\(Self.style)</style>
      </head>
      <body>
      <main>
      <h1>\(Self.escaped(scenario)) <small>\(Self.escaped(estate))</small></h1>
      <p>\(Self.escaped(explanation))</p>
      <p lang="ja">\(Self.escaped(explanationJapanese))</p>

      """
    out += summary
    for run in runs { out += section(run) }
    out += method
    return out + "</main>\n</body>\n</html>\n"
  }

  private var explanationJapanese: String {
    ScenarioName(rawValue: scenario).map { Scenario.named($0).explanationJapanese } ?? ""
  }

  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      default: out.unicodeScalars.append(scalar.value < 32 ? " " : scalar)
      }
    }
    return out
  }

  private static func label(_ english: String, _ japanese: String) -> String {
    "\(english) <span lang=\"ja\">\(japanese)</span>"
  }

  private static func row(_ head: String, _ value: String) -> String {
    "<tr><th scope=\"row\">\(head)</th><td>\(value)</td></tr>\n"
  }

  private static func milliseconds(_ value: Double) -> String { String(format: "%.1f ms", value) }

  private var summary: String {
    var rows = ""
    rows += Self.row(
      Self.label("Outage, worst", "最大の途絶"), "<strong>\(Self.milliseconds(outageMs))</strong>")
    rows += Self.row(Self.label("Outage, median of runs", "途絶の中央値"), Self.milliseconds(outageP50Ms))
    if let outageMergedMs {
      rows += Self.row(
        Self.label("Outage, worst of clients with two connections", "二重接続の利用者の最大の途絶"),
        Self.milliseconds(outageMergedMs))
    }
    rows += Self.row(
      Self.label("Worst while the fault lasted, and on return", "障害中の最大、復旧時の最大"),
      "\(Self.milliseconds(outageFaultMs)), \(Self.milliseconds(outageReturnMs))")
    for (english, japanese, value) in [
      ("Lost", "欠落", lost), ("Repeated", "重複", repeated), ("Out of order", "順序違い", outOfOrder),
      ("Wrong", "誤り", wrong),
    ] {
      let mark = value == 0 ? "✓" : "✗"
      rows += Self.row(Self.label(english, japanese), "\(mark) \(value)")
    }
    let waited = controls.flatMap(\.clients).map(\.waitedMs).max() ?? 0
    rows += Self.row(Self.label("Longest wait without a fault", "無障害時の最長待ち"), Self.milliseconds(waited))
    for one in latency {
      rows += Self.row(
        Self.label("Age of an update at", "到着までの時間") + " " + Self.escaped(one.client),
        String(format: "p50 %.3f ms, p99 %.3f ms (%d)", one.p50Ms, one.p99Ms, one.count))
    }
    if let crossing, crossing.messages > 0 {
      let updates = max(1, crossing.updates)
      rows += Self.row(
        Self.label("Backbone bytes between sites, an update", "サイト間のバイト数(更新 1 件あたり)"),
        String(
          format: "%.0f out, %.0f in", Double(crossing.backboneBytesOut) / updates,
          Double(crossing.backboneBytesIn) / updates))
    }
    for fault in faults { rows += Self.row(Self.label("Fault", "不備"), Self.escaped(fault)) }
    return "<table>\n\(rows)</table>\n"
  }

  private func section(_ run: Run) -> String {
    let isWorst = run.outageMs == outageMs
    var out = "<details\(isWorst ? " open" : "")><summary>"
    out += Self.label("Run \(run.run)", "第 \(run.run) 回") + ": \(Self.escaped(run.target)), "
    out += "\(Self.milliseconds(run.outageMs))</summary>\n"
    if let silence = run.networkSilenceMs {
      out += "<p>" + Self.label("Longest silence of the network itself", "網自体の最長の途絶")
      out += ": \(Self.milliseconds(silence))</p>\n"
    }
    out += drawing(run)
    out += "<table><thead><tr>"
    for head in [
      Self.label("Client", "利用者"), Self.label("Connections", "接続数"), Self.label("Outage", "途絶"),
      Self.label("Waited", "待ち"),
      Self.label("Lost", "欠落"), Self.label("Repeated", "重複"), Self.label("Out of order", "順序違い"),
      Self.label("Wrong", "誤り"),
    ] { out += "<th scope=\"col\">\(head)</th>" }
    out += "</tr></thead><tbody>\n"
    for client in run.clients {
      out += "<tr><th scope=\"row\">\(Self.escaped(client.client))</th><td>\(client.connections)</td>"
      out +=
        "<td>\(Self.milliseconds(client.outageMs))</td><td>\(Self.milliseconds(client.waitedMs))</td>"
      out +=
        "<td>\(client.lost)</td><td>\(client.repeated)</td>"
      out += "<td>\(client.outOfOrder)</td><td>\(client.wrong)</td></tr>\n"
    }
    out += "</tbody></table>\n"
    if !run.effects.isEmpty {
      let effects = run.effects.map { "\($0.count) \($0.what)" }.joined(separator: ", ")
      out += "<p>\(Self.label("The fault touched", "障害の及んだもの")): \(Self.escaped(effects))</p>\n"
    }
    for example in run.clients.flatMap(\.examples).prefix(8) {
      out += "<p><code>\(Self.escaped(example))</code></p>\n"
    }
    out += "<table class=\"moments\"><thead><tr><th scope=\"col\">ms</th><th scope=\"col\">"
    out += Self.label("What", "種別") + "</th><th scope=\"col\">" + Self.label("Where", "場所")
    out += "</th><th scope=\"col\">" + Self.label("Said", "内容") + "</th></tr></thead><tbody>\n"
    for moment in run.timeline {
      out += "<tr class=\"\(Self.kind(moment.kind))\"><td>\(String(format: "%.1f", moment.ms))</td>"
      out += "<td>\(Self.name(of: moment.kind))</td><td>\(Self.escaped(moment.place))</td>"
      out += "<td>\(Self.escaped(moment.what))</td></tr>\n"
    }
    return out + "</tbody></table>\n</details>\n"
  }

  private static let kinds: [(kind: String, english: String, japanese: String)] = [
    ("fault", "fault", "障害"), ("detection", "detection", "検知"), ("route", "route change", "経路変更"),
    ("node", "node", "ノード"), ("client", "client", "利用者"), ("value", "first fresh value", "最初の新しい値"),
    ("heal", "healing", "復旧"),
  ]

  /// A class that the style knows.
  private static func kind(_ text: String) -> String { kinds.first { $0.kind == text }?.kind ?? "node" }

  private static func name(of kind: String) -> String {
    kinds.first { $0.kind == kind }.map { label($0.english, $0.japanese) } ?? escaped(kind)
  }

  /// The time line: a lane a kind, a mark a moment.
  private func drawing(_ run: Run) -> String {
    let end = max(1, run.timeline.map(\.ms).max() ?? 1)
    let width = 900.0
    let left = 190.0
    var out = "<svg viewBox=\"0 0 \(Int(width + left + 20)) \(Self.kinds.count * 24 + 30)\" role=\"img\">\n"
    out += "<title>\(Self.escaped("Time line of run \(run.run)"))</title>\n"
    for (lane, entry) in Self.kinds.enumerated() {
      let y = lane * 24 + 18
      out += "<text x=\"0\" y=\"\(y + 4)\">\(entry.english) · \(entry.japanese)</text>"
      out += "<line x1=\"\(left)\" x2=\"\(left + width)\" y1=\"\(y)\" y2=\"\(y)\"/>\n"
      for moment in run.timeline where moment.kind == entry.kind {
        let x = left + max(0, moment.ms) / end * width
        out +=
          "<circle class=\"\(entry.kind)\" cx=\"\(String(format: "%.1f", x))\" cy=\"\(y)\" r=\"4\"><title>"
        out += "\(String(format: "%.1f", moment.ms)) ms: \(Self.escaped(moment.place)): "
        out += "\(Self.escaped(moment.what))</title></circle>\n"
      }
    }
    for tenth in 0...10 {
      let x = left + width * Double(tenth) / 10
      out += "<text class=\"tick\" x=\"\(Int(x))\" y=\"\(Self.kinds.count * 24 + 22)\">"
      out += "\(Int(end * Double(tenth) / 10))</text>"
    }
    return out + "</svg>\n"
  }

  private var method: String {
    """
    <h2>\(Self.label("How it was measured", "測定の方法"))</h2>
    <p>Outage: the longest time for which news of any instrument that the reference or another client had already did not
    reach a client, beyond the longest such time of the control stretches of the same run. Lost: neither delivered nor
    replaced by a newer value of the same field; every trade counts. The reference is a plant and a client in the
    exchange's own room, which no fault reaches; it was \(Self.rounded(referenceLateMs)) ms behind a client at worst.</p>
    <p lang="ja">途絶とは、基準または他の利用者に届いていた銘柄の新しい値が利用者に届かなかった最長時間から、同じ実行の無障害区間の最長時間を引いたもの。
    欠落とは、配信されず、同じ項目の新しい値でも置き換えられなかったもの。約定は 1 件ずつ数える。</p>
    <p>\(rate) messages a second, \(instruments) instruments, seed \(seed); fault for \(String(format: "%.1f", faultSeconds)) s, watched
    for \(String(format: "%.1f", afterSeconds)) s after it healed; machine busy \(Int(busyShare * 100)) % without a fault, \(Int(ownShare * 100)) % by the laboratory; frames leave the
    link emulator \(Int(emulatorLateP50Us)) µs late (p50), \(Int(emulatorLateP99Us)) µs (p99).
    \(changes.isEmpty ? "" : "Changed of the estate: " + Self.escaped(changes.joined(separator: "; ")) + ".")</p>

    """
  }

  private static let style = """
    :root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#c8ccd1;--fault:#b3261e;--heal:#1b7f3b;--see:#8a5a00;\
    --route:#0b57d0;--value:#6a3fb5}
    @media(prefers-color-scheme:dark){:root{--ink:#e6e8ea;--paper:#15181b;--line:#454b52;--fault:#ff8a80;--heal:#7ddc98;\
    --see:#ffc766;--route:#8ab4f8;--value:#c7a6ff}}
    body{background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;margin:0}
    main{max-width:72rem;margin:0 auto;padding:1rem}
    table{border-collapse:collapse;margin:.5rem 0}
    th,td{border:1px solid var(--line);padding:.2rem .6rem;text-align:left;vertical-align:top}
    th span,td span,h2 span,summary span{opacity:.75;font-weight:normal;font-size:.85em}
    .moments{font-size:.85rem}
    summary{cursor:pointer;font-weight:600;padding:.4rem 0}
    svg{width:100%;height:auto;font-size:12px}
    svg text{fill:var(--ink)}svg line{stroke:var(--line)}.tick{text-anchor:middle}
    circle{fill:var(--ink)}circle.fault{fill:var(--fault)}circle.heal{fill:var(--heal)}circle.detection{fill:var(--see)}\
    circle.route{fill:var(--route)}circle.value{fill:var(--value)}
    tr.fault td{color:var(--fault)}tr.heal td{color:var(--heal)}tr.detection td{color:var(--see)}tr.route td{color:var(--route)}\
    tr.value td{color:var(--value)}
    """
}
