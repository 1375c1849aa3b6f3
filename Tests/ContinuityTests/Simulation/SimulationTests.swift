// Thousands of estates under seeded faults: in the end every gateway shows what a plant that got everything shows, and
// nothing wrong was ever shown as live.

import Continuity
import MarketData
import Testing

@Suite("Two sites, simulated", .serialized) struct SimulationTests {
  /// Runs one seed; gives what was wrong.
  static func run(
    _ seed: UInt64, _ menu: SimulatedEstate.Menu = .init(), streams: Int = 2, breaksDedup: Bool = false
  )
    -> (faults: [String], estate: SimulatedEstate)
  {
    var random = SeededGenerator(seed: seed)
    let days = SimulatedDay.pairs[random.below(SimulatedDay.pairs.count)]
    let estate = SimulatedEstate(random, days: days, streams: streams, breaksDedup: breaksDedup)
    estate.play(menu)
    return (estate.verdict(), estate)
  }

  @Test func everyGatewayEndsWithWhatAPlantThatGotEverythingHas() {
    var random = generator("estate")
    var (checks, snapshots, replays, wrong) = (0, UInt64(0), 0, 0)
    fuzz(rounds: 300) {
      let seed = random.next()
      let (faults, estate) = Self.run(seed)
      checks += estate.checks
      snapshots += estate.gateways.reduce(0) { $0 + $1.merger.counters.snapshots }
      replays += estate.log.filter { $0.contains("replay(") }.count
      if !faults.isEmpty, wrong < 5 {
        wrong += 1
        Issue.record(
          "seed \(String(seed, radix: 16)) of KABUTO_SEED=\(String(runSeed, radix: 16)): \(faults.prefix(4)) \n\(estate.picture)"
        )
      }
    }
    #expect(checks > 0)
    #expect(snapshots > 0)
    #expect(replays > 0)
  }
}
