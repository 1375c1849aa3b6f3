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
  }
  private let kept = Mutex<[String: Kept]>([:])

  /// Nothing yet.
  public init() {}

  /// See `FindingSink`.
  public func take(
    _ result: CheckResult, input: String, resources: Set<String>?, at: Int64
  ) -> [FindingChange] {
    kept.withLock { kept in
      var changes: [FindingChange] = []
      var seen: Set<String> = []
      for finding in result.findings {
        let id = finding.identity.id
        guard seen.insert(id).inserted else { continue }
        let before = kept[id]
        kept[id] = Kept(finding: finding, isFixed: false)
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
      // What a rule that can't be told doesn't say may be there all the same.
      let untold = Set(result.results.filter { $0.status == .unknown && $0.input == input }.map(\.rule))
        .subtracting(["kabuto_call"])
      let answered = result.answered[input] ?? []
      func isTold(_ rule: String) -> Bool {
        // Others' findings are gone where their service answered.
        if let colon = rule.firstIndex(of: ":") { return answered.contains(String(rule[..<colon])) }
        return !untold.contains(rule)
      }
      // Sorted, so that one look always tells in one order.
      for (id, each) in kept.sorted(by: { $0.key < $1.key })
      where !each.isFixed && each.finding.input == input && !seen.contains(id)
        && resources?.contains(each.finding.resource) ?? true && isTold(each.finding.rule)
      {
        kept[id]?.isFixed = true
        changes.append(FindingChange(.fixed, each.finding))
      }
      return changes
    }
  }
}
