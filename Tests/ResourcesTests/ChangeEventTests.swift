// Events → what may have changed: vectors for every service, wrapped in all ways, and what isn't an event.

import Foundation
import GuardRules
import Testing

@testable import Resources

@Suite struct ChangeEventTests {
  static let account = "111122223333"

  /// A call as CloudTrail tells it, in EventBridge's shape.
  static func call(
    _ source: String, _ name: String, request: String = "null", response: String = "null",
    region: String = "eu-west-1",
    more: String = ""
  ) -> String {
    """
    {"version":"0","id":"1","detail-type":"AWS API Call via CloudTrail","source":"aws.\(source)","account":"\(account)",
     "time":"2026-11-26T10:00:01Z","region":"\(region)","resources":[],"detail":{"eventVersion":"1.09",
     "userIdentity":{"type":"IAMUser","userName":"who"},"eventTime":"2026-11-26T10:00:00Z",
     "eventSource":"\(source).amazonaws.com","eventName":"\(name)","awsRegion":"\(region)","readOnly":false,
     "requestParameters":\(request),"responseElements":\(response),"managementEvent":true,"eventCategory":"Management",
     "recipientAccountId":"\(account)"\(more)}}
    """
  }

  static func targets(_ text: String) throws -> [ChangeTarget] {
    let events = ChangeEvents.read(text)
    #expect(events.count == 1)
    return try #require(events.first).get().places.map(\.target)
  }

  typealias Vector = (service: String, name: String, request: String, response: String, expected: String)
  /// What a call is given and answers, and what is looked at.
  static let calls: [Vector] = [
    (
      "ec2", "AuthorizeSecurityGroupIngress", #"{"groupId":"sg-1","ipPermissions":{}}"#, "null",
      "EC2.SecurityGroup sg-1"
    ),
    ("ec2", "CreateSecurityGroup", #"{"groupName":"n"}"#, #"{"groupId":"sg-2"}"#, "EC2.SecurityGroup sg-2"),
    (
      "ec2", "ModifySecurityGroupRules", #"{"ModifySecurityGroupRulesRequest":{"GroupId":"sg-3"}}"#, "null",
      "EC2.SecurityGroup sg-3"
    ),
    (
      "ec2", "RunInstances", "{}", #"{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}"#,
      "EC2.Instance i-1, EC2.Instance i-2, EC2.Volume *, EC2.NetworkInterface *"
    ),
    ("ec2", "CreateVolume", "{}", #"{"volumeId":"vol-1"}"#, "EC2.Volume vol-1"),
    (
      "ec2", "DeleteVpc", #"{"vpcId":"vpc-1"}"#, "null",
      "EC2.VPC vpc-1, EC2.SecurityGroup *, EC2.RouteTable *"
    ),
    ("ec2", "CreateSubnet", "{}", #"{"subnet":{"subnetId":"subnet-1"}}"#, "EC2.Subnet subnet-1"),
    ("ec2", "CreateFlowLogs", "{}", "{}", "EC2.FlowLog *"),
    (
      "ec2", "CreateTags", #"{"resourcesSet":{"items":[{"resourceId":"vol-9"},{"resourceId":"ami-1"}]}}"#,
      "null",
      "EC2.Volume vol-9"
    ),
    ("s3", "PutBucketPolicy", #"{"bucketName":"b","Host":"b.s3"}"#, "null", "S3.Bucket b"),
    ("s3", "DeleteBucket", #"{"bucketName":"b"}"#, "null", "S3.Bucket b"),
    ("iam", "CreateUser", #"{"userName":"u"}"#, "{}", "IAM.User u, IAM.AccountSummary *"),
    (
      "iam", "AttachUserPolicy", #"{"userName":"u","policyArn":"arn:aws:iam::111122223333:policy/p"}"#,
      "null",
      "IAM.User u, IAM.ManagedPolicy arn:aws:iam::111122223333:policy/p"
    ),
    (
      "iam", "AttachRolePolicy",
      #"{"roleName":"r","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#, "null",
      "IAM.Role r"
    ),
    (
      "iam", "UpdateUser", #"{"userName":"a","newUserName":"b"}"#, "null",
      "IAM.User a, IAM.User b, IAM.ManagedPolicy *"
    ),
    ("iam", "UpdateUser", #"{"userName":"a","newPath":"/x/"}"#, "null", "IAM.User a, IAM.ManagedPolicy *"),
    ("iam", "ChangePassword", "null", "null", "IAM.User who"),
    ("iam", "PutGroupPolicy", #"{"groupName":"g"}"#, "null", "IAM.Group g"),
    ("iam", "UpdateAccountPasswordPolicy", "{}", "null", "IAM.PasswordPolicy *"),
    (
      "lambda", "AddPermission20150331v2",
      #"{"functionName":"arn:aws:lambda:eu-west-1:111122223333:function:f:live"}"#, "{}", "Lambda.Function f"
    ),
    ("lambda", "CreateFunction20150331", #"{"functionName":"f"}"#, "{}", "Lambda.Function f"),
    ("lambda", "DeleteFunctionUrlConfig", #"{"functionName":"111122223333:f"}"#, "null", "Lambda.Function f"),
    (
      "cloudtrail", "StopLogging", #"{"name":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/t"}"#, "null",
      "CloudTrail.Trail arn:aws:cloudtrail:eu-west-1:111122223333:trail/t"
    ),
    (
      "cloudtrail", "StopLogging", #"{"name":"t"}"#, "null",
      "CloudTrail.Trail eu-west-1:111122223333:trail/t"
    ),
    (
      "cloudtrail", "PutEventSelectors", #"{"trailName":"t"}"#, "null",
      "CloudTrail.Trail eu-west-1:111122223333:trail/t"
    ),
    ("lambda", "UpdateAlias20150331", #"{"functionName":"f","name":"live"}"#, "{}", "Lambda.Function f"),
    (
      "guardduty", "StopMonitoringMembers", #"{"detectorId":"d","accountIds":["444455556666"]}"#, "null",
      "GuardDuty.Detector *, GuardDuty.Detector *"
    ),
    (
      "kms", "DisableKeyRotation", #"{"keyId":"arn:aws:kms:eu-west-1:111122223333:key/k"}"#, "null",
      "KMS.Key k"
    ),
    ("kms", "DisableKey", #"{"keyId":"alias/a"}"#, "null", "KMS.Key *"),
    ("kms", "CreateKey", "{}", #"{"keyMetadata":{"keyId":"k"}}"#, "KMS.Key k"),
    ("rds", "ModifyDBInstance", #"{"dBInstanceIdentifier":"DB"}"#, "{}", "RDS.DBInstance db"),
    ("rds", "DeleteDBCluster", #"{"dBClusterIdentifier":"c"}"#, "{}", "RDS.DBCluster c"),
    (
      "config", "StopConfigurationRecorder", #"{"configurationRecorderName":"d"}"#, "null",
      "Config.ConfigurationRecorder *"
    ),
    ("config", "PutConfigRule", #"{"configRule":{"configRuleName":"r"}}"#, "null", "rule r"),
    ("guardduty", "UpdateDetector", #"{"detectorId":"d","enable":false}"#, "null", "GuardDuty.Detector d"),
    ("guardduty", "ArchiveFindings", #"{"detectorId":"d","findingIds":["f"]}"#, "null", "guardduty"),
    (
      "elasticloadbalancing", "DeleteListener",
      #"{"listenerArn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/n/1/2"}"#, "null",
      "ELBv2.LoadBalancer arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/n/1"
    ),
    (
      "elasticloadbalancing", "CreateTargetGroup", "{}", #"{"targetGroups":[{"targetGroupArn":"arn:t"}]}"#,
      "ELBv2.TargetGroup arn:t"
    ),
    (
      "elasticloadbalancing", "CreateRule",
      #"{"listenerArn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/n/1/2"}"#, "{}",
      "ELBv2.LoadBalancer arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/n/1"
    ),
    (
      "elasticloadbalancing", "ModifyRule",
      #"{"ruleArn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/n/1/2/3"}"#, "{}",
      "ELBv2.LoadBalancer arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/n/1"
    ),
    // The older kind of load balancer has a name only.
    (
      "elasticloadbalancing", "DeleteLoadBalancer", #"{"loadBalancerName":"n"}"#, "null",
      "ELBv2.LoadBalancer *"
    ),
    ("acm", "RequestCertificate", "{}", #"{"certificateArn":"arn:c"}"#, "ACM.Certificate arn:c"),
    ("route53", "DeleteHostedZone", #"{"id":"/hostedzone/Z1"}"#, "{}", "Route53.HostedZone Z1"),
    ("wafv2", "UpdateWebACL", #"{"id":"w","name":"n","scope":"REGIONAL"}"#, "{}", "WAFv2.WebACL w"),
    // A write that the table doesn't know, of a service that it knows.
    ("ec2", "InventedCall", #"{"groupId":"sg-1"}"#, "null", "service ec2"),
    ("rds", "ApplyPendingMaintenanceAction", "{}", "{}", "service rds"),
    // The name isn't where it is looked for.
    ("ec2", "DeleteSecurityGroup", #"{"groupName":"old"}"#, "null", "EC2.SecurityGroup *"),
    (
      "ec2", "CreateTags",
      #"{"resourcesSet":{"items":[{"resourceId":"rtb-1"},{"resourceId":"nat-1"},{"resourceId":"igw-1"},"#
        + #"{"resourceId":"eipalloc-1"},{"resourceId":"eni-1"}]}}"#, "null",
      "EC2.RouteTable rtb-1, EC2.NatGateway nat-1, EC2.InternetGateway igw-1, EC2.EIP eipalloc-1, "
        + "EC2.NetworkInterface eni-1"
    ),
    ("ec2", "DeleteTags", #"{"resourcesSet":{"items":[{"resourceId":"new-1"}]}}"#, "null", "service ec2"),
    ("ec2", "DeleteTags", "{}", "null", "service ec2"),
    (
      "elasticloadbalancing", "AddTags",
      #"{"resourceArns":["arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/t/1"]}"#, "null",
      "ELBv2.TargetGroup arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/t/1"
    ),
    (
      "elasticloadbalancing", "RemoveTags",
      #"{"resourceArns":["arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/n/1"]}"#,
      "null",
      "ELBv2.LoadBalancer arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/n/1"
    ),
    (
      "wafv2", "AssociateWebACL",
      #"{"webACLArn":"w","resourceArn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/n/1"}"#,
      "null", "ELBv2.LoadBalancer arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/n/1"
    ),
    ("wafv2", "DisassociateWebACL", "{}", "null", "ELBv2.LoadBalancer *"),
    ("ec2", "CreateKeyPair", "{}", "{}", ""), ("dynamodb", "DeleteTable", #"{"tableName":"t"}"#, "{}", ""),
  ]

  @Test func callsThatChangeWhatPartsTellAreMapped() throws {
    let effects = try ChangeEventTable.effects.get()
    var count = 0
    for service in try AccountCalls.all.get() {
      for list in service.lists {
        for part in list.parts {
          // What another service is asked for, or tags.
          guard part.service != nil || part.name.hasPrefix("tag") else { continue }
          count += 1
          let events = effects[part.service ?? service.name] ?? [:]
          let mapped = events.filter { name, changed in
            (part.service != nil || name.lowercased().contains("tag"))
              && changed.contains { $0.type == list.type }
          }
          // Put and taken away.
          #expect(mapped.count >= 2, "\(list.type) \(part.name)")
        }
      }
    }
    #expect(count >= 4)
  }

  @Test(arguments: calls) func callsNameWhatTheyChange(vector: Vector) throws {
    let text = Self.call(vector.service, vector.name, request: vector.request, response: vector.response)
    let found = try Self.targets(text).map { target -> String in
      switch target {
      case .one(let type, let id): "\(type) \(id)"
      case .list(let type): "\(type) *"
      case .service(let name): "service \(name)"
      case .configRule(let name): "rule \(name)"
      case .guardDuty: "guardduty"
      }
    }
    #expect(found.joined(separator: ", ") == vector.expected)
  }

  @Test func placesAreRegionsOrGlobal() throws {
    let here = try #require(
      ChangeEvents.read(Self.call("ec2", "DeleteVolume", request: #"{"volumeId":"v"}"#)).first
    ).get()
    #expect(here.places.map(\.region) == ["eu-west-1"])
    #expect(here.places.map(\.account) == [Self.account])
    #expect(here.time == 1_795_687_200_000)
    for (service, name) in [("iam", "DeleteUser"), ("s3", "DeleteBucket"), ("route53", "Invented")] {
      let event = try #require(ChangeEvents.read(Self.call(service, name, region: "us-east-1")).first).get()
      #expect(!event.places.isEmpty && event.places.allSatisfy { $0.region == "global" }, "\(service)")
    }
  }

  @Test func whatSeveralRegionsTellIsLookedAtInAll() throws {
    func places(_ service: String, _ name: String, _ request: String) throws -> [ChangedPlace] {
      try #require(ChangeEvents.read(Self.call(service, name, request: request)).first).get().places
    }
    for (service, name, request) in [
      ("cloudtrail", "StopLogging", #"{"name":"t"}"#), ("cloudtrail", "InventedCall", "{}"),
      ("cloudtrail", "DeleteTrail", "{}"), ("kms", "EnableKeyRotation", #"{"keyId":"mrk-1"}"#),
    ] {
      let found = try places(service, name, request)
      #expect(found.map(\.region) == [ChangedPlace.everywhere], "\(name)")
      #expect(found.map(\.account) == [Self.account], "\(name)")
    }
    #expect(try places("kms", "DisableKey", #"{"keyId":"k"}"#).map(\.region) == ["eu-west-1"])
    // An administrator stops its members.
    let members = try places(
      "guardduty", "StopMonitoringMembers", #"{"accountIds":["444455556666","777788889999"]}"#)
    #expect(members.map(\.account) == [Self.account, "444455556666", "777788889999"])
    #expect(Set(members.map(\.region)) == ["eu-west-1"])
  }

  @Test(arguments: [
    #","readOnly":true"#, #","errorCode":"Client.UnauthorizedOperation""#, #","managementEvent":false"#,
    #","eventCategory":"Data""#,
  ]) func callsThatChangeNothingAreToldAsSuch(more: String) throws {
    // The later of two members counts.
    let text = Self.call("ec2", "DeleteVolume", request: #"{"volumeId":"v"}"#, more: more)
    let event = try #require(ChangeEvents.read(text).first).get()
    #expect(event.places.isEmpty)
    #expect(!event.reason.isEmpty)
  }

  @Test(arguments: [
    ("AddPermission20150331v2", "AddPermission"), ("CreateFunction20150331", "CreateFunction"),
    ("Invoke", "Invoke"), ("20150331", "20150331"), ("V2", "V2"), ("", ""), ("v2", "v2"),
    ("Get123", "Get123"),
  ]) func datesBehindNamesAreLeftOut(name: String, base: String) {
    #expect(ChangeEvents.baseName(name) == base)
  }

  // MARK: - Other kinds

  static func event(_ kind: String, _ detail: String) -> String {
    #"{"detail-type":"\#(kind)","account":"111122223333","region":"eu-west-1","time":"2026-11-26T10:00:00Z","detail":\#(detail)}"#
  }

  @Test(arguments: [
    ("AWS::EC2::SecurityGroup", #""resourceId":"sg-1""#, "EC2.SecurityGroup sg-1"),
    ("AWS::S3::Bucket", #""resourceId":"b""#, "S3.Bucket b"),
    ("AWS::IAM::User", #""resourceId":"AIDA1","resourceName":"u""#, "IAM.User u"),
    (
      "AWS::IAM::Policy", #""ARN":"arn:aws:iam::111122223333:policy/p","resourceId":"ANPA""#,
      "IAM.ManagedPolicy arn:aws:iam::111122223333:policy/p"
    ),
    ("AWS::RDS::DBInstance", #""resourceId":"db-ABC","resourceName":"d""#, "RDS.DBInstance d"),
    ("AWS::KMS::Key", #""resourceId":"k""#, "KMS.Key k"),
    ("AWS::Lambda::Function", #""resourceId":"f""#, "Lambda.Function f"),
    // What hangs on something else.
    (
      "AWS::ElasticLoadBalancingV2::Listener",
      #""resourceId":"arn:aws:elasticloadbalancing:us-east-1:111122223333:listener/app/n/1/2""#,
      "ELBv2.LoadBalancer arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/n/1"
    ),
    ("AWS::Lambda::Alias", #""resourceId":"live""#, "list(type: \"Lambda.Function\")"),
    ("AWS::CloudTrail::Trail", #""resourceId":"t""#, "CloudTrail.Trail us-east-1:111122223333:trail/t"),
    ("AWS::DynamoDB::Table", #""resourceId":"t""#, ""),
  ]) func itemsOfConfigNameThemselves(type: String, members: String, expected: String) throws {
    for member in ["configurationItem", "configurationItemSummary"] {
      let text = Self.event(
        "Config Configuration Item Change",
        #"{"\#(member)":{"resourceType":"\#(type)",\#(members),"awsRegion":"us-east-1","awsAccountId":"111122223333"}}"#
      )
      let event = try #require(ChangeEvents.read(text).first).get()
      let found = event.places.map { place in
        if case .one(let type, let id) = place.target { "\(type) \(id)" } else { "\(place.target)" }
      }
      #expect(found.joined(separator: ", ") == expected)
      if !expected.isEmpty, !expected.hasPrefix("IAM"), !expected.hasPrefix("S3") {
        let region = expected.hasPrefix("CloudTrail") ? ChangedPlace.everywhere : "us-east-1"
        #expect(event.places.map(\.region) == [region])
      }
    }
  }

  @Test func verdictsFindingsAndStatesAreTaken() throws {
    #expect(
      try Self.targets(
        Self.event(
          "Config Rules Compliance Change",
          #"{"configRuleName":"r","awsAccountId":"111122223333","awsRegion":"eu-west-1"}"#))
        == [.configRule("r")])
    #expect(
      try Self.targets(
        Self.event(
          "GuardDuty Finding",
          #"{"id":"f","type":"T","accountId":"111122223333","service":{"detectorId":"d"}}"#))
        == [.guardDuty(detector: "d", finding: "f")])
    #expect(
      try Self.targets(
        Self.event("EC2 Instance State-change Notification", #"{"instance-id":"i-1","state":"stopped"}"#))
        == [.one(type: "EC2.Instance", id: "i-1")])
    #expect(
      try Self.targets(
        Self.event("EC2 Instance State-change Notification", #"{"instance-id":"i-1","state":"terminated"}"#))
        == [.one(type: "EC2.Instance", id: "i-1"), .list(type: "EC2.Volume")])
    #expect(try Self.targets(Self.event("Scheduled Event", #"{"a":1}"#)).isEmpty)
  }

  @Test func eventsAreFoundInAllWrappings() throws {
    let one = Self.call("ec2", "DeleteVolume", request: #"{"volumeId":"v"}"#)
    let quoted = String(decoding: try JSONEncoder().encode(one), as: UTF8.self)
    let notification = #"{"Type":"Notification","TopicArn":"arn:aws:sns:eu-west-1:1:t","Message":\#(quoted)}"#
    let twice = "[\(one),\(notification)]"
    let trail = #"{"Records":[\#(Self.detail(one)),\#(Self.detail(one))]}"#
    for (text, count) in [
      (one, 1), (notification, 1), (twice, 2), (trail, 2), (#"{"Records":[{"Sns":\#(notification)}]}"#, 1),
    ] {
      let events = ChangeEvents.read(text)
      #expect(events.count == count)
      for event in events {
        #expect(try event.get().places.map(\.target) == [.one(type: "EC2.Volume", id: "v")])
      }
    }
  }

  /// The record within an event.
  static func detail(_ event: String) -> String {
    let begin = event.range(of: "\"detail\":").map { event[$0.upperBound...] } ?? ""
    return String(begin.trimmingCharacters(in: .whitespacesAndNewlines).dropLast())
  }

  @Test(arguments: [
    #"{"detail-type":"AWS API Call via CloudTrail","account":"1","region":"r","detail":{"eventSource":"ec2.amazonaws.com"}}"#,
    "", "nonsense", "{}", "1", "null", "\"text\"", #"{"detail":{}}"#, #"{"detail-type":"X","detail":1}"#,
    #"{"Type":"Notification","TopicArn":"a","Message":"no json"}"#,
    #"{"detail-type":"Config Configuration Item Change","account":"1","region":"r","detail":{"a":1}}"#,
    #"{"detail-type":"EC2 Instance State-change Notification","account":"1","region":"r","detail":{"state":"running"}}"#,
    #"{"detail-type":"AWS API Call via CloudTrail","detail":{"eventSource":"ec2.amazonaws.com","eventName":"DeleteVolume","awsRegion":"r"}}"#,
  ]) func whatIsNoEventIsToldWithWhatWasWanted(text: String) throws {
    let event = try #require(ChangeEvents.read(text).first)
    guard case .failure(let fault) = event else {
      Issue.record("it was taken: \(text)")
      return
    }
    #expect(fault.description.contains("want") || fault.description.hasPrefix("not JSON"), "\(fault)")
  }

  @Test func damagedEventsNeverTrap() {
    let seed = UInt64(ProcessInfo.processInfo.environment["KABUTO_SEED"] ?? "51c7", radix: 16) ?? 0x51c7
    var state = seed
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let whole = Array(
      "[\(Self.call("iam", "AttachUserPolicy20150331", request: #"{"userName":"u","policyArn":"arn:aws:iam::1:p"}"#))]"
        .utf8)
    var readable = 0
    for _ in 0..<5_000 {
      var bytes = whole
      for _ in 0...random(3) {
        switch random(3) {
        case 0: bytes[random(bytes.count)] = UInt8(random(128))
        case 1: bytes.remove(at: random(bytes.count))
        default: bytes.insert(whole[random(whole.count)], at: random(bytes.count))
        }
      }
      for case .success in ChangeEvents.read(String(decoding: bytes, as: UTF8.self)) { readable += 1 }
    }
    #expect(readable > 0, "KABUTO_SEED=\(String(seed, radix: 16))")
  }

  // MARK: - The tables

  @Test func everyEventChangesSomethingThatIsListedAndEveryListIsChangedBySomething() throws {
    let services = try AccountCalls.all.get()
    let effects = try ChangeEventTable.effects.get()
    #expect(Set(effects.keys) == Set(services.map(\.name)))
    for service in services {
      // Its own, and those of others that ask it for a part.
      let asking = services.flatMap(\.lists).filter { $0.parts.contains { $0.service == service.name } }
      let types = Set((service.lists + asking).map(\.type))
      var changed: Set<String> = []
      for (name, each) in effects[service.name] ?? [:] {
        for effect in each where !effect.type.hasPrefix("Taken.") && effect.type != "EC2.*" {
          #expect(types.contains(effect.type), "\(service.name) \(name): \(effect.type)")
          changed.insert(effect.type)
        }
      }
      #expect(changed == types, "\(service.name)")
    }
  }

  @Test func whatIsAskedForAloneSaysWhenItIsGone() throws {
    for list in try AccountCalls.all.get().flatMap(\.lists) {
      guard let one = list.one else { continue }
      #expect(!one.gone.isEmpty, "\(list.type)")
      let words = [one.call].compactMap { $0 } + one.with.map(\.call)
      let text = words.flatMap { [$0.action] + $0.parameters.map(\.value) }.joined(separator: " ")
      #expect(text.contains("{id}") || one.sets.contains { $0.value.contains("{id}") }, "\(list.type)")
    }
  }

  @Test(arguments: [
    "A x=y", "service a\n  B", "service a\n  B T=foo.x", "service a\n  B T=req", "service a\n  B T\n  B T",
    "service a\nservice a",
  ]) func tablesWithFaultsAreRefused(text: String) {
    #expect(throws: DocumentFault.self) { try ChangeEventTable.read(text) }
  }

  // MARK: - Plans

  @Test func changesOfOneResourceAreOneLookAndTheEarliestIsTheirCause() throws {
    let services = try AccountCalls.all.get()
    func place(_ target: ChangeTarget, _ region: String = "eu-west-1") -> ChangedPlace {
      ChangedPlace(account: "1", region: region, target: target)
    }
    var plan = ChangePlan()
    let group = place(.one(type: "EC2.SecurityGroup", id: "sg-1"))
    plan.add(group, ChangePlan.Cause(time: 20, name: "b"))
    plan.add(group, ChangePlan.Cause(time: 10, name: "a"))
    plan.add(group, ChangePlan.Cause(time: nil, name: "c"))
    plan.add(
      place(.one(type: "EC2.SecurityGroup", id: "sg-2"), "us-east-1"), ChangePlan.Cause(time: 1, name: "d"))
    let looks = plan.places(services)
    #expect(looks.map(\.place.region) == ["eu-west-1", "us-east-1"])
    #expect(looks.first?.cause == ChangePlan.Cause(time: 10, name: "a"))
    // Who looks at all looks at each.
    plan.add(place(.list(type: "EC2.SecurityGroup")), ChangePlan.Cause(time: 5, name: "e"))
    #expect(
      plan.places(services).map(\.place.target) == [
        .one(type: "EC2.SecurityGroup", id: "sg-2"), .list(type: "EC2.SecurityGroup"),
      ])
    plan.add(place(.service("ec2")), ChangePlan.Cause(time: 5, name: "f"))
    #expect(
      plan.places(services).map(\.place.target) == [
        .one(type: "EC2.SecurityGroup", id: "sg-2"), .service("ec2"),
      ])
  }

  @Test func manyOfATypeAreListedWhereAListTellsAll() throws {
    let services = try AccountCalls.all.get()
    for (type, isListed) in [("EC2.Volume", true), ("S3.Bucket", false)] {
      var plan = ChangePlan()
      for number in 0...ChangePlan.mostAlone {
        plan.add(
          ChangedPlace(account: "1", region: "r", target: .one(type: type, id: "\(number)")),
          ChangePlan.Cause(time: nil, name: ""))
      }
      #expect(plan.places(services).count == (isListed ? 1 : ChangePlan.mostAlone + 1), "\(type)")
    }
  }

  // MARK: - What isn't asked

  @Test func onlyListsAndCallsThatRulesNeedAreLeft() throws {
    let all = try AccountCalls.all.get()
    func left(_ rules: String) throws -> [String: [String]] {
      let file = try RuleFile(rules, name: "t.guard")
      return all.reduced(to: RulesReach(file.reaches)).flatMap(\.lists).reduce(into: [:]) {
        $0[$1.type] = $1.parts.map(\.name)
      }
    }
    #expect(try left("rule r { AWS::EC2::Volume { Properties.Encrypted == true } }") == ["EC2.Volume": []])
    // Where a bucket is must be known before it is asked; of what it is asked only what a rule looks at.
    #expect(
      try left("rule r { AWS::S3::Bucket { Properties.BucketEncryption exists } }") == [
        "S3.Bucket": ["location", "encryption"]
      ])
    #expect(try left("rule r { AWS::S3::Bucket { Properties.BucketName exists } }") == ["S3.Bucket": []])
    #expect(
      try left("rule r { AWS::S3::Bucket { Properties.AccessControl exists } }")["S3.Bucket"] == [
        "location", "acl",
      ])
    // What hangs on an item needs the item, and none of its other calls.
    #expect(try left("rule r { AWS::IAM::AccessKey { Properties.Status == 'Active' } }") == ["IAM.User": []])
    #expect(
      try left("rule r { AWS::S3::BucketPolicy { Properties.PolicyDocument exists } }") == [
        "S3.Bucket": ["location"]
      ])
    #expect(
      try left("rule r { AWS::GuardDuty::Detector { Properties.Enable == true } }") == [
        "GuardDuty.Detector": ["detector"]
      ])
    for name in ["ValidationMethod", "DaysLeft", "Status"] {
      #expect(
        try left("rule r { AWS::CertificateManager::Certificate { Properties.\(name) exists } }")[
          "ACM.Certificate"] == ["certificate"])
    }
    #expect(try left("rule r { Region == 'x' }").isEmpty)
    let everything = try left("rule r { Resources.* { Properties exists } }")
    #expect(everything.count == Set(all.flatMap(\.lists).map(\.type)).count)
    #expect(everything["S3.Bucket"]?.count == 9)
    // Two rules: each needs its own.
    #expect(
      try left(
        "rule a { AWS::S3::Bucket { Properties.Tags exists } }\nrule b { AWS::KMS::Key { Properties.Enabled == true } }"
      )
        == ["S3.Bucket": ["location", "tagging"], "KMS.Key": ["key"]])
  }

  @Test func whatIsNotAskedIsUnknownAndNeverAbsent() throws {
    let file = try RuleFile("rule r { AWS::S3::Bucket { Properties.Tags exists } }", name: "t.guard")
    let list = try #require(
      AccountCalls.all.get().reduced(to: RulesReach(file.reaches)).flatMap(\.lists).first {
        $0.type == "S3.Bucket"
      })
    var item = Value(.map(Members([("Name", Value(.string("b")))])))
    for part in list.unasked { item = item.adding(part.name, Value(.unknown(Unknown("not asked")))) }
    let found = AccountResources.resource(name: "b", type: "S3.Bucket", item: item).properties
    for name in [
      "AccessControl", "BucketEncryption", "VersioningConfiguration", "PublicAccessBlockConfiguration",
      "OwnershipControls",
    ] {
      guard case .unknown? = found[name]?.content else {
        Issue.record("\(name) is known")
        continue
      }
    }
    let unasked = Value(.map(Members([("certificate", Value(.unknown(Unknown("not asked"))))])))
    let certificate = AccountResources.resource(name: "c", type: "ACM.Certificate", item: unasked).properties
    for name in ["ValidationMethod", "DaysLeft"] {
      guard case .unknown? = certificate[name]?.content else {
        Issue.record("\(name) is known")
        continue
      }
    }
  }
}
