// Lines with loss, reordering and duplication: what the plant ends with is what a plant that got everything has;
// and where nobody has a message, exactly one gap is said, and healed when somebody has it later.

import FeedProtocols
import MarketData
import Testing
import TickerPlant

@testable import FeedHandler

@Suite("Lines, simulated") struct LineSimulationTests {
  static let day = LineDay.shared

  /// Faults up to a fifth on both lines, the request server losing too.
  @Test(arguments: [(0.05, 0.0), (0.1, 0.05), (0.2, 0.1), (0.2, 0.2)])
  func nothingIsLostWhileSomebodyHasIt(loss: Double, requestLoss: Double) {
    for round in 0..<3 {
      var world = LineWorld(generator("lines \(loss) \(requestLoss) \(round)"))
      world.faults = Array(repeating: LineFaults(loss: loss, duplicate: loss, reorder: loss), count: 2)
      world.requestLoss = requestLoss
      world.play("DAY1", Self.day.messages)
      // Heartbeats are lost like the rest: at the end some come for certain.
      world.faults = Array(repeating: LineFaults(), count: 2)
      world.play("DAY1", Self.day.messages, from: Self.day.messages.count, quiet: 300)
      #expect(world.plant.digest().value == Self.day.digest)
      #expect(world.plant.counters.lost == 0)
      #expect(world.plant.counters.repeated == 0)
      #expect(world.plant.counters.messages == UInt64(Self.day.messages.count))
      #expect(world.declared.isEmpty)
      #expect(world.plant.sourceState == .live)
      #expect(world.requestsReceived > 0)
    }
  }

  @Test func oneLineIsEnough() {
    for dead in 0..<2 {
      var world = LineWorld(generator("one line \(dead)"), hasRequestServer: false)
      world.faults[dead] = LineFaults(loss: 1)
      world.play("DAY1", Self.day.messages)
      #expect(world.plant.digest().value == Self.day.digest)
      #expect(world.declared.isEmpty)
      #expect(world.requestsReceived == 0)
      #expect(world.plant.sourceState == .live)
    }
  }

  @Test func theOtherLineFillsWithoutBeingAsked() {
    var world = LineWorld(generator("other line"), hasRequestServer: false)
    world.faults[0].missing = Set(100...400)
    world.faults[1].missing = Set(700...1000)
    world.play("DAY1", Self.day.messages)
    #expect(world.plant.digest().value == Self.day.digest)
    #expect(world.declared.isEmpty)
    #expect(world.receiver.arbiter.lines[0].missing >= 301)
    #expect(world.receiver.arbiter.lines[1].missing >= 301)
  }

  @Test(arguments: [true, false]) func whatNobodyHasIsOneDeclaredGap(hasRequestServer: Bool) {
    var world = LineWorld(generator("gap \(hasRequestServer)"), hasRequestServer: hasRequestServer)
    // Packets that carry one of these are lost whole, so ask for all that can be missing.
    for line in 0..<2 { world.faults[line].missing = Set(1200...1260) }
    world.requestMissing = Set(1...UInt64(Self.day.messages.count))
    world.play("DAY1", Self.day.messages)
    #expect(world.declared.count == 1)
    let gap = world.declared.first ?? 0...0
    #expect(gap.lowerBound <= 1200 && gap.upperBound >= 1260)
    #expect(world.plant.counters.lost == UInt64(gap.count))
    #expect(world.plant.sequence == UInt64(Self.day.messages.count))
    // Never live again by itself.
    #expect(world.plant.sourceState == .gap)
    #expect(world.states.last == .gap)
    #expect(world.notes.filter { $0.level == .error && $0.text.contains("are lost") }.count == 1)
  }

  @Test func aGapIsHealedWhenTheRequestServerHasItLater() {
    for start in [0, 900] {
      var world = LineWorld(generator("heal \(start)"))
      for line in 0..<2 {
        world.faults[line] = LineFaults(
          loss: 0.05, reorder: 0.05, missing: Set(UInt64(start + 1)...UInt64(start + 60)))
      }
      // No more than the lines lack for certain: what both lose by chance besides is there to be had.
      world.requestMissing = Set(UInt64(start + 1)...UInt64(start + 60))
      world.play("DAY1", Self.day.messages, through: 2000)
      #expect(world.declared.count == 1)
      #expect(world.plant.sourceState == .gap)
      world.requestMissing = []
      for line in 0..<2 { world.faults[line].missing = [] }
      world.play("DAY1", Self.day.messages, from: 2000, quiet: 5_000)
      #expect(world.receiver.healing.healed == 1)
      #expect(world.plant.digest().value == Self.day.digest)
      #expect(world.plant.sourceState == .live)
      #expect(world.declared.count == 1)
    }
  }

  @Test func aLateStartCatchesUpThroughTheRequestServer() {
    var world = LineWorld(generator("late"))
    world.play("DAY1", Self.day.messages, from: 2000, quiet: 4_000)
    #expect(world.plant.digest().value == Self.day.digest)
    #expect(world.states.contains(.recovering))
    #expect(world.plant.sourceState == .live)
    #expect(world.declared.isEmpty)
  }

  @Test func aRequestServerWithOnlyTheNewestLosesOnlyTheRest() {
    var world = LineWorld(generator("newest"))
    world.requestMissing = Set(1...1500)
    world.play("DAY1", Self.day.messages, from: 2000, quiet: 4_000)
    #expect(world.declared == [1...1500])
    #expect(world.plant.sequence == UInt64(Self.day.messages.count))
  }

  @Test func aRestoredPlantGoesOnWhereItWas() throws {
    var first = LineWorld(generator("restore 1"))
    first.play("DAY1", Self.day.messages, through: 1300)
    let snapshot = first.plant.snapshot()
    var restored = LineDay.plant()
    try restored.restore(snapshot)
    restored.updates.removeAll()
    var world = LineWorld(generator("restore 2"), plant: restored)
    world.play("DAY1", Self.day.messages, from: 1700, quiet: 3_000)
    #expect(world.plant.digest().value == Self.day.digest)
    #expect(world.plant.counters.lost == 0)
  }

  @Test func requestsKeepTheirBudget() {
    var world = LineWorld(generator("budget"), requestsPerSecond: 10)
    world.faults = Array(repeating: LineFaults(loss: 0.2), count: 2)
    let begin = world.now
    world.play("DAY1", Self.day.messages, quiet: 20_000)
    let seconds = Double(world.now - begin) / 1e9
    #expect(Double(world.requestsReceived) <= 10 * seconds + 8)
    #expect(world.receiver.arbiter.requests.heldBack > 0)
    #expect(world.plant.digest().value == Self.day.digest)
    #expect(world.declared.isEmpty)
  }

  @Test func heldPacketsAreBounded() {
    var world = LineWorld(generator("bound"), requestsPerSecond: 100_000) { $0.maximumHeldBytes = 20_000 }
    var most = 0
    let messages = Self.day.messages
    var place = 1000
    while place < messages.count {
      let count = min(20, messages.count - place)
      world.send("DAY1", UInt64(place + 1), Array(messages[place..<place + count]))
      place += count
      world.run(200_000, session: "DAY1", messages: messages, sent: place)
      most = max(most, world.receiver.arbiter.heldBytes)
    }
    world.play("DAY1", messages, from: messages.count, quiet: 4_000)
    #expect(most <= 20_000)
    #expect(world.receiver.arbiter.requests.passedOver > 0)
    #expect(world.plant.digest().value == Self.day.digest)
  }
}
