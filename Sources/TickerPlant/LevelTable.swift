// One side of an order book, as those who follow the plant's records keep it (the plant's own books: BookTable).
// Price levels in one contiguous array, best last: most changes are near the best, so most insertions move little and
// most searches end at once. Both sides use ascending keys: a bid's key is its price, an ask's the complement.
// A plain struct over manual memory: its owner (an image's table) calls `deallocate`.

public import MarketData

/// One price level.
public struct PriceLevel: Sendable, Equatable {
  /// Price, scale 4.
  public var price: UInt32
  /// Orders at it.
  public var orders: UInt32
  /// Shares at it.
  public var size: UInt64

  /// A level from its parts.
  @inlinable
  public init(price: UInt32, orders: UInt32, size: UInt64) {
    self.price = price
    self.orders = orders
    self.size = size
  }
}

/// Price levels of one side, best last.
public struct LevelTable {
  @usableFromInline struct Slot {
    @usableFromInline var key: UInt32
    @usableFromInline var orders: UInt32
    @usableFromInline var size: UInt64
    @inlinable init(key: UInt32, orders: UInt32, size: UInt64) {
      self.key = key
      self.orders = orders
      self.size = size
    }
  }

  @usableFromInline var slots: UnsafeMutablePointer<Slot>?
  @usableFromInline var used: UInt32 = 0
  @usableFromInline var capacity: UInt32 = 0
  @usableFromInline let complement: UInt32

  /// An empty side.
  public init(side: Side) { complement = side == .buy ? 0 : .max }

  /// Gives the memory back; the table is empty afterwards.
  public mutating func deallocate() {
    slots?.deallocate()
    slots = nil
    used = 0
    capacity = 0
  }

  /// Forgets all levels and keeps the memory.
  public mutating func removeAll() { used = 0 }

  /// Number of levels.
  @inlinable
  public var count: Int { Int(used) }

  /// The level `depth` steps from the best (0 = best); nil beyond the last.
  @inlinable
  public func level(_ depth: Int) -> PriceLevel? {
    guard depth >= 0, depth < Int(used), let slots else { return nil }
    let slot = slots[Int(used) - 1 - depth]
    return PriceLevel(price: slot.key ^ complement, orders: slot.orders, size: slot.size)
  }

  /// The best level; nil where the side is empty.
  @inlinable
  public var best: PriceLevel? { level(0) }

  /// Index of the first slot whose key is not below `key`.
  @inlinable
  func position(of key: UInt32) -> Int {
    guard let slots else { return 0 }
    var index = Int(used)
    let linearEnd = max(0, index - 12)
    while index > linearEnd {
      if slots[index - 1].key < key { return index }
      index -= 1
    }
    // The rest is far from the best: binary search.
    var low = 0
    while low < index {
      let middle = (low + index) / 2
      if slots[middle].key < key { low = middle + 1 } else { index = middle }
    }
    return low
  }

  @usableFromInline
  mutating func grow() {
    let bigger = max(16, capacity * 2)
    let memory = UnsafeMutablePointer<Slot>.allocate(capacity: Int(bigger))
    if let slots {
      memory.update(from: slots, count: Int(used))
      slots.deallocate()
    }
    slots = memory
    capacity = bigger
  }

  @inlinable
  mutating func insert(_ slot: Slot, at index: Int) {
    if used == capacity { grow() }
    guard let slots else { return }
    let after = Int(used) - index
    if after > 0 { (slots + index + 1).update(from: slots + index, count: after) }
    slots[index] = slot
    used += 1
  }

  @inlinable
  mutating func remove(at index: Int) {
    guard let slots else { return }
    let after = Int(used) - index - 1
    if after > 0 { (slots + index).update(from: slots + index + 1, count: after) }
    used -= 1
  }

  /// Sets a level to what a `LevelPayload` says; size 0 without orders removes it. Returns its distance from the best
  /// (after an insertion or change, before a removal) and the shares it had; nil where nothing was to be removed.
  public mutating func set(price: UInt32, size: UInt64, orders: UInt32) -> (depth: Int, sizeBefore: UInt64)? {
    let key = price ^ complement
    let index = position(of: key)
    if index < Int(used), let slots, slots[index].key == key {
      let before = slots[index].size
      let depth = Int(used) - 1 - index
      if size == 0 && orders == 0 {
        remove(at: index)
      } else {
        slots[index].size = size
        slots[index].orders = orders
      }
      return (depth, before)
    }
    if size == 0 && orders == 0 { return nil }
    insert(Slot(key: key, orders: orders, size: size), at: index)
    return (Int(used) - 1 - index, 0)
  }

  /// Shares of all levels.
  public var totalSize: UInt64 {
    var total: UInt64 = 0
    for index in 0..<Int(used) { total &+= slots?[index].size ?? 0 }
    return total
  }
}
