// What rules and scans cost on given traffic: how often each rule was visited, asked, hit and matched, and how long that
// took by a clock of the caller's. For people who tune; a transaction without a profile pays one branch per visited rule.
//
// Owner: one thread, that of the transactions it is set on. One profile is for one policy.

/// Costs by rule and by scan.
public final class RuleProfile {
  /// What a rule has cost so far.
  public struct RuleCost: Sendable, Equatable {
    /// How often the walk came to it.
    public var visited = 0
    /// How often an operator of its chain was asked in its turn.
    public var asked = 0
    /// Values that the scan ahead found for it.
    public var hits = 0
    /// How often it matched as a whole.
    public var matched = 0
    /// What its turns took, scanning ahead not counted.
    public var nanoseconds: Int64 = 0
    /// A value of these parts.
    public init(visited: Int = 0, asked: Int = 0, hits: Int = 0, matched: Int = 0, nanoseconds: Int64 = 0) {
      self.visited = visited
      self.asked = asked
      self.hits = hits
      self.matched = matched
      self.nanoseconds = nanoseconds
    }
  }

  /// What the work on the values of a variable has cost: one scan of them, or their transformations and single tests.
  struct ScanCost {
    var values = 0
    var nanoseconds: Int64 = 0
  }

  private let clock: () -> Int64
  /// What reading the clock takes, which is in every measurement.
  private let clockNanoseconds: Int64
  private(set) var rules: [RuleCost] = []
  /// Of the groups' scans, and of their classes of values.
  private(set) var scans: [ObjectIdentifier: [ScanCost]] = [:]
  private(set) var plans: [ObjectIdentifier: [ScanCost]] = [:]

  /// - Parameter clock: nanoseconds, of CPU where that can be had; one that stands still gives counts alone.
  public init(clock: @escaping () -> Int64) {
    self.clock = clock
    var least = Int64.max
    for _ in 0..<1000 {
      let start = clock()
      least = min(least, clock() &- start)
    }
    clockNanoseconds = max(0, least)
  }

  @inline(__always) func start() -> Int64 { clock() }

  @inline(__always) func since(_ start: Int64) -> Int64 { clock() &- start &- clockNanoseconds }

  func note(rule: Int, hits: Int, asked: Int, isMatch: Bool, nanoseconds: Int64) {
    if rule >= rules.count { rules += Array(repeating: RuleCost(), count: rule + 1 - rules.count) }
    rules[rule].visited += 1
    rules[rule].hits += hits
    rules[rule].asked += asked
    rules[rule].matched += isMatch ? 1 : 0
    rules[rule].nanoseconds &+= nanoseconds
  }

  func note(scan: Int, of group: ScanGroup, nanoseconds: Int64) {
    scans[ObjectIdentifier(group), default: Array(repeating: ScanCost(), count: group.scans.count)][scan].add(
      nanoseconds)
  }

  func note(plan: Int, of group: ScanGroup, nanoseconds: Int64) {
    plans[ObjectIdentifier(group), default: Array(repeating: ScanCost(), count: group.plans.count)][plan].add(
      nanoseconds)
  }
}

extension RuleProfile.ScanCost {
  fileprivate mutating func add(_ nanoseconds: Int64) {
    values += 1
    self.nanoseconds &+= nanoseconds
  }
}

extension Transaction {
  /// `evaluate` with what it costs.
  func measured(_ rule: CompiledRule, hits first: Int32?, _ profile: RuleProfile) -> Bool {
    var count = 0
    var at = first ?? -1
    while at >= 0 {
      count += 1
      at = hits[Int(at)].next
    }
    let before = scratch.asked
    let start = profile.start()
    let isMatch = evaluate(rule, hits: first)
    let nanoseconds = profile.since(start)
    profile.note(
      rule: rule.index, hits: count, asked: scratch.asked &- before, isMatch: isMatch,
      nanoseconds: nanoseconds)
    return isMatch
  }
}
