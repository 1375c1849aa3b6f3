import FeedProtocols
import MarketData
import Testing

@testable import TickerPlant

/// What a consumer knows that has the records alone.
private struct Follower {
  struct Key: Hashable {
    var raw: UInt64
    var side: Side
  }
  var levels: [Key: [UInt32: PriceLevel]] = [:]
  var tops: [UInt64: TopPayload] = [:]

  mutating func take(_ records: [Record]) {
    for record in records {
      let key = Key(raw: record.raw, side: record.flags == 0 ? .buy : .sell)
      switch record.update {
      case .level:
        let level: LevelPayload = record.payload()
        levels[key, default: [:]][level.price] =
          level.size == 0 && level.orders == 0
          ? nil : PriceLevel(price: level.price, orders: level.orders, size: level.size)
      case .top: tops[record.raw] = record.payload(as: TopPayload.self)
      case .cleared:
        levels[Key(raw: record.raw, side: .buy)] = nil
        levels[Key(raw: record.raw, side: .sell)] = nil
        tops[record.raw] = nil
      default: break
      }
    }
  }
}

@Suite struct BookPropertyTests {
  private func difference(_ box: Box, _ model: NaiveMarket, _ raw: UInt64) -> String? {
    let code = InstrumentCode(raw)
    guard let index = box.plant.index(of: code), let listed = model.listed[raw] else {
      return "\(code) is missing"
    }
    for side in [Side.buy, .sell] {
      let found = box.levels(of: index, side)
      let wanted = model.levels(raw, side)
      if found != wanted { return "\(code) \(side): \(found), wanted \(wanted)" }
    }
    let figures = box.plant.statistics(of: index)
    if figures != model.figures(raw) { return "\(code): \(figures), wanted \(model.figures(raw))" }
    let facts = box.plant.facts(of: index)
    if facts.close != listed.close ?? noPrice {
      return "\(code): close \(facts.close), wanted \(listed.close ?? -1)"
    }
    if facts.previousClose != listed.previousClose ?? noPrice {
      return "\(code): previous close \(facts.previousClose)"
    }
    if facts.suspect != listed.suspect { return "\(code): suspect \(facts.suspect)" }
    if facts.lot != listed.lot { return "\(code): lot \(facts.lot)" }
    return nil
  }

  /// Compares everything; nil = equal.
  private func difference(_ box: Box, _ model: NaiveMarket, _ follower: Follower) -> String? {
    if box.plant.instrumentCount != model.listed.count { return "\(box.plant.instrumentCount) instruments" }
    for raw in model.listed.keys.sorted() {
      if let text = difference(box, model, raw) { return text }
      let code = InstrumentCode(raw)
      guard let index = box.plant.index(of: code) else { return "\(code) is missing" }
      for side in [Side.buy, .sell] {
        let levels = model.levels(raw, side)
        let followed = (follower.levels[.init(raw: raw, side: side)] ?? [:]).values
          .sorted { side == .buy ? $0.price > $1.price : $0.price < $1.price }
        if followed != levels { return "\(code) \(side): the records say \(followed), wanted \(levels)" }
        for level in levels.prefix(3) {
          let queue = box.plant.queue(at: Price(units: Int64(level.price)), of: index, side: side)
            .map { [$0.reference, UInt64($0.shares)] }
          let wanted = model.queue(raw, side, level.price)
          if queue != wanted { return "\(code) \(side) queue at \(level.price): \(queue), wanted \(wanted)" }
        }
      }
      if let top = follower.tops[raw], top != box.plant.bestQuote(of: index) {
        return "\(code): the records' best quote is \(top)"
      }
    }
    return nil
  }

  @Test(arguments: 0..<14)
  func booksEqualThoseOfANaiveModelAfterEveryMessage(round: Int) {
    var random = generator("books", round: round)
    var stream = RandomStream(SeededGenerator(seed: random.next()), wrongPercent: [12, 0, 30, 60][round % 4])
    let box = Box()
    var model = NaiveMarket()
    var follower = Follower()
    for step in 1...900 {
      let message = stream.next()
      var sequence = box.next
      if random.chance(1) {
        sequence =
          random.chance(50) ? sequence + UInt64(random.below(5)) : UInt64(1 + random.below(Int(sequence)))
      }
      box.apply(framed(message), sequence: sequence)
      model.apply(message, sequence: sequence)
      let records = box.records()
      follower.take(records)
      let misnamed = records.first { $0.sequence != sequence && $0.sequence != 0 && $0.update != .source }
      #expect(misnamed == nil, "seed \(runSeed), round \(round), step \(step)")
      var fault: String?
      if box.plant.counters != model.counters { fault = "\(box.plant.counters), wanted \(model.counters)" }
      if box.plant.liveOrders != model.orders.count {
        fault = "\(box.plant.liveOrders) orders, wanted \(model.orders.count)"
      }
      if box.plant.sequence != model.sequence { fault = "sequence \(box.plant.sequence)" }
      if sequence == model.sequence, let touched = model.touched {
        fault = fault ?? difference(box, model, touched)
        if box.plant.touched < 0 || box.plant.code(of: box.plant.touched).rawValue != touched {
          fault = fault ?? "touched \(box.plant.touched)"
        }
      }
      if step % 100 == 0 { fault = fault ?? difference(box, model, follower) }
      if let fault {
        Issue.record("KABUTO_SEED=\(String(runSeed, radix: 16)) round \(round), message \(step): \(fault)")
        return
      }
    }
  }

  @Test func framesThatAreCutOffCountAsMalformed() {
    let stock = Instrument("7203")
    let box = Box()
    let whole = framed(stock.add(1, .buy, 100, "10"))
    #expect(box.apply(whole + whole.dropLast()) == 2)
    #expect(box.plant.counters.messages == 2)
    #expect(box.plant.counters.malformed == 1)
    #expect(box.apply([0]) == 0)
    #expect(box.apply([0, 0]) == 1)
    #expect(box.plant.counters.malformed == 2)
    #expect(box.levels("7203", .buy) == [PriceLevel(price: 100_000, orders: 1, size: 100)])
    #expect(box.plant.apply(framed: UnsafeRawBufferPointer(start: nil, count: 0), firstSequence: 4) == 0)
  }

  @Test func aPriceOf429496IsAPriceLikeAnother() {
    let stock = Instrument("7203")
    let box = Box()
    box.apply(
      stock.add(1, .buy, 1, "0"), stock.add(2, .buy, 2, "429496.7295"), stock.add(3, .sell, 3, "0"),
      stock.add(4, .sell, 4, "429496.7295"))
    #expect(box.levels("7203", .buy).map(\.price) == [.max, 0])
    #expect(box.levels("7203", .sell).map(\.price) == [0, .max])
  }

  @Test func tablesGrowAndShrinkWithoutLosingAnOrder() {
    let stock = Instrument("7203")
    let box = Box()
    var random = generator("tables")
    var live: [UInt64] = []
    for number in 1...9_000 as ClosedRange<UInt64> {
      let reference = random.next() | 1
      box.apply(framed(stock.add(reference, number % 2 == 0 ? .buy : .sell, 100, "\(1 + random.below(500))")))
      live.append(reference)
    }
    #expect(box.plant.liveOrders == 9_000)
    live.shuffle(using: &random)
    for reference in live { box.apply(framed(stock.delete(reference))) }
    #expect(box.plant.liveOrders == 0)
    #expect(box.plant.counters.unknownOrders == 0)
    #expect(box.levels("7203", .buy).isEmpty && box.levels("7203", .sell).isEmpty)
  }
}
