// All live orders of the day: three flat tables, indices instead of pointers, no allocation while trading.
// An order is linked into the first-in-first-out queue of its price level; a book's share of `roster` lists its
// live orders first and its free slots after them, so that drawing a live order at random and finding a free
// slot are one load each. Slots are counted within a book, so 16 bits are enough and an order is 16 bytes: what
// limits the simulator is how much of its tables the caches hold.
// Invariant: a level's shares and count are those of its queue.

import MarketData

/// A book's slot for an order; `noOrder` = the end of a queue.
typealias OrderSlot = UInt16
let noOrder = OrderSlot.max

/// One live order.
struct LiveOrder: Sendable {
  /// The number on the feed; a day has fewer orders than 32 bits.
  var reference: UInt32 = 0
  var shares: UInt32 = 0
  /// Number of its price, side in the lowest bit.
  var place: UInt16 = 0
  var next = noOrder
  var previous = noOrder
  /// Where the roster lists it.
  var rosterIndex: UInt16 = 0

  var level: Int { Int(place >> 1) }
  var side: Side { place & 1 == 0 ? .buy : .sell }
}

/// The queue at one price and side.
struct BookLevel: Sendable {
  var shares: UInt32 = 0
  var head = noOrder
  var tail = noOrder
  var count: UInt16 = 0
}

/// One instrument's book: its part of the tables and its best prices.
struct Book: Sendable {
  /// First level of the buy side; the sell side follows after `levelCount`.
  @Narrow var levelStart = 0
  @Narrow var levelCount = 0
  @Narrow var rosterStart = 0
  @Narrow var capacity = 0
  /// Live orders.
  @Narrow var live = 0
  @Narrow var buyOrders = 0
  @Narrow var sellOrders = 0
  /// Highest buy level, -1 = none.
  @Narrow var bestBid = -1
  /// Lowest sell level, `levelCount` = none.
  @Narrow var bestAsk = 0

  var isCrossed: Bool { bestBid >= bestAsk }
  var hasBid: Bool { bestBid >= 0 }
  var hasAsk: Bool { bestAsk < levelCount }
}

/// Every book of the market.
struct OrderBooks: Sendable {
  var books: [Book] = []
  private var orders: [LiveOrder] = []
  private var levels: [BookLevel] = []
  private var roster: [OrderSlot] = []

  /// Empty books with `sizes[i].levels` prices a side and room for `sizes[i].orders` live orders.
  init(sizes: [(levels: Int, orders: Int)]) {
    var levelStart = 0
    var rosterStart = 0
    for size in sizes {
      precondition(size.orders < Int(noOrder) && size.levels <= 1 << 15, "a book is too large for its slots")
      var book = Book()
      book.levelStart = levelStart
      book.levelCount = size.levels
      book.rosterStart = rosterStart
      book.capacity = size.orders
      book.bestAsk = size.levels
      books.append(book)
      levelStart += size.levels * 2
      for slot in 0..<size.orders { roster.append(OrderSlot(slot)) }
      rosterStart += size.orders
    }
    levels = [BookLevel](repeating: BookLevel(), count: levelStart)
    orders = [LiveOrder](repeating: LiveOrder(), count: rosterStart)
  }

  /// The queue at a price.
  func level(_ i: Int, _ side: Side, _ number: Int) -> BookLevel {
    levels[books[i].levelStart + (side == .buy ? 0 : books[i].levelCount) + number]
  }

  /// A live order of the book; `index` in 0..<live.
  func slot(_ i: Int, listed index: Int) -> OrderSlot { roster[books[i].rosterStart + index] }

  /// The order in a slot.
  func order(_ i: Int, _ slot: OrderSlot) -> LiveOrder { orders[books[i].rosterStart + Int(slot)] }

  /// Adds an order behind all others of its price; the caller has checked that there is room.
  /// - Parameter tail: the queue's tail where the caller has looked it up already: a caller that does so before
  ///   it writes the message waits for the table's memory meanwhile.
  mutating func insert(
    _ i: Int, _ side: Side, level number: Int, behind tail: OrderSlot? = nil, shares: UInt32,
    reference: UInt64
  ) {
    let start = books[i].rosterStart
    let index = books[i].live
    precondition(index < books[i].capacity, "a book is fuller than its room")
    let slot = roster[start + index]
    let at = books[i].levelStart + (side == .buy ? 0 : books[i].levelCount) + number
    let tail = tail ?? levels[at].tail
    orders[start + Int(slot)] = LiveOrder(
      reference: UInt32(reference), shares: shares, place: UInt16(number) << 1 | UInt16(side.rawValue),
      next: noOrder, previous: tail, rosterIndex: UInt16(index))
    if tail == noOrder { levels[at].head = slot } else { orders[start + Int(tail)].next = slot }
    levels[at].tail = slot
    levels[at].shares += shares
    levels[at].count += 1
    books[i].live = index + 1
    if side == .buy {
      books[i].buyOrders += 1
      if number > books[i].bestBid { books[i].bestBid = number }
    } else {
      books[i].sellOrders += 1
      if number < books[i].bestAsk { books[i].bestAsk = number }
    }
  }

  /// Takes shares off an order; at none left the order leaves.
  mutating func reduce(_ i: Int, _ slot: OrderSlot, by shares: UInt32) {
    let index = books[i].rosterStart + Int(slot)
    let order = orders[index]
    guard shares < order.shares else { return remove(i, slot) }
    orders[index].shares = order.shares - shares
    let at = books[i].levelStart + (order.side == .buy ? 0 : books[i].levelCount) + order.level
    levels[at].shares -= shares
  }

  /// Takes an order off the book.
  mutating func remove(_ i: Int, _ slot: OrderSlot) {
    let start = books[i].rosterStart
    let order = orders[start + Int(slot)]
    let side = order.side
    let at = books[i].levelStart + (side == .buy ? 0 : books[i].levelCount) + order.level
    if order.previous == noOrder {
      levels[at].head = order.next
    } else {
      orders[start + Int(order.previous)].next = order.next
    }
    if order.next == noOrder {
      levels[at].tail = order.previous
    } else {
      orders[start + Int(order.next)].previous = order.previous
    }
    levels[at].shares -= order.shares
    levels[at].count -= 1
    // The last listed order takes its place in the roster, its slot becomes the first free one.
    let last = books[i].live - 1
    let moved = roster[start + last]
    roster[start + Int(order.rosterIndex)] = moved
    orders[start + Int(moved)].rosterIndex = order.rosterIndex
    roster[start + last] = slot
    books[i].live = last
    if side == .buy { books[i].buyOrders -= 1 } else { books[i].sellOrders -= 1 }
    if levels[at].count == 0 { settleBest(i, side, emptied: order.level) }
  }

  private mutating func settleBest(_ i: Int, _ side: Side, emptied: Int) {
    let book = books[i]
    if side == .buy {
      guard emptied == book.bestBid else { return }
      var number = book.buyOrders == 0 ? -1 : emptied - 1
      while number >= 0 && levels[book.levelStart + number].count == 0 { number -= 1 }
      books[i].bestBid = number
    } else {
      guard emptied == book.bestAsk else { return }
      var number = book.sellOrders == 0 ? book.levelCount : emptied + 1
      let start = book.levelStart + book.levelCount
      while number < book.levelCount && levels[start + number].count == 0 { number += 1 }
      books[i].bestAsk = number
    }
  }
}
