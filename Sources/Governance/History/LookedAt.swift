// What a look could tell: of a finding that is no longer among those of a run, whether it is mended or just wasn't seen.
// Pure. Invariant: "mended" is said only where the finding's rule was evaluated on its input and came to an end without
// anything unknown, and no call failed that would have told of its resource.

import GuardRules

/// A resource of an input.
public struct ResourceScope: Sendable, Hashable {
  /// The input, `aws:ACCOUNT/REGION`.
  public let input: String
  /// The resource, as findings name it.
  public let resource: String

  /// A resource.
  public init(input: String, resource: String) {
    self.input = input
    self.resource = resource
  }
}

struct LookedAt {
  enum Judgement: Equatable { case mended, notTold, notLookedAt }

  private struct Input {
    /// What rules came to; of rules of one name in several files the least certain.
    var rules: [String: Bool] = [:]
    /// Types of which a list failed; resources of which a call failed.
    var failedTypes: Set<String> = []
    var failedResources: Set<String> = []
    var listFailed = false
    var allFailed = false
  }

  private var inputs: [String: Input] = [:]
  private let answered: [String: Set<String>]

  init(_ result: CheckResult) {
    answered = result.answered
    for each in result.results {
      let isTold = each.status != .unknown && !each.hasUnknown
      let before = inputs[each.input, default: Input()].rules[each.rule] ?? true
      inputs[each.input, default: Input()].rules[each.rule] = before && isTold
    }
    for finding in result.findings where finding.rule == "kabuto_call" {
      var input = inputs[finding.input, default: Input()]
      if finding.resource.isEmpty {
        input.listFailed = true
        // Without a type it is all of the input; "regions but …" are inputs of their own.
        if finding.resourceType.isEmpty { input.allFailed = true }
        input.failedTypes.insert(finding.resourceType)
      } else {
        input.failedResources.insert(finding.resource)
      }
      inputs[finding.input] = input
    }
  }

  /// Of a finding that isn't among those of the run.
  /// - Parameter isInScope: whether its input, or its resource, was looked at.
  func judge(_ identity: FindingIdentity, type: String, isInScope: Bool) -> Judgement {
    guard isInScope else { return .notLookedAt }
    guard let input = inputs[identity.input] else {
      // An input on which no rule was evaluated: only what isn't a rule's can be told.
      return identity.rule == "kabuto_call" ? .mended : .notTold
    }
    if input.allFailed { return .notTold }
    if identity.rule == "kabuto_call" {
      // A call that isn't made because another failed before it isn't a call that answers.
      return input.failedTypes.contains(type) ? .notTold : .mended
    }
    if input.failedTypes.contains(type) || input.failedResources.contains(identity.resource) {
      return .notTold
    }
    if identity.resource.isEmpty, input.listFailed { return .notTold }
    if identity.rule == "kabuto_shape" { return .mended }
    if let colon = identity.rule.firstIndex(of: ":") {
      let service = String(identity.rule[..<colon])
      return answered[identity.input]?.contains(service) == true ? .mended : .notTold
    }
    switch input.rules[identity.rule] {
    case true?: return .mended
    case false?, nil: return .notTold
    }
  }
}
