// Messages on their way: whole lines only, pauses where nobody answers, and what faults never show.

import Foundation
import GRDB
import GuardRules
import Testing

@testable import Governance

@Suite struct DeliveryTests {
  private func history(
    _ folder: TestFolder, _ targets: [NotificationTarget], _ resource: String = "bucket-1", at: Int64 = 1_000
  ) throws -> FindingHistory {
    let history = try FindingHistory(folder.path)
    var extra = RunExtra()
    extra.targets = targets
    _ = try history.record(
      .made([.made(of: resource)], [("s3_public", .fail)]), scope: [region], source: "scan", at: at, extra)
    return history
  }

  private func deliver(
    _ history: FindingHistory, _ targets: [NotificationTarget], at: Int64 = 1_001, attempts: Int = 1,
    goesOn: Bool = false
  ) async throws -> DeliveryReport {
    try await NotificationDelivery(
      history, targets, environment: [:], attempts: attempts, goesOn: goesOn, now: { at }
    ).run()
  }

  // MARK: - Files

  private func lines(_ path: String) throws -> [String] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  private func isJSON(_ line: String) -> Bool {
    (try? JSONSerialization.jsonObject(with: Data(line.utf8))) is [String: Any]
  }

  @Test(arguments: [NotificationTarget.Form.json, .text]) func lineIsNeverGluedToATornOne(
    form: NotificationTarget.Form
  ) async throws {
    let folder = try TestFolder()
    let path = folder.file("log")
    try Data("torn by somebody else".utf8).write(to: URL(fileURLWithPath: path))
    var target = NotificationTarget(name: "log", destination: .file(path))
    target.form = form
    let history = try history(folder, [target])
    #expect(try await deliver(history, [target]).sent == 1)
    #expect(try lines(path).map(isJSON) == [false, true])
  }

  @Test func halfALineIsNoMessageThoughAnotherStandsBehindIt() async throws {
    let folder = try TestFolder()
    let path = folder.file("log")
    let target = NotificationTarget(name: "log", destination: .file(path))
    let history = try history(folder, [target])
    #expect(try await deliver(history, [target]).sent == 1)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    // Cut off behind its id, and glued to what somebody else wrote.
    try await history.queue.write { try $0.execute(sql: "UPDATE message SET sent = NULL") }
    try (whole.dropLast(10) + Data("{\"id\":\"x\"}\n".utf8)).write(to: URL(fileURLWithPath: path))
    #expect(try await deliver(history, [target]).sent == 1)
    #expect(try lines(path).map(isJSON) == [false, true])
    // What is whole isn't written again, wherever it stands.
    try await history.queue.write { try $0.execute(sql: "UPDATE message SET sent = NULL") }
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("torn".utf8))
    try handle.close()
    #expect(try await deliver(history, [target]).sent == 1)
    #expect(try lines(path).map(isJSON) == [false, true, false])
  }

  // MARK: - Pauses

  @Test func whoGoesOnLeavesAMessageAloneForAWhile() async throws {
    let folder = try TestFolder()
    let service = try await PlayedService { _, _ in Said(status: 503) }
    let target = NotificationTarget(name: "hook", destination: .webhook("\(service.origin)/x"))
    let history = try history(folder, [target])
    var tries: [Int64] = []
    for at in stride(from: 1_001 as Int64, to: 30_000, by: 10) {
      let before = service.asked.count
      let report = try await deliver(history, [target], at: at, goesOn: true)
      if service.asked.count > before {
        tries.append(at)
        #expect(report.faults.count == 1 && report.faults[0].contains("tried again in"))
      } else {
        #expect(report == DeliveryReport())
      }
    }
    let pauses = zip(tries, tries.dropFirst()).map { $1 - $0 }
    #expect(pauses.prefix(8) == [60, 120, 240, 480, 960, 1_920, 3_600, 3_600])
    #expect(pauses.dropFirst(8).allSatisfy { $0 == 3_600 })
    // Who is asked to tries it all the same.
    let before = service.asked.count
    let report = try await deliver(history, [target], at: (tries.last ?? 0) + 1)
    #expect(service.asked.count == before + 1 && report.faults[0].contains("at the next run"))
    try await service.end()
  }

  @Test func cancelledDeliveryLeavesMessagesAsTheyAre() async throws {
    let folder = try TestFolder()
    let path = folder.file("log")
    let target = NotificationTarget(name: "log", destination: .file(path))
    let history = try history(folder, [target])
    let delivering = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await deliver(history, [target])
    }
    #expect(try await delivering.value == DeliveryReport(waiting: 1))
    #expect(try await deliver(history, [target]).sent == 1)
  }

  @Test(arguments: [
    ("8", 8), ("0", 0), ("-1", 0), ("Thu, 01 Jan 1970 00:16:48 GMT", 8), ("Thu, 01 Jan 1970 00:00:01 GMT", 0),
    ("99999999999999999999", Int.max), ("soon", nil), ("", nil),
  ]) func retryAfterIsANumberOrADate(text: String, seconds: Int?) {
    #expect(RetryAfter.seconds(text, now: 1_000) == seconds)
  }

  @Test func whoWantsALongPauseIsLeftAloneInThisRun() async throws {
    let folder = try TestFolder()
    for (wanted, least) in [("90", 90), ("9223372036854775807", 7 * 86_400)] as [(String, Int64)] {
      let service = try await PlayedService { _, _ in
        Said(status: 429, headers: [("Retry-After", wanted)])
      }
      let target = NotificationTarget(name: "hook\(wanted)", destination: .webhook("\(service.origin)/x"))
      let history = try history(folder, [target], "bucket-\(wanted)")
      let report = try await deliver(history, [target], attempts: 4, goesOn: true)
      #expect(service.asked.count == 1)
      #expect(report.faults.count == 1 && report.faults[0].contains("in \(least) s"))
      try await service.end()
    }
  }

  @Test func lockThatCanNotBeOpenedIsToldAsSuch() async throws {
    let folder = try TestFolder()
    let target = NotificationTarget(name: "log", destination: .file(folder.file("log")))
    let history = try history(folder, [target])
    let held = try DeliveryLock(history.path + ".notify.lock")
    #expect(try await deliver(history, [target]).faults[0].contains("another process"))
    held.release()
    try FileManager.default.removeItem(atPath: history.path + ".notify.lock")
    try FileManager.default.createDirectory(
      atPath: history.path + ".notify.lock", withIntermediateDirectories: true)
    let faults = try await deliver(history, [target]).faults
    #expect(faults.count == 1 && faults[0].contains("can't be opened: Is a directory"))
    #expect(!faults[0].contains("another process"))
  }

  // MARK: - Texts

  @Test(arguments: [
    ("[click](https://evil.example/x)", "[click] (https: //evil.example/x)"),
    ("![a](HTTP://evil.example)", "![a] (HTTP: //evil.example)"), ("www.evil.example", "www .evil.example"),
    (#"aws_s3_bucket.b["x"]"#, #"aws_s3_bucket.b["x"]"#),
    ("arn:aws:s3:::bucket/a", "arn:aws:s3:::bucket/a"), ("arn:aws:x:::/a", "arn:aws:x::: /a"),
  ]) func namesBecomeNoLinks(name: String, text: String) {
    #expect(ChangeMessage.plain(name) == text)
  }

  private func faults(_ words: [String]) -> [String] {
    do throws(GovernanceFaults) {
      _ = try NotificationTarget.read(words)
      return []
    } catch { return error.all }
  }

  @Test func addressesInTheWrongPlaceAreNotShown() throws {
    let folder = try TestFolder()
    let path = folder.file("targets.yaml")
    try Data(
      """
      targets:
        - {name: a, sns: 'https://hooks.example.com/S3CRET'}
        - {name: b, sns: hooks.example.com/S3CRET}
        - {name: c, file: x, format: 'https://hooks.example.com/S3CRET'}
        - {name: d, file: x, language: hooks.example.com/S3CRET, severity: grave}
        - {name: e, file: x, exception_days: 'https://hooks.example.com/S3CRET'}
        - {name: f, file: x, 'https://hooks.example.com/S3CRET': y}
        - {name: g, sns: 'arn:aws:sns:eu-west-1:1:t'}
      """.utf8
    ).write(to: URL(fileURLWithPath: path))
    let all = faults([path])
    #expect(all.count == 8, "\(all)")
    #expect(!all.joined().contains("S3CRET"), "\(all)")
    #expect(all.contains { $0.contains("sns: a text that is no ARN") })
    #expect(all.contains { $0.contains("an address that isn't shown; wanted exception_days") })
    #expect(all.contains { $0.contains("severity: grave") })
    #expect(all.contains { $0.contains("arn:aws:sns:eu-west-1:1:t") })
    for word in ["hooks.slack.com/services/S3CRET", "//hooks.slack.com/services/S3CRET"] {
      let told = faults([word])
      #expect(told.count == 1 && !told[0].contains("S3CRET") && told[0].contains("https://HOST"))
    }
    // What is meant as a file is named.
    for word in ["conf.d/S3CRET.yaml", "./x.d/S3CRET", "S3CRET.txt", "/etc/x.d/S3CRET"] {
      #expect(faults([word]).first?.contains("S3CRET") == true)
    }
  }
}
