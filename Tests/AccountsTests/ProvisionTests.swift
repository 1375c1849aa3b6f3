// What moto's server doesn't have, against recorded shapes of the protocol (IAM Access Analyzer, CloudTrail's LookupEvents);
// and the journal and the requests as files.

import Controls
import Foundation
import GuardRules
import Testing

@testable import Governance
@testable import Resources

@Suite struct ProvisionTests {
  static let account = BaselineAccount(
    number: "111122223333", partition: "aws", home: "eu-west-1", regions: ["eu-west-1"])

  private func settings(_ client: ServiceClient, _ text: String) throws -> AccountSettings {
    AccountSettings(
      client: client, account: Self.account, baseline: try Baseline(text), now: { 1_800_000_000 })
  }

  // MARK: - Access Analyzer

  @Test func analyzerIsMadeOnceAndKnownAgain() async throws {
    let play: PlayedService.Play = { asked, number in
      if asked.method == "PUT" {
        return Said(body: #"{"arn":"arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/kabuto"}"#)
      }
      return number == 1
        ? Said(body: #"{"analyzers":[]}"#)
        : Said(body: #"{"analyzers":[{"arn":"a","name":"theirs","status":"ACTIVE","type":"ACCOUNT"}]}"#)
    }
    try await ServiceClientTests.with(play) { client, service in
      let settings = try settings(client, "baseline: b\naccess-analyzer: {name: kabuto}")
      let key = BaselineKey(.analyzer, region: "eu-west-1")
      let before = await settings.read(key)
      #expect(before == .absent)
      let goal = try #require(settings.baseline.goals(of: Self.account, [:]).first)
      try await settings.set(goal)
      let after = await settings.read(key)
      #expect(after == .set(["Name": "theirs", "Type": "ACCOUNT", "Status": "ACTIVE"]))
      #expect(goal.changes(from: after).isEmpty)
      let made = service.asked[1]
      #expect(made.method == "PUT" && made.uri == "/analyzer")
      #expect(made.body.contains(#""analyzerName":"kabuto","type":"ACCOUNT","clientToken":""#))
      #expect(service.asked[0].uri == "/analyzer?type=ACCOUNT")
      #expect(made.header("authorization")?.contains("/eu-west-1/access-analyzer/aws4_request") == true)
      // The same thing has the same token, another one another.
      #expect(settings.token(key) == settings.token(key))
      #expect(settings.token(key) != settings.token(BaselineKey(.analyzer, region: "us-east-1")))
    }
  }

  @Test func deniedAnalyzerIsUnknown() async throws {
    let denied = Said(
      status: 403, headers: [("x-amzn-errortype", "AccessDeniedException")], body: #"{"message":"no"}"#)
    try await ServiceClientTests.with({ _, _ in denied }) { client, _ in
      let settings = try settings(client, "baseline: b\naccess-analyzer: {name: kabuto}")
      let found = await settings.read(BaselineKey(.analyzer, region: "eu-west-1"))
      #expect(found == .unknown("AccessDeniedException: access-analyzer ListAnalyzers: no"))
    }
  }

  // MARK: - The bucket for logs

  @Test func strangersBucketOfTheNameIsUnknown() async throws {
    let denied = Said(
      status: 403, body: "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
    // As S3 does: a bucket of another owner than the one that is expected.
    let play: PlayedService.Play = { asked, _ in
      if let owner = asked.header("x-amz-expected-bucket-owner") {
        return owner == "999999999999" ? Said() : denied
      }
      return Said(body: "<LocationConstraint>eu-west-1</LocationConstraint>")
    }
    try await ServiceClientTests.with(play) { client, service in
      let settings = try settings(
        client, "baseline: b\nlogs: {bucket: logs, versioning: true}\ntrail: {name: audit}")
      for item in [
        BaselineItem.logBucket, .logBucketPublicAccess, .logBucketEncryption, .logBucketVersioning,
        .logBucketPolicy,
      ] {
        let key = BaselineKey(item)
        guard case .unknown(let why) = await settings.read(key) else {
          Issue.record("\(key) is known")
          continue
        }
        #expect(why.contains("AccessDenied"))
      }
      for goal in settings.baseline.goals(of: Self.account, [:])
      where [.logBucketPublicAccess, .logBucketVersioning, .logBucketPolicy].contains(goal.key.item) {
        await #expect(throws: CallFailure.self) { try await settings.set(goal) }
      }
      #expect(service.asked.count >= 8)
      #expect(service.asked.allSatisfy { $0.header("x-amz-expected-bucket-owner") == "111122223333" })
      #expect(
        service.asked.allSatisfy {
          $0.header("authorization")?.contains("x-amz-expected-bucket-owner") == true
        })
    }
  }

  // MARK: - Rules of Config

  @Test func rulesOfOthersWithOtherParametersStay() async throws {
    func rule(_ name: String, _ age: Int) -> String {
      #"{"ConfigRuleName":"\#(name)","Source":{"Owner":"AWS","SourceIdentifier":"ACCESS_KEYS_ROTATED"},"#
        + #""InputParameters":"{\"maxAccessKeyAge\":\"\#(age)\"}"}"#
    }
    let text = """
      baseline: b
      logs: {bucket: logs}
      config:
        rules:
          - {name: a, identifier: ACCESS_KEYS_ROTATED, parameters: {maxAccessKeyAge: 90}}
          - {name: b, identifier: ACCESS_KEYS_ROTATED, parameters: {maxAccessKeyAge: 30}}
      """
    func made(_ there: [String]) async throws -> (missing: [String], names: [String]) {
      try await ServiceClientTests.with({ asked, _ in
        asked.header("x-amz-target")?.contains("DescribeConfigRules") == true
          ? Said(body: #"{"ConfigRules":[\#(there.joined(separator: ","))]}"#) : Said(body: "{}")
      }) { client, service in
        let settings = try settings(client, text)
        let goals = settings.baseline.goals(of: Self.account, [:]).filter { $0.key.item == .configRule }
        #expect(goals.count == 2)
        var missing: [String] = []
        for goal in goals {
          let found = await settings.read(goal.key)
          if goal.changes(from: found).isEmpty { continue }
          missing.append(goal.key.name)
          try await settings.set(goal)
        }
        let puts = service.asked.filter { $0.header("x-amz-target")?.contains("PutConfigRule") == true }
        return (missing, puts.map { $0.body.contains(#""ConfigRuleName":"theirs""#) ? "theirs" : "own" })
      }
    }
    // Theirs has parameters that nobody asked for: it stays, and both are made.
    var came = try await made([rule("theirs", 365)])
    #expect(came.missing == ["a", "b"] && came.names == ["own", "own"])
    // Theirs does what a should.
    came = try await made([rule("theirs", 90)])
    #expect(came.missing == ["b"] && came.names == ["own"])
    // One of the baseline's own doesn't stand for another.
    came = try await made([rule("b", 90)])
    #expect(came.missing == ["a", "b"] && came.names == ["own", "own"])
  }

  // MARK: - Drift

  private func drift(
    _ journal: [JournalEntry], _ play: @escaping PlayedService.Play
  ) async throws -> (DriftedStep, [Asked]) {
    try await ServiceClientTests.with(play) { client, service in
      let settings = try settings(
        client, "baseline: b\nlogs: {bucket: logs}\ntrail: {name: made}")
      var found: [BaselineKey: FoundSetting] = [:]
      for goal in settings.baseline.goals(of: Self.account, [:]) {
        found[goal.key] = goal.reached(from: .absent)
      }
      found[BaselineKey(.trailLogging)] = .set(["IsLogging": "false"])
      let plan = BaselinePlan(settings.baseline, Self.account, found: found)
      let all = await Drift(settings: settings, journal: journal).of(plan)
      #expect(all.count == 1)
      return (try #require(all.first), service.asked)
    }
  }

  private func entry(_ at: Int64, steps: [String]) -> JournalEntry {
    var entry = JournalEntry(at: at, run: "r", account: "111122223333", event: .end)
    entry.steps = steps
    return entry
  }

  @Test func whoStoppedTheTrailIsTold() async throws {
    // As LookupEvents answers, the event within as text.
    @Sendable func event(_ name: String, _ time: Double, trail: String, by: String, error: String? = nil)
      -> String
    {
      let inner = """
        {"userIdentity":{"type":"IAMUser","arn":"\(by)"},"eventName":"\(name)","requestParameters":{"name":"\(trail)"}\
        \(error.map { #","errorCode":"\#($0)""# } ?? "")}
        """
      return """
        {"EventId":"e","EventName":"\(name)","EventTime":\(time),"Username":"u","Resources":[],\
        "CloudTrailEvent":\(CanonicalJSON.quoted(inner))}
        """
    }
    let play: PlayedService.Play = { asked, _ in
      guard asked.body.contains("StopLogging") else { return Said(body: #"{"Events":[]}"#) }
      if asked.body.contains("NextToken") {
        return Said(
          body:
            #"{"Events":[\#(event("StopLogging", 1_700_000_500, trail: "made", by: "arn:aws:iam::1:user/eve"))]}"#
        )
      }
      let events = [
        event("StopLogging", 1_700_000_900.5, trail: "made", by: "arn:aws:iam::1:user/mallory"),
        event("StopLogging", 1_700_000_800, trail: "others", by: "arn:aws:iam::1:user/bob"),
        event(
          "StopLogging", 1_700_000_700, trail: "made", by: "arn:aws:iam::1:user/denied", error: "AccessDenied"
        ),
      ]
      return Said(body: #"{"Events":[\#(events.joined(separator: ","))],"NextToken":"t"}"#)
    }
    let (drifted, asked) = try await drift([entry(1_700_000_000, steps: ["global/trail-logging"])], play)
    #expect(drifted.step == "global/trail-logging")
    #expect(drifted.changes == [BaselineChange(name: "IsLogging", from: "false", to: "true")])
    #expect(drifted.rightAt == "2023-11-14T22:13:20Z")
    #expect(drifted.changedBy.map(\.by) == ["arn:aws:iam::1:user/mallory", "arn:aws:iam::1:user/eve"])
    #expect(drifted.changedBy.first?.at == "2023-11-14T22:28:20Z")
    #expect(drifted.unknownBecause == nil)
    let first = try #require(asked.first)
    #expect(
      first.header("x-amz-target") == "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents")
    #expect(
      first.body.contains(
        #""LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":"StopLogging"}],"StartTime":1700000000"#
      ))
  }

  @Test func nobodyIsAccusedWhereNothingIsKnown() async throws {
    let denied = Said(status: 400, body: #"{"__type":"AccessDeniedException","message":"no"}"#)
    let journal = [entry(1_700_000_000, steps: ["global/trail-logging"])]
    let (drifted, _) = try await drift(journal) { _, _ in denied }
    #expect(drifted.changedBy.isEmpty)
    #expect(drifted.unknownBecause == "AccessDeniedException: cloudtrail LookupEvents: no")
    let (silent, _) = try await drift(journal) { _, _ in Said(body: #"{"Events":[]}"#) }
    #expect(silent.unknownBecause?.hasPrefix("no StopLogging or DeleteTrail since") == true)
    // What was never right hasn't drifted, and nobody is looked for.
    let (never, asked) = try await drift([]) { _, _ in denied }
    #expect(never.rightAt == nil && never.unknownBecause == nil && asked.isEmpty)
  }

  // MARK: - Journal

  private func withFolder<T>(_ body: (String) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kabuto-\(UUID().uuidString)")
      .path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  private func journal(_ path: String, run: String = "r") throws -> ProvisionJournal {
    try ProvisionJournal(path, run: run, now: { 1_700_000_000 })
  }

  @Test func linesAreReadBackAndTornOnesTakenOff() throws {
    try withFolder { folder in
      let path = folder + "/j.jsonl"
      do {
        let first = try journal(path)
        try first.write("111122223333", .begin) { $0.baseline = "b/1" }
        try first.write("111122223333", .intent) { $0.step = "global/trail" }
        #expect(first.before.isEmpty)
      }
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      // However far the next line was written when the end came.
      let line = Data(
        #"{"account":"111122223333","at":"2023-11-14T22:13:20Z","event":"result","run":"r"}"#.utf8)
      for cut in 1...line.count {
        try (whole + line.prefix(cut)).write(to: URL(fileURLWithPath: path))
        let again = try journal(path)
        #expect(again.before.count == 2 && again.tornBytes == cut)
        #expect(again.before.open(of: "111122223333") == ["global/trail"])
        #expect(again.before.open(of: "444455556666").isEmpty)
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
    }
  }

  @Test func onlyOneWrites() throws {
    try withFolder { folder in
      let path = folder + "/j.jsonl"
      let first = try journal(path)
      let told = #expect(throws: GovernanceFaults.self) { _ = try journal(path, run: "s") }
      #expect(told?.description.contains("another process writes to this journal") == true)
      try first.write("1", .begin)
      #expect(try ProvisionJournal.read(path).count == 1)
    }
  }

  @Test func otherFilesAreNoJournals() throws {
    try withFolder { folder in
      let path = folder + "/notes.txt"
      try Data("dear diary\n{}\n".utf8).write(to: URL(fileURLWithPath: path))
      let told = #expect(throws: GovernanceFaults.self) { _ = try journal(path) }
      #expect(told?.all.count == 2)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("dear diary\n{}\n".utf8))
    }
  }

  @Test func otherFilesWithoutALastLinesEndStayWhole() throws {
    try withFolder { folder in
      let path = folder + "/notes.txt"
      for text in ["dear diary", "{\"a\":1}", "{\"accounts\":[1]}", "\0\0"] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let told = #expect(throws: GovernanceFaults.self) { _ = try journal(path) }
        #expect(told?.description.contains("is it another file?") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(text.utf8))
      }
      // A line of ours, cut anywhere.
      try Data().write(to: URL(fileURLWithPath: path))
      try journal(path).write("111122223333", .begin)
      let line = try Data(contentsOf: URL(fileURLWithPath: path))
      for length in 1..<line.count {
        try line.prefix(length).write(to: URL(fileURLWithPath: path))
        #expect(try journal(path).tornBytes == length)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
      }
    }
  }

  @Test func lastTimeThatAThingWasRight() {
    var done = JournalEntry(at: 10, run: "r", account: "1", event: .result)
    (done.step, done.outcome) = ("a", .done)
    var failed = JournalEntry(at: 30, run: "r", account: "1", event: .result)
    (failed.step, failed.outcome) = ("a", .failed)
    var end = JournalEntry(at: 20, run: "r", account: "1", event: .end)
    end.steps = ["a", "b"]
    #expect(
      [done, end, failed].rightAt(of: "1") == ["a": "1970-01-01T00:00:20Z", "b": "1970-01-01T00:00:20Z"])
    #expect([done, end, failed].rightAt(of: "2").isEmpty)
  }

  // MARK: - Requests

  private static let filled = """
    id: payments
    account: "111122223333"
    name: payments
    environment: guardrail
    purpose: Card payments of the shop, production.
    data-class: confidential
    requester: {name: T. Ito, mail: ito@example.co.jp}
    owner: {name: A. Sato, mail: sato@example.co.jp, certificate: {name: cloud-owner, valid-until: 2027-03-31}}
    billing-contact: {name: B, mail: b@example.co.jp}
    budget-contact: {name: C, mail: c@example.co.jp}
    root-custody: {place: safe 3, keeper: {name: M. Ono, mail: ono@example.co.jp}, mfa: hardware}
    """
  private static let now = Int64(1_795_700_000)  // 2026-11-26

  /// Why an account mustn't be provisioned; nil = it may be.
  private static func refusal(
    _ folder: RequestFolder, of account: String, _ conditions: AccountConditions, today: CalendarDay
  ) throws -> String? {
    switch try folder.permission(for: account, conditions, today: today) {
    case .refused(let why):
      #expect(why.en != why.ja)
      return why.en
    case .approved(let by):
      #expect(by.hasPrefix("request payments, sha256:"))
      return nil
    }
  }

  @Test func requestIsApprovedOnlyAsItIs() throws {
    try withFolder { path in
      let folder = RequestFolder(path + "/requests")
      let conditions = try AccountConditions(AccountConditions.standardText)
      let today = CalendarDay(of: Self.now)
      let approver = Person(name: "R. Mori", mail: "mori@example.co.jp")
      let form = try AccountRequest(Self.filled)
      _ = try folder.add(form, now: Self.now)
      #expect(throws: GovernanceFaults.self) { try folder.add(form, now: Self.now) }
      var other = form
      other.id = "second"
      let told = #expect(throws: GovernanceFaults.self) { try folder.add(other, now: Self.now) }
      #expect(told?.description.contains("asked for already, by payments") == true)
      #expect(
        try Self.refusal(folder, of: form.account, conditions, today: today)
          == "its request payments isn't approved")
      #expect(
        try Self.refusal(folder, of: "444455556666", conditions, today: today)?.contains("no request") == true
      )

      // Who asks can't approve; nothing is written then.
      let file = path + "/requests/payments.yaml"
      let before = try String(contentsOfFile: file, encoding: .utf8)
      guard
        case .refused(let unmet) = try folder.approve(
          "payments", by: form.requester, conditions, now: Self.now)
      else {
        Issue.record("it was approved")
        return
      }
      #expect(unmet.map(\.condition) == ["approver"])
      #expect(try String(contentsOfFile: file, encoding: .utf8) == before)

      guard case .approved = try folder.approve("payments", by: approver, conditions, now: Self.now) else {
        Issue.record("it wasn't approved")
        return
      }
      #expect(try Self.refusal(folder, of: form.account, conditions, today: today) == nil)
      // Nobody takes a certificate that ran out.
      let later = CalendarDay(of: Self.now + 200 * 86_400)
      #expect(
        try Self.refusal(folder, of: form.account, conditions, today: later)?.contains(
          "ran out on 2027-03-31")
          == true)

      // Another owner than the one that was approved.
      let approved = try String(contentsOfFile: file, encoding: .utf8)
      try approved.replacing("sato@example.co.jp", with: "eve@example.co.jp").write(
        toFile: file, atomically: true, encoding: .utf8)
      #expect(
        try Self.refusal(folder, of: form.account, conditions, today: today)
          == "its request payments was changed after its approval")
      // Another approver, or another day.
      for (old, new) in [("mori@", "eve@"), ("R. Mori", "E. Eve"), ("at: \"2026-", "at: \"2025-")] {
        #expect(approved.contains(old), "\(old) in \(approved)")
        try approved.replacing(old, with: new).write(toFile: file, atomically: true, encoding: .utf8)
        #expect(
          try Self.refusal(folder, of: form.account, conditions, today: today)
            == "its request payments was changed after its approval")
      }
      // Blanks and order of a file are no change.
      try ("# a word\n" + approved).write(toFile: file, atomically: true, encoding: .utf8)
      #expect(try Self.refusal(folder, of: form.account, conditions, today: today) == nil)
      // No draft is left.
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: path + "/requests").sorted() == [
          ".lock", "payments.yaml",
        ])
    }
  }

  @Test func namesDoNotLeaveTheFolder() throws {
    try withFolder { path in
      _ = #expect(throws: GovernanceFaults.self) { try RequestFolder(path).request("../secret") }
    }
  }

  @Test func badFileIsToldBesideTheOthers() throws {
    try withFolder { path in
      let folder = RequestFolder(path)
      _ = try folder.add(try AccountRequest(Self.filled), now: Self.now)
      try "id: other\n".write(toFile: path + "/bad.yaml", atomically: true, encoding: .utf8)
      let (all, faults) = try folder.all()
      #expect(all.map(\.id) == ["payments"])
      #expect(faults.contains { $0.contains("bad.yaml:") && $0.contains("account") })
    }
  }
}
