// Orders: added, executed, cancelled, deleted, replaced (TotalView-ITCH 5.0, 1.3 and 1.4).
// A fault (unknown order, impossible size) changes the book as little as is certain, is counted, and marks the
// instrument: a cancel larger than its order takes the whole order, never less than nothing.

import FeedProtocols
import MarketData

extension TickerPlant {
  @inline(__always)
  mutating func addOrder(_ message: AddOrder, attribution: UInt32, position: Int) {
    let index = instrument(locate: message.header.locate, code: message.stock)
    touched = index
    guard message.shares > 0 else {
      counters.impossibleSizes &+= 1
      suspect(index)
      return
    }
    enter(
      message.reference, side: index &* 2 &+ Int(message.side.rawValue), price: message.price,
      shares: message.shares, attribution: attribution, position: position)
  }

  @inline(__always)
  private mutating func enter(
    _ reference: OrderReference, side: Int, price: Price, shares: UInt32, attribution: UInt32, position: Int
  ) {
    let slot = orders.place(for: reference.rawValue)
    guard slot >= 0 else {
      counters.duplicateOrders &+= 1
      suspect(side >> 1)
      return
    }
    let (number, level, isBest) = instruments.books.add(
      side: side, price: UInt32(truncatingIfNeeded: price.units), shares: shares, probably: position)
    orders.fill(
      slot, reference: reference.rawValue, shares: shares, side: side,
      entry: UInt32(truncatingIfNeeded: sequence), attribution: attribution, level: number)
    emitLevel(level, isBest: isBest, side: side)
  }

  @inline(__always)
  private mutating func emitLevel(_ level: BookLevel, isBest: Bool, side: Int) {
    stampBook(side >> 1)
    updates.append(
      header(.level, flags: UInt8(truncatingIfNeeded: side & 1), instrument: side >> 1),
      LevelPayload(price: level.price, orders: level.orders, size: level.size))
    if isBest { emitTop(side >> 1) }
  }

  @inline(__always)
  mutating func emitTop(_ instrument: Int) {
    stampQuote(instrument)
    updates.append(header(.top, instrument: instrument), top(of: instrument))
  }

  /// The best quote of an instrument by its index.
  @inline(__always)
  func top(of instrument: Int) -> TopPayload {
    let bids = instruments.books.sides + instrument &* 2
    let asks = bids + 1
    var top = TopPayload()
    top.bid = bids.pointee.count > 0 ? Int64(bids.pointee.best.price) : noPrice
    top.bidSize = bids.pointee.best.size
    top.ask = asks.pointee.count > 0 ? Int64(asks.pointee.best.price) : noPrice
    top.askSize = asks.pointee.best.size
    top.bidOrders = bids.pointee.best.orders
    top.askOrders = asks.pointee.best.orders
    return top
  }

  /// Takes shares off the order in a slot.
  @inline(__always)
  private mutating func reduce(at slot: Int, by shares: UInt32) {
    let order = orders.slots[slot]
    var taken = shares
    if shares > order.shares {
      counters.impossibleSizes &+= 1
      taken = order.shares
      suspect(Int(order.side >> 1))
    }
    let gone = taken == order.shares
    if gone { orders.remove(at: slot) } else { orders.reduce(at: slot, to: order.shares &- taken) }
    let (level, isBest) = instruments.books.reduce(
      side: Int(order.side), level: order.level, shares: taken, removesOrder: gone)
    emitLevel(level, isBest: isBest, side: Int(order.side))
  }

  /// Takes the whole order in a slot out of the book.
  @inline(__always)
  private mutating func delete(at slot: Int) {
    let order = orders.slots[slot]
    orders.remove(at: slot)
    let (level, isBest) = instruments.books.reduce(
      side: Int(order.side), level: order.level, shares: order.shares, removesOrder: true)
    emitLevel(level, isBest: isBest, side: Int(order.side))
  }

  @inline(__always)
  mutating func deleteOrder(_ message: OrderDelete) {
    let slot = orders.find(message.reference.rawValue)
    guard slot >= 0 else { return unknownOrder(locate: message.header.locate) }
    touched = Int(orders.slots[slot].side &>> 1)
    delete(at: slot)
  }

  /// Takes shares off an order by its reference. Returns its side and price; nil where there is none, or nothing was
  /// to be taken: that is counted.
  @inline(__always)
  private mutating func take(
    _ shares: UInt32, off reference: OrderReference, locate: UInt16
  ) -> (side: Int, price: UInt32)? {
    let slot = orders.find(reference.rawValue)
    guard slot >= 0 else {
      unknownOrder(locate: locate)
      return nil
    }
    let side = Int(orders.slots[slot].side)
    touched = side >> 1
    if shares == 0 {
      counters.impossibleSizes &+= 1
      suspect(touched)
      return nil
    }
    let price = instruments.books.price(ofLevel: orders.slots[slot].level)
    reduce(at: slot, by: shares)
    return (side, price)
  }

  @inline(__always)
  mutating func cancelOrder(_ message: OrderCancel) {
    _ = take(message.cancelledShares, off: message.reference, locate: message.header.locate)
  }

  mutating func executeOrder(_ message: OrderExecuted) {
    guard let order = take(message.executedShares, off: message.reference, locate: message.header.locate)
    else { return }
    trade(
      instrument: order.side >> 1, price: Int64(order.price), size: UInt64(message.executedShares),
      match: message.match.rawValue, kind: .trade, aggressor: Self.aggressor(resting: order.side))
  }

  mutating func executeOrder(_ message: OrderExecutedWithPrice) {
    guard let order = take(message.executedShares, off: message.reference, locate: message.header.locate)
    else { return }
    // Not printable: a cross reports the volume in one message of its own (1.4.2).
    guard message.printable == "Y" else { return }
    trade(
      instrument: order.side >> 1, price: message.executionPrice.units, size: UInt64(message.executedShares),
      match: message.match.rawValue, kind: .trade, aggressor: Self.aggressor(resting: order.side))
  }

  /// Who took a resting order: its opposite.
  private static func aggressor(resting side: Int) -> UInt8 { side & 1 == 0 ? 1 : 0 }

  @inline(__always)
  mutating func replaceOrder(_ message: OrderReplace, position: Int) {
    let slot = orders.find(message.originalReference.rawValue)
    guard slot >= 0 else { return unknownOrder(locate: message.header.locate) }
    let old = orders.slots[slot]
    let side = Int(old.side)
    touched = side >> 1
    delete(at: slot)
    guard message.shares > 0 else {
      counters.impossibleSizes &+= 1
      suspect(side >> 1)
      return
    }
    enter(
      message.newReference, side: side, price: message.price, shares: message.shares,
      attribution: old.attribution, position: position)
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
      stampQuote(index)
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
    instruments.books.stamps[index] = StampsPayload(at: sequence, time: time)
    updates.append(header(.instrument, instrument: index), instruments.states[index].facts)
    return index
  }

  /// The order in a slot, as others know it.
  func order(at slot: Int) -> Order {
    let order = orders.slots[slot]
    return Order(
      reference: order.reference, price: instruments.books.price(ofLevel: order.level), shares: order.shares,
      instrument: order.side >> 1, side: order.side & 1 == 0 ? .buy : .sell, entry: order.entry,
      attribution: order.attribution)
  }
}
