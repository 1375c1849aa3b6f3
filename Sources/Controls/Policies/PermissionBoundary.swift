// A catalogue → the boundary of permissions: one managed policy that allows what the catalogue allows and nothing else, so
// that whatever somebody attaches to a user, no more can be done. One policy only: IAM takes one boundary, which can't be
// divided; where it doesn't fit, that is said.
//
// Form: an allowance for each set of regions, and one for what has none; denials where patterns of different sets have
// something in common, and the denials of the catalogue. With `protectsBoundary`, wherever it allows more of IAM than looking,
// also denials: of taking the boundary off, of making users and roles without it or giving them policies, of changing what is
// made from the catalogue, and of entering another's user or role by a new key, password or trust. What IAM has no condition
// for remains: passing an existing role to a service, and policies of groups, or new versions of others' policies, that give
// more to whom they are attached. docs/GOVERN-CATALOGUE.md says how to close that.

/// A policy that was made.
public struct GeneratedPolicy: Sendable, Equatable {
  /// Its name in IAM or Organizations.
  public let name: String
  /// Its document.
  public let document: PolicyDocument
}

extension Catalogue {
  /// Patterns that no holder of the boundary may call, whatever is allowed.
  static let unguarding = [
    "iam:DeleteUserPermissionsBoundary", "iam:DeleteRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy",
    "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile",
  ]
  /// What makes users and roles or gives them something: with the boundary only.
  static let making = [
    "iam:CreateRole", "iam:CreateUser", "iam:PutRolePermissionsBoundary", "iam:PutUserPermissionsBoundary",
    "iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:PutRolePolicy", "iam:PutUserPolicy",
  ]
  /// What remains possible on users, groups and policies of the catalogue.
  static let untouching = [
    "iam:ChangePassword", "iam:*MFADevice", "iam:Generate*", "iam:Get*", "iam:List*", "iam:Simulate*",
  ]

  /// ARN of the boundary, `*` for the account where it isn't known.
  public func boundaryARN(account: String = "*") -> String {
    "arn:\(partition):iam::\(account):policy\(Self.path)\(Self.boundaryName)"
  }

  /// The boundary.
  /// - Throws: `PolicyRoomFault` where it is too long.
  public func permissionBoundary() throws(PolicyRoomFault) -> GeneratedPolicy {
    let document = boundaryDocument
    let count = document.characterCount
    guard count <= PolicyLimits.managedPolicyCharacters else {
      throw PolicyRoomFault(
        what: "the boundary of permissions", found: "\(count) characters",
        wanted:
          "at most \(PolicyLimits.managedPolicyCharacters): IAM takes one boundary, which can't be divided",
        takers: takers([document]))
    }
    return GeneratedPolicy(name: Self.boundaryName, document: document)
  }

  private var boundaryDocument: PolicyDocument {
    // Whatever of IAM isn't harmless for certain needs the guard.
    let iam = Wildcard("iam:*", ignoresCase: true)
    let harmless = Self.untouching.map { Wildcard($0, ignoresCase: true) }
    let isGuarded =
      protectsBoundary
      && allowedServices.flatMap(\.actions).contains { action in
        action.intersects(iam) && !harmless.contains { $0.contains(action) }
      }
    let all = ActionGroups(
      self, alsoDenied: isGuarded ? Self.unguarding.map { Wildcard($0, ignoresCase: true) } : [])
    var statements: [PolicyStatement] = []
    var everywhere = all.spared
    for (place, group) in all.groups.enumerated() {
      let own = all.own(place)
      guard !own.isEmpty else { continue }
      guard let regions = group.regions else {
        everywhere += own
        continue
      }
      statements.append(
        PolicyStatement(.allow, own.map(\.text), conditions: [ActionGroups.within(regions)]))
    }
    if !everywhere.isEmpty {
      statements.insert(PolicyStatement(.allow, everywhere.reduced.map(\.text)), at: 0)
    }
    for (place, group) in all.groups.enumerated() {
      let shared = all.overlapping(place)
      guard !shared.isEmpty, let regions = group.regions else { continue }
      statements.append(
        PolicyStatement(.deny, shared.map(\.text), conditions: [ActionGroups.outside(regions)]))
    }
    if !all.denials.isEmpty { statements.append(PolicyStatement(.deny, all.denials.map(\.text))) }
    if isGuarded {
      statements.append(
        PolicyStatement(
          .deny, Self.making,
          conditions: [PolicyCondition("StringNotLike", "iam:PermissionsBoundary", [boundaryARN()])]))
      var kept = PolicyStatement(.deny, Self.untouching, not: true)
      kept.resources = ["group", "policy", "user"].map { "arn:\(partition):iam::*:\($0)\(Self.path)*" }
      statements.append(kept)
    }
    return PolicyDocument(statements)
  }
}
