import FeedProtocols
import Foundation
import MarketData
import Testing

@testable import TickerPlant

/// Ten levels of a book as text, as in LOBSTER's files. Only what changed is written anew: a day has 150,000 rows.
private struct BookRow {
  private var asks = [PriceLevel?](repeating: nil, count: 10)
  private var bids = [PriceLevel?](repeating: nil, count: 10)
  private var texts = [[UInt8]](repeating: Array(",9999999999,0,-9999999999,0".utf8), count: 10)

  mutating func take(_ plant: borrowing TickerPlant, _ index: Int) {
    for depth in 0..<10 {
      let ask = plant.level(depth, of: index, side: .sell)
      let bid = plant.level(depth, of: index, side: .buy)
      if ask == asks[depth], bid == bids[depth] { continue }
      asks[depth] = ask
      bids[depth] = bid
      let left = ask.map { "\($0.price),\($0.size)" } ?? "9999999999,0"
      let right = bid.map { "\($0.price),\($0.size)" } ?? "-9999999999,0"
      texts[depth] = Array(",\(left),\(right)".utf8)
    }
  }

  func append(to bytes: inout [UInt8]) { for text in texts { bytes += text } }
}

@Suite struct RealDayTests {
  @Test(.enabled(if: TestData.hasGoogleDay, "the real day isn't here"))
  func everyBookOfARealDayEqualsTheKnownAnswer() throws {
    let feed = try TestData.unpacked("itch/goog-2012-06-21.itch.gz")
    let answers = try TestData.unpacked("itch/goog-2012-06-21.books.csv.gz")
    let box = Box(market: "XNAS", date: "2012-06-21", expectedOrders: 1 << 14)
    var row = BookRow()
    var line: [UInt8] = []
    var (offset, answer, number, rows) = (0, 0, 0, 0)
    feed.withUnsafeBytes { feed in
      answers.withUnsafeBytes { answers in
        while answer < answers.count {
          // A row names the message after which it holds.
          var wanted = 0
          var digits = answer + 5
          while answers[digits] != UInt8(ascii: ",") {
            wanted = wanted * 10 + Int(answers[digits] - 0x30)
            digits += 1
          }
          while number < wanted, offset < feed.count {
            let length = 2 + Int(feed[offset]) << 8 + Int(feed[offset + 1])
            number += 1
            _ = box.plant.apply(
              framed: UnsafeRawBufferPointer(rebasing: feed[offset..<offset + length]),
              firstSequence: UInt64(number))
            offset += length
            if box.plant.updates.bytes.count > 1 << 16 { box.plant.updates.removeAll() }
          }
          row.take(box.plant, 0)
          line.removeAll(keepingCapacity: true)
          row.append(to: &line)
          let end = digits + line.count
          let isEqual =
            end <= answers.count
            && memcmp(
              Array(line), answers.baseAddress.map { $0 + digits } ?? UnsafeRawPointer(line), line.count) == 0
            && (end == answers.count || answers[end] == 0x0a || answers[end] == 0x0d)
          guard isEqual else {
            Issue.record("row \(rows + 1), message \(wanted): \(String(decoding: line, as: UTF8.self))")
            return
          }
          rows += 1
          answer = end
          while answer < answers.count, answers[answer] == 0x0a || answers[answer] == 0x0d { answer += 1 }
        }
      }
    }
    #expect(rows == 147_916)
    #expect(box.plant.code(of: 0).description == "GOOG")
    #expect(box.plant.counters.unknownOrders == 0 && box.plant.counters.malformed == 0)
    #expect(box.plant.counters.impossibleSizes == 0 && box.plant.counters.duplicateOrders == 0)
  }
}
