// Which prices exist (呼値の単位) and how far they may go in a day (値幅制限).

/// Tick sizes by price band.
public struct TickSizeTable: Sendable, Hashable, Codable {
  /// A band: prices up to and including `upTo` move in steps of `tick`; `upTo` nil = all above.
  public struct Band: Sendable, Hashable, Codable {
    /// Highest price of the band.
    public var upTo: Price?
    /// Step between prices.
    public var tick: Price

    /// A band.
    public init(upTo: Price?, tick: Price) {
      self.upTo = upTo
      self.tick = tick
    }

    enum CodingKeys: String, CodingKey {
      case upTo = "up_to"
      case tick
    }
  }

  /// The bands, lowest first.
  public var bands: [Band]

  /// A table from its bands, lowest first.
  public init(bands: [Band]) { self.bands = bands }

  /// The step that leads up from `price`, or down to it from the next price above.
  public func tick(at price: Price) -> Price {
    for band in bands {
      guard let upTo = band.upTo else { return band.tick }
      if price <= upTo { return band.tick }
    }
    return bands.last?.tick ?? Price(units: 1)
  }

  /// `price` taken down to the nearest price that exists.
  public func floor(_ price: Price) -> Price {
    let step = tick(at: price).units
    return Price(units: price.units - price.units % step)
  }

  /// The next price above.
  public func up(_ price: Price) -> Price {
    let next = Price(units: price.units + 1)
    let step = tick(at: next).units
    return Price(units: (price.units / step + 1) * step)
  }

  /// The next price below (never below one tick).
  public func down(_ price: Price) -> Price {
    let step = tick(at: price).units
    let below = (price.units - 1) / step * step
    return Price(units: max(step, below))
  }

  private static func table(_ bands: [(Int64?, Int64)]) -> TickSizeTable {
    TickSizeTable(bands: bands.map { Band(upTo: $0.0.map { Price($0) }, tick: Price(units: $0.1)) })
  }

  /// Tokyo Stock Exchange, issues outside of TOPIX 500.
  public static let tokyo = table([
    (3_000, 10_000), (5_000, 50_000), (30_000, 100_000), (50_000, 500_000), (300_000, 1_000_000),
    (500_000, 5_000_000), (3_000_000, 10_000_000), (5_000_000, 50_000_000), (30_000_000, 100_000_000),
    (50_000_000, 500_000_000), (nil, 1_000_000_000),
  ])

  /// Tokyo Stock Exchange, issues of TOPIX 500.
  public static let tokyoTopix500 = table([
    (1_000, 1_000), (3_000, 5_000), (10_000, 10_000), (30_000, 50_000), (100_000, 100_000),
    (300_000, 500_000),
    (1_000_000, 1_000_000), (3_000_000, 5_000_000), (10_000_000, 10_000_000), (30_000_000, 50_000_000),
    (nil, 100_000_000),
  ])

  /// US equities: one cent from one dollar up, 1/10,000 below.
  public static let unitedStates = TickSizeTable(bands: [
    Band(upTo: Price(units: 9_999), tick: Price(units: 1)), Band(upTo: nil, tick: Price(units: 100)),
  ])
}

/// Daily price limits of the Tokyo Stock Exchange: base price → yen to each side.
public enum TokyoPriceLimits {
  /// (base price below, limit to each side), yen.
  static let bands: [(below: Int64, width: Int64)] = [
    (100, 30), (200, 50), (500, 80), (700, 100), (1_000, 150), (1_500, 300), (2_000, 400), (3_000, 500),
    (5_000, 700), (7_000, 1_000), (10_000, 1_500), (15_000, 3_000), (20_000, 4_000), (30_000, 5_000),
    (50_000, 7_000), (70_000, 10_000), (100_000, 15_000), (150_000, 30_000), (200_000, 40_000),
    (300_000, 50_000),
    (500_000, 70_000), (700_000, 100_000), (1_000_000, 150_000), (1_500_000, 300_000), (2_000_000, 400_000),
    (3_000_000, 500_000), (5_000_000, 700_000), (7_000_000, 1_000_000), (10_000_000, 1_500_000),
    (15_000_000, 3_000_000), (20_000_000, 4_000_000), (30_000_000, 5_000_000), (50_000_000, 7_000_000),
  ]

  /// Yen to each side of `base`.
  public static func width(base: Price) -> Price {
    for band in bands where base < Price(band.below) { return Price(band.width) }
    return Price(10_000_000)
  }

  /// Lowest and highest price of the day for `base`; never below one tick.
  public static func limits(base: Price, ticks: TickSizeTable) -> (down: Price, up: Price) {
    let width = width(base: base)
    let lowest = Price(units: ticks.tick(at: Price(units: 1)).units)
    let down = base.units > width.units ? ticks.floor(Price(units: base.units - width.units)) : lowest
    return (max(lowest, down), ticks.floor(Price(units: base.units + width.units)))
  }
}
