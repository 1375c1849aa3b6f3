// What moves many issues at once: the market's return, the sectors' returns, how nervous the market is and how
// much it talks. One step a second.

/// Common returns (logarithms, since the last close) and moods.
struct MarketFactors: Sendable {
  private(set) var market: Double
  private(set) var sectors: [Double]
  /// Intensity of all order flow against a usual second's.
  private(set) var burst = 1.0
  private var nervousness = 0.0

  /// Factors of a day's morning: what happened overnight.
  init(random: inout RandomSource) {
    market = random.gaussian() * 0.006
    sectors = (0..<CompanyNames.sectorCount).map { _ in random.gaussian() * 0.004 }
  }

  /// One second of trading.
  mutating func step(random: inout RandomSource) {
    nervousness += -0.002 * nervousness + 0.03 * random.gaussian()
    let scale = RandomSource.exp(min(max(nervousness, -1.2), 1.2))
    market += 0.000_045 * scale * random.gaussian()
    for index in 0..<sectors.count { sectors[index] += 0.000_030 * scale * random.gaussian() }
    burst += (1 - burst) * 0.12
    if random.chance(0.002) {
      // News for all: the market jumps and everybody acts.
      burst = min(6, burst + 1 + 1.5 * random.exponential())
      market += 0.000_8 * random.gaussian()
    } else if random.chance(0.01) {
      burst = min(6, burst + 0.8 * random.exponential())
    }
  }
}
