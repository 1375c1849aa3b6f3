// Answers with a good status that lack what the call always tells, or hold something else: what they would have told is
// unknown. And right answers of which something isn't this account's, or there is more.

import Foundation
import GuardRules
import Testing

@testable import Governance
@testable import Resources

@Suite struct BelievedAnswersTests {
  /// Answers by the call's name, or by the end of the path; what isn't there is denied.
  struct Played: Sendable, CustomTestStringConvertible {
    let service: String
    let answers: [String: [String]]
    /// The call that told nothing.
    let call: String
    var testDescription: String { "\(call) \(answers[call] ?? [])" }

    init(_ service: String, _ call: String, _ answers: [String: [String]]) {
      (self.service, self.answers, self.call) = (service, answers, call)
    }

    func play(_ asked: Asked) -> Said {
      // A parameter without a value is sent as an empty one.
      let path = asked.uri.hasSuffix("=") ? String(asked.uri.dropLast()) : asked.uri
      let target = asked.header("x-amz-target")?.split(separator: ".").last.map(String.init)
      let action = target ?? (asked.action.isEmpty ? nil : asked.action)
      let found =
        action.map { answers[$0] }
        ?? answers.first { $0.key.first == "/" && path.hasSuffix($0.key) }?.value
      guard let all = found else { return Said(status: 403, body: #"{"__type":"AccessDeniedException"}"#) }
      // The page that is asked for: tokens are numbers of pages.
      let page = ["Marker=", #""Marker":""#, #""NextMarker":""#].lazy.compactMap { name in
        (asked.body.range(of: name) ?? asked.uri.range(of: name)).flatMap { range in
          (asked.body.contains(name) ? asked.body : asked.uri)[range.upperBound...].first?.wholeNumberValue
        }
      }.first
      var text = all[min(page ?? 0, all.count - 1)]
      if !asked.action.isEmpty, !text.contains("<R>"), protocolIsQuery {
        text = "<R><\(asked.action)Result>\(text)</\(asked.action)Result></R>"
      }
      return text.hasPrefix("!")
        ? Said(status: 403, body: String(text.dropFirst())) : Said(body: text)
    }
    private var protocolIsQuery: Bool { AccountCalls.service(service)?.protocolKind == .query }

    func state() async throws -> RegionState {
      let service = try #require(AccountCalls.service(service))
      return try await ServiceClientTests.with({ asked, _ in play(asked) }) { client, _ in
        await RegionScan(
          client: client, account: "111122223333", partition: "aws", region: "eu-west-1",
          isGlobal: service.isGlobal
        ).run([service])
      }
    }
  }

  private static let trails = [
    #"{"trailList":[{"TrailARN":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/t","HomeRegion":"eu-west-1"}]}"#
  ]
  private static let buckets = [
    "<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name></Bucket></Buckets></ListAllMyBucketsResult>"
  ]
  private static let functions = [#"{"Functions":[{"FunctionArn":"arn:f","FunctionName":"f"}]}"#]
  private static let users = [
    "<UserDetailList><member><Arn>arn:u</Arn><UserName>u</UserName></member></UserDetailList>"
  ]
  private static let policies = ["<Policies><member><Arn>arn:p</Arn></member></Policies>"]

  private static func trail(_ call: String, _ text: String) -> Played {
    Played("cloudtrail", call, ["DescribeTrails": trails, call: [text]])
  }
  private static func bucket(_ call: String, _ path: String, _ text: String) -> Played {
    Played(
      "s3", call, ["/?max-buckets=1000": buckets, "/b?location": ["<LocationConstraint/>"], path: [text]])
  }
  private static func function(_ call: String, _ path: String, _ text: String) -> Played {
    Played("lambda", call, ["/functions?MaxItems=50": functions, path: [text]])
  }

  static let unreadable: [Played] =
    [
      trail("GetEventSelectors", "{}"), trail("GetEventSelectors", #"{"__type":"AccessDeniedException"}"#),
      trail("GetTrailStatus", "{}"),
      bucket("GetBucketPolicy", "/b?policy", "{}"),
      bucket("GetBucketPolicy", "/b?policy", #"{"message":"Forbidden"}"#),
      bucket("GetBucketPolicy", "/b?policy", "[]"),
      bucket("GetBucketPolicy", "/b?policy", #"{"Statement":[{"Principal":"*"}],"Statement":[]}"#),
      bucket("GetBucketAcl", "/b?acl", "<AccessControlPolicy/>"),
      bucket("GetBucketEncryption", "/b?encryption", "<ServerSideEncryptionConfiguration/>"),
      function("GetPolicy", "/f/policy", #"{"Policy":""}"#),
      function(
        "GetPolicy", "/f/policy", #"{"Policy":"{\"Statement\":[{\"Sid\":\"s\"}],\"Statement\":[]}"}"#),
      function("GetPolicy", "/f/policy", #"{"Policy":"garbage"}"#),
      function("GetPolicy", "/f/policy", #"{"Policy":"{\"Statement\":[{\"Sid\":"}"#),
      function("GetPolicy", "/f/policy", #"{"Policy":"{\"Version\":\"x\"}"}"#),
      function("GetFunctionUrlConfig", "/f/url", "{}"),
      Played("iam", "GetAccountSummary", ["GetAccountSummary": ["<SummaryMap/>"]]),
      Played("iam", "GetAccountPasswordPolicy", ["GetAccountPasswordPolicy": ["<PasswordPolicy/>"]]),
      Played(
        "iam", "GetLoginProfile",
        ["GetAccountAuthorizationDetails": users, "GetLoginProfile": ["<LoginProfile/>"]]),
      Played(
        "iam", "ListMFADevices",
        ["GetAccountAuthorizationDetails": users, "ListMFADevices": ["<MFADevices><a/></MFADevices>"]]),
      Played(
        "iam", "ListEntitiesForPolicy",
        [
          "GetAccountAuthorizationDetails": policies,
          "ListEntitiesForPolicy": ["<IsTruncated>false</IsTruncated>"],
        ]),
      Played(
        "iam", "ListEntitiesForPolicy",
        [
          "GetAccountAuthorizationDetails": policies,
          "ListEntitiesForPolicy": [
            "<PolicyGroups/><PolicyUsers/><PolicyRoles/><IsTruncated>true</IsTruncated>"
          ],
        ]),
      Played("kms", "ListKeys", ["ListKeys": [#"{"Keys":[],"Truncated":true}"#]]),
      Played("kms", "ListKeys", ["ListKeys": [#"{"Keys":[],"NextMarker":5}"#]]),
      Played("kms", "ListKeys", ["ListKeys": [#"{"Keys":[],"Truncated":true,"NextMarker":""}"#]]),
      Played("kms", "ListKeys", ["ListKeys": [#"{"Keys":null}"#]]),
      Played("kms", "ListKeys", ["ListKeys": [#"{"Keys":{}}"#]]),
      Played("kms", "ListKeys", ["ListKeys": [#"{"Keys":[0,1]}"#]]),
      Played("kms", "ListKeys", ["ListKeys": [#"{"Keys":[{}]}"#]]),
      Played("kms", "ListKeys", ["ListKeys": [#"{"Keys":[{"KeyId":"k"}]}"#]]),
      Played(
        "kms", "DescribeKey",
        [
          "ListKeys": [#"{"Keys":[{"KeyId":"k","KeyArn":"arn:k"}]}"#],
          "DescribeKey": [#"{"KeyMetadata":null}"#],
        ]),
      Played(
        "kms", "GetKeyPolicy",
        [
          "ListKeys": [#"{"Keys":[{"KeyId":"k","KeyArn":"arn:k"}]}"#],
          "GetKeyPolicy": [#"{"Policy":"garbage"}"#],
        ]),
      Played("guardduty", "ListDetectors", ["/detector?maxResults=50": [#"{"detectorIds":[5]}"#]]),
      Played(
        "guardduty", "GetDetector",
        ["/detector?maxResults=50": [#"{"detectorIds":["d"]}"#], "/detector/d": ["{}"]]),
    ]
    + [
      "<a/>", "text", "<item/>", "<item> </item>", "<item>sg-1</item>", "<a><groupId>sg-1</groupId></a>",
      "<item><groupId>sg-1</groupId></item><a/>", "<item><groupName>g</groupName></item>",
    ].map { text in
      Played(
        "ec2", "DescribeSecurityGroups",
        ["DescribeSecurityGroups": ["<R><securityGroupInfo>\(text)</securityGroupInfo></R>"]])
    }
    + [
      "<a/>", "<DBInstance/>", "<DBInstance>x</DBInstance>", "<DBInstance><a>1</a></DBInstance>",
      "<member><DBInstanceArn>arn:d</DBInstanceArn></member>",
    ].map { text in
      Played("rds", "DescribeDBInstances", ["DescribeDBInstances": ["<DBInstances>\(text)</DBInstances>"]])
    }

  @Test(arguments: unreadable) func whatIsNoAnswerOfTheCallTellsNothing(played: Played) async throws {
    let failed = try await played.state().failed.filter { $0.call.hasSuffix(" \(played.call)") }
    #expect(!failed.isEmpty && failed.allSatisfy { $0.failure.code == "Unreadable" }, "\(failed)")
  }

  @Test(arguments: [
    bucket("GetBucketPolicy", "/b?policy", #"{"Statement":[]}"#),
    bucket(
      "GetBucketAcl", "/b?acl",
      "<AccessControlPolicy><Owner/><AccessControlList> </AccessControlList></AccessControlPolicy>"),
    function("GetPolicy", "/f/policy", #"{"Policy":"{\"Statement\":{\"Sid\":\"s\"}}"}"#),
    function(
      "GetFunctionUrlConfig", "/f/url",
      #"!{"__type":"AccessDeniedException","message":"Unable to determine service/operation name to be authorized"}"#
    ),
    Played(
      "ec2", "DescribeSecurityGroups",
      ["DescribeSecurityGroups": ["<R><securityGroupInfo>\n</securityGroupInfo></R>"]]),
    Played("ec2", "DescribeInstances", ["DescribeInstances": ["<R><reservationSet/></R>"]]),
    Played("rds", "DescribeDBInstances", ["DescribeDBInstances": ["<DBInstances> </DBInstances>"]]),
  ]) func whatIsAnAnswerIsRead(played: Played) async throws {
    #expect(try await played.state().failed.filter { $0.call.hasSuffix(" \(played.call)") }.isEmpty)
  }

  @Test func bytesThatAreNoUTF8AreNotReplaced() {
    let body = Array(#"{"Statement":[{"Effect":"Al"#.utf8) + [0xff] + Array(#"low"}]}"#.utf8)
    #expect(throws: CallFailure.self) {
      try ServiceClientTests.kms.value(of: body, WantedAnswer(name: "GetBucketPolicy"))
    }
  }

  @Test func aPolicysUsersAreToldOfAllPages() async throws {
    func page(_ user: String, _ more: String) -> String {
      "<PolicyGroups/><PolicyUsers><member><UserName>\(user)</UserName></member></PolicyUsers><PolicyRoles/>\(more)"
    }
    let played = Played(
      "iam", "ListEntitiesForPolicy",
      [
        "GetAccountAuthorizationDetails": Self.policies,
        "ListEntitiesForPolicy": [
          page("a", "<IsTruncated>true</IsTruncated><Marker>1</Marker>"),
          page("b", "<IsTruncated>false</IsTruncated>"),
        ],
      ])
    let state = try await played.state()
    let policy = state.lists.flatMap(\.items).flatMap(\.resources).first {
      $0.type == "AWS::IAM::ManagedPolicy"
    }
    #expect(policy?.properties["Users"]?.list?.compactMap(\.string) == ["a", "b"])
  }

  @Test func permissionsBoundariesAreNoPoliciesOfUsers() throws {
    let parts = try #require(AccountCalls.service("iam")).lists.flatMap(\.parts)
    let call = try #require(parts.first { $0.call.action == "ListEntitiesForPolicy" }?.call)
    #expect(call.parameters.contains { $0.name == "PolicyUsageFilter" && $0.value == "PermissionsPolicy" })
  }

  @Test func whatAUserHasIsToldOfAllPagesWhereItIsAskedForAlone() async throws {
    func page(_ name: String, _ more: String) -> String {
      "<AttachedPolicies><member><PolicyArn>\(name)</PolicyArn></member></AttachedPolicies>\(more)"
    }
    let played = Played(
      "iam", "ListAttachedUserPolicies",
      [
        "GetUser": ["<User><Arn>arn:u</Arn><UserName>u</UserName></User>"],
        "ListAttachedUserPolicies": [
          page("a", "<IsTruncated>true</IsTruncated><Marker>1</Marker>"),
          page("b", "<IsTruncated>false</IsTruncated>"),
        ], "ListGroupsForUser": ["<Groups><a/></Groups><IsTruncated>false</IsTruncated>"],
        "ListUserPolicies": ["<PolicyNames/><IsTruncated>false</IsTruncated>"],
      ])
    let service = try #require(AccountCalls.service("iam"))
    let list = try #require(service.lists.first { $0.type == "IAM.User" })
    let one = try await ServiceClientTests.with({ asked, _ in played.play(asked) }) { client, _ in
      await RegionScan(
        client: client, account: "111122223333", partition: "aws", region: "eu-west-1", isGlobal: true
      ).one(service, list, id: "u")
    }
    guard case .found(let items) = one, let user = items.first else {
      Issue.record("it isn't found")
      return
    }
    #expect(user.resources.first?.properties["ManagedPolicyArns"]?.list?.compactMap(\.string) == ["a", "b"])
    #expect(
      user.failed.filter { $0.failure.code == "Unreadable" }.map(\.call) == ["iam ListGroupsForUser"])
  }

  @Test func whatIsAnotherAccountsIsLeftOut() async throws {
    func network(_ id: String, _ owner: String) -> String {
      "<item><vpcId>\(id)</vpcId><ownerId>\(owner)</ownerId></item>"
    }
    let played = Played(
      "ec2", "DescribeVpcs",
      [
        "DescribeVpcs": [
          "<R><vpcSet>\(network("own", "111122223333"))\(network("shared", "999988887777"))</vpcSet></R>"
        ]
      ])
    #expect(
      try await played.state().lists.flatMap(\.items).map(\.name) == [
        "arn:aws:ec2:eu-west-1:111122223333:vpc/own"
      ])
  }

  @Test func anOrganizationsTrailTellsItsSelectorsToItsAccountOnly() async throws {
    let denied = #"!{"__type":"TrailNotFoundException","message":"Unknown trail"}"#
    func state(_ account: String) async throws -> RegionState {
      try await Played(
        "cloudtrail", "GetEventSelectors",
        [
          "DescribeTrails": [
            #"{"trailList":[{"TrailARN":"arn:aws:cloudtrail:eu-west-1:\#(account):trail/t","HomeRegion":"eu-west-1"}]}"#
          ], "GetTrailStatus": [#"{"IsLogging":true}"#], "GetEventSelectors": [denied],
        ]
      ).state()
    }
    let others = try await state("999988887777")
    #expect(others.failed.isEmpty)
    let trail = try #require(others.lists.flatMap(\.items).flatMap(\.resources).first)
    guard case .unknown(let unknown)? = trail.properties["EventSelectors"]?.content else {
      Issue.record("its selectors are known")
      return
    }
    #expect(unknown.reason.contains("999988887777"))
    #expect(try await state("111122223333").failed.map(\.failure.code) == ["TrailNotFoundException"])
  }

  @Test func anEmptyPageOfWebACLsIsTheLast() async throws {
    let acl = #"{"Name":"a","Id":"i","ARN":"arn:acl"}"#
    let played = Played(
      "wafv2", "ListWebACLs",
      [
        "ListWebACLs": [#"{"WebACLs":[\#(acl)],"NextMarker":"1"}"#, #"{"WebACLs":[],"NextMarker":"1"}"#],
        "GetWebACL": [#"{"WebACL":\#(acl)}"#],
      ])
    let state = try await played.state()
    #expect(state.failed.isEmpty && state.lists.flatMap(\.items).map(\.name) == ["arn:acl"])
  }

  @Test func hostedZonesHaveTheirNames() async throws {
    let played = Played(
      "route53", "ListHostedZones",
      [
        "/hostedzone": [
          "<ListHostedZonesResponse><HostedZones><HostedZone><Id>/hostedzone/Z1</Id></HostedZone></HostedZones>"
            + "</ListHostedZonesResponse>"
        ]
      ])
    #expect(
      try await played.state().lists.flatMap(\.items).map(\.name) == ["arn:aws:route53:::hostedzone/Z1"])
  }
}
