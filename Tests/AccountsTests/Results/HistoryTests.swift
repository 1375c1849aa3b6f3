// The history: what is new, back, mended, excepted; and that nothing is called mended that wasn't seen.

import Foundation
import GRDB
import GuardRules
import Testing

@testable import Governance

@Suite struct HistoryTests {
  private func record(
    _ history: FindingHistory, _ result: CheckResult, at: Int64, source: String = "scan",
    _ extra: RunExtra = RunExtra()
  ) throws -> HistoryChange {
    try history.record(result, scope: [region], source: source, at: at, extra)
  }

  @Test func findingIsOpenedSeenAgainFixedAndReopened() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let failing = CheckResult.made([.made()], [("s3_public", .fail)])
    let first = try record(history, failing, at: 1_000)
    #expect(first.opened.map(\.resource) == ["bucket-1"])
    #expect(first.again == 0)
    let second = try record(history, failing, at: 2_000)
    #expect(second.opened.isEmpty && second.again == 1 && second.changed.isEmpty)
    let third = try record(history, .made(), at: 3_000)
    #expect(third.fixed.map(\.rule) == ["s3_public"])
    let fourth = try record(history, failing, at: 4_000)
    #expect(fourth.reopened.count == 1 && fourth.opened.isEmpty && fourth.again == 0)

    let reader = HistoryReader(folder.path)
    let page = try #require(try reader.findings(FindingFilter(), limit: 10))
    let finding = try #require(page.findings.first)
    #expect(page.total == 1 && page.next == nil)
    #expect(finding.firstSeen == 1_000 && finding.lastSeen == 4_000 && finding.since == 4_000)
    #expect(finding.times == 3 && finding.state == .open)
    #expect(finding.id == Finding.made().identity.id)
    #expect((finding.account, finding.region) == ("111122223333", "eu-west-1"))
    #expect(finding.titleJa == "バケットを公開しない" && finding.controls == ["CIS 2.1"])
    #expect(try reader.events(of: finding.id).map(\.kind) == [.reopened, .fixed, .opened])
    #expect(try reader.runs(limit: 10).map(\.open.high) == [1, 0, 1, 1])
  }

  @Test func skippedForWantOfInputParametersIsNotMended() throws {
    let folder = try TestFolder()
    let path = folder.file("facts.yaml")
    try Data("facts: {a: 1}\n".utf8).write(to: URL(fileURLWithPath: path))
    var facts = RunExtra()
    facts.parameters = try InputParameters([path]).digest
    #expect(!facts.parameters.isEmpty && InputParameters.none.digest.isEmpty)
    // Names within others count, values don't.
    let digests = try [
      "Company: {Names: [a]}", "Company: {Names: [b, c]}", "Company: {Other: [a]}", "Company: {}",
    ].enumerated().map { number, text in
      let file = folder.file("digest\(number).yaml")
      try text.write(toFile: file, atomically: true, encoding: .utf8)
      return try InputParameters([file]).digest
    }
    #expect(digests[0] == digests[1] && Set(digests).count == 3)
    let history = try FindingHistory(folder.path)
    let failing = CheckResult.made([.made()], [("s3_public", .fail)])
    let skipped = CheckResult.made([], [("s3_public", .skip)])
    _ = try record(history, failing, at: 1_000, facts)
    let without = try record(history, skipped, at: 2_000)
    #expect(without.fixed.isEmpty && without.unseen.map(\.rule) == ["s3_public"])
    let scoped = try history.record(
      skipped, resources: [ResourceScope(input: region, resource: "bucket-1")], source: "scan", at: 2_500)
    #expect(scoped.fixed.isEmpty)
    // With what it was given then, there is nothing to look at any more; and a rule that passed looked.
    #expect(try record(history, skipped, at: 3_000, facts).fixed.count == 1)
    _ = try record(history, failing, at: 4_000, facts)
    #expect(try record(history, .made(), at: 5_000).fixed.count == 1)
  }

  /// A rule that passes because a `when` within it lacks what it is given looked at nothing there.
  @Test func passingForWantOfAnInputParameterIsNoMending() throws {
    let folder = try TestFolder()
    try Data("Given: {types: ['AWS::S3::Bucket']}\n".utf8).write(
      to: URL(fileURLWithPath: folder.file("given.yaml")))
    let template = folder.file("t.yaml")
    func write(_ access: String) throws {
      try Data("Resources: {B: {Type: 'AWS::S3::Bucket', Properties: {Name: b, Access: \(access)}}}\n".utf8)
        .write(
          to: URL(fileURLWithPath: template))
    }
    let rules = try RuleSet(
      text: """
        let buckets = Resources.*[ Type == 'AWS::S3::Bucket' ]
        let types = Given.types
        rule s3_public {
          %buckets.Properties.Name exists
          when %types !empty { %buckets.Properties.Access != 'Public' }
        }
        rule s3_named { %buckets.Properties.Access != 'Public' }
        """, name: "t.guard")
    let given = try InputParameters([folder.file("given.yaml")])
    func look(_ parameters: InputParameters) throws -> CheckResult {
      try Check(rules, parameters: parameters, now: 0).run([template])
    }
    let history = try FindingHistory(folder.path)
    func keep(_ result: CheckResult, _ parameters: InputParameters, at: Int64) throws -> HistoryChange {
      var extra = RunExtra()
      extra.parameters = parameters.digest
      return try history.record(result, scope: [template], source: "check", at: at, extra)
    }
    try write("Public")
    #expect(try keep(look(given), given, at: 1_000).opened.count == 2)
    let without = try look(.none)
    #expect(
      without.results.map(\.status) == [.pass, .fail] && without.results.map(\.isLacking) == [true, false])
    let change = try keep(without, .none, at: 2_000)
    #expect(change.fixed.isEmpty && change.unseen.map(\.rule) == ["s3_public"])
    // With what it was given then it looked; and a rule that needs nothing is believed without.
    try write("Private")
    let mended = try keep(look(.none), .none, at: 3_000)
    #expect(mended.fixed.map(\.rule) == ["s3_named"])
    #expect(try keep(look(given), given, at: 4_000).fixed.map(\.rule) == ["s3_public"])
  }

  @Test func regionsThatAreNotToldAnyMoreAreUnseen() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let other = "aws:111122223333/eu-west-2"
    let both = CheckResult.made(
      [.made(in: other), .call(in: other, type: "AWS::EC2::Volume")], [("s3_public", .fail)], input: other)
    _ = try history.record(both, scope: [region, other], source: "scan", at: 1_000)
    let denied = CheckResult.made([
      .call("ec2 DescribeRegions", in: "aws:111122223333/global", type: "regions but eu-west-1")
    ])
    #expect(denied.regionlessAccounts == ["111122223333"])
    #expect(CheckResult.made([.call()]).regionlessAccounts.isEmpty)
    var extra = RunExtra()
    extra.untold = [other]
    let change = try record(history, denied, at: 2_000, extra)
    #expect(change.fixed.isEmpty && change.unseen.count == 2)
  }

  @Test func deniedCallOfOthersFreezesOnlyTheirs() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let guardDuty = Finding.made("guardduty:Recon", of: "i-1", path: "f")
    _ = try record(history, .made([.made(), guardDuty], [("s3_public", .fail)]), at: 1_000)
    let call = FailedCall(
      call: "guardduty ListDetectors", failure: CallFailure(code: "AccessDenied", message: ""), type: "",
      resource: "guardduty")
    let denied = CheckResult.made([.call(call.call, of: call.resource, type: call.type)])
    let change = try record(history, denied, at: 2_000)
    #expect(change.fixed.map(\.rule) == ["s3_public"] && change.unseen.map(\.rule) == ["guardduty:Recon"])
  }

  @Test func changedValueAndStatusAreEvents() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    _ = try record(history, .made([.made()], [("s3_public", .fail)]), at: 1_000)
    let other = try record(
      history, .made([.made(found: "\"PublicReadWrite\"")], [("s3_public", .fail)]), at: 2_000)
    #expect(other.changed.map(\.found) == ["\"PublicReadWrite\""] && other.again == 1)
    let unknown = try record(
      history, .made([.made(status: "UNKNOWN", found: "?")], [("s3_public", .unknown)]), at: 3_000)
    #expect(unknown.firstUnknown.count == 1 && unknown.changed.count == 1)
    let certain = try record(history, .made([.made()], [("s3_public", .fail)]), at: 4_000)
    #expect(certain.nowFailing.count == 1)
    let once = try record(
      history, .made([.made(status: "UNKNOWN", found: "?")], [("s3_public", .unknown)]), at: 5_000)
    #expect(once.firstUnknown.isEmpty, "it was unknown before")
  }

  @Test func exceptionCoversAndEnds() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    _ = try record(history, .made([.made()], [("s3_public", .fail)]), at: 1_000)
    var extra = RunExtra()
    extra.exceptions = [ExceptionEnd(id: "EX-1", ends: "2026-12-31", owner: "sato", reason: "a website")]
    let covered = try record(
      history, .made([.made(status: "EXCEPTED", exception: "EX-1")], [("s3_public", .fail)]), at: 2_000, extra
    )
    #expect(covered.excepted.map(\.exception) == ["EX-1"])
    let reader = HistoryReader(folder.path)
    #expect(
      try reader.counts()
        == FindingCounts(critical: 0, high: 0, medium: 0, low: 0, info: 0, unknown: 0, excepted: 1))
    #expect(try reader.exception("EX-1")?.ends == "2026-12-31")
    #expect(try reader.endingExceptions(today: 0).map(\.id) == ["EX-1"])
    let ended = try record(history, .made([.made()], [("s3_public", .fail)]), at: 3_000)
    #expect(ended.ended.count == 1)
    #expect(try reader.counts().high == 1)
    #expect(try reader.events(of: Finding.made().identity.id).map(\.kind) == [.ended, .excepted, .opened])
  }

  /// What is no longer among the findings of a run, and why it isn't mended all the same.
  @Test(arguments: [
    // The list failed: other buckets may pass, this one wasn't seen.
    (CheckResult.made([.call()], [("s3_public", .pass), ("kabuto_call", .unknown)]), "list failed"),
    (
      CheckResult.made([.call("s3 GetBucketAcl", of: "bucket-1")], [("s3_public", .pass)]),
      "a call of it failed"
    ),
    (CheckResult.made([.call("", type: "")], [("s3_public", .pass)]), "the account didn't answer"),
    (CheckResult.made([.made(of: "bucket-2", status: "UNKNOWN")], [("s3_public", .unknown)]), "rule unknown"),
    (
      CheckResult.made([.made(of: "bucket-2")], [("s3_public", .fail)], hides: ["s3_public"]), "parts unknown"
    ),
    (CheckResult.made([], [("another_rule", .pass)]), "the rule wasn't evaluated"),
    (CheckResult.made([], []), "nothing was evaluated"),
  ])
  func unknownIsNeverGood(_ result: CheckResult, _ why: String) throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    _ = try record(history, .made([.made()], [("s3_public", .fail)]), at: 1_000)
    let change = try record(history, result, at: 2_000)
    #expect(change.fixed.isEmpty, "\(why)")
    #expect(change.unseen.map(\.resource) == ["bucket-1"], "\(why)")
    let reader = HistoryReader(folder.path)
    let finding = try #require(try reader.finding(Finding.made().identity.id))
    #expect(finding.state == .open && finding.unseen == 2_000 && finding.lastSeen == 1_000)
    // It counts as what can't be told, not as certain.
    #expect(try reader.counts().high == result.findings.count { $0.status == "FAIL" })
    #expect(try reader.counts().unknown >= 1)
    // Said once, and no longer when it is seen again.
    #expect(try record(history, result, at: 3_000).unseen.isEmpty)
    _ = try record(history, .made([.made()], [("s3_public", .fail)]), at: 4_000)
    #expect(try reader.finding(finding.id)?.unseen == nil)
    #expect(try reader.events(of: finding.id).map(\.kind) == [.again, .unseen, .opened])
  }

  @Test func listOfAnotherTypeThatFailedHidesNothing() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    _ = try record(history, .made([.made()], [("s3_public", .fail)]), at: 1_000)
    let change = try record(
      history, .made([.call("ec2 DescribeVolumes", type: "AWS::EC2::Volume")], [("s3_public", .pass)]),
      at: 2_000)
    #expect(change.fixed.count == 1)
  }

  @Test func otherInputsAndSourcesStay() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let elsewhere = "aws:111122223333/us-east-1"
    _ = try history.record(
      .made([.made(), .made(in: elsewhere)], [("s3_public", .fail)]), scope: [region, elsewhere],
      source: "scan",
      at: 1_000)
    #expect(try record(history, .made(), at: 2_000, source: "check").fixed.isEmpty)
    #expect(try record(history, .made(), at: 3_000).fixed.map(\.input) == [region])
    let open = try HistoryReader(folder.path).findings(FindingFilter(), limit: 10)
    #expect(open?.findings.map(\.input) == [elsewhere])
    #expect(try history.unfixedInputs(source: "scan") == [elsewhere])
  }

  @Test func lookAtOneResourceLeavesOthers() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    _ = try record(history, .made([.made(), .made(of: "bucket-2")], [("s3_public", .fail)]), at: 1_000)
    let change = try history.record(
      .made(), resources: [ResourceScope(input: region, resource: "bucket-2")], source: "watch", at: 2_000)
    #expect(change.fixed.map(\.resource) == ["bucket-2"])
    let open = try HistoryReader(folder.path).findings(FindingFilter(), limit: 10)
    #expect(open?.findings.map(\.resource) == ["bucket-1"])
  }

  @Test func findingsOfOtherServicesAreMendedWhereTheyAnswered() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let theirs = Finding.made("guardduty:Recon:EC2/PortProbe", of: "i-1", path: "")
    _ = try record(history, .made([theirs], []), at: 1_000)
    #expect(try record(history, .made(), at: 2_000).fixed.isEmpty)
    var answered = CheckResult.made()
    answered.answered = [region: ["guardduty"]]
    #expect(try record(history, answered, at: 3_000).fixed.count == 1)
  }

  @Test func callThatAnswersAgainIsFixedAndCallsAreToldApart() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let both: [Finding] = [.call(), .call("lambda ListFunctions", type: "AWS::Lambda::Function")]
    let first = try record(history, .made(both), at: 1_000)
    #expect(first.opened.count == 2)
    let second = try record(history, .made([both[1]]), at: 2_000)
    #expect(second.fixed.map(\.clause) == ["the call s3 ListBuckets answers"])
  }

  @Test func goneInputIsFixed() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let result = CheckResult.made([.made(in: "t.yaml")], [("s3_public", .fail)], input: "t.yaml")
    _ = try history.record(result, scope: ["t.yaml"], source: "check", at: 1_000)
    var extra = RunExtra()
    extra.gone = ["t.yaml"]
    let change = try history.record(CheckResult(), scope: [], source: "check", at: 2_000, extra)
    #expect(change.fixed.map(\.input) == ["t.yaml"])
    #expect(try HistoryReader(folder.path).accounts().isEmpty)
  }

  @Test func severalClausesOfOnePlaceAreOneFinding() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    _ = try record(
      history,
      .made(
        [.made(status: "UNKNOWN", clause: "b exists"), .made(), .made(), .made(clause: "c exists")],
        [("s3_public", .fail)]), at: 1_000)
    let finding = try #require(
      try HistoryReader(folder.path).findings(FindingFilter(), limit: 10)?.findings.first)
    #expect(finding.status == "FAIL" && finding.clause == "AccessControl != /^Public/")
    #expect(finding.also.map(\.clause) == ["c exists", "b exists"])
  }

  @Test func oldThingsAreForgottenButTheTrend() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path, retentionDays: 10)
    let day: Int64 = 86_400
    let failing = CheckResult.made([.made(), .made(of: "b2")], [("s3_public", .fail)])
    _ = try record(history, failing, at: day)
    _ = try record(history, .made([.made()], [("s3_public", .fail)]), at: day + 100)
    _ = try record(history, .made([.made()], [("s3_public", .fail)]), at: 20 * day)
    let reader = HistoryReader(folder.path)
    var all = FindingFilter()
    all.anyState = true
    #expect(try reader.findings(all, limit: 10)?.findings.map(\.resource) == ["bucket-1"])
    #expect(try reader.events(of: Finding.made().identity.id).isEmpty)
    #expect(try reader.runs(limit: 10).map(\.run) == [3, 2], "the last run of a day stays")
    #expect(try reader.finding(Finding.made().identity.id)?.firstSeen == day)
  }

  @Test func pagesFollowOneAnother() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let severities: [Severity] = [.low, .critical, .high]
    let findings = (0..<31).map { Finding.made(of: "bucket-\($0)", severity: severities[$0 % 3]) }
    _ = try record(history, .made(findings, [("s3_public", .fail)]), at: 1_000)
    let reader = HistoryReader(folder.path)
    for newest in [false, true] {
      var filter = FindingFilter()
      filter.newestFirst = newest
      var seen: [HistoryFinding] = []
      var cursor: String?
      repeat {
        let page = try #require(try reader.findings(filter, limit: 10, cursor: cursor))
        #expect(page.total == 31)
        seen += page.findings
        cursor = page.next
      } while cursor != nil
      #expect(Set(seen.map(\.id)).count == 31)
      #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.severity >= $1.severity })
    }
    var filter = FindingFilter()
    filter.severity = .critical
    filter.text = "BUCKET-1"
    #expect(
      try reader.findings(filter, limit: 50)?.total
        == findings.count { $0.severity == .critical && $0.resource.contains("bucket-1") })
    #expect(try reader.findings(FindingFilter(), limit: 5, cursor: "1.x.3") == nil)
    #expect(try reader.rules().map(\.open.critical) == [10])
  }

  @Test func failureWithinARunWritesNothing() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    _ = try record(history, .made([.made()], [("s3_public", .fail)]), at: 1_000)
    // No such status: the database refuses it.
    let bad = CheckResult.made(
      [.made(of: "b2"), .made(of: "b3", status: "NONSENSE")], [("s3_public", .fail)])
    #expect(throws: HistoryError.self) { try self.record(history, bad, at: 2_000) }
    let reader = HistoryReader(folder.path)
    #expect(try reader.runs(limit: 10).count == 1)
    #expect(try reader.findings(FindingFilter(), limit: 10)?.total == 1)
    #expect(try reader.version() == 1)
  }

  @Test func otherDatabasesAndDamageAreToldNotReplaced() throws {
    let folder = try TestFolder()
    #expect(throws: HistoryError.self) { try HistoryReader(folder.path).version() }
    try Data("not a database, but long enough to be read as one".utf8).write(
      to: URL(fileURLWithPath: folder.file("governance.sqlite")))
    let error = #expect(throws: HistoryError.self) { try FindingHistory(folder.path) }
    #expect(error?.description.contains("damaged") == true)
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("governance.sqlite"))).count == 49)
  }

  /// Killed when the file was made and its first step not yet done.
  @Test func begunAndNotFinishedIsGoneOnWith() throws {
    let folder = try TestFolder()
    let queue = try DatabaseQueue(path: HistoryDatabase.path(folder.path))
    try queue.inDatabase { db in
      try db.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
    }
    try queue.close()
    let history = try FindingHistory(folder.path)
    let change = try record(history, .made([.made()], [("s3_public", .fail)]), at: 1_000)
    #expect(change.opened.count == 1)
  }

  @Test func readerFollowsADatabaseThatComesLater() throws {
    let folder = try TestFolder()
    let reader = HistoryReader(folder.path)
    #expect(throws: HistoryError.self) { try reader.version() }
    _ = try record(try FindingHistory(folder.path), .made(), at: 1_000)
    #expect(try reader.version() == 1)
  }
}
