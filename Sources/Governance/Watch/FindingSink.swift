// Where findings of a watch are kept, and what each look changed there.

import GuardRules
import Synchronization

/// A finding whose state changed.
public struct FindingChange: Sendable, Encodable, Equatable {
  /// What became of it.
  public enum Kind: String, Sendable, Encodable, CaseIterable {
    /// Seen for the first time.
    case new
    /// There again after it was fixed.
    case again
    /// Still there with another value or status.
    case changed
    /// No longer there.
    case fixed
    /// Neither seen nor known to be mended.
    case unseen
    /// Seen as it was before it was `unseen`.
    case seen
  }

  /// What became of it.
  public let kind: Kind
  /// Names it for ever (`FindingIdentity.id`).
  public let id: String
  /// `FAIL`, `UNKNOWN` or `EXCEPTED`; of what was fixed, as last seen.
  public let status: String
  /// How grave it is.
  public let severity: String
  /// The rule's name.
  public let rule: String
  /// What was looked at.
  public let input: String
  /// The resource; empty = none.
  public let resource: String
  /// Its type.
  public let resourceType: String
  /// Where in it.
  public let path: String
  /// What it is called.
  public let title: String
  /// The value that was found.
  public let found: String
  /// What was wanted: the clause, or a value.
  public let wanted: String

  enum CodingKeys: String, CodingKey {
    case id, status, severity, rule, input, resource, path, title, found, wanted
    case kind = "change"
    case resourceType = "resource_type"
  }

  /// A change of a finding.
  init(_ kind: Kind, _ finding: Finding) {
    self.kind = kind
    id = finding.identity.id
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

/// See the head of this file. What `take` returned is kept: a message is forgotten only after that.
public protocol FindingSink: Sendable {
  /// Keeps what a look at an input found.
  /// - Parameters:
  ///   - resources: the only ones that were looked at; nil = all of the input.
  ///   - at: seconds since 1970 UTC.
  /// - Throws: where it can't be kept; then nothing was.
  func take(_ result: CheckResult, input: String, resources: Set<String>?, at: Int64) throws
    -> [FindingChange]

  /// Keeps what a look at everything found, as one.
  /// - Parameters:
  ///   - inputs: all that was looked at.
  ///   - at: seconds since 1970 UTC.
  ///   - milliseconds: how long it took.
  /// - Throws: where it can't be kept; then nothing was.
  func takeAll(_ result: CheckResult, inputs: [String], at: Int64, milliseconds: Int64) throws
    -> [FindingChange]
}

/// Keeps findings as long as the process lives.
public final class FindingMemory: FindingSink {
  private struct Kept {
    var finding: Finding
    var isFixed: Bool
    var isUnseen = false
  }
  private struct State {
    var kept: [String: Kept] = [:]
    /// Those that aren't fixed, by input and resource.
    var open: [ResourceScope: Set<String>] = [:]
    /// Those that are fixed, the oldest first; some of them may be there again.
    var fixed: [String] = []
  }
  private let state = Mutex(State())
  private let mostFixed: Int

  /// Nothing yet.
  /// - Parameter mostFixed: findings that are remembered after they are fixed, so that they can be told to be back.
  public init(mostFixed: Int = 10_000) { self.mostFixed = mostFixed }

  /// How many are remembered.
  var count: Int { state.withLock { $0.kept.count } }
  /// Those that were there when they were last looked at.
  var seen: Set<String> {
    state.withLock { Set($0.kept.filter { !$0.value.isFixed && !$0.value.isUnseen }.keys) }
  }

  /// See `FindingSink`.
  public func take(
    _ result: CheckResult, input: String, resources: Set<String>?, at: Int64
  ) -> [FindingChange] {
    take(result) { state in
      resources.map { $0.map { ResourceScope(input: input, resource: $0) } }
        ?? state.open.keys.filter { $0.input == input }
    }
  }

  /// See `FindingSink`.
  public func takeAll(
    _ result: CheckResult, inputs: [String], at: Int64, milliseconds: Int64
  ) -> [FindingChange] {
    let inputs = Set(inputs)
    return take(result) { state in state.open.keys.filter { inputs.contains($0.input) } }
  }

  private func take(_ result: CheckResult, _ scopes: (State) -> [ResourceScope]) -> [FindingChange] {
    let looked = LookedAt(result)
    return state.withLock { state in
      var changes: [FindingChange] = []
      var seen: Set<String> = []
      // The one of a group that the history would tell, too.
      for group in FindingGroup.all(of: result.findings) {
        let (id, finding) = (group.key, group.first)
        seen.insert(id)
        let before = state.kept[id]
        state.kept[id] = Kept(finding: finding, isFixed: false)
        state.open[ResourceScope(input: finding.input, resource: finding.resource), default: []].insert(id)
        if let before {
          if before.isFixed {
            changes.append(FindingChange(.again, finding))
          } else if before.finding.status != finding.status || before.finding.found != finding.found {
            changes.append(FindingChange(.changed, finding))
          } else if before.isUnseen {
            changes.append(FindingChange(.seen, finding))
          }
        } else {
          changes.append(FindingChange(.new, finding))
        }
      }
      // Sorted, so that one look always tells in one order.
      let scopes = scopes(state)
      for id in scopes.flatMap({ state.open[$0] ?? [] }).sorted() where !seen.contains(id) {
        guard let each = state.kept[id] else { continue }
        switch looked.judge(each.finding.identity, type: each.finding.resourceType, isInScope: true) {
        case .notLookedAt: break
        case .mended:
          state.kept[id]?.isFixed = true
          state.fixed.append(id)
          let scope = ResourceScope(input: each.finding.input, resource: each.finding.resource)
          state.open[scope]?.remove(id)
          if state.open[scope]?.isEmpty == true { state.open[scope] = nil }
          changes.append(FindingChange(.fixed, each.finding))
        case .notTold where !each.isUnseen:
          state.kept[id]?.isUnseen = true
          changes.append(FindingChange(.unseen, each.finding))
        case .notTold: break
        }
      }
      while state.fixed.count > mostFixed {
        let id = state.fixed.removeFirst()
        if state.kept[id]?.isFixed == true { state.kept[id] = nil }
      }
      return changes
    }
  }
}
