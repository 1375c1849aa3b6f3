// A provision and what drifted as text, for people, in the language of the report. Names of steps, properties and services' own
// words are as they are everywhere.

import Controls

extension ProvisionReport {
  /// A plan, or what came of it.
  /// - Parameter applied: whether it was carried out.
  public func text(applied: Bool, _ language: ReportLanguage) -> String {
    var out = ""
    for account in accounts { out += account.text(baseline, language) }
    return out + summary(applied: applied, language) + "\n"
  }

  /// How many steps there are in all.
  public var stepCount: Int { accounts.map(\.steps.count).reduce(0, +) }

  private func summary(applied: Bool, _ language: ReportLanguage) -> String {
    var count: [StepOutcome.Kind: Int] = [:]
    for kind in accounts.flatMap(\.steps).compactMap(\.outcome?.kind) { count[kind, default: 0] += 1 }
    func of(_ kind: StepOutcome.Kind) -> Int { count[kind] ?? 0 }
    let notices = accounts.map(\.notices.count).reduce(0, +)
    let unknown = accounts.map(\.unknown.count).reduce(0, +)
    let steps =
      applied
      ? Bilingual(
        "\(of(.done)) steps done, \(of(.already)) already, \(of(.failed)) failed, \(of(.notDone)) not done",
        "完了 \(of(.done))、適合済み \(of(.already))、失敗 \(of(.failed))、未実施 \(of(.notDone))")
      : Bilingual("\(stepCount) steps", "手順 \(stepCount)")
    return Bilingual(
      "\(counted(accounts.count, "account")): \(steps.en), \(notices) to mend, \(unknown) unknown; \(calls) calls",
      "アカウント \(accounts.count) 件: \(steps.ja)、要対処 \(notices)、不明 \(unknown)、API 呼び出し \(calls) 回"
    ).text(language)
  }

  /// What differs since it was right.
  public func driftText(_ language: ReportLanguage) -> String {
    let words = ProvisionWords(language)
    var out = ""
    for account in accounts {
      out += "\(words.account) \(account.account)  \(words.baseline) \(baseline)\n"
      for drifted in account.drift ?? [] {
        out += "  \(drifted.rightAt == nil ? words.neverRight : words.drifted)  \(drifted.step)\n"
        for change in drifted.changes { out += "      \(words.difference(change))\n" }
        if let time = drifted.rightAt { out += "      \(words.lastRight): \(time)\n" }
        for change in drifted.changedBy { out += "      \(change.at)  \(change.event)  \(change.by)\n" }
        if let reason = drifted.unknownBecause { out += "      \(words.nobodyKnown): \(reason)\n" }
      }
      out += account.gapText(words)
      if account.drift?.isEmpty ?? true, account.unknown.isEmpty { out += "  \(words.allRight)\n" }
    }
    return out
  }

  /// Accounts that nothing was done in, a line each.
  public func outsideLines(_ language: ReportLanguage) -> [String] {
    unreached.map {
      Bilingual("\($0.account) can't be entered: \($0.reason)", "\($0.account) に接続できません: \($0.reason)")
        .text(language)
    }
      + refused.map {
        Bilingual(
          "account \($0.account) is refused: \($0.reason)", "アカウント \($0.account) は対象外です: \($0.reason)"
        ).text(language)
      }
  }
}

extension AccountProvision {
  fileprivate func text(_ baseline: String, _ language: ReportLanguage) -> String {
    let words = ProvisionWords(language)
    var out =
      "\(words.account) \(account)  \(words.baseline) \(baseline)  \(words.home) \(home)  \(words.regions(regions.count))\n"
    for step in steps {
      let outcome = step.outcome?.kind.words.text(language) ?? (step.isNew ? words.make : words.change)
      out += "  \(outcome)  \(step.step)\n"
      for change in step.changes { out += "      \(words.line(change))\n" }
      out += "      \(words.why): \(step.why)\n"
      if !step.needs.isEmpty { out += "      \(words.after): \(step.needs.joined(separator: ", "))\n" }
      if let reason = step.outcome?.reason { out += "      \(words.because): \(reason)\n" }
    }
    for notice in notices {
      out += "  \(words.differs)  \(notice.step)\n"
      for change in notice.changes { out += "      \(words.line(change))\n" }
      out += "      \(words.why): \(notice.why)\n      \(words.mend): \(notice.reason)\n"
    }
    out += gapText(words)
    if steps.isEmpty, notices.isEmpty, unknown.isEmpty { out += "  \(words.allRight)\n" }
    return out
  }

  fileprivate func gapText(_ words: ProvisionWords) -> String {
    unknown.map { "  \(words.unknown)  \($0.step)\n      \($0.reason)\n" }.joined()
  }
}

extension StepOutcome.Kind {
  /// For people.
  var words: Bilingual {
    switch self {
    case .done: Bilingual("done", "完了")
    case .already: Bilingual("already", "適合済み")
    case .failed: Bilingual("failed", "失敗")
    case .notDone: Bilingual("not-done", "未実施")
    }
  }
}

private struct ProvisionWords {
  private let language: ReportLanguage

  init(_ language: ReportLanguage) { self.language = language }

  private func say(_ en: String, _ ja: String) -> String { Bilingual(en, ja).text(language) }

  var account: String { say("account", "アカウント") }
  var baseline: String { say("baseline", "ベースライン") }
  var home: String { say("home", "ホーム") }
  var make: String { say("make", "作成") }
  var change: String { say("change", "変更") }
  var why: String { say("why", "理由") }
  var after: String { say("after", "前提") }
  var because: String { say("because", "原因") }
  var differs: String { say("differs", "相違") }
  var mend: String { say("mend", "対処") }
  var unknown: String { say("unknown", "不明") }
  var allRight: String { say("all is as wanted", "すべてベースラインどおりです") }
  var drifted: String { say("drifted", "逸脱") }
  var neverRight: String { say("never right", "未適合") }
  var lastRight: String { say("last right", "最終適合") }
  var nobodyKnown: String { say("who changed it isn't known", "変更者は不明です") }

  func regions(_ count: Int) -> String { say("\(count) regions", "\(count) リージョン") }

  /// `name: from → to`, cut where it is long: what a step does.
  func line(_ change: BaselineChange) -> String {
    "\(change.name): \(found(change)) → \(short(change.to))"
  }

  /// The same of what nothing is done about: an arrow would say that somebody did it.
  func difference(_ change: BaselineChange) -> String {
    say(
      "\(change.name): is \(found(change)), wanted \(short(change.to))",
      "\(change.name): 現在 \(found(change))、期待値 \(short(change.to))")
  }

  private func found(_ change: BaselineChange) -> String {
    change.from.map(short) ?? say("not there", "なし")
  }

  private func short(_ text: String) -> String { text.count > 120 ? text.prefix(120) + "…" : text }
}
