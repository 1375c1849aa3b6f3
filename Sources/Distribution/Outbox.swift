// What is on its way out: events encoded once, one after another in a block of memory, and for each client the
// numbers of those that it gets. A delivery is one 4-byte store; the bytes are joined when the client's frame is
// made, in a block that all clients share, so that a client without news holds no buffer.
// Owner: one event loop. Bound: events live until the next flush of clients; the loop flushes at least each few ms.

/// An event (or several, joined by commas) that was encoded, and what it tells: so that a client that turns out to
/// be full can remember what it misses instead.
struct OutboxItem {
  /// The lane of answers, which belong to one client and are never replaced by newer ones.
  static let answer: Int32 = -1
  /// The same, but for clients of binary frames and in their form already.
  static let binaryAnswer: Int32 = -2

  var offset: Int
  var byteCount: UInt32
  var events: UInt32
  var lane: Int32
  var instrument: Int32
  var mask: UInt64
  var from: Int
}

/// A client's place: the numbers of the items that it gets with its next frame.
/// `next == end` sends a delivery the slow way: nothing gathered yet, no room, or the client needs a closer look.
struct Seat {
  var start: UnsafeMutablePointer<UInt32>?
  var next: UnsafeMutablePointer<UInt32>?
  var end: UnsafeMutablePointer<UInt32>?
  var capacity: UInt32 = 0
  /// A bit a channel: the client wants some of its instruments by name.
  var namedChannels: UInt32 = 0
  /// The lane in which the client is passed over (Distributor+Lag).
  var lagLane = Seat.noLane
  static let noLane: Int32 = -2

  var count: Int {
    guard let start, let next else { return 0 }
    return next - start
  }

  /// Adds a number; false where it must go the slow way.
  @inline(__always)
  mutating func push(_ number: UInt32) -> Bool {
    guard let place = next, place != end else { return false }
    place.pointee = number
    next = place + 1
    return true
  }
}

/// See the head of this file.
struct Outbox: ~Copyable {
  private(set) var items: UnsafeMutablePointer<OutboxItem>
  private(set) var itemCount = 0
  private var itemCapacity = 1024
  /// The items' bytes.
  var bytes = JSONWriter(capacity: 1 << 16)
  /// By client slot.
  private(set) var seats: UnsafeMutablePointer<Seat>
  private var seatCapacity = 64
  /// Blocks of numbers that nobody uses now, by the logarithm of their capacity.
  private var spare: [[UnsafeMutablePointer<UInt32>]] = Array(repeating: [], count: 33)
  private static let smallestLog = 5

  init() {
    items = .allocate(capacity: itemCapacity)
    seats = .allocate(capacity: seatCapacity)
    seats.initialize(repeating: Seat(), count: seatCapacity)
  }

  deinit {
    items.deallocate()
    for slot in 0..<seatCapacity { seats[slot].start?.deallocate() }
    seats.deallocate()
    for list in spare { for block in list { block.deallocate() } }
  }

  /// Makes place for a client slot.
  mutating func admit(_ slot: Int) {
    if slot >= seatCapacity {
      let capacity = max(seatCapacity * 2, slot + 1)
      let bigger = UnsafeMutablePointer<Seat>.allocate(capacity: capacity)
      bigger.moveInitialize(from: seats, count: seatCapacity)
      (bigger + seatCapacity).initialize(repeating: Seat(), count: capacity - seatCapacity)
      seats.deallocate()
      seats = bigger
      seatCapacity = capacity
    }
    seats[slot] = Seat()
  }

  /// Ends an item that began at byte `offset`; returns its number.
  mutating func close(
    from offset: Int, events: Int, lane: Int32, instrument: Int, mask: UInt64, first: Int
  ) -> UInt32 {
    if itemCount == itemCapacity {
      let bigger = UnsafeMutablePointer<OutboxItem>.allocate(capacity: itemCapacity * 2)
      bigger.moveInitialize(from: items, count: itemCount)
      items.deallocate()
      items = bigger
      itemCapacity *= 2
    }
    (items + itemCount).initialize(
      to: OutboxItem(
        offset: offset, byteCount: UInt32(truncatingIfNeeded: bytes.count - offset),
        events: UInt32(truncatingIfNeeded: events), lane: lane,
        instrument: Int32(truncatingIfNeeded: instrument),
        mask: mask, from: first))
    itemCount += 1
    return UInt32(truncatingIfNeeded: itemCount - 1)
  }

  /// Makes room in a seat for at least one number more. `fast`: the next ones may be pushed without a look.
  mutating func reserve(_ slot: Int, fast: Bool) {
    let seat = seats + slot
    let count = seat.pointee.count
    if count == Int(seat.pointee.capacity) {
      let log = max(
        Self.smallestLog, count == 0 ? 0 : (count * 2 - 1).bitWidth - (count * 2 - 1).leadingZeroBitCount)
      let block = spare[log].popLast() ?? .allocate(capacity: 1 << log)
      if let old = seat.pointee.start {
        block.update(from: old, count: count)
        giveBack(old, capacity: seat.pointee.capacity)
      }
      seat.pointee.start = block
      seat.pointee.next = block + count
      seat.pointee.capacity = 1 << UInt32(log)
    }
    guard let start = seat.pointee.start else { return }
    seat.pointee.end = fast ? start + Int(seat.pointee.capacity) : start + count + 1
  }

  private mutating func giveBack(_ block: UnsafeMutablePointer<UInt32>, capacity: UInt32) {
    let log = capacity.trailingZeroBitCount
    // Blocks of a burst aren't kept for ever.
    if capacity > 1 << 13, spare[log].count > 8 { block.deallocate() } else { spare[log].append(block) }
  }

  /// Takes all numbers out of a seat: the caller gives the block back with `release`.
  mutating func take(_ slot: Int) -> (numbers: UnsafeMutableBufferPointer<UInt32>, capacity: UInt32) {
    let seat = seats + slot
    let numbers = UnsafeMutableBufferPointer(start: seat.pointee.start, count: seat.pointee.count)
    let capacity = seat.pointee.capacity
    let (named, lagLane) = (seat.pointee.namedChannels, seat.pointee.lagLane)
    seat.pointee = Seat()
    seat.pointee.namedChannels = named
    seat.pointee.lagLane = lagLane
    return (numbers, capacity)
  }

  /// Gives a block of `take` back.
  mutating func release(_ numbers: UnsafeMutableBufferPointer<UInt32>, capacity: UInt32) {
    if let start = numbers.baseAddress { giveBack(start, capacity: capacity) }
  }

  /// How far it is filled.
  var mark: OutboxMark { OutboxMark(items: itemCount, bytes: bytes.count) }

  /// Forgets all items after a mark: no seat may hold one of them.
  mutating func truncate(to mark: OutboxMark) {
    itemCount = min(itemCount, mark.items)
    if mark.items == 0 { bytes.trim() }
    bytes.truncate(to: mark.bytes)
  }
}

/// How far an outbox was filled.
struct OutboxMark {
  var items: Int
  var bytes: Int
}
