// The phases laid out: which rule stands where, where markers lead, which rules are guards, which can be scanned ahead.

extension PolicyBuilder {
  /// Everything compiled; of use only where no fault was found.
  mutating func finish() -> Policy {
    var seen: [Int: Place] = [:]
    for draft in drafts where draft.marker == nil && draft.id != 0 {
      if let other = seen[draft.id] {
        fault(
          draft.place, found: "the id \(draft.id) a second time", wanted: "an id of its own; \(other) has it")
      }
      seen[draft.id] = draft.place
    }
    // Markers by name: their place among the drafts and, per phase, the position of the rule after them.
    var markers: [String: [(draft: Int, positions: [Int])]] = [:]
    var counts = [0, 0, 0, 0, 0]
    var landings: [Set<Int>] = Array(repeating: [], count: 5)
    for (index, draft) in drafts.enumerated() {
      if let name = draft.marker {
        markers[name, default: []].append((index, counts))
        for phase in 0..<5 { landings[phase].insert(counts[phase]) }
      } else {
        counts[draft.phase - 1] += 1
      }
    }
    var rules: [CompiledRule] = []
    var byPhase: [[CompiledRule]] = Array(repeating: [], count: 5)
    for (index, draft) in drafts.enumerated() where draft.marker == nil {
      let phase = draft.phase - 1
      let compiled = rule(draft, index: rules.count) { name in
        markers[name]?.first { $0.draft > index }.map { $0.positions[phase] }
      }
      guard let compiled else { continue }
      if compiled.skip > 0 { landings[phase].insert(byPhase[phase].count + 1 + compiled.skip) }
      rules.append(compiled)
      byPhase[phase].append(compiled)
    }
    guard faults.isEmpty else { return Policy() }
    var plans = PlanBuilder(options: options)
    var forecast = SlotForecast(slots: slots)
    let phases = (0..<5).map {
      plans.layOut(
        phase: $0 + 1, rules: byPhase[$0], landings: landings[$0], guards: forecast.pass(byPhase[$0]))
    }
    let built = plans.build(phases)
    var statistics = built.statistics
    statistics.rules = rules.count
    // All slots are known now: which of them each expression means is found once, not for every request.
    let scratch = RegexScratch()
    let slotLists = slotSelectors.map { regex in
      slotNames.indices.filter { regex.firstMatch(in: slotNames[$0], scratch) == .match }
    }
    return Policy(
      engine: engine, bodies: bodies, phases: built.phases, rules: rules, slotNames: slotNames, slots: slots,
      slotLists: slotLists,
      databases: built.databases, largestDatabase: built.largest, xpaths: xpaths,
      xmlNamespaces: xmlNamespaces,
      uses: uses, collectionTimeoutSeconds: collectionTimeoutSeconds, webAppID: webAppID,
      store: options.store,
      regexOptions: options.regex,
      deniesUnreadableBodies: options.deniesUnreadableBodies && !uses.bodyError, notes: notes,
      statistics: statistics, bytes: bytes, selectors: selectors)
  }
}

extension CompiledRule {
  /// For a rule that begins with a comparison of a plain TX variable, or a SecAction: how to decide it without more ado.
  /// Where it jumps or writes plain TX variables and does nothing else, what to write; otherwise the step only says when
  /// the rule needn't be looked at.
  func quickStep() -> (step: Step, settings: [QuickSetting])? {
    guard let link = links.first, link.exclusions.isEmpty, !link.isMultiMatch else { return nil }
    var step = Step()
    if let test = link.test {
      guard let target = link.targets.first, link.targets.count == 1, target.variable == .tx,
        target.slot >= 0,
        let comparison = Relation.named(test.name)
      else { return nil }
      if let literal = test.argument.literal {
        step.constant = literal.leadingInteger
      } else if test.argument.parts.count == 1, case .slot(let other)? = test.argument.parts.first {
        step.other = Int32(other)
      } else {
        return nil
      }
      // Counts aren't transformed.
      if !target.isCount, !link.transformations.isEmpty {
        guard link.transformations.allSatisfy({ $0.triggers.isDisjoint(with: .digit) }) else { return nil }
        step.isOfDigits = true
      }
      step.comparison = comparison
      step.isNegated = test.isNegated
      step.isCount = target.isCount
      step.slot = Int32(target.slot)
    }
    let settings = link.settings.compactMap { QuickSetting($0) }
    if links.count == 1, link.effects.isEmpty, link.openings.isEmpty, !link.isCapturing, !isLogged,
      severity == nil, skip == 0, case .pass = disruption, settings.count == link.settings.count,
      skipTo != nil || !settings.isEmpty
    {
      if let skipTo { step.target = Int32(clamping: skipTo) }
      step.kind = settings.isEmpty ? .guardRule : .setting
      step.settingCount = Int32(settings.count)
      return (step, settings)
    }
    guard link.test != nil else { return nil }
    step.kind = .filtered
    return (step, [])
  }

  /// Where a match leads, from its own position in the phase; 0: nowhere else than to the next rule.
  func destination(from position: Int) -> Int {
    if let skipTo { return skipTo }
    return skip > 0 ? position + 1 + skip : 0
  }

  /// Whether its first test depends on nothing that a rule could change within the phase.
  var isScannable: Bool {
    guard let link = links.first, let test = link.test, test.constant != nil, !link.targets.isEmpty else {
      return false
    }
    return link.targets.allSatisfy { $0.variable.isFixed && !$0.isCount }
      && link.exclusions.allSatisfy { $0.variable.isFixed }
  }
}

extension Relation {
  static func named(_ name: String) -> Relation? {
    switch name.lowercased() {
    case "eq": .eq
    case "ge": .ge
    case "gt": .gt
    case "le": .le
    case "lt": .lt
    default: nil
    }
  }

  func holds(_ a: Int64, _ b: Int64) -> Bool {
    switch self {
    case .eq: a == b
    case .ge: a >= b
    case .gt: a > b
    case .le: a <= b
    case .lt: a < b
    }
  }
}

extension ByteView {
  /// The number at its beginning, as C's atoi reads it: blanks, a sign, digits; 0 where there is none. Saturates.
  var leadingInteger: Int64 {
    var at = 0
    while at < count, self[at] == 0x20 || (0x09...0x0D).contains(self[at]) { at += 1 }
    var isNegative = false
    if at < count, self[at] == UInt8(ascii: "-") || self[at] == UInt8(ascii: "+") {
      isNegative = self[at] == UInt8(ascii: "-")
      at += 1
    }
    var value: Int64 = 0
    while at < count, self[at] &- 48 < 10 {
      let (times, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, more) = times.addingReportingOverflow(Int64(self[at] &- 48))
      if over || more { return isNegative ? .min : .max }
      value = sum
      at += 1
    }
    return isNegative ? -value : value
  }
}
