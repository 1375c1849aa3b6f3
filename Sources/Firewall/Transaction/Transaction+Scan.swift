// Scanning ahead: each value of the phase once down its tree of transformations.

extension Transaction {
  func scan(_ group: ScanGroup) {
    for plan in group.plans {
      let list = values[plan.variable]
      guard !list.isEmpty else { continue }
      nodeViews.reserve(plan.nodeCount, .empty)
      nodeClasses.reserve(plan.nodeCount, [])
      for index in 0..<list.count {
        let value = list[index]
        if plan.isNamed {
          // XPath expressions are the names of their values, and compare as they are.
          guard plan.variable == .xml ? value.name == plan.name : value.name.equalsIgnoringCase(plan.name)
          else {
            continue
          }
        }
        descend(value, index, plan, group, scan)
      }
    }
  }

  private func descend(
    _ value: Argument, _ index: Int, _ plan: ClassPlan, _ group: ScanGroup, _ scan: ScanScratch?
  ) {
    let identifier = Alphabet.identifier.classes.rawValue
    let text = Alphabet.text.classes.rawValue
    let views = nodeViews.base
    let classes = nodeClasses.base
    let nodes = UnsafeBufferPointer(rebasing: group.nodes[plan.firstNode..<plan.firstNode + plan.nodeCount])
    views[0] = value.value
    classes[0] = value.value.classes
    @inline(__always) func visit(_ number: Int) {
      let node = nodes[number]
      if node.transformation >= 0 {
        let parent = Int(node.parent)
        let input = views[parent]
        if node.triggers.leaveAlone(classes[parent]) {
          views[number] = input
          classes[number] = classes[parent]
        } else {
          let output = group.transformations[Int(node.transformation)].apply(input, arena)
          views[number] = output
          classes[number] =
            output.start == input.start && output.count == input.count ? classes[parent] : output.classes
        }
      }
      let view = views[number]
      let kinds = classes[number].rawValue
      let (part, level): (Int32, UInt8) =
        kinds & ~identifier == 0
        ? (node.identifierScan, 0) : kinds & ~text == 0 ? (node.textScan, 1) : (node.scan, 2)
      if part >= 0, view.count > 0 {
        look(view, group.scans[Int(part)], group, value.name, index, plan.variable, scan)
      }
      if node.testCount > 0 {
        for number in Int(node.firstTest)..<Int(node.firstTest + node.testCount) {
          let test = group.tests[number]
          if test.least <= level { ask(test, view, group, value.name, index, plan.variable) }
        }
      }
    }
    guard let profile else {
      for number in 0..<nodes.count { visit(number) }
      return
    }
    for number in 0..<nodes.count {
      let start = profile.start()
      visit(number)
      profile.note(node: plan.firstNode + number, of: group, nanoseconds: profile.since(start))
    }
  }

  private func look(
    _ view: ByteView, _ part: PlanScan, _ group: ScanGroup, _ name: ByteView, _ index: Int,
    _ variable: Variable,
    _ scan: ScanScratch?
  ) {
    let found = part.database._withUnsafeGuaranteedRef { scan?.scan(view, with: $0) ?? -1 }
    if found == 0 { return }
    if found < 0 {
      // The library refused (a value over 4 GiB, no memory): every rule of the database is a candidate, PCRE2 decides.
      for entry in 0..<part.entryCount {
        hit(group.entries[part.firstEntry + entry], view, name, index, variable, end: 0)
      }
      return
    }
    guard let scan else { return }
    for place in 0..<found {
      let found = scan.found[place]
      let entry = group.entries[part.firstEntry + Int(found.id)]
      hit(entry, view, name, index, variable, end: entry.isExact ? Int(found.end) : 0)
    }
  }

  private func ask(
    _ test: PlanTest, _ view: ByteView, _ group: ScanGroup, _ name: ByteView, _ index: Int,
    _ variable: Variable
  ) {
    guard test.entry.isUnconditional || selects(test.entry, variable, name) else { return }
    scratch.clear(for: view)
    scratch.limitExceeded = false
    let operation = group.operations[Int(test.operation)]
    let isMatch: Bool
    if test.isBounded, view.count > LongSearch.bytes, let pattern = operation as? any PatternOperator {
      isMatch = pattern.matchesLong(view, scratch)
    } else {
      isMatch = operation.matches(view, scratch)
    }
    // Without a certain answer the rule is asked again in its turn, where that is noted.
    if isMatch != test.isNegated || scratch.limitExceeded {
      scratch.limitExceeded = false
      hit(test.entry, view, name, index, variable, end: 0)
    }
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
