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
      <one>t</one><twice>1</twice><twice>2</twice><none/><raw><![CDATA[<&]]></raw></R>
      """)
    #expect(value["set"]?.list?.count == 2)
    #expect(value["set"]?.list?.first?["a"]?.string == "1 < 2 A")
    #expect(value["twice"]?.list?.compactMap(\.string) == ["1", "2"])
    #expect(value["none"]?.isNull == true)
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
      <groups><item><groupId>sg-1</groupId></item></groups><prefixListIds/></item></ipPermissions></g>
      """)
    let found = AccountResources.resource(name: "a", type: "EC2.SecurityGroup", item: item)
    let rules = try #require(found.properties["SecurityGroupIngress"]?.list)
    #expect(rules.map { $0["CidrIp"]?.string } == ["0.0.0.0/0", "10.0.0.0/8", nil, nil])
    #expect(rules[2]["CidrIpv6"]?.string == "::/0")
    #expect(rules[3]["SourceSecurityGroupId"]?.string == "sg-1")
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
    for name in ["AccessControl", "BucketEncryption"] {
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
    ("", "FULL_CONTROL", "Private"),
  ]) func grantsAreACannedList(uri: String, right: String, name: String) throws {
    let acl = try Self.read(
      "<P><AccessControlList><Grant><Grantee><URI>\(uri)</URI></Grantee><Permission>\(right)</Permission></Grant>"
        + "</AccessControlList></P>")
    let item = Value(.map(Members([("Name", Value(.string("b"))), ("acl", acl)])))
    #expect(
      AccountResources.resource(name: "b", type: "S3.Bucket", item: item).properties["AccessControl"]?.string
        == name)
  }
}
