// The market's issues: what stays the same from day to day, drawn once from the seed.
// Activity follows Zipf's law; the active issues are the large ones, with the finer tick table, narrow spreads
// and deep books.

import MarketData

/// One issue.
struct Listing: Sendable {
  var codeText: String
  var code: InstrumentCode
  var name: LocalizedName
  var sector: Int
  /// Price before the first day, in units: what prices are drawn back to over many days.
  var anchor: Int64
  /// Of the large issues, with the finer tick table.
  var isLarge: Bool
  /// Share of the market's messages; all shares sum to 1.
  var activity: Double
  /// Standard deviation of a day's own return.
  var volatility: Double
  /// How much of the market's and of the sector's return it follows.
  var marketBeta: Double
  var sectorBeta: Double
  /// Usual spread as a share of the price.
  var spread: Double

  static let lot: UInt32 = 100

  var tickTable: TickSizeTable { isLarge ? .tokyoTopix500 : .tokyo }
  var tickTableName: String { isLarge ? "topix500" : "standard" }

  /// `count` issues in order of their codes.
  static func draw(_ count: Int, random: inout RandomSource) -> [Listing] {
    let codes = InstrumentCodes.draw(count, random: &random)
    let names = CompanyNames.draw(count, random: &random)
    var ranks = Array(0..<count)
    random.shuffle(&ranks)
    // 7203 is what every example asks for: the first rank is its.
    if let toyotaLike = codes.firstIndex(of: "7203"), let first = ranks.firstIndex(of: 0) {
      ranks.swapAt(toyotaLike, first)
    }
    let weights = (0..<count).map { RandomSource.exp(-0.9 * RandomSource.log(Double($0 + 6))) }
    let total = weights.reduce(0, +)
    let largeCount = max(1, min(500, count / 4))
    return (0..<count).map { index in
      let rank = ranks[index]
      let position = Double(rank) / Double(count)
      let isLarge = rank < largeCount
      let table: TickSizeTable = isLarge ? .tokyoTopix500 : .tokyo
      let median = isLarge ? 2_900.0 : 1_350.0
      let yen = median * RandomSource.exp(random.gaussian() * 0.85)
      let price = table.floor(Price(Int64(min(max(yen, 150), 60_000))))
      guard let code = InstrumentCode(codes[index]) else {
        preconditionFailure("a code is four ASCII characters")
      }
      return Listing(
        codeText: codes[index], code: code, name: names[index].name, sector: names[index].sector,
        anchor: price.units, isLarge: isLarge, activity: weights[rank] / total,
        volatility: random.uniform(0.010...0.017) + 0.010 * position, marketBeta: random.uniform(0.6...1.4),
        sectorBeta: random.uniform(0.5...1.3), spread: 0.0002 + 0.004 * position * position)
    }
  }
}
