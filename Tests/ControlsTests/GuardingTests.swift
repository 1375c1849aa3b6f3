// What keeps the holder of a boundary within it, and roles that are exempt to those who are: every call of IAM that changes
// something, made by users and roles on what is theirs and what isn't.

import GuardRules
import TestChance
import Testing

@testable import Controls

@Suite struct GuardingTests {
  /// IAM's calls that change something, by what the boundary says of them. Source: Service Authorization Reference, "AWS
  /// Identity and Access Management (IAM)".
  enum Rule { case never, own, bounded, outside, free }
  static let calls: [(Rule, String)] = [
    (
      .never,
      """
      DeleteUserPermissionsBoundary DeleteRolePermissionsBoundary UpdateAssumeRolePolicy CreateLoginProfile
      UpdateLoginProfile DeleteLoginProfile CreateSAMLProvider UpdateSAMLProvider DeleteSAMLProvider
      CreateOpenIDConnectProvider DeleteOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint
      AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider CreateAccountAlias DeleteAccountAlias
      UpdateAccountPasswordPolicy DeleteAccountPasswordPolicy UpdateAccountName UpdateAccountEmailAddress
      SetSecurityTokenServicePreferences SetSTSRegionalEndpointStatus EnableOrganizationsRootCredentialsManagement
      EnableOrganizationsRootSessions DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions
      EnableOutboundWebIdentityFederation DisableOutboundWebIdentityFederation CreateDelegationRequest
      AssociateDelegationRequest AcceptDelegationRequest UpdateDelegationRequest UploadCloudFrontPublicKey
      UpdateCloudFrontPublicKey DeleteCloudFrontPublicKey
      """
    ),
    (
      .own,
      """
      ChangePassword DeactivateMFADevice EnableMFADevice ResyncMFADevice CreateVirtualMFADevice DeleteVirtualMFADevice
      CreateAccessKey UpdateAccessKey DeleteAccessKey UploadSSHPublicKey UpdateSSHPublicKey DeleteSSHPublicKey
      UploadSigningCertificate UpdateSigningCertificate DeleteSigningCertificate CreateServiceSpecificCredential
      UpdateServiceSpecificCredential ResetServiceSpecificCredential DeleteServiceSpecificCredential
      """
    ),
    (
      .bounded,
      """
      CreateRole CreateUser PutRolePermissionsBoundary PutUserPermissionsBoundary AttachRolePolicy AttachUserPolicy
      DetachRolePolicy DetachUserPolicy PutRolePolicy PutUserPolicy DeleteRolePolicy DeleteUserPolicy
      """
    ),
    (
      .outside,
      """
      CreateGroup DeleteGroup UpdateGroup AddUserToGroup RemoveUserFromGroup AttachGroupPolicy PutGroupPolicy
      CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion SetDefaultPolicyVersion DeleteUser UpdateUser TagUser
      """
    ),
    (
      .free,
      "GetUser ListUsers GetLoginProfile GetSAMLProvider GetAccountPasswordPolicy GenerateCredentialReport ListAccessKeys GetMFADevice ListMFADevices"
    ),
  ].flatMap { rule, names in names.split(whereSeparator: \.isWhitespace).map { (rule, String($0)) } }

  static func iam(_ actions: [String] = ["*"]) -> Catalogue {
    let service = CatalogueService(
      id: "iam", name: "", prefixes: ["iam"], assessment: nil, isAllowed: true,
      actions: actions.map { Wildcard("iam:\($0)", ignoresCase: true) })
    return Catalogue(organisation: "test", services: [service])
  }

  static let resources = [
    "user/bob", "user/kabuto/bob", "user/a/b/bob", "user/alice", "user/kabuto/alice", "user/xbob",
    "user/bobby",
    "user/bob/alice", "user/kabuto/bob/alice", "role/admin", "group/g", "group/kabuto/g", "policy/p",
    "policy/kabuto/kabuto-boundary", "mfa/bob", "mfa/alice", "saml-provider/x",
  ]
  static let boundary = "arn:aws:iam::1:policy/kabuto/kabuto-boundary"

  @Test func everyCallByEverybodyOnEverything() throws {
    var chance = Chance(round: 21)
    var catalogues = [Self.iam()]
    // Catalogues that name a part of it.
    for _ in 0..<5 {
      let some = (0..<1 + chance.below(6)).map { _ in
        let name = chance.pick(Self.calls).1
        return chance.below(2) == 0 ? name : "\(name.prefix(3 + chance.below(8)))*"
      }
      // What only looks has no guard.
      catalogues.append(Self.iam(some + ["TagUser"]))
    }
    var allowed: Set<String> = []
    for catalogue in catalogues {
      let made = try catalogue.permissionBoundary().document
      #expect(made.characterCount <= PolicyLimits.managedPolicyCharacters)
      for (rule, name) in Self.calls {
        let action = "iam:\(name)"
        let isNamed = catalogue.services[0].actions.contains { $0.matches(action.lowercased()) }
        for who in ["bob", nil] {
          for resource in Self.resources {
            for carried in rule == .bounded ? [nil, "arn:aws:iam::1:policy/other", Self.boundary] : [nil] {
              var context: [String: [String]] = [:]
              if let who { context["aws:username"] = [who] }
              if let carried { context["iam:permissionsboundary"] = [carried] }
              let found = PolicyRequest(action, resource: "arn:aws:iam::1:\(resource)", context: context)
                .verdict(of: [made])
              let isOurs = ["user/kabuto/", "group/kabuto/", "policy/kabuto/"].contains(
                where: resource.hasPrefix)
              let isOwn =
                who != nil
                && (resource.hasPrefix("user/") && resource.hasSuffix("/bob") || resource == "mfa/bob")
              let wanted =
                switch rule {
                case .never: false
                case .own: isOwn
                case .bounded: carried == Self.boundary && !isOurs
                case .outside: !isOurs
                case .free: true
                }
              if found == .allowed { allowed.insert(name) }
              guard (found == .allowed) != (wanted && isNamed) else { continue }
              Issue.record(
                "\(action) by \(who ?? "a role") on \(resource) \(carried ?? ""): \(found) \(made.text) \(seedNote)"
              )
              return
            }
          }
        }
      }
    }
    #expect(allowed == Set(Self.calls.filter { $0.0 != .never }.map(\.1)))
  }

  @Test func theLongestGuardFits() throws {
    let count = try Self.iam().permissionBoundary().document.characterCount
    // Something is left for the services.
    #expect(count < 2_600, "\(count)")
  }

  static let roleCalls = [
    "CreateRole", "DeleteRole", "UpdateRole", "UpdateRoleDescription", "UpdateAssumeRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "PutRolePermissionsBoundary",
    "DeleteRolePermissionsBoundary", "PassRole", "TagRole", "UntagRole",
  ]

  @Test(arguments: ControlPolicyForm.allCases) func rolesThatAreExemptAreMadeByThoseWhoAre(
    form: ControlPolicyForm
  )
    throws
  {
    var catalogue = Self.iam()
    catalogue.exemptRoles = ["arn:aws:iam::*:role/Admin", "arn:aws:iam::*:role/setup/*"]
    let all = PolicyDocument([PolicyStatement(.allow, ["*"])])
    let made = try catalogue.serviceControlPolicies(form).policies.map(\.document)
    for document in made {
      #expect(document.characterCount <= PolicyLimits.serviceControlPolicyCharacters)
    }
    func may(_ call: String, _ role: String, by principal: String) -> Bool {
      PolicyRequest(
        "iam:\(call)", resource: "arn:aws:iam::1:role/\(role)",
        context: ["aws:principalarn": ["arn:aws:iam::1:\(principal)"], "aws:requestedregion": ["us-east-1"]]
      ).verdict(of: made + (form == .deny ? [all] : [])) == .allowed
    }
    for call in Self.roleCalls {
      for role in ["Admin", "setup/x"] {
        for other in ["user/bob", "role/other", "role/Administrator"] {
          #expect(!may(call, role, by: other), "\(call) \(role) \(other)")
        }
        for exempt in ["role/Admin", "role/setup/y"] {
          #expect(may(call, role, by: exempt), "\(call) \(exempt)")
        }
      }
      #expect(may(call, "worker", by: "user/bob"), "\(call)")
    }
    for call in ["GetRole", "ListRolePolicies"] { #expect(may(call, "Admin", by: "user/bob")) }
  }

  @Test func theRoleThatSetsBaselinesUpIsMadeByItselfOnly() throws {
    let baseline = try Baseline("baseline: b\nregions: {used: [us-east-1]}")
    let text = try #require(baseline.regionPolicy(exceptRole: "Setup"))
    let policies = [
      try PolicyDocument(try Value.reading(yaml: text)), PolicyDocument([PolicyStatement(.allow, ["*"])]),
    ]
    func may(_ call: String, _ role: String, by principal: String, in region: String = "us-east-1") -> Bool {
      PolicyRequest(
        call, resource: "arn:aws:iam::1:role/\(role)",
        context: ["aws:principalarn": ["arn:aws:iam::1:\(principal)"], "aws:requestedregion": [region]]
      ).verdict(of: policies) == .allowed
    }
    for call in Self.roleCalls.map({ "iam:\($0)" }) {
      #expect(!may(call, "Setup", by: "user/bob") && !may(call, "Setup", by: "role/other"), "\(call)")
      #expect(may(call, "Setup", by: "role/Setup") && may(call, "worker", by: "user/bob"), "\(call)")
    }
    #expect(may("ec2:RunInstances", "x", by: "role/Setup", in: "eu-west-1"))
    #expect(!may("ec2:RunInstances", "x", by: "role/other", in: "eu-west-1"))
  }

  @Test func whoseCatalogueHasNoCallsOnRolesNeedsNoDenialOfThem() throws {
    var catalogue = Self.iam(["Get*", "List*"])
    let before = try catalogue.serviceControlPolicies().policies.flatMap(\.document.statements).count
    catalogue.exemptRoles = ["arn:aws:iam::*:role/Admin"]
    #expect(try catalogue.serviceControlPolicies().policies.flatMap(\.document.statements).count == before)
  }
}
