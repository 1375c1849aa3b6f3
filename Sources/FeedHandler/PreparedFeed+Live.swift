// Day, zone and market of a feed that comes over the network: by the rules of files, with today in the exchange's
// zone where nothing else says the day.

import Foundation
import MarketData

extension PreparedFeed {
  /// What is known of a live feed before its first message.
  struct Live {
    var resolution: TradingDayResolver.Resolution
    var reference: ReferenceData?
    /// Nothing but the clock says the day.
    var isToday: Bool
    /// How the day was found, for people.
    var origin: String
  }

  /// Reads the reference file and finds the day.
  /// - Throws: `FeedSetupError`.
  static func live(_ facts: FeedFacts, source: String) throws(FeedSetupError) -> Live {
    do {
      let reference = try ReferenceFile.load(named: facts.reference, beside: [])
      let resolution = try TradingDayResolver(
        facts: facts, reference: reference, captureNanoseconds: nil, fileName: "",
        modifiedSeconds: Int64(Date().timeIntervalSince1970)
      ).resolve()
      let isToday = resolution.origin == .modification
      return Live(
        resolution: resolution, reference: reference, isToday: isToday,
        origin: isToday ? "today in \(resolution.zone)" : resolution.origin.rawValue)
    } catch { throw FeedSetupError("\(source): \(error)") }
  }

  /// Today in the feed's zone.
  var today: CalendarDate {
    guard let zone = TradingDayResolver.zone(named: timeZone) else { return date }
    let now = Int(Date().timeIntervalSince1970)
    let local = now + zone.secondsFromGMT(for: Date())
    return CalendarDate(daysSince1970: local / 86_400)
  }
}
