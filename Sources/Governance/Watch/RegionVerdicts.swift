// What rules said of a region, kept so that a change is evaluated by itself: of rules that see several resources a verdict,
// of rules that look at one resource after the other a verdict for each resource, and how many of each kind there are.
// Invariant: tallies are the sums of the parts' marks; places of rows are those of `AccountCheck.rows`.

import GuardRules
import Resources

/// What came of a rule on a region.
struct RuleVerdict: Sendable {
  /// nil = it couldn't be evaluated.
  var status: RuleStatus?
  /// Of a rule that is evaluated by resource those that are of no resource that is there.
  var findings: [Finding] = []
  var fault: String?
  /// Whether it failed while other parts of it can't be told.
  var hasUnknown = false
  /// Whether it looked for something outermost that isn't there.
  var isLacking = false
  /// Whether what it found of each resource counts.
  var showsParts = false
}

/// What a rule came to on one resource, in a byte.
struct PartMark: Sendable, Equatable {
  /// The status's place in `RuleStatus.allCases`; 7 = it couldn't be evaluated.
  private let bits: UInt8
  private static var faulty: UInt8 { 7 }

  init(_ result: Result<RuleResult, EvaluationFault>) {
    switch result {
    case .failure: bits = Self.faulty
    case .success(let rule):
      let status: UInt8 =
        switch rule.status {
        case .pass: 0
        case .fail: 1
        case .skip: 2
        case .unknown: 3
        }
      bits = status | (rule.hasUnknown ? 8 : 0) | (rule.lacks.isEmpty ? 0 : 16)
    }
  }

  /// nil = it couldn't be evaluated.
  var status: RuleStatus? {
    switch bits & 7 {
    case 0: .pass
    case 1: .fail
    case 2: .skip
    case 3: .unknown
    default: nil
    }
  }
  var hasUnknown: Bool { bits & 8 != 0 }
  var isLacking: Bool { bits & 16 != 0 }
}

/// How many resources a rule came to what on.
struct PartTally: Sendable, Equatable {
  private(set) var count = 0
  private(set) var faulty = 0
  private(set) var lacking = 0
  private var passed = 0
  private var failed = 0
  private var unknown = 0
  private var hiding = 0

  /// - Parameter times: 1, or -1 where it is taken out.
  mutating func add(_ mark: PartMark, _ times: Int) {
    count += times
    switch mark.status {
    case nil: faulty += times
    case .pass?: passed += times
    case .fail?: failed += times
    case .unknown?: unknown += times
    case .skip?: break
    }
    if mark.hasUnknown { hiding += times }
    if mark.isLacking { lacking += times }
  }

  /// Of all of them: what counts most.
  var status: RuleStatus { failed > 0 ? .fail : unknown > 0 ? .unknown : passed > 0 ? .pass : .skip }
  /// Whether it fails while something of it can't be told.
  var hidesUnknown: Bool { failed > 0 && (hiding > 0 || unknown > 0) }
}

/// What a rule says of a document.
struct RowOutcome: Sendable {
  let row: Int
  let mark: PartMark
  var findings: [Finding] = []
  var fault: String?
}

/// What rules say of one resource.
struct PartVerdict: Sendable {
  /// What was looked at.
  let properties: Value
  /// In the order of the rows that look at its type.
  let marks: [PartMark]
  /// Of rows that found something, or couldn't be evaluated.
  let told: [RowOutcome]

  init(_ properties: Value, _ outcomes: [RowOutcome]) {
    self.properties = properties
    marks = outcomes.map(\.mark)
    told = outcomes.filter { !$0.findings.isEmpty || $0.fault != nil }
  }
}

/// See the head of this file.
struct RegionVerdicts: Sendable {
  /// By row.
  var rules: [RuleVerdict] = []
  /// By row; of rules that are evaluated by resource.
  private(set) var tallies: [PartTally] = []
  /// By type, then by name.
  private var parts: [String: [String: PartVerdict]] = [:]
  /// What rules that are evaluated by resource say where there is none, by row, as far as they were asked.
  var nothing: [Int: RowOutcome] = [:]

  /// Nothing yet.
  init(ruleCount: Int = 0) {
    rules = [RuleVerdict](repeating: RuleVerdict(), count: ruleCount)
    tallies = [PartTally](repeating: PartTally(), count: ruleCount)
  }

  /// What is kept of resources of a type, by name.
  func parts(of type: String) -> [String: PartVerdict] { parts[type] ?? [:] }
  func partCount(_ type: String) -> Int { parts[type]?.count ?? 0 }

  /// Puts a resource's verdicts in the place of those that were.
  /// - Parameter groups: the rows that look at its type.
  mutating func put(
    _ part: PartVerdict?, _ type: String, _ name: String, _ groups: [AccountCheck.Group],
    _ out: inout AccountCheck.Evaluated
  ) {
    let old = parts[type]?[name]
    parts[type, default: [:]][name] = part
    var place = 0
    for row in groups.lazy.flatMap(\.rows) {
      if let old { tallies[row].add(old.marks[place], -1) }
      if let part { tallies[row].add(part.marks[place], 1) }
      place += 1
    }
    guard out.resources != nil else { return }
    let (before, after) = (old?.told.flatMap(\.findings) ?? [], part?.told.flatMap(\.findings) ?? [])
    out.resources?.formUnion(Finding.resources(of: before, or: after))
  }

  /// Forgets resources of a type that aren't there any more.
  mutating func keep(
    _ names: Set<String>, of type: String, _ groups: [AccountCheck.Group],
    _ out: inout AccountCheck.Evaluated
  ) {
    for name in (parts[type] ?? [:]).keys where !names.contains(name) { put(nil, type, name, groups, &out) }
  }

  /// What resources are told of, by row, in the region's order.
  /// - Parameter only: the resources that are wanted; nil = all.
  func told(in region: RegionState, _ only: Set<String>?) -> [Int: [Finding]] {
    var out: [Int: [Finding]] = [:]
    func add(_ part: PartVerdict?) {
      for each in part?.told ?? [] { out[each.row, default: []] += each.findings }
    }
    if let only {
      let types = parts.keys.sorted()
      for name in only.sorted() { for type in types { add(parts[type]?[name]) } }
      return out
    }
    var seen: Set<String> = []
    for resource in region.resources(of: nil) {
      guard let type = resource.type, let part = parts[type]?[resource.name], !part.told.isEmpty,
        seen.insert("\(type) \(resource.name)").inserted
      else { continue }
      add(part)
    }
    return out
  }

  /// Why a rule can't be evaluated on resources.
  func faults(of row: Int) -> [String] {
    parts.values.flatMap(\.values).flatMap(\.told).filter { $0.row == row }.compactMap(\.fault)
  }
}

extension Finding {
  /// Resources of which two lists of findings tell different things.
  static func resources(of old: [Finding], or new: [Finding]) -> Set<String> {
    if old == new { return [] }
    let (before, after) = (
      Dictionary(grouping: old, by: \.resource), Dictionary(grouping: new, by: \.resource)
    )
    return Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
  }
}
