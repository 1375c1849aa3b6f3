// All order books of a market: two sides an instrument, and one pool of price levels for all of them.
// An order knows the number of its level, so that executing, cancelling and deleting search for nothing; only a level
// that comes or goes is looked up among the prices of its side.
// Owner: the plant.

import CHardware
import MarketData

struct BookTable: ~Copyable {
  /// Two an instrument, buy first (`OrderSlot.side`).
  private(set) var sides: UnsafeMutablePointer<BookSide>
  /// By instrument: which messages changed it last. Here because orders change them with each message.
  private(set) var stamps: UnsafeMutablePointer<StampsPayload>
  private var sideCapacity: Int
  private var sideCount = 0
  private var sideMemory = SideMemory()
  private var levels: UnsafeMutablePointer<BookLevel>
  private var levelCapacity: Int
  /// Numbers handed out so far; 0 is none's.
  private var handedOut = 1
  /// The number that came free last; 0 = none is free.
  private var free = 0

  /// Books for about `instruments` instruments.
  init(instruments: Int) {
    sideCapacity = max(64, instruments) * 2
    sides = TableMemory.allocate(BookSide.self, capacity: sideCapacity)
    stamps = TableMemory.allocate(StampsPayload.self, capacity: sideCapacity / 2)
    levelCapacity = 4096
    levels = TableMemory.allocate(BookLevel.self, capacity: levelCapacity)
  }

  deinit {
    TableMemory.deallocate(sides, capacity: sideCapacity)
    TableMemory.deallocate(stamps, capacity: sideCapacity / 2)
    TableMemory.deallocate(levels, capacity: levelCapacity)
  }

  /// Adds an instrument's book.
  mutating func append() {
    if sideCount + 2 > sideCapacity {
      TableMemory.resize(&sides, count: sideCount, from: sideCapacity, to: sideCapacity * 2)
      TableMemory.resize(&stamps, count: sideCount / 2, from: sideCapacity / 2, to: sideCapacity)
      sideCapacity *= 2
    }
    sides[sideCount] = BookSide(&sideMemory)
    sides[sideCount + 1] = BookSide(&sideMemory)
    stamps[sideCount / 2] = StampsPayload()
    sideCount += 2
  }

  /// Empties all books and keeps the memory.
  mutating func removeAll() {
    for index in 0..<sideCount { sides[index].removeAll() }
    handedOut = 1
    free = 0
  }

  /// Starts loading a book.
  @inline(__always)
  func prefetch(_ instrument: Int) {
    kabuto_prefetch(sides + (instrument &* 2))
    kabuto_prefetch(stamps + instrument)
  }

  /// Starts loading a level.
  @inline(__always)
  func prefetch(level: Int) { kabuto_prefetch(levels + level) }

  /// Starts loading a level, and what its side holds near the best.
  @inline(__always)
  func prefetch(side: Int, level: Int) {
    kabuto_prefetch(levels + level)
    sides[side].prefetch { kabuto_prefetch($0) }
  }

  /// Starts loading the level that an order with that rank will join. Returns where it stands now.
  @inline(__always)
  func prefetchLevel(side: Int, rank: Int32) -> Int {
    let position = sides[side].position(of: rank)
    kabuto_prefetch(levels + sides[side].number(at: position &- 1))
    return position
  }

  /// Adds an order's shares to a side. `guess`: where its price stands, if nothing came between. Returns the level's number, how it is now, and whether it is the best.
  @inline(__always)
  mutating func add(
    side index: Int, price: UInt32, shares: UInt32, probably guess: Int = -1
  ) -> (number: UInt32, level: BookLevel, isBest: Bool) {
    let side = sides + index
    let rank = BookSide.rank(price, index)
    let position =
      side.pointee.isPosition(guess, of: rank) ? guess : side.pointee.position(of: rank)
    let isBest = position == Int(side.pointee.count)
    let number: Int
    var level: BookLevel
    if position > 0, side.pointee.rank(at: position &- 1) == rank {
      number = side.pointee.number(at: position &- 1)
      level = levels[number]
      level.orders &+= 1
      level.size &+= UInt64(shares)
    } else {
      number = takeNumber()
      level = BookLevel(price: price, orders: 1, size: UInt64(shares))
      side.pointee.insert(rank, number: number, at: position, &sideMemory)
    }
    levels[number] = level
    if isBest { side.pointee.best = level }
    return (UInt32(truncatingIfNeeded: number), level, isBest)
  }

  /// Takes shares off a level, and an order where `removesOrder`. Returns how it is now (no orders = gone) and
  /// whether it is, or was, the best.
  @inline(__always)
  mutating func reduce(
    side index: Int, level number: UInt32, shares: UInt32, removesOrder: Bool
  ) -> (level: BookLevel, isBest: Bool) {
    let side = sides + index
    let place = levels + Int(number)
    var level = place.pointee
    level.orders &-= removesOrder ? 1 : 0
    level.size &-= UInt64(shares)
    let isBest = level.price == side.pointee.best.price
    if level.orders != 0 {
      place.pointee = level
      if isBest { side.pointee.best = level }
      return (level, isBest)
    }
    remove(side, BookSide.rank(level.price, index), isBest: isBest)
    giveBack(Int(number))
    level.size = 0
    return (level, isBest)
  }

  @inline(__always)
  private func remove(_ side: UnsafeMutablePointer<BookSide>, _ rank: Int32, isBest: Bool) {
    let last = Int(side.pointee.count) &- 1
    let position = isBest ? last : side.pointee.position(of: rank) &- 1
    // Each order's shares are in its level, and each level in its side.
    assert(position >= 0 && side.pointee.rank(at: position) == rank)
    side.pointee.remove(at: position)
    if isBest {
      side.pointee.best = last > 0 ? levels[side.pointee.number(at: last &- 1)] : BookLevel()
    }
  }

  @inline(__always)
  private mutating func takeNumber() -> Int {
    let number = free
    if number != 0 {
      free = Int(truncatingIfNeeded: levels[number].size)
      return number
    }
    if handedOut == levelCapacity { growLevels() }
    handedOut &+= 1
    return handedOut &- 1
  }

  @inline(__always)
  private mutating func giveBack(_ number: Int) {
    levels[number].size = UInt64(truncatingIfNeeded: free)
    free = number
  }

  @inline(never)
  private mutating func growLevels() {
    TableMemory.resize(&levels, count: levelCapacity, from: levelCapacity, to: levelCapacity * 2)
    levelCapacity *= 2
  }

  // MARK: - Reading

  /// Price of a level by its number.
  @inline(__always)
  func price(ofLevel number: UInt32) -> UInt32 { levels[Int(number)].price }

  /// How many levels a side has.
  func count(side: Int) -> Int { Int(sides[side].count) }

  /// A level, `depth` steps from the best; nil beyond the last.
  func level(_ depth: Int, side: Int) -> PriceLevel? {
    guard depth >= 0, depth < count(side: side) else { return nil }
    let level = levels[sides[side].number(at: count(side: side) - 1 - depth)]
    return PriceLevel(price: level.price, orders: level.orders, size: level.size)
  }
}
