import Foundation
import MarketData
import Testing

@testable import Distribution

@Suite struct JSONWriterTests {
  private func written(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter(capacity: 1)
    body(&writer)
    return writer.text
  }

  @Test func unsignedIntegersAreExact() {
    var random = generator("unsigned")
    var values: [UInt64] = [
      0, 9, 10, 99, 100, .max, .max - 1, 1 << 63, 9_999_999_999_999_999_999, 10_000_000_000_000_000_000,
    ]
    for _ in 0..<500 { values.append(random.next() >> UInt64(random.below(64))) }
    for value in values { #expect(written { $0.integer(value) } == String(value)) }
  }

  @Test func signedIntegersAreExact() {
    var random = generator("signed")
    var values: [Int64] = [0, -1, .min, .max, .min + 1, -10]
    for _ in 0..<500 { values.append(Int64(bitPattern: random.next()) >> Int64(random.below(64))) }
    for value in values { #expect(written { $0.integer(value) } == String(value)) }
  }

  @Test func decimalsAreExactAndWithoutTrailingZeros() {
    #expect(written { $0.decimal(23_455_000 as Int64) } == "2345.5")
    #expect(written { $0.decimal(-1 as Int64) } == "-0.0001")
    #expect(written { $0.decimal(UInt64.max) } == "1844674407370955.1615")
    #expect(written { $0.decimal(Int64.min) } == "-922337203685477.5808")
    #expect(written { $0.decimal(-250 as Int64, decimals: 2) } == "-2.5")
    #expect(written { $0.decimal(0 as UInt64) } == "0")
    #expect(written { $0.decimal(5 as UInt64, decimals: 0) } == "5")
    #expect(written { $0.price(.min) } == "null")
    var random = generator("decimals")
    for _ in 0..<500 {
      let units = Int64(bitPattern: random.next()) >> Int64(random.below(60))
      #expect(written { $0.decimal(units) } == Price(units: units).description)
    }
  }

  @Test func textSurvivesAsFoundationReadsIt() throws {
    var random = generator("text")
    let scalars: [Unicode.Scalar] = [
      "\"", "\\", "/", "\n", "\r", "\t", "\u{0}", "\u{1f}", "\u{7f}", "é", "株", "🗾", "\u{2028}", "\u{ffff}",
    ]
    for _ in 0..<300 {
      var text = ""
      for _ in 0..<random.below(20) {
        text.unicodeScalars.append(
          random.chance(50) ? random.pick(scalars) : Unicode.Scalar(UInt8(0x20 + random.below(95))))
      }
      let json = written { writer in
        writer.raw("[")
        writer.string(text)
        writer.raw("]")
      }
      let read = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String]
      #expect(read == [text], "\(Array(text.unicodeScalars))")
    }
  }

  @Test func timesAreAsTheDayWritesThem() throws {
    var random = generator("times")
    let day = TradingDay(date: try #require(CalendarDate("2026-11-24")), utcOffsetSeconds: 19_800)
    let stamp = JSONWriter.DayStamp(day)
    var times: [UInt64] = [0, 86_399_999_999_999, 86_400_000_000_000, 281_474_976_710_655]
    for _ in 0..<300 { times.append(random.next() % 90_000_000_000_000) }
    for time in times {
      #expect(written { stamp.write(time, into: &$0) } == "\"\(day.text(ofNanosecondsSinceMidnight: time))\"")
    }
  }

  @Test func codesAreTheirDescriptionsEscaped() throws {
    var random = generator("codes")
    for number in 0..<400 {
      let raw =
        number % 2 == 0 ? random.next() : random.next() & 0x5f5f_5f5f_5f5f_5f5f | 0x2020_2020_2020_2020
      let code = InstrumentCode(raw)
      #expect(written { $0.code(code) } == written { $0.string(code.description) }, "\(raw)")
    }
    for text in ["A", "7203", "ABCDEFGH", "\"\\"] {
      let code = try #require(InstrumentCode(text))
      #expect(written { $0.code(code) } == written { $0.string(text) })
    }
    #expect(written { $0.code(InstrumentCode(0x2020_2020_2020_2020)) } == "\"\"")
  }

  @Test func theBlockGrowsWithoutLosingAByte() {
    var writer = JSONWriter(capacity: 1)
    var wanted = ""
    for number in 0..<3_000 as Range<UInt64> {
      writer.integer(number)
      writer.raw(",")
      wanted += "\(number),"
    }
    #expect(writer.text == wanted)
    writer.removeAll()
    #expect(writer.count == 0)
    writer.boolean(true)
    writer.byte(0x2c)
    writer.direction(-1)
    #expect(writer.text == "true,\"down\"")
  }
}
