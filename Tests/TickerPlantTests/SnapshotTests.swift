import FeedProtocols
import MarketData
import Testing

@testable import TickerPlant

@Suite struct SnapshotTests {
  /// A plant that has seen `count` messages of a stream, some of them wrong.
  private func busyBox(_ count: Int, _ stream: inout RandomStream) -> Box {
    let box = Box(session: "S7")
    for _ in 0..<count { box.apply(framed(stream.next())) }
    _ = box.records()
    return box
  }

  @Test(arguments: 0..<8)
  func aRestoredPlantGoesOnLikeOneThatNeverStopped(round: Int) throws {
    var random = generator("snapshot", round: round)
    var stream = RandomStream(SeededGenerator(seed: random.next()), wrongPercent: round % 2 == 0 ? 10 : 40)
    let note: Comment = "KABUTO_SEED=\(String(runSeed, radix: 16)) round \(round)"
    let box = busyBox(1 + random.below(700), &stream)
    let bytes = box.plant.snapshot()
    let other = Box(expectedOrders: 5_000, expectedInstruments: 200)
    // What it knew before doesn't matter.
    for _ in 0..<random.below(50) { other.apply(framed(Instrument("OLD").add(random.next(), .buy, 1, "1"))) }
    try other.plant.restore(bytes)
    _ = other.records()
    other.next = box.next
    #expect(other.plant.digest() == box.plant.digest(), note)
    #expect(other.plant.counters == box.plant.counters, note)
    #expect(other.plant.epoch == box.plant.epoch, note)
    #expect(other.plant.liveOrders == box.plant.liveOrders, note)
    for step in 0..<400 {
      let message = framed(stream.next())
      box.apply(message)
      other.apply(message)
      let (found, wanted) = (withoutOrdinal(other.records()), withoutOrdinal(box.records()))
      #expect(found == wanted, "\(note), step \(step)")
      if found != wanted { return }
    }
    #expect(other.plant.digest() == box.plant.digest(), note)
    #expect(other.plant.counters == box.plant.counters, note)
    for index in 0..<box.plant.instrumentCount {
      #expect(other.plant.facts(of: index) == box.plant.facts(of: index), note)
      for level in box.levels(of: index, .buy).prefix(3) {
        let price = Price(units: Int64(level.price))
        #expect(
          other.plant.queue(at: price, of: index, side: .buy)
            == box.plant.queue(at: price, of: index, side: .buy))
      }
    }
  }

  private func withoutOrdinal(_ records: [Record]) -> [Record] {
    records.map { record in
      var record = record
      if record.update == .source {
        record.payload.replaceSubrange(16..<24, with: [UInt8](repeating: 0, count: 8))
      }
      return record
    }
  }

  @Test func theSameStateGivesTheSameBytes() throws {
    var stream = RandomStream(generator("bytes"))
    let box = busyBox(500, &stream)
    let bytes = box.plant.snapshot()
    #expect(box.plant.snapshot() == bytes)
    #expect(box.plant.snapshotAndDigest().digest == box.plant.digest())
    let other = Box()
    try other.plant.restore(bytes)
    #expect(other.plant.digest() == box.plant.digest())
    // The table's order may differ, the size may not.
    #expect(other.plant.snapshot().count == bytes.count)
  }

  @Test func aRestoreIsSaidToRecoverUntilAllOfItWasTold() throws {
    var stream = RandomStream(generator("recovering"))
    let box = busyBox(300, &stream)
    let other = Box()
    _ = other.records()
    try other.plant.restore(box.plant.snapshot())
    let records = other.records()
    let states = records.indices.filter { records[$0].update == .source }
    #expect(states == [0, records.count - 1])
    let told = states.map { records[$0].payload[0] }
    #expect(told == [SourceState.recovering.rawValue, other.plant.sourceState.rawValue])
    #expect(other.plant.sourceState == box.plant.sourceState)
  }

  @Test func everyTruncationIsAnErrorAndChangesNothing() {
    var stream = RandomStream(generator("truncation"))
    let bytes = busyBox(120, &stream).plant.snapshot()
    let box = busyBox(30, &stream)
    let digest = box.plant.digest()
    for count in 0..<bytes.count where count < 400 || count % 7 == 0 || count > bytes.count - 20 {
      #expect(throws: SnapshotError.self) { try box.plant.restore(Array(bytes[..<count])) }
    }
    #expect(throws: SnapshotError.self) { try box.plant.restore(bytes + [0]) }
    #expect(throws: SnapshotError.self) { try box.plant.restore(bytes + [UInt8](repeating: 0, count: 8)) }
    #expect(box.plant.digest() == digest)
    #expect(box.records().isEmpty)
  }

  @Test func everyFlippedBitIsAnErrorAndChangesNothing() {
    var random = generator("flips")
    var stream = RandomStream(SeededGenerator(seed: random.next()))
    let bytes = busyBox(120, &stream).plant.snapshot()
    let box = busyBox(30, &stream)
    let digest = box.plant.digest()
    for _ in 0..<300 {
      var damaged = bytes
      for _ in 0...random.below(3) { damaged[random.below(bytes.count)] ^= UInt8(1 << random.below(8)) }
      if damaged == bytes { continue }
      #expect(throws: SnapshotError.self) { try box.plant.restore(damaged) }
    }
    #expect(box.plant.digest() == digest)
    #expect(box.records().isEmpty)
  }

  @Test func anotherMarketsSnapshotIsRefused() {
    let bytes = Box(market: "XOSE").plant.snapshot()
    let box = Box(market: "XTKS")
    #expect(throws: SnapshotError.self) { try box.plant.restore(bytes) }
  }

  @Test func forgedLengthsDatesAndCountsNeverTrap() {
    var random = generator("forged")
    var stream = RandomStream(SeededGenerator(seed: random.next()))
    let bytes = busyBox(60, &stream).plant.snapshot()
    var sealed = bytes
    sealSnapshot(&sealed)
    #expect(sealed == bytes, "the seal of this test is the product's")
    let values: [UInt64] = [0, 1, 7, 64, .max, .max >> 1, 1 << 63, 1 << 32, 1 << 31, 0xffff_ffff]
    // The head: market, session, day, sequence, times, phase, gap, counters, number of instruments.
    for offset in stride(from: 16, to: 240, by: 8) {
      for value in values + [random.next(), random.next() >> 40] {
        var forged = bytes
        for index in 0..<8 { forged[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
        sealSnapshot(&forged)
        let box = Box(session: "S7")
        do {
          try box.plant.restore(forged)
          _ = box.plant.epoch
          _ = box.plant.digest()
          box.next = box.plant.sequence &+ 1
          box.apply(framed(Instrument("7203").add(9_999, .buy, 100, "10")))
        } catch {}
      }
    }
    // The tail: trades and orders.
    for offset in stride(from: max(240, bytes.count - 900), to: bytes.count - 8, by: 8) {
      // What looks like a count is tried with every value, the rest with one.
      let looksLikeCount = bytes[offset] > 0 && bytes[offset + 1..<offset + 8].allSatisfy { $0 == 0 }
      for value in looksLikeCount ? values : [values[random.below(values.count)]] {
        var forged = bytes
        for index in 0..<8 { forged[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
        sealSnapshot(&forged)
        let box = Box()
        do {
          try box.plant.restore(forged)
          for _ in 0..<20 { box.apply(framed(stream.next())) }
        } catch {}
      }
    }
  }

  @Test func anImageTellsTradesAsTheyWereToldFirst() throws {
    let stock = Instrument("7203")
    let box = Box()
    box.apply(
      stock.hidden(100, "10", match: 1), stock.hidden(100, "12", match: 2), stock.hidden(100, "11", match: 3),
      stock.broken(2))
    box.apply(stock.hidden(100, "11", match: 4))
    let told = box.records().filter { $0.update == .trade && $0.payload(as: TradePayload.self).broken == 0 }
      .map { $0.payload(as: TradePayload.self) }
    let other = Box()
    try other.plant.restore(box.plant.snapshot())
    let again = other.records().filter { $0.update == .trade }.map { $0.payload(as: TradePayload.self) }
    #expect(again.map(\.match) == told.map(\.match))
    #expect(again.map(\.direction) == told.map(\.direction))
    #expect(again.map(\.broken) == [0, 1, 0, 0])
    #expect(again.map(\.tradeSequence) == told.map(\.tradeSequence))
  }

  /// What an image says of each instrument's last change.
  private func stamps(_ box: Box) -> [StampsPayload] {
    _ = box.records()
    box.plant.emitAll(announcing: 0)
    return box.records().filter { $0.update == .stamps }.map { $0.payload(as: StampsPayload.self) }
  }

  @Test func aRestoredPlantKnowsWhichMessageChangedEachInstrumentLast() throws {
    let (one, two) = (Instrument("7203"), Instrument("9984"))
    let box = Box()
    // A book's second level changes no quote; the first trade opens the market, which changes every state.
    box.apply(
      one.add(1, .buy, 100, "10"), two.hidden(100, "5", match: 1), one.add(2, .buy, 100, "9"),
      two.add(3, .sell, 100, "6"), two.broken(1))
    let other = Box()
    try other.plant.restore(box.plant.snapshot())
    let told = stamps(other)
    #expect(told == stamps(box))
    #expect(told.map(\.quoteSequence) == [2, 5] && told.map(\.bookSequence) == [3, 4])
    #expect(told.map(\.tradeSequence) == [1, 5] && told.map(\.barSequence) == [1, 5])
  }

  @Test func aSnapshotOfTheLayoutWithoutStampsIsTakenAsChangedWhenItWasMade() throws {
    var stream = RandomStream(generator("old layout"))
    let box = busyBox(300, &stream)
    var old = box.plant.snapshot()
    // Market and session with their lengths, eight words, the counters, and how many instruments there are.
    var offset = 16 + 16 + 16 + 64 + MemoryLayout<PlantCounters>.size + 8
    let size = MemoryLayout<StampsPayload>.size
    offset +=
      MemoryLayout<FactsPayload>.size + MemoryLayout<StatisticsPayload>.size + MemoryLayout<BarPayload>.size
      + 40
    for _ in 0..<box.plant.instrumentCount {
      old.removeSubrange(offset..<offset + size)
      offset +=
        MemoryLayout<FactsPayload>.size + MemoryLayout<StatisticsPayload>.size
        + MemoryLayout<BarPayload>.size + 40
    }
    old[8] = 1
    sealSnapshot(&old)
    let other = Box()
    try other.plant.restore(old)
    #expect(other.plant.digest() == box.plant.digest())
    #expect(stamps(other).allSatisfy { $0.quoteSequence == box.plant.sequence })
    var newer = box.plant.snapshot()
    newer[8] = 3
    sealSnapshot(&newer)
    #expect(throws: SnapshotError.self) { try other.plant.restore(newer) }
  }

  @Test func anImageOfAPlantBeforeItsFirstMessageIsItsSource() {
    let box = Box()
    box.plant.emitAll(announcing: 0)
    #expect(box.records().map(\.update) == [.source])
  }
}
