import Controls
import Testing

@Suite struct CalendarDayTests {
  @Test(arguments: [
    ("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2026-11-26", 20_783),
    ("0001-01-01", -719_162),
  ]) func isCounted(text: String, number: Int) throws {
    let day = try #require(CalendarDay(text))
    #expect(day.number == number)
    #expect(day.description == text)
    #expect(day.end == Int64(number + 1) * 86_400)
    #expect(CalendarDay(of: day.end) != day)
    #expect(CalendarDay(of: day.end - 1) == day)
  }

  @Test func everyDayIsWrittenAsItIsRead() throws {
    var previous = try #require(CalendarDay("1599-12-31"))
    for _ in 0..<300_000 {
      let next = CalendarDay(of: previous.end)
      #expect(next.number == previous.number + 1)
      #expect(CalendarDay(next.description) == next)
      previous = next
    }
    #expect(previous.description == "2421-05-15")
  }

  @Test(arguments: [
    "2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-1-1", "2026/01/01", "0000-01-01", "",
    "2026-11-26T",
  ]) func isNoDay(text: String) { #expect(CalendarDay(text) == nil) }
}
