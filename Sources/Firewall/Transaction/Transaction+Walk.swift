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
    let steps = plan.steps
    let profile = self.profile
    // What a rule takes out, and for whom all matches are kept, only the rules themselves know.
    var isQuick = exceptions.isEmpty && !keepsAllMatches
    var position = 0
    while let next = nextCandidate(from: position), next < steps.count {
      position = next + 1
      let step = steps[next]
      switch step.kind {
      case .guardRule where isQuick && canTell(step):
        if holds(step) { position = Int(step.target) }
        continue
      case .setting where isQuick && profile == nil && canTell(step):
        guard holds(step) else { continue }
        for number in Int(step.firstSetting)..<Int(step.firstSetting + step.settingCount) {
          apply(plan.settings[number])
        }
        position = max(position, Int(step.target))
        continue
      case .filtered where profile == nil && canTell(step) && !holds(step):
        continue
      case .scanned:
        if step.group >= 0, !scannedGroups[Int(step.group)] {
          scannedGroups[Int(step.group)] = true
          scan(plan.groups[Int(step.group)])
        }
        guard hitHeads[next] >= 0 else { continue }
        let rule = plan.rules[next]
        if turn(of: rule, hits: hitHeads[next], profile) {
          position = max(position, rule.destination(from: next))
        }
      case .rule, .guardRule, .setting, .filtered:
        let rule = plan.rules[next]
        if turn(of: rule, hits: nil, profile) { position = max(position, rule.destination(from: next)) }
      }
      isQuick = exceptions.isEmpty && !keepsAllMatches
      if pending != nil || allowed != nil || engine == .off { break }
    }
    defer { pending = nil }
    return pending
  }

  /// Whether the step alone can say what its rule would.
  @inline(__always)
  private func canTell(_ step: Step) -> Bool {
    guard step.isOfDigits else { return true }
    let value = slots[Int(step.slot)]
    guard value.count >= 0 else { return true }
    for index in 0..<value.count where !value[index].isDigit { return false }
    return value.count > 0
  }

  /// Whether a guard or a setting matches.
  @inline(__always)
  private func holds(_ step: Step) -> Bool {
    guard step.slot >= 0 else { return true }
    let value = slots[Int(step.slot)]
    let number: Int64
    if step.isCount {
      number = value.count >= 0 ? 1 : 0
    } else {
      guard value.count >= 0 else { return false }
      number = value.leadingInteger
    }
    var constant = step.constant
    if step.other >= 0 {
      let other = slots[Int(step.other)]
      constant = other.count >= 0 ? other.leadingInteger : 0
    }
    return step.comparison.holds(number, constant) != step.isNegated
  }

  @inline(__always)
  private func turn(of rule: CompiledRule, hits: Int32?, _ profile: RuleProfile?) -> Bool {
    guard let profile else { return evaluate(rule, hits: hits) }
    return measured(rule, hits: hits, profile)
  }

  private func prepare(_ plan: PhasePlan) {
    if let base = plan.always.baseAddress { candidates.copy(from: base, count: plan.always.count) }
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
