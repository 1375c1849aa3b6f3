// How long changes took, counted in bounds that double with eight steps each: a watch may run for years.

/// See the head of this file.
public struct LatencyCounts: Sendable {
  private var counts = [Int](repeating: 0, count: 64 * 8)
  private var all = 0
  /// The longest, in milliseconds; nil = none was counted.
  public private(set) var worst: Int64?

  /// Nothing yet.
  public init() {}

  /// Counts one.
  /// - Parameter milliseconds: below 0 is counted as 0.
  public mutating func add(_ milliseconds: Int64) {
    let value = max(0, milliseconds)
    counts[Self.place(value)] += 1
    all += 1
    worst = max(worst ?? 0, value)
  }

  /// In milliseconds, at most an eighth too small; nil = none was counted.
  public var median: Int64? {
    guard all > 0 else { return nil }
    var left = all / 2
    for (place, count) in counts.enumerated() {
      if left < count { return Self.least(place) }
      left -= count
    }
    return worst
  }

  private static func place(_ value: Int64) -> Int {
    guard value >= 8 else { return Int(value) }
    let exponent = 63 - value.leadingZeroBitCount
    return (exponent - 2) * 8 + Int((value >> Int64(exponent - 3)) & 7)
  }

  private static func least(_ place: Int) -> Int64 {
    guard place >= 8 else { return Int64(place) }
    return Int64(8 + place % 8) << Int64(place / 8 - 1)
  }
}
