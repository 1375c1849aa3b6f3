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
    /// What came of it, exceptions left aside.
    public internal(set) var status: RuleStatus
    /// Whether clauses of it can't be told, whatever it came to.
    public internal(set) var hasUnknown = false
    /// Whether it looked for something outermost that the input doesn't have: with other input parameters it might have come
    /// to something else.
    public internal(set) var isLacking = false
    /// Whether exceptions cover all that it found.
    public internal(set) var isExcepted = false
  }

  /// Every rule on every input.
  public internal(set) var results: [RuleOnInput] = []
  /// What failed or can't be told: all of it, unless `toldCount` or `omittedCount` says otherwise.
  public internal(set) var findings: [Finding] = []
  /// Inputs that couldn't be read, rules that couldn't be evaluated.
  public internal(set) var faults: [String] = []
  /// Files and folders of which nothing is known, since they couldn't be read.
  public internal(set) var unread: [String] = []
  /// Inputs that were looked at.
  public internal(set) var inputs = 0
  /// Findings that were handed on already, since there are too many to be kept.
  public internal(set) var toldCount = 0
  /// Findings beyond those that are kept.
  public internal(set) var omittedCount = 0
  /// What is to know beside findings: exceptions that cover nothing.
  public internal(set) var notes: [String] = []
  /// Exceptions that were applied: reason, owner and end by their ids.
  public internal(set) var exceptions: [String: String] = [:]
  /// Services whose own findings were all taken in, by input: `guardduty` of `aws:ACCOUNT/REGION`. Rules of theirs are
  /// named `guardduty:TYPE`; one that is no longer there is mended only where its service was asked and answered.
  public internal(set) var answered: [String: Set<String>] = [:]
  /// Of findings that are no longer kept, those that no exception covers.
  var openBeyondCount = 0
  /// What exceptions made of findings so far.
  var excepted = ExceptionTally()

  /// How many rules on inputs came to a status; those that exceptions cover are left out.
  public func count(_ status: RuleStatus) -> Int { results.count { $0.status == status && !$0.isExcepted } }

  /// How many rules on inputs don't fail only for an exception.
  public var exceptedCount: Int { results.count(where: \.isExcepted) }

  /// How many findings there are, those that are no longer kept included.
  public var findingCount: Int { toldCount + findings.count + omittedCount }

  /// All together: any failure, else any that can't be told, else any that passed. Of what couldn't be read, or not be
  /// evaluated, nothing can be told.
  public var status: RuleStatus {
    if count(.fail) > 0 { return .fail }
    let isOpen = openBeyondCount > 0 || findings.contains { $0.status != "EXCEPTED" }
    if isOpen || count(.unknown) > 0 || !faults.isEmpty { return .unknown }
    return count(.pass) > 0 || exceptedCount > 0 ? .pass : .skip
  }

  /// Puts what came of other inputs behind this.
  mutating func append(_ other: CheckResult) {
    results += other.results
    findings += other.findings
    faults += other.faults
    unread += other.unread
    inputs += other.inputs
    toldCount += other.toldCount
    omittedCount += other.omittedCount
    openBeyondCount += other.openBeyondCount
    notes += other.notes
    exceptions.merge(other.exceptions) { $1 }
    answered.merge(other.answered) { $0.union($1) }
    excepted.add(other.excepted, at: findings.count)
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
  /// Looked at before findings are given away.
  var exceptions: ExceptionsInForce?
  /// Takes the findings there are; nil = those beyond the bound are counted only.
  let tell: ((inout CheckResult) -> Void)?

  /// Marks what exceptions cover, and gives away what is too much.
  func hold(_ result: inout CheckResult) {
    exceptions?.mark(&result)
    guard result.findings.count > most else { return }
    // Counted in place: a slice that is still there would have all that are kept copied, every time.
    let first = tell == nil ? most : 0
    let count = result.findings.count - first
    for place in first..<result.findings.count where result.findings[place].status != "EXCEPTED" {
      result.openBeyondCount += 1
    }
    if let tell {
      tell(&result)
      result.toldCount += count
      result.findings.removeAll(keepingCapacity: true)
    } else {
      result.omittedCount += count
      result.findings.removeLast(count)
    }
    result.excepted.markedCount = result.findings.count
  }
}
