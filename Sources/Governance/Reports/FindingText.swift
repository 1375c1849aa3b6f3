// A finding in words: what it is, how grave, what was wanted and found, how to mend it.

public import Controls
public import GuardRules

extension Finding {
  /// What it is called.
  public func title(in language: ReportLanguage) -> String {
    language == .japanese && !titleJa.isEmpty ? titleJa : title
  }

  /// How to mend it; empty = not told.
  public func mend(in language: ReportLanguage) -> String {
    language == .japanese && !mendJa.isEmpty ? mendJa : mend
  }

  /// What was wanted. A clause that asks a variable whether it is empty says nothing to who hasn't read the rule: of these
  /// it is what the rule is called, or what it says itself.
  public func requirement(in language: ReportLanguage) -> String {
    Self.requirement(
      clause: clause, wanted: wanted, title: title == rule ? "" : title(in: language))
  }

  /// The same of a finding that is kept elsewhere.
  /// - Parameter title: empty = it has none but the rule's name.
  static func requirement(clause: String, wanted: String, title: String) -> String {
    guard AskedSelection.variable(of: clause) != nil else { return clause }
    return [title, wanted].first { !$0.isEmpty } ?? clause
  }

  /// The rule's own words, a line each.
  var ownWords: [String] {
    message.split(whereSeparator: \.isNewline).map { $0.trimmingWhitespace }.filter { !$0.isEmpty }
  }

  /// Lines for people on a terminal, below the one that says what and where.
  public func lines(in language: ReportLanguage) -> [String] {
    func say(_ en: String, _ ja: String) -> String { language == .japanese ? ja : en }
    let (title, wanted) = (title(in: language), requirement(in: language))
    var rows = [(say("severity", "重要度"), severity.text.text(language))]
    if title != rule, title != wanted { rows.append((say("title", "内容"), title)) }
    rows.append((say("wanted", "期待値"), wanted))
    rows.append((say("found", "検出値"), found))
    rows.append((say("exception", "例外"), exception ?? ""))
    for line in ownWords { rows.append((say("why", "理由"), line)) }
    rows.append((say("mend", "対処"), mend(in: language)))
    return rows.filter { !$0.1.isEmpty }.map { name, text in
      let blanks = String(repeating: " ", count: language == .japanese ? 2 : max(1, 10 - name.count))
      return "  \(name)\(blanks)\(text.visible())"
    }
  }

  /// In one sentence: what, found, wanted, and the rules' own words.
  public func sentence(in language: ReportLanguage = .english) -> String {
    func say(_ en: String, _ ja: String) -> String { language == .japanese ? ja : en }
    var text = resource.isEmpty ? "" : "\(resource): "
    if AskedSelection.variable(of: clause) != nil {
      text += "\(say("wanted", "期待値")) \(requirement(in: language))"
    } else {
      if language == .japanese, !titleJa.isEmpty { text += "\(titleJa): " }
      text += clause
    }
    if !found.isEmpty { text += "; \(say("found", "検出値")) \(found)" }
    if !wanted.isEmpty, !text.contains(wanted), AskedSelection.variable(of: clause) == nil {
      text += "; \(say("wanted", "期待値")) \(wanted)"
    }
    let own = ownWords.joined(separator: " ")
    return own.isEmpty ? text : "\(text). \(own)"
  }
}

extension HistoryFinding {
  /// What was wanted, as of a finding.
  public var requirement: String {
    Finding.requirement(clause: clause, wanted: wanted, title: title == rule ? "" : title)
  }
}

extension Severity {
  /// For people.
  public var text: Bilingual {
    switch self {
    case .critical: Bilingual("critical", "緊急")
    case .high: Bilingual("high", "高")
    case .medium: Bilingual("medium", "中")
    case .low: Bilingual("low", "低")
    case .info: Bilingual("info", "情報")
    }
  }
}

extension StringProtocol {
  /// Without blanks at either end.
  fileprivate var trimmingWhitespace: String {
    let rest = drop(while: \.isWhitespace)
    return String(
      rest[..<(rest.lastIndex { !$0.isWhitespace }.map { rest.index(after: $0) } ?? rest.startIndex)])
  }
}

/// So many of a thing, in English.
public func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
  "\(count) \(count == 1 ? one : many ?? one + "s")"
}
