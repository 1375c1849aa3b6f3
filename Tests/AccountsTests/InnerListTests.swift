// Lists that hang on items: policies of a function's aliases and versions, how many are looked at, and what isn't known where
// a list that others hang on fails. And what lists are asked with.

import Foundation
import GuardRules
import Synchronization
import Testing

@testable import Governance
@testable import Resources

@Suite struct InnerListTests {
  private static let function = "arn:aws:lambda:eu-west-1:111122223333:function:f"
  private static let rules = """
    rule principal { AWS::Lambda::Permission { Properties.Principal != '*' } }
    rule url { AWS::Lambda::Url { Properties.AuthType == 'AWS_IAM' } }
    """

  /// A function with an alias and versions; `open` are qualifiers that everybody may call, or whose URL asks nobody.
  private static func play(
    versions: Int, open: Set<String> = [], denied: String = "nothing"
  ) -> PlayedService.Play {
    { asked, _ in
      if asked.action == "GetCallerIdentity" {
        return Said(
          body: "<R><GetCallerIdentityResult><Account>111122223333</Account>"
            + "<Arn>arn:aws:iam::1:user/u</Arn></GetCallerIdentityResult></R>")
      }
      func absent() -> Said { Said(status: 404, body: #"{"__type":"ResourceNotFoundException"}"#) }
      let parts = asked.uri.split(separator: "?", maxSplits: 1).map(String.init)
      let qualifier =
        parts.count > 1 && parts[1].hasPrefix("Qualifier=") ? String(parts[1].dropFirst(10)) : ""
      guard !parts[0].hasSuffix(denied) else {
        return Said(status: 403, body: #"{"__type":"AccessDeniedException"}"#)
      }
      switch parts[0].split(separator: "/").last {
      case "functions":
        return Said(body: #"{"Functions":[{"FunctionName":"f","FunctionArn":"\#(function)"}]}"#)
      case "f": return Said(body: #"{"Configuration":{"FunctionName":"f","FunctionArn":"\#(function)"}}"#)
      case "aliases":
        return Said(
          body: #"{"Aliases":[{"AliasArn":"\#(function):live","Name":"live","FunctionVersion":"1"}]}"#)
      case "versions":
        let all = (["$LATEST"] + (1...max(1, versions)).prefix(versions).map(String.init)).map {
          #"{"FunctionArn":"\#(function):\#($0)","FunctionName":"f","Version":"\#($0)"}"#
        }
        return Said(body: #"{"Versions":[\#(all.joined(separator: ","))]}"#)
      case "policy":
        guard open.contains(qualifier) else { return absent() }
        let policy = #"{\"Statement\":[{\"Sid\":\"s\",\"Principal\":\"*\",\"Effect\":\"Allow\"}]}"#
        return Said(body: #"{"Policy":"\#(policy)"}"#)
      case "url":
        return open.contains(qualifier) ? Said(body: #"{"AuthType":"NONE"}"#) : absent()
      default: return absent()
      }
    }
  }

  private static func scan(_ play: @escaping PlayedService.Play, _ rules: String = rules) async throws
    -> (CheckResult, [Asked])
  {
    let service = try await PlayedService(play)
    let scan = AccountScan(
      WatchTests.options(service), environment: WatchTests.environment, now: { 1_795_687_201 })
    let result: Result<CheckResult, any Error>
    do {
      result = .success(try await scan.run([.own], try RuleSet(text: rules, name: "t.guard")).0)
    } catch { result = .failure(error) }
    let asked = service.asked
    try await service.end()
    return (try result.get(), asked)
  }

  private static func broken(_ result: CheckResult) -> Set<String> {
    Set(
      result.findings.filter { $0.status == "FAIL" }.map {
        "\($0.rule) \($0.resource.replacing(function, with: ""))"
      })
  }

  @Test func policiesAndURLsOfAliasesAndVersionsAreAskedFor() async throws {
    let (good, asked) = try await Self.scan(Self.play(versions: 3))
    #expect(good.findings.isEmpty)
    let paths = Set(asked.map(\.uri).filter { $0.contains("/functions/f/") })
    #expect(
      paths.map { $0.split(separator: "/").dropFirst(3).joined(separator: "/") }.sorted() == [
        "aliases", "policy", "policy?Qualifier=1", "policy?Qualifier=2", "policy?Qualifier=3",
        "policy?Qualifier=live", "url", "url?Qualifier=live", "versions",
      ])
    let (bad, _) = try await Self.scan(Self.play(versions: 3, open: ["live", "2"]))
    #expect(Self.broken(bad) == ["principal :live#s", "principal :2#s", "url :live#url"])
    let (own, _) = try await Self.scan(Self.play(versions: 0, open: [""]))
    #expect(Self.broken(own) == ["principal #s", "url #url"])
  }

  @Test func versionsBeyondTheMostAreUnknownAndNotGood() async throws {
    let (some, _) = try await Self.scan(Self.play(versions: 50))
    #expect(some.findings.isEmpty)
    let (many, asked) = try await Self.scan(Self.play(versions: 51, open: ["51"]))
    // The newest are looked at.
    #expect(Self.broken(many) == ["principal :51#s"])
    #expect(!asked.contains { $0.uri.hasSuffix("Qualifier=1") })
    let calls = many.findings.filter { $0.rule == "kabuto_call" }
    #expect(calls.count == 1 && calls.first?.resource == Self.function)
    #expect(calls.first?.found.contains("51, of which 50") == true)
    let (quiet, _) = try await Self.scan(Self.play(versions: 51))
    func isUnknown(_ rule: String) -> Bool {
      quiet.results.contains { $0.rule == rule && $0.status == .unknown }
    }
    // URLs have no versions.
    #expect(isUnknown("principal") && !isUnknown("url"))
  }

  @Test(arguments: [
    ("/aliases", ["principal", "url"]), ("/versions", ["principal"]), ("/functions", ["principal", "url"]),
  ])
  func whatHangsOnAListThatFailedIsUnknown(denied: String, rules: [String]) async throws {
    let (result, _) = try await Self.scan(Self.play(versions: 1, denied: denied))
    for rule in rules {
      let statuses = result.results.filter { $0.rule == rule }.map(\.status)
      #expect(statuses.contains(.unknown), "\(denied) \(rule)")
    }
    #expect(result.findings.count { $0.rule == "kabuto_call" } == 1)
  }

  @Test func certificatesOfAllKindsOfKeysAreAskedFor() async throws {
    let play = Self.play(versions: 0)
    let (_, asked) = try await Self.scan(
      { asked, number in
        asked.header("x-amz-target") == nil
          ? play(asked, number) : Said(body: #"{"CertificateSummaryList":[]}"#)
      }, "rule r { AWS::CertificateManager::Certificate { Properties.Status exists } }")
    let call = try #require(
      asked.first { $0.header("x-amz-target") == "CertificateManager.ListCertificates" })
    #expect(
      call.body
        == #"{"MaxItems":1000,"Includes":{"keyTypes":["RSA_1024","RSA_2048","RSA_3072","RSA_4096","#
        + #""EC_prime256v1","EC_secp384r1","EC_secp521r1"]}}"#)
  }

  @Test func twoOfOneNameStayTwo() throws {
    let list = try #require(AccountCalls.all.get().flatMap(\.lists).first { $0.type == "CloudTrail.Trail" })
    func item(_ region: String) -> AccountItem {
      let name = "arn:aws:cloudtrail:\(region):111122223333:trail/t"
      return AccountItem(name: name, key: name, resources: [], failed: [])
    }
    var state = RegionState(account: "111122223333", region: "eu-west-1")
    state.lists = [ListState(list, items: [item("eu-west-1"), item("us-east-1")])]
    let meant = ChangeTarget.one(type: "CloudTrail.Trail", id: "us-east-1:111122223333:trail/t")
    #expect(state.knows(meant))
    #expect(!state.knows(.one(type: "CloudTrail.Trail", id: "us-west-2:111122223333:trail/t")))
    var changed: Set<String> = []
    var others = false
    let gone = PlaceOutcome.item(list: list.id, id: "us-east-1:111122223333:trail/t", .gone)
    gone.put(into: &state, &changed, &others)
    #expect(state.lists[0].items.map(\.name) == [item("eu-west-1").name])
    // Asked for by a name that two have: both are kept.
    let both = PlaceOutcome.item(list: list.id, id: "t", .found([item("eu-west-1"), item("us-east-1")]))
    both.put(into: &state, &changed, &others)
    #expect(state.lists[0].items.count == 2)
    let failure = FailedCall(
      call: "cloudtrail DescribeTrails", failure: CallFailure(code: "AccessDenied", message: ""),
      type: "AWS::CloudTrail::Trail", resource: "")
    PlaceOutcome.item(list: list.id, id: "t", .failed([failure])).put(into: &state, &changed, &others)
    #expect(state.lists[0].items.count == 2 && state.lists[0].items.allSatisfy { !$0.failed.isEmpty })
  }
}
