// The history's file: begun by several at once, replaced by another, gone.

import Foundation
import GuardRules
import Synchronization
import Testing

@testable import Governance

@Suite struct HistoryFileTests {
  @Test func severalBeginAHistoryAtOnce() throws {
    for _ in 0..<20 {
      let folder = try TestFolder()
      let path = folder.path
      let faults = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 6) { number in
        do throws(HistoryError) {
          let history = try FindingHistory(path)
          _ = try history.record(
            .made([.made(of: "b\(number)")], [("s3_public", .fail)]), scope: [region], source: "s\(number)",
            at: 1_000)
        } catch { faults.withLock { $0.append("\(error)") } }
      }
      #expect(faults.withLock { $0 } == [])
      #expect(try HistoryReader(folder.path).runs(limit: 10).count == 6)
    }
  }

  @Test func openingWaitsForATurn() throws {
    let folder = try TestFolder()
    let path = folder.file("governance.sqlite")
    let first = try HistoryOpening(path)
    let isFree = Mutex(false)
    let thread = Thread {
      usleep(200_000)
      isFree.withLock { $0 = true }
      first.end()
    }
    thread.start()
    let second = try HistoryOpening(path)
    #expect(isFree.withLock { $0 })
    second.end()
  }

  @Test func historyThatIsGoneIsNotWrittenOn() throws {
    let folder = try TestFolder()
    let data = folder.file("data")
    let history = try FindingHistory(data)
    let result = CheckResult.made([.made()], [("s3_public", .fail)])
    _ = try history.record(result, scope: [region], source: "scan", at: 1_000)
    try FileManager.default.removeItem(atPath: data)
    let gone = #expect(throws: HistoryError.self) {
      try history.record(result, scope: [region], source: "scan", at: 2_000)
    }
    #expect(gone?.found.contains("is gone") == true)
    // Nor is another one taken for it.
    _ = try FindingHistory(data).record(result, scope: [region], source: "scan", at: 3_000)
    #expect(throws: HistoryError.self) {
      try history.record(result, scope: [region], source: "scan", at: 4_000)
    }
    #expect(try HistoryReader(data).runs(limit: 10).count == 1)
  }

  @Test func tagOfAnotherHistoryIsNotThisOnes() throws {
    let folder = try TestFolder()
    let data = folder.file("data")
    let pages = HistoryPages(data, now: { 90_000 })
    var tags: [String] = []
    for count in 1...2 {
      try? FileManager.default.removeItem(atPath: data)
      _ = try FindingHistory(data).record(
        .made((0..<count).map { .made(of: "b\($0)") }, [("s3_public", .fail)]), scope: [region],
        source: "scan", at: 1_000)
      guard case .json(_, let tag) = pages.answer(["summary"], [:], tag: tags.last) else {
        Issue.record("no document for \(tags)")
        return
      }
      tags.append(tag)
    }
    #expect(Set(tags).count == 2)
    guard case .same = pages.answer(["summary"], [:], tag: tags[1]) else {
      Issue.record("its own tag is another one")
      return
    }
  }
}
