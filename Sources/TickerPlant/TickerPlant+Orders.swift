// Orders: added, executed, cancelled, deleted, replaced (TotalView-ITCH 5.0, 1.3 and 1.4).
// A fault (unknown order, impossible size) changes the book as little as is certain, is counted, and marks the
// instrument: a cancel larger than its order takes the whole order, never less than nothing.

import FeedProtocols
import MarketData

extension TickerPlant {
  @inline(__always)
  mutating func addOrder(_ message: AddOrder, attribution: UInt32) {
    let index = instrument(locate: message.header.locate, code: message.stock)
    touched = index
    guard message.shares > 0 else {
      counters.impossibleSizes &+= 1
      suspect(index)
      return
    }
    let price = UInt32(truncatingIfNeeded: message.price.units)
    enter(
      Order(
        reference: message.reference.rawValue, price: price, shares: message.shares,
        instrument: UInt32(index),
        side: message.side, entry: UInt32(truncatingIfNeeded: sequence), attribution: attribution))
  }

  @inline(__always)
  private mutating func enter(_ order: Order) {
    guard orders.insert(order) else {
      counters.duplicateOrders &+= 1
      suspect(order.instrument)
      return
    }
    let state = instruments.states + order.instrument
    let (level, depth) =
      order.side == .buy
      ? state.pointee.bids.add(price: order.price, shares: order.shares)
      : state.pointee.asks.add(price: order.price, shares: order.shares)
    emitLevel(level, depth: depth, side: order.side, instrument: order.instrument)
  }

  @inline(__always)
  private mutating func emitLevel(_ level: PriceLevel, depth: Int, side: Side, instrument: Int) {
    updates.append(
      header(.level, flags: side.rawValue, instrument: instrument),
      LevelPayload(price: level.price, orders: level.orders, size: level.size))
    if depth == 0 { emitTop(instrument) }
  }

  mutating func emitTop(_ instrument: Int) {
    updates.append(header(.top, instrument: instrument), top(of: instrument))
  }

  /// The best quote of an instrument by its index.
  func top(of instrument: Int) -> TopPayload {
    var top = TopPayload()
    if let bid = instruments.states[instrument].bids.best {
      top.bid = Int64(bid.price)
      top.bidSize = bid.size
      top.bidOrders = bid.orders
    }
    if let ask = instruments.states[instrument].asks.best {
      top.ask = Int64(ask.price)
      top.askSize = ask.size
      top.askOrders = ask.orders
    }
    return top
  }

  /// Takes shares off the order in a slot. Returns the order as it was.
  @inline(__always)
  private mutating func reduce(at slot: Int, by shares: UInt32) -> Order {
    let order = orders.slots[slot]
    var taken = shares
    if shares > order.shares {
      counters.impossibleSizes &+= 1
      taken = order.shares
      suspect(order.instrument)
    }
    let gone = taken == order.shares
    if gone { orders.remove(at: slot) } else { orders.slots[slot].shares = order.shares - taken }
    guard taken > 0 else { return order }
    let state = instruments.states + order.instrument
    let change =
      order.side == .buy
      ? state.pointee.bids.reduce(price: order.price, shares: taken, removesOrder: gone)
      : state.pointee.asks.reduce(price: order.price, shares: taken, removesOrder: gone)
    // Each order's shares are in its level: a missing level would be the plant's own broken invariant.
    assert(change != nil)
    if let (level, depth) = change {
      emitLevel(level, depth: depth, side: order.side, instrument: order.instrument)
    }
    return order
  }

  @inline(__always)
  mutating func deleteOrder(_ message: OrderDelete) {
    let slot = orders.find(message.reference.rawValue)
    guard slot >= 0 else { return unknownOrder(locate: message.header.locate) }
    touched = orders.slots[slot].instrument
    _ = reduce(at: slot, by: orders.slots[slot].shares)
  }

  /// Takes shares off an order by its reference. Returns the order as it was; nil where there is none, or nothing
  /// was to be taken: that is counted.
  @inline(__always)
  private mutating func take(_ shares: UInt32, off reference: OrderReference, locate: UInt16) -> Order? {
    let slot = orders.find(reference.rawValue)
    guard slot >= 0 else {
      unknownOrder(locate: locate)
      return nil
    }
    touched = orders.slots[slot].instrument
    if shares == 0 {
      counters.impossibleSizes &+= 1
      suspect(touched)
      return nil
    }
    return reduce(at: slot, by: shares)
  }

  @inline(__always)
  mutating func cancelOrder(_ message: OrderCancel) {
    _ = take(message.cancelledShares, off: message.reference, locate: message.header.locate)
  }

  @inline(__always)
  mutating func executeOrder(_ message: OrderExecuted) {
    guard let order = take(message.executedShares, off: message.reference, locate: message.header.locate)
    else { return }
    trade(
      instrument: order.instrument, price: Int64(order.price), size: UInt64(message.executedShares),
      match: message.match.rawValue, kind: .trade, aggressor: order.side == .buy ? 1 : 0)
  }

  mutating func executeOrder(_ message: OrderExecutedWithPrice) {
    guard let order = take(message.executedShares, off: message.reference, locate: message.header.locate)
    else { return }
    // Not printable: a cross reports the volume in one message of its own (1.4.2).
    guard message.printable == "Y" else { return }
    trade(
      instrument: order.instrument, price: message.executionPrice.units, size: UInt64(message.executedShares),
      match: message.match.rawValue, kind: .trade, aggressor: order.side == .buy ? 1 : 0)
  }

  @inline(__always)
  mutating func replaceOrder(_ message: OrderReplace) {
    let slot = orders.find(message.originalReference.rawValue)
    guard slot >= 0 else { return unknownOrder(locate: message.header.locate) }
    let old = orders.slots[slot]
    touched = old.instrument
    _ = reduce(at: slot, by: old.shares)
    guard message.shares > 0 else {
      counters.impossibleSizes &+= 1
      suspect(old.instrument)
      return
    }
    enter(
      Order(
        reference: message.newReference.rawValue, price: UInt32(truncatingIfNeeded: message.price.units),
        shares: message.shares, instrument: UInt32(old.instrument), side: old.side,
        entry: UInt32(truncatingIfNeeded: sequence), attribution: old.attribution))
  }

  mutating func unknownOrder(locate: UInt16) {
    counters.unknownOrders &+= 1
    let index = instruments.index(ofLocate: locate)
    guard index >= 0 else { return }
    touched = index
    suspect(index)
  }

  /// Marks an instrument whose book may be wrong until the next day.
  mutating func suspect(_ index: Int) {
    instruments.states[index].faults &+= 1
    if !instruments.states[index].facts.suspect {
      instruments.states[index].facts.suspect = true
      emitFacts(index)
    }
  }

  /// Index of the instrument, which is made where it wasn't known (a feed may be joined in mid-day).
  @inline(__always)
  mutating func instrument(locate: UInt16, code: InstrumentCode) -> Int {
    let index = instruments.index(ofLocate: locate, code: code)
    return index >= 0 ? index : newInstrument(locate: locate, code: code)
  }

  mutating func newInstrument(locate: UInt16, code: InstrumentCode) -> Int {
    let index = instruments.add(code: code)
    if locate != 0 { instruments.bind(locate: locate, to: index) }
    applyReference(index)
    instruments.states[index].facts.state = tradingState(index).rawValue
    updates.append(header(.instrument, instrument: index), instruments.states[index].facts)
    return index
  }
}
