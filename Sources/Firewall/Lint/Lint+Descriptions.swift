// Checks of what a rule says of itself: why it blocks, and an id of its own.

extension Lint {
  /// The rule set's own files: its guards and set-up carry no mark of their own.
  private var filesOfCoreRuleSet: Set<String> {
    Set(rules.filter { isOfCoreRuleSet($0.compiled) }.map(\.draft.place.file))
  }

  mutating func checkDescriptions() {
    let foreign = filesOfCoreRuleSet
    for rule in rules {
      let compiled = rule.compiled
      if rule.draft.links.contains(where: { $0.has("block") }) || compiled.blocks {
        let hasMessage = !(compiled.message.literal?.isEmpty ?? false)
        // What only adds up what other rules found has no severity of its own.
        let isVerdict = compiled.links.first?.targets.allSatisfy { !$0.variable.isFixed } ?? true
        let missing =
          (hasMessage ? [] : ["msg"]) + (compiled.severity == nil && !isVerdict ? ["severity"] : [])
        if !missing.isEmpty {
          warn(
            .noMessage, rule, "it blocks without \(missing.joined(separator: " and "))",
            "what whoever reads the log needs to know")
        }
      }
      // 900000 to 900999 are the rule set's own for those who set it up.
      if (901_000...999_999).contains(rule.id), !foreign.contains(rule.draft.place.file) {
        warn(
          .idRange, rule,
          "an id of the Core Rule Set's (901000 to 999999), which a later version of it may use",
          "an id below 100000")
      }
    }
  }

  private func isOfCoreRuleSet(_ rule: CompiledRule) -> Bool {
    rule.tags.contains { $0.uppercased().hasPrefix("OWASP_CRS") }
      || rule.version.uppercased().hasPrefix("OWASP_CRS")
  }
}

extension CompiledRule {
  fileprivate var blocks: Bool {
    switch disruption {
    case .deny, .drop, .redirect: true
    case .pass, .allow: false
    }
  }
}
