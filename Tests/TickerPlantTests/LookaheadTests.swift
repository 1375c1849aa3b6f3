import FeedProtocols
import MarketData
import Testing

@testable import TickerPlant

// What the passes ahead find (slots, levels, positions among the prices) is only a guess once the messages before it
// have been applied: a run applied at once must leave what its messages leave one by one, records and all.

@Suite struct LookaheadTests {
  /// Small tables, for which nothing is looked up ahead; large ones; some that become large on the way.
  private static let expected = [16, TickerPlant.cachedOrders, TickerPlant.cachedOrders / 2]

  private func differ(_ parts: [[UInt8]], expecting orders: Int, _ random: inout SeededGenerator) -> String? {
    let one = Box()
    let whole = Box(expectedOrders: orders)
    var first = 0
    while first < parts.count {
      let end = min(parts.count, first + 1 + random.below([3, 40, 700][random.below(3)]))
      for part in parts[first..<end] { one.apply(part) }
      whole.apply(parts[first..<end].flatMap { $0 })
      let wanted = one.records()
      let found = whole.records()
      if let place = found.indices.first(where: { $0 < wanted.count && found[$0] != wanted[$0] }) {
        return "messages \(first)..<\(end): \(found[place]), wanted \(wanted[place])"
      }
      if found.count != wanted.count { return "messages \(first)..<\(end): \(found.count) records" }
      if one.plant.counters != whole.plant.counters { return "\(whole.plant.counters)" }
      first = end
    }
    return one.plant.digest() == whole.plant.digest() ? nil : "the digests differ"
  }

  @Test(arguments: 0..<9)
  func aRunLeavesWhatItsMessagesLeaveOneByOne(round: Int) {
    var random = generator("lookahead", round: round)
    var stream = RandomStream(SeededGenerator(seed: random.next()), wrongPercent: [0, 12, 40, 70][round % 4])
    let orders = Self.expected[round % 3]
    let fault = differ((0..<4_000).map { _ in framed(stream.next()) }, expecting: orders, &random)
    #expect(fault == nil, "KABUTO_SEED=\(String(runSeed, radix: 16)) round \(round)")
  }

  /// Levels that come and go right before those that the next messages want, in a side of hundreds of levels.
  @Test(arguments: 0..<9)
  func levelsMoveBetweenLookingAndApplying(round: Int) {
    var random = generator("moving levels", round: round)
    let orders = Self.expected[round / 3]
    // Enough for the last ones' table to grow.
    let steps = round < 6 ? 6_000 : 22_000
    let stocks = (1...(1 + round % 3)).map { Instrument("720\($0)", locate: UInt16($0)) }
    let width = [4, 40, 400][round % 3]
    var live: [(number: UInt64, stock: Int)] = []
    var next: UInt64 = 0
    var parts: [[UInt8]] = []
    for step in 0..<steps {
      let grows = step < steps / 2 ? (round < 6 ? 60 : 95) : 35
      let price = "\(1_000 + random.below(width))"
      next += 1
      if live.isEmpty || random.chance(grows) {
        let stock = random.below(stocks.count)
        parts.append(framed(stocks[stock].add(next, random.chance(50) ? .buy : .sell, 100, price)))
        live.append((next, stock))
      } else {
        let place = random.chance(50) ? live.count - 1 : random.below(live.count)
        let order = live[place]
        if random.chance(30) {
          parts.append(framed(stocks[order.stock].replace(order.number, by: next, 200, price)))
          live[place].number = next
        } else {
          parts.append(framed(stocks[order.stock].delete(order.number)))
          live.remove(at: place)
        }
      }
    }
    let fault = differ(parts, expecting: orders, &random)
    #expect(fault == nil, "KABUTO_SEED=\(String(runSeed, radix: 16)) round \(round)")
  }
}
