// TX variables by name, for names that are made while a request is looked at (`setvar:tx.x_%{MATCHED_VAR}=1`).
//
// Open addressing, at most half full. Immutable; the names are the policy's.

struct SlotTable: Sendable {
  private let names: [ByteView]
  /// Numbers of names; -1: nothing.
  private let places: [Int32]

  init(_ names: [ByteView]) {
    self.names = names
    var size = 16
    while size < 2 * names.count { size *= 2 }
    var places = [Int32](repeating: -1, count: size)
    for (number, name) in names.enumerated() {
      var place = SlotTable.hash(name) & (size - 1)
      while places[place] >= 0 { place = (place + 1) & (size - 1) }
      places[place] = Int32(number)
    }
    self.places = places
  }

  /// FNV-1a. Whoever chooses names finds at worst a longer way among the policy's own.
  private static func hash(_ name: ByteView) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in 0..<name.count { hash = (hash ^ UInt64(name.start[index])) &* 0x100_0000_01b3 }
    return Int(truncatingIfNeeded: hash ^ hash >> 32)
  }

  /// The slot of a name in lower case.
  subscript(name: ByteView) -> Int? {
    var place = SlotTable.hash(name) & (places.count - 1)
    while places[place] >= 0 {
      let number = Int(places[place])
      if names[number] == name { return number }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }
}
