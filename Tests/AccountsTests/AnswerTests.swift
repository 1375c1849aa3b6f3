// XML of answers, the tables, and shapes.

import Foundation
import GuardRules
import Testing

@testable import Resources

@Suite struct AnswerTests {
  static func read(_ text: String) throws -> Value { try XMLAnswer.value(of: Array(text.utf8)) }

  @Test func elementsBecomeMapsListsAndText() throws {
    let value = try Self.read(
      """
      <?xml version="1.0"?><!-- a --><R xmlns="x>y"><set><item><a>1 &lt; 2 &#x41;</a></item><item/></set>
      <one>t</one><twice>1</twice><twice>2</twice><none/><blank>
       </blank><raw><![CDATA[<&]]></raw></R>
      """)
    #expect(value["set"]?.list?.count == 2)
    #expect(value["set"]?.list?.first?["a"]?.string == "1 < 2 A")
    #expect(value["twice"]?.list?.compactMap(\.string) == ["1", "2"])
    #expect(value["none"]?.isNull == true && value["blank"]?.isNull == true)
    #expect(value["raw"]?.string == "<&")
  }

  @Test(arguments: [
    "", "<", "<a>", "<a></b>", "<a/><b/>", "<a>&x;</a>", "<a>&#xFFFFFFFF;</a>", "text", "<a", "<a b='",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a><!DOCTYPE b></a>", "<a><![CDATA[", "<>",
    String(repeating: "<a>", count: 10_000),
  ]) func whatIsNoSuchXMLIsAFaultWithItsPlace(text: String) {
    #expect(throws: DocumentFault.self) { try Self.read(text) }
  }

  @Test func damagedAnswersNeverTrap() {
    let seed = UInt64(ProcessInfo.processInfo.environment["KABUTO_SEED"] ?? "7f3a", radix: 16) ?? 0x7f3a
    var state = seed
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let whole = Array("<R a=\"b\"><s><item><x>&amp;1</x></item></s><![CDATA[z]]><!-- c --><e/></R>".utf8)
    var readable = 0
    for _ in 0..<20_000 {
      var bytes = whole
      for _ in 0...random(4) {
        switch random(3) {
        case 0: bytes[random(bytes.count)] = UInt8(random(256))
        case 1: bytes.remove(at: random(bytes.count))
        default: bytes.insert(whole[random(whole.count)], at: random(bytes.count))
        }
      }
      if (try? XMLAnswer.value(of: bytes)) != nil { readable += 1 }
    }
    #expect(readable > 0, "KABUTO_SEED=\(String(seed, radix: 16))")
  }

  @Test func everyListedTypeHasAShape() throws {
    _ = try AccountResources.table.get()
    func types(_ lists: [AccountList]) -> [String] { lists.flatMap { [$0.type] + types($0.inner) } }
    let services = try AccountCalls.all.get()
    #expect(services.count == 14)
    for type in services.flatMap({ types($0.lists) }) {
      #expect(AccountResources.type(of: type) != nil, "\(type)")
    }
  }

  @Test func everyListHasAPlaceAndAName() throws {
    func look(_ list: AccountList) {
      #expect(!list.arn.isEmpty, "\(list.type)")
      for inner in list.inner { look(inner) }
    }
    for service in try AccountCalls.all.get() { for list in service.lists { look(list) } }
  }

  @Test(arguments: [
    "list A B", "service a b c", "service a ec2 1\nfrom x", "service a ec2 1\n  list A B\n    nonsense x",
    "service a ec2 1\n  list A B\n      take x",
  ]) func tablesWithFaultsAreRefused(text: String) {
    #expect(throws: DocumentFault.self) { try AccountCalls.services(text) }
  }

  @Test func securityGroupHasARuleForEachRange() throws {
    let item = try Self.read(
      """
      <g><groupName>n</groupName><ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort>
      <toPort>22</toPort><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item><item><cidrIp>10.0.0.0/8</cidrIp>
      <description>inside</description></item></ipRanges><ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges>
      <groups><item><userId>999988887777</userId><groupId>sg-1</groupId></item></groups><prefixListIds/></item></ipPermissions></g>
      """)
    let found = AccountResources.resource(name: "a", type: "EC2.SecurityGroup", item: item)
    let rules = try #require(found.properties["SecurityGroupIngress"]?.list)
    #expect(rules.map { $0["CidrIp"]?.string } == ["0.0.0.0/0", "10.0.0.0/8", nil, nil])
    #expect(rules[2]["CidrIpv6"]?.string == "::/0")
    #expect(rules[3]["SourceSecurityGroupId"]?.string == "sg-1")
    #expect(rules[3]["SourceSecurityGroupOwnerId"]?.string == "999988887777")
    if case .int(22)? = rules[0]["FromPort"]?.content {} else { Issue.record("FromPort is no number") }
  }

  @Test func partThatIsNotKnownMakesItsPropertyUnknown() throws {
    let item = Value(
      .map(
        Members([
          ("Name", Value(.string("b"))), ("encryption", Value(.unknown(Unknown("denied")))),
          ("acl", Value(.unknown(Unknown("denied")))), ("versioning", Value(.null)),
        ])))
    let found = AccountResources.resource(name: "b", type: "S3.Bucket", item: item).properties
    for name in ["AccessControl", "AccessControlPolicy", "BucketEncryption"] {
      var value = found[name]
      while let inner = value?.members.first?.value { value = inner }
      if case .unknown? = value?.content {} else { Issue.record("\(name) is known") }
    }
    // Known not to be there.
    #expect(found["VersioningConfiguration"] == nil)
    #expect(found.rest?.absent.contains("VersioningConfiguration") == true)
    #expect(found.rest?.absent.contains("LifecycleConfiguration") == false)
  }

  @Test(arguments: [
    ("http://acs.amazonaws.com/groups/global/AllUsers", "READ", "PublicRead"),
    ("http://acs.amazonaws.com/groups/global/AllUsers", "WRITE", "PublicReadWrite"),
    ("http://acs.amazonaws.com/groups/global/AuthenticatedUsers", "READ", "AuthenticatedRead"),
    ("http://acs.amazonaws.com/groups/s3/LogDelivery", "WRITE", "LogDeliveryWrite"),
    ("owner", "FULL_CONTROL", "Private"), ("another", "READ", "(none: see AccessControlPolicy)"),
    ("", "FULL_CONTROL", "(none: see AccessControlPolicy)"),
  ]) func grantsAreACannedList(uri: String, right: String, name: String) throws {
    let acl = try Self.read(
      "<P><Owner><ID>owner</ID></Owner><AccessControlList><Grant><Grantee>"
        + (uri.hasPrefix("http") ? "<URI>\(uri)</URI>" : "<ID>\(uri)</ID>")
        + "</Grantee><Permission>\(right)</Permission></Grant></AccessControlList></P>")
    let item = Value(.map(Members([("Name", Value(.string("b"))), ("acl", acl)])))
    let found = AccountResources.resource(name: "b", type: "S3.Bucket", item: item).properties
    #expect(found["AccessControl"]?.string == name)
    // What no canned list says is told as it is.
    let grants = found["AccessControlPolicy"]?["Grants"]?.list
    #expect(grants?.first?["Permission"]?.string == (name.hasPrefix("(") ? right : nil))
  }

  static func item(_ members: [(String, Value)]) -> Value {
    Value(.map(Members(members.map { (name: $0.0, value: $0.1) })))
  }

  @Test(arguments: [
    ("%7B%22Statement%22%3A%5B%5D%7D", true), ("%0A%20%7B%22Statement%22%3A%5B%5D%7D", true),
    ("%7B%22Statement%22%3A%5B", false), ("garbage", false),
  ])
  func documentThatCannotBeReadIsUnknown(text: String, isKnown: Bool) throws {
    let role = try Self.read(
      "<r><RoleName>r</RoleName><AssumeRolePolicyDocument>\(text)</AssumeRolePolicyDocument><RolePolicyList><member>"
        + "<PolicyName>p</PolicyName><PolicyDocument>\(text)</PolicyDocument></member></RolePolicyList></r>")
    let found = AccountResources.resource(name: "r", type: "IAM.Role", item: role).properties
    for document in [found["AssumeRolePolicyDocument"], found["Policies"]?.list?.first?["PolicyDocument"]] {
      switch document?.content {
      case .map?: #expect(isKnown)
      case .unknown?: #expect(!isKnown)
      default: Issue.record("\(text) is told as \(String(describing: document))")
      }
    }
  }

  @Test(arguments: [("enabled", true), ("pending", true), ("disabled", false)])
  func instancesAreMonitoredOrNot(state: String, isMonitored: Bool) throws {
    let item = try Self.read(
      "<i><instanceId>i</instanceId><monitoring><state>\(state)</state></monitoring></i>")
    let found = AccountResources.resource(name: "i", type: "EC2.Instance", item: item).properties[
      "Monitoring"]
    guard case .bool(isMonitored)? = found?.content else {
      Issue.record("\(state) is told as \(String(describing: found))")
      return
    }
  }

  @Test func keysAndCertificatesHaveAnAge() throws {
    let now: Int64 = 1_764_000_000
    let key = Self.item([
      ("UserName", Value(.string("u"))), ("CreateDate", Value(.string("2025-08-01T00:00:00Z"))),
    ])
    let found = AccountResources.resource(name: "k", type: "IAM.AccessKey", item: key, now: now).properties
    #expect(found["AgeDays"]?.text == "115")
    // Without a clock it isn't there; without a date that can be read it isn't known.
    #expect(
      AccountResources.resource(name: "k", type: "IAM.AccessKey", item: key).properties["AgeDays"] == nil)
    for date in [[], [("CreateDate", Value(.string("2020-01-01 00:00:00")))]] {
      let undated = AccountResources.resource(
        name: "k", type: "IAM.AccessKey", item: Self.item([("UserName", Value(.string("u")))] + date),
        now: now)
      guard case .unknown? = undated.properties["AgeDays"]?.content else {
        Issue.record("its age is known")
        continue
      }
    }
    for end in [
      Value(.int(now + 864_000)), Value(.float(Double(now) + 864_000)),
      Value(.string("2025-12-04T16:00:00Z")),
    ] {
      let certificate = Self.item([
        ("CertificateArn", Value(.string("a"))),
        (
          "certificate",
          Self.item([
            ("NotAfter", end),
            (
              "DomainValidationOptions",
              Value(.list([Self.item([("ValidationMethod", Value(.string("DNS")))])]))
            ),
          ])
        ),
      ])
      let properties = AccountResources.resource(
        name: "c", type: "ACM.Certificate", item: certificate, now: now
      )
      .properties
      #expect(properties["DaysLeft"]?.text == "10")
      #expect(properties["ValidationMethod"]?.string == "DNS")
    }
    // No time that a clock counts to: it must neither trap nor count as one without an end.
    for end in [Value(.int(.min)), Value(.string("-9223372036854775808"))] {
      let certificate = Self.item([("certificate", Self.item([("NotAfter", end)]))])
      let properties = AccountResources.resource(
        name: "c", type: "ACM.Certificate", item: certificate, now: now
      ).properties
      #expect(properties["DaysLeft"]?.kind == "unknown value")
    }
  }

  @Test func variablesOfFunctionsAreToldByNameOnly() throws {
    let variables = Self.item([
      ("DB_PASSWORD", Value(.string("hunter2"))), ("NOTE", Value(.string("AKIAIOSFODNN7EXAMPLE"))),
      ("SECRET", Value(.string("arn:aws:secretsmanager:x"))), ("NONE", Value(.string(""))),
    ])
    let item = Self.item([
      ("FunctionName", Value(.string("f"))), ("Environment", Self.item([("Variables", variables)])),
    ])
    let shown = AccountResources.resource(name: "f", type: "Lambda.Function", item: item).properties[
      "Environment"]?[
        "Variables"]
    #expect(shown?["DB_PASSWORD"]?.string == "(hidden)" && shown?["NOTE"]?.string == "(hidden: a key)")
    #expect(shown?["SECRET"]?.string == "arn:aws:secretsmanager:x" && shown?["NONE"]?.string == "")
  }

  @Test func whatStandsBetweenServicesAndTheInternetHasItsShape() throws {
    func shaped(_ type: String, _ text: String) throws -> Value {
      AccountResources.resource(name: "r", type: type, item: try Self.read(text)).properties
    }
    let table = try shaped(
      "EC2.RouteTable",
      """
      <t><routeTableId>rtb-1</routeTableId><routeSet><item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock>
      <gatewayId>igw-1</gatewayId></item></routeSet><associationSet><item><subnetId>subnet-1</subnetId><main>false</main>
      </item></associationSet></t>
      """)
    #expect(table["Routes"]?.list?.first?["GatewayId"]?.string == "igw-1")
    #expect(table["Associations"]?.list?.first?["SubnetId"]?.string == "subnet-1")
    let address = try shaped(
      "EC2.EIP", "<a><allocationId>eipalloc-1</allocationId><publicIp>192.0.2.1</publicIp><instanceId/></a>")
    #expect(address["InstanceId"] == nil && address["AllocationId"]?.string == "eipalloc-1")
    #expect(address.rest?.absent.contains("InstanceId") == true)
    let gateway = try shaped(
      "EC2.NatGateway",
      "<n><natGatewayAddressSet><item><allocationId>eipalloc-1</allocationId></item></natGatewayAddressSet></n>"
    )
    #expect(gateway["AllocationIds"]?.text == "[\"eipalloc-1\"]")
    let group = try shaped(
      "AutoScaling.Group",
      """
      <g><AutoScalingGroupName>g</AutoScalingGroupName><VPCZoneIdentifier>subnet-1,subnet-2</VPCZoneIdentifier>
      <AvailabilityZones><member>eu-west-1a</member></AvailabilityZones></g>
      """)
    #expect(group["VPCZoneIdentifier"]?.list?.compactMap(\.string) == ["subnet-1", "subnet-2"])
    let balancer = try shaped(
      "ELBv2.LoadBalancer",
      """
      <b><AvailabilityZones><member><ZoneName>eu-west-1a</ZoneName><SubnetId>subnet-1</SubnetId></member>
      </AvailabilityZones><tags><member><ResourceArn>a</ResourceArn><Tags><member><Key>Service</Key><Value>feed</Value>
      </member></Tags></member></tags><acl><ARN>acl-1</ARN></acl></b>
      """)
    #expect(balancer["Tags"]?.text == "[{\"Key\":\"Service\",\"Value\":\"feed\"}]")
    #expect(balancer["WebACLArn"]?.string == "acl-1" && balancer["Subnets"]?.text == "[\"subnet-1\"]")
    let silent = try shaped(
      "EC2.SecurityGroup", "<g><groupName>default</groupName><ipPermissionsEgress/></g>")
    #expect(silent["SecurityGroupEgress"]?.list?.isEmpty == true)
  }

  @Test func aCallMayBeAskedOfAnotherService() throws {
    let part = try #require(
      AccountCalls.service("elasticloadbalancing")?.lists.first?.parts.first { $0.name == "acl" })
    #expect(part.service == "wafv2" && part.call.action == "GetWebACLForResource")
    for service in try AccountCalls.all.get() {
      for part in service.lists.flatMap(\.parts) {
        if let other = part.service { #expect(AccountCalls.service(other) != nil, "\(other)") }
      }
    }
  }
}
