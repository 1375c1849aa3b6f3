// From the plant's thread to one consumer (an event loop, the store): a single-producer, single-consumer ring of
// bytes. A batch of records goes in with one copy and comes out in place.
// Bound: `capacity` bytes. When full, `write` says so; the feed thread then waits (docs/ARCHITECTURE.md, queues).
//
// @unchecked Sendable: `write` is called by one thread and `drain` by one other, each writes only its own index,
// and publishes it with release/acquire ordering after it is done with the bytes.

import Synchronization

/// See the head of this file.
public final class UpdateRing: @unchecked Sendable {
  private static let wrapMark = UInt32.max
  private static let headBytes = 16

  private let base: UnsafeMutableRawPointer
  /// Bytes; a power of two.
  public let capacity: Int
  private let mask: Int
  private let head = Atomic<Int>(0)  // bytes ever written; the producer's
  private let tail = Atomic<Int>(0)  // bytes ever taken; the consumer's
  private let wakePending = Atomic<Bool>(false)
  private let wakeWanted = Atomic<Bool>(true)
  private let wake: @Sendable () -> Void

  /// A ring of at least `capacity` bytes.
  /// - Parameter wake: called on the producer's thread when the consumer should drain; once until it does.
  public init(capacity: Int = 8 << 20, wake: @escaping @Sendable () -> Void) {
    var size = 1 << 16
    while size < capacity { size <<= 1 }
    self.capacity = size
    mask = size - 1
    base = .allocate(byteCount: size, alignment: 64)
    self.wake = wake
  }

  deinit { base.deallocate() }

  /// Bytes that wait for the consumer.
  public var fill: Int { head.load(ordering: .relaxed) - tail.load(ordering: .relaxed) }

  /// Whether the consumer wants to be woken for each write; else it looks by itself at its clock.
  public func setWakeWanted(_ wanted: Bool) { wakeWanted.store(wanted, ordering: .relaxed) }

  /// Producer: puts whole records in, with a tag that says whose they are. False where there is no room now.
  /// `records` must be smaller than half the capacity.
  public func write(_ records: UnsafeRawBufferPointer, tag: UInt32) -> Bool {
    guard let start = records.baseAddress, records.count > 0 else { return true }
    let needed = Self.headBytes + (records.count + 15) & ~15
    precondition(needed <= capacity / 2, "a batch must fit into half the ring")
    let written = head.load(ordering: .relaxed)
    let taken = tail.load(ordering: .acquiring)
    var position = written & mask
    var skipped = 0
    if position + needed > capacity {
      skipped = capacity - position
      guard written + skipped + needed - taken <= capacity else { return false }
      base.storeBytes(of: Self.wrapMark, toByteOffset: position, as: UInt32.self)
      position = 0
    } else {
      guard written + needed - taken <= capacity else { return false }
    }
    base.storeBytes(of: UInt32(records.count), toByteOffset: position, as: UInt32.self)
    base.storeBytes(of: tag, toByteOffset: position + 4, as: UInt32.self)
    (base + position + Self.headBytes).copyMemory(from: start, byteCount: records.count)
    head.store(written + skipped + needed, ordering: .releasing)
    if wakeWanted.load(ordering: .relaxed), !wakePending.exchange(true, ordering: .acquiringAndReleasing) {
      wake()
    }
    return true
  }

  /// Consumer: hands each batch over in place, oldest first, until the ring is empty or `limit` bytes were taken.
  /// Returns false where more is waiting.
  @discardableResult
  public func drain(limit: Int = .max, _ body: (UInt32, UnsafeRawBufferPointer) -> Void) -> Bool {
    wakePending.store(false, ordering: .sequentiallyConsistent)
    var taken = tail.load(ordering: .relaxed)
    var budget = limit
    while true {
      let written = head.load(ordering: .acquiring)
      if taken == written { return true }
      if budget <= 0 { return false }
      let position = taken & mask
      let count = base.load(fromByteOffset: position, as: UInt32.self)
      if count == Self.wrapMark {
        taken += capacity - position
        tail.store(taken, ordering: .releasing)
        continue
      }
      let tag = base.load(fromByteOffset: position + 4, as: UInt32.self)
      body(tag, UnsafeRawBufferPointer(start: base + position + Self.headBytes, count: Int(count)))
      taken += Self.headBytes + (Int(count) + 15) & ~15
      budget -= Int(count)
      tail.store(taken, ordering: .releasing)
    }
  }
}

/// Splits a batch of records into pieces that fit a ring. A message's records stay together, but for those of one
/// message that alone exceed `hardLimit` (a whole market begins anew): they go in parts, and a part says that more
/// follows, so that nobody shows half a state.
public struct RecordSplitter {
  /// Set in a ring's tag where the batch's last message goes on in the next one.
  public static let continues: UInt32 = 1 << 31
  /// Bit of a ring's tag: the records tell what is learned later of a gap, for who keeps history.
  public static let mends: UInt32 = 1 << 30
  /// Bit of a ring's tag: nothing is new; the records tell the whole state as it is at this place among the others,
  /// because this ring's consumer asked for it.
  public static let told: UInt32 = 1 << 29

  private let bytes: UnsafeRawBufferPointer
  private let limit: Int
  private let hardLimit: Int
  private var offset = 0

  /// Pieces of about `limit` bytes, cut where the sequence number changes.
  public init(_ bytes: UnsafeRawBufferPointer, limit: Int = 1 << 16, hardLimit: Int = 1 << 20) {
    self.bytes = bytes
    self.limit = limit
    self.hardLimit = max(limit, hardLimit)
  }

  /// The next piece, and whether its last message goes on in the one after it; nil at the end.
  public mutating func next() -> (records: UnsafeRawBufferPointer, continues: Bool)? {
    guard offset < bytes.count else { return nil }
    var cursor = UpdateCursor(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
    var cut = 0
    var position = 0
    var last: UInt64?
    while cursor.next() {
      if let last, last != cursor.header.sequence { cut = position }
      if position >= limit, cut > 0 { return (take(cut), false) }
      if position >= hardLimit { return (take(position), true) }
      last = cursor.header.sequence
      position += Int(cursor.header.byteCount)
    }
    return (take(bytes.count - offset), false)
  }

  private mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }
}
