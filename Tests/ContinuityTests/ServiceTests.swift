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

  @Test func aFaultThatAllShareTakesNobodyOut() {
    var world = World(3)
    for place in 0..<3 { world.lags[place] = 900 * millisecond }
    world.run(5_000)
    #expect(world.changes.isEmpty)
    world.lags = [:]
    world.unwell = [0, 1, 2]
    world.run(5_000)
    #expect(world.changes.isEmpty)
    // One is well again: the others may go now.
    world.unwell = [0, 1]
    world.run(5_000)
    #expect(world.states == [.outByHealth, .outByHealth, .inService])
    world.silent = [0, 1]
    world.run(1_000)
    #expect(world.states[2] == .inService)
  }

  @Test func whoIsOutByHealthComesBackWhenNobodyElseServes() {
    var world = World(3)
    world.unwell = [0, 1]
    world.run(2_000)
    #expect(world.states == [.outByHealth, .outByHealth, .inService])
    world.silent = [2]
    world.run(600)
    #expect(world.states == [.inService, .outByHealth, .outByHealth])
    #expect(world.board.reason(of: 0).contains("serves though it says that it isn't well"))
  }

  @Test func whoBelongsToSeveralGroupsLeavesOnlyWhereAllAllowIt() {
    var board = ServiceBoard()
    let both = board.add("both", groups: ["plants of A", "plants of B"])
    let other = board.add("other", groups: ["plants of A"])
    var now: UInt64 = 1_000_000_000
    func run(_ count: Int) {
      for _ in 0..<count {
        now += 100 * millisecond
        board.hear(both, isWell: false, lag: 0, at: now)
        board.hear(other, isWell: true, lag: 0, at: now)
        _ = board.tick(at: now)
      }
    }
    run(30)
    #expect(board.state(of: both) == .inService)
    #expect(
      throws: ServiceBoard.Refusal(
        description: "both is the last of plants of B that serves: bring another one back first")
    ) { try board.takeOut(both, at: now) }
    #expect((try? board.takeOut(other, at: now))?.map(\.member) == [other])
  }

  /// Nodes that each have a board of their own and hear the others' beats, later than they were sent.
  struct Nodes {
    let count: Int
    var boards: [ServiceBoard]
    var now: UInt64 = 1_000_000_000
    var unwell: Set<Int> = []
    var silent: Set<Int> = []
    /// What came last of each: state, reluctance, health.
    var beats: [(ServiceState, Bool, Bool)]
    var timesEmpty = 0

    init(_ count: Int) {
      self.count = count
      boards = (0..<count).map { _ in ServiceBoard() }
      beats = Array(repeating: (.inService, false, true), count: count)
      for place in boards.indices {
        for node in 0..<count { _ = boards[place].add("gw-\(node)", group: "gateways") }
      }
      run(3)
      timesEmpty = 0
    }

    mutating func run(_ turns: Int) {
      for _ in 0..<turns {
        now += 100 * millisecond
        let heard = beats
        for node in 0..<count {
          boards[node].hear(node, isWell: !unwell.contains(node), lag: 0, at: now)
          for other in 0..<count where other != node && !silent.contains(other) && !silent.contains(node) {
            boards[node].hear(other, isWell: heard[other].2, lag: 0, at: now)
            boards[node].hear(other, says: heard[other].0, isReluctant: heard[other].1)
          }
          _ = boards[node].tick(at: now)
          beats[node] = (boards[node].state(of: node), boards[node].isReluctant(node), !unwell.contains(node))
        }
        if !states.contains(.inService) { timesEmpty += 1 }
      }
    }

    var states: [ServiceState] { (0..<count).map { boards[$0].state(of: $0) } }
  }

  @Test func twoCommandsAtOnceLeaveTheFirstByName() throws {
    var nodes = Nodes(2)
    _ = try nodes.boards[0].takeOut(0, at: nodes.now)
    _ = try nodes.boards[1].takeOut(1, at: nodes.now)
    nodes.beats = [(.outByCommand, false, true), (.outByCommand, false, true)]
    nodes.run(1)
    #expect(nodes.states == [.inService, .outByCommand])
    nodes.run(50)
    #expect(nodes.states == [.inService, .outByCommand])
    #expect(nodes.timesEmpty == 0)
    // The other one is brought back: the first command holds now.
    _ = nodes.boards[1].bringBack(1, at: nodes.now)
    nodes.run(3)
    #expect(nodes.states == [.outByCommand, .inService])
  }

  @Test func nodesThatAllAreUnwellGoOnServing() {
    var nodes = Nodes(4)
    nodes.unwell = [0, 1, 2, 3]
    nodes.run(40)
    #expect(nodes.states.allSatisfy { $0 == .inService })
  }

  @Test func nodesWithBoardsOfTheirOwnNeverStayWithoutOne() {
    var random = generator("boards")
    fuzz(rounds: 40) {
      var nodes = Nodes(2 + random.below(3))
      for _ in 0..<60 {
        let node = random.below(nodes.count)
        switch random.below(4) {
        case 0: nodes.unwell.formSymmetricDifference([node])
        case 1: nodes.silent.formSymmetricDifference([node])
        case 2: _ = try? nodes.boards[node].takeOut(node, at: nodes.now)
        default: _ = nodes.boards[node].bringBack(node, at: nodes.now)
        }
        nodes.run(1 + random.below(12))
        // The first by name may be away for those that hear each other: the next comes after a second.
        if !nodes.states.contains(.inService) { nodes.run(50) }
        #expect(nodes.states.contains(.inService), "\(seedNote): \(nodes.states)")
      }
    }
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
