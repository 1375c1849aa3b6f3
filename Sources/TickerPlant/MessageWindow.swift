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

  init() {
    entries = .allocate(capacity: 256)
    for type in 0..<256 { (entries + type).initialize(to: UInt16(ITCHMessageTable.byteCounts[type])) }
    for type in [AddOrder.type, AddOrderAttributed.type, NonCrossTrade.type] {
      entries[Int(type)] |= Self.sideMark
    }
    ring = .allocate(capacity: Self.size)
    ring.initialize(repeating: 0, count: Self.size)
  }

  deinit {
    entries.deallocate()
    ring.deallocate()
  }

  /// Bytes of a type's messages; 0 = no such type.
  func length(ofType type: UInt8) -> Int { Int(entries[Int(type)] & 0xff) }

  @inline(__always)
  subscript(_ number: Int) -> (offset: Int, type: UInt8) {
    let word = ring[number & (Self.size &- 1)]
    return (Int(truncatingIfNeeded: word >> 8), UInt8(truncatingIfNeeded: word))
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
