// Thousands of estates under seeded faults: in the end every gateway shows what a plant that got everything shows, and
// nothing wrong was ever shown as live.

import Continuity
import MarketData
import Testing
import TickerPlant

@Suite("Two sites, simulated") struct SimulationTests {
  /// Runs one seed; gives what was wrong.
  static func run(
    _ seed: UInt64, _ menu: SimulatedEstate.Menu = .init(), gateways: Int = 2, streams: Int = 2,
    across: Int = 1, isSelective: Bool = false, breaksDedup: Bool = false
  ) -> (faults: [String], estate: SimulatedEstate) {
    var random = SeededGenerator(seed: seed)
    let days = SimulatedDay.pairs[random.below(SimulatedDay.pairs.count)]
    let estate = SimulatedEstate(
      random, days: days, gateways: gateways, streams: streams, across: across,
      isSelective: isSelective, breaksDedup: breaksDedup)
    estate.play(menu)
    return (estate.verdict(), estate)
  }

  static func tell(_ seed: UInt64, _ faults: [String], _ estate: SimulatedEstate) {
    Issue.record(
      "KABUTO_SEED=\(String(runSeed, radix: 16)), estate \(String(seed, radix: 16)): \(faults.prefix(4))\n\(estate.picture)"
    )
  }

  /// In two halves, so that two cores share them.
  @Test(arguments: 0..<2) func everyGatewayEndsWithWhatAPlantThatGotEverythingHas(half: Int) {
    var random = generator("estate \(half)")
    var (checks, snapshots, replays, gaps, wrong) = (0, UInt64(0), 0, 0, 0)
    fuzz(rounds: estates) {
      let seed = random.next()
      let (faults, estate) = Self.run(seed)
      checks += estate.checks
      snapshots += estate.gateways.reduce(0) { $0 + $1.merger.counters.snapshots }
      replays += estate.log.filter { $0.contains("replay(") }.count
      gaps += estate.gateways.filter { $0.view.states.contains(.gap) }.count
      if !faults.isEmpty {
        wrong += 1
        if wrong < 4 { Self.tell(seed, faults, estate) }
      }
    }
    #expect(wrong == 0)
    // What the seeds are for did happen.
    #expect(checks > 0)
    #expect(snapshots > 0)
    #expect(replays > 0)
    #expect(gaps > 0 || estates < 1_000)
  }

  /// One plant has everything and its rails carry everything: no other one's fate costs a record.
  @Test func oneWholeStreamIsEnough() {
    var random = generator("whole")
    for round in 0..<min(200, estates) {
      let seed = random.next()
      let menu = SimulatedEstate.Menu(
        spared: [round % 4], rails: false, gateways: false, epochs: round % 3 == 0, configuration: true)
      let (faults, estate) = Self.run(
        seed, menu, streams: round % 2 == 0 ? 2 : 4, across: round % 2 == 0 ? 1 : 4)
      var found = faults
      for gateway in estate.gateways {
        if gateway.merger.counters.snapshots > 0 { found.append("a snapshot was needed") }
        if gateway.view.restarts > 0 { found.append("the state was replaced") }
        guard gateway.streamCount == 4 else { continue }
        // All four are merged: nobody sees that three of them come and go.
        let epochs = Int(gateway.merger.counters.epochs)
        if gateway.view.states.contains(.silent) || gateway.view.states.contains(.gap)
          || gateway.view.states.filter({ $0 == .live }).count > epochs
        {
          found.append("states \(gateway.view.states)")
        }
      }
      if !found.isEmpty { return Self.tell(seed, found, estate) }
    }
  }

  /// Gateways that take what their clients want, while clients come and go: what is wanted in the end is as a plant that
  /// got everything has it, nothing else is said to be whole, and what isn't wanted comes to nobody.
  @Test func gatewaysOfSingleInstrumentsEndWithWhatIsWanted() {
    var random = generator("interest")
    var heard = 0
    fuzz(rounds: max(60, estates / 4)) {
      let seed = random.next()
      let (faults, estate) = Self.run(seed, gateways: 4, isSelective: true)
      heard += estate.gateways.reduce(0) { $0 + $1.wanted.count }
      if !faults.isEmpty { Self.tell(seed, faults, estate) }
    }
    #expect(heard > 0)
  }

  /// A site that has lost its lines, or its plants, takes the other's values once: its gateways come to agree on one
  /// plant and one rail, and each shows all of it, without a gap or a repeat.
  @Test func aSiteWithoutLinesTakesTheOthersStreamOnce() {
    var random = generator("across")
    var crossed = 0
    for _ in 0..<min(200, estates) {
      let seed = random.next()
      var own = SeededGenerator(seed: seed)
      let days = SimulatedDay.pairs[own.below(SimulatedDay.pairs.count)]
      let estate = SimulatedEstate(own, days: days, gateways: 6, streams: 1 + own.below(2))
      estate.play(.init(spared: [2, 3], epochs: false, configuration: false))
      // At the first site nothing is left.
      for plant in estate.plants[0..<2] { plant.kill() }
      estate.run(1_000 * millisecond)
      var found = estate.faults
      let taken = estate.gateways.filter { $0.site == 0 }.map { $0.crossing(estate.plants) }
      for way in taken where way.count != 1 || way[0] != (2, 0) { found.append("taken is \(way)") }
      let far = estate.gateways.filter { $0.site == 1 }.flatMap { $0.crossing(estate.plants) }
      if !far.isEmpty { found.append("the whole site takes \(far)") }
      for gateway in estate.gateways {
        found += gateway.view.faults
        if gateway.view.sum != days[0].shown[estate.sent] {
          found.append("gateway \(gateway.number) differs")
        }
      }
      crossed += estate.crossed.count
      if !found.isEmpty { return Self.tell(seed, found, estate) }
    }
    #expect(crossed > 0)
  }

  /// The canary: a gateway that takes copies as news is caught.
  @Test func aMergerWithoutItsRuleIsCaught() {
    var random = generator("canary")
    var caught = 0
    for _ in 0..<10 where !Self.run(random.next(), breaksDedup: true).faults.isEmpty { caught += 1 }
    #expect(caught > 0)
  }

  @Test func anotherConfigurationIsRefusedAndSaysWhy() {
    var random = generator("configuration")
    let days = SimulatedDay.pairs[0]
    let estate = SimulatedEstate(SeededGenerator(seed: random.next()), days: days, streams: 4, across: 4)
    estate.plants[1].configuration = 8
    estate.plants[1].kill()
    estate.restart(estate.plants[1])
    estate.play(
      .init(spared: [0, 1, 2, 3], rails: false, gateways: false, epochs: false, configuration: false))
    #expect(estate.verdict() == [])
    for gateway in estate.gateways {
      // Chosen only by who believes in it: the chooser hears no beat of it.
      #expect(!gateway.chooser.taken.contains(1))
    }
    let gateway = estate.gateways[0]
    let stream = gateway.merger.addStream("plant-1 by hand")
    var frames: [[UInt8]] = []
    estate.plants[1].publisher.beat(service: .inService, lag: 0, at: estate.now, wall: 0) {
      frames.append([UInt8]($1))
    }
    for frame in frames + frames {
      frame.withUnsafeBytes {
        gateway.merger.take($0, stream: stream, at: estate.now) { gateway.deliver($0, $1) }
      }
    }
    #expect(gateway.merger.counters(ofStream: stream).refused == 2)
    guard case .refused(let refused, let reason)? = gateway.merger.nextAction() else {
      Issue.record("nothing was said")
      return
    }
    #expect(refused == stream)
    #expect(
      reason
        == "plant-1 by hand runs configuration 00000008, this node 00000007: they don't merge until both run the same"
    )
    #expect(gateway.merger.nextAction() == nil)
  }
}
