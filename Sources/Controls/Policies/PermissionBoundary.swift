// A catalogue → the boundary of permissions: one managed policy that allows what the catalogue allows and nothing else, so
// that whatever somebody attaches to a user, no more can be done. One policy only: IAM takes one boundary, which can't be
// divided; where it doesn't fit, that is said.
//
// Form: an allowance for each set of regions, and one for what has none; denials where patterns of different sets have
// something in common, and the denials of the catalogue. With `protectsBoundary`, wherever it allows more of IAM than looking,
// also denials: of taking the boundary off, of making users and roles without it or giving them policies or taking some, of
// changing what is made from the catalogue, of credentials that aren't the holder's own, and of what others enter by: trust,
// passwords, identity providers, the account's own settings. What IAM has no condition
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
    "iam:CreateLoginProfile", "iam:UpdateLoginProfile", "iam:DeleteLoginProfile",
    // Providers that roles trust, of SAML and OpenID Connect.
    "iam:Create*Provider", "iam:Update*Provider*", "iam:Delete*Provider", "iam:*ClientID*Provider",
    // The account's: name, address, alias, rules of passwords, tokens, root users of members, rights lent to others.
    "iam:UpdateAccount*", "iam:DeleteAccount*", "iam:CreateAccountAlias", "iam:SetS*", "iam:*ableO*",
    "iam:*Delegation*", "iam:*CloudFrontPublicKey",
  ]
  /// What makes users and roles, or gives or takes policies: with the boundary only.
  static let making = [
    "iam:CreateRole", "iam:CreateUser", "iam:PutRolePermissionsBoundary", "iam:PutUserPermissionsBoundary",
    "iam:*tachRolePolicy", "iam:*tachUserPolicy", "iam:PutRolePolicy", "iam:PutUserPolicy",
    "iam:DeleteRolePolicy", "iam:DeleteUserPolicy",
  ]
  /// Credentials: of the holder's own user only.
  static let owning = [
    "iam:ChangePassword", "iam:DeactivateMFADevice", "iam:EnableMFADevice", "iam:ResyncMFADevice",
    "iam:*VirtualMFADevice", "iam:*AccessKey", "iam:U*SSHPublicKey", "iam:DeleteSSHPublicKey",
    "iam:*SigningCertificate", "iam:*ServiceSpecificCredential",
  ]
  /// What changes nothing, for nobody but the caller.
  static let harmless = ["iam:ChangePassword", "iam:Generate*", "iam:Get*", "iam:List*", "iam:Simulate*"]

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
    let harmless = Self.harmless.map { Wildcard($0, ignoresCase: true) }
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
    if isGuarded { statements += guarding(all.union) }
    return PolicyDocument(statements)
  }

  /// Denials that keep the holder within the boundary, as far as something of them is allowed at all.
  private func guarding(_ allowed: [Wildcard]) -> [PolicyStatement] {
    func met(_ patterns: [String]) -> [String] {
      patterns.filter { pattern in
        allowed.contains { $0.intersects(Wildcard(pattern, ignoresCase: true)) }
      }
    }
    func arn(_ name: String) -> String { "arn:\(partition):iam::*:\(name)" }
    var out: [PolicyStatement] = []
    let making = met(Self.making)
    if !making.isEmpty {
      out.append(
        PolicyStatement(
          .deny, making,
          conditions: [PolicyCondition("StringNotLike", "iam:PermissionsBoundary", [boundaryARN()])]))
    }
    let owning = met(Self.owning)
    if !owning.isEmpty {
      // Names have no slash: what ends in one and the name is that user, under whatever path.
      var others = PolicyStatement(.deny, owning)
      others.resources = ["user", "user/*", "mfa"].map { arn("\($0)/${aws:username}") }
      others.isNotResource = true
      // A statement with a variable that has no value isn't one: who isn't a user has no credentials of its own.
      out += [
        others,
        PolicyStatement(.deny, owning, conditions: [PolicyCondition("Null", "aws:username", ["true"])]),
      ]
    }
    var kept = PolicyStatement(
      .deny, (Self.harmless + owning).map { Wildcard($0, ignoresCase: true) }.reduced.map(\.text), not: true)
    kept.resources = ["group", "policy", "user"].map { arn("\($0)\(Self.path)*") }
    return out + [kept]
  }
}
