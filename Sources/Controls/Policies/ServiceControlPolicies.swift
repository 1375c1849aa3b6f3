// A catalogue → service control policies of AWS Organizations. Two forms:
//
// `deny`  FullAWSAccess stays attached. One statement denies all that the catalogue doesn't name ("all but these", which can't
//         be divided), others deny regions and denied actions. Denials add up, so that these may be divided at will.
// `allow` FullAWSAccess is taken off the same target, and policies there allow what the catalogue names, divided over
//         several: at one target allowances add up. Between root, units and account they intersect, so that FullAWSAccess
//         has to stay above.
//
// A document has at most 5,120 characters, a target at most five, FullAWSAccess counted. Statements keep to what these
// policies took from the beginning: no condition in an allowance, and any resource.

/// How policies of an organisation are written.
public enum ControlPolicyForm: String, Sendable, CaseIterable {
  /// Beside FullAWSAccess.
  case deny
  /// In place of FullAWSAccess.
  case allow
}

/// Policies for one target.
public struct ServiceControlPolicies: Sendable, Equatable {
  /// How they are written.
  public let form: ControlPolicyForm
  /// The policies.
  public let policies: [GeneratedPolicy]
}

extension Catalogue {
  /// Policies for a root, a unit or an account.
  /// - Parameter form: nil = `deny`, and `allow` where that doesn't fit.
  /// - Throws: `PolicyRoomFault` where it doesn't fit.
  public func serviceControlPolicies(_ form: ControlPolicyForm? = nil) throws(PolicyRoomFault)
    -> ServiceControlPolicies
  {
    if form != .allow {
      do throws(PolicyRoomFault) {
        return try fitted(.deny, denyStatements, most: PolicyLimits.serviceControlPoliciesPerTarget - 1)
      } catch {
        // Who is exempt can't be exempt from what nobody allows.
        if form == .deny || !exemptRoles.isEmpty { throw error }
      }
    }
    return try fitted(.allow, allowStatements, most: PolicyLimits.serviceControlPoliciesPerTarget)
  }

  private func fitted(
    _ form: ControlPolicyForm, _ statements: (ActionGroups) -> [PolicyStatement], most: Int
  ) throws(PolicyRoomFault) -> ServiceControlPolicies {
    let limit = PolicyLimits.serviceControlPolicyCharacters
    let all = statements(ActionGroups(self))
    guard let documents = PolicyPacking.pack(all, limit: limit) else {
      let longest = all.map { $0.text.unicodeScalars.count }.max() ?? 0
      throw PolicyRoomFault(
        what: "what the catalogue names (\(form.rawValue))",
        found: "\(longest) characters in a statement that can't be divided",
        wanted: "at most \(PolicyDocument.room(of: limit)) in a service control policy"
          + (form == .deny && !exemptRoles.isEmpty
            ? "; without exempt_roles it could be divided (--form allow)" : ""),
        takers: takers([PolicyDocument(all)]))
    }
    guard documents.count <= most else {
      throw PolicyRoomFault(
        what: "the organisation's policies (\(form.rawValue))",
        found: "\(documents.count) documents of at most \(limit) characters",
        wanted: "at most \(most) at one target" + (form == .deny ? ", beside FullAWSAccess" : ""),
        takers: takers(documents))
    }
    return ServiceControlPolicies(
      form: form,
      policies: documents.enumerated().map {
        GeneratedPolicy(name: "kabuto-catalogue-\($0.offset + 1)", document: $0.element)
      })
  }

  private var exemption: [PolicyCondition] {
    exemptRoles.isEmpty ? [] : [PolicyCondition("ArnNotLike", "aws:PrincipalArn", exemptRoles)]
  }

  private func denyStatements(_ all: ActionGroups) -> [PolicyStatement] {
    let named = all.union.map(\.text)
    return [PolicyStatement(.deny, named.isEmpty ? ["*"] : named, not: !named.isEmpty, conditions: exemption)]
      + regionStatements(all) + takenBack(all)
  }

  private func allowStatements(_ all: ActionGroups) -> [PolicyStatement] {
    [PolicyStatement(.allow, all.union.map(\.text))] + regionStatements(all) + takenBack(all)
  }

  private func takenBack(_ all: ActionGroups) -> [PolicyStatement] {
    all.denials.isEmpty ? [] : [PolicyStatement(.deny, all.denials.map(\.text), conditions: exemption)]
  }

  /// What is denied outside of regions. What isn't allowed anywhere may be denied too.
  private func regionStatements(_ all: ActionGroups) -> [PolicyStatement] {
    var out: [PolicyStatement] = []
    for (place, group) in all.groups.enumerated() {
      guard let regions = group.regions else { continue }
      let outside = [ActionGroups.outside(regions)] + exemption
      let plain = PolicyStatement(.deny, group.patterns.map(\.text), conditions: outside)
      // Of the longest list "all but the others" is often shorter; what it has in common with the others is denied beside.
      let others = all.groups.enumerated().filter { $0.offset != place }.flatMap { $0.element.patterns }
        .reduced
      let shared = group.patterns.filter { pattern in others.contains { $0.intersects(pattern) } }
      var short = [
        others.isEmpty
          ? PolicyStatement(.deny, ["*"], conditions: outside)
          : PolicyStatement(.deny, others.map(\.text), not: true, conditions: outside)
      ]
      if !shared.isEmpty { short.append(PolicyStatement(.deny, shared.map(\.text), conditions: outside)) }
      let length = short.reduce(0) { $0 + $1.text.unicodeScalars.count }
      out += out.isEmpty && length < plain.text.unicodeScalars.count ? short : [plain]
    }
    return out
  }
}
