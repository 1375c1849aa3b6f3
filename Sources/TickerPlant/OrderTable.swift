// Order reference → order: open addressing with linear probing in one flat array, a slot half a cache line.
// Owner: the plant. Empty slot: zero shares (a live order always has some), so no key is special.
// Time priority inside a price level is `entry`, the feed sequence (low 32 bits) of the message that put the
// order there: kept here instead of linked lists, which would cost two more cache misses per removal.

import CHardware
public import MarketData

/// One live order.
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

/// All live orders of a market.
struct OrderTable: ~Copyable {
  private(set) var slots: UnsafeMutablePointer<Order>
  private(set) var capacity: Int
  private var mask: Int
  private var shift: UInt64
  private(set) var count = 0

  /// A table for about `expected` live orders; it grows (by doubling) when three quarters are used.
  init(expected: Int) {
    var capacity = 1 << 12
    while capacity * 3 / 4 < expected { capacity <<= 1 }
    self.capacity = capacity
    mask = capacity - 1
    shift = UInt64(64 - capacity.trailingZeroBitCount)
    slots = Self.allocate(capacity)
  }

  deinit { slots.deallocate() }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Order> {
    let bytes = capacity * MemoryLayout<Order>.stride
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: bytes, alignment: bytes >= 1 << 21 ? 1 << 21 : 64)
    if bytes >= 1 << 21 { _ = kabuto_advise_huge_pages(memory, bytes) }
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    return memory.assumingMemoryBound(to: Order.self)
  }

  @inline(__always)
  private func home(_ reference: UInt64) -> Int {
    Int(truncatingIfNeeded: (reference &* 0x9e37_79b9_7f4a_7c15) >> shift)
  }

  /// Starts loading the slot of an order that is about to be looked up.
  @inline(__always)
  func prefetch(_ reference: UInt64) { kabuto_prefetch(slots + home(reference)) }

  /// Index of the order's slot; -1 where there is no such order.
  @inline(__always)
  func find(_ reference: UInt64) -> Int {
    var index = home(reference)
    while true {
      if slots[index].shares == 0 { return -1 }
      if slots[index].reference == reference { return index }
      index = (index + 1) & mask
    }
  }

  /// Inserts an order with shares; false where the reference is there already.
  @inline(__always)
  mutating func insert(_ order: Order) -> Bool {
    if count * 4 >= capacity * 3 { grow() }
    var index = home(order.reference)
    while slots[index].shares != 0 {
      if slots[index].reference == order.reference { return false }
      index = (index + 1) & mask
    }
    slots[index] = order
    count += 1
    return true
  }

  /// Removes the order in a slot, and closes the hole so that no search ends too early.
  @inline(__always)
  mutating func remove(at removed: Int) {
    var hole = removed
    var index = (removed + 1) & mask
    while slots[index].shares != 0 {
      let wanted = home(slots[index].reference)
      // The order may move into the hole where the hole lies between its home and its place.
      if (index &- wanted) & mask >= (index &- hole) & mask {
        slots[hole] = slots[index]
        hole = index
      }
      index = (index + 1) & mask
    }
    slots[hole].shares = 0
    count -= 1
  }

  mutating func removeAll() {
    slots.withMemoryRebound(to: UInt8.self, capacity: capacity * MemoryLayout<Order>.stride) {
      $0.update(repeating: 0, count: capacity * MemoryLayout<Order>.stride)
    }
    count = 0
  }

  private mutating func grow() {
    let old = slots
    let oldCapacity = capacity
    capacity <<= 1
    mask = capacity - 1
    shift -= 1
    slots = Self.allocate(capacity)
    for index in 0..<oldCapacity where old[index].shares != 0 {
      var place = home(old[index].reference)
      while slots[place].shares != 0 { place = (place + 1) & mask }
      slots[place] = old[index]
    }
    old.deallocate()
  }
}
