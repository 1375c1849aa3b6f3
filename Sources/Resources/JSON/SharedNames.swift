// Names of members, each kept once: a snapshot of a million items has some hundred names.

struct SharedNames {
  private var slots: [(hash: UInt64, name: String)?] = []
  private var count = 0

  /// Names beyond these are not kept: a text made of names only stays as small as it is.
  private static var mostNames: Int { 1_024 }
  private static var slotCount: Int { 4_096 }

  /// The text of some bytes.
  mutating func name(_ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> String {
    if slots.isEmpty { slots = Array(repeating: nil, count: Self.slotCount) }
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for place in range { hash = (hash ^ UInt64(bytes[place])) &* 0x100_0000_01b3 }
    var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & (Self.slotCount - 1)
    while let known = slots[slot] {
      if known.hash == hash, Self.equal(known.name, range, bytes) { return known.name }
      slot = (slot + 1) & (Self.slotCount - 1)
    }
    let name = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    if count < Self.mostNames {
      count += 1
      slots[slot] = (hash, name)
    }
    return name
  }

  private static func equal(_ name: String, _ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard name.utf8.count == range.count else { return false }
    return zip(name.utf8, range).allSatisfy { $0 == bytes[$1] }
  }
}
