// One side of a book: which price stands where. Half a cache line, so that an instrument's two sides are one.
// Levels are named by numbers (BookTable.swift); a side holds ranks and numbers in two contiguous arrays, best last:
// most changes are near the best, and sixteen ranks are compared at a time, without a branch for each.
// A plain struct over memory of its owner (`BookTable`, SideMemory.swift).

import CHardware

/// A price level: what all its orders add up to.
struct BookLevel: BitwiseCopyable {
  var price: UInt32 = 0
  var orders: UInt32 = 0
  /// Shares; of a number that isn't in use: the next such number.
  var size: UInt64 = 0
}

/// Prices of one side in order.
struct BookSide: BitwiseCopyable {
  /// Levels compared or moved at once. There are as many lowest ranks before the first one, and as much room behind
  /// the last one, so that nobody has to ask where the array ends.
  private static var step: Int { 16 }
  private typealias Step = SIMD16<Int32>

  /// Higher is better.
  private var ranks: UnsafeMutablePointer<Int32>
  private(set) var count: UInt32 = 0
  private var capacity: UInt32
  /// Copy of the best level; zeros where the side is empty.
  var best = BookLevel()

  /// An empty side.
  init(_ memory: inout SideMemory) {
    capacity = 16
    ranks = Self.allocate(16, &memory)
  }

  mutating func removeAll() {
    count = 0
    best = BookLevel()
  }

  private static func bytes(_ capacity: Int) -> Int { (step + 2 * (capacity + step)) * 4 }

  private static func allocate(_ capacity: Int, _ memory: inout SideMemory) -> UnsafeMutablePointer<Int32> {
    let block = memory.take(bytes(capacity))
    let start = block.bindMemory(to: Int32.self, capacity: bytes(capacity) / 4)
    start.update(repeating: .min, count: step)
    return start + step
  }

  /// Numbers of the levels, in the order of the ranks.
  @inline(__always)
  private var numbers: UnsafeMutablePointer<Int32> { ranks + Int(capacity) + Self.step }

  /// How good a price is, as a signed number: on the buying side (even index) higher prices are better.
  @inline(__always)
  static func rank(_ price: UInt32, _ sideIndex: Int) -> Int32 {
    Int32(bitPattern: price ^ (0x8000_0000 &- UInt32(truncatingIfNeeded: sideIndex & 1)))
  }

  /// Number of the level at a position, counted from the worst.
  @inline(__always)
  func number(at position: Int) -> Int { Int(UInt32(bitPattern: numbers[position])) }

  @inline(__always)
  func rank(at position: Int) -> Int32 { ranks[position] }

  /// Starts loading what a change near the best will look at.
  @inline(__always)
  func prefetch(_ fetch: (UnsafeRawPointer) -> Void) {
    let end = Int(count)
    fetch(UnsafeRawPointer(ranks + (end &- 2)))
    fetch(UnsafeRawPointer(ranks + (end &- 16)))
    fetch(UnsafeRawPointer(ranks + (end &- 32)))
    fetch(UnsafeRawPointer(numbers + (end &- 2)))
    fetch(UnsafeRawPointer(numbers + (end &- 16)))
    fetch(UnsafeRawPointer(numbers + (end &- 32)))
  }

  /// Whether `position` is what `position(of:)` would give; any number may be asked for.
  @inline(__always)
  func isPosition(_ position: Int, of rank: Int32) -> Bool {
    let end = Int(count)
    guard UInt(bitPattern: position) <= UInt(bitPattern: end) else { return false }
    let isBelow = ranks[position] > rank ? 1 : 0
    return (ranks[position &- 1] <= rank ? 1 : 0) & (isBelow | (position == end ? 1 : 0)) != 0
  }

  /// How many levels are not better than `rank`: if one has this rank, it is the last of these.
  @inline(__always)
  func position(of rank: Int32) -> Int {
    var position = Int(count)
    var steps = 0
    while true {
      let better = Int(kabuto_greater_before(ranks + position, rank))
      position &-= better
      if better < Self.step { return position }
      steps &+= 1
      if steps == 4 { return farPosition(of: rank, below: position) }
    }
  }

  /// The same, far from the best.
  @inline(never)
  private func farPosition(of rank: Int32, below end: Int) -> Int {
    var low = 0
    var high = end
    while low < high {
      let middle = (low + high) / 2
      if ranks[middle] > rank { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Puts a level in, before the one at `position`.
  @inline(__always)
  mutating func insert(_ rank: Int32, number: Int, at position: Int, _ memory: inout SideMemory) {
    if count == capacity { grow(&memory) }
    Self.open(ranks, position, Int(count))
    Self.open(numbers, position, Int(count))
    ranks[position] = rank
    numbers[position] = Int32(truncatingIfNeeded: number)
    count &+= 1
  }

  /// Takes the level at `position` out.
  @inline(__always)
  mutating func remove(at position: Int) {
    Self.close(ranks, position, Int(count))
    Self.close(numbers, position, Int(count))
    count &-= 1
  }

  /// Moves what stands from `position` on one place up. Few places: whole steps in registers, without a loop.
  @inline(__always)
  private static func open(_ array: UnsafeMutablePointer<Int32>, _ position: Int, _ count: Int) {
    let start = UnsafeMutableRawPointer(array + position)
    if count &- position <= step {
      let moved = start.loadUnaligned(as: Step.self)
      (start + 4).storeBytes(of: moved, as: Step.self)
    } else {
      (start + 4).copyMemory(from: start, byteCount: (count &- position) &* 4)
    }
  }

  @inline(__always)
  private static func close(_ array: UnsafeMutablePointer<Int32>, _ position: Int, _ count: Int) {
    let start = UnsafeMutableRawPointer(array + position)
    if count &- position &- 1 <= step {
      let moved = (start + 4).loadUnaligned(as: Step.self)
      start.storeBytes(of: moved, as: Step.self)
    } else {
      start.copyMemory(from: start + 4, byteCount: (count &- position &- 1) &* 4)
    }
  }

  @inline(never)
  private mutating func grow(_ memory: inout SideMemory) {
    let bigger = Self.allocate(Int(capacity) * 2, &memory)
    bigger.update(from: ranks, count: Int(count))
    (bigger + Int(capacity) * 2 + Self.step).update(from: numbers, count: Int(count))
    memory.giveBack(UnsafeMutableRawPointer(ranks - Self.step), Self.bytes(Int(capacity)))
    ranks = bigger
    capacity *= 2
  }
}
