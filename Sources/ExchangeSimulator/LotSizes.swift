// How large orders are: mostly one or a few round lots, sometimes hundreds. A table of quantiles, drawn by
// index, so that a size costs one random number.

/// Sizes of orders in shares.
struct LotSizes: Sendable {
  private let quantiles: [Double]

  init() {
    // Pareto with exponent 1.35, cut at 400 lots.
    quantiles = (0..<1_024).map { index in
      let rest = 1 - (Double(index) + 0.5) / 1_024
      return min(400, RandomSource.exp(-RandomSource.log(rest) / 1.35))
    }
  }

  /// Shares of an order; `scale` 1 = a usual issue.
  func draw(_ random: inout RandomSource, scale: Double) -> UInt32 {
    let bits = random.bits()
    // Half of the orders are of the smallest size, whatever the scale; the sizes above one lot follow it.
    let lots = quantiles[Int(bits & 1_023)]
    let scaled = bits >> 63 == 0 ? lots : lots * scale
    return UInt32(min(max(scaled.rounded(.down), 1), 500)) * Listing.lot
  }
}
