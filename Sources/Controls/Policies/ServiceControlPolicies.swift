// A catalogue → service control policies of AWS Organizations. Two forms:
//
// `deny`  FullAWSAccess stays attached. One statement denies all that the catalogue doesn't name ("all but these", which can't
//         be divided), others deny regions and denied actions. Denials add up, so that these may be divided at will.
// `allow` FullAWSAccess is taken off the same target, and policies there allow what the catalogue names, divided over
//         several: at one target allowances add up. Between root, units and account they intersect, so that FullAWSAccess
//         has to stay above.
//
// Roles that are exempt are such by their names alone. So that nobody makes or changes a role to be one, or hands one to a
// service, that is denied to all who aren't exempt themselves.
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
      + regionStatements(all) + takenBack(all) + keptToTheExempt(all)
  }

  private func allowStatements(_ all: ActionGroups) -> [PolicyStatement] {
    [PolicyStatement(.allow, all.union.map(\.text))] + regionStatements(all) + takenBack(all)
      + keptToTheExempt(all)
  }

  /// What makes a role, changes who it is or what it may do, or hands it on.
  static let roleChanges = [
    "iam:CreateRole", "iam:DeleteRole*", "iam:PutRole*", "iam:AttachRolePolicy", "iam:DetachRolePolicy",
    "iam:Update*Role*",
    "iam:PassRole", "iam:TagRole", "iam:UntagRole",
  ]

  private func keptToTheExempt(_ all: ActionGroups) -> [PolicyStatement] {
    guard !exemptRoles.isEmpty else { return [] }
    let changes = Self.roleChanges.filter { change in
      all.union.contains { $0.intersects(Wildcard(change, ignoresCase: true)) }
    }
    guard !changes.isEmpty else { return [] }
    var out = PolicyStatement(.deny, changes, conditions: exemption)
    out.resources = exemptRoles
    return [out]
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
      func denial(_ patterns: [Wildcard], not isNot: Bool = false) -> PolicyStatement {
        PolicyStatement(.deny, patterns.map(\.text), not: isNot, conditions: outside)
      }
      let others = all.others(place)
      let spared = all.spared.filter { call in group.patterns.contains { $0.contains(call) } }
      let shared = all.common(place, with: others)
      // Of the longest list "all but the others" is often shorter; what it has in common with the others is denied beside.
      let kept = (others + spared).reduced
      var short = [kept.isEmpty ? denial([Wildcard("*")]) : denial(kept, not: true)]
      if !shared.isEmpty { short.append(denial(shared)) }
      var forms = [short]
      if spared.isEmpty {
        // "All but" can't be divided, a list can: for one group only, where it is worth it.
        forms = out.isEmpty ? [[denial(group.patterns)], short] : [[denial(group.patterns)]]
      } else if let divided = divided(
        all, group, others, spared, shared, { denial($0, not: $1) })
      {
        forms.append(divided)
      }
      out += forms.min { Self.length($0) < Self.length($1) } ?? short
    }
    return out
  }

  /// A group's denials where some of its calls are spared, which only "all but" can say: that of the prefixes of those calls,
  /// with other services by their prefixes, and a plain list of the rest.
  /// - Returns: nil where a pattern isn't of one prefix.
  private func divided(
    _ all: ActionGroups, _ group: ActionGroups.Group, _ others: [Wildcard], _ spared: [Wildcard],
    _ shared: [Wildcard], _ denial: ([Wildcard], Bool) -> PolicyStatement
  ) -> [PolicyStatement]? {
    func prefix(_ pattern: Wildcard) -> String? {
      let halves = pattern.text.split(separator: ":", maxSplits: 1)
      guard halves.count == 2, Wildcard(String(halves[0])).isPlain else { return nil }
      return halves[0].lowercased()
    }
    let prefixes = all.union.map(prefix)
    guard prefixes.allSatisfy({ $0 != nil }) else { return nil }
    let held = Set(spared.compactMap(prefix))
    func isHeld(_ pattern: Wildcard) -> Bool { prefix(pattern).map(held.contains) ?? false }
    let beside = Set(prefixes.compactMap { $0 }).subtracting(held).sorted().map { Wildcard("\($0):*") }
    let free = group.patterns.filter { !isHeld($0) }
    var out = [denial((beside + others.filter(isHeld) + spared).reduced, true)]
    if !free.isEmpty { out.append(denial(free, false)) }
    let again = shared.filter(isHeld)
    if !again.isEmpty { out.append(denial(again, false)) }
    return out
  }

  private static func length(_ statements: [PolicyStatement]) -> Int {
    statements.reduce(0) { $0 + $1.text.unicodeScalars.count }
  }
}
