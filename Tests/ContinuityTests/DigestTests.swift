// Sums over records: equal wherever the same messages were applied, and a difference has a name.

import MarketData
import Testing
import TickerPlant

@testable import Continuity

@Suite struct DigestTests {
  static let messages = dayMessages(seed: runSeed, instruments: 5, messages: 3_000)

  /// Applies all messages in batches; one of them may be another.
  static func source(_ batch: Int, altered: Int? = nil, knowsYesterday: Bool = false, windowBits: Int = 8)
    -> Source
  {
    let source = Source { $0.digestWindowBits = windowBits }
    if knowsYesterday {
      source.apply(messages.prefix(400), first: 1)
      source.plant.beginEpoch(session: "DAY1", date: testDate.nextWeekday)
    } else {
      source.plant.beginEpoch(session: "DAY1", date: testDate.nextWeekday)
    }
    var changed = messages
    if let altered { changed[altered][changed[altered].count - 1] ^= 1 }
    for start in stride(from: 0, to: changed.count, by: batch) {
      let end = min(changed.count, start + batch)
      source.apply(changed[start..<end], first: UInt64(start + 1))
    }
    return source
  }

  @Test func equalFeedsHaveEqualSumsHoweverTheyWereCut() throws {
    let plants = [Self.source(1), Self.source(37), Self.source(500, knowsYesterday: true)]
    let last = try #require(plants[0].lastFullWindow)
    for plant in plants {
      let window = try #require(plant.lastFullWindow)
      #expect(window == last)
    }
    for start in stride(from: last.start, through: last.start - 256 * 5, by: -256) {
      let mine = try #require(plants[0].summary(windowStart: start))
      #expect(mine.sum != 0)
      for other in plants.dropFirst() {
        let theirs = try #require(other.summary(windowStart: start))
        #expect(mine.sum == theirs.sum)
        #expect(mine.difference(from: theirs) == nil)
      }
    }
  }

  @Test func aDifferenceNamesInstrumentAndMessage() throws {
    // The newest full window's messages; an added order with another price.
    let probe = Self.source(100)
    let window = try #require(probe.lastFullWindow)
    let altered = try #require(
      (Int(window.start)..<Int(window.start) + 250).first { Self.messages[$0][0] == UInt8(ascii: "A") })
    let other = Self.source(100, altered: altered)
    let mine = try #require(probe.summary(windowStart: window.start))
    let theirs = try #require(other.summary(windowStart: window.start))
    let encoded = theirs.encoded()
    let read = try #require(encoded.withUnsafeBytes { WindowSummary(decoding: $0) })
    let difference = try #require(mine.difference(from: read))
    #expect(difference.sequence == UInt64(altered + 1))
    let code = Self.messages[altered][24..<32].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    #expect(difference.instruments.contains(InstrumentCode(code)))
    #expect(difference.description.contains("from message \(altered + 1) on"))
  }

  @Test func twoBeatsTellOfEveryWindowHoweverManyThereWere() throws {
    let source = Source { $0.digestWindowBits = 6 }
    source.apply(Self.messages[0..<500], first: 1)
    var told: [UInt64: Set<UInt64>] = [:]
    var counts: [UInt64: Int] = [:]
    for start in stride(from: 500, to: 3_000, by: 500) {
      source.apply(Self.messages[start..<start + 500], first: UInt64(start + 1))
      source.publish()
      _ = source.takeFrames()
      source.beat()
      let facts = try #require(
        source.takeFrames().last?.withUnsafeBytes { (try? StreamFrame(decoding: $0))?.beat })
      #expect(facts.windows.count > 7)
      for window in facts.windows {
        told[window.start, default: []].insert(window.sum)
        counts[window.start, default: 0] += 1
        #expect(source.summary(windowStart: window.start)?.sum == window.sum)
      }
    }
    #expect(told.keys.sorted() == Array(stride(from: 0, to: 2_944, by: 64)))
    #expect(told.values.allSatisfy { $0.count == 1 })
    #expect(counts.filter { $0.key < 2_432 }.allSatisfy { $0.value == 2 })
  }

  @Test func beatsCarryTheLastWindowUnlessThereIsAGap() throws {
    let source = Self.source(100)
    _ = source.takeFrames()
    source.beat()
    let facts = try #require(
      source.takeFrames().last?.withUnsafeBytes { (try? StreamFrame(decoding: $0))?.beat })
    let window = try #require(source.lastFullWindow)
    #expect(facts.windows.last == DigestWindow(start: window.start, sum: window.sum))
    source.plant.declareGap(from: source.plant.sequence + 1, through: source.plant.sequence + 5)
    source.publish()
    _ = source.takeFrames()
    source.beat()
    let after = try #require(
      source.takeFrames().last?.withUnsafeBytes { (try? StreamFrame(decoding: $0))?.beat })
    #expect(after.windows.isEmpty)
  }

  @Test func whatWasNotSummedFromItsBeginningIsNotTold() throws {
    let source = Self.source(100)
    let saved = source.plant.snapshot()
    let sequence = source.plant.sequence
    try source.plant.restore(saved)
    source.publish()
    #expect(source.lastFullWindow == nil)
    #expect(source.summary(windowStart: sequence & ~255) == nil)
  }

  @Test func bytesThatAreNoSummaryAreRefused() {
    var random = generator("summary")
    let good = WindowSummary(start: 256, sum: 9, instruments: [(InstrumentCode(1), 2)], messages: [1, 2, 3])
      .encoded()
    fuzz(rounds: 500) {
      var bytes = good
      for _ in 0..<1 + random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      if random.chance(30) { bytes.removeLast(random.below(bytes.count)) }
      _ = bytes.withUnsafeBytes { WindowSummary(decoding: $0) }
    }
    #expect([].withUnsafeBytes { WindowSummary(decoding: $0) } == nil)
  }
}
