// Order reference → order: open addressing in one flat array. A bucket is a cache line of two slots. Multiplying by the
// golden ratio spreads rising references more evenly than chance would, so that few find their bucket full. Those go on
// to the next one with room; each bucket counts who has passed it, so that a search ends at once where nobody has, and
// removing an order moves no other.
// Owner: the plant. Empty slot: zero shares (a live order always has some), so no key is special.
// A feed whose references fall onto each other, by accident or by intent, is noticed by the length of the way to a
// free slot: then the table is laid out anew by another multiplier, which nobody outside can know.
// Time priority inside a price level is `entry`, the feed sequence (low 32 bits) of the message that put the
// order there: kept here instead of linked lists, which would cost two more cache misses per removal.

import CHardware
public import MarketData

/// One live order, put together for whoever asks.
public struct Order: BitwiseCopyable, Sendable, Equatable {
  /// The order's number.
  public var reference: UInt64
  /// Price, scale 4.
  public var price: UInt32
  /// Shares left.
  public var shares: UInt32
  /// Index of the instrument in the lower 31 bits; the highest bit is set for a sell order.
  @usableFromInline var place: UInt32
  /// Low 32 bits of the sequence number that gave the order its time priority.
  public var entry: UInt32
  /// Market participant (ITCH `F`), 0 where not given.
  public var attribution: UInt32
  @usableFromInline var padding: UInt32 = 0

  /// An order from its parts.
  @inlinable
  public init(
    reference: UInt64, price: UInt32, shares: UInt32, instrument: UInt32, side: Side, entry: UInt32,
    attribution: UInt32
  ) {
    self.reference = reference
    self.price = price
    self.shares = shares
    place = instrument | (side == .sell ? 0x8000_0000 : 0)
    self.entry = entry
    self.attribution = attribution
  }

  /// Index of the instrument.
  @inlinable
  public var instrument: Int { Int(place & 0x7fff_ffff) }
  /// Buy or sell.
  @inlinable
  public var side: Side { place & 0x8000_0000 == 0 ? .buy : .sell }
}

/// A slot of the table, half a cache line. The order's price is its level's.
struct OrderSlot: BitwiseCopyable {
  var reference: UInt64 = 0
  /// Shares left; 0 = the slot is empty.
  var shares: UInt32 = 0
  /// Index of the side among all sides of all books: two an instrument, buy first.
  var side: UInt32 = 0
  var entry: UInt32 = 0
  var attribution: UInt32 = 0
  /// Number of the price level in `BookTable`.
  var level: UInt32 = 0
  /// In a bucket's first slot: live orders that wanted this bucket, or were on their way, and found it full.
  var passed: UInt32 = 0

  /// 1 where this is the order with that reference, else 0: a number, so that two of them make one branch.
  @inline(__always)
  func holds(_ wanted: UInt64) -> Int { (reference == wanted ? 1 : 0) & (shares != 0 ? 1 : 0) }
}

/// All live orders of a market.
struct OrderTable: ~Copyable {
  /// A way this long doesn't happen by chance in a table that is at most half full.
  private static var longWay: Int { 64 }

  private(set) var slots: UnsafeMutablePointer<OrderSlot>
  private(set) var capacity: Int
  private(set) var count = 0
  private var mask: Int
  private var shift: UInt64
  private var multiplier: UInt64 = 0x9e37_79b9_7f4a_7c15
  /// Orders beyond which the table grows.
  private var limit: Int
  /// Buckets an order may pass before the table is laid out anew; doubles each time, so that this ends.
  private var patience = OrderTable.longWay
  /// The most buckets that an order has passed: no search goes farther.
  private(set) var longest = 0

  /// A table for about `expected` live orders; it grows (by doubling) when it is half full.
  init(expected: Int) {
    var capacity = 1 << 12
    while capacity / 2 < expected { capacity <<= 1 }
    self.capacity = capacity
    mask = capacity - 1
    limit = capacity / 2
    shift = Self.shift(of: capacity)
    slots = TableMemory.allocate(OrderSlot.self, capacity: capacity)
  }

  deinit { TableMemory.deallocate(slots, capacity: capacity) }

  /// The upper bits of the product choose the bucket.
  private static func shift(of capacity: Int) -> UInt64 { UInt64(65 - capacity.trailingZeroBitCount) }

  /// Index of the first slot of the bucket where the order belongs.
  @inline(__always)
  private func home(_ reference: UInt64) -> Int {
    Int(truncatingIfNeeded: ((reference &* multiplier) &>> shift) &<< 1)
  }

  /// The bucket where the order belongs, for prefetching.
  @inline(__always)
  func bucket(_ reference: UInt64) -> UnsafeMutablePointer<OrderSlot> { slots + home(reference) }

  /// Index of the order's slot; -1 where there is no such order.
  @inline(__always)
  func find(_ reference: UInt64) -> Int {
    let first = home(reference)
    // Which of the two it is, is as good as random: no branch for that, only for whether it is there.
    let likely = first &+ (slots[first &+ 1].reference == reference ? 1 : 0)
    if slots[likely].reference == reference, slots[likely].shares != 0 { return likely }
    // A reference that was removed and came again may stand in both.
    if slots[first].holds(reference) != 0 { return first }
    if slots[first].passed == 0 { return -1 }
    return Self.findFarther(reference, from: first, slots, mask: mask, longest: longest)
  }

  // What is called rarely, from what is inlined, takes parts of the table and not the table: else the compiler
  // copies all of it beforehand, each time, and waits for what has just been stored there.

  @inline(never)
  private static func findFarther(
    _ reference: UInt64, from home: Int, _ slots: UnsafeMutablePointer<OrderSlot>, mask: Int, longest: Int
  ) -> Int {
    var bucket = home
    for _ in 0..<longest {
      if slots[bucket].passed == 0 { return -1 }
      bucket = (bucket &+ 2) & mask
      if slots[bucket].holds(reference) != 0 { return bucket }
      if slots[bucket &+ 1].holds(reference) != 0 { return bucket &+ 1 }
    }
    return -1
  }

  /// Index of the empty slot for a new order, which `fill` then takes; -1 where the reference is there already.
  @inline(__always)
  mutating func place(for reference: UInt64) -> Int {
    if count >= limit { grow() }
    let first = home(reference)
    if slots[first].holds(reference) | slots[first &+ 1].holds(reference) != 0 { return -1 }
    let isTaken = slots[first].shares != 0 ? 1 : 0
    let isFull = isTaken & (slots[first &+ 1].shares != 0 ? 1 : 0)
    if isFull | Int(slots[first].passed) == 0 { return first &+ isTaken }
    return placeFarther(reference)
  }

  @inline(never)
  private mutating func placeFarther(_ reference: UInt64) -> Int {
    let first = home(reference)
    if Self.findFarther(reference, from: first, slots, mask: mask, longest: longest) >= 0 { return -1 }
    while true {
      if let slot = freeSlot(for: reference, patience: patience) { return slot }
      layOutAnew()
    }
  }

  /// The first free slot from home on; tells the buckets in between that they are passed.
  private mutating func freeSlot(for reference: UInt64, patience: Int) -> Int? {
    let first = home(reference)
    for way in 0...patience {
      let bucket = (first &+ 2 &* way) & mask
      let slot = slots[bucket].shares == 0 ? bucket : bucket &+ 1
      guard slots[slot].shares == 0 else { continue }
      for passed in 0..<way { slots[(first &+ 2 &* passed) & mask].passed &+= 1 }
      longest = max(longest, way)
      return slot
    }
    return nil
  }

  /// Puts an order with shares into the slot that `place` named.
  @inline(__always)
  mutating func fill(
    _ slot: Int, reference: UInt64, shares: UInt32, side: Int, entry: UInt32, attribution: UInt32,
    level: UInt32
  ) {
    let place = slots + slot
    place.pointee.reference = reference
    place.pointee.shares = shares
    place.pointee.side = UInt32(truncatingIfNeeded: side)
    place.pointee.entry = entry
    place.pointee.attribution = attribution
    place.pointee.level = level
    count &+= 1
  }

  /// Takes shares off an order, but not all.
  @inline(__always)
  func reduce(at slot: Int, to shares: UInt32) { slots[slot].shares = shares }

  /// Removes the order in a slot; all others stay where they are.
  @inline(__always)
  mutating func remove(at slot: Int) {
    slots[slot].shares = 0
    count &-= 1
    let first = home(slots[slot].reference)
    if first != slot & ~1 { Self.forgetWay(slots, from: first, to: slot & ~1, mask: mask) }
  }

  @inline(never)
  private static func forgetWay(
    _ slots: UnsafeMutablePointer<OrderSlot>, from first: Int, to last: Int, mask: Int
  ) {
    var bucket = first
    while bucket != last {
      slots[bucket].passed &-= 1
      bucket = (bucket &+ 2) & mask
    }
  }

  mutating func removeAll() {
    slots.update(repeating: OrderSlot(), count: capacity)
    count = 0
    longest = 0
  }

  @inline(never)
  private mutating func grow() { rebuild(capacity: capacity << 1) }

  /// Ways have become long: another multiplier. It comes from where the table lies in memory, which whoever makes up
  /// references can't know; the layout shows nowhere outside.
  private mutating func layOutAnew() {
    patience <<= 1
    multiplier = StateDigest.mix(multiplier ^ UInt64(UInt(bitPattern: slots))) | 1
    rebuild(capacity: capacity)
  }

  private mutating func rebuild(capacity wanted: Int) {
    let old = slots
    let oldCapacity = capacity
    capacity = wanted
    mask = capacity - 1
    limit = capacity / 2
    shift = Self.shift(of: capacity)
    slots = TableMemory.allocate(OrderSlot.self, capacity: capacity)
    longest = 0
    TableMemory.consume(old, capacity: oldCapacity) { order in
      guard order.pointee.shares != 0 else { return }
      // Half of the slots are empty: there is one on the way round.
      guard let slot = freeSlot(for: order.pointee.reference, patience: capacity / 2) else { return }
      let passed = slots[slot].passed
      slots[slot] = order.pointee
      slots[slot].passed = passed
    }
  }
}
