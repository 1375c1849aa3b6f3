// Clients that are passed over because they take nothing while very much changes: afterwards they know what a quick
// client knows, and each change was told or counted.

import FeedProtocols
import Foundation
import MarketData
import Testing
import TickerPlant

@testable import Distribution

@Suite struct LagTests {
  static let instruments = 120

  @Test(arguments: 0..<8)
  func whoIsPassedOverMissesNothing(round: Int) {
    var random = generator("lag", round: round)
    let world = World()
    for number in 0..<Self.instruments { order(world, number, UInt64(number + 1)) }
    let interval = round % 2 == 0 ? 0 : 50
    let names = round < 4 ? ["*"] : (0..<Self.instruments).map { "N\($0)" }
    let client = StreamClient(world)
    let quick = StreamClient(world)
    for one in [client, quick] {
      for channel in ["quotes", "books"] { one.subscribe(channel, channel, names, interval: interval) }
    }
    var reference: UInt64 = 1_000
    var lags = 0
    var wasLagging = false
    for turn in 0..<400 {
      if random.chance(turn % 40 < 25 ? 2 : 40) { client.transport.canTakeMore.toggle() }
      for _ in 0..<random.below(40) {
        reference += 1
        order(world, random.below(Self.instruments), reference)
      }
      world.wait(random.chance(50) ? 10 : 60)
      let isLagging = client.client.lag != nil
      if isLagging, !wasLagging { lags += 1 }
      wasLagging = isLagging
      // What it wants may change meanwhile.
      if random.chance(2) {
        client.subscribe("more", "quotes", ["N\(random.below(Self.instruments))"], interval: interval)
      }
    }
    #expect(lags > 0, "\(seedNote) round \(round)")
    client.transport.canTakeMore = true
    world.wait(5_000)
    client.readAll()
    quick.readAll()
    #expect(client.faults.isEmpty, "\(seedNote) round \(round): \(client.faults.prefix(3))")
    #expect(client.client.lag == nil)
    for number in 0..<Self.instruments {
      for channel in ["quotes", "books"] {
        #expect(
          client.difference(channel, "N\(number)") == nil, "\(seedNote) round \(round): \(channel) N\(number)"
        )
      }
    }
  }

  @Test(arguments: [0, 50]) func whatWasMissedIsCounted(interval: Int) {
    var random = generator("lag counts", round: interval)
    let world = World()
    for number in 0..<Self.instruments { order(world, number, UInt64(number + 1)) }
    let client = StreamClient(world)
    let quick = StreamClient(world)
    for one in [client, quick] { one.subscribe("quotes", "quotes", ["*"], interval: interval) }
    client.transport.canTakeMore = false
    for reference in 1_000..<6_000 as Range<UInt64> {
      order(world, random.below(Self.instruments), reference)
      if reference % 20 == 0 { world.wait(60) }
    }
    #expect(client.client.lag != nil)
    client.transport.canTakeMore = true
    world.wait(200)
    client.readAll()
    quick.readAll()
    var conflated = 0
    for (key, all) in quick.views {
      let some = client.views[key] ?? .init()
      #expect(some.received + some.conflated == all.received, "\(seedNote) \(key)")
      conflated += some.conflated
    }
    #expect(conflated > 1_000)
    #expect(client.client.conflated == UInt64(conflated))
  }

  @Test func aNewDayWhileItIsPassedOverIsWhole() {
    let world = World()
    for number in 0..<Self.instruments { order(world, number, UInt64(number + 1)) }
    let client = StreamClient(world)
    client.subscribe("quotes", "quotes", ["*"], interval: 0)
    client.transport.canTakeMore = false
    for reference in 1_000..<2_000 as Range<UInt64> {
      order(world, Int(reference) % Self.instruments, reference)
    }
    #expect(client.client.lag != nil)
    world.sources[0].plant.beginEpoch(session: "S", date: world.sources[0].plant.date.nextWeekday)
    world.sources[0].next = 1
    world.deliver(0)
    for reference in 1..<200 as Range<UInt64> { order(world, Int(reference) % 50, reference) }
    client.transport.canTakeMore = true
    world.wait(100)
    client.readAll()
    #expect(client.faults.isEmpty, "\(client.faults.prefix(3))")
    for number in 0..<Self.instruments { #expect(client.difference("quotes", "N\(number)") == nil) }
  }

  private func order(_ world: World, _ number: Int, _ reference: UInt64) {
    world.apply(
      Stock("N\(number)", locate: UInt16(number + 1)).add(reference, .buy, 1, "10", at: clock(9, 1)))
  }
}
