// A day of the calendar, without a clock: exceptions end on one, certificates are valid until one.

/// A day in UTC, written `YYYY-MM-DD` (RFC 3339, section 5.6, full-date).
public struct CalendarDay: Sendable, Equatable, Comparable, CustomStringConvertible {
  /// Days since 1970-01-01.
  public let number: Int

  /// The day of a time.
  /// - Parameter seconds: since 1970 UTC.
  public init(of seconds: Int64) {
    number = Int((seconds - (seconds % 86_400 + 86_400) % 86_400) / 86_400)
  }

  /// A day as it is written; nil where there is none such (2026-02-30).
  public init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else { return nil }
    func digits(_ range: Range<Int>) -> Int? {
      var value = 0
      for byte in bytes[range] {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
      }
      return value
    }
    guard let year = digits(0..<4), let month = digits(5..<7), let day = digits(8..<10), year >= 1,
      (1...12).contains(month), (1...Self.length(of: month, year)).contains(day)
    else { return nil }
    // Days are counted from March, so that the leap day is a year's last (proleptic Gregorian calendar).
    let shifted = month > 2 ? year : year - 1
    let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let era = shifted / 400
    let ofEra = shifted % 400
    number = era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
  }

  private static func length(of month: Int, _ year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// The second at which the day is over, since 1970 UTC.
  public var end: Int64 { Int64(number + 1) * 86_400 }

  /// `YYYY-MM-DD`.
  public var description: String {
    let shifted = number + 719_468
    let era = (shifted - (shifted % 146_097 + 146_097) % 146_097) / 146_097
    let ofEra = shifted - era * 146_097
    let year = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * year + year / 4 - year / 100)
    let month = (5 * ofYear + 2) / 153
    let day = ofYear - (153 * month + 2) / 5 + 1
    let written = month < 10 ? month + 3 : month - 9
    func padded(_ value: Int, _ width: Int) -> String {
      String(repeating: "0", count: max(0, width - String(value).count)) + String(value)
    }
    return "\(padded(year + era * 400 + (written <= 2 ? 1 : 0), 4))-\(padded(written, 2))-\(padded(day, 2))"
  }

  /// By the calendar.
  public static func < (one: CalendarDay, other: CalendarDay) -> Bool { one.number < other.number }
}
