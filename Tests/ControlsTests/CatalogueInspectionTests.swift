// Documents by the catalogue: services, regions, policies, rules of use; what can't be told is unknown.

import Controls
import GuardRules
import Testing

@Suite struct CatalogueInspectionTests {
  static let catalogue = """
    organisation: Test
    regions: [ap-northeast-1]
    assessed_policies: [service-role/*]
    services:
      - id: s3
        assessed: {on: 2026-01-02, by: me, until: 2027-01-02}
        allowed: yes
        denied: [DeleteBucket]
        types: ["AWS::S3::*"]
        rules: [{rule: s3_encrypted}]
      - {id: dynamodb, assessed: {on: 2026-01-02, by: me}, allowed: yes, types: "AWS::DynamoDB::*"}
      - {id: iam, assessed: {on: 2026-01-02, by: me}, allowed: yes, types: "AWS::IAM::*"}
      - {id: ec2, assessed: {on: 2026-01-02, by: me}, allowed: yes, actions: Describe*, types: ["AWS::EC2::*"]}
      - {id: spot, prefixes: ec2, assessed: {on: 2026-01-02, by: me}, allowed: no, reason: Too dear., actions: RequestSpot*, types: "AWS::EC2::SpotFleet"}
      - {id: kinesis, allowed: no, types: "AWS::Kinesis::*"}
    """

  static func issues(
    _ resources: String, region: String? = "ap-northeast-1",
    statuses: [String: [RuleStatus]] = ["s3_encrypted": [.pass]],
    day: String = "2026-06-01"
  ) throws -> CatalogueInspection {
    let document = try Value.reading(yaml: "Resources:\n" + resources)
    var inspection = CatalogueInspection(
      try Catalogue(yaml: catalogue), today: try #require(CalendarDay(day)))
    inspection.look(at: document, region: region, statuses: statuses)
    return inspection
  }

  /// `rule resource`, with `?` where it can't be told.
  static func told(_ inspection: CatalogueInspection) -> [String] {
    inspection.issues.map {
      "\($0.rule.rawValue.dropFirst("catalogue_".count))\($0.isUnknown ? "?" : "") \($0.resource)"
    }
  }

  /// What the input says of a region goes before where it will be deployed; resources of which only the type is known are
  /// judged too.
  @Test func regionsThatInputsSay() throws {
    let document = try Value.reading(
      yaml: """
        Resources:
          "arn:aws:s3:::b": {Type: "AWS::S3::Bucket"}
          "arn:aws:s3:::c": {Type: "AWS::S3::Bucket"}
        """)
    func told(_ region: String?) throws -> [String] {
      var inspection = CatalogueInspection(
        try Catalogue(yaml: Self.catalogue), today: try #require(CalendarDay("2026-06-01")))
      inspection.look(
        at: document, region: region,
        typed: [
          TypedResource(name: "t", type: "AWS::DynamoDB::Table", place: .none, region: "us-east-1"),
          TypedResource(
            name: "arn:aws:dynamodb:us-east-2:1:table/t", type: "AWS::DynamoDB::Table", place: .none),
          TypedResource(name: "u", type: "AWS::DynamoDB::Table", place: .none),
        ], regions: ["arn:aws:s3:::b": "us-east-1", "arn:aws:s3:::c": "ap-northeast-1"],
        statuses: ["s3_encrypted": [.pass]])
      return Self.told(inspection)
    }
    let wrong = ["arn:aws:s3:::b", "t", "arn:aws:dynamodb:us-east-2:1:table/t"].map { "region_allowed \($0)" }
    #expect(try told("ap-northeast-1") == wrong)
    #expect(try told(nil) == wrong + ["region_allowed? u"])
  }

  @Test func services() throws {
    let found = try Self.issues(
      """
        A: {Type: "AWS::S3::Bucket"}
        B: {Type: "AWS::Kinesis::Stream"}
        C: {Type: "AWS::QuickSight::Dashboard"}
        D: {Type: "AWS::EC2::SpotFleet"}
        E: {Type: "AWS::EC2::Instance"}
        F: {Type: "Custom::Thing"}
        G: {Type: "Datadog::Monitors::Monitor"}
      """)
    #expect(
      Self.told(found) == [
        "service_assessed B", "service_assessed C", "service_allowed D", "service_assessed F",
        "service_assessed? G",
      ])
    #expect(found.issues[2].message.en.contains("Too dear."))
    #expect(found.issues[0].place == TextPlace(line: 3, column: 6))
    #expect(!found.asked.contains(.grants))
  }

  @Test func regions() throws {
    let table = """
        A: {Type: "AWS::DynamoDB::GlobalTable", Properties: {Replicas: [{Region: ap-northeast-1}, {Region: us-east-1}]}}
        B: {Type: "AWS::S3::Bucket"}
        C: {Type: "AWS::IAM::Group"}
      """
    #expect(try Self.told(Self.issues(table)) == ["region_allowed A"])
    #expect(
      try Self.told(Self.issues(table, region: "us-east-1")) == ["region_allowed A", "region_allowed B"])
    // Neither can be told: A says where its copies are only.
    #expect(try Self.told(Self.issues(table, region: nil)) == ["region_allowed A", "region_allowed? "])
    let zone = "  A: {Type: \"AWS::EC2::Volume\", Properties: {AvailabilityZone: us-east-1a}}"
    #expect(try Self.told(Self.issues(zone, region: nil)) == ["region_allowed A"])
    let live = "  \"arn:aws:s3:us-east-1:111122223333:bucket/x\": {Type: \"AWS::S3::Bucket\"}"
    #expect(try Self.told(Self.issues(live)).first?.hasPrefix("region_allowed arn:") == true)
  }

  /// What isn't known yet, as templates are read: functions are unknown values.
  static func unknown(_ reason: String = "a parameter") -> Value { Value(.unknown(Unknown(reason))) }

  static func map(_ members: [(String, Value)], rest: Members.Rest? = nil) -> Value {
    Value(.map(Members(members.map { (name: $0.0, value: $0.1) }, rest: rest)))
  }

  static func look(
    _ type: String, _ properties: Value?, region: String? = "ap-northeast-1",
    statuses: [String: [RuleStatus]] = [:]
  ) throws -> CatalogueInspection {
    let resource = map(
      [("Type", Value(.string(type)))] + (properties.map { [("Properties", $0)] } ?? []))
    var inspection = CatalogueInspection(try Catalogue(yaml: catalogue), today: CalendarDay(of: 0))
    inspection.look(at: map([("Resources", map([("R", resource)]))]), region: region, statuses: statuses)
    return inspection
  }

  @Test func regionsThatAreNotKnownAreUnknown() throws {
    let table = "AWS::DynamoDB::GlobalTable"
    func replicas(_ region: Value) -> Value {
      Self.map([("Replicas", Value(.list([Self.map([("Region", region)])])))])
    }
    let allowed = Value(.string("ap-northeast-1"))
    for properties in [
      replicas(Self.unknown()), Self.map([("Replicas", Self.unknown())]), Self.unknown(),
      Self.map([("Replicas", Value(.list([Self.unknown()])))]),
      Self.map([], rest: Members.Rest(Unknown("a transformation"), absent: [])),
      replicas(Self.map([("Ref", Value(.string("R")))])),
    ] {
      #expect(try Self.told(Self.look(table, properties)) == ["region_allowed? R"])
    }
    #expect(try Self.told(Self.look(table, replicas(allowed))).isEmpty)
    // Where a copy is allowed says nothing of where the table itself will be.
    #expect(try Self.told(Self.look(table, replicas(allowed), region: nil)) == ["region_allowed? R"])
    // A zone says it; one that isn't known is in the region that the whole is deployed to.
    let volume = "AWS::EC2::Volume"
    let zone = Self.map([("AvailabilityZone", Value(.string("ap-northeast-1a")))])
    #expect(try Self.told(Self.look(volume, zone, region: nil)).isEmpty)
    let open = Self.map([("AvailabilityZone", Self.unknown())])
    #expect(try Self.told(Self.look(volume, open)).isEmpty)
    #expect(try Self.told(Self.look(volume, open, region: nil)) == ["region_allowed? R"])
  }

  @Test func grantsThatAreNotKnownAreUnknown() throws {
    let transform = Self.map([("Name", Value(.string("AWS::Include")))])
    let rest = Members.Rest(Unknown("a transformation"), absent: ["Path"])
    let none = Value(.list([]))
    for type in ["ManagedPolicy", "Policy", "RolePolicy", "Role", "User", "Group"] {
      for properties in [
        Self.unknown(), Self.map([("Fn::Transform", transform)]), Self.map([], rest: rest),
      ] {
        let found = try Self.look("AWS::IAM::\(type)", properties)
        #expect(Self.told(found) == ["policy_grants? R"], "\(type)")
        #expect(found.asked.contains(.grants))
      }
    }
    #expect(try Self.told(Self.look("AWS::IAM::Policy", nil)) == ["policy_grants? R"])
    #expect(try Self.told(Self.look("AWS::IAM::Role", nil)).isEmpty)
    // What isn't known beyond what is said of both grants nothing.
    let both = Self.map([("Policies", none), ("ManagedPolicyArns", none)], rest: rest)
    #expect(try Self.told(Self.look("AWS::IAM::Role", both)).isEmpty)
    let one = Self.map([("Policies", none)], rest: rest)
    #expect(try Self.told(Self.look("AWS::IAM::Role", one)) == ["policy_grants? R"])
    #expect(
      try Self.told(Self.look("AWS::IAM::Role", Self.map([("Policies", Value(.string("x")))])))
        == ["policy_grants? R"])
  }

  @Test func assessedByTheirNamesAreOnlyThoseOfAWS() throws {
    func told(_ arn: String, _ more: String = "") throws -> [String] {
      let yaml = Self.catalogue.replacing("[service-role/*]", with: "[service-role/*\(more)]")
      var inspection = CatalogueInspection(try Catalogue(yaml: yaml), today: CalendarDay(of: 0))
      inspection.look(
        at: try Value.reading(
          yaml: "Resources: {R: {Type: 'AWS::IAM::Role', Properties: {ManagedPolicyArns: ['\(arn)']}}}"),
        region: "ap-northeast-1", statuses: [:])
      return Self.told(inspection)
    }
    #expect(try told("arn:aws-cn:iam::aws:policy/service-role/X").isEmpty)
    let own = "arn:aws:iam::111122223333:policy/service-role/X"
    #expect(try told(own) == ["policy_grants? R"])
    #expect(try told(own, ", \(own)").isEmpty)
    #expect(try told("arn:aws:iam::444455556666:policy/service-role/X", ", \(own)") == ["policy_grants? R"])
  }

  @Test func assessmentsEnd() throws {
    let bucket = "  A: {Type: \"AWS::S3::Bucket\"}"
    #expect(try Self.issues(bucket, day: "2027-01-02").issues.isEmpty)
    #expect(try Self.told(Self.issues(bucket, day: "2027-01-03")) == ["assessment_current A"])
  }

  @Test func rulesOfUse() throws {
    let bucket = "  A: {Type: \"AWS::S3::Bucket\"}"
    #expect(try Self.told(Self.issues(bucket, statuses: [:])) == ["rules_of_use? "])
    #expect(try Self.told(Self.issues(bucket, statuses: ["s3_encrypted": [.fail]])) == ["rules_of_use "])
    #expect(try Self.told(Self.issues(bucket, statuses: ["s3_encrypted": [.unknown]])) == ["rules_of_use? "])
    #expect(try Self.told(Self.issues(bucket, statuses: ["s3_encrypted": [.skip]])).isEmpty)
    // Who doesn't use the service isn't asked.
    #expect(try Self.issues("  A: {Type: \"AWS::IAM::Group\"}", statuses: [:]).issues.isEmpty)
  }

  static func policy(_ statement: String, of type: String = "Policy") -> String {
    "  P:\n    Type: AWS::IAM::\(type)\n    Properties:\n      PolicyDocument:\n        Statement:\n          - \(statement)"
  }

  static let grants: [(String, Int)] = [
    ("{Effect: Allow, Action: 's3:Get*', Resource: '*'}", 0),
    ("{Effect: Allow, Action: [ec2:DescribeInstances, iam:PassRole], Resource: '*'}", 0),
    ("{Effect: Allow, Action: 's3:*', Resource: '*'}", 1),  // holds DeleteBucket
    ("{Effect: Allow, Action: 's3:Delete*', Resource: '*'}", 1),
    ("{Effect: Allow, Action: ['ec2:RunInstances', 'ec2:Describe*'], Resource: '*'}", 1),
    ("{Effect: Allow, Action: '*', Resource: '*'}", 1),
    ("{Effect: Allow, Action: ['sqs:SendMessage', 'kinesis:PutRecord'], Resource: '*'}", 2),
    ("{Effect: Allow, NotAction: 'iam:*', Resource: '*'}", 1),
    ("{Effect: Deny, Action: '*', Resource: '*'}", 0),
  ]

  @Test(arguments: grants) func grantsBeyondTheCatalogue(statement: String, count: Int) throws {
    let found = try Self.issues(Self.policy(statement))
    #expect(Self.told(found) == Array(repeating: "policy_grants P", count: count))
    #expect(found.asked.contains(.grants))
    if let first = found.issues.first { #expect(first.place.line == 7) }
  }

  @Test func whatThePolicyItselfDeniesItDoesNotGrant() throws {
    let both =
      "{Effect: Allow, Action: 's3:*', Resource: '*'}\n          - {Effect: Deny, Action: 's3:Delete*', Resource: '*'}"
    #expect(try Self.issues(Self.policy(both)).issues.isEmpty)
    let some = both.replacing("'s3:Delete*', Resource: '*'", with: "'s3:Delete*', Resource: 'arn:aws:s3:::a'")
    #expect(try Self.issues(Self.policy(some)).issues.count == 1)
  }

  @Test func rolesAndManagedPolicies() throws {
    let role = """
        R:
          Type: AWS::IAM::Role
          Properties:
            Policies: [{PolicyName: a, PolicyDocument: {Statement: {Effect: Allow, Action: 'sqs:*', Resource: '*'}}}]
            ManagedPolicyArns:
              - arn:aws:iam::aws:policy/AdministratorAccess
              - arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
              - arn:aws:iam::aws:policy/ReadOnlyAccess
      """
    #expect(try Self.told(Self.issues(role)) == ["policy_grants R", "policy_grants R", "policy_grants? R"])
    let bounded = "\n      PermissionsBoundary: arn:aws:iam::111122223333:policy"
    #expect(try Self.issues(role + bounded + "/kabuto/kabuto-boundary").issues.isEmpty)
    #expect(try Self.issues(role + bounded + "/other").issues.count == 3)
  }

  @Test func whatIsNotKnownIsUnknown() throws {
    func document(_ properties: [(String, Value)]) -> Value {
      let resource = Value(
        .map(
          Members([
            ("Type", Value(.string("AWS::IAM::Role"))),
            ("Properties", Value(.map(Members(properties.map { (name: $0.0, value: $0.1) })))),
          ])))
      return Value(.map(Members([("Resources", Value(.map(Members([("R", resource)]))))])))
    }
    let open = Value(.unknown(Unknown("a parameter")))
    for properties in [
      [("Policies", open)], [("ManagedPolicyArns", open)], [("ManagedPolicyArns", Value(.list([open])))],
    ] {
      var inspection = CatalogueInspection(try Catalogue(yaml: Self.catalogue), today: CalendarDay(of: 0))
      inspection.look(at: document(properties), region: "ap-northeast-1", statuses: [:])
      #expect(Self.told(inspection) == ["policy_grants? R"])
    }
    let own = Value(
      .unknown(
        Unknown(
          "the account",
          written: try Value.reading(
            yaml: "!Sub 'arn:aws:iam::${AWS::AccountId}:policy/kabuto/kabuto-boundary'"))))
    var inspection = CatalogueInspection(try Catalogue(yaml: Self.catalogue), today: CalendarDay(of: 0))
    inspection.look(
      at: document([("Policies", open), ("PermissionsBoundary", own)]), region: "ap-northeast-1",
      statuses: [:])
    #expect(inspection.issues.isEmpty)
  }
}
