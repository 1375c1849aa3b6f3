// One issue's day: where it is in the schedule, what its price does, how its orders usually look.
// The book itself is in OrderBooks; what lasts longer than a day is in Listing.

import MarketData

/// Where an issue is in its day.
enum IssuePhase: UInt8, Sendable {
  /// Its directory message comes next, then its status.
  case directory, status
  /// Orders gather for the opening auction.
  case preOpen
  /// Continuous trading; the book is never crossed.
  case trading
  /// Lunch break.
  case lunch
  /// 特別気配: the next price is too far from the last one.
  case special
  /// 連続約定気配: one order went too far.
  case sequential
  /// Halted for news, then gathering for the resumption.
  case halted
  /// Orders gather for the closing auction.
  case closingCall
  /// The day is over.
  case closed
}

/// What happens to an issue once in a day, beside its usual ways.
enum Incident: Sendable {
  case none
  /// Trading halts for some seconds, and the value jumps by a logarithm.
  case halt(seconds: UInt64, jump: Double)
  /// News: the value jumps by a logarithm.
  case jump(Double)
  /// Somebody's order is much too large.
  case sweep(Side)
}

/// An issue on a day. What every message touches stands first, in few cache lines; nothing here is counted by
/// reference (a listing holds texts, so what is needed of it is copied).
struct IssueState: Sendable {
  /// Next order, next look at an auction or quote, end of the phase, incident; `UInt64.max` = none.
  var nextOrder = UInt64.max
  var nextCheck = UInt64.max
  var phaseEnd = UInt64.max
  var incidentTime = UInt64.max
  /// Own return since the last close (logarithm), when it was brought up to date, and the value as a number
  /// on the ladder.
  var ownReturn = 0.0
  var updatedAt: UInt64 = 0
  var value = 0.0
  var phase = IssuePhase.directory
  /// The next order's time is only a breath: the rate is looked at again.
  var isBreath = false
  /// Side of the special or sequential quote.
  var specialSide = Side.buy
  /// Cross type of the auction that ends a special quote.
  var crossType = UInt8(ascii: "O")
  var isShortRestricted = false

  let code: InstrumentCode
  /// Base price of the day.
  var base: Price
  @Rough var volatility: Double
  @Rough var marketBeta: Double
  @Rough var sectorBeta: Double
  @Narrow var sector: Int
  /// What trades add to the intensity; fades in seconds.
  @Rough var excitement = 0.0
  /// Which side has been trading, -1…1.
  @Rough var lean = 0.0
  /// Messages expected from the opening on.
  @Rough var continuousMessages = 0.0
  /// Spread and depth in price steps; round lots against a usual issue's.
  @Rough var spread = 1.0
  @Rough var depth = 8.0
  @Rough var sizeScale = 1.0
  /// Live orders it tends to.
  @Narrow var targetOrders = 0

  var ladder: PriceLadder
  /// Number of the last trade's price, -1 = no trade today.
  @Narrow var lastLevel = -1
  /// What the special quote range is counted from: the last trade or special quote.
  @Narrow var referenceLevel = 0

  // Seldom touched.
  /// Messages expected before the opening.
  @Rough var gatheringMessages = 0.0
  var incident = Incident.none
  /// When a halt ends.
  var resumeTime = UInt64.max
  var limitDown: Price
  var limitUp: Price

  /// Time of whatever comes next.
  var next: UInt64 { min(min(nextOrder, nextCheck), min(phaseEnd, incidentTime)) }
}

extension IssueState {
  /// A listing's morning.
  init(_ listing: Listing, base: Price, messagesPerDay: Int) {
    code = listing.code
    volatility = listing.volatility
    marketBeta = listing.marketBeta
    sectorBeta = listing.sectorBeta
    sector = listing.sector
    let limits = TokyoPriceLimits.limits(base: base, ticks: listing.tickTable)
    ladder = PriceLadder(from: limits.down, to: limits.up, table: listing.tickTable)
    self.base = base
    limitDown = limits.down
    limitUp = limits.up
    let baseLevel = ladder.level(atOrBelow: base.units)
    referenceLevel = baseLevel
    value = Double(baseLevel)
    let messages = listing.activity * Double(messagesPerDay)
    targetOrders = Int(min(max(messages * 0.036, min(14, messages * 0.1)), 20_000))
    gatheringMessages = 1.45 * Double(targetOrders)
    continuousMessages = max(messages - gatheringMessages, messages * 0.2)
    let step = Double(ladder.tick(baseLevel)) / Double(base.units)
    spread = max(0.7, listing.spread / step)
    depth = min(max(0.004 / step, 3), 40)
    sizeScale = min(max(2_000 / (Double(base.units) / 10_000), 0.4), 8)
  }

  /// Orders its book has room for.
  var capacity: Int { targetOrders * 2 + 64 }

  /// Where a trade may be (更新値幅) around `referenceLevel`: a tenth of the daily limit to each side, times
  /// `factor`, at least a step.
  func specialRange(times factor: Int64 = 1) -> ClosedRange<Int> {
    let units = ladder.units(referenceLevel)
    let width = TokyoPriceLimits.width(base: Price(units: units)).units / 10 * factor
    let low = min(ladder.level(atOrAbove: units - width), max(0, referenceLevel - 1))
    let high = max(ladder.level(atOrBelow: units + width), min(ladder.count - 1, referenceLevel + 1))
    return low...high
  }
}
