// Calls without a region: one list, and all policies spare what is in it. Made catalogues of real names, with services that
// share prefixes in different regions; the evaluator of policies decides.

import GuardRules
import TestChance
import Testing

@testable import Controls

@Suite struct GlobalCallTests {
  static let regions = ["eu-west-1", "eu-central-1"]
  static let everywhere = regions + ["us-east-1", "ap-northeast-1"]

  /// Actions of one service of each kind, and every call of the list.
  static let actions =
    GlobalCalls.calls + GlobalCalls.prefixes.sorted().map { "\($0):GetThing" } + [
      "s3:GetObject", "s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:PutObject", "ec2:RunInstances",
      "ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:CreateVolume", "acm:GetCertificate", "kms:Decrypt",
      "nobody:GetThing",
    ]

  static func service(_ id: String, _ actions: [String], regions: [String]?) -> CatalogueService {
    var service = CatalogueService(
      id: id, name: id, prefixes: [], assessment: nil, isAllowed: true,
      actions: actions.map { Wildcard($0, ignoresCase: true) })
    service.regions = regions
    return service
  }

  static func catalogue(_ services: [CatalogueService]) -> Catalogue {
    var out = Catalogue(organisation: "test", services: services)
    out.protectsBoundary = false
    return out
  }

  /// The boundary, and the organisation's policies in both forms, each whole.
  static func policies(_ catalogue: Catalogue) throws -> [(name: String, documents: [PolicyDocument])] {
    let denials = try catalogue.serviceControlPolicies(.deny).policies.map(\.document)
    return [
      ("boundary", [try catalogue.permissionBoundary().document]),
      ("deny", denials + [GeneratedPolicyTests.fullAccess]),
      ("allow", try catalogue.serviceControlPolicies(.allow).policies.map(\.document)),
    ]
  }

  static func allows(_ documents: [PolicyDocument], _ action: String, _ region: String) -> Bool {
    GeneratedPolicyTests.request(action, region).verdict(of: documents) == .allowed
  }

  @Test func theListIsWrittenOutAndPlain() {
    for call in GlobalCalls.calls {
      #expect(Wildcard(call).isPlain && call.contains(":"), "\(call)")
      #expect(GlobalCalls.contains(call.uppercased()))
      // A prefix that is in the list as a whole needs no single calls.
      #expect(!GlobalCalls.isOfGlobalService(call), "\(call)")
    }
    #expect(GlobalCalls.contains("IAM:GetUser"))
    #expect(!GlobalCalls.contains("s3:GetObject") && !GlobalCalls.contains("ec2:DescribeRegionsX"))
    #expect(!GlobalCalls.contains("iam") && !GlobalCalls.contains(""))
  }

  /// Where both allow everything within the same regions they differ in nothing.
  @Test func baselineAndCatalogueSpareTheSame() throws {
    let prefixes = GlobalCalls.prefixes.sorted() + ["s3", "ec2", "acm", "kms"]
    // Services with mixed prefixes, and limits even on those that have no region.
    let services = [
      Self.service("all", prefixes.map { "\($0):*" }, regions: Self.regions)
    ]
    let catalogue = Self.catalogue(services)
    let baseline = try Baseline(
      "baseline: b\nregions: {used: [\(Self.regions.joined(separator: ", "))]}")
    let text = try #require(baseline.regionPolicy(exceptRole: "Setup"))
    let closed = try PolicyDocument(try Value.reading(yaml: text))
    #expect(closed.statements.first?.actions == GlobalCalls.patterns)
    let all = try Self.policies(catalogue)
    var outside = 0
    for action in Self.actions where !action.hasPrefix("nobody:") {
      for region in Self.everywhere {
        let wanted = Self.allows([closed, GeneratedPolicyTests.fullAccess], action, region)
        #expect(wanted == (Self.regions.contains(region) || GlobalCalls.contains(action)))
        #expect(catalogue.decision(action, region: region).isAllowed == wanted, "\(action) \(region)")
        for (name, documents) in all {
          #expect(Self.allows(documents, action, region) == wanted, "\(name) \(action) \(region)")
        }
        if wanted, !Self.regions.contains(region) { outside += 1 }
      }
    }
    #expect(outside == 2 * (GlobalCalls.calls.count + GlobalCalls.prefixes.count))
  }

  @Test func onlyWhatTheCatalogueNamesIsAllowed() throws {
    let catalogue = Self.catalogue([
      Self.service("s3", ["s3:*"], regions: ["eu-west-1"]),
      Self.service("ec2", ["ec2:*"], regions: ["eu-west-1"]),
    ])
    for (name, documents) in try Self.policies(catalogue) {
      for call in GlobalCalls.calls { #expect(Self.allows(documents, call, "us-east-1"), "\(name) \(call)") }
      for action in [
        "s3:GetObject", "s3:ListBucket", "ec2:RunInstances", "iam:GetUser", "sts:GetCallerIdentity",
      ] {
        #expect(!Self.allows(documents, action, "us-east-1"), "\(name) \(action)")
      }
      #expect(Self.allows(documents, "s3:GetObject", "eu-west-1"))
    }
    // What is denied stays denied, whatever it is.
    var denied = catalogue
    denied.services[0].denied = [Wildcard("s3:List*", ignoresCase: true)]
    for (name, documents) in try Self.policies(denied) {
      #expect(!Self.allows(documents, "s3:ListAllMyBuckets", "eu-west-1"), "\(name)")
    }
    #expect(!denied.decision("s3:ListAllMyBuckets", region: "eu-west-1").isAllowed)
  }

  /// Services that share a prefix: a call that only one set of regions has is spared beside narrower ones.
  @Test func oneServicesLimitDoesNotBringBackAnothers() throws {
    let catalogue = Self.catalogue([
      Self.service("ec2", ["ec2:*"], regions: ["eu-west-1", "eu-central-1"]),
      Self.service("ebs", ["ec2:*Volume*"], regions: ["eu-west-1"]),
    ])
    for (name, documents) in try Self.policies(catalogue) {
      #expect(Self.allows(documents, "ec2:DescribeRegions", "us-east-1"), "\(name)")
      #expect(Self.allows(documents, "ec2:RunInstances", "eu-central-1"), "\(name)")
      #expect(!Self.allows(documents, "ec2:CreateVolume", "eu-central-1"), "\(name)")
      #expect(!Self.allows(documents, "ec2:RunInstances", "us-east-1"), "\(name)")
    }
    // Where two limits name the same call, no policy can tell it from what they share: the strictest word counts.
    let both = Self.catalogue([
      Self.service("one", ["ec2:*"], regions: ["eu-west-1", "eu-central-1"]),
      Self.service("two", ["ec2:Describe*"], regions: ["eu-west-1"]),
    ])
    #expect(!both.decision("ec2:DescribeRegions", region: "us-east-1").isAllowed)
    for (name, documents) in try Self.policies(both) {
      #expect(!Self.allows(documents, "ec2:DescribeRegions", "us-east-1"), "\(name)")
      #expect(Self.allows(documents, "ec2:DescribeRegions", "eu-west-1"), "\(name)")
    }
  }

  @Test func madeCataloguesAreTheSameInAllPolicies() throws {
    var chance = Chance(round: 30)
    let patterns = [
      "s3:*", "s3:List*", "s3:Get*", "s3:*Public*", "s3:ListAllMyBuckets", "s3:GetObject", "s3:*Account*",
      "ec2:*", "ec2:Describe*", "ec2:*Volume*", "ec2:DescribeRegions", "ec2:RunInstances", "ec2:D*s",
      "iam:*", "iam:Get*", "route53:*", "cloudfront:GetThing", "sts:*", "acm:*", "kms:Decrypt",
    ]
    var spared = 0
    for round in 0..<150 {
      var services: [CatalogueService] = []
      for number in 0..<1 + chance.below(4) {
        let limits = Self.everywhere.filter { _ in chance.once(in: 2) }
        var service = Self.service(
          "s\(number)", (0..<1 + chance.below(4)).map { _ in chance.pick(patterns) },
          regions: limits.isEmpty ? nil : limits)
        if chance.once(in: 4) { service.denied = [Wildcard(chance.pick(patterns), ignoresCase: true)] }
        services.append(service)
      }
      let catalogue = Self.catalogue(services)
      let all = try Self.policies(catalogue)
      for action in Self.actions {
        for region in Self.everywhere {
          let wanted = catalogue.decision(action, region: region).isAllowed
          for (name, documents) in all where Self.allows(documents, action, region) != wanted {
            Issue.record(
              "round \(round) \(name) \(action) \(region): \(wanted) \(services.map { ($0.actions, $0.regions ?? []) }) \(documents.map(\.text)) \(seedNote)"
            )
            return
          }
          let isOutside = services.contains { service in
            service.regions?.contains(region) == false
              && service.actions.contains { $0.matches(action.lowercased()) }
          }
          if wanted, isOutside {
            #expect(GlobalCalls.contains(action), "\(action) \(region) \(seedNote)")
            spared += 1
          }
        }
      }
    }
    #expect(spared > 150)
  }

  /// Long lists: where "all but the others" would be too long, other services are named by their prefixes.
  @Test func longListsFitAllTheSame() throws {
    var services = [Self.service("s3", ["s3:*", "acm:Get*"], regions: ["eu-west-1"])]
    for number in 0..<6 {
      services.append(
        Self.service(
          "p\(number)", (0..<30).map { "p\(number):AnActionWithALongName\($0)" }, regions: Self.regions))
    }
    let catalogue = Self.catalogue(services)
    let made = try catalogue.serviceControlPolicies(.allow)
    let documents = made.policies.map(\.document)
    for action in GlobalCalls.calls.filter({ $0.hasPrefix("s3:") }) + [
      "s3:GetObject", "acm:GetCertificate", "p0:AnActionWithALongName1", "p0:Other", "p9:Other",
    ] {
      for region in Self.everywhere {
        #expect(
          Self.allows(documents, action, region) == catalogue.decision(action, region: region).isAllowed,
          "\(action) \(region)")
      }
    }
    #expect(catalogue.decision("s3:ListAllMyBuckets", region: "us-east-1").isAllowed)
    #expect(!catalogue.decision("acm:GetCertificate", region: "us-east-1").isAllowed)
  }
}
