// In and out of service: by command, health and lag, without flapping, never the last.

import Testing

@testable import Continuity

@Suite struct ServiceTests {
  struct World {
    var board = ServiceBoard()
    var now: UInt64 = 1_000_000_000
    var silent: Set<Int> = []
    var unwell: Set<Int> = []
    var lags: [Int: UInt64] = [:]
    var changes: [ServiceBoard.Change] = []

    init(_ count: Int) {
      for place in 0..<count { _ = board.add("plant-\(place)", group: "plants of XTKS") }
      run(200)
      changes = []
    }

    mutating func run(_ milliseconds: Int) {
      for _ in 0..<milliseconds / 100 {
        now += 100 * millisecond
        for place in 0..<3 where !silent.contains(place) {
          board.hear(place, isWell: !unwell.contains(place), lag: lags[place] ?? 0, at: now)
        }
        changes += board.tick(at: now)
      }
    }

    var states: [ServiceState] { (0..<3).map { board.state(of: $0) } }
  }

  @Test func aCommandTakesOutAndBringsBackAtOnce() throws {
    var world = World(3)
    #expect(try world.board.takeOut(1, at: world.now).map(\.state) == [.outByCommand])
    world.run(10_000)
    #expect(world.states == [.inService, .outByCommand, .inService])
    #expect(world.board.bringBack(1, at: world.now).map(\.state) == [.inService])
  }

  @Test func theLastIsNotTakenOut() throws {
    var world = World(3)
    _ = try world.board.takeOut(0, at: world.now)
    _ = try world.board.takeOut(1, at: world.now)
    #expect(
      throws: ServiceBoard.Refusal(
        description: "plant-2 is the last of plants of XTKS that serves: bring another one back first")
    ) { try world.board.takeOut(2, at: world.now) }
    // It dies all the same: one that was taken out serves again.
    world.silent = [2]
    world.run(600)
    #expect(world.states == [.inService, .outByCommand, .outByHealth])
    #expect(world.board.reason(of: 0).contains("the last of plants of XTKS"))
    // It is back, and well for long: the command holds again.
    world.silent = []
    world.run(6_000)
    #expect(world.states == [.outByCommand, .outByCommand, .inService])
  }

  @Test func lagTakesOutAfterAWhileAndLetsBackAfterALongerOne() {
    var world = World(3)
    world.lags[0] = 800 * millisecond
    world.run(900)
    #expect(world.states[0] == .inService)
    world.run(300)
    #expect(world.states[0] == .outByLag)
    // Between half and the whole limit nothing changes.
    world.lags[0] = 400 * millisecond
    world.run(10_000)
    #expect(world.states[0] == .outByLag)
    world.lags[0] = 10 * millisecond
    world.run(4_900)
    #expect(world.states[0] == .outByLag)
    world.run(300)
    #expect(world.states[0] == .inService)
    #expect(world.changes.count == 2)
  }

  @Test func shortLagsDoNothing() {
    var world = World(3)
    for _ in 0..<20 {
      world.lags[0] = 800 * millisecond
      world.run(800)
      world.lags[0] = 0
      world.run(200)
    }
    #expect(world.changes.isEmpty)
  }

  @Test func notAllAreLateAtOnce() {
    var world = World(3)
    for place in 0..<3 { world.lags[place] = 900 * millisecond }
    world.run(5_000)
    #expect(world.states.filter { $0 == .inService }.count == 1)
    world.silent = [0, 1]
    world.run(1_000)
    #expect(world.states[2] == .inService)
  }

  @Test func whileOneIsHeardOneServes() {
    var random = generator("service")
    fuzz(rounds: 60) {
      var world = World(3)
      for _ in 0..<60 {
        let place = random.below(3)
        switch random.below(5) {
        case 0: world.silent.formSymmetricDifference([place])
        case 1: world.unwell.formSymmetricDifference([place])
        case 2: world.lags[place] = UInt64(random.below(4)) * 300 * millisecond
        case 3: _ = try? world.board.takeOut(place, at: world.now)
        default: _ = world.board.bringBack(place, at: world.now)
        }
        world.run(100 * (1 + random.below(15)))
        // Who was just silenced may still count as heard.
        if world.silent.count < 3 {
          #expect(world.states.contains(.inService), "\(seedNote): \(world.states) \(world.silent)")
        }
      }
    }
  }
}
