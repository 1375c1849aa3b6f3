// A watch against an account that changes: what it keeps equals what a whole scan says, only what is named is asked for,
// what can't be told is unknown until it can be, and no event is lost.

import AsyncHTTPClient
import Foundation
import GuardRules
import Synchronization
import TestChance
import Testing

@testable import Governance
@testable import Resources

@Suite struct WatchTests {
  static var note: Comment { Comment(rawValue: seedNote) }

  static let rules = """
    let groups = Resources.*[ Type == 'AWS::EC2::SecurityGroup' ]
    let volumes = Resources.*[ Type == 'AWS::EC2::Volume' ]
    rule closed when %groups !empty {
      %groups.Properties {
        when SecurityGroupIngress exists { SecurityGroupIngress[ CidrIp exists ] { CidrIp != '0.0.0.0/0' } }
      }
    }
    rule encrypted when %volumes !empty { %volumes.Properties.Encrypted == true }
    rule some_volume when Region != 'global' { %volumes !empty }
    rule no_volume_named_as_a_group when %volumes !empty %groups !empty {
      let names = %groups.Properties.GroupName
      %volumes.Properties.VolumeType not in %names
    }
    rule few_volumes when Region != 'global' { let n = count(%volumes)
      %n < 4 }
    rule user_little { AWS::IAM::User { Properties { Policies not exists or Policies[*].PolicyDocument.Statement[*].Action != '*' } } }
    rule user_attached { AWS::IAM::User { Properties.ManagedPolicyArns not exists } }
    rule user_groups { AWS::IAM::User { Properties.Groups exists } }
    rule user_password { AWS::IAM::User { Properties.LoginProfile not exists } }
    rule keys { AWS::IAM::AccessKey { Properties.Status == 'Inactive' } }
    """

  static let environment = [
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secretOfTheTests/0123456789",
    "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    "AWS_REGION": "eu-west-1",
  ]

  static func options(_ service: PlayedService) -> ScanOptions {
    var options = ScanOptions()
    options.regions = ["eu-west-1"]
    options.endpoint = service.origin
    options.policy = ServiceClientTests.quick
    options.takesOthers = false
    return options
  }

  static func with(
    _ account: SimulatedAccount, rules: String = rules, sink: any FindingSink = FindingMemory(),
    _ body: (AccountWatch, PlayedService, RuleSet) async throws -> Void
  ) async throws {
    let service = try await PlayedService(account.play)
    let rules = try RuleSet(text: rules, name: "t.guard")
    var options = WatchOptions()
    options.scan = Self.options(service)
    let watch = try AccountWatch(
      [.own], rules, options, sink: sink, environment: environment, clock: { 1_795_687_201_000 })
    let result: Result<Void, any Error>
    do { result = .success(try await body(watch, service, rules)) } catch { result = .failure(error) }
    await watch.end()
    try await service.end()
    try result.get()
  }

  static func plan(_ events: [String]) -> ChangePlan {
    var plan = ChangePlan()
    for event in events.flatMap({ ChangeEvents.read($0) }) {
      if let event = try? event.get() { plan.add(event) }
    }
    return plan
  }

  static func text(_ result: CheckResult) -> [String] {
    (result.results.map { "\($0.rule) \($0.input) \($0.status)" }
      + result.findings.map {
        "\($0.status) \($0.rule) \($0.input) \($0.resource) \($0.path) \($0.clause) \($0.found)"
      })
      .sorted()
  }

  static func kept(_ watch: AccountWatch) async -> [String] {
    await watch.regions.values.flatMap { text($0.result) }.sorted()
  }

  @Test func whatIsKeptEqualsAWholeScanWhateverChanges() async throws {
    for round in 0..<6 {
      var chance = Chance(round: round)
      let account = SimulatedAccount()
      for _ in 0..<chance.below(12) { _ = account.change { chance.below($0) } }
      let sink = FindingMemory()
      try await Self.with(account, sink: sink) { watch, service, rules in
        _ = try await watch.scanAll()
        for step in 0..<12 {
          var events: [String] = []
          for _ in 0...chance.below(3) { events += account.change { chance.below($0) } }
          // Doubled, and in another order than they happened.
          if chance.below(3) == 0, let one = events.first { events.append(one) }
          if chance.below(2) == 0 { events.reverse() }
          _ = try await watch.apply(Self.plan(events))
          let scan = AccountScan(
            Self.options(service), environment: Self.environment, now: { 1_795_687_201 })
          let (whole, _) = try await scan.run([.own], rules)
          let kept = await Self.kept(watch)
          #expect(kept == Self.text(whole), "\(Self.note) round \(round) step \(step): \(events)")
          // What the sink was told piece by piece is all of it.
          #expect(
            sink.seen == Set(whole.findings.map(\.identity.id)), "\(Self.note) round \(round) step \(step)")
          guard kept == Self.text(whole) else { return }
        }
        #expect(await watch.now().looks > 0)
      }
    }
  }

  @Test func onlyWhatIsNamedIsAskedForAndOnlyItsRulesAreEvaluated() async throws {
    let account = SimulatedAccount()
    account.state.withLock { state in
      for number in 0..<5 {
        state.groups["sg-\(number)"] = []
        state.volumes["vol-\(number)"] = (true, "gp3")
      }
    }
    try await Self.with(account) { watch, service, _ in
      _ = try await watch.scanAll()
      let before = service.asked.count
      account.state.withLock { $0.groups["sg-3"] = ["0.0.0.0/0"] }
      let open = SimulatedAccount.event("ec2", "AuthorizeSecurityGroupIngress", #"{"groupId":"sg-3"}"#)
      let told = try await watch.apply(Self.plan([open, open]))
      #expect(service.asked.count == before + 1)
      #expect(service.asked.last?.body.contains("GroupId.1=sg-3") == true)
      #expect(await watch.now().evaluations == 2, "closed, and the rule that looks at both types")
      #expect(told.map(\.finding.kind) == [.new])
      #expect(told.first?.finding.resource.hasSuffix("security-group/sg-3") == true)
      #expect(told.first?.event == "ec2 AuthorizeSecurityGroupIngress")
      #expect(told.first?.latency == 1_000)
      // The same once more is no change.
      #expect(try await watch.apply(Self.plan([open])).isEmpty)
      account.state.withLock { $0.groups["sg-3"] = nil }
      let gone = SimulatedAccount.event("ec2", "DeleteSecurityGroup", #"{"groupId":"sg-3"}"#)
      #expect(try await watch.apply(Self.plan([gone])).map(\.finding.kind) == [.fixed])
      account.state.withLock { $0.groups["sg-3"] = ["0.0.0.0/0"] }
      #expect(try await watch.apply(Self.plan([open])).map(\.finding.kind) == [.again])
      // Types that no rule looks at, regions that nobody watches.
      let calls = service.asked.count
      _ = try await watch.apply(
        Self.plan([
          SimulatedAccount.event("kms", "DisableKey", #"{"keyId":"k"}"#),
          open.replacing("eu-west-1", with: "us-east-2"),
        ]))
      #expect(service.asked.count == calls)
      let figures = await watch.now()
      #expect(figures.unneeded == 1 && figures.elsewhere == 1)
    }
  }

  @Test func whatCanNotBeFetchedIsUnknownUntilItCan() async throws {
    let account = SimulatedAccount()
    account.state.withLock { $0.volumes = ["vol-1": (true, "gp3"), "vol-2": (true, "gp3")] }
    try await Self.with(account) { watch, _, _ in
      _ = try await watch.scanAll()
      #expect(await Self.kept(watch).contains("encrypted aws:111122223333/eu-west-1 PASS") == false)
      let statuses = { await watch.regions["aws:111122223333/eu-west-1"]?.result.results ?? [] }
      #expect(await statuses().first { $0.rule == "encrypted" }?.status == .pass)
      account.state.withLock { state in
        state.volumes["vol-1"] = (false, "gp3")
        state.denied = ["DescribeVolumes"]
      }
      let event = SimulatedAccount.event("ec2", "ModifyVolume", #"{"volumeId":"vol-1"}"#)
      let told = try await watch.apply(Self.plan([event]))
      #expect(await statuses().first { $0.rule == "encrypted" }?.status == .unknown)
      #expect(told.contains { $0.finding.rule == "kabuto_call" && $0.finding.status == "UNKNOWN" })
      #expect(!told.contains { $0.finding.kind == .fixed })
      _ = try await watch.lookAgain()
      #expect(await statuses().first { $0.rule == "encrypted" }?.status == .unknown)
      account.state.withLock { $0.denied = [] }
      let after = try await watch.lookAgain()
      #expect(await statuses().first { $0.rule == "encrypted" }?.status == .fail)
      #expect(after.contains { $0.finding.rule == "kabuto_call" && $0.finding.kind == .fixed })
      #expect(after.contains { $0.finding.rule == "encrypted" && $0.finding.status == "FAIL" })
    }
  }

  @Test func eventsThatWereLostAreFoundByAWholeLook() async throws {
    let account = SimulatedAccount()
    try await Self.with(account) { watch, _, _ in
      _ = try await watch.scanAll()
      account.state.withLock { $0.groups["sg-1"] = ["0.0.0.0/0"] }
      let told = try await watch.scanAll()
      #expect(told.map(\.finding.rule) == ["closed"])
      #expect(await watch.now().lateFinds == 1)
    }
  }

  // MARK: - Verdicts that are kept

  @Test func incrementalVerdictsAreThoseOfAnEvaluationOfAll() throws {
    let text =
      Self.rules + """

        rule everything { Resources.* { Type exists } }
        rule all_named { Resources.*.Properties.Name exists }
        rule time { let t = now()
          Resources.*[ Type == 'AWS::EC2::VPC' ].Properties.CidrBlock != %t }
        rule none_open { let open = %groups[ some Properties.SecurityGroupIngress[*].CidrIp == '0.0.0.0/0' ]
          %open empty }
        rule every_encrypted { Resources.* { when Properties.Encrypted exists { Properties.Encrypted == true } } }
        rule given when Given.flag exists { %groups.Properties.GroupName != 'id-1' }
        rule faulty when %volumes !empty { %volumes { let n = parse_int(Properties.VolumeType)
          when Properties.Encrypted == true { %n > 3 } } }
        """
    let check = AccountCheck(try RuleSet(text: text, name: "t.guard"), now: 0)
    let lists = try AccountCalls.all.get().flatMap(\.lists)
    let types = ["EC2.SecurityGroup", "EC2.Volume", "EC2.VPC", "IAM.User"]
    #expect(check.rows.count(where: \.isByResource) > 6 && check.rows.contains { !$0.isByResource })
    var looked = 0
    for round in 0..<60 {
      var chance = Chance(round: 1_000 + round)
      var state = RegionState(account: "111122223333", region: round % 2 == 0 ? "eu-west-1" : "global")
      state.lists = lists.filter { types.contains($0.type) }.map { ListState($0) }
      var verdicts = RegionVerdicts()
      check.evaluate(state, changed: nil, &verdicts)
      var first = CheckResult()
      check.add(verdicts, of: state, &first)
      var told = Self.byResource(first)
      for step in 0..<25 {
        let place = chance.below(state.lists.count)
        let list = state.lists[place].list
        let id = "id-\(chance.below(5))"
        // As ARNs are: of one type only.
        let name = "arn:\(list.type)/\(id)"
        let own = AccountResources.type(of: list.type) ?? ""
        let failure = FailedCall(
          call: "ec2 X", failure: CallFailure(code: "AccessDenied", message: ""), type: own, resource: "")
        switch chance.below(6) {
        case 0: state.lists[place].remove(id)
        case 1: state.lists[place].failed = state.lists[place].failed.isEmpty ? [failure] : []
        case 2:
          state.lists[place].remove(id)
          state.lists[place].put(
            AccountItem(
              name: name, key: id, resources: [],
              failed: list.types.map {
                FailedCall(
                  call: "ec2 Y", failure: failure.failure, type: AccountResources.type(of: $0) ?? "",
                  resource: name)
              }))
        default:
          var members: [(name: String, value: Value)] = [("groupName", Value(.string(id)))]
          members.append(("encrypted", Value(.string(chance.below(2) == 0 ? "true" : "false"))))
          members.append(("volumeType", Value(.string("id-\(chance.below(6))"))))
          members.append(("UserName", Value(.string(id))))
          if chance.below(2) == 0 {
            let range = Value(
              .map(Members([("cidrIp", Value(.string(["0.0.0.0/0", "10.0.0.0/8"][chance.below(2)])))])))
            members.append(
              ("ipPermissions", Value(.list([Value(.map(Members([("ipRanges", Value(.list([range])))])))]))))
          }
          let item = Value(.map(Members(members)))
          state.lists[place].remove(id)
          state.lists[place].put(
            AccountItem(
              name: name, key: id,
              resources: [AccountResources.resource(name: name, type: list.type, item: item)],
              failed: []))
        }
        let changed = Set(list.types.map { AccountResources.type(of: $0) ?? $0 })
        let evaluated = check.evaluate(state, changed: changed, &verdicts)
        #expect(evaluated.ruleCount < check.rows.count)
        // One item changed, and a user has no more than itself here.
        #expect(evaluated.resourceCount <= 1)
        looked += evaluated.resourceCount
        var fresh = RegionVerdicts()
        check.evaluate(state, changed: nil, &fresh)
        var (kept, whole) = (CheckResult(), CheckResult())
        check.add(verdicts, of: state, &kept)
        check.add(fresh, of: state, &whole)
        let (ours, all) = (Set(Self.text(kept)), Set(Self.text(whole)))
        let differ = ours.symmetricDifference(all).sorted()
        #expect(differ.isEmpty, "\(Self.note) round \(round) step \(step) \(list.type)")
        guard differ.isEmpty else { return }
        #expect(kept.faults == whole.faults)
        #expect(Self.marks(kept) == Self.marks(whole), "\(Self.note) round \(round) step \(step)")
        // What isn't named as changed is told the same as before.
        if let resources = evaluated.resources {
          let changed = Self.byResource(kept).filter { told[$0.key] != $0.value }.map(\.key)
          let gone = told.keys.filter { Self.byResource(kept)[$0] == nil }
          #expect(Set(changed + gone).isSubset(of: resources), "\(Self.note) round \(round) step \(step)")
          var some = CheckResult()
          check.add(verdicts, of: state, only: resources, &some)
          let wanted = kept.findings.filter { resources.contains($0.resource) && $0.rule != "kabuto_call" }
          let found = some.findings.filter { $0.rule != "kabuto_call" }
          #expect(found.map { "\($0)" }.sorted() == wanted.map { "\($0)" }.sorted())
          #expect(some.results.map { "\($0)" } == kept.results.map { "\($0)" })
        }
        told = Self.byResource(kept)
      }
    }
    #expect(looked > 300)
  }

  private static func marks(_ result: CheckResult) -> [String] {
    result.results.map { "\($0.rule) \($0.hasUnknown) \($0.isLacking)" }
  }

  private static func byResource(_ result: CheckResult) -> [String: [String]] {
    let findings = result.findings.filter { $0.rule != "kabuto_call" }
    return Dictionary(grouping: findings, by: \.resource).mapValues { $0.map { "\($0)" } }
  }

  @Test func changeCostsOneResourceHoweverManyThereAre() throws {
    let list = try #require(AccountCalls.all.get().flatMap(\.lists).first { $0.type == "EC2.SecurityGroup" })
    let check = AccountCheck(try RuleSet(text: Self.rules, name: "t.guard"), now: 0)
    func item(_ number: Int, open: Bool) -> AccountItem {
      let range = Value(.map(Members([("cidrIp", Value(.string(open ? "0.0.0.0/0" : "10.0.0.0/8")))])))
      let item = Value(
        .map(
          Members([
            ("ipPermissions", Value(.list([Value(.map(Members([("ipRanges", Value(.list([range])))])))])))
          ])))
      let name = "arn:g/\(number)"
      return AccountItem(
        name: name, key: "\(number)",
        resources: [AccountResources.resource(name: name, type: "EC2.SecurityGroup", item: item)], failed: [])
    }
    var state = RegionState(account: "111122223333", region: "eu-west-1")
    state.lists = [ListState(list, items: (0..<400).map { item($0, open: $0 % 2 == 0) })]
    var verdicts = RegionVerdicts()
    #expect(check.evaluate(state, changed: nil, &verdicts).resourceCount == 400)
    state.lists[0].put(item(7, open: true))
    let evaluated = check.evaluate(state, changed: ["AWS::EC2::SecurityGroup"], &verdicts)
    #expect(evaluated.resourceCount == 1 && evaluated.resources == ["arn:g/7"])
    var some = CheckResult()
    check.add(verdicts, of: state, only: ["arn:g/7"], &some)
    #expect(some.findings.map(\.resource) == ["arn:g/7"])
    // Nothing of it is another.
    let again = check.evaluate(state, changed: ["AWS::EC2::SecurityGroup"], &verdicts)
    #expect(again.resourceCount == 0 && again.resources == [])
    state.lists[0].remove("7")
    let gone = check.evaluate(state, changed: ["AWS::EC2::SecurityGroup"], &verdicts)
    #expect(gone.resourceCount == 0 && gone.resources == ["arn:g/7"])
  }

  @Test func itemsAreInOneOrderHoweverTheyCame() throws {
    let list = try #require(AccountCalls.all.get().flatMap(\.lists).first { $0.type == "EC2.Volume" })
    func item(_ name: String) -> AccountItem { AccountItem(name: name, key: "", resources: [], failed: []) }
    var chance = Chance(round: 7)
    var state = ListState(list)
    var names: Set<String> = []
    for _ in 0..<300 {
      let name = "arn:x/\(chance.below(40))"
      if chance.below(3) == 0 {
        state.remove(String(name.dropFirst("arn:x/".count)))
        names.remove(name)
      } else {
        state.put(item(name))
        names.insert(name)
      }
      #expect(state.items.map(\.name) == names.sorted())
    }
    let doubled = ListState(list, items: [item("a"), item("a"), item("b")])
    #expect(doubled.items.map(\.name) == ["a", "a#2", "b"])
  }

  // MARK: - A queue

  /// Messages, as SQS keeps them.
  final class PlayedQueue: Sendable {
    struct Message {
      let body: String
      var count = 0
      var isHidden = false
    }
    let messages = Mutex<[Int: Message]>([:])

    init(_ bodies: [String]) {
      messages.withLock { for (place, body) in bodies.enumerated() { $0[place] = Message(body: body) } }
    }
    var left: [Int] { messages.withLock { $0.keys.sorted() } }
    /// What wasn't deleted can be had again.
    func showAll() { messages.withLock { for place in $0.keys { $0[place]?.isHidden = false } } }

    func answer(_ asked: Asked) -> Said? {
      guard let target = asked.header("x-amz-target"), target.hasPrefix("AmazonSQS.") else { return nil }
      return messages.withLock { messages in
        switch target {
        case "AmazonSQS.ReceiveMessage":
          var out: [String] = []
          for place in messages.keys.sorted() where messages[place]?.isHidden == false && out.count < 10 {
            messages[place]?.isHidden = true
            messages[place]?.count += 1
            let body = (try? JSONEncoder().encode(messages[place]?.body ?? "")) ?? Data()
            out.append(
              #"{"MessageId":"m\#(place)","ReceiptHandle":"\#(place)","Body":\#(String(decoding: body, as: UTF8.self)),"#
                + #""Attributes":{"ApproximateReceiveCount":"\#(messages[place]?.count ?? 0)"}}"#)
          }
          return Said(body: out.isEmpty ? "{}" : #"{"Messages":[\#(out.joined(separator: ","))]}"#)
        case "AmazonSQS.DeleteMessageBatch":
          guard let body = try? JSONReader.value(of: asked.body) else { return Said(status: 400) }
          for handle in body.all(at: ["Entries", "ReceiptHandle"]).compactMap(\.string) {
            messages[Int(handle) ?? -1] = nil
          }
          return Said(body: #"{"Successful":[],"Failed":[]}"#)
        default: return Said(body: "{}")
        }
      }
    }
  }

  /// Keeps findings, or can't.
  final class MoodySink: FindingSink {
    struct Full: Error {}
    let isFull = Mutex(false)
    let memory = FindingMemory()
    func take(
      _ result: CheckResult, input: String, resources: Set<String>?, at: Int64
    ) throws -> [FindingChange] {
      if isFull.withLock({ $0 }) { throw Full() }
      return memory.take(result, input: input, resources: resources, at: at)
    }
    func takeAll(
      _ result: CheckResult, inputs: [String], at: Int64, milliseconds: Int64
    ) throws -> [FindingChange] {
      if isFull.withLock({ $0 }) { throw Full() }
      return memory.takeAll(result, inputs: inputs, at: at, milliseconds: milliseconds)
    }
  }

  final class Words: Sendable {
    let notes = Mutex<[String]>([])
    let changes = Mutex<[ToldChange]>([])
    func hear(_ word: WatchWord) {
      switch word {
      case .note(let text): notes.withLock { $0.append(text) }
      case .status: break
      }
    }
  }

  @Test func messagesAreDeletedOnlyAfterWhatCameOfThemIsKept() async throws {
    let account = SimulatedAccount()
    let queue = PlayedQueue([
      SimulatedAccount.event("ec2", "AuthorizeSecurityGroupIngress", #"{"groupId":"sg-1"}"#), "no event",
      SimulatedAccount.event("ec2", "AuthorizeSecurityGroupIngress", #"{"groupId":"sg-2"}"#),
    ])
    let service = try await PlayedService { asked, number in
      queue.answer(asked) ?? account.play(asked, number)
    }
    let sink = MoodySink()
    let words = Words()
    var options = WatchOptions()
    options.scan = Self.options(service)
    let watch = try AccountWatch(
      [.own], try RuleSet(text: Self.rules, name: "t.guard"), options, sink: sink,
      environment: Self.environment,
      clock: { 1_795_687_201_000 }, tell: { change in words.changes.withLock { $0.append(change) } })
    var pace = WatchPace()
    pace.coalesceMilliseconds = 0
    pace.againSeconds = 1
    let run = try await WatchRun(
      watch, .queue("\(service.origin)/1/q"), pace, scan: options.scan, targets: [.own],
      environment: Self.environment, clock: { 1_795_687_201_000 }, say: { words.hear($0) })
    let running = Task { try await run.run() }
    func until(_ what: () -> Bool) async throws {
      for _ in 0..<3_000 where !what() { try await Task.sleep(for: .milliseconds(10)) }
      #expect(what())
    }
    // All are seen; what is no event stays.
    try await until { queue.left == [1] }
    try await until { words.notes.withLock { $0.contains { $0.hasPrefix("m1: not JSON") } } }
    for _ in 0..<4 {
      queue.showAll()
      try await until { queue.messages.withLock { $0[1]?.isHidden == true } }
    }
    try await until { words.notes.withLock { $0.contains { $0.contains("dead-letter queue after") } } }
    #expect(words.notes.withLock { $0.count { $0.hasPrefix("m1:") } } == 2, "told twice, not each time")
    #expect(queue.left == [1])
    // What can't be kept is not forgotten.
    account.state.withLock { $0.groups["sg-9"] = ["0.0.0.0/0"] }
    sink.isFull.withLock { $0 = true }
    queue.messages.withLock {
      $0[5] = PlayedQueue.Message(
        body: SimulatedAccount.event("ec2", "AuthorizeSecurityGroupIngress", #"{"groupId":"sg-9"}"#))
    }
    try await until { words.notes.withLock { $0.contains { $0.contains("can't be kept") } } }
    #expect(queue.left == [1, 5])
    #expect(words.changes.withLock { !$0.contains { $0.finding.resource.hasSuffix("sg-9") } })
    sink.isFull.withLock { $0 = false }
    queue.showAll()
    try await until { queue.left == [1] }
    #expect(words.changes.withLock { $0.count { $0.finding.resource.hasSuffix("sg-9") } } == 1)
    running.cancel()
    _ = try await running.value
    await watch.end()
    try await service.end()
  }

  @Test(arguments: [
    ("https://sqs.eu-west-1.amazonaws.com/111122223333/q", "eu-west-1"),
    ("https://eu-west-1.queue.amazonaws.com/111122223333/q", "eu-west-1"), ("http://127.0.0.1:5000/1/q", nil),
    ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1"), ("nonsense", nil),
  ]) func regionOfAQueueIsInItsAddress(url: String, region: String?) {
    #expect(EventQueue.region(url) == region)
  }
}
