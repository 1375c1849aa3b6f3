// Scanning ahead: each value of the phase once down its tree of transformations.

extension Transaction {
  func scan(_ group: ScanGroup) {
    for plan in group.plans {
      let count = values[plan.variable].count
      for index in 0..<count {
        let value = values[plan.variable][index]
        if let name = plan.name {
          // XPath expressions are the names of their values, and are the very same bytes.
          if plan.variable == .xml {
            guard value.name.start == name.start || value.name == name else { continue }
          } else {
            guard value.name.equalsIgnoringCase(name) else { continue }
          }
        }
        scan(value, index, plan)
      }
    }
  }

  private func scan(_ value: Argument, _ index: Int, _ plan: ClassPlan) {
    let nodes = plan.nodes
    if nodeViews.count < nodes.count {
      let missing = nodes.count - nodeViews.count
      nodeViews.append(contentsOf: repeatElement(.empty, count: missing))
      nodeClasses.append(contentsOf: repeatElement([], count: missing))
    }
    for number in nodes.indices {
      let node = nodes[number]
      if let transformation = node.transformation {
        let input = nodeViews[node.parent]
        let classes = nodeClasses[node.parent]
        if classes.isDisjoint(with: transformation.triggers) && transformation.triggers != .anything {
          nodeViews[number] = input
          nodeClasses[number] = classes
        } else {
          let output = transformation.apply(input, arena)
          nodeViews[number] = output
          nodeClasses[number] =
            output.start == input.start && output.count == input.count ? classes : output.classes
        }
      } else {
        nodeViews[0] = value.value
        nodeClasses[0] = value.value.classes
      }
      if node.scans.isEmpty && node.tests.isEmpty { continue }
      let view = nodeViews[number]
      if !view.isEmpty {
        for part in node.scans { scan(view, part, value.name, index, plan.variable) }
      }
      for test in node.tests { ask(test, view, value.name, index, plan.variable) }
    }
  }

  private func scan(_ view: ByteView, _ part: PlanScan, _ name: ByteView, _ index: Int, _ variable: Variable)
  {
    guard let scan else { return }
    let found = scan.scan(view, with: part.database)
    if found < 0 {
      // The library refused (a value over 4 GiB, no memory): every rule of the database is a candidate, and PCRE2 decides.
      for entry in part.entries { hit(entry, view, name, index, variable, isConfirmed: false) }
      return
    }
    for place in 0..<found {
      hit(part.entries[Int(scan.found[place])], view, name, index, variable, isConfirmed: false)
    }
  }

  private func ask(_ test: PlanTest, _ view: ByteView, _ name: ByteView, _ index: Int, _ variable: Variable) {
    guard test.entry.isUnconditional || test.entry.link.selects(variable, name, regex) else { return }
    scratch.clear(for: view)
    if test.operation.matches(view, scratch) != test.isNegated {
      hit(test.entry, view, name, index, variable, isConfirmed: false)
    }
  }

  private func hit(
    _ entry: PlanEntry, _ view: ByteView, _ name: ByteView, _ index: Int, _ variable: Variable,
    isConfirmed: Bool
  ) {
    if !entry.isUnconditional, !entry.link.selects(variable, name, regex) { return }
    let position = entry.position
    let number = Int32(hits.count)
    let tail = hitTails[position]
    if hitHeads[position] >= 0 {
      // With multiMatch a value can be hit at several steps: one is enough.
      let last = hits[Int(tail)]
      if last.variable == variable, last.entry == Int32(index), entry.link.isMultiMatch { return }
      hits[Int(tail)].next = number
    } else {
      hitHeads[position] = number
      candidates[position >> 6] |= 1 << UInt64(position & 63)
    }
    hitTails[position] = number
    hits.append(
      Hit(
        variable: variable, name: name, view: view, entry: Int32(index), next: -1, isConfirmed: isConfirmed))
  }
}
