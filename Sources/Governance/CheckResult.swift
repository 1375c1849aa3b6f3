// What came of a check.

public import GuardRules

/// See the head of this file.
public struct CheckResult: Sendable {
  /// A rule on an input.
  public struct RuleOnInput: Sendable {
    /// The rule's name.
    public let rule: String
    /// Its file.
    public let ruleFile: String
    /// The input's path.
    public let input: String
    /// What came of it.
    public let status: RuleStatus
  }

  /// Every rule on every input.
  public internal(set) var results: [RuleOnInput] = []
  /// What failed or can't be told: all of it, unless `toldCount` or `omittedCount` says otherwise.
  public internal(set) var findings: [Finding] = []
  /// Inputs that couldn't be read, rules that couldn't be evaluated.
  public internal(set) var faults: [String] = []
  /// Inputs that were looked at.
  public internal(set) var inputs = 0
  /// Findings that were handed on already, since there are too many to be kept.
  public internal(set) var toldCount = 0
  /// Findings beyond those that are kept.
  public internal(set) var omittedCount = 0

  /// How many rules on inputs came to a status.
  public func count(_ status: RuleStatus) -> Int { results.count { $0.status == status } }

  /// How many findings there are, those that are no longer kept included.
  public var findingCount: Int { toldCount + findings.count + omittedCount }

  /// All together: any failure, else any that can't be told, else any that passed.
  public var status: RuleStatus {
    if results.contains(where: { $0.status == .fail }) { return .fail }
    if findingCount > 0 || results.contains(where: { $0.status == .unknown }) { return .unknown }
    return results.contains { $0.status == .pass } ? .pass : .skip
  }

  /// Puts what came of other inputs behind this.
  mutating func append(_ other: CheckResult) {
    results += other.results
    findings += other.findings
    faults += other.faults
    inputs += other.inputs
    toldCount += other.toldCount
    omittedCount += other.omittedCount
  }
}

/// What a check may take.
public struct CheckLimits: Sendable {
  /// Memory for what has to be looked at as a whole, in bytes, about: half of it is for what is kept of an input.
  public var memoryBytes = 256 << 20
  /// Findings that are kept; what is done with more is for who runs the check to say.
  public var keptFindingCount = 25_000
  /// Inputs at once; only small ones are looked at beside others.
  public var mostAtOnce = 8
  /// Resources that are looked at together, where an input is looked at resource by resource.
  public var batchCount = 512

  /// The usual ones.
  public init() {}

  /// What is kept of an input.
  var keptBytes: Int { memoryBytes / 2 }
  /// A resource, or a part of one, while it is read.
  var partBytes: Int { memoryBytes / 4 }
  /// Resources that are looked at together.
  var batchBytes: Int { min(4 << 20, memoryBytes / 16) }
}

/// Where findings go when there are more than can be kept.
struct FindingBound {
  let most: Int
  /// Takes the findings there are; nil = those beyond the bound are counted only.
  let tell: ((inout CheckResult) -> Void)?

  func hold(_ result: inout CheckResult) {
    guard result.findings.count > most else { return }
    guard let tell else {
      result.omittedCount += result.findings.count - most
      result.findings.removeLast(result.findings.count - most)
      return
    }
    let count = result.findings.count
    tell(&result)
    result.toldCount += count
    result.findings.removeAll(keepingCapacity: true)
  }
}
