// The history of findings as the place where a watch keeps them. A watch is a scan that goes on: both speak of the same
// findings, and what one told the other doesn't tell again.

import GuardRules

/// See the head of this file.
public struct HistorySink: FindingSink {
  private let history: FindingHistory
  private let targets: [NotificationTarget]
  private let parameters: InputParameters
  private let exceptions: @Sendable (Int64) -> [ExceptionEnd]

  /// - Parameters:
  ///   - targets: who is to be told; what is to be told is kept with the findings.
  ///   - parameters: what rules are given.
  ///   - exceptions: until when exceptions are valid, at a time in seconds since 1970 UTC.
  public init(
    _ history: FindingHistory, targets: [NotificationTarget] = [], parameters: InputParameters = .none,
    exceptions: @escaping @Sendable (Int64) -> [ExceptionEnd] = { _ in [] }
  ) {
    self.history = history
    self.parameters = parameters
    self.targets = targets
    self.exceptions = exceptions
  }

  /// See `FindingSink`.
  public func take(
    _ result: CheckResult, input: String, resources: Set<String>?, at: Int64
  ) throws -> [FindingChange] {
    var extra = RunExtra()
    extra.targets = targets
    extra.parameters = parameters.digest
    guard let resources else {
      return try history.record(result, scope: [input], source: "scan", at: at, extra).told
    }
    let scopes = resources.sorted().map { ResourceScope(input: input, resource: $0) }
    return try history.record(result, resources: scopes, source: "scan", at: at, extra).told
  }

  /// See `FindingSink`.
  public func takeAll(
    _ result: CheckResult, inputs: [String], at: Int64, milliseconds: Int64
  ) throws -> [FindingChange] {
    var extra = RunExtra()
    extra.targets = targets
    extra.parameters = parameters.digest
    extra.milliseconds = milliseconds
    // They are read again at each look at everything, and at no other time.
    extra.exceptions = exceptions(at)
    return try history.record(result, scope: inputs, source: "scan", at: at, extra).told
  }
}

extension HistoryChange {
  /// Each finding once, by what counts most of it.
  var told: [FindingChange] {
    var seen: Set<String> = []
    let groups: [(FindingChange.Kind, [HistoryFinding])] = [
      (.new, opened), (.again, reopened), (.fixed, fixed), (.unseen, unseen),
      (.changed, excepted + ended + changed), (.seen, seenAgain),
    ]
    return groups.flatMap { kind, findings in
      findings.filter { seen.insert($0.id).inserted }.map { FindingChange(kind, $0) }
    }
  }
}

extension FindingChange {
  /// As the history has it.
  init(_ kind: Kind, _ finding: HistoryFinding) {
    self.kind = kind
    id = finding.id
    status = finding.status
    severity = finding.severity.rawValue
    rule = finding.rule
    input = finding.input
    resource = finding.resource
    resourceType = finding.resourceType
    path = finding.path
    title = finding.title
    found = finding.found
    wanted = finding.wanted.isEmpty ? finding.clause : finding.wanted
  }
}
