// Which resource a part belongs to where it names it through another one, or by what it is made for each of.

import Foundation
import GuardRules
import Testing

@testable import Resources

@Suite struct PlanLinkTests {
  static func plan(_ changes: [String], _ resources: [String], variables: String = "{}") throws -> Value {
    let text = PlanReferenceTests.plan(changes, resources)
    return try ResourcesTests.plan("{\"variables\": \(variables)," + text.dropFirst()).document
  }
  static let part = "aws_s3_bucket_public_access_block"
  static let isBlocked = PlanUnseenTests.blocked

  // MARK: - Through another

  @Test(arguments: [
    // Whatever names the bucket leads to it, from one to the next.
    (["aws_s3_bucket_policy.p.id", "aws_s3_bucket_policy.p"], RuleStatus.pass),
    (["aws_s3_bucket_policy.p.bucket", "aws_s3_bucket_policy.p"], .pass),
    (["aws_s3_bucket_versioning.v.id", "aws_s3_bucket_versioning.v"], .pass),
    // By the name, and to another one.
    (["aws_s3_bucket_policy.other.id", "aws_s3_bucket_policy.other"], .fail),
    // Which one isn't told.
    (["aws_s3_bucket_policy.lost.id", "aws_s3_bucket_policy.lost"], .unknown),
    (["aws_s3_bucket_policy.p.policy", "aws_s3_bucket_policy.p"], .unknown),
    (["aws_s3_bucket_policy.none.id", "aws_s3_bucket_policy.none"], .unknown),
    (["aws_cloudtrail.t.s3_bucket_name", "aws_cloudtrail.t"], .unknown),
    (["aws_iam_user.u.name", "aws_iam_user.u"], .unknown),
    (["aws_s3_bucket.b.region", "aws_s3_bucket.b"], .unknown),
    // An ARN is that of its own resource.
    (["aws_api_gateway_stage.s.arn", "aws_api_gateway_stage.s"], .fail),
  ])
  func aPartIsOfWhatItsReferenceIsOf(_ references: [String], _ wanted: RuleStatus) throws {
    let document = try Self.plan(
      [
        PlanUnseenTests.part("\(Self.part).a"), PlanUnseenTests.bucket("aws_s3_bucket.b"),
        PlanTests.change("aws_s3_bucket_versioning.v", "{}", unknown: "{\"bucket\": true}"),
        PlanTests.change("aws_s3_bucket_policy.p", "{}", unknown: "{\"bucket\": true}"),
        PlanTests.change("aws_s3_bucket_policy.other", "{\"bucket\": \"other\"}"),
        PlanTests.change("aws_s3_bucket_policy.lost", "{}", unknown: "{\"bucket\": true}"),
      ],
      [
        PlanUnseenTests.configured("aws_s3_bucket.b"),
        PlanUnseenTests.configured("\(Self.part).a", ["bucket": references]),
        PlanUnseenTests.configured(
          "aws_s3_bucket_policy.p", ["bucket": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]]),
        PlanUnseenTests.configured(
          "aws_s3_bucket_versioning.v", ["bucket": ["aws_s3_bucket_policy.p.id", "aws_s3_bucket_policy.p"]]),
        PlanUnseenTests.configured("aws_s3_bucket_policy.lost", ["bucket": ["var.x"]]),
        PlanUnseenTests.configured("aws_s3_bucket_policy.other"),
      ])
    #expect(try status(Self.isBlocked("aws_s3_bucket.b"), document) == wanted)
  }

  @Test func referencesInARingEnd() throws {
    let document = try Self.plan(
      [
        PlanUnseenTests.bucket("aws_s3_bucket.b"), PlanUnseenTests.part("\(Self.part).a"),
        PlanUnseenTests.part("\(Self.part).c"),
      ],
      [
        PlanUnseenTests.configured("\(Self.part).a", ["bucket": ["\(Self.part).c.id", "\(Self.part).c"]]),
        PlanUnseenTests.configured("\(Self.part).c", ["bucket": ["\(Self.part).a.id", "\(Self.part).a"]]),
      ])
    #expect(try status(Self.isBlocked("aws_s3_bucket.b"), document) == .unknown)
  }

  // MARK: - For each of a set

  /// The statuses of buckets `x` and `y`, each with a part of its own.
  static func ofEach(
    _ references: [String], owner: String = "{\"references\": [\"var.names\"]}",
    part: String = "{\"references\": [\"var.names\"]}", keys: [String] = ["x", "y"],
    parts: [String]? = nil, variables: String = "{}"
  ) throws -> [RuleStatus] {
    let document = try plan(
      ["x", "y"].map { PlanUnseenTests.bucket("aws_s3_bucket.b[\"\($0)\"]") }
        + (parts ?? keys.map { PlanUnseenTests.part("\(Self.part).p[\"\($0)\"]") }),
      [
        PlanUnseenTests.configured("aws_s3_bucket.b", more: ", \"for_each_expression\": \(owner)"),
        PlanUnseenTests.configured(
          "\(Self.part).p", ["bucket": references], more: ", \"for_each_expression\": \(part)"),
      ], variables: variables)
    return try ["x", "y"].map { try status(isBlocked("aws_s3_bucket.b[\"\($0)\"]"), document) }
  }

  @Test func partsThatAreAlikeAreOfEachOfTheirSet() throws {
    let value = ["aws_s3_bucket.b", "each.value"]
    let (both, neither) = ([RuleStatus.pass, .pass], [RuleStatus.unknown, .unknown])
    #expect(try Self.ofEach(value) == both)
    #expect(try Self.ofEach(value, owner: "{}", part: "{}") == both)
    #expect(try Self.ofEach(value, variables: "{\"names\": {\"value\": [\"x\", \"y\"]}}") == both)
    // A map's values may be one and the same key.
    #expect(
      try Self.ofEach(value, variables: "{\"names\": {\"value\": {\"x\": \"y\", \"y\": \"y\"}}}") == neither)
    #expect(
      try Self.ofEach(
        value, owner: "{\"constant_value\": {\"x\": \"y\"}}", part: "{\"constant_value\": {\"x\": \"y\"}}")
        == neither)
    #expect(try Self.ofEach(value, part: "{\"references\": [\"local.pairs\"]}") == neither)
    for keys in [["x"], ["x", "z"], ["x", "y", "z"]] {
      #expect(try Self.ofEach(value, keys: keys) == neither)
    }
    for references in [
      ["aws_s3_bucket.b"], value + ["var.x"], value + ["each.key"],
      ["aws_s3_bucket.b", "each.value.k", "each.value"],
    ] {
      #expect(try Self.ofEach(references) == neither, "\(references)")
    }
    // They say different things.
    let other = PlanTests.change(
      "\(Self.part).p[\"y\"]", "{\"block_public_acls\": false}", unknown: "{\"bucket\": true}")
    #expect(try Self.ofEach(value, parts: [PlanUnseenTests.part("\(Self.part).p[\"x\"]"), other]) == neither)
  }

  @Test func whatIsMadeForEachOfOthersIsOfItsOwn() throws {
    let each = "{\"references\": [\"aws_s3_bucket.b\"]}"
    #expect(try Self.ofEach(["each.value.id", "each.value"], part: each) == [.pass, .pass])
    #expect(try Self.ofEach(["each.value"], part: each, keys: ["x"]) == [.pass, .fail])
    // Of something else, or with keys of another kind.
    for references in [
      ["var.x"], ["aws_s3_bucket.b", "var.x"], ["aws_s3_bucket.b[\\\"x\\\"]", "aws_s3_bucket.b"],
    ] {
      let list = references.map { "\"\($0)\"" }.joined(separator: ", ")
      #expect(
        try Self.ofEach(["each.value.id", "each.value"], part: "{\"references\": [\(list)]}")
          == [.unknown, .unknown], "\(references)")
    }
    #expect(
      try Self.ofEach(["each.value.id", "each.value"], part: each, keys: ["z"]) == [.unknown, .unknown])
  }
}
