// The oracle: a book of dictionaries and sorted arrays that believes nothing. It replays a day's bytes and writes
// down everything that a correct feed wouldn't say.

import FeedProtocols
import MarketData

/// Replays framed messages of one day and collects faults.
struct NaiveReplay {
  struct Order {
    var locate: UInt16
    var side: Side
    var shares: UInt32
    var price: Price
  }

  struct Issue {
    var line: ReferenceData.Instrument
    var table: TickSizeTable
    var state: UInt8 = 0
    var last: Price?
    var touchedLimit = false
    /// Ascending prices with live orders, and their shares.
    var bids: [Price] = []
    var asks: [Price] = []
    var shares: [Side: [Price: Int]] = [.buy: [:], .sell: [:]]
    /// Shares of C messages since the last cross, by side.
    var crossing: [Side: UInt64] = [:]
    var crossPrice: Price?
  }

  private(set) var faults: [String] = []
  private(set) var counts: [UInt8: Int] = [:]
  private(set) var issues: [UInt16: Issue] = [:]
  private(set) var orders: [UInt64: Order] = [:]
  private(set) var systemEvents = ""
  private(set) var reasons: Set<String> = []
  private(set) var crossTypes: Set<UInt8> = []
  private var lines: [String: ReferenceData.Instrument] = [:]
  private let reference: ReferenceData
  private var lastReference: UInt64 = 0
  private var matches: Set<UInt64> = []
  private var lastTime: UInt64 = 0

  init(_ reference: ReferenceData) {
    self.reference = reference
    for line in reference.instruments { lines[line.code] = line }
  }

  var messages: Int { counts.values.reduce(0, +) }

  private mutating func fault(_ text: String) {
    if faults.count < 20 { faults.append("message \(messages): \(text)") }
  }

  mutating func replay(_ bytes: [UInt8]) throws {
    let span = bytes.span.bytes
    var offset = 0
    while offset < span.byteCount {
      let length = Int(span.u16(offset))
      let message = try ITCHMessage(decoding: span.extracting(offset + 2..<offset + 2 + length))
      counts[span.u8(offset + 2), default: 0] += 1
      apply(message)
      offset += 2 + length
    }
  }

  private mutating func apply(_ message: ITCHMessage) {
    let header = message.header
    if header.timestamp < lastTime { fault("time goes back") }
    if header.timestamp >= 86_400_000_000_000 { fault("time beyond the day") }
    lastTime = header.timestamp
    switch message {
    case .systemEvent(let m): systemEvents.unicodeScalars.append(UnicodeScalar(m.event.rawValue))
    case .stockDirectory(let m):
      guard let line = lines[m.stock.description], let table = reference.tickTables?[line.tickTable ?? ""]
      else {
        return fault("\(m.stock) isn't in the reference data")
      }
      if issues[header.locate] != nil { fault("locate \(header.locate) comes twice") }
      issues[header.locate] = Issue(line: line, table: table)
    case .stockTradingAction(let m):
      issues[header.locate]?.state = m.tradingState.rawValue
      if m.reason.rawValue != 0x2020_2020 { reasons.insert(m.reason.description) }
      checkCrossed(header.locate)
    case .addOrder(let m): add(m.reference.rawValue, header.locate, m.side, m.shares, m.price)
    case .addOrderAttributed(let m): add(m.reference.rawValue, header.locate, m.side, m.shares, m.price)
    case .orderDelete(let m): take(m.reference.rawValue, nil, header.locate)
    case .orderCancel(let m): take(m.reference.rawValue, m.cancelledShares, header.locate, mayEnd: false)
    case .orderReplace(let m):
      guard let old = orders[m.originalReference.rawValue] else { return fault("replaces an unknown order") }
      take(m.originalReference.rawValue, nil, header.locate)
      add(m.newReference.rawValue, header.locate, old.side, m.shares, m.price)
    case .orderExecuted(let m):
      execute(m.reference.rawValue, m.executedShares, m.match, header.locate)
    case .orderExecutedWithPrice(let m): executeInCross(m)
    case .crossTrade(let m): cross(m)
    case .nonCrossTrade(let m):
      match(m.match)
      checkPrice(m.price, header.locate)
      issues[header.locate]?.last = m.price
      if issues[header.locate]?.state != UInt8(ascii: "T") { fault("hidden trade outside of trading") }
    case .netOrderImbalance(let m):
      if m.direction != "O" { checkPrice(m.referencePrice, header.locate) }
      if m.direction == "N", m.imbalanceShares != 0 { fault("imbalance without direction") }
    case .regSHORestriction: break
    default: fault("a type this market doesn't send")
    }
  }

  private mutating func execute(_ number: UInt64, _ shares: UInt32, _ number2: MatchNumber, _ locate: UInt16)
  {
    match(number2)
    guard let order = orders[number], var issue = issues[locate] else {
      return fault("executes an unknown order")
    }
    if issue.state != UInt8(ascii: "T") { fault("execution outside of trading") }
    let best = order.side == .buy ? issue.bids.last : issue.asks.first
    if best != order.price { fault("executes an order that isn't at the best price") }
    issue.last = order.price
    if order.price == issue.line.limitUp || order.price == issue.line.limitDown { issue.touchedLimit = true }
    issues[locate] = issue
    take(number, shares, locate)
  }

  private mutating func executeInCross(_ m: OrderExecutedWithPrice) {
    match(m.match)
    guard let order = orders[m.reference.rawValue] else { return fault("executes an unknown order") }
    if m.printable != "N" { fault("a part of a cross is printable") }
    if order.side == .buy ? order.price < m.executionPrice : order.price > m.executionPrice {
      fault("an order got a worse price than its limit")
    }
    issues[m.header.locate]?.crossing[order.side, default: 0] += UInt64(m.executedShares)
    issues[m.header.locate]?.crossPrice = m.executionPrice
    take(m.reference.rawValue, m.executedShares, m.header.locate)
  }

  private mutating func cross(_ m: CrossTrade) {
    match(m.match)
    checkPrice(m.crossPrice, m.header.locate)
    crossTypes.insert(m.crossType.rawValue)
    guard var issue = issues[m.header.locate] else { return fault("cross of an unknown instrument") }
    if issue.crossing[.buy] != m.shares || issue.crossing[.sell] != m.shares
      || issue.crossPrice != m.crossPrice
    {
      fault("cross of \(m.shares) at \(m.crossPrice), but its parts are \(issue.crossing)")
    }
    if let bid = issue.bids.last, let ask = issue.asks.first, bid >= ask {
      fault("a cross leaves the book crossed")
    }
    issue.crossing = [:]
    issue.crossPrice = nil
    issue.last = m.crossPrice
    if m.crossPrice == issue.line.limitUp || m.crossPrice == issue.line.limitDown {
      issue.touchedLimit = true
    }
    issues[m.header.locate] = issue
  }

  private mutating func match(_ number: MatchNumber) {
    if !matches.insert(number.rawValue).inserted { fault("match number \(number.rawValue) comes twice") }
  }

  private mutating func checkPrice(_ price: Price, _ locate: UInt16) {
    guard let issue = issues[locate], let up = issue.line.limitUp, let down = issue.line.limitDown else {
      return fault("unknown locate \(locate)")
    }
    if issue.table.floor(price) != price { fault("\(issue.line.code): \(price) isn't on the tick table") }
    if price > up || price < down { fault("\(issue.line.code): \(price) is beyond \(down)…\(up)") }
  }

  private mutating func checkCrossed(_ locate: UInt16) {
    guard let issue = issues[locate], issue.state == UInt8(ascii: "T") else { return }
    if let bid = issue.bids.last, let ask = issue.asks.first, bid >= ask {
      fault("\(issue.line.code) trades with a crossed book: \(bid) against \(ask)")
    }
  }

  private mutating func add(
    _ number: UInt64, _ locate: UInt16, _ side: Side, _ shares: UInt32, _ price: Price
  ) {
    if number != lastReference + 1 { fault("reference \(number) after \(lastReference)") }
    lastReference = number
    if shares == 0 || shares % 100 != 0 { fault("\(shares) shares aren't round lots") }
    checkPrice(price, locate)
    orders[number] = Order(locate: locate, side: side, shares: shares, price: price)
    change(locate, side, price, Int(shares))
    checkCrossed(locate)
  }

  /// Takes shares (nil = all) off an order.
  private mutating func take(_ number: UInt64, _ shares: UInt32?, _ locate: UInt16, mayEnd: Bool = true) {
    guard var order = orders[number] else { return fault("order \(number) is unknown") }
    if order.locate != locate { fault("order \(number) is of another instrument") }
    let taken = shares ?? order.shares
    if taken == 0 || taken > order.shares { return fault("takes \(taken) of \(order.shares) shares") }
    if taken == order.shares, !mayEnd { fault("a partial cancel takes all") }
    order.shares -= taken
    orders[number] = order.shares == 0 ? nil : order
    change(locate, order.side, order.price, -Int(taken))
  }

  private mutating func change(_ locate: UInt16, _ side: Side, _ price: Price, _ delta: Int) {
    let before = issues[locate]?.shares[side]?[price] ?? 0
    let after = before + delta
    issues[locate]?.shares[side]?[price] = after == 0 ? nil : after
    if before == 0, delta > 0 { place(price, side == .buy ? \.bids : \.asks, locate) }
    if after == 0 {
      let path: WritableKeyPath<Issue, [Price]> = side == .buy ? \.bids : \.asks
      if let index = issues[locate]?[keyPath: path].firstIndex(of: price) {
        issues[locate]?[keyPath: path].remove(at: index)
      }
    }
  }

  private mutating func place(_ price: Price, _ path: WritableKeyPath<Issue, [Price]>, _ locate: UInt16) {
    guard let prices = issues[locate]?[keyPath: path] else { return }
    issues[locate]?[keyPath: path].insert(price, at: prices.firstIndex { $0 > price } ?? prices.count)
  }
}
