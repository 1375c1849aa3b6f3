import Foundation
import MarketData
import Testing

@Suite struct CalendarDateTests {
  private let utc: Calendar = {
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .gmt
    return calendar
  }()

  @Test func datesAgreeWithFoundation() throws {
    var random = generator("datesAgreeWithFoundation")
    var days = Array(-30...40_000).filter { $0 % 13 == 0 }
    for _ in 0..<3_000 { days.append(Int.random(in: -141_000...2_900_000, using: &random)) }
    for days in days {
      let date = CalendarDate(daysSince1970: days)
      let parts = utc.dateComponents(
        [.year, .month, .day, .weekday], from: Date(timeIntervalSince1970: Double(days) * 86_400))
      let (year, month, day) = date.ymd
      #expect(year == parts.year && month == parts.month && day == parts.day, "\(days)")
      #expect(date.weekday + 1 == parts.weekday, "\(days)")
      #expect(CalendarDate(year: year, month: month, day: day) == date)
      #expect(CalendarDate(date.description) == date)
    }
  }

  @Test(arguments: [
    (2026, 2, 29), (2100, 2, 29), (2026, 4, 31), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0), (0, 1, 1),
    (10_000, 1, 1),
    (2026, 1, 32), (2026, 1, Int.max), (2026, 1, -5), (Int.max, 1, 1), (Int.min, 1, 1),
  ])
  func daysThatTheCalendarLacksAreRefused(year: Int, month: Int, day: Int) {
    #expect(CalendarDate(year: year, month: month, day: day) == nil)
  }

  @Test func leapDaysExist() {
    #expect(CalendarDate(year: 2000, month: 2, day: 29) != nil)
    #expect(CalendarDate(year: 2028, month: 2, day: 29)?.description == "2028-02-29")
  }

  @Test(arguments: [
    "", "2026", "2026-1-01", "2026-01-1", "26-01-01", "2026/01/01", "2026-01-01T", "2026-02-30", "abcd-ef-gh",
    "2026-+1-01", "2026-01-+1", "+202-01-01", "-001-01-01", "2026-01-01-",
  ])
  func textThatIsNoDateIsRefused(text: String) { #expect(CalendarDate(text) == nil) }

  @Test func theNextWeekdayPassesTheWeekend() throws {
    let friday = try #require(CalendarDate("2026-11-20"))
    #expect(friday.weekday == 5)
    #expect(friday.nextWeekday.description == "2026-11-23")
    #expect(friday.nextWeekday.nextWeekday.description == "2026-11-24")
    #expect(CalendarDate("2026-11-21")?.nextWeekday.description == "2026-11-23")
  }

  @Test func jsonIsTheText() throws {
    let date = try #require(CalendarDate("2026-11-24"))
    #expect(String(decoding: try JSONEncoder().encode([date]), as: UTF8.self) == #"["2026-11-24"]"#)
    #expect(try JSONDecoder().decode([CalendarDate].self, from: Data(#"["2026-11-24"]"#.utf8)) == [date])
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([CalendarDate].self, from: Data(#"["2026-11-31"]"#.utf8))
    }
  }
}

@Suite struct TradingDayTests {
  private let hour: UInt64 = 3_600_000_000_000

  @Test(arguments: [
    (9 * 3600, "+09:00"), (-5 * 3600, "-05:00"), (5 * 3600 + 1800, "+05:30"), (0, "+00:00"),
    (-(3 * 3600 + 1800), "-03:30"), (14 * 3600, "+14:00"),
  ])
  func offsetsAreWrittenAsInRFC3339(seconds: Int, text: String) throws {
    let day = TradingDay(date: try #require(CalendarDate("2026-11-24")), utcOffsetSeconds: seconds)
    #expect(day.offsetText == text)
    #expect(
      day.text(ofNanosecondsSinceMidnight: 9 * hour + 12_345_678) == "2026-11-24T09:00:00.012345678\(text)")
  }

  @Test func textNamesThePointInTime() throws {
    var random = generator("textNamesThePointInTime")
    let reader = ISO8601DateFormatter()
    reader.formatOptions = [.withInternetDateTime]
    for _ in 0..<500 {
      let offset = Int.random(in: -48...56, using: &random) * 900
      let day = TradingDay(
        date: CalendarDate(daysSince1970: Int.random(in: 0...40_000, using: &random)),
        utcOffsetSeconds: offset)
      let time = UInt64.random(in: 0..<60 * hour, using: &random)
      let text = day.text(ofNanosecondsSinceMidnight: time)
      #expect(text.count == "2026-11-24T09:00:00.012345678+09:00".count)
      let read = try #require(reader.date(from: String(text.prefix(19) + text.suffix(6))), "\(text)")
      let seconds = day.midnightNanoseconds / 1_000_000_000 + Int64(time / 1_000_000_000)
      #expect(Int64(read.timeIntervalSince1970) == seconds, "\(text)")
      #expect(UInt64(text.dropFirst(20).prefix(9)) == time % 1_000_000_000)
    }
  }

  @Test func timesBeyondMidnightAreOfTheNextDate() throws {
    let day = TradingDay(date: try #require(CalendarDate("2026-12-31")), utcOffsetSeconds: 0)
    #expect(day.text(ofNanosecondsSinceMidnight: 24 * hour) == "2027-01-01T00:00:00.000000000+00:00")
  }
}
