import Distribution
import Foundation
import MarketData
import Testing
import TickerPlant

/// A client that goes on at another node, whose image began otherwise.
@Suite struct ElsewhereTests {
  private let channels = ["quotes", "books", "trades", "bars"]

  /// Another node of the same market: its image begins with a snapshot of this one's plant.
  private func node(of world: World) throws -> World {
    let other = World()
    try other.sources[0].plant.restore(world.sources[0].plant.snapshot())
    other.sources[0].plant.setSourceState(.live)
    (other.sources[0].day, other.sources[0].position) = (world.sources[0].day, world.sources[0].position)
    other.sources[0].next = world.sources[0].next
    other.deliver()
    return other
  }

  @Test(arguments: 0..<24)
  func aClientThatGoesOnElsewhereKnowsWhatTheOtherNodeKnows(round: Int) throws {
    var random = generator("elsewhere", round: round)
    let channel = channels[round % 4]
    let interval = random.pick([0, 50])
    let first = World()
    first.feed(0, 60 + random.below(500))
    var others = [try node(of: first)]
    var (exact, snapshots) = (0, 0)
    var client = StreamClient(first)
    client.subscribe("1", channel, first.names, interval: interval)
    var here = first
    for turn in 0..<10 {
      for _ in 0..<random.below(8) {
        let count = random.below(12)
        for world in [first] + others { world.feed(0, count) }
        for world in [first] + others { world.wait(20) }
      }
      if random.chance(40) { others.append(try node(of: first)) }
      // The line breaks, or this node does: the client goes on elsewhere, with what it has.
      client.readAll()
      let position = client.position(channel)
      let faults = client.faults
      #expect(faults.isEmpty, "\(seedNote) round \(round), turn \(turn): \(faults.prefix(2))")
      for world in [first] + others { world.feed(0, turn) }
      here = random.pick([first] + others)
      let moved = StreamClient(here)
      moved.views = client.views
      client = moved
      client.subscribe("1", channel, here.names, interval: interval, from: position)
      let resumed = client.takeOthers().first { $0["type"] as? String == "resumed" }
      if resumed?["mode"] as? String == "exact" { exact += 1 } else { snapshots += 1 }
      for world in [first] + others {
        world.feed(0, 5)
        world.wait(100)
      }
      for name in here.names {
        // Of bars that haven't changed, a node whose image began later names its beginning.
        if channel == "bars", case .found(let index) = here.distributor.lookUp(name) {
          let day = here.distributor.day(of: index)
          for bar in here.distributor.recentBars(index) {
            let start = day.text(ofNanosecondsSinceMidnight: UInt64(bar.startSeconds) * 1_000_000_000)
            client.views["bars/\(name)"]?.bars[start]?["seq"] = NSNumber(value: bar.sequence)
          }
        }
        if let fault = client.difference(channel, name) {
          Issue.record("\(seedNote) round \(round), turn \(turn), \(resumed ?? [:]): \(fault)")
          return
        }
      }
    }
    #expect(exact > 0)
  }

  @Test(arguments: ["quotes", "books", "trades", "bars"])
  func whatChangedBeforeTheImageBeganIsNotCalledExact(channel: String) throws {
    let stock = Stock("7203")
    let world = World()
    world.apply(stock.add(1, .buy, 100, "10"))
    world.apply(stock.hidden(1, "11", match: 1))
    let client = StreamClient(world)
    client.subscribe("1", channel, ["7203"])
    client.readAll()
    let position = client.position(channel)
    // The only level goes away, and then another node begins.
    world.apply(stock.delete(1))
    world.apply(stock.hidden(2, "12", match: 2))
    let other = try node(of: world)
    let moved = StreamClient(other)
    moved.views = client.views
    moved.subscribe("1", channel, ["7203"], from: position)
    let resumed = moved.takeOthers().first { $0["type"] as? String == "resumed" }
    #expect(resumed?["mode"] as? String == "snapshot")
    #expect(moved.difference(channel, "7203") == nil)
    // From where the image began it is exact again.
    let again = StreamClient(other)
    again.views = moved.views
    let sequence = world.sources[0].next - 1
    again.subscribe(
      "1", channel, ["7203"],
      from: "[{\"market\":\"XTKS\",\"epoch\":\"S.2026-11-20\",\"seq\":\(sequence)}]")
    let exact = again.takeOthers().first { $0["type"] as? String == "resumed" }
    // Of quotes and books also the image's own beginning may be told again.
    #expect(exact?["mode"] as? String == "exact")
    #expect(again.difference(channel, "7203") == nil)
  }

  @Test(arguments: ["quotes", "books", "trades", "bars"])
  func whoComesFromElsewhereIsToldWhatIsStaleThere(channel: String) throws {
    let stock = Stock("7203")
    let world = World()
    world.apply(stock.hidden(1, "10", match: 1))
    let other = try node(of: world)
    // The other node has been silent since before what the client resumes from.
    other.sources[0].plant.setSourceState(.silent)
    other.deliver()
    for each in [world, other] { each.apply(stock.hidden(1, "11", match: 2)) }
    let client = StreamClient(world)
    client.subscribe("1", channel, ["7203"])
    client.readAll()
    #expect(client.views["\(channel)/7203"]?.isStale == false)
    let moved = StreamClient(other)
    moved.views = client.views
    moved.subscribe("1", channel, ["7203"], from: client.position(channel))
    let resumed = moved.takeOthers().first { $0["type"] as? String == "resumed" }
    #expect(resumed?["mode"] as? String == "exact")
    #expect(moved.views["\(channel)/7203"]?.isStale == true)
    #expect(moved.faults.isEmpty, "\(moved.faults)")
  }

  @Test func aClientOfALaterDayWaitsForTheNodeThatIsBehind() throws {
    let world = World()
    world.apply(Stock("7203").hidden(1, "10"))
    let client = StreamClient(world)
    client.subscribe(
      "q", "quotes", ["7203"], from: "[{\"market\":\"XTKS\",\"epoch\":\"S.2026-11-24\",\"seq\":1}]")
    #expect(client.takeOthers().isEmpty)
    world.sources[0].plant.beginEpoch(
      session: "S", date: try #require(CalendarDate("2026-11-24")))
    world.sources[0].next = 1
    world.apply(Stock("7203").hidden(1, "11"))
    world.wait(20)
    let others = client.takeOthers()
    #expect(others.map { $0["type"] as? String } == ["subscribed", "resumed"])
    #expect(others.last?["mode"] as? String == "exact")
    // Another session of an earlier day is not waited for.
    let late = StreamClient(world)
    late.subscribe(
      "q", "quotes", ["7203"], from: "[{\"market\":\"XTKS\",\"epoch\":\"S.2026-11-20\",\"seq\":1}]")
    #expect(late.takeOthers().last?["mode"] as? String == "snapshot")
  }
}
