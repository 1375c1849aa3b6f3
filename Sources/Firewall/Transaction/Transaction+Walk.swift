// The walk over a phase's rules: only over those that are always looked at and those that a scan has hit.

extension Transaction {
  /// Evaluates a phase. Nil: nothing is to be done, or nothing is enforced.
  func run(phase number: Int) -> Intervention? {
    guard engine != .off else { return nil }
    switch allowed {
    case .all where number != 5: return nil
    case .request where number <= 2: return nil
    default: allowed = nil
    }
    let plan = policy.phases[number - 1]
    phase = number
    pending = nil
    prepare(plan)
    let count = plan.steps.count
    let profile = self.profile
    var position = 0
    while let next = nextCandidate(from: position), next < count {
      position = next + 1
      let step = plan.steps[next]
      switch step.kind {
      case .guardRule where exceptions.isEmpty && !keepsAllMatches:
        let value = slots[Int(step.slot)]
        if value.count >= 0, step.comparison.holds(value.leadingInteger, step.constant) != step.isNegated {
          position = Int(step.target)
        }
      case .scanned:
        if step.group >= 0, !scannedGroups[Int(step.group)] {
          scannedGroups[Int(step.group)] = true
          scan(plan.groups[Int(step.group)])
        }
        guard hitHeads[next] >= 0 else { continue }
        let rule = plan.rules[next]
        if turn(of: rule, hits: hitHeads[next], profile) {
          position = max(position, destination(of: rule, at: next))
        }
      case .rule, .guardRule:
        let rule = plan.rules[next]
        if turn(of: rule, hits: nil, profile) { position = max(position, destination(of: rule, at: next)) }
      }
      if pending != nil || allowed != nil || engine == .off { break }
    }
    defer { pending = nil }
    return pending
  }

  @inline(__always)
  private func turn(of rule: CompiledRule, hits: Int32?, _ profile: RuleProfile?) -> Bool {
    guard let profile else { return evaluate(rule, hits: hits) }
    return measured(rule, hits: hits, profile)
  }

  private func destination(of rule: CompiledRule, at position: Int) -> Int {
    if let target = rule.skipTo { return target }
    return rule.skip > 0 ? position + 1 + rule.skip : 0
  }

  private func prepare(_ plan: PhasePlan) {
    plan.always.withUnsafeBufferPointer { always in
      if let base = always.baseAddress { candidates.copy(from: base, count: always.count) }
    }
    hitHeads.fill(-1, count: plan.rules.count)
    hitTails.fill(-1, count: plan.rules.count)
    hits.removeAll()
    scannedGroups.fill(false, count: plan.groups.count)
  }

  @inline(__always)
  private func nextCandidate(from position: Int) -> Int? {
    var word = position >> 6
    guard word < candidates.count else { return nil }
    var bits = candidates[word] & (UInt64.max << UInt64(position & 63))
    while bits == 0 {
      word += 1
      guard word < candidates.count else { return nil }
      bits = candidates[word]
    }
    return (word << 6) + bits.trailingZeroBitCount
  }
}
