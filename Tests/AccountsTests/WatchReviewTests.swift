// What a watch must never say: that something is mended which wasn't seen, that nothing failed where a list did; and that it
// doesn't grow.

import Foundation
import GuardRules
import Synchronization
import Testing

@testable import Governance
@testable import Resources

@Suite struct WatchReviewTests {
  // MARK: - Findings in memory

  @Test func memoryCallsNothingFixedThatCouldNotBeTold() {
    let memory = FindingMemory()
    let failing = CheckResult.made([.made()], [("s3_public", .fail)])
    #expect(memory.take(failing, input: region, resources: nil, at: 1).map(\.kind) == [.new])
    // The rule fails elsewhere, and something in it can't be told.
    let hidden = CheckResult.made([], [("s3_public", .fail)], hides: ["s3_public"])
    #expect(memory.take(hidden, input: region, resources: nil, at: 2).map(\.kind) == [.unseen])
    #expect(memory.take(hidden, input: region, resources: nil, at: 3).isEmpty, "told once")
    #expect(memory.take(failing, input: region, resources: nil, at: 4).map(\.kind) == [.seen])
    #expect(memory.take(failing, input: region, resources: nil, at: 4).isEmpty, "told once")
    // A call about the resource failed.
    let call = CheckResult.made([.call(of: "bucket-1")])
    let told = memory.take(call, input: region, resources: nil, at: 5)
    #expect(told.filter { $0.rule == "s3_public" }.map(\.kind) == [.unseen])
    let after = memory.take(.made(), input: region, resources: nil, at: 6)
    #expect(after.map(\.kind) == [.fixed, .fixed])
  }

  @Test func memoryForgetsWhatWasFixedLongAgo() {
    let memory = FindingMemory(mostFixed: 5)
    for number in 0..<50 {
      let finding = Finding.made(of: "bucket-\(number)")
      _ = memory.take(.made([finding], [("s3_public", .fail)]), input: region, resources: nil, at: 1)
    }
    #expect(memory.count == 6)
    let back = CheckResult.made([.made(of: "bucket-48")], [("s3_public", .fail)])
    #expect(memory.take(back, input: region, resources: nil, at: 2).contains { $0.kind == .again })
  }

  @Test func latenciesAreCountedWithinBounds() {
    var counts = LatencyCounts()
    #expect(counts.median == nil && counts.worst == nil)
    for value in [5, 1_000, 1_001, 1_002, Int64.max, -3] as [Int64] { counts.add(value) }
    #expect(counts.worst == .max)
    let median = counts.median ?? 0
    #expect((877...1_001).contains(median), "\(median)")
    for value in 0..<5_000 as Range<Int64> {
      var one = LatencyCounts()
      one.add(value)
      let least = one.median ?? -1
      #expect(least <= value && value - least <= value / 8)
    }
  }

  @Test func lineOfAnyLengthIsToldAndTheNextIsRead() async throws {
    let folder = try TestFolder()
    let path = folder.file("events")
    let long = String(repeating: "x", count: EventLines.mostOfALine + 10)
    try Data((long + "\n{}\nlast").utf8).write(to: URL(fileURLWithPath: path))
    let lines = try EventLines(path, coalesceMilliseconds: 0)
    var bodies: [String] = []
    while let next = try await lines.next() { bodies += next.map(\.body) }
    #expect(bodies.count == 3 && bodies.dropFirst() == ["{}", "last"])
    #expect(bodies[0].utf8.count < 100)
    let read = ChangeEvents.read(bodies[0])
    #expect(read.contains { (try? $0.get()) == nil })
  }

  // MARK: - Lists that failed

  private func status(_ rule: String, volumes: Int, failed: Bool = true) throws -> RuleVerdict {
    let list = try #require(AccountCalls.all.get().flatMap(\.lists).first { $0.type == "EC2.Volume" })
    var state = RegionState(account: "111122223333", region: "eu-west-1")
    let failure = FailedCall(
      call: "ec2 DescribeVolumes", failure: CallFailure(code: "AccessDenied", message: ""),
      type: "AWS::EC2::Volume", resource: "")
    let items = (0..<volumes).map { number -> AccountItem in
      let item = Value(.map(Members([("encrypted", Value(.string("true")))])))
      let name = "arn:x/\(number)"
      return AccountItem(
        name: name, key: "\(number)",
        resources: [AccountResources.resource(name: name, type: "EC2.Volume", item: item)], failed: [])
    }
    state.lists = [ListState(list, items: items, failed: failed ? [failure] : [])]
    let text = "let all = Resources.*[ Type == 'AWS::EC2::Volume' ]\n" + rule
    var verdicts = RegionVerdicts()
    AccountCheck(try RuleSet(text: text, name: "t.guard"), now: 0).evaluate(state, changed: nil, &verdicts)
    return try #require(verdicts.rules.last)
  }

  @Test(arguments: [
    "rule few { let n = count(%all)\n %n <= 5 }", "rule other { let n = count(%all)\n %n != 7 }",
  ]) func howManyThereAreIsUnknownWhereAListFailed(rule: String) throws {
    #expect(try status(rule, volumes: 2).status == .unknown)
    #expect(try status(rule, volumes: 2).findings.map(\.status) == ["UNKNOWN"])
    #expect(try status(rule, volumes: 2, failed: false).status == .pass)
  }

  /// Also where the count stands in a query that isn't by type, and where it matters what resources are called.
  @Test(arguments: [
    "let n = count(%all)\nrule r { Resources.*[ Type == 'AWS::EC2::Volume'\n %n > 1 ].Type exists }",
    "rule r { let n = count(%all)\n let some = Resources.*[ Type == /Volume/\n %n != 7 ]\n %some.Type exists }",
    "let any = Resources.*[ Type == /Volume/ ]\nrule r { let n = count(%any)\n %n <= 5 }",
    "let any = Resources.*[ Type == /Volume/ ]\nlet n = count(%any)\nrule r when %n < 7 { Region == 'eu-west-1' }",
    "rule few { let n = count(%all)\n %n < 7 }\nrule r { Resources.*[ Type == /Volume/\n few ].Type exists }",
    "rule r { Resources.*[ name | Type == 'AWS::EC2::Volume' ].Type exists\n %name != /prod/ }",
    "rule r { let prod = Resources[ keys == /prod/ ]\n %prod empty }",
    "rule r { Resources.prod !exists }",
  ]) func howManyThereAreIsUnknownInAnyQuery(rules: String) throws {
    let file = try RuleFile("let all = Resources.*[ Type == 'AWS::EC2::Volume' ]\n" + rules, name: "t")
    #expect(file.reaches[file.rules.count - 1].counts)
    #expect(try status(rules, volumes: 2).status == .unknown)
    #expect(try status(rules, volumes: 2, failed: false).status == .pass)
  }

  @Test(arguments: [
    "rule r { Resources.* { Type exists } }", "rule r { %all.Properties.Encrypted == true }",
    "rule r { Resources !empty }", "rule r { Resources.*[ Type == /Volume/ ].Type exists }",
  ]) func whatDoesNotCountIsNotSaidTo(rule: String) throws {
    let file = try RuleFile("let all = Resources.*[ Type == 'AWS::EC2::Volume' ]\n" + rule, name: "t")
    #expect(file.reaches.last?.counts == false)
  }

  @Test func whatFailsEitherWayFails() throws {
    #expect(try status("rule few { let n = count(%all)\n %n <= 1 }", volumes: 3).status == .fail)
    // Where it doesn't matter how many there are, what agrees holds.
    #expect(try status("rule region { Region == 'eu-west-1' }", volumes: 2).status == .pass)
  }

  // MARK: - Regions and accounts

  final class Account: Sendable {
    let simulated = SimulatedAccount()
    /// nil = it isn't told.
    let regions = Mutex<[String]?>(["eu-west-1", "eu-west-2"])

    var play: PlayedService.Play {
      { [self] asked, number in
        guard asked.action == "DescribeRegions" else { return simulated.play(asked, number) }
        guard let names = regions.withLock({ $0 }) else {
          return Said(
            status: 400,
            body: "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>")
        }
        let items = names.map { "<item><regionName>\($0)</regionName></item>" }.joined()
        return Said(body: "<R><regionInfo>\(items)</regionInfo></R>")
      }
    }
  }

  private func watching(
    _ account: Account, rules: String = WatchTests.rules, sink: any FindingSink = FindingMemory(),
    hearFault: @escaping @Sendable (String) -> Void = { _ in },
    _ body: (AccountWatch) async throws -> Void
  ) async throws {
    let service = try await PlayedService(account.play)
    var options = WatchOptions()
    options.scan = WatchTests.options(service)
    options.scan.regions = []
    options.hearFault = hearFault
    let watch = try AccountWatch(
      [.own], try RuleSet(text: rules, name: "t.guard"), options, sink: sink,
      environment: WatchTests.environment, clock: { 1_795_687_201_000 })
    let result: Result<Void, any Error>
    do { result = .success(try await body(watch)) } catch { result = .failure(error) }
    await watch.end()
    try await service.end()
    try result.get()
  }

  @Test func regionThatIsNoLongerNamedIsUnknown() async throws {
    let account = Account()
    account.simulated.state.withLock { $0.groups["sg-1"] = ["0.0.0.0/0"] }
    try await watching(account) { watch in
      _ = try await watch.scanAll()
      let gone = "aws:111122223333/eu-west-2"
      #expect(await watch.regions[gone]?.result.results.first { $0.rule == "closed" }?.status == .fail)
      account.regions.withLock { $0 = ["eu-west-1"] }
      let told = try await watch.scanAll()
      #expect(await watch.regions[gone]?.result.results.first { $0.rule == "closed" }?.status == .unknown)
      let closed = told.filter { $0.finding.rule == "closed" && $0.finding.input == gone }
      #expect(
        closed.contains { $0.finding.kind == .unseen } && !closed.contains { $0.finding.kind == .fixed })
    }
  }

  @Test func regionsAreLookedAtThoughTheyAreNoLongerTold() async throws {
    let account = Account()
    try await watching(account) { watch in
      _ = try await watch.scanAll()
      account.regions.withLock { $0 = nil }
      account.simulated.state.withLock { $0.groups["sg-1"] = ["0.0.0.0/0"] }
      let told = try await watch.scanAll()
      let inputs = told.filter { $0.finding.rule == "closed" }.map(\.finding.input)
      #expect(Set(inputs) == ["aws:111122223333/eu-west-1", "aws:111122223333/eu-west-2"])
      #expect(told.contains { $0.finding.rule == "kabuto_call" })
    }
  }

  @Test func accountThatCanBeEnteredAgainIsSaidToBe() async throws {
    let memory = FindingMemory()
    let name = AccountTarget.own.name
    var unreached = CheckResult()
    AccountCheck(try RuleSet(text: WatchTests.rules, name: "t.guard"), now: 0).unreached(
      name, "no answer", &unreached)
    // Another process couldn't enter it.
    _ = memory.take(unreached, input: "aws:\(name)", resources: nil, at: 1)
    try await watching(Account(), sink: memory) { watch in
      let told = try await watch.scanAll()
      let own = told.filter { $0.finding.input == "aws:\(name)" }
      #expect(own.map(\.finding.kind) == [.fixed])
    }
  }

  @Test func ruleThatCanNotBeEvaluatedIsToldOnceAndCounted() async throws {
    let heard = Mutex<[String]>([])
    let rules = "rule bad { let n = parse_int('x')\n %n == 1 }"
    try await watching(Account(), rules: rules, hearFault: { fault in heard.withLock { $0.append(fault) } }) {
      watch in
      _ = try await watch.scanAll()
      let first = heard.withLock(\.count)
      #expect(first == 3, "each region, and what has none")
      _ = try await watch.scanAll()
      #expect(heard.withLock(\.count) == first)
      #expect(await watch.now().faults == 3)
    }
  }
}
