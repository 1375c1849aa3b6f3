import CHardware
import MarketData
import Testing

@testable import TickerPlant

// The plant's tables by themselves, where whole feeds seldom take them: references that all want the same place, and
// sides of a book with many more levels than are compared at once.

@Suite struct TableTests {
  private func fill(_ table: inout OrderTable, _ reference: UInt64, shares: UInt32) -> Bool {
    let slot = table.place(for: reference)
    guard slot >= 0 else { return false }
    table.fill(slot, reference: reference, shares: shares, side: 0, entry: 0, attribution: 0, level: 1)
    return true
  }

  @Test func ordersAreFoundWhateverTheirReferences() {
    var random = generator("order table")
    for step in [1, 2, 40, 1 << 20, 1 << 44] as [UInt64] {
      var table = OrderTable(expected: 16)
      var live: [UInt64: UInt32] = [:]
      var references: [UInt64] = [0, .max]
      var next: UInt64 = 1
      for _ in 0..<20_000 {
        if random.chance(60) || references.isEmpty {
          next &+= 1 + step &* UInt64(random.below(3))
          references.append(next)
          let isNew = live[next] == nil
          #expect(fill(&table, next, shares: 7) == isNew)
          live[next] = 7
        } else {
          let place = random.below(references.count)
          let reference = references[place]
          let slot = table.find(reference)
          #expect((slot >= 0) == (live[reference] != nil))
          if slot >= 0 { table.remove(at: slot) }
          live[reference] = nil
          references.swapAt(place, references.count - 1)
          references.removeLast()
        }
        #expect(table.count == live.count)
      }
      for reference in live.keys {
        let slot = table.find(reference)
        #expect(slot >= 0 && table.slots[slot].reference == reference)
      }
    }
  }

  @Test func aReferenceThatCameAgainIsFoundWhereItIsNow() {
    var random = generator("reference comes again")
    for _ in 0..<200 {
      var table = OrderTable(expected: 16)
      // One bucket's two slots, whichever; then the same reference again, beside what it left behind.
      var live: Set<UInt64> = []
      for _ in 0..<400 {
        let reference = UInt64(random.below(24)) &* 0x9e37_79b9 &+ 1
        if live.contains(reference) {
          table.remove(at: table.find(reference))
          live.remove(reference)
        } else {
          #expect(fill(&table, reference, shares: 3))
          live.insert(reference)
        }
        for number in 0..<24 {
          let wanted = UInt64(number) &* 0x9e37_79b9 &+ 1
          let slot = table.find(wanted)
          #expect((slot >= 0) == live.contains(wanted))
          if slot >= 0 { #expect(table.slots[slot].reference == wanted && table.slots[slot].shares == 3) }
        }
      }
    }
  }

  @Test func blocksOfSidesAreZeroApartAndUsedAgain() {
    var random = generator("side memory")
    var memory = SideMemory()
    var taken: [(start: UnsafeMutableRawPointer, bytes: Int)] = []
    for round in 0..<3_000 {
      if taken.isEmpty || random.chance(70) {
        let bytes = 320 << random.below(5)
        let block = memory.take(bytes)
        #expect(UInt(bitPattern: block) % 64 == 0)
        #expect(UnsafeRawBufferPointer(start: block, count: bytes).allSatisfy { $0 == 0 })
        block.initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: round | 1), count: bytes)
        taken.append((block, bytes))
      } else {
        let one = taken.remove(at: random.below(taken.count))
        memory.giveBack(one.start, one.bytes)
        // What was given back last is the next of its size.
        let again = memory.take(one.bytes)
        #expect(again == one.start)
        memory.giveBack(again, one.bytes)
      }
    }
    let places = taken.sorted { $0.start < $1.start }
    for (one, next) in zip(places, places.dropFirst()) { #expect(one.start + one.bytes <= next.start) }
  }

  @Test func aTableThatIsConsumedHandsOverAllInOrder() {
    // Less than a piece, several pieces, and elements that don't fill a piece evenly.
    for count in [1, 1000, 1 << 16, 3 << 16] {
      let table = TableMemory.allocate(OrderSlot.self, capacity: count)
      for index in 0..<count { table[index].reference = UInt64(index) }
      var next: UInt64 = 0
      TableMemory.consume(table, capacity: count) {
        if $0.pointee.reference == next { next += 1 }
      }
      #expect(next == UInt64(count))
    }
    let odd = TableMemory.allocate((UInt64, UInt64, UInt64).self, capacity: 200_000)
    var seen = 0
    TableMemory.consume(odd, capacity: 200_000) { _ in seen += 1 }
    #expect(seen == 200_000)
  }

  @Test func theGreaterOnesAreCounted() {
    var random = generator("greater before")
    for _ in 0..<2_000 {
      let values = (0..<16).map { _ in Int32(truncatingIfNeeded: random.next() >> UInt64(random.below(40))) }
        .sorted()
      let bound = random.chance(50) ? values[random.below(16)] : Int32(truncatingIfNeeded: random.next())
      let counted = values.withUnsafeBufferPointer { pointer in
        pointer.baseAddress.map { Int(kabuto_greater_before($0 + 16, bound)) }
      }
      #expect(counted == values.filter { $0 > bound }.count)
    }
  }

  @Test func referencesThatWantTheSamePlaceDontMakeLongWays() {
    // The inverse of the table's first multiplier: such references all begin in the first bucket.
    let multiplier: UInt64 = 0x9e37_79b9_7f4a_7c15
    var inverse: UInt64 = multiplier
    for _ in 0..<6 { inverse = inverse &* (2 &- multiplier &* inverse) }
    #expect(inverse &* multiplier == 1)
    var table = OrderTable(expected: 16)
    let references = (1...100_000).map { UInt64($0) &* inverse }
    for reference in references { #expect(fill(&table, reference, shares: 1)) }
    #expect(table.longest <= 1024)
    for reference in references { #expect(!fill(&table, reference, shares: 1)) }
    for reference in references {
      let slot = table.find(reference)
      #expect(slot >= 0)
      if slot >= 0 { table.remove(at: slot) }
      #expect(table.find(reference) < 0)
    }
    #expect(table.count == 0)
    let slots = UnsafeBufferPointer(start: table.slots, count: table.capacity)
    #expect(slots.allSatisfy { $0.passed == 0 && $0.shares == 0 })
  }

  @Test(arguments: [Side.buy, .sell]) func sidesOfManyLevelsStayInOrder(side: Side) {
    var random = generator("many levels \(side)")
    var books = BookTable(instruments: 1)
    books.append()
    let index = Int(side.rawValue)
    var model: [UInt32: (number: UInt32, shares: [UInt32])] = [:]
    for round in 0..<6_000 {
      let price =
        random.chance(2) ? [0, .max, 0x8000_0000][random.below(3)] : UInt32(random.below(900)) * 100
      let best = side == .buy ? model.keys.max() : model.keys.min()
      // More is added than taken at first, and the other way round later.
      if let level = model[price], random.chance(round < 3_000 ? 20 : 90) {
        let shares = level.shares[level.shares.count - 1]
        let (left, isBest) = books.reduce(
          side: index, level: level.number, shares: shares, removesOrder: true)
        #expect(isBest == (price == best))
        model[price]?.shares.removeLast()
        if level.shares.count == 1 { model[price] = nil }
        #expect(Int(left.orders) == level.shares.count - 1)
      } else if round < 3_000 || random.chance(20) {
        let shares = UInt32(1 + random.below(1000))
        let (number, level, isBest) = books.add(side: index, price: price, shares: shares)
        #expect(isBest == (best.map { side == .buy ? price >= $0 : price <= $0 } ?? true))
        var entry = model[price] ?? (number, [])
        #expect(entry.number == number)
        entry.shares.append(shares)
        model[price] = entry
        #expect(Int(level.orders) == entry.shares.count)
      }
      #expect(books.count(side: index) == model.count)
      if round % 100 == 0 {
        let wanted = model.keys.sorted { side == .buy ? $0 > $1 : $0 < $1 }
        for (depth, price) in wanted.enumerated() {
          let level = books.level(depth, side: index)
          let shares = model[price]?.shares ?? []
          #expect(level?.price == price && Int(level?.orders ?? 0) == shares.count)
          #expect(level?.size == shares.reduce(0) { $0 + UInt64($1) })
        }
        #expect(books.level(wanted.count, side: index) == nil)
        #expect(model.isEmpty || books.sides[index].best.price == wanted[0])
      }
    }
  }
}
