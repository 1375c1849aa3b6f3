// What ITCH can't carry, of the current day, in the project's own format (FILE.reference.json).

import FeedProtocols
import MarketData

/// Reason codes of this market's trading actions.
enum Reason {
  static let none: ITCHCode4 = ""
  static let lunchBreak: ITCHCode4 = "LNCH"
  static let auction: ITCHCode4 = "ITAY"
  static let specialBid: ITCHCode4 = "SPBD"
  static let specialAsk: ITCHCode4 = "SPAK"
  static let sequentialBid: ITCHCode4 = "SQBD"
  static let sequentialAsk: ITCHCode4 = "SQAK"
  /// News pending; a halt says enough by its state, so the code has no meaning in the reference data.
  static let news: ITCHCode4 = "NEWS"

  static let meanings: [String: ReferenceData.ReasonMeaning] = [
    lunchBreak.description: .lunchBreak, auction.description: .auction, specialBid.description: .specialBid,
    specialAsk.description: .specialAsk, sequentialBid.description: .sequentialBid,
    sequentialAsk.description: .sequentialAsk,
  ]
}

extension SimulatedMarket {
  /// The reference data of the current day.
  func referenceData() -> ReferenceData {
    var data = ReferenceData(market: "XTKS")
    data.name = LocalizedName(ja: "東京(模擬市場)", en: "Tokyo (simulated market)")
    data.currency = "JPY"
    data.timeZone = "Asia/Tokyo"
    data.date = date
    data.simulated = true
    data.sessions = [
      ReferenceData.Session(open: 9 * 3600, close: 11 * 3600 + 1800),
      ReferenceData.Session(open: 12 * 3600 + 1800, close: 15 * 3600 + 1800),
    ]
    data.tickTables = ["standard": .tokyo, "topix500": .tokyoTopix500]
    data.reasons = Reason.meanings
    data.instruments = zip(listings, issues).map { listing, issue in
      var line = ReferenceData.Instrument(code: listing.codeText)
      line.name = listing.name
      line.lot = Listing.lot
      line.reference = issue.base
      line.referenceDate = referenceDate
      line.limitUp = issue.limitUp
      line.limitDown = issue.limitDown
      line.tickTable = listing.tickTableName
      return line
    }
    return data
  }
}
