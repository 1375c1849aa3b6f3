// Scanning ahead: each value of the phase once down its tree of transformations.

extension Transaction {
  func scan(_ group: ScanGroup) {
    // `enumerated` makes its tuples on the heap where nothing is optimized.
    for number in 0..<group.plans.count {
      let plan = group.plans[number]
      let list = values[plan.variable]
      guard !list.isEmpty else { continue }
      forms.ofNode.reserve(plan.nodeCount, 0)
      forms.affected.fill(0, count: plan.maskWords)
      for index in 0..<list.count {
        let value = list[index]
        if plan.isNamed {
          // XPath expressions are the names of their values, and compare as they are.
          guard plan.variable == .xml ? value.name == plan.name : value.name.equalsIgnoringCase(plan.name)
          else {
            continue
          }
        }
        if let profile {
          measured(value, index, number, group, scan, profile)
        } else {
          look(at: value, index, plan, group, scan)
        }
      }
    }
  }

  private func look(
    at value: Argument, _ index: Int, _ plan: ClassPlan, _ group: ScanGroup, _ scan: ScanScratch?
  ) {
    let isChanged = transform(value.value, plan, group)
    for number in plan.firstScan..<plan.firstScan + plan.scanCount {
      look(number, value.name, index, isChanged, plan, group, scan)
    }
    for number in plan.firstTest..<plan.firstTest + plan.testCount {
      ask(group.tests[number], value.name, index, plan, group)
    }
    if isChanged { forgetForms(plan) }
  }

  /// Finds the forms of a value.
  /// - Returns: whether a node may have another form than the value itself.
  private func transform(_ value: ByteView, _ plan: ClassPlan, _ group: ScanGroup) -> Bool {
    let count = group.transformations.count
    let kinds = value.classes
    forms.start(value, kinds, transformations: count)
    if plan.triggers.leaveAlone(kinds) { return false }
    let affected = forms.affected.base
    let masks = group.masks.baseAddress.unsafelyUnwrapped + plan.firstMask
    let words = plan.maskWords
    for word in 0..<words { affected[word] = masks[word] }
    var rest = kinds.rawValue
    while rest != 0 {
      let mask = masks + (1 + rest.trailingZeroBitCount) * words
      for word in 0..<words { affected[word] |= mask[word] }
      rest &= rest &- 1
    }
    let nodes = group.nodes.baseAddress.unsafelyUnwrapped + plan.firstNode
    let ofNode = forms.ofNode.base
    for word in 0..<words {
      var rest = affected[word]
      while rest != 0 {
        let number = word << 6 + rest.trailingZeroBitCount
        rest &= rest &- 1
        let node = nodes[number]
        let above = ofNode[Int(node.parent)]
        if node.triggers.leaveAlone(forms.classes[Int(above)]) {
          ofNode[number] = above
          continue
        }
        let place = Int(above) * count + Int(node.transformation)
        if forms.results[place] >= 0 {
          ofNode[number] = forms.results[place]
          continue
        }
        let input = forms.views[Int(above)]
        let output = group.transformations[Int(node.transformation)].apply(input, arena)
        let form =
          output.start == input.start && output.count == input.count
          ? above : forms.find(output, transformations: count)
        forms.results[place] = form
        ofNode[number] = form
      }
    }
    return true
  }

  private func forgetForms(_ plan: ClassPlan) {
    let ofNode = forms.ofNode.base
    for word in 0..<plan.maskWords {
      var rest = forms.affected[word]
      while rest != 0 {
        ofNode[word << 6 + rest.trailingZeroBitCount] = 0
        rest &= rest &- 1
      }
    }
  }

  /// Asks the databases of a scan for each form that its nodes have.
  private func look(
    _ number: Int, _ name: ByteView, _ index: Int, _ isChanged: Bool, _ plan: ClassPlan, _ group: ScanGroup,
    _ scan: ScanScratch?
  ) {
    let part = group.scans[number]
    guard isChanged else {
      look(part, form: 0, name, index, plan, group, scan)
      return
    }
    let question = forms.next()
    let mask = group.masks.baseAddress.unsafelyUnwrapped + part.firstMask
    for word in 0..<plan.maskWords {
      let affected = forms.affected[word]
      if mask[word] & ~affected != 0, forms.asked[0] != question {
        forms.asked[0] = question
        look(part, form: 0, name, index, plan, group, scan)
      }
      var rest = mask[word] & affected
      while rest != 0 {
        let form = forms.ofNode[word << 6 + rest.trailingZeroBitCount]
        rest &= rest &- 1
        guard forms.asked[Int(form)] != question else { continue }
        forms.asked[Int(form)] = question
        look(part, form: form, name, index, plan, group, scan)
      }
    }
  }

  private func look(
    _ part: PlanScan, form: Int32, _ name: ByteView, _ index: Int, _ plan: ClassPlan, _ group: ScanGroup,
    _ scan: ScanScratch?
  ) {
    let view = forms.views[Int(form)]
    let level = forms.levels[Int(form)]
    let chosen = level == 0 ? part.identifier : level == 1 ? part.text : part.all
    guard chosen >= 0, view.count > 0 else { return }
    let look = group.looks[Int(chosen)]
    let found = look.database._withUnsafeGuaranteedRef { scan?.scan(view, with: $0) ?? -1 }
    if found == 0 { return }
    if found < 0 {
      // The library refused (a value over 4 GiB, no memory): every rule of the database is a candidate, PCRE2 decides.
      for number in 0..<look.entryCount {
        let entry = group.entries[look.firstEntry + number]
        if has(entry, form, plan, group) { hit(entry, view, name, index, plan.variable, end: 0) }
      }
      return
    }
    guard let scan else { return }
    for place in 0..<found {
      let found = scan.found[place]
      let entry = group.entries[look.firstEntry + Int(found.id)]
      guard has(entry, form, plan, group) else { continue }
      hit(entry, view, name, index, plan.variable, end: entry.isExact ? Int(found.end) : 0)
    }
  }

  /// Whether the rule looks at this form.
  @inline(__always)
  private func has(_ entry: PlanEntry, _ form: Int32, _ plan: ClassPlan, _ group: ScanGroup) -> Bool {
    guard entry.node >= 0 else { return false }
    if forms.ofNode[Int(entry.node)] == form { return true }
    guard entry.isMultiMatch else { return false }
    var node = group.nodes[plan.firstNode + Int(entry.node)].parent
    while node >= 0 {
      if forms.ofNode[Int(node)] == form { return true }
      node = group.nodes[plan.firstNode + Int(node)].parent
    }
    return false
  }

  /// Asks an operator about the forms that its rules look at.
  private func ask(_ test: PlanTest, _ name: ByteView, _ index: Int, _ plan: ClassPlan, _ group: ScanGroup) {
    let question = forms.next()
    for number in Int(test.firstUse)..<Int(test.firstUse + test.useCount) {
      let use = group.uses[number]
      guard use.entry.isUnconditional || selects(use.entry, plan.variable, name) else { continue }
      var node = use.entry.node
      while node >= 0 {
        let form = Int(forms.ofNode[Int(node)])
        if use.least <= forms.levels[form] {
          if forms.asked[form] != question {
            forms.asked[form] = question
            forms.answers[form] = answer(test, forms.views[form], group)
          }
          let answer = forms.answers[form]
          // Without a certain answer the rule is asked again in its turn, where that is noted.
          if answer == .uncertain || (answer == .yes) != use.isNegated {
            hit(use.entry, forms.views[form], name, index, plan.variable, end: 0)
          }
        }
        guard use.entry.isMultiMatch else { break }
        node = group.nodes[plan.firstNode + Int(node)].parent
      }
    }
  }

  private func answer(_ test: PlanTest, _ view: ByteView, _ group: ScanGroup) -> FormTable.Answer {
    scratch.clear(for: view)
    scratch.limitExceeded = false
    let operation = group.operations[Int(test.operation)]
    let isMatch: Bool
    if test.isBounded, view.count > LongSearch.bytes, let pattern = operation as? any PatternOperator {
      isMatch = pattern.matchesLong(view, scratch)
    } else {
      isMatch = operation.matches(view, scratch)
    }
    if scratch.limitExceeded {
      scratch.limitExceeded = false
      return .uncertain
    }
    return isMatch ? .yes : .no
  }

  /// `look(at:)` with what it costs.
  private func measured(
    _ value: Argument, _ index: Int, _ number: Int, _ group: ScanGroup, _ scan: ScanScratch?,
    _ profile: RuleProfile
  ) {
    let plan = group.plans[number]
    var start = profile.start()
    let isChanged = transform(value.value, plan, group)
    var own = profile.since(start)
    for number in plan.firstScan..<plan.firstScan + plan.scanCount {
      start = profile.start()
      look(number, value.name, index, isChanged, plan, group, scan)
      profile.note(scan: number, of: group, nanoseconds: profile.since(start))
    }
    start = profile.start()
    for number in plan.firstTest..<plan.firstTest + plan.testCount {
      ask(group.tests[number], value.name, index, plan, group)
    }
    own &+= profile.since(start)
    profile.note(plan: number, of: group, nanoseconds: own)
    if isChanged { forgetForms(plan) }
  }

  @inline(__always)
  private func selects(_ entry: PlanEntry, _ variable: Variable, _ name: ByteView) -> Bool {
    entry.link._withUnsafeGuaranteedRef { $0.selects(variable, name, scratch.regex) }
  }

  private func hit(
    _ entry: PlanEntry, _ view: ByteView, _ name: ByteView, _ index: Int, _ variable: Variable, end: Int
  ) {
    if !entry.isUnconditional, !selects(entry, variable, name) { return }
    let position = Int(entry.position)
    let number = Int32(truncatingIfNeeded: hits.count)
    if hitHeads[position] >= 0 {
      let tail = Int(hitTails[position])
      // With multiMatch a value can be hit at several steps: one is enough.
      if entry.isMultiMatch, hits[tail].variable == variable,
        hits[tail].entry == Int32(truncatingIfNeeded: index)
      {
        return
      }
      hits.base[tail].next = number
    } else {
      hitHeads[position] = number
      candidates.base[position >> 6] |= 1 << UInt64(position & 63)
    }
    hitTails[position] = number
    hits.append(
      Hit(
        variable: variable, name: name, view: view, entry: Int32(truncatingIfNeeded: index), end: end,
        next: -1))
  }
}
