// The drawing within a page that also says what fails together and what would break. Readable without scripts; the
// language is chosen with two radio buttons and style sheets.

/// See the head of this file.
public struct EstatePage {
  private let estate: Estate
  private let failures: [Failure]
  private var out = ""

  /// The page.
  public static func html(_ estate: Estate, without failures: [Failure] = []) -> String {
    var page = EstatePage(estate: estate, failures: failures)
    page.write()
    return page.out
  }

  private init(estate: Estate, failures: [Failure]) {
    self.estate = estate
    self.failures = failures
  }

  private mutating func line(_ text: String) { out += text + "\n" }

  /// Both languages; the words are ours, what people named is put in with `escaped`.
  private func both(_ en: String, _ ja: String) -> String {
    "<span lang=\"en\">\(en)</span><span lang=\"ja\">\(ja)</span>"
  }

  private func both(_ words: (en: String, ja: String)) -> String { both(words.en, words.ja) }

  private func name(_ failure: Failure) -> String {
    "\(both(Words.kind(failure.kind))) \(failure.name.escaped)"
  }

  private mutating func write() {
    line("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">")
    line("<meta name=\"viewport\" content=\"width=device-width\"><title>\(estate.name.escaped)</title>")
    line("<style>\(DrawingStyle.page)</style></head><body>")
    line(
      "<input type=\"radio\" name=\"language\" id=\"en\" checked><label for=\"en\" lang=\"en\">English</label>"
    )
    line("<input type=\"radio\" name=\"language\" id=\"ja\"><label for=\"ja\" lang=\"ja\">日本語</label><main>")
    line("<h1>\(estate.name.escaped)</h1>")
    let hash = String(estate.configurationHash, radix: 16)
    line(
      "<p class=\"soft\">\(both("version", "版")) \(estate.version), \(both("configuration", "構成")) "
        + "\(String(repeating: "0", count: 8 - hash.utf8.count))\(hash)</p>")
    if !failures.isEmpty { writeLoss() }
    line("<div class=\"drawing\">")
    out += EstateDrawing.svg(estate, without: failures)
    line("</div>")
    line(
      "<p class=\"soft\">"
        + both(
          "Dashes tell carriers apart, ◆ locations, borders of round boxes rails; thin lines with hollow ends stand by; "
            + "⛁ keeps what must last. Rest on anything to read more.",
          "破線の形は通信事業者、◆は接続拠点、丸い枠線の形は系統、細線と白丸は予備回線、⛁は永続データ。"
            + "図の上にポインターを置くと詳細を表示します。") + "</p>")
    writeTogether()
    line("</main></body></html>")
  }

  private mutating func writeLoss() {
    let result = estate.consequences(of: failures)
    line("<h2>\(both("Without", "失った場合:")) \(failures.map(name).joined(separator: ", "))</h2>")
    for (words, names) in [
      (("Services that stop", "停止するサービス"), result.stoppedServices),
      (("Services with fewer nodes", "ノードが減るサービス"), result.thinnerServices),
      (("Databases lost", "失われるデータベース"), result.lostDatabases),
      (("Zones cut off", "孤立するゾーン"), result.zonesCutOff),
    ] {
      let listed = names.isEmpty ? both("none", "なし") : names.joined(separator: ", ").escaped
      line("<p>\(both(words)): \(listed)</p>")
    }
    for way in result.ways {
      line(
        "<p>\(both("Way", "経路")) \(way.from.escaped) – \(way.to.escaped): \(links(way.before)) → \(links(way.after))</p>"
      )
    }
    guard !result.streams.isEmpty else { return }
    line("<table><thead><tr><th>\(both("gateway", "ゲートウェイ"))</th><th>\(both("market", "市場"))</th>")
    line("<th>\(both("takes", "現在"))</th><th>\(both("would take", "その後"))</th><th></th></tr></thead><tbody>")
    for change in result.streams {
      let near = change.nearness.map { " (\(both(Words.nearness($0))))" } ?? ""
      let after = change.after.isEmpty ? "–" : change.after.joined(separator: ", ").escaped + near
      line(
        "<tr><td>\(change.gateway.escaped)</td><td>\(change.market.escaped)</td>"
          + "<td>\(change.before.joined(separator: ", ").escaped)</td><td>\(after)</td>"
          + "<td>\(both(Words.effect(change.effect)))</td></tr>")
    }
    line("</tbody></table>")
  }

  private func links(_ path: LinkPath?) -> String {
    guard let path else { return "✕ \(both("none", "なし"))" }
    return
      "\(path.links.joined(separator: ", ").escaped) (\(Shape.milliseconds(path.latencyMicroseconds)) ms)"
  }

  private mutating func writeTogether() {
    // Of an estate of hundreds of hosts only what takes several with it: one by one they are all alike.
    let analysis = FailureAnalysis(estate)
    var failures = estate.failures
    if failures.count > 200 { failures.removeAll { $0.kind == .node || $0.kind == .server } }
    line("<h2>\(both("What fails together", "同時に失われるもの"))</h2><table><thead><tr>")
    line("<th>\(both("without", "失うもの"))</th><th>\(both("goes with it", "巻き込まれるもの"))</th>")
    line(
      "<th>\(both("prices", "価格"))</th><th>\(both("stops or is cut off", "停止・孤立"))</th><th>\(both("other way", "代わりの経路"))</th></tr></thead><tbody>"
    )
    for failure in failures {
      let result = analysis.consequences(of: [failure])
      var taken = (result.loss.nodes.union(result.loss.servers).union(result.loss.links)).sorted()
      taken.removeAll { $0 == failure.name }
      let worst = result.streams.map(\.effect).max() ?? .unchanged
      let count = result.streams.count { $0.effect == worst }
      let of = worst == .unchanged ? "" : " (\(count)/\(result.streams.count))"
      let stops = (result.stoppedServices + result.lostDatabases + result.zonesCutOff).joined(separator: ", ")
      let ways = result.ways.map { "\($0.from.escaped) – \($0.to.escaped): \(links($0.after))" }
      line(
        "<tr><td>\(name(failure))</td><td>\(taken.joined(separator: ", ").escaped)</td>"
          + "<td>\(both(Words.effect(worst)))\(of)</td><td>\(stops.escaped)</td>"
          + "<td>\(ways.joined(separator: "<br>"))</td></tr>")
    }
    line("</tbody></table>")
  }
}
