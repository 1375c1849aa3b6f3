// The oracle: dictionaries and sorting, nothing clever. It follows the specification and the plant's documented
// answers to what is wrong, and works every figure out anew when asked.

import FeedProtocols
import MarketData
import TickerPlant

struct NaiveMarket {
  struct Order {
    var code: UInt64
    var side: Side
    var price: UInt32
    var shares: UInt32
    var entry: UInt64
  }

  struct Trade {
    var price: Int64
    var size: UInt64
    var match: UInt64
    var time: UInt64
    var broken = false
  }

  struct Listed {
    var trades: [Trade] = []
    var close: Int64?
    var previousClose: Int64?
    var suspect = false
    var lot: UInt32 = 0
  }

  private(set) var orders: [UInt64: Order] = [:]
  private(set) var listed: [UInt64: Listed] = [:]
  private(set) var counters = PlantCounters()
  private(set) var sequence: UInt64 = 0
  /// The instrument of the last message.
  private(set) var touched: UInt64?
  private var byLocate: [UInt16: UInt64] = [:]
  /// Instruments of trades in the order of the trades: for breaks that name no instrument.
  private var tape: [UInt64] = []

  mutating func apply(_ bytes: [UInt8], sequence next: UInt64) {
    if next <= sequence {
      counters.repeated += 1
      return
    }
    if next > sequence + 1 { counters.lost += next - sequence - 1 }
    sequence = next
    counters.messages += 1
    touched = nil
    guard let message = try? ITCHMessage(decoding: bytes.span.bytes) else {
      counters.malformed += 1
      return
    }
    apply(message)
  }

  private mutating func apply(_ message: ITCHMessage) {
    let header = message.header
    switch message {
    case .addOrder(let m): add(header, m.reference, m.side, m.shares, m.stock, m.price)
    case .addOrderAttributed(let m): add(header, m.reference, m.side, m.shares, m.stock, m.price)
    case .orderDelete(let m): take(header, m.reference, nil)
    case .orderCancel(let m): take(header, m.reference, m.cancelledShares)
    case .orderExecuted(let m):
      if let order = take(header, m.reference, m.executedShares) {
        trade(order.code, Int64(order.price), UInt64(m.executedShares), m.match, header)
      }
    case .orderExecutedWithPrice(let m):
      if let order = take(header, m.reference, m.executedShares), m.printable == "Y" {
        trade(order.code, m.executionPrice.units, UInt64(m.executedShares), m.match, header)
      }
    case .orderReplace(let m):
      guard let order = take(header, m.originalReference, nil) else { return }
      if m.shares == 0 { return impossible(order.code) }
      enter(
        m.newReference.rawValue,
        Order(
          code: order.code, side: order.side, price: UInt32(m.price.units), shares: m.shares, entry: sequence)
      )
    case .nonCrossTrade(let m):
      let code = instrument(header, m.stock)
      if m.shares == 0 { return impossible(code) }
      trade(code, m.price.units, UInt64(m.shares), m.match, header)
    case .crossTrade(let m):
      let code = instrument(header, m.stock)
      if m.shares > 1 << 31 { return impossible(code) }
      if m.shares > 0 { trade(code, m.crossPrice.units, m.shares, m.match, header) }
      if m.crossType == "C", m.shares > 0 { listed[code]?.close = m.crossPrice.units }
    case .brokenTrade(let m): breakTrade(header, m.match)
    case .systemEvent(let m):
      if m.event == "O", sequence > 1 { newDay() }
      if m.event == "M" {
        for (code, one) in listed where one.close == nil {
          let figures = figures(code)
          listed[code]?.close = figures.trades > 0 ? figures.last : nil
        }
      }
    case .stockDirectory(let m):
      let code = instrument(header, m.stock)
      if header.locate != 0 { byLocate[header.locate] = code }
      listed[code]?.lot = m.roundLotSize
    case .stockTradingAction(let m): _ = instrument(header, m.stock)
    case .regSHORestriction(let m): _ = instrument(header, m.stock)
    case .marketParticipantPosition(let m): _ = instrument(header, m.stock)
    case .quotingPeriodUpdate(let m): _ = instrument(header, m.stock)
    case .auctionCollar(let m): _ = instrument(header, m.stock)
    case .operationalHalt(let m): _ = instrument(header, m.stock)
    case .netOrderImbalance(let m): _ = instrument(header, m.stock)
    case .retailPriceImprovement(let m): _ = instrument(header, m.stock)
    case .directListingPriceDiscovery(let m): _ = instrument(header, m.stock)
    case .circuitBreakerLevels, .circuitBreakerStatus: break
    }
  }

  private mutating func instrument(_ header: ITCHHeader, _ stock: InstrumentCode) -> UInt64 {
    touched = stock.rawValue
    if listed[stock.rawValue] == nil {
      listed[stock.rawValue] = Listed()
      if header.locate != 0 { byLocate[header.locate] = stock.rawValue }
    }
    return stock.rawValue
  }

  private mutating func impossible(_ code: UInt64) {
    counters.impossibleSizes += 1
    listed[code]?.suspect = true
  }

  private mutating func add(
    _ header: ITCHHeader, _ reference: OrderReference, _ side: Side, _ shares: UInt32,
    _ stock: InstrumentCode,
    _ price: Price
  ) {
    let code = instrument(header, stock)
    if shares == 0 { return impossible(code) }
    enter(
      reference.rawValue,
      Order(code: code, side: side, price: UInt32(price.units), shares: shares, entry: sequence))
  }

  private mutating func enter(_ number: UInt64, _ order: Order) {
    if orders[number] != nil {
      counters.duplicateOrders += 1
      listed[order.code]?.suspect = true
    } else {
      orders[number] = order
    }
  }

  /// Takes shares (nil = all) off an order; gives the order as it was, nil where nothing was done.
  @discardableResult
  private mutating func take(_ header: ITCHHeader, _ reference: OrderReference, _ shares: UInt32?) -> Order? {
    guard let order = orders[reference.rawValue] else {
      counters.unknownOrders += 1
      touched = byLocate[header.locate]
      if let code = touched { listed[code]?.suspect = true }
      return nil
    }
    touched = order.code
    if shares == 0 {
      impossible(order.code)
      return nil
    }
    if let shares, shares > order.shares { impossible(order.code) }
    let left = order.shares - min(order.shares, shares ?? order.shares)
    orders[reference.rawValue]?.shares = left
    if left == 0 { orders[reference.rawValue] = nil }
    return order
  }

  private mutating func trade(
    _ code: UInt64, _ price: Int64, _ size: UInt64, _ match: MatchNumber, _ header: ITCHHeader
  ) {
    counters.trades += 1
    listed[code]?.trades.append(
      Trade(price: price, size: size, match: match.rawValue, time: header.timestamp))
    tape.append(code)
  }

  private mutating func breakTrade(_ header: ITCHHeader, _ match: MatchNumber) {
    let named = byLocate[header.locate]
    touched = named
    var found: (code: UInt64, index: Int)?
    if let named {
      if let index = listed[named]?.trades.lastIndex(where: { $0.match == match.rawValue }) {
        found = (named, index)
      }
    } else {
      var seen: [UInt64: Int] = [:]
      for code in tape.reversed() where found == nil {
        let index = (listed[code]?.trades.count ?? 0) - 1 - seen[code, default: 0]
        seen[code, default: 0] += 1
        if listed[code]?.trades[index].match == match.rawValue { found = (code, index) }
      }
    }
    guard let found, listed[found.code]?.trades[found.index].broken == false else {
      counters.unknownTrades += 1
      if let named { listed[named]?.suspect = true }
      return
    }
    touched = found.code
    listed[found.code]?.trades[found.index].broken = true
  }

  private mutating func newDay() {
    for (code, one) in listed {
      var fresh = Listed()
      fresh.lot = one.lot
      fresh.previousClose = one.close ?? (figures(code).trades > 0 ? figures(code).last : one.previousClose)
      listed[code] = fresh
    }
    orders = [:]
    byLocate = [:]
    tape = []
  }

  // MARK: - What it should look like

  /// Levels of a side, best first.
  func levels(_ code: UInt64, _ side: Side) -> [PriceLevel] {
    var levels: [UInt32: PriceLevel] = [:]
    for order in orders.values where order.code == code && order.side == side {
      var level = levels[order.price] ?? PriceLevel(price: order.price, orders: 0, size: 0)
      level.orders += 1
      level.size += UInt64(order.shares)
      levels[order.price] = level
    }
    return levels.values.sorted { side == .buy ? $0.price > $1.price : $0.price < $1.price }
  }

  /// Numbers and shares of the orders at a price, first come first.
  func queue(_ code: UInt64, _ side: Side, _ price: UInt32) -> [[UInt64]] {
    orders.filter { $0.value.code == code && $0.value.side == side && $0.value.price == price }
      .sorted { $0.value.entry < $1.value.entry }.map { [$0.key, UInt64($0.value.shares)] }
  }

  func figures(_ code: UInt64) -> StatisticsPayload {
    var figures = StatisticsPayload()
    let trades = (listed[code]?.trades ?? []).filter { !$0.broken }
    guard let first = trades.first, let last = trades.last else { return figures }
    figures.open = first.price
    figures.openTime = first.time
    figures.last = last.price
    figures.lastSize = last.size
    figures.lastTime = last.time
    for trade in trades {
      figures.volume += trade.size
      figures.turnover &+= trade.size &* UInt64(trade.price)
      if figures.high == noPrice || trade.price > figures.high {
        (figures.high, figures.highTime) = (trade.price, trade.time)
      }
      if figures.low == noPrice || trade.price < figures.low {
        (figures.low, figures.lowTime) = (trade.price, trade.time)
      }
    }
    figures.trades = UInt64(trades.count)
    if trades.count > 1 {
      let before = trades[trades.count - 2].price
      figures.direction = last.price > before ? 1 : last.price < before ? -1 : 0
    }
    return figures
  }
}
