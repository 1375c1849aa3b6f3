// Reference files as somebody's script might write them: damaged JSON, other types, other numbers. Each is read or
// refused with faults that name a place; what is read has no fault, and says the same when it is written and read.

import FeedHandler
import Foundation
import MarketData
import Testing

@Suite("Reference files Fuzz") struct ReferenceFuzzTests {
  private static let good = """
    {"market":"XTKS","name":{"ja":"東証","en":"Tokyo"},"currency":"JPY","time_zone":"Asia/Tokyo","date":"2026-11-24",
    "simulated":true,"sessions":[{"open":32400,"close":41400}],
    "tick_tables":{"a":{"bands":[{"up_to":3000,"tick":1},{"tick":5}]}},"reasons":{"SQAK":"sequential_ask"},
    "instruments":[{"code":"7203","name":{"ja":"トヨタ","en":"Toyota"},"lot":100,"reference":2345.5,
    "limit_up":2845.5,"limit_down":1845.5,"tick_table":"a","previous_close":2300},{"code":"6758"}]}
    """
  private static let values = [
    "null", "true", "-1", "0", "1e400", "1e-400", "0.00001", "9223372036854775807", "1e30", "\"\"",
    "\"7203\"", "[]",
    "{}", "[[[[]]]]", "\"2026-02-30\"", "\"\\ud800\"", "\"株\"", "NaN", "{\"code\":\"A\"}",
  ]

  @Test func aFileIsReadWholeOrRefusedWithItsFaults() {
    var random = generator("reference files")
    let pieces = Self.good.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map(
      Array.init)
    var (read, refused) = (0, 0)
    fuzz(rounds: 1_500) {
      var parts = pieces
      for _ in 0..<random.next() % 4 {
        let place = Int(random.next() % UInt64(parts.count))
        switch random.next() % 5 {
        case 0: parts.remove(at: place)
        case 1: parts.insert(parts[Int(random.next() % UInt64(parts.count))], at: place)
        case 2:
          // Another value of the field.
          if let colon = parts[place].lastIndex(of: UInt8(ascii: ":")) {
            let value = Self.values[Int(random.next() % UInt64(Self.values.count))]
            parts[place].replaceSubrange(parts[place].index(after: colon)..., with: Array(value.utf8))
          }
        case 3 where !parts[place].isEmpty:
          let offset = Int(random.next() % UInt64(parts[place].count))
          parts[place][offset] = UInt8(truncatingIfNeeded: random.next())
        default:
          parts[place].append(
            contentsOf: (0..<random.next() % 4).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        }
        if parts.isEmpty { parts = pieces }
      }
      let bytes = Array(parts.joined(separator: [UInt8(ascii: ",")]))
      do throws(ReferenceFileError) {
        let reference = try ReferenceFile.read(bytes, path: "f")
        read += 1
        #expect(reference.faults().isEmpty)
        let again = try? JSONEncoder().encode(reference)
        #expect(again.flatMap { try? JSONDecoder().decode(ReferenceData.self, from: $0) } != nil)
      } catch {
        refused += 1
        #expect(!error.faults.isEmpty && error.faults.allSatisfy { !$0.isEmpty })
        #expect(error.faults.count <= 250)
      }
    }
    #expect(read > 50 && refused > 200, "read \(read), refused \(refused)")
  }
}
