// What the rule at hand has matched so far, and what earlier rules took out of later ones.

/// A value that the rule at hand has matched.
struct MatchedVariable: BitwiseCopyable {
  let variable: Variable
  let name: ByteView
  let value: ByteView
}

/// ctl:ruleRemove…: for the rest of the transaction.
struct RuleExceptions {
  var rules: [ClosedRange<Int>] = []
  var tags: [String] = []
  var targets: [(rules: ClosedRange<Int>, target: Target)] = []
  var tagTargets: [(tag: String, target: Target)] = []
  /// Whether there is any: asked first, by every rule.
  private(set) var isEmpty = true
  private(set) var hasTargets = false

  mutating func clear() {
    guard !isEmpty else { return }
    rules.removeAll(keepingCapacity: true)
    tags.removeAll(keepingCapacity: true)
    targets.removeAll(keepingCapacity: true)
    tagTargets.removeAll(keepingCapacity: true)
    isEmpty = true
    hasTargets = false
  }

  mutating func add(_ range: ClosedRange<Int>) {
    rules.append(range)
    isEmpty = false
  }
  mutating func add(tag: String) {
    tags.append(tag)
    isEmpty = false
  }
  mutating func add(_ target: Target, rules: ClosedRange<Int>) {
    targets.append((rules, target))
    isEmpty = false
    hasTargets = true
  }
  mutating func add(_ target: Target, tag: String) {
    tagTargets.append((tag, target))
    isEmpty = false
    hasTargets = true
  }

  func removes(_ rule: CompiledRule) -> Bool {
    rules.contains { $0.contains(rule.id) } || tags.contains { rule.tags.contains($0) }
  }

  func removes(_ variable: Variable, _ name: ByteView, from rule: CompiledRule, _ scratch: RegexScratch)
    -> Bool
  {
    targets.contains { $0.rules.contains(rule.id) && $0.target.matches(variable, name, scratch) }
      || tagTargets.contains { rule.tags.contains($0.tag) && $0.target.matches(variable, name, scratch) }
  }
}

/// A value that made a scanned rule a candidate.
struct Hit: BitwiseCopyable {
  let variable: Variable
  let name: ByteView
  /// After the transformations.
  let view: ByteView
  /// The value among its variable's.
  let entry: Int32
  /// Where a database saw the first match end; 0 where none did, or may be wrong.
  let end: Int
  /// The rule's next hit; -1: none.
  var next: Int32
}
