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
    /// Rules that looked at nothing, or for something outermost that wasn't there: in one of their files at least. What such
    /// a rule is silent about may be for want of an input parameter, also where it passed (`when` within it).
    var lacking: Set<String> = []
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
      if each.status == .skip || each.isLacking {
        inputs[each.input, default: Input()].lacking.insert(each.rule)
      }
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
  /// - Parameters:
  ///   - isInScope: whether its input, or its resource, was looked at.
  ///   - hasSameParameters: whether the look that found it had the same input parameters.
  func judge(
    _ identity: FindingIdentity, type: String, isInScope: Bool, hasSameParameters: Bool = true
  ) -> Judgement {
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
    case true?:
      // A rule, or a part of it, may have been skipped only because what it is given wasn't there.
      return input.lacking.contains(identity.rule) && !hasSameParameters ? .notTold : .mended
    case false?, nil: return .notTold
    }
  }
}

extension CheckResult {
  /// Accounts of which not all regions are known: those that couldn't be entered, and those that don't tell their regions.
  public var regionlessAccounts: Set<String> {
    var out: Set<String> = []
    for finding in findings where finding.rule == "kabuto_call" && finding.input.hasPrefix("aws:") {
      let words = finding.input.dropFirst(4).split(separator: "/")
      // As `AccountTarget.name` calls it.
      guard let account = words.first?.split(separator: " ").last else { continue }
      if words.count == 1 || finding.resourceType.hasPrefix("regions but ") { out.insert(String(account)) }
    }
    return out
  }
}
