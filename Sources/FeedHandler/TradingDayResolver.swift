// Which day, zone and market a recorded feed is about. Messages only carry nanoseconds since midnight, so the day
// comes from the best of: what the user says, the reference file, the time of capture, the file's name, the day
// the file was last changed. The answer names which one it was.

import Foundation
public import MarketData

/// Finds out the day of a feed.
public struct TradingDayResolver: Sendable {
  /// Where the day comes from.
  public enum Origin: String, Sendable, Hashable, Codable {
    /// The option `date`.
    case option
    /// The reference file.
    case reference
    /// The first packet's time.
    case capture
    /// The file's name.
    case fileName = "file name"
    /// The file's last change.
    case modification = "file's last change"
  }

  /// What was found.
  public struct Resolution: Sendable, Hashable {
    /// The day, with the zone's distance to UTC at noon.
    public var day: TradingDay
    /// IANA name of the zone.
    public var zone: String
    /// Market identifier code.
    public var market: String
    /// Where the day comes from.
    public var origin: Origin
  }

  /// A zone that isn't known here.
  public struct UnknownZone: Error, Sendable, Hashable, CustomStringConvertible {
    /// The name.
    public var name: String
    /// An error about that name.
    public init(name: String) { self.name = name }
    /// Found and wanted.
    public var description: String {
      "zone \"\(name)\": not known on this machine; wanted an IANA name such as Asia/Tokyo"
    }
  }

  /// Market where nothing says which.
  public static let defaultMarket = "XNAS"

  /// What the user says.
  public var facts: FeedFacts
  /// The reference data, where there is any.
  public var reference: ReferenceData?
  /// When the first packet was captured, nanoseconds since 1970.
  public var captureNanoseconds: UInt64?
  /// The feed file's name.
  public var fileName: String
  /// When the file was last changed, seconds since 1970.
  public var modifiedSeconds: Int64

  /// A resolver from all that may tell.
  public init(
    facts: FeedFacts, reference: ReferenceData?, captureNanoseconds: UInt64?, fileName: String,
    modifiedSeconds: Int64
  ) {
    self.facts = facts
    self.reference = reference
    self.captureNanoseconds = captureNanoseconds
    self.fileName = fileName
    self.modifiedSeconds = modifiedSeconds
  }

  /// Looks at the first file of a feed (its first packet's time, its last change).
  public init(file path: String, facts: FeedFacts, reference: ReferenceData?) throws(FeedFileError) {
    let status = try ByteFile.status(of: path)
    self.init(
      facts: facts, reference: reference,
      captureNanoseconds: status.isRegular ? try FeedFile.firstCaptureNanoseconds(path: path) : nil,
      fileName: path, modifiedSeconds: status.modifiedSeconds)
  }

  /// Day, zone and market.
  /// - Throws: `UnknownZone`.
  public func resolve() throws(UnknownZone) -> Resolution {
    let market = facts.market ?? reference?.market ?? Self.defaultMarket
    let name = facts.zone ?? reference?.timeZone ?? Self.zoneName(ofMarket: market)
    guard let zone = Self.zone(named: name) else { throw UnknownZone(name: name) }
    let (date, origin) = date(in: zone)
    let day = TradingDay(date: date, utcOffsetSeconds: Self.offsetAtNoon(of: date, in: zone))
    return Resolution(day: day, zone: name, market: market, origin: origin)
  }

  private func date(in zone: TimeZone) -> (CalendarDate, Origin) {
    if let date = facts.date { return (date, .option) }
    if let date = reference?.date { return (date, .reference) }
    if let nanoseconds = captureNanoseconds, nanoseconds > 0 {
      return (Self.date(ofSeconds: Int64(nanoseconds / 1_000_000_000), in: zone), .capture)
    }
    if let date = Self.date(inFileName: fileName) { return (date, .fileName) }
    return (Self.date(ofSeconds: modifiedSeconds, in: zone), .modification)
  }

  // MARK: - Zones

  /// A zone by its name; nil where this machine doesn't know it.
  static func zone(named name: String) -> TimeZone? {
    // TimeZone also takes abbreviations and "GMT+9"; only the names of the database are meant.
    guard name == "UTC" || name.contains("/") else { return nil }
    return TimeZone(identifier: name)
  }

  /// The zone of a market: Japan's markets Asia/Tokyo, all others America/New_York.
  static func zoneName(ofMarket market: String) -> String {
    let japan: Set<String> = ["XTKS", "XJPX", "XOSE", "XNGO", "XSAP", "XFKA", "XTFF", "SBIJ", "CHIJ", "XTAM"]
    return japan.contains(market) ? "Asia/Tokyo" : "America/New_York"
  }

  /// The distance to UTC at noon: the clock has been changed by then, where it is that day.
  static func offsetAtNoon(of date: CalendarDate, in zone: TimeZone) -> Int {
    let noon = TimeInterval(date.daysSince1970) * 86_400 + 43_200
    let guess = zone.secondsFromGMT(for: Date(timeIntervalSince1970: noon))
    return zone.secondsFromGMT(for: Date(timeIntervalSince1970: noon - TimeInterval(guess)))
  }

  private static func date(ofSeconds seconds: Int64, in zone: TimeZone) -> CalendarDate {
    let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds)))
    let local = Int(clamping: seconds) + offset
    return CalendarDate(daysSince1970: local >= 0 ? local / 86_400 : (local - 86_399) / 86_400)
  }

  // MARK: - Names

  /// A day in a file's name: YYYYMMDD, YYYY-MM-DD, MMDDYYYY (01302019.NASDAQ_ITCH50) or Nasdaq's S013019-v50.
  static func date(inFileName path: String) -> CalendarDate? {
    let name = Array((path.split(separator: "/").last ?? "").utf8)
    var found: CalendarDate?
    var start = 0
    while start < name.count, found == nil {
      guard isDigit(name[start]) else {
        start += 1
        continue
      }
      var end = start
      while end < name.count, isDigit(name[end]) { end += 1 }
      let digits = Array(name[start..<end])
      if digits.count == 8 {
        found =
          day(digits[0..<4], digits[4..<6], digits[6..<8])
          ?? day(digits[4..<8], digits[0..<2], digits[2..<4])
      } else if digits.count == 4, name.count >= end + 6, [0x2d, 0x5f].contains(name[end]),
        name[end + 3] == name[end], name.count == end + 6 || !isDigit(name[end + 6])
      {
        found = day(digits[0..<4], name[end + 1..<end + 3], name[end + 4..<end + 6])
      } else if digits.count == 6, start > 0, name[start - 1] == UInt8(ascii: "S") {
        found = day([0x32, 0x30] + digits[4..<6], digits[0..<2], digits[2..<4])
      }
      start = end
    }
    return found
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func day(
    _ year: ArraySlice<UInt8>, _ month: ArraySlice<UInt8>, _ day: ArraySlice<UInt8>
  ) -> CalendarDate? {
    func number(_ digits: ArraySlice<UInt8>) -> Int? { Int(String(decoding: digits, as: UTF8.self)) }
    guard let year = number(year), (1990...2099).contains(year), let month = number(month),
      let day = number(day)
    else { return nil }
    return CalendarDate(year: year, month: month, day: day)
  }
}

extension FeedFile {
  /// When the first packet of a capture was captured, nanoseconds since 1970; nil for other files.
  static func firstCaptureNanoseconds(path: String) throws(FeedFileError) -> UInt64? {
    let bytes = try ByteFile.beginning(of: path, count: windowBytes)
    return firstCaptureNanoseconds(in: bytes)
  }
}
