// What comes with a good status and isn't the call's answer: nothing becomes an empty list by it.

import GuardRules
import Testing

@testable import Governance
@testable import Resources

@Suite struct AnswersThatAreNoneTests {
  /// What stands between a caller and a service says.
  static let pages = [
    "", "  \n", "<html><body>Welcome</body></html>", "<?xml version=\"1.0\"?><X xmlns=\"a\"/>", "{}", "[]",
    "null",
    "Welcome",
  ]

  static let lists = #"""
    service ec2 ec2 2016-11-15
      list EC2.Volume DescribeVolumes
        from volumeSet
        arn {volumeId}
    service rds query 2014-10-31
      list RDS.DBInstance DescribeDBInstances
        from DBInstances.DBInstance
        arn {DBInstanceArn}
    service kms json TrentService 1.1
      list KMS.Key ListKeys
        from Keys
        arn {KeyArn}
    service guardduty rest-json 2017-11-28
      list GuardDuty.Detector ListDetectors GET /detector
        from detectorIds
        arn {it}
    service route53 rest-xml 2013-04-01
      list Route53.HostedZone ListHostedZones GET /2013-04-01/hostedzone
        from HostedZones.HostedZone
        root ListHostedZonesResponse
        arn {Id}
    """#

  @Test(arguments: pages) func listsAreNotEmptyByThem(page: String) async throws {
    try await ServiceClientTests.with({ _, _ in Said(body: page) }) { client, _ in
      let state = await ServiceClientTests.region(client).run(try ServiceClientTests.services(Self.lists))
      for list in state.lists {
        #expect(list.items.isEmpty && list.failed.map(\.failure.code) == ["Unreadable"], "\(list.list.type)")
      }
      #expect(state.lists.count == 5)
    }
  }

  @Test func emptyListsOfTheServicesAreEmpty() async throws {
    let empty = [
      "DescribeVolumes":
        "<DescribeVolumesResponse><requestId>r</requestId><volumeSet/></DescribeVolumesResponse>",
      "DescribeDBInstances":
        "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances/></DescribeDBInstancesResult>"
        + "</DescribeDBInstancesResponse>",
      "ListKeys": #"{"Keys":[],"Truncated":false}"#, "GET /detector": #"{"detectorIds":[]}"#,
      "GET /2013-04-01/hostedzone":
        "<ListHostedZonesResponse><HostedZones></HostedZones></ListHostedZonesResponse>",
    ]
    let play: PlayedService.Play = { asked, _ in
      let target = asked.header("x-amz-target")?.split(separator: ".").last.map(String.init)
      let name = asked.method == "GET" ? "GET \(asked.uri)" : target ?? asked.action
      return Said(body: empty[name] ?? "unknown: \(name)")
    }
    try await ServiceClientTests.with(play) { client, _ in
      let state = await ServiceClientTests.region(client).run(try ServiceClientTests.services(Self.lists))
      for list in state.lists { #expect(list.items.isEmpty && list.failed.isEmpty, "\(list.list.type)") }
    }
  }

  @Test(arguments: pages) func oneThatIsAskedForAloneIsNotGoneByThem(page: String) async throws {
    let lists = #"""
      service ec2 ec2 2016-11-15
        list EC2.Volume DescribeVolumes
          from volumeSet
          arn {volumeId}
          one DescribeVolumes VolumeId.1={id}
            gone InvalidVolume.NotFound
      """#
    try await ServiceClientTests.with({ _, _ in Said(body: page) }) { client, _ in
      let services = try ServiceClientTests.services(lists)
      guard
        case .failed = await ServiceClientTests.region(client).one(
          services[0], services[0].lists[0], id: "vol-1")
      else {
        Issue.record("it is said to be gone, or found")
        return
      }
    }
  }

  @Test func whatOnlyReadsWantsAnAnswerAndWhatActsDoesNot() async throws {
    try await ServiceClientTests.with({ _, _ in Said(body: "") }) { client, _ in
      var action = ServiceAction("PutConfigRule")
      let done = try await client.act(ServiceClientTests.kms, action, ServiceClientTests.scope)
      #expect(done.members.isEmpty && done.string == nil)
      action.answer.mayBeEmpty = false
      let fault = await #expect(throws: CallFailure.self) {
        _ = try await client.act(ServiceClientTests.kms, action, ServiceClientTests.scope)
      }
      #expect(fault?.text == "Unreadable: the answer is empty")
    }
  }

  @Test func halfAKeyIsNoKey() throws {
    for (set, missing) in [
      ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
    ] {
      let fault = #expect(throws: GovernanceFaults.self) {
        try CredentialSources.key(in: [set: "AKIDEXAMPLE", missing: ""])
      }
      #expect(fault?.description.contains("\(set) is set and \(missing) isn't") == true)
      #expect(fault?.description.contains("AKIDEXAMPLE") == false)
    }
    #expect(try CredentialSources.key(in: [:]) == nil)
  }
}
