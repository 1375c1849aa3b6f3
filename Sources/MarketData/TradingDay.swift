// A day of an exchange: turns "nanoseconds since midnight" into a point in time, and into text.

/// A date of the proleptic Gregorian calendar.
public struct CalendarDate: Sendable, Hashable, Comparable {
  /// Days since 1970-01-01.
  public var daysSince1970: Int

  /// A date from its distance to 1970-01-01.
  public init(daysSince1970: Int) { self.daysSince1970 = daysSince1970 }

  /// A date; nil where the calendar has no such day.
  public init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    daysSince1970 = era * 146_097 + dayOfEra - 719_468
    guard ymd.month == month, ymd.day == day else { return nil }
  }

  /// Year, month and day.
  public var ymd: (year: Int, month: Int, day: Int) {
    let z = daysSince1970 + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let mp = (5 * dayOfYear + 2) / 153
    let month = mp < 10 ? mp + 3 : mp - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * mp + 2) / 5 + 1)
  }

  /// 0 = Sunday … 6 = Saturday.
  public var weekday: Int { ((daysSince1970 + 4) % 7 + 7) % 7 }

  /// The next Monday to Friday after this date (holidays aren't known here).
  public var nextWeekday: CalendarDate {
    var next = CalendarDate(daysSince1970: daysSince1970 + 1)
    while next.weekday == 0 || next.weekday == 6 { next.daysSince1970 += 1 }
    return next
  }

  /// Orders by value.
  public static func < (a: CalendarDate, b: CalendarDate) -> Bool { a.daysSince1970 < b.daysSince1970 }
}

extension CalendarDate: CustomStringConvertible, Codable {
  /// `2026-11-24`.
  public var description: String {
    let (year, month, day) = ymd
    return Self.padded(year, 4) + "-" + Self.padded(month, 2) + "-" + Self.padded(day, 2)
  }

  /// Reads `2026-11-24`; nil for anything else.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2, parts[2].utf8.count == 2,
      parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  /// Reads the text form.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let date = CalendarDate(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\"\(text)\" is not a date: wanted YYYY-MM-DD")
    }
    self = date
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  static func padded(_ value: Int, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
}

/// A date at an exchange, with the exchange's distance to UTC on that day.
public struct TradingDay: Sendable, Hashable {
  /// The date at the exchange.
  public var date: CalendarDate
  /// Seconds to add to UTC for the exchange's clock, as of noon of the day.
  public var utcOffsetSeconds: Int

  /// A day of an exchange.
  public init(date: CalendarDate, utcOffsetSeconds: Int) {
    self.date = date
    self.utcOffsetSeconds = utcOffsetSeconds
  }

  /// Nanoseconds since 1970 (UTC) at the exchange's midnight.
  public var midnightNanoseconds: Int64 {
    (Int64(date.daysSince1970) * 86_400 - Int64(utcOffsetSeconds)) * 1_000_000_000
  }

  /// The exchange's offset as in RFC 3339: `+09:00`.
  public var offsetText: String {
    let magnitude = abs(utcOffsetSeconds) / 60
    return (utcOffsetSeconds < 0 ? "-" : "+") + CalendarDate.padded(magnitude / 60, 2) + ":"
      + CalendarDate.padded(magnitude % 60, 2)
  }

  /// RFC 3339 with nanoseconds and the exchange's offset, of a time in nanoseconds since the exchange's midnight.
  public func text(ofNanosecondsSinceMidnight nanoseconds: UInt64) -> String {
    let days = Int(nanoseconds / 86_400_000_000_000)
    let rest = nanoseconds % 86_400_000_000_000
    let seconds = Int(rest / 1_000_000_000)
    return CalendarDate(daysSince1970: date.daysSince1970 + days).description + "T"
      + CalendarDate.padded(seconds / 3600, 2) + ":" + CalendarDate.padded(seconds / 60 % 60, 2) + ":"
      + CalendarDate.padded(seconds % 60, 2) + "." + CalendarDate.padded(Int(rest % 1_000_000_000), 9)
      + offsetText
  }
}
