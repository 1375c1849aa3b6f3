// What TX variables will hold, as far as that can be told before any request: which guards always jump, and which never.
//
// A rule set begins by writing its own settings (`setvar:tx.paranoia_level=1`), and most of its guards ask for them. Where
// the answer is foreseen, rules behind a guard that always jumps aren't scanned ahead, and those behind one that never
// does need no group of their own. A forecast decides how rules are grouped and nothing else: the guard is asked all the
// same, and if it says otherwise (a rule was taken out by `ctl`, say), its rules are evaluated one by one.

struct SlotForecast {
  /// What a guard will do.
  enum Guard { case jumps, stays, unknown }

  private enum Content {
    case unset, unknown
    case value(ByteView)
  }

  /// By slot; what isn't there is unset.
  private var contents: [Int: Content] = [:]
  private let arena = Arena()

  init(slots: [String: Int]) {
    // Captures, and what the engine writes.
    for name in (0...9).map(String.init) + ["msc_pcre_limits_exceeded"] {
      if let slot = slots[name] { contents[slot] = .unknown }
    }
  }

  /// Goes over the rules of the next phase.
  /// - Returns: by position, for rules that are guards, what they will do.
  mutating func pass(_ rules: [CompiledRule]) -> [Guard] {
    var guards = [Guard](repeating: .unknown, count: rules.count)
    /// Up to here a jump may have led past.
    var unsure = 0
    var position = 0
    while position < rules.count {
      let rule = rules[position]
      let isCertain = position >= unsure
      let verdict = evaluate(rule, isCertain: isCertain)
      let target = rule.destination(from: position)
      guard target > 0 else {
        position += 1
        continue
      }
      switch verdict {
      case false?:
        guards[position] = .stays
        position += 1
      case true? where isCertain || target <= unsure:
        guards[position] = .jumps
        position = max(position + 1, min(target, rules.count))
      default:
        unsure = max(unsure, min(target, rules.count))
        position += 1
      }
    }
    return guards
  }

  /// Whether the rule matches, where that is known; what it writes is noted.
  private mutating func evaluate(_ rule: CompiledRule, isCertain: Bool) -> Bool? {
    var verdict: Bool? = true
    for link in rule.links {
      switch holds(link) {
      case false?: return false
      case nil: verdict = nil
      case true?: break
      }
      for setting in link.settings where setting.variable == .tx && setting.slot >= 0 {
        write(setting, isCertain: isCertain && verdict == true)
      }
    }
    return verdict
  }

  private func holds(_ link: CompiledLink) -> Bool? {
    guard let test = link.test else { return true }
    guard link.exclusions.isEmpty, !link.isMultiMatch, let relation = Relation.named(test.name),
      let argument = text(test.argument)
    else { return nil }
    var verdict: Bool? = false
    for target in link.targets {
      guard target.variable == .tx, target.slot >= 0 else { return nil }
      let number: Int64
      switch contents[target.slot] ?? .unset {
      case .unknown:
        verdict = nil
        continue
      case .unset:
        if !target.isCount { continue }
        number = 0
      case .value(let value):
        let changed = link.transformations.reduce(value) { $1.apply($0, arena) }
        number = target.isCount ? 1 : changed.leadingInteger
      }
      if relation.holds(number, argument.leadingInteger) != test.isNegated { return true }
    }
    return verdict
  }

  private func text(_ macro: Macro) -> ByteView? {
    if let literal = macro.literal { return literal }
    guard macro.parts.count == 1, case .slot(let slot)? = macro.parts.first else { return nil }
    switch contents[slot] ?? .unset {
    case .unset: return .empty
    case .unknown: return nil
    case .value(let value): return value
    }
  }

  private mutating func write(_ setting: VariableSetting, isCertain: Bool) {
    let old = contents[setting.slot] ?? .unset
    let new: Content
    switch setting.operation {
    case .assign: new = text(setting.value).map { .value($0) } ?? .unknown
    case .remove: new = .unset
    case .add, .subtract: new = .unknown
    }
    if isCertain {
      contents[setting.slot] = new
    } else if case .value(let a) = old, case .value(let b) = new, a == b {
      return
    } else {
      contents[setting.slot] = .unknown
    }
  }
}
