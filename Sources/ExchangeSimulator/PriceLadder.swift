// The prices an instrument may have today, numbered 0 (limit down) to count-1 (limit up).
// A tick table has few bands between two limits, so number and price are a multiplication apart.
// Invariant: every number is a price of the tick table within the day's limits, and every such price has one.

import MarketData

/// The day's prices of one instrument.
struct PriceLadder: Sendable {
  /// Prices from `units` on, in steps of `tick`, from number `first` on.
  struct Band: Sendable {
    @Narrow var first = 0
    /// A price on the feed has 32 bits.
    private var rawUnits: UInt32
    private var rawTick: UInt32

    var units: Int64 { Int64(rawUnits) }
    var tick: Int64 { Int64(rawTick) }

    init(first: Int, units: Int64, tick: Int64) {
      self.first = first
      rawUnits = UInt32(units)
      rawTick = UInt32(tick)
    }
  }

  private var bands: InlineArray<4, Band>
  @Narrow private var bandCount = 0
  /// How many prices there are.
  @Narrow private(set) var count = 0

  /// The prices from `down` to `up`, both prices of `table`.
  init(from down: Price, to up: Price, table: TickSizeTable) {
    bands = InlineArray(repeating: Band(first: 0, units: down.units, tick: 1))
    var number = 0
    var units = down.units
    repeat {
      let next = Price(units: units + 1)
      let band = table.bands.first { $0.upTo.map { next <= $0 } ?? true }
      let tick = table.tick(at: next).units
      let end = min(band?.upTo?.units ?? up.units, up.units)
      let steps = max(0, Int((end - units) / tick))
      precondition(bandCount < 4, "a day's limits span more than four bands of the tick table")
      bands[bandCount] = Band(first: number, units: units, tick: tick)
      bandCount += 1
      if steps == 0 { break }
      number += steps
      units += Int64(steps) * tick
    } while units < up.units
    count = number + 1
  }

  /// Units of the price with this number.
  func units(_ level: Int) -> Int64 {
    var index = bandCount - 1
    while index > 0 && bands[index].first > level { index -= 1 }
    let band = bands[index]
    return band.units + Int64(level - band.first) * band.tick
  }

  /// The price with this number.
  func price(_ level: Int) -> Price { Price(units: units(level)) }

  /// Where a value lies between the numbers; below 0 and above `count - 1` beyond the limits.
  func position(_ units: Double) -> Double {
    var index = bandCount - 1
    while index > 0 && Double(bands[index].units) > units { index -= 1 }
    let band = bands[index]
    return Double(band.first) + (units - Double(band.units)) / Double(band.tick)
  }

  /// The number at or below a price, held within the limits.
  func level(atOrBelow units: Int64) -> Int { hold(position(Double(units)).rounded(.down)) }

  /// The number at or above a price, held within the limits.
  func level(atOrAbove units: Int64) -> Int { hold(position(Double(units)).rounded(.up)) }

  private func hold(_ position: Double) -> Int { Int(min(max(position, 0), Double(count - 1))) }

  /// Step at a price.
  func tick(_ level: Int) -> Int64 {
    var index = bandCount - 1
    while index > 0 && bands[index].first > level { index -= 1 }
    return bands[index].tick
  }
}
