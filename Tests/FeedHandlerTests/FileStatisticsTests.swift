// The figures of `kabuto stats`: counting, the JSON document, the report.

import FeedHandler
import FeedProtocols
import Foundation
import MarketData
import Testing

@Suite("Statistics")
struct FileStatisticsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func delete(_ reference: UInt64, locate: UInt16) -> [UInt8] {
    var writer = ByteWriter()
    OrderDelete(header: ITCHHeader(locate: locate, timestamp: 9), reference: OrderReference(reference))
      .encode(into: &writer)
    return writer.bytes
  }

  @Test func countsTimesInstrumentsAndBadMessages() throws {
    let messages = [
      system("O", time: 3_661_000_000_001), order(1, locate: 1), order(2, locate: 2), Array("Zz".utf8),
      delete(1, locate: 2), delete(1, locate: 9), order(3, locate: 2, time: 36_000_000_000_000),
    ]
    let path = try folder.file("f", framed(messages))
    let feed = try FeedFile(paths: [path])
    var told: [UInt64] = []
    let statistics = try FileStatistics.gather(from: feed) { done, total in told += [done, total] }
    #expect(statistics.messages == 6 && statistics.bad == 1 && !statistics.isClean)
    #expect(statistics.instruments == 3)
    #expect(told.suffix(2) == [feed.totalBytes, feed.totalBytes])
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(statistics.json().utf8)) as? [String: Any])
    #expect(json["first_time"] as? String == "01:01:01.000000001")
    #expect(json["last_time"] as? String == "10:00:00.000000000")
    #expect(json["types"] as? [String: Int] == ["S": 1, "A": 3, "D": 2])
    #expect(json["format"] as? String == "itch" && json["files"] as? [String] == [path])
    let bad = try #require((json["bad_messages"] as? [[String: Any]])?.first)
    #expect(bad["type"] as? String == "Z" && bad["offset"] as? Int == 90 && bad["file"] as? String == path)
    let again = try JSONDecoder().decode(FileStatistics.self, from: Data(statistics.json().utf8))
    #expect(again == statistics)
    #expect(statistics.report.contains("Add Order, No MPID Attribution"))
  }

  @Test func noMessageHasNoTime() throws {
    let path = try folder.file("f", capture([mold("S", 1, [])]))
    let json = try FileStatistics.gather(from: FeedFile(paths: [path])).json()
    #expect(json.contains("\"first_time\" : null") && json.contains("\"last_time_ns\" : null"))
  }

  @Test func listsAreBounded() throws {
    let path = try folder.file(
      "f", framed([order(1)] + [[UInt8]](repeating: [0x5a], count: 1_500) + [order(2)]))
    let statistics = try FileStatistics.gather(from: FeedFile(paths: [path]))
    #expect(statistics.bad == 1_500 && statistics.badMessages.count == 1_000 && statistics.messages == 2)
    #expect(statistics.report.contains("and 500 more"))
    #expect(try statistics.json().contains("\"bad_messages_left_out\" : 500"))
  }

  @Test func gapsSessionsAndDays() throws {
    let first = try folder.file("a", capture([mold("S", 1, [order(1)]), mold("S", 5, [order(2)])]))
    let statistics = try FileStatistics.gather(from: FeedFile(paths: [first]))
    #expect(statistics.sessions == ["S"] && statistics.missing == 3 && statistics.gapCount == 1)
    #expect(statistics.gaps.map { [$0.from, $0.through] } == [[2, 4]])
    let day = framed([system("O"), order(1)])
    let both = try folder.file("b", day + day)
    #expect(try FileStatistics.gather(from: FeedFile(paths: [both])).days == 2)
  }
}
