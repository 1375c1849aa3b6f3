// Who is told what, once: targets from a file, what a message says, and an outbox that loses nothing.

import Crypto
import Foundation
import GRDB
import GuardRules
import Testing

@testable import Governance

@Suite struct NotificationTests {
  private func read(_ text: String) throws -> [NotificationTarget] {
    let folder = try TestFolder()
    let path = folder.file("targets.yaml")
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    do { return try NotificationTarget.read([path]) } catch {
      throw GovernanceFaults(error.all.map { $0.replacingOccurrences(of: path, with: "targets.yaml") })
    }
  }

  @Test func targetsAreRead() throws {
    let targets = try read(
      """
      targets:
        - name: ops
          url: https://hooks.example.com/services/T0/B0
          format: text
          language: ja
          severity: critical
          exception_days: 30
          secret_environment: OPS_SECRET
        - {name: log, file: /var/log/findings.jsonl}
      """)
    #expect(targets.map(\.name) == ["ops", "log"])
    #expect(targets[0].destination == .webhook("https://hooks.example.com/services/T0/B0"))
    #expect(targets[0].secret == .environment("OPS_SECRET") && targets[0].severity == .critical)
    #expect(targets[0].language == .japanese && targets[0].form == .text && targets[0].exceptionDays == 30)
    #expect(targets[1].severity == .high && targets[1].form == .json && targets[1].secret == nil)
    let words = try NotificationTarget.read(["https://hooks.example.com/secret/path", "file:/tmp/x"])
    #expect(!words[0].name.contains("secret"))
    #expect(words[1].destination == .file("/tmp/x"))
  }

  @Test func allFaultsOfAFileAreTold() throws {
    let error = #expect(throws: GovernanceFaults.self) {
      try self.read(
        """
        targets:
          - name: a
            url: ftp://example.com
            severity: grave
            colour: red
          - file: x
          - {name: b, url: "https://example.com/", file: y}
          - {name: c, file: z, exception_days: 9999}
        """)
    }
    let faults = try #require(error?.all)
    #expect(faults.count == 6, "\(faults)")
    #expect(faults.allSatisfy { $0.hasPrefix("targets.yaml:") && $0.contains("wanted") })
    #expect(faults.contains { $0.contains("targets.yaml:4:") && $0.contains("severity: grave") })
    #expect(throws: GovernanceFaults.self) { try NotificationTarget.read(["sns:arn:aws:sns:eu-west-1:1:t"]) }
    #expect(throws: GovernanceFaults.self) { try NotificationTarget.read(["file:/a", "file:/a"]) }
  }

  @Test(arguments: [
    "HTTPS:/hooks.example.com/services/S3CRET", "https:/hooks.example.com/S3CRET", "https//x/S3CRET",
    "http://hooks.example.com/S3CRET", "htps://hooks.example.com/S3CRET",
    "HTTP://127.0.0.1.example.com/S3CRET",
    "https://",
  ]) func mistypedAddressIsNeverShown(word: String) {
    let error = #expect(throws: GovernanceFaults.self) { try NotificationTarget.read([word]) }
    #expect(
      error?.description.contains("S3CRET") == false && error?.description.contains("https://HOST") == true)
  }

  @Test func addressesAreTakenInAnyLetterCaseAndPlainOnesOfThisMachine() throws {
    for word in [
      "HTTPS://hooks.example.com/S3CRET", "http://127.0.0.1:8080/S3CRET", "http://localhost/S3CRET",
    ] {
      let target = try #require(try NotificationTarget.read([word]).first)
      #expect(target.destination == .webhook(word) && !target.name.contains("S3CRET"))
    }
    #expect(throws: GovernanceFaults.self) {
      try self.read("targets: [{name: a, url: 'http://hooks.example.com/x'}]")
    }
  }

  @Test func namesAreNeitherMentionsNorLinks() {
    var change = HistoryChange()
    let folder = try? TestFolder()
    let history = folder.flatMap { try? FindingHistory($0.path) }
    let finding = Finding.made(of: "<!channel> <https://evil.example|x> @here `a` & b", title: "<b>\n@all")
    let made = try? history?.record(
      .made([finding], [("s3_public", .fail)]), scope: [region], source: "scan", at: 1)
    change.opened = made?.opened ?? []
    let target = NotificationTarget(name: "n", destination: .file("/x"))
    let message = ChangeMessage(
      change, [ExceptionEnd(id: "e", ends: "1970-01-02", owner: "<!here>")], target, source: "scan", at: 1
    ) { _ in false }
    let text = message?.text ?? ""
    #expect(text.contains("&lt;!channel&gt;") && text.contains("&amp; b") && text.contains("&lt;!here&gt;"))
    #expect(!text.contains("<") && !text.contains("@") && !text.contains("`"))
  }

  private func target(_ path: String) -> NotificationTarget {
    NotificationTarget(name: "log", destination: .file(path))
  }

  private func record(
    _ history: FindingHistory, _ findings: [Finding], _ targets: [NotificationTarget], at: Int64,
    _ exceptions: [ExceptionEnd] = []
  ) throws {
    var extra = RunExtra()
    extra.targets = targets
    extra.exceptions = exceptions
    let rules: [(String, RuleStatus)] = [("s3_public", findings.isEmpty ? .pass : .fail)]
    _ = try history.record(.made(findings, rules), scope: [region], source: "scan", at: at, extra)
  }

  private func deliver(
    _ history: FindingHistory, _ targets: [NotificationTarget], at: Int64, attempts: Int = 2,
    _ environment: [String: String] = [:]
  ) async throws -> DeliveryReport {
    try await NotificationDelivery(
      history, targets, environment: environment, attempts: attempts, now: { at }
    ).run()
  }

  private func lines(_ path: String) throws -> [[String: Any]] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    return try text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func onlyChangesAreToldOnce() async throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let targets = [target(folder.file("told.jsonl"))]
    let grave = Finding.made()
    try record(history, [grave, .made(of: "b2", severity: .low)], targets, at: 1_000)
    #expect(try await deliver(history, targets, at: 1_001) == DeliveryReport(sent: 1))
    // The same again: nothing to tell.
    try record(history, [grave, .made(of: "b2", severity: .low)], targets, at: 2_000)
    #expect(try await deliver(history, targets, at: 2_001) == DeliveryReport())
    try record(history, [], targets, at: 3_000)
    try record(history, [grave], targets, at: 4_000)
    try record(history, [grave, .made(of: "b3", status: "UNKNOWN", severity: .info)], targets, at: 5_000)
    #expect(try await deliver(history, targets, at: 5_001).sent == 2)
    let told = try lines(folder.file("told.jsonl"))
    let kinds = told.map { ($0["groups"] as? [[String: Any]])?.compactMap { $0["kind"] as? String } ?? [] }
    #expect(kinds == [["opened"], ["reopened"], ["unknown"]])
    let first = (told[0]["groups"] as? [[String: Any]])?.first
    #expect(first?["count"] as? Int == 1, "low isn't told from high on")
    #expect(
      (told[0]["text"] as? String)?.contains(
        "[high] Buckets aren't public — bucket-1 (aws:111122223333/eu-west-1)") == true)
  }

  @Test func endsOfExceptionsAreToldOnce() async throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    var target = target(folder.file("told.jsonl"))
    target.language = .japanese
    let day: Int64 = 86_400
    let exceptions = [
      ExceptionEnd(id: "EX-1", ends: "1970-01-20", owner: "sato"),
      ExceptionEnd(id: "EX-2", ends: "1970-03-01"),
      ExceptionEnd(id: "EX-0", ends: "1970-01-02"),
    ]
    try record(history, [], [target], at: 3 * day, exceptions)
    try record(history, [], [target], at: 8 * day, exceptions)
    try record(history, [], [target], at: 9 * day, exceptions)
    #expect(try await deliver(history, [target], at: 9 * day).sent == 1)
    let told = try lines(folder.file("told.jsonl"))
    #expect((told[0]["exceptions"] as? [[String: Any]])?.map { $0["id"] as? String } == ["EX-1"])
    #expect((told[0]["text"] as? String)?.contains("例外 EX-1 は 1970-01-20 に期限切れ(あと11日、責任者 sato)") == true)
  }

  @Test func longListsAreCutWithANumber() async throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let targets = [target(folder.file("told.jsonl"))]
    try record(history, (0..<300).map { .made(of: "b\($0)") }, targets, at: 1_000)
    _ = try await deliver(history, targets, at: 1_001)
    let told = try #require(try lines(folder.file("told.jsonl")).first)
    let group = try #require((told["groups"] as? [[String: Any]])?.first)
    #expect(group["count"] as? Int == 300 && (group["findings"] as? [Any])?.count == 50)
    #expect((told["text"] as? String)?.contains("… and 280 more") == true)
  }

  @Test func lineThatWasWrittenBeforeDeathIsNotWrittenAgain() async throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let targets = [target(folder.file("told.jsonl"))]
    try record(history, [.made()], targets, at: 1_000)
    _ = try await deliver(history, targets, at: 1_001)
    // As if the process had died between the line and the mark.
    try await history.queue.write { try $0.execute(sql: "UPDATE message SET sent = NULL") }
    #expect(try await deliver(history, targets, at: 1_002).sent == 1)
    #expect(try lines(folder.file("told.jsonl")).count == 1)
    // And as if it had died within the line.
    try await history.queue.write { try $0.execute(sql: "UPDATE message SET sent = NULL") }
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder.file("told.jsonl")))
    try whole.prefix(40).write(to: URL(fileURLWithPath: folder.file("told.jsonl")))
    #expect(try await deliver(history, targets, at: 1_003).sent == 1)
    let text = try String(contentsOfFile: folder.file("told.jsonl"), encoding: .utf8)
    let last = try #require(text.split(separator: "\n").last)
    #expect(try JSONSerialization.jsonObject(with: Data(last.utf8)) is [String: Any])
  }

  @Test func webhookIsSignedAndTriedAgain() async throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let service = try await PlayedService { _, number in Said(status: number == 1 ? 503 : 200) }
    var target = NotificationTarget(name: "hook", destination: .webhook("\(service.origin)/very/secret"))
    target.secret = .environment("HOOK")
    try record(history, [.made()], [target], at: 1_000)
    let report = try await deliver(history, [target], at: 1_700, ["HOOK": "s3cret\n"])
    #expect(report == DeliveryReport(sent: 1))
    let asked = service.asked
    #expect(asked.count == 2)
    let bodies = Set(asked.map(\.body))
    #expect(bodies.count == 1, "what is told doesn't change")
    #expect(Set(asked.compactMap { $0.header("kabuto-message-id") }).count == 1)
    let body = try #require(asked.last?.body)
    let code = HMAC<SHA256>.authenticationCode(
      for: Data("1700.\(body)".utf8), using: SymmetricKey(data: Data("s3cret".utf8)))
    #expect(asked.last?.header("kabuto-signature") == "t=1700,v1=\(HexText.of(code))")
    #expect(!body.contains("s3cret"))
    try await service.end()
  }

  @Test func messageWaitsOrIsGivenUp() async throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let service = try await PlayedService { _, _ in Said(status: 404) }
    let refused = NotificationTarget(name: "refused", destination: .webhook("\(service.origin)/a"))
    let silent = NotificationTarget(name: "silent", destination: .webhook("http://127.0.0.1:1/very/secret"))
    var unsigned = NotificationTarget(name: "unsigned", destination: .webhook("\(service.origin)/b"))
    unsigned.secret = .environment("MISSING")
    let all = [refused, silent, unsigned]
    try record(history, [.made()], all, at: 1_000)
    let report = try await deliver(history, all, at: 1_001, attempts: 1)
    #expect((report.sent, report.waiting, report.givenUp) == (0, 2, 1))
    #expect(report.faults.count == 3)
    #expect(!report.faults.joined().contains("secret/") && !report.faults.joined().contains("very"))
    #expect(service.asked.count == 1, "nothing is sent without a signature that is wanted")
    // After a week nobody waits any more.
    let late = try await deliver(history, all, at: 1_001 + 8 * 86_400, attempts: 1)
    #expect((late.sent, late.waiting, late.givenUp) == (0, 0, 2))
    #expect(try await deliver(history, all, at: 1_002 + 8 * 86_400, attempts: 1) == DeliveryReport())
    try await service.end()
  }
}
