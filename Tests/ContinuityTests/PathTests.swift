// The choice of path: at once away from what isn't well, back only after a while, never without anything.

import MarketData
import Testing
import TickerPlant

@testable import Continuity

@Suite struct PathTests {
  static let epoch = EpochKey(EpochName(session: "DAY1", date: testDate))

  /// A node at a site with two plants near and one far, and a clock.
  struct World {
    var chooser: PathChooser
    var now: UInt64 = 1_000_000_000
    var through: UInt64 = 100
    var silent: Set<Int> = []
    var still: [Int: UInt64] = [:]
    var service: [Int: ServiceState] = [:]
    var states: [Int: SourceState] = [:]
    var lags: [Int: UInt64] = [:]
    var notes: [String] = []

    init(streams: Int, _ nearness: [Nearness] = [.sameZone, .sameSite, .otherSite]) {
      chooser = PathChooser(PathChooser.Configuration(streams: streams))
      for (place, near) in nearness.enumerated() { _ = chooser.add("plant-\(place)", nearness: near) }
    }

    mutating func run(_ milliseconds: Int, advancing: Bool = true) {
      for _ in 0..<milliseconds / 100 {
        now += 100 * millisecond
        if advancing { through += 5 }
        for place in 0..<3 where !silent.contains(place) {
          chooser.hear(
            place,
            PathChooser.Beat(
              epoch: PathTests.epoch, through: still[place] ?? through, state: states[place] ?? .live,
              service: service[place] ?? .inService, lag: lags[place] ?? 0), at: now)
        }
        notes += chooser.choose(at: now)?.notes ?? []
      }
    }

    func reason(_ place: Int) -> PathReason { chooser.paths(at: now)[place].reason }
  }

  @Test func theNearestAreTaken() {
    var one = World(streams: 1)
    one.run(300)
    #expect(one.chooser.taken == [0])
    var two = World(streams: 2)
    two.run(300)
    #expect(two.chooser.taken == [0, 1])
    #expect(two.reason(2) == .notNeeded)
  }

  @Test func missedBeatsAreLeftAtOnceAndANearerOneComesBackAfterAWhile() {
    var world = World(streams: 1)
    world.run(1_000)
    world.silent = [0]
    world.run(400)
    #expect(world.chooser.taken == [1])
    #expect(world.reason(0) == .missedBeats(4))
    #expect(world.notes.last == "takes plant-1 (sameSite): well")
    #expect(world.notes.contains("leaves plant-0: missed 4 beats"))
    world.silent = []
    world.run(4_900)
    #expect(world.chooser.taken == [1])
    #expect(world.reason(0).key == "returning")
    world.run(300)
    #expect(world.chooser.taken == [0])
    #expect(world.notes.contains("leaves plant-1: plant-0 is nearer and well for 5 s"))
  }

  @Test func ofAnotherSiteOneIsTakenAndAllOfASiteTakeTheSame() {
    var world = World(streams: 2, [.otherSite, .otherSite, .otherSite])
    // The first isn't heard yet: the next one, and never two.
    world.silent = [0]
    world.run(300)
    #expect(world.chooser.taken == [1])
    #expect(world.reason(2) == .oneCrosses)
    world.silent = []
    world.run(100)
    #expect(world.chooser.taken == [0])
    world.silent = [0]
    world.run(400)
    #expect(world.chooser.taken == [1])
    world.silent = []
    world.run(4_900)
    #expect(world.chooser.taken == [1])
    world.run(300)
    #expect(world.chooser.taken == [0])
    #expect(world.notes.last == "takes plant-0 (otherSite): well")
    #expect(world.notes.contains("leaves plant-1: plant-0 is the one that the site takes and well for 5 s"))
    // Nothing is well: still one.
    world.states = [0: .silent, 1: .silent, 2: .silent]
    world.run(300)
    #expect(world.chooser.taken == [0])

    // Beside one of the site it is the second stream.
    var mixed = World(streams: 2, [.sameSite, .otherSite, .otherSite])
    mixed.run(300)
    #expect(mixed.chooser.taken == [0, 1])
  }

  @Test func onlyOneThatStaysWellComesBack() {
    var world = World(streams: 1)
    world.run(500)
    for _ in 0..<20 {
      world.silent = [0]
      world.run(500)
      world.silent = []
      world.run(3_000)
      #expect(world.chooser.taken == [1])
    }
    #expect(world.notes.count == 3)
  }

  @Test func aFrozenPositionIsLeftThoughItBeats() {
    var world = World(streams: 1)
    world.run(500)
    world.still[0] = world.through
    world.run(600)
    #expect(world.chooser.taken == [1])
    #expect(world.reason(0).key == "stale")
    #expect(world.reason(0).description.hasPrefix("stale data: its position stands for"))
  }

  /// Found by the simulation: a last message without effect is told by one source and not by another.
  @Test func oneStepOfTheOthersIsNotStale() {
    var world = World(streams: 1)
    world.run(500)
    world.still[0] = world.through
    world.run(100)
    world.run(900, advancing: false)
    #expect(world.chooser.taken == [0])
    world.run(3_000, advancing: false)
    #expect(world.chooser.taken == [1])
  }

  @Test func aQuietMarketIsNotStale() {
    var world = World(streams: 1)
    world.run(500)
    world.run(10_000, advancing: false)
    #expect(world.chooser.taken == [0])
    #expect(world.reason(0) == .well)
  }

  @Test func serviceLagGapAndSilenceAreReasons() {
    for (change, key): ((inout World) -> Void, String) in [
      ({ $0.service[0] = .outByCommand }, "out-of-service"), ({ $0.lags[0] = 2_000_000_000 }, "lag"),
      ({ $0.states[0] = .gap }, "gap"), ({ $0.states[0] = .silent }, "silent"),
      ({ $0.states[0] = .recovering }, "recovering"),
    ] {
      var world = World(streams: 1)
      world.run(500)
      change(&world)
      world.run(100)
      #expect(world.chooser.taken == [1])
      #expect(world.reason(0).key == key)
    }
  }

  @Test func theLastThatGivesAnythingIsKept() {
    var world = World(streams: 2)
    world.run(500)
    world.silent = [1, 2]
    world.service[0] = .outByCommand
    world.run(1_000)
    #expect(world.chooser.taken == [0])
    // Even what isn't heard is kept where nothing is.
    world.silent = [0, 1, 2]
    world.run(1_000)
    #expect(!world.chooser.taken.isEmpty)
    // What lives is taken before what doesn't.
    world.silent = [0, 1]
    world.run(300)
    #expect(world.chooser.taken == [2])
  }

  @Test func somethingIsTakenWhateverHappens() {
    var random = generator("paths")
    fuzz(rounds: 60) {
      var world = World(streams: 1 + random.below(2))
      world.run(200)
      for _ in 0..<40 {
        let place = random.below(3)
        switch random.below(5) {
        case 0: world.silent.formSymmetricDifference([place])
        case 1: world.still[place] = world.still[place] == nil ? world.through : nil
        case 2: world.service[place] = random.pick(ServiceState.allCases)
        case 3: world.states[place] = random.pick([.live, .gap, .silent, .recovering])
        default: world.lags[place] = UInt64(random.below(3)) * 1_000_000_000
        }
        world.run(100 * (1 + random.below(8)))
        #expect(!world.chooser.taken.isEmpty)
        #expect(world.chooser.taken.count <= world.chooser.configuration.streams)
        // What is well is never passed over for what isn't.
        let paths = world.chooser.paths(at: world.now)
        let wellTaken = paths.filter { $0.isTaken && $0.reason == .well }.count
        if paths.contains(where: { !$0.isTaken && $0.reason == .notNeeded }) {
          #expect(wellTaken == world.chooser.configuration.streams, "\(seedNote): \(paths)")
        }
      }
    }
  }
}
