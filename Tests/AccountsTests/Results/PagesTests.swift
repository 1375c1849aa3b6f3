// The history as pages ask for it: documents, tags, cursors, and faults that say what was wanted.

import Foundation
import GuardRules
import Testing

@testable import Governance

@Suite struct PagesTests {
  private func pages(_ findings: [Finding]) throws -> (HistoryPages, TestFolder, FindingHistory) {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    _ = try history.record(
      .made(findings, [("s3_public", .fail)]), scope: [region], source: "scan", at: 1_000)
    return (HistoryPages(folder.path, now: { 90_000 }), folder, history)
  }

  private func document(_ answer: HistoryPages.Answer) throws -> ([String: Any], tag: String) {
    guard case .json(let bytes, let tag) = answer else { throw Unexpected(what: "\(answer)") }
    return (try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]), tag)
  }
  private struct Unexpected: Error { let what: String }

  private func status(_ answer: HistoryPages.Answer) -> Int {
    switch answer {
    case .json: 200
    case .same: 304
    case .problem(let status, _, _, _): status
    }
  }

  @Test func summaryCountsAndKeepsItsTag() throws {
    let (pages, folder, history) = try pages([
      .made(), .made(of: "b2", status: "UNKNOWN"), .made(of: "b3", severity: .critical),
    ])
    let (summary, tag) = try document(pages.answer(["summary"], [:], tag: nil))
    let open = try #require(summary["open"] as? [String: Int])
    #expect(
      open == ["critical": 1, "high": 1, "medium": 0, "low": 0, "info": 0, "unknown": 1, "excepted": 0])
    #expect((summary["week"] as? [String: Int]) == ["opened": 3, "fixed": 0])
    #expect((summary["runs"] as? [[String: Any]])?.first?["source"] as? String == "scan")
    #expect(status(pages.answer(["summary"], [:], tag: tag)) == 304)
    _ = try history.record(.made(), scope: [region], source: "scan", at: 2_000)
    #expect(status(pages.answer(["summary"], [:], tag: tag)) == 200)
    _ = folder
  }

  @Test func beforeTheFirstRunThereIsASummary() throws {
    let folder = try TestFolder()
    let pages = HistoryPages(folder.path, now: { 0 })
    let (summary, _) = try document(pages.answer(["summary"], [:], tag: nil))
    #expect(summary["open"] is NSNull)
    #expect(status(pages.answer(["findings"], [:], tag: nil)) == 404)
  }

  /// Two processes whose runs are kept in another order than that of their times, and an exception that covers what can't
  /// be told.
  @Test func courseEndsWithWhatTheSummarySays() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let untold = Finding.made(of: "b2", status: "UNKNOWN")
    _ = try history.record(
      .made([.made(), untold], [("s3_public", .fail)]), scope: [region], source: "scan", at: 2_000)
    let covered = Finding.made(of: "b2", status: "EXCEPTED", exception: "EX-1")
    _ = try history.record(
      .made([.made(), covered], [("s3_public", .fail)]), scope: [region], source: "scan", at: 1_000)
    let pages = HistoryPages(folder.path, now: { 5_000 })
    let (summary, _) = try document(pages.answer(["summary"], [:], tag: nil))
    let (trend, _) = try document(pages.answer(["trend"], ["days": "1", "points": "2000"], tag: nil))
    let points = try #require(trend["points"] as? [[String: Any]])
    #expect(points.count == 3)
    #expect((points[1]["open"] as? [String: Int])?["unknown"] == 1)
    let open = try #require(summary["open"] as? [String: Int])
    #expect(open["unknown"] == 0 && open["excepted"] == 1)
    #expect(points.last?["open"] as? [String: Int] == open)
    #expect(points.last?["at"] as? String == trend["to"] as? String)
  }

  @Test func eachRunIsAPointAsLongAsThereIsRoom() throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let day: Int64 = 86_400 * 200
    func run(_ at: Int64) throws {
      _ = try history.record(
        .made([.made()], [("s3_public", .fail)]), scope: [region], source: "scan", at: at)
    }
    // Five runs of one day, two of them in one second.
    for at in [0, 600, 600, 7_200, 7_260] as [Int64] { try run(day + at) }
    let reader = HistoryReader(folder.path)
    let end = day + 8_000
    #expect(try reader.trend(since: end - 90 * 86_400, until: end, most: 180).count == 5)
    // With more runs than points, spans are of the time that has runs.
    let few = try reader.trend(since: end - 90 * 86_400, until: end, most: 3).map(\.at)
    #expect(few == [600, 7_260].map { Timestamp.text(day + Int64($0)) })
    #expect(try reader.trend(since: 0, until: 5, most: 3).isEmpty)
    // What there was before is where it begins.
    #expect(try reader.trend(since: day + 100, until: end, most: 180).count == 5)
  }

  @Test func aFindingIsFoundByTheBeginningOfItsId() throws {
    let (_, folder, history) = try pages((0..<40).map { .made(of: "b\($0)") })
    let reader = HistoryReader(folder.path)
    let ids = try #require(try reader.findings(FindingFilter(), limit: 100)).findings.map(\.id)
    for id in ids {
      for count in 1...32 {
        let isOne = ids.count { $0.hasPrefix(id.prefix(count)) } == 1
        #expect(try reader.finding(String(id.prefix(count)))?.id == (isOne ? id : nil))
      }
    }
    #expect(try reader.finding("") == nil && reader.finding("xyz") == nil)
    _ = history
  }

  @Test func listsHaveCursors() throws {
    let (pages, folder, _) = try pages((0..<25).map { .made(of: "b\($0)") })
    var seen: [String] = []
    var cursor: String?
    repeat {
      var query = ["limit": "10", "severity": "high"]
      query["cursor"] = cursor
      let (page, _) = try document(pages.answer(["findings"], query, tag: nil))
      #expect(page["total"] as? Int == 25)
      seen += (page["findings"] as? [[String: Any]])?.compactMap { $0["id"] as? String } ?? []
      cursor = page["next"] as? String
    } while cursor != nil
    #expect(Set(seen).count == 25 && seen.count == 25)
    let (detail, _) = try document(pages.answer(["findings", seen[0]], [:], tag: nil))
    #expect((detail["finding"] as? [String: Any])?["id"] as? String == seen[0])
    #expect((detail["events"] as? [[String: Any]])?.map { $0["kind"] as? String } == ["opened"])
    let (rules, _) = try document(pages.answer(["rules"], [:], tag: nil))
    #expect((rules["rules"] as? [[String: Any]])?.first?["name"] as? String == "s3_public")
    let (accounts, _) = try document(pages.answer(["accounts"], ["limit": "1"], tag: nil))
    #expect((accounts["accounts"] as? [[String: Any]])?.first?["region"] as? String == "eu-west-1")
    let (trend, _) = try document(pages.answer(["trend"], ["days": "30"], tag: nil))
    #expect((trend["points"] as? [[String: Any]])?.count == 1)
    _ = folder
  }

  @Test(arguments: [
    (["findings"], ["limit": "0"]), (["findings"], ["severity": "grave"]), (["findings"], ["state": "x"]),
    (["findings"], ["cursor": "nonsense"]), (["findings"], ["cursor": "1.2"]),
    (["findings"], ["colour": "red"]),
    (["findings"], ["sort": "x"]), (["findings"], ["status": "fail"]), (["trend"], ["days": "-1"]),
    (["rules"], ["cursor": "-1"]), (["summary"], ["x": "1"]),
  ])
  func badQuestionsAreFaults(_ path: [String], _ query: [String: String]) throws {
    let (pages, folder, _) = try pages([.made()])
    guard case .problem(let status, let type, let detail, let faults) = pages.answer(path, query, tag: nil)
    else {
      Issue.record("\(path) \(query) was answered")
      return
    }
    #expect(status == 400 && type == "bad-parameter" && faults.count == 1)
    #expect(detail.contains("wanted"))
    _ = folder
  }

  @Test(arguments: [
    ["nothing"], ["findings", "zz"], ["findings", "0123456789"], ["findings", "a", "b"], [],
  ])
  func whatIsNotThereIsNotFound(_ path: [String]) throws {
    let (pages, folder, _) = try pages([.made()])
    #expect(status(pages.answer(path, [:], tag: nil)) == 404)
    _ = folder
  }
}
