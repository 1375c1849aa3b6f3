// One rule against its values: the head's, from hits or one by one, then the links of its chain, then what a match does.

extension Transaction {
  /// - Parameter hits: the first of the rule's hits, where it was scanned ahead; nil: all its values are asked.
  /// - Returns: whether the rule matched as a whole.
  func evaluate(_ rule: CompiledRule, hits first: Int32?) -> Bool {
    if !exceptions.isEmpty, exceptions.removes(rule) { return false }
    matched.removeAll()
    if !scores.isEmpty { scores.removeAll(keepingCapacity: true) }
    var record = MatchRecord()
    // `enumerated` makes its tuples on the heap where nothing is optimized.
    for number in rule.links.indices {
      let link = rule.links[number]
      let isMatch: Bool
      if number == 0, let first, !link.isMultiMatch {
        isMatch = evaluate(link, of: rule, hits: first, &record)
      } else {
        isMatch = evaluate(link, of: rule, &record)
      }
      guard isMatch else { return false }
    }
    // As in libmodsecurity: the innermost link's effects come first.
    for link in rule.links.reversed() where !link.effects.isEmpty { apply(link.effects) }
    finish(rule, record)
    return true
  }

  /// The last value that matched, for the log.
  struct MatchRecord {
    var variable = Variable.tx
    var name = ByteView.empty
    var value = ByteView.empty
    var offset = 0
    var length = 0
    var isCount = false
  }

  private func evaluate(
    _ link: CompiledLink, of rule: CompiledRule, hits first: Int32, _ record: inout MatchRecord
  ) -> Bool {
    var isMatch = false
    // In the order of the rule's variables, as the plain evaluation would meet them.
    for target in link.targets {
      var at = first
      while at >= 0 {
        let hit = hits[Int(at)]
        at = hit.next
        guard hit.variable == target.variable, target.matches(hit.variable, hit.name, regex) else { continue }
        if exceptions.hasTargets, exceptions.removes(hit.variable, hit.name, from: rule, regex) { continue }
        if confirm(link, hit) { note(link, hit.variable, hit.name, hit.view, &record, &isMatch) }
      }
    }
    return isMatch
  }

  /// The operator's word on a hit. Where a database has already said that the pattern as it is matches, the operator
  /// only locates the match, in a long value around the place that the database named; if it finds nothing or gives up,
  /// the match stands. Without a database's word, long values are searched within a bound (LongSearch.swift).
  private func confirm(_ link: CompiledLink, _ hit: Hit) -> Bool {
    let view = hit.view
    guard view.count > LongSearch.bytes, !link.isNegated, let pattern = link.operation as? any PatternOperator
    else {
      if ask(link, view) { return true }
      guard hit.end > 0, gaveUp else { return false }
      scratch.clear(for: view)
      return true
    }
    guard hit.end > 0 else {
      scratch.clear(for: view)
      let answer = pattern.matchesLong(view, scratch)
      noteLimit()
      return answer
    }
    let start = max(0, hit.end - LongSearch.bytes / 2)
    if ask(link, view[start..<min(view.count, hit.end + 64)]) {
      scratch.offset += start
      return true
    }
    scratch.clear(for: view)
    scratch.offset = start
    scratch.length = hit.end - start
    scratch.captures.append(view[start..<hit.end])
    return true
  }

  private func evaluate(_ link: CompiledLink, of rule: CompiledRule, _ record: inout MatchRecord) -> Bool {
    guard link.test != nil else {
      // SecAction.
      scratch.clear(for: .empty)
      if !link.openings.isEmpty { apply(link.openings) }
      for setting in link.settings { apply(setting) }
      return true
    }
    var isMatch = false
    for target in link.targets {
      if target.isCount {
        let count = decimal(count(target, link, rule))
        if ask(link, count) {
          note(link, target.variable, target.name, count, &record, &isMatch)
          record.isCount = true
        }
        continue
      }
      if target.slot >= 0 {
        // TX with a plain name: by far the most common of what rules write.
        let value = slots[target.slot]
        if value.count >= 0, !isExcluded(link, rule, .tx, policy.slotNames[target.slot]) {
          test(link, .tx, policy.slotNames[target.slot], value, &record, &isMatch)
        }
        continue
      }
      if target.variable.isFixed {
        let count = values[target.variable].count
        for index in 0..<count {
          let argument = values[target.variable][index]
          guard target.selects(argument.name, regex) else { continue }
          if isExcluded(link, rule, target.variable, argument.name) { continue }
          test(link, target.variable, argument.name, argument.value, &record, &isMatch)
        }
        continue
      }
      if target.slotList >= 0, count(target, link, rule) == 0 { continue }
      for argument in dynamicValues(target, rule) {
        if isExcluded(link, rule, target.variable, argument.name) { continue }
        test(link, target.variable, argument.name, argument.value, &record, &isMatch)
      }
    }
    return isMatch
  }

  private func isExcluded(_ link: CompiledLink, _ rule: CompiledRule, _ variable: Variable, _ name: ByteView)
    -> Bool
  {
    link.excludes(variable, name, regex)
      || (exceptions.hasTargets && exceptions.removes(variable, name, from: rule, regex))
  }

  /// A value through the link's transformations; with multiMatch asked at each step that changed it.
  private func test(
    _ link: CompiledLink, _ variable: Variable, _ name: ByteView, _ value: ByteView,
    _ record: inout MatchRecord,
    _ isMatch: inout Bool
  ) {
    var view = value
    if link.isMultiMatch, ask(link, view) { note(link, variable, name, view, &record, &isMatch) }
    for transformation in link.transformations {
      let next = transformation.apply(view, arena)
      let isChanged = next.start != view.start || next.count != view.count
      view = next
      if link.isMultiMatch, isChanged, ask(link, view) { note(link, variable, name, view, &record, &isMatch) }
    }
    if !link.isMultiMatch, ask(link, view) { note(link, variable, name, view, &record, &isMatch) }
  }

  /// The operator's answer, negation included.
  func ask(_ link: CompiledLink, _ value: ByteView) -> Bool {
    scratch.clear(for: value)
    gaveUp = false
    if let operation = link.operation {
      let answer = operation.matches(value, scratch) != link.isNegated
      noteLimit()
      return answer
    }
    guard let test = link.test else { return true }
    let argument = expand(test.argument)
    let answer: Bool
    switch test.macroOperator {
    case .compare(let comparison): answer = comparison.holds(value.leadingInteger, argument.leadingInteger)
    case .within: answer = value.isEmpty || argument.firstRange(of: value) != nil
    case .streq: answer = value == argument
    case .contains: answer = value.firstRange(of: argument) != nil
    case .beginsWith: answer = value.hasPrefix(argument)
    case .endsWith: answer = value.hasSuffix(argument)
    case .other:
      do {
        answer = try test.definition.make(
          argument.array,
          OperatorContext(regexOptions: policy.regexOptions) { path in
            throw OperatorFault(found: path, wanted: "no file named by a macro")
          }
        ).matches(value, scratch)
      } catch {
        let made = "@\(test.name) with \"\(argument.text)\": \(error.found)"
        note(made)
        // What can't be asked isn't known; a rule that can't be asked doesn't match, and the log says so.
        return false
      }
    }
    return answer != test.isNegated
  }

  /// A limit that the last search met: its answer isn't certain.
  private func noteLimit() {
    guard scratch.limitExceeded else { return }
    scratch.limitExceeded = false
    limitsExceeded = true
    gaveUp = true
    // What the recommended rules look at (200005, TX:/^MSC_/).
    if let slot = policy.limitsExceededSlot { slots[slot] = ByteView("1") }
  }

  /// A value that matched: remembered for later links, for macros and for the log; the link's settings are done.
  private func note(
    _ link: CompiledLink, _ variable: Variable, _ name: ByteView, _ view: ByteView,
    _ record: inout MatchRecord,
    _ isMatch: inout Bool
  ) {
    if !isMatch, !link.openings.isEmpty { apply(link.openings) }
    isMatch = true
    record.variable = variable
    record.name = name
    record.value = view
    record.offset = scratch.offset
    record.length = scratch.length
    record.isCount = false
    matched.append(MatchedVariable(variable: variable, name: name, value: view))
    if link.isCapturing {
      for index in 0..<10 {
        slots[index] = index < scratch.captures.count ? scratch.captures[index] : Transaction.unset
      }
    }
    for setting in link.settings { apply(setting) }
  }

  // MARK: - After a full match

  private func finish(_ rule: CompiledRule, _ record: MatchRecord) {
    if let severity = rule.severity { highestSeverity = min(highestSeverity, severity.rawValue) }
    disrupt(rule)
    guard rule.isLogged || keepsAllMatches else { return }
    currentRule = rule
    defer { currentRule = nil }
    let transformations = rule.links.last.map { $0.transformations.map(\.name) } ?? []
    matches.append(
      RuleMatch(
        rule: rule.id, phase: phase, message: expand(rule.message).text, severity: rule.severity?.text ?? "",
        data: expand(rule.data).text, tags: rule.tags,
        variable: (record.isCount ? "&" : "") + fullName(record.variable, record.name).text,
        value: record.value.array, offset: record.offset, length: record.length,
        transformations: transformations,
        place: rule.place, logged: rule.isLogged, scores: scores))
  }

  private func disrupt(_ rule: CompiledRule) {
    let kind: Intervention.Kind
    switch rule.disruption {
    case .pass: return
    case .allow(let scope):
      // What lets pass is followed while only observing too, so that both see the same.
      allowed = scope
      return
    case .deny(let status): kind = .deny(status: status)
    case .drop: kind = .drop
    case .redirect(let location, let status):
      kind = .redirect(location: expand(location).text, status: status)
    }
    let intervention = Intervention(kind: kind, rule: rule.id, phase: phase)
    // Phase 5 comes when all is done: nothing can be stopped there.
    guard phase < 5 else { return }
    if wouldBlock == nil { wouldBlock = intervention }
    if isEnforcing, engine == .on { pending = intervention }
  }
}
