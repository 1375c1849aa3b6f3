import Foundation
import MarketData
import Synchronization
import Testing

@testable import TickerPlant

/// Records whose payloads say who they are: number, and a value that follows from it.
private func batch(_ numbers: Range<UInt64>, payloadWords: Int = 1, sequence: (UInt64) -> UInt64 = { $0 })
  -> [UInt8]
{
  var bytes: [UInt8] = []
  for number in numbers {
    let header = UpdateHeader(
      kind: UpdateKind.level.rawValue, flags: 0, byteCount: UInt16(32 + payloadWords * 8),
      instrument: UInt32(truncatingIfNeeded: number), sequence: sequence(number), time: number, receivedAt: 0)
    withUnsafeBytes(of: header) { bytes.append(contentsOf: $0) }
    for word in 0..<payloadWords {
      withUnsafeBytes(of: StateDigest.mix(number &+ UInt64(word))) { bytes.append(contentsOf: $0) }
    }
  }
  return bytes
}

@Suite struct UpdateRingTests {
  @Test func nothingIsLostDoubledOrTornBetweenTwoThreads() {
    var seeds = generator("ring")
    let seed = seeds.next()
    let ring = UpdateRing(capacity: 1 << 16) {}
    let total: UInt64 = 40_000
    let producer = Thread {
      var random = SeededGenerator(seed: seed)
      var next: UInt64 = 0
      while next < total {
        let end = min(total, next + 1 + UInt64(random.below(random.chance(5) ? 400 : 6)))
        let bytes = batch(next..<end)
        var waits = 0
        while !bytes.withUnsafeBytes({ ring.write($0, tag: UInt32(truncatingIfNeeded: next)) }) {
          waits += 1
          if waits > 20 { usleep(50) }
        }
        next = end
      }
    }
    producer.start()
    var random = SeededGenerator(seed: seed ^ 1)
    var wanted: UInt64 = 0
    var faults = 0
    let end = Date().addingTimeInterval(30)
    while wanted < total, Date() < end {
      ring.drain(limit: 1 + random.below(40_000)) { tag, bytes in
        if tag != UInt32(truncatingIfNeeded: wanted) { faults += 1 }
        var cursor = UpdateCursor(bytes)
        while cursor.next() {
          let word: UInt64 = cursor.payload()
          if cursor.header.sequence != wanted || word != StateDigest.mix(wanted) { faults += 1 }
          wanted += 1
        }
      }
      if random.chance(10) { usleep(200) }
    }
    #expect(wanted == total)
    #expect(faults == 0)
    #expect(ring.fill == 0)
  }

  @Test func aFullRingSaysSoAndTakesMoreAfterDraining() {
    let ring = UpdateRing(capacity: 1 << 16) {}
    let bytes = batch(0..<200)
    var written = 0
    while bytes.withUnsafeBytes({ ring.write($0, tag: 1) }) { written += 1 }
    #expect(written == (1 << 16) / (16 + bytes.count))
    #expect(ring.fill <= ring.capacity)
    var taken = 0
    #expect(!ring.drain(limit: 1) { _, _ in taken += 1 })
    #expect(taken == 1)
    #expect(bytes.withUnsafeBytes { ring.write($0, tag: 2) })
    #expect(ring.drain { _, _ in taken += 1 })
    #expect(taken == written + 1)
  }

  @Test func everySizeSurvivesTheWrap() {
    let ring = UpdateRing(capacity: 1 << 16) {}
    var random = generator("wrap")
    var next: UInt64 = 0
    for _ in 0..<600 {
      let count = UInt64(1 + random.below(150))
      let words = 1 + random.below(20)
      let bytes = batch(next..<next + min(count, 180), payloadWords: words)
      guard bytes.count <= ring.capacity / 2 - 32 else { continue }
      #expect(bytes.withUnsafeBytes { ring.write($0, tag: 9) })
      var found: [UInt8] = []
      ring.drain { _, piece in found += Array(piece) }
      #expect(found == bytes)
      next += count
    }
    #expect(
      UnsafeRawBufferPointer(start: nil, count: 0).isEmpty && ring.write(.init(start: nil, count: 0), tag: 0))
  }

  @Test func theConsumerIsWokenOnceUntilItDrains() {
    let wakes = Mutex(0)
    let ring = UpdateRing(capacity: 1 << 16) { wakes.withLock { $0 += 1 } }
    let bytes = batch(0..<1)
    for _ in 0..<3 { _ = bytes.withUnsafeBytes { ring.write($0, tag: 0) } }
    #expect(wakes.withLock { $0 } == 1)
    ring.drain { _, _ in }
    _ = bytes.withUnsafeBytes { ring.write($0, tag: 0) }
    #expect(wakes.withLock { $0 } == 2)
    ring.drain { _, _ in }
    ring.setWakeWanted(false)
    _ = bytes.withUnsafeBytes { ring.write($0, tag: 0) }
    #expect(wakes.withLock { $0 } == 2)
  }
}

@Suite struct RecordSplitterTests {
  private func split(_ bytes: [UInt8], limit: Int, hardLimit: Int) -> [(bytes: [UInt8], continues: Bool)] {
    bytes.withUnsafeBytes { raw in
      var splitter = RecordSplitter(raw, limit: limit, hardLimit: hardLimit)
      var pieces: [(bytes: [UInt8], continues: Bool)] = []
      while let piece = splitter.next() { pieces.append((Array(piece.records), piece.continues)) }
      return pieces
    }
  }

  private func sequences(_ bytes: [UInt8]) -> [UInt64] {
    bytes.withUnsafeBytes { raw in
      var cursor = UpdateCursor(raw)
      var list: [UInt64] = []
      while cursor.next() { list.append(cursor.header.sequence) }
      return list
    }
  }

  @Test func messagesStayTogetherAndEveryByteIsThere() {
    var random = generator("splitter")
    for _ in 0..<60 {
      let perMessage = UInt64(1 + random.below(30))
      let bytes = batch(0..<UInt64(random.below(1_500)), payloadWords: 1 + random.below(10)) {
        $0 / perMessage
      }
      let limit = 64 + random.below(8_000)
      let pieces = split(bytes, limit: limit, hardLimit: 1 << 20)
      #expect(pieces.flatMap(\.bytes) == bytes)
      for (one, two) in zip(pieces, pieces.dropFirst()) {
        #expect(sequences(one.bytes).last != sequences(two.bytes).first)
        #expect(!one.continues)
      }
      let longest = Int(perMessage) * (32 + 80)
      #expect(pieces.allSatisfy { $0.bytes.count <= limit + 2 * longest })
    }
  }

  @Test func aMessageBeyondTheHardLimitGoesInPartsThatSaySo() {
    var random = generator("parts")
    for _ in 0..<30 {
      let bytes = batch(0..<3_000, payloadWords: 1 + random.below(6)) {
        $0 < 100 ? $0 : $0 < 2_900 ? 100 : $0
      }
      let pieces = split(bytes, limit: 1_000, hardLimit: 16_000)
      #expect(pieces.flatMap(\.bytes) == bytes)
      #expect(pieces.allSatisfy { $0.bytes.count <= 16_000 + 80 && !sequences($0.bytes).isEmpty })
      for (one, two) in zip(pieces, pieces.dropFirst()) {
        #expect(one.continues == (sequences(one.bytes).last == sequences(two.bytes).first))
      }
      #expect(pieces.last?.continues == false)
    }
  }

  /// 20,000 instruments that begin anew at once are more than half of any ring.
  @Test func aWholeMarketThatBeginsAnewFitsTheRing() {
    let box = Box(expectedInstruments: 6_000)
    var writer: [UInt8] = []
    for number in 0..<6_000 {
      writer += framed(
        Instrument("N\(number)", locate: UInt16(number + 1)).add(UInt64(number + 1), .buy, 1, "1"))
    }
    box.apply(writer)
    box.plant.updates.removeAll()
    box.plant.beginEpoch(session: "", date: box.plant.date.nextWeekday)
    let ring = UpdateRing(capacity: 4 << 20) {}
    var splitter = RecordSplitter(box.plant.updates.bytes)
    var count = 0
    while let piece = splitter.next() {
      #expect(ring.write(piece.records, tag: piece.continues ? RecordSplitter.continues : 0))
      ring.drain { _, bytes in count += bytes.count }
    }
    #expect(count == box.plant.updates.bytes.count)
    #expect(count > 1 << 20)
  }
}
