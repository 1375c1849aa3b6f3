import MarketData
import Testing

@testable import TickerPlant

@Suite struct SequenceTests {
  private let stock = Instrument("7203")

  @Test func whatComesAgainIsPassedOver() {
    let box = Box()
    box.apply(stock.add(1, .buy, 100, "10"), stock.add(2, .buy, 100, "10"))
    _ = box.records()
    let digest = box.plant.digest()
    box.apply(framed(stock.add(3, .buy, 900, "11")), sequence: 2)
    box.apply(framed(stock.add(1, .buy, 100, "10")) + framed(stock.add(2, .buy, 100, "10")), sequence: 1)
    box.apply(framed(stock.add(4, .buy, 1, "1")), sequence: 0)
    #expect(box.plant.digest() == digest)
    #expect(box.plant.counters.repeated == 4)
    #expect(box.plant.counters.messages == 2)
    #expect(box.plant.sequence == 2)
    #expect(box.records().isEmpty)
  }

  @Test func aBatchThatOverlapsIsTakenFromWhereItIsNew() {
    let box = Box()
    box.apply(stock.add(1, .buy, 100, "10"), stock.add(2, .buy, 100, "10"))
    box.apply(framed(stock.add(2, .buy, 100, "10")) + framed(stock.add(3, .buy, 100, "10")), sequence: 2)
    #expect(box.plant.liveOrders == 3)
    #expect(box.plant.sequence == 3)
    #expect(box.plant.counters.duplicateOrders == 0)
    #expect(box.plant.sourceState == .live)
  }

  @Test func aJumpIsDeclaredOnceWithItsRange() {
    let box = Box()
    box.apply(stock.add(1, .buy, 100, "10"))
    _ = box.records()
    box.apply(framed(stock.add(2, .buy, 100, "10")) + framed(stock.add(3, .buy, 100, "10")), sequence: 10)
    let sources = box.records().filter { $0.update == .source }
    #expect(sources.count == 1)
    let payload: SourcePayload? = sources.first.map { $0.payload(as: SourcePayload.self) }
    #expect(payload?.gapFrom == 2 && payload?.gapThrough == 9)
    #expect(payload?.state == UInt64(SourceState.gap.rawValue))
    #expect(box.plant.counters.lost == 8)
    #expect(box.plant.sequence == 11)
    #expect(box.plant.gap == (2, 9))
    box.apply(framed(stock.add(4, .buy, 100, "10")), sequence: 12)
    #expect(box.records().filter { $0.update == .source }.isEmpty)
  }

  @Test func aDeclaredGapMovesTheSequenceAndIsNotDeclaredAgain() {
    let box = Box()
    box.apply(stock.add(1, .buy, 100, "10"))
    box.plant.declareGap(from: 2, through: 5)
    box.plant.declareGap(from: 9, through: 8)
    #expect(box.plant.sequence == 5)
    box.apply(framed(stock.add(2, .buy, 100, "10")), sequence: 6)
    #expect(box.plant.counters.lost == 4)
    #expect(box.records().filter { $0.update == .source }.count == 1)
  }

  @Test func aGapStaysUntilANewEpochASnapshotOrTheEnd() {
    let box = Box()
    box.apply(framed(stock.add(1, .buy, 100, "10")), sequence: 5)
    box.plant.setSourceState(.live)
    box.plant.setSourceState(.silent)
    #expect(box.plant.sourceState == .gap)
    box.plant.beginEpoch(session: "", date: box.plant.date.nextWeekday)
    #expect(box.plant.sourceState == .live)
    box.plant.setSourceState(.silent)
    #expect(box.plant.sourceState == .silent)
    box.plant.declareGap(from: 1, through: 3)
    box.plant.setSourceState(.ended)
    #expect(box.plant.sourceState == .ended)
  }

  @Test func malformedMessagesHaveANumberAndNoEffect() {
    let box = Box()
    box.apply(stock.add(1, .buy, 100, "10"))
    _ = box.records()
    box.plant.applyMalformed(sequence: 2)
    box.apply(framed([0x5a, 1, 2]), sequence: 3)
    box.plant.applyMalformed(sequence: 3)
    #expect(box.plant.sequence == 3)
    #expect(box.plant.counters.malformed == 2)
    #expect(box.plant.counters.repeated == 1)
    #expect(box.plant.counters.lost == 0)
    #expect(box.records().isEmpty)
  }

  @Test func numbersAtTheEndOf64BitsDoNotTrap() {
    let box = Box()
    box.apply(framed(stock.add(1, .buy, 100, "10")), sequence: .max)
    #expect(box.plant.sequence == .max)
    box.apply(framed(stock.add(2, .buy, 100, "10")) + framed(stock.add(3, .buy, 100, "10")), sequence: .max)
    box.plant.declareGap(from: 0, through: .max)
    #expect(box.plant.sourceState == .gap)
  }

  @Test func anEpochIsNamedBySessionAndDay() {
    let box = Box(session: "0000000042", date: "2026-11-20")
    #expect(box.plant.epoch == "0000000042.2026-11-20")
    box.plant.beginEpoch(session: "", date: box.plant.date.nextWeekday)
    #expect(box.plant.epoch == "2026-11-23")
    box.plant.beginEpoch(session: "A-SESSION-OF-MORE-THAN-16", date: box.plant.date)
    let payload: SourcePayload? = box.records().last { $0.update == .source }.map {
      $0.payload(as: SourcePayload.self)
    }
    #expect(payload?.session == "A-SESSION-OF-MOR")
  }
}
