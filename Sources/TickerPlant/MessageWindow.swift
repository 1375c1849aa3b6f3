// The messages just ahead: where they begin, and whether they are what their type says. Cut once, so that what they
// will touch can be loaded before they are applied, and nothing is checked twice.
// Owner: the plant.

import FeedProtocols

struct MessageWindow: ~Copyable {
  /// Messages remembered at once; a power of two.
  static var size: Int { 64 }
  /// Bytes behind a length that are looked at without asking whether they are there.
  static var reach: Int { 48 }

  private static var sideMark: UInt16 { 0x100 }
  private static var sideOffset: Int { 19 }

  /// Length of each type in the low byte (0 = no such type), mark where it has a side.
  private let entries: UnsafeMutablePointer<UInt16>
  /// Offset of the message, and in the low byte its type; type 0 = malformed.
  private let ring: UnsafeMutablePointer<UInt64>
  /// Where the message's price will probably stand on its side; only a guess, for messages that put an order in.
  private let positions: UnsafeMutablePointer<Int32>
  /// Messages ahead that put an order in, oldest first.
  private let entering: UnsafeMutablePointer<Entering>
  private var enteringFirst = 0
  private var enteringEnd = 0

  /// A message that will put an order into a book.
  private struct Entering: BitwiseCopyable {
    var number = 0
    var side: Int32 = 0
    var rank: Int32 = 0
  }

  init() {
    entries = .allocate(capacity: 256)
    for type in 0..<256 { (entries + type).initialize(to: UInt16(ITCHMessageTable.byteCounts[type])) }
    for type in [AddOrder.type, AddOrderAttributed.type, NonCrossTrade.type] {
      entries[Int(type)] |= Self.sideMark
    }
    ring = .allocate(capacity: Self.size)
    ring.initialize(repeating: 0, count: Self.size)
    positions = .allocate(capacity: Self.size)
    positions.initialize(repeating: 0, count: Self.size)
    entering = .allocate(capacity: Self.size)
    entering.initialize(repeating: Entering(), count: Self.size)
  }

  deinit {
    entries.deallocate()
    ring.deallocate()
    positions.deallocate()
    entering.deallocate()
  }

  /// Bytes of a type's messages; 0 = no such type.
  func length(ofType type: UInt8) -> Int { Int(entries[Int(type)] & 0xff) }

  @inline(__always)
  subscript(_ number: Int) -> (offset: Int, type: UInt8) {
    let word = ring[number & (Self.size &- 1)]
    return (Int(truncatingIfNeeded: word >> 8), UInt8(truncatingIfNeeded: word))
  }

  /// Where the message's price will probably stand on its side.
  @inline(__always)
  func position(_ number: Int) -> Int { Int(positions[number & (Self.size &- 1)]) }

  /// Other bytes begin, whose messages are numbered anew.
  @inline(__always)
  mutating func begin() {
    enteringFirst = 0
    enteringEnd = 0
  }

  /// Notes which side and rank a message's order will have, where it puts one in (`enters` is 1, else 0).
  @inline(__always)
  mutating func note(_ number: Int, side: Int, rank: Int32, enters: Int) {
    entering[enteringEnd & (Self.size &- 1)] = Entering(
      number: number, side: Int32(truncatingIfNeeded: side), rank: rank)
    enteringEnd &+= enters
  }

  /// Takes what was noted of messages before `end`, and keeps the position that `find` gives for each.
  @inline(__always)
  mutating func locate(before end: Int, _ find: (_ side: Int, _ rank: Int32) -> Int) {
    while enteringFirst < enteringEnd {
      let next = entering[enteringFirst & (Self.size &- 1)]
      if next.number >= end { return }
      enteringFirst &+= 1
      positions[next.number & (Self.size &- 1)] = Int32(truncatingIfNeeded: find(Int(next.side), next.rank))
    }
  }

  /// Remembers the message behind the length at `place`, where at least `reach` bytes follow it. Returns its length.
  @inline(__always)
  func cut(_ number: Int, _ base: UnsafeRawPointer, at place: Int) -> Int {
    let length = Int(base.loadUnaligned(fromByteOffset: place, as: UInt16.self).bigEndian)
    let type = base.load(fromByteOffset: place &+ 2, as: UInt8.self)
    let side = base.load(fromByteOffset: place &+ 2 &+ Self.sideOffset, as: UInt8.self)
    remember(number, place &+ 2, type: type, length: length, side: side)
    return length
  }

  /// The same near the end of the bytes; nil where the message isn't whole.
  @inline(never)
  func cutLast(_ number: Int, _ bytes: UnsafeRawBufferPointer, at place: Int) -> Int? {
    let start = place + 2
    guard let base = bytes.baseAddress, start <= bytes.count else { return nil }
    let length = Int(base.loadUnaligned(fromByteOffset: place, as: UInt16.self).bigEndian)
    guard start + length <= bytes.count else { return nil }
    let type = length > 0 ? base.load(fromByteOffset: start, as: UInt8.self) : 0
    // A message that has a side, and its type's length, reaches as far as the side.
    let side =
      length > Self.sideOffset ? base.load(fromByteOffset: start + Self.sideOffset, as: UInt8.self) : 0
    remember(number, start, type: type, length: length, side: side)
    return length
  }

  /// In plain arithmetic, because types and sides follow one another at random, and a branch that can't be foretold
  /// costs more than all of this. 'B' and 'S' differ in two bits.
  @inline(__always)
  private func remember(_ number: Int, _ start: Int, type: UInt8, length: Int, side: UInt8) {
    let entry = entries[Int(type)]
    let difference = UInt(side ^ 0x42)
    let sideIsWrong = (difference & 0xee) | ((difference ^ difference &>> 4) & 1)
    let isWrong = UInt(bitPattern: length) ^ UInt(entry & 0xff) | (sideIsWrong &* UInt(entry &>> 8))
    ring[number & (Self.size &- 1)] =
      UInt64(truncatingIfNeeded: start) &<< 8 | (isWrong == 0 ? UInt64(type) : 0)
  }
}
