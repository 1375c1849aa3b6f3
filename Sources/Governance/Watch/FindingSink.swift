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

  /// See `FindingSink`.
  public func take(
    _ result: CheckResult, input: String, resources: Set<String>?, at: Int64
  ) -> [FindingChange] {
    let looked = LookedAt(result)
    return state.withLock { state in
      var changes: [FindingChange] = []
      var seen: Set<String> = []
      for finding in result.findings {
        let id = finding.identity.id
        guard seen.insert(id).inserted else { continue }
        let before = state.kept[id]
        state.kept[id] = Kept(finding: finding, isFixed: false)
        if let before {
          if before.isFixed {
            changes.append(FindingChange(.again, finding))
          } else if before.finding.status != finding.status || before.finding.found != finding.found {
            changes.append(FindingChange(.changed, finding))
          }
        } else {
          changes.append(FindingChange(.new, finding))
        }
      }
      // Sorted, so that one look always tells in one order.
      for (id, each) in state.kept.sorted(by: { $0.key < $1.key })
      where !each.isFixed && each.finding.input == input && !seen.contains(id)
        && resources?.contains(each.finding.resource) ?? true
      {
        switch looked.judge(each.finding.identity, type: each.finding.resourceType, isInScope: true) {
        case .notLookedAt: break
        case .mended:
          state.kept[id]?.isFixed = true
          state.fixed.append(id)
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
