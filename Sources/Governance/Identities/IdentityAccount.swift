// What IAM of an account has of users, groups and policies, and the steps of a plan carried out there. Each step does the
// same when it is done twice, so that a run that was killed is finished by another. Nothing is kept beside: the account itself
// says how far it is. No password and no key is ever made here.

import AsyncHTTPClient
public import Controls
import Foundation
import GuardRules
import NIOCore
import Resources

/// See the head of this file.
public struct IdentityAccount: Sendable {
  /// Twelve digits.
  public let account: String
  /// `aws`, `aws-cn`, `aws-us-gov`.
  public let partition: String
  private let client: ServiceClient
  private let iam: AccountService
  private let scope: CallScope

  /// Enters an account, runs something, and leaves it.
  /// - Parameters:
  ///   - environment: where keys are looked for.
  ///   - now: seconds since 1970 UTC.
  /// - Throws: `GovernanceFaults` where there is no key or no answer.
  public static func with<T: Sendable>(
    _ target: AccountTarget, _ options: ScanOptions, environment: [String: String],
    now: @escaping @Sendable () -> Int64,
    _ body: (IdentityAccount) async throws(GovernanceFaults) -> T
  ) async throws(GovernanceFaults) -> T {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: HTTPClient.Configuration.Timeout(
        connect: .milliseconds(Int64(options.policy.connectMilliseconds)),
        read: .milliseconds(Int64(options.policy.answerMilliseconds))))
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    let result: Result<T, GovernanceFaults>
    do throws(GovernanceFaults) {
      let account = try await IdentityAccount(target, options, environment, http, now)
      result = .success(try await body(account))
    } catch { result = .failure(error) }
    try? await http.shutdown()
    return try result.get()
  }

  private init(
    _ target: AccountTarget, _ options: ScanOptions, _ environment: [String: String], _ http: HTTPClient,
    _ now: @escaping @Sendable () -> Int64
  ) async throws(GovernanceFaults) {
    let endpoints = Endpoints(only: options.endpoint)
    let sources = CredentialSources(
      environment: environment, http: http, policy: options.policy, endpoints: endpoints, now: now)
    client = ServiceClient(
      http: http, keeper: sources.keeper(target), endpoints: endpoints, policy: options.policy,
      traffic: Traffic(mostAtOnce: options.callsAtOnce), now: now)
    guard let iam = AccountService.named("iam") else {
      throw GovernanceFaults(["the table of calls has no iam"])
    }
    self.iam = iam
    let home = sources.homeRegion(target)
    do throws(CallFailure) {
      let who = try await client.identity(home)
      (account, partition) = who
      scope = CallScope(region: home, account: who.account, partition: who.partition)
    } catch { throw GovernanceFaults(["\(target.name): sts GetCallerIdentity: \(error.text)"]) }
  }

  /// Whether a catalogue is for accounts like this one.
  /// - Parameter file: the catalogue's.
  /// - Throws: `GovernanceFaults` where its ARNs would be those of another partition.
  public func belongs(to catalogue: Catalogue, _ file: String) throws(GovernanceFaults) {
    guard catalogue.partition != partition else { return }
    throw GovernanceFaults([
      "\(file): partition \(catalogue.partition), and account \(account) is in \(partition); wanted a catalogue "
        + "with partition: \(partition). Nothing was done"
    ])
  }

  // MARK: - What is there

  /// Users, groups and the company's policies.
  /// - Throws: `GovernanceFaults` where that can't be told.
  public func state() async throws(GovernanceFaults) -> IdentityState {
    let pages: [Value]
    do throws(CallFailure) {
      pages = try await client.read(
        iam,
        ServiceAction(
          "GetAccountAuthorizationDetails",
          ["Filter": ["User", "Group", "LocalManagedPolicy"], "MaxItems": 1000]), scope,
        page: ("Marker", ["Marker"]))
    } catch { throw GovernanceFaults(["\(account): iam GetAccountAuthorizationDetails: \(error.text)"]) }
    var out = IdentityState()
    for page in pages {
      for user in page.all(at: ["UserDetailList"]) {
        guard let name = user["UserName"]?.string else { continue }
        var tags: [String: String] = [:]
        for tag in user.all(at: ["Tags"]) {
          if let key = tag["Key"]?.string { tags[key] = tag["Value"]?.string ?? "" }
        }
        out.users[name] = IdentityState.User(
          path: user["Path"]?.string ?? "/",
          boundary: user.all(at: ["PermissionsBoundary", "PermissionsBoundaryArn"]).first?.string,
          groups: Self.texts(user, ["GroupList"]),
          attached: Self.texts(user, ["AttachedManagedPolicies", "PolicyArn"]),
          inline: Self.texts(user, ["UserPolicyList", "PolicyName"]), tags: tags)
      }
      for group in page.all(at: ["GroupDetailList"]) {
        guard let name = group["GroupName"]?.string else { continue }
        out.groups[name] = IdentityState.Group(
          path: group["Path"]?.string ?? "/",
          attached: Self.texts(group, ["AttachedManagedPolicies", "PolicyArn"]),
          inline: Self.texts(group, ["GroupPolicyList", "PolicyName"]))
      }
      for policy in page.all(at: ["Policies"]) {
        // The name is the ARN's last word; not every server of this interface says it beside.
        guard let arn = policy["Arn"]?.string, let name = arn.split(separator: "/").last.map(String.init)
        else {
          continue
        }
        out.policies[name] = IdentityState.Policy(
          path: policy["Path"]?.string ?? "/", arn: arn,
          versions: policy.all(at: ["PolicyVersionList"]).map { version in
            let text = version["Document"]?.string ?? ""
            return IdentityState.Version(
              id: version["VersionId"]?.string ?? "",
              isDefault: version["IsDefaultVersion"]?.string == "true",
              document: try? PolicyDocument(Value(.string(text.removingPercentEncoding ?? text))))
          })
      }
    }
    return out
  }

  private static func texts(_ value: Value, _ path: [String]) -> Set<String> {
    Set(value.all(at: path).compactMap(\.string))
  }

  // MARK: - Steps

  /// What came of a step.
  public struct Outcome: Sendable {
    /// The step.
    public let step: IdentityStep
    /// Why it wasn't done; nil = it was.
    public let fault: String?
  }

  /// Carries out a plan, step by step. What fails hides nothing else, but nobody is given more where something before failed
  /// that concerns the same user, or the boundary itself; and groups aren't, where a user has no boundary or is still in one.
  /// - Parameter told: called after each step.
  public func carryOut(
    _ plan: IdentityPlan, boundary: String, told: (Outcome) -> Void
  ) async -> [Outcome] {
    var out: [Outcome] = []
    var failed: Set<String> = []
    var hasBoundary = true
    var isBounded = true
    for step in plan.steps {
      var fault: String?
      if !hasBoundary, step.user != nil || step.gives {
        fault = "not done, as the boundary isn't what it should be"
      } else if step.gives, step.user == nil, !isBounded {
        fault = "not done, as a user isn't bounded or is still in a group that it isn't meant to be in"
      } else if step.gives, let user = step.user, failed.contains(user) {
        fault = "not done, as something before it failed for \(user)"
      } else {
        do throws(CallFailure) { try await carryOut(step, boundary: boundary) } catch {
          fault = error.text + (error.mayBeDone ? " (it may have been done all the same)" : "")
          if let user = step.user { failed.insert(user) }
          switch step {
          case .createPolicy(let policy) where policy.name == Catalogue.boundaryName: hasBoundary = false
          case .changePolicy(boundary, _, _, _), .revertPolicy(boundary, _, _): hasBoundary = false
          case .setBoundary, .leaveGroup: isBounded = false
          default: break
          }
        }
      }
      let outcome = Outcome(step: step, fault: fault)
      out.append(outcome)
      told(outcome)
    }
    return out
  }

  private func call(
    _ name: String, _ parameters: CallField, isRepeatable: Bool = true, absent: Set<String> = []
  ) async throws(CallFailure) {
    _ = try await client.act(
      iam, ServiceAction(name, parameters, isRepeatable: isRepeatable, absent: absent), scope)
  }

  private func carryOut(_ step: IdentityStep, boundary: String) async throws(CallFailure) {
    let path = CallField.text(Catalogue.path)
    let tags: CallField = [["Key": .text(IdentityPlan.tag.key), "Value": .text(IdentityPlan.tag.value)]]
    let gone: Set<String> = ["NoSuchEntity"]
    switch step {
    case .createPolicy(let policy):
      try await call(
        "CreatePolicy",
        [
          "PolicyName": .text(policy.name), "Path": path, "PolicyDocument": .text(policy.document.text),
          "Description": "Made from the catalogue of services by kabuto govern users", "Tags": tags,
        ], isRepeatable: false)
    case .changePolicy(let arn, let document, let drops, _):
      if let drops {
        try await call(
          "DeletePolicyVersion", ["PolicyArn": .text(arn), "VersionId": .text(drops)], absent: gone)
      }
      try await call(
        "CreatePolicyVersion",
        ["PolicyArn": .text(arn), "PolicyDocument": .text(document.text), "SetAsDefault": true],
        isRepeatable: false)
    case .revertPolicy(let arn, let version, _):
      try await call("SetDefaultPolicyVersion", ["PolicyArn": .text(arn), "VersionId": .text(version)])
    case .createGroup(let group):
      try await call("CreateGroup", ["GroupName": .text(group), "Path": path], isRepeatable: false)
    case .createUser(let user):
      try await call(
        "CreateUser",
        ["UserName": .text(user), "Path": path, "PermissionsBoundary": .text(boundary), "Tags": tags],
        isRepeatable: false)
    case .setBoundary(let user):
      try await call(
        "PutUserPermissionsBoundary", ["UserName": .text(user), "PermissionsBoundary": .text(boundary)])
    case .tagUser(let user): try await call("TagUser", ["UserName": .text(user), "Tags": tags])
    case .detachFromUser(let user, let arn):
      try await call("DetachUserPolicy", ["UserName": .text(user), "PolicyArn": .text(arn)], absent: gone)
    case .deleteUserPolicy(let user, let name):
      try await call("DeleteUserPolicy", ["UserName": .text(user), "PolicyName": .text(name)], absent: gone)
    case .detachFromGroup(let group, let arn):
      try await call("DetachGroupPolicy", ["GroupName": .text(group), "PolicyArn": .text(arn)], absent: gone)
    case .deleteGroupPolicy(let group, let name):
      try await call(
        "DeleteGroupPolicy", ["GroupName": .text(group), "PolicyName": .text(name)], absent: gone)
    case .leaveGroup(let user, let group):
      try await call(
        "RemoveUserFromGroup", ["UserName": .text(user), "GroupName": .text(group)], absent: gone)
    case .attachToGroup(let group, let arn):
      try await call("AttachGroupPolicy", ["GroupName": .text(group), "PolicyArn": .text(arn)])
    case .joinGroup(let user, let group):
      try await call("AddUserToGroup", ["UserName": .text(user), "GroupName": .text(group)])
    case .deleteUser(let user): try await deleteUser(user)
    case .deleteGroup(let group): try await call("DeleteGroup", ["GroupName": .text(group)], absent: gone)
    case .deletePolicy(let arn, let versions):
      for version in versions {
        try await call(
          "DeletePolicyVersion", ["PolicyArn": .text(arn), "VersionId": .text(version)], absent: gone)
      }
      try await call("DeletePolicy", ["PolicyArn": .text(arn)], absent: gone)
    }
  }

  /// What hangs on a user: how it is listed, where the answer has what names it, how it is taken off.
  private struct Belonging {
    let list: String
    let items: [String]
    let remove: String
    let parameter: String

    static let usual = [
      Belonging(
        list: "ListAccessKeys", items: ["AccessKeyMetadata", "AccessKeyId"], remove: "DeleteAccessKey",
        parameter: "AccessKeyId"),
      Belonging(
        list: "ListMFADevices", items: ["MFADevices", "SerialNumber"], remove: "DeactivateMFADevice",
        parameter: "SerialNumber"),
      Belonging(
        list: "ListGroupsForUser", items: ["Groups", "GroupName"], remove: "RemoveUserFromGroup",
        parameter: "GroupName"),
      Belonging(
        list: "ListAttachedUserPolicies", items: ["AttachedPolicies", "PolicyArn"],
        remove: "DetachUserPolicy",
        parameter: "PolicyArn"),
      Belonging(
        list: "ListUserPolicies", items: ["PolicyNames"], remove: "DeleteUserPolicy", parameter: "PolicyName"),
    ]
    static let rare = [
      Belonging(
        list: "ListSigningCertificates", items: ["Certificates", "CertificateId"],
        remove: "DeleteSigningCertificate", parameter: "CertificateId"),
      Belonging(
        list: "ListSSHPublicKeys", items: ["SSHPublicKeys", "SSHPublicKeyId"], remove: "DeleteSSHPublicKey",
        parameter: "SSHPublicKeyId"),
      Belonging(
        list: "ListServiceSpecificCredentials",
        items: ["ServiceSpecificCredentials", "ServiceSpecificCredentialId"],
        remove: "DeleteServiceSpecificCredential", parameter: "ServiceSpecificCredentialId"),
    ]
  }

  private func deleteUser(_ user: String) async throws(CallFailure) {
    let gone: Set<String> = ["NoSuchEntity"]
    try await call("DeleteLoginProfile", ["UserName": .text(user)], absent: gone)
    try await take(Belonging.usual, from: user)
    do throws(CallFailure) {
      try await call("DeleteUser", ["UserName": .text(user)], absent: gone)
    } catch {
      guard error.code == "DeleteConflict" else { throw error }
      try await take(Belonging.rare, from: user)
      try await call("DeleteUser", ["UserName": .text(user)], absent: gone)
    }
  }

  private func take(_ belongings: [Belonging], from user: String) async throws(CallFailure) {
    let gone: Set<String> = ["NoSuchEntity"]
    for each in belongings {
      let found = try await client.read(
        iam, ServiceAction(each.list, ["UserName": .text(user)], absent: gone), scope, items: each.items,
        page: ("Marker", ["Marker"]))
      for name in found.compactMap(\.string) {
        try await call(each.remove, ["UserName": .text(user), each.parameter: .text(name)], absent: gone)
        // A virtual device is the account's; without its user nobody needs it.
        if each.list == "ListMFADevices", name.contains(":mfa/") {
          try await call("DeleteVirtualMFADevice", ["SerialNumber": .text(name)], absent: gone)
        }
      }
    }
  }
}
