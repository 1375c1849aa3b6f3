// Checks of exclusions: of rules that don't exist, of variables that a rule doesn't look at, of rules that are over.

extension Lint {
  /// The ids of modsecurity.conf-recommended.
  private static let recommendedRules = 200_000...200_099

  mutating func checkExclusions() {
    checkRemovals()
    checkUpdates()
    for rule in rules {
      for link in rule.draft.links {
        checkOwnExclusions(rule, link)
        for action in link.actions where action.name.lowercased() == "ctl" {
          checkControl(rule, link, (action.argument ?? "").trimmingQuotes)
        }
      }
    }
  }

  private func exists(_ range: ClosedRange<Int>, in drafts: [RuleDraft]) -> Bool {
    drafts.contains { $0.marker == nil && range.contains($0.id) }
  }

  private func text(_ range: ClosedRange<Int>) -> String {
    range.lowerBound == range.upperBound
      ? "there is no rule \(range.lowerBound)"
      : "there is no rule from \(range.lowerBound) to \(range.upperBound)"
  }

  // MARK: - For the whole set

  private mutating func checkRemovals() {
    for (selection, place) in changes.removals { checkSelection(selection, "removed", place) }
  }

  /// - Returns: the rules that it selects, before removals.
  @discardableResult
  private mutating func checkSelection(_ selection: RuleSelection, _ verb: String, _ place: Place)
    -> [RuleDraft]
  {
    switch selection {
    case .ids(let ranges):
      for range in ranges where !exists(range, in: written) {
        warn(.unknownRule, nil, at: place, "\(text(range)) that could be \(verb)", "an id that is there")
      }
    case .tag(let tag):
      if !written.contains(where: { $0.marker == nil && $0.tags.contains(tag) }) {
        warn(
          .unknownRule, nil, at: place, "there is no rule with the tag \"\(tag)\" that could be \(verb)",
          "a tag that is there")
      }
    case .message(let message):
      if !written.contains(where: { $0.marker == nil && selection.matches($0) }) {
        warn(
          .unknownRule, nil, at: place, "there is no rule with the msg \"\(message)\" that could be \(verb)",
          "a message that is there, all of it")
      }
    }
    return written.filter { $0.marker == nil && selection.matches($0) }
  }

  private mutating func checkUpdates() {
    for change in changes.targets {
      let selected = checkSelection(change.selection, "updated", change.place)
      guard !selected.isEmpty else { continue }
      for target in change.targets where target.mode == .exclude {
        let isUseful = selected.contains { draft in
          (draft.links.first?.syntax?.targets ?? []).contains { $0.mayGive(target) }
        }
        if !isUseful {
          warn(
            .uselessExclusion, nil, at: change.place,
            "\(target.written) is taken out of \(selected.count == 1 ? "rule \(selected[0].id)" : "\(selected.count) rules"), "
              + "which doesn't look at it in its first test", "a variable from its list")
        }
      }
    }
    for change in changes.actions where !written.contains(where: { $0.marker == nil && $0.id == change.id }) {
      warn(
        .unknownRule, nil, at: change.place, "there is no rule \(change.id) that could be updated",
        "an id that is there")
    }
  }

  // MARK: - In a rule

  private mutating func checkOwnExclusions(_ rule: Rule, _ link: LinkDraft) {
    guard let targets = link.syntax?.targets else { return }
    // Those that an update added are judged where they stand.
    let added = Set(changes.targets.flatMap(\.targets))
    for target in targets where target.mode == .exclude && !added.contains(target) {
      if !targets.contains(where: { $0.mode == .include && $0.mayGive(target) }) {
        warn(
          .uselessExclusion, rule, at: link.place, "!\(target.written) in a list that doesn't look at it",
          "it taken out, or the variable added")
      }
    }
  }

  private mutating func checkControl(_ rule: Rule, _ link: LinkDraft, _ text: String) {
    let pair = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard pair.count == 2 else { return }
    let parts = pair[1].split(separator: ";", maxSplits: 1).map(String.init)
    let selected: [Rule]
    switch pair[0].lowercased() {
    case "ruleremovebyid", "ruleremovetargetbyid":
      let ends = parts[0].split(separator: "-").compactMap { Int($0) }
      guard let low = ends.first, let high = ends.last, low <= high else { return }
      selected = rules.filter { (low...high).contains($0.id) }
      // Those are of modsecurity.conf, and rule sets exclude them whether it is there or not.
      if selected.isEmpty, !(Lint.recommendedRules ~= low && Lint.recommendedRules ~= high) {
        warn(
          .unknownRule, rule, at: link.place, "ctl:\(text), and \(self.text(low...high))",
          "an id that is there")
      }
    case "ruleremovebytag", "ruleremovetargetbytag":
      selected = rules.filter { $0.compiled.tags.contains(parts[0]) }
      if selected.isEmpty {
        warn(
          .unknownRule, rule, at: link.place,
          "ctl:\(text), and there is no rule with the tag \"\(parts[0])\"",
          "a tag that is there")
      }
    default: return
    }
    guard !selected.isEmpty else { return }
    if selected.allSatisfy({ ($0.compiled.phase, $0.position) <= (rule.compiled.phase, rule.position) }) {
      warn(
        .lateExclusion, rule, at: link.place,
        "ctl:\(text) after \(selected.count == 1 ? "that rule" : "those rules") had \(selected.count == 1 ? "its" : "their") turn",
        "an earlier phase, or a place before")
    }
    guard parts.count == 2 else { return }
    var faults: [RuleFault] = []
    for target in TargetList.parse(parts[1], place: link.place, faults: &faults) {
      let isUseful = selected.contains { other in
        other.draft.links.contains {
          $0.syntax?.targets.contains { $0.mode != .exclude && $0.mayGive(target) } ?? false
        }
      }
      if !isUseful {
        let whose =
          selected.count == 1
          ? "rule \(selected[0].id), which doesn't look at it" : "rules that don't look at it"
        warn(
          .uselessExclusion, rule, at: link.place, "ctl:\(text) takes \(target.written) out of \(whose)",
          "a variable from its list")
      }
    }
  }
}

extension TargetSyntax {
  /// Without the mark of its mode.
  var written: String {
    switch selector {
    case .all: collection
    case .name(let name), .xpath(let name): "\(collection):\(name)"
    case .regex(let pattern): "\(collection):/\(pattern)/"
    }
  }

  /// Whether it can give a value that `exclusion` takes out.
  func mayGive(_ exclusion: TargetSyntax) -> Bool {
    guard mode != .exclude, Variable.named(collection) == Variable.named(exclusion.collection) else {
      return false
    }
    switch (selector, exclusion.selector) {
    case (.name(let own), .name(let other)): return own.lowercased() == other.lowercased()
    case (.xpath(let own), .xpath(let other)): return own == other
    default: return true
    }
  }
}
