// Steps of narrowed users in an account that a played service answers for: what fails holds back what would give more.

import Controls
import Synchronization
import Testing

@testable import Governance

@Suite struct IdentityAccountTests {
  private static let number = "111122223333"
  private static let boundary = "arn:aws:iam::111122223333:policy/kabuto/kabuto-boundary"

  private func with<T: Sendable>(
    partition: String = "aws", denied: Set<String> = [],
    _ body: @Sendable (IdentityAccount) async throws(GovernanceFaults) -> T
  ) async throws -> (T, [String]) {
    let service = try await PlayedService { asked, _ in
      if asked.action == "GetCallerIdentity" {
        return Said(
          body: "<R><GetCallerIdentityResult><Account>\(Self.number)</Account>"
            + "<Arn>arn:\(partition):iam::\(Self.number):user/u</Arn></GetCallerIdentityResult></R>")
      }
      return denied.contains(asked.action)
        ? Said(status: 403, body: "<R><Error><Code>AccessDenied</Code></Error></R>") : Said(body: "<R/>")
    }
    var options = ScanOptions()
    options.endpoint = service.origin
    let result: Result<T, GovernanceFaults>
    do throws(GovernanceFaults) {
      result = .success(
        try await IdentityAccount.with(
          .own, options,
          environment: [
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1",
          ], now: { 1_440_938_160 }, body))
    } catch { result = .failure(error) }
    let asked = service.asked.map(\.action)
    try await service.end()
    return (try result.get(), asked)
  }

  private func plan() throws -> IdentityPlan {
    func wanted(_ actions: [String]) throws -> NarrowedUsers {
      let service = CatalogueService(
        id: "x", name: "", prefixes: ["s3", "ec2"], assessment: nil, isAllowed: true,
        actions: actions.map { Wildcard($0, ignoresCase: true) })
      var catalogue = Catalogue(organisation: "t", services: [service])
      catalogue.groups = [
        CatalogueGroup(id: "g", access: [.init(services: ["*"], level: .full)], members: ["a"])
      ]
      return try catalogue.narrowedUsers()
    }
    let old = try wanted(["s3:*"])
    var state = IdentityState()
    for policy in [old.boundary] + old.groups[0].policies {
      state.policies[policy.name] = .init(
        path: "/kabuto/", arn: "arn:aws:iam::111122223333:policy/kabuto/\(policy.name)",
        versions: [.init(id: "v1", isDefault: true, document: policy.document)])
    }
    state.groups["g"] = .init(path: "/kabuto/")
    state.users["a"] = .init(path: "/kabuto/", groups: ["g"], tags: ["kabuto": "catalogue"])
    state.users["mallory"] = .init(path: "/", groups: ["g"])
    return IdentityPlan(
      from: state, to: try wanted(["s3:*", "ec2:*"]), account: Self.number, partition: "aws")
  }

  @Test(arguments: ["PutUserPermissionsBoundary", "RemoveUserFromGroup"])
  func groupsAreGivenNothingWhileAUserIsNotBounded(denied: String) async throws {
    let plan = try plan()
    let (outcomes, asked) = try await with(denied: [denied]) {
      (account) async throws(GovernanceFaults) in
      await account.carryOut(plan, boundary: Self.boundary) { _ in }
    }
    #expect(asked.contains(denied))
    #expect(!asked.contains("CreatePolicyVersion") && !asked.contains("AttachGroupPolicy"))
    for outcome in outcomes where outcome.step.gives { #expect(outcome.fault?.contains("not done") == true) }
    let (all, done) = try await with { (account) async throws(GovernanceFaults) in
      await account.carryOut(plan, boundary: Self.boundary) { _ in }
    }
    #expect(all.allSatisfy { $0.fault == nil })
    #expect(done.count { $0 == "CreatePolicyVersion" } == 2 && done.contains("AttachGroupPolicy"))
  }

  @Test func catalogueOfAnotherPartitionIsRefused() async throws {
    var catalogue = Catalogue(organisation: "t", services: [])
    catalogue.partition = "aws-cn"
    let chinese = catalogue
    _ = try await with(partition: "aws-cn") { (account) async throws(GovernanceFaults) in
      try account.belongs(to: chinese, "c.yaml")
    }
    let told = await #expect(throws: GovernanceFaults.self) {
      _ = try await with { (account) async throws(GovernanceFaults) in
        try account.belongs(to: chinese, "c.yaml")
      }
    }
    #expect(told?.description.contains("wanted a catalogue with partition: aws") == true)
  }
}
