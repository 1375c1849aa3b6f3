import Distribution
import Foundation
import MarketData
import Testing
import TickerPlant

@Suite struct ResumeTests {
  private let channels = ["quotes", "books", "trades", "bars"]

  @Test(arguments: 0..<12)
  func aClientThatResumesKnowsWhatOneKnowsThatNeverLeft(round: Int) {
    var random = generator("resume", round: round)
    let world = World()
    world.feed(0, 60 + random.below(500))
    world.wait(10)
    let channel = channels[round % 4]
    let interval = random.pick([0, 50])
    let stayed = StreamClient(world)
    let left = StreamClient(world)
    for client in [stayed, left] { client.subscribe("1", channel, world.names, interval: interval) }
    var exact = 0
    for turn in 0..<8 {
      for _ in 0..<random.below(12) {
        world.feed(0, random.below(12))
        world.wait(20)
      }
      // The line breaks: what was flushed has come, what waits is lost.
      left.reconnect()
      let position = left.position(channel)
      for _ in 0..<random.below(10) {
        world.feed(0, random.below(10))
        if random.chance(4) { world.sources[0].plant.setSourceState(random.chance(60) ? .silent : .live) }
        world.deliver()
        world.wait(20)
      }
      left.subscribe("1", channel, world.names, interval: interval, from: position)
      let resumed = left.takeOthers().first { $0["type"] as? String == "resumed" }
      #expect(resumed?["id"] as? String == "1")
      if resumed?["mode"] as? String == "exact" {
        exact += 1
        #expect(resumed?["missed"] is NSNull)
      } else {
        #expect(resumed?["mode"] as? String == "snapshot")
      }
      for _ in 0..<random.below(4) {
        world.feed(0, random.below(8))
        world.wait(50)
      }
      world.wait(50)
      for client in [stayed, left] {
        for name in world.names {
          if let fault = client.difference(channel, name) {
            Issue.record("\(seedNote) round \(round), turn \(turn): \(fault)")
            return
          }
        }
      }
      for name in world.names {
        let (one, two) = (
          stayed.views["\(channel)/\(name)"] ?? .init(), left.views["\(channel)/\(name)"] ?? .init()
        )
        #expect(one.isStale == two.isStale, "\(seedNote) round \(round), turn \(turn): \(name)")
        if resumed?["mode"] as? String == "exact", channel == "trades", turn == exact - 1 {
          #expect(one.trades.map { $0["seq"] as? NSNumber } == two.trades.map { $0["seq"] as? NSNumber })
        }
        if resumed?["mode"] as? String == "exact", channel == "bars", turn == exact - 1 {
          #expect(
            one.bars.keys.sorted() == two.bars.keys.sorted(), "\(seedNote) round \(round), turn \(turn)")
        }
      }
      #expect(
        left.faults.isEmpty && stayed.faults.isEmpty,
        "\(seedNote) round \(round), turn \(turn): \(left.faults.prefix(2)) \(stayed.faults.prefix(2))")
    }
    #expect(exact > 0)
  }

  @Test func whatWasPushedOutIsReplacedByASnapshotAndTheRangeIsTold() {
    let world = World()
    let stock = Stock("7203")
    world.apply(stock.hidden(1, "10", match: 1))
    for number in 0..<300 as Range<UInt64> { world.apply(stock.hidden(1, "11", match: 10 + number)) }
    let client = StreamClient(world)
    client.subscribe(
      "t", "trades", ["7203"], from: "[{\"market\":\"XTKS\",\"epoch\":\"S.2026-11-20\",\"seq\":1}]")
    var resumed = client.takeOthers().first { $0["type"] as? String == "resumed" }
    #expect(resumed?["mode"] as? String == "snapshot")
    #expect(resumed?["missed"] as? [Int] == [2, 301])
    #expect(client.views["trades/7203"]?.trades.count == 50)
    // Quotes are their newest state: exact.
    client.subscribe(
      "q", "quotes", ["7203"], from: "[{\"market\":\"XTKS\",\"epoch\":\"S.2026-11-20\",\"seq\":1}]")
    resumed = client.takeOthers().first { $0["type"] as? String == "resumed" }
    #expect(resumed?["mode"] as? String == "exact")
  }

  @Test func anotherEpochOrAnUnknownMarketIsAnsweredBySnapshots() {
    let world = World()
    world.apply(Stock("7203").hidden(1, "10"))
    for from in [
      "[{\"market\":\"XTKS\",\"epoch\":\"S.2026-11-19\",\"seq\":1}]",
      "[{\"market\":\"XOSE\",\"epoch\":\"S.2026-11-20\",\"seq\":1}]", "[]",
    ] {
      let client = StreamClient(world)
      client.subscribe("q", "quotes", ["7203"], from: from)
      let resumed = client.takeOthers().first { $0["type"] as? String == "resumed" }
      #expect(resumed?["mode"] as? String == "snapshot")
      #expect(client.difference("quotes", "7203") == nil)
      if from.contains("11-19") {
        #expect(resumed?["missed"] as? [Int] == [1, 1])
      } else {
        #expect(resumed?["missed"] is NSNull)
      }
    }
  }

  @Test func aClientAheadOfTheServerWaitsUntilItHasCome() {
    let world = World()
    let stock = Stock("7203")
    world.apply(stock.hidden(1, "10"))
    let client = StreamClient(world)
    client.subscribe(
      "q", "quotes", ["7203"], from: "[{\"market\":\"XTKS\",\"epoch\":\"S.2026-11-20\",\"seq\":3}]")
    #expect(client.takeOthers().isEmpty)
    world.apply(stock.hidden(1, "11"))
    #expect(client.takeOthers().isEmpty)
    world.apply(stock.hidden(1, "12"))
    let others = client.takeOthers()
    #expect(others.map { $0["type"] as? String } == ["subscribed", "resumed"])
    #expect(others.last?["mode"] as? String == "exact")
    #expect(client.views.isEmpty, "nothing is newer than what the client has")
  }

  @Test func aClientFarAheadIsAnsweredAfterFiveSeconds() {
    let world = World()
    world.apply(Stock("7203").hidden(1, "10"))
    let client = StreamClient(world)
    client.subscribe(
      "q", "quotes", ["7203"], from: "[{\"market\":\"XTKS\",\"epoch\":\"S.2026-11-20\",\"seq\":99}]")
    world.wait(4_900)
    #expect(client.takeOthers().isEmpty)
    world.wait(200)
    let others = client.takeOthers()
    #expect(others.last?["mode"] as? String == "snapshot")
    #expect(client.difference("quotes", "7203") == nil)
  }

  @Test func aResumeThatWaitsCanBeTakenBack() {
    let world = World()
    world.apply(Stock("7203").hidden(1, "10"))
    let client = StreamClient(world)
    client.subscribe(
      "q", "quotes", ["7203"], from: "[{\"market\":\"XTKS\",\"epoch\":\"S.2026-11-20\",\"seq\":99}]")
    client.say("{\"op\":\"unsubscribe\",\"id\":\"q\"}")
    #expect(client.takeOthers().map { $0["type"] as? String } == ["unsubscribed"])
    world.wait(6_000)
    #expect(client.takeOthers().filter { $0["type"] as? String != "heartbeat" }.isEmpty)
    #expect(client.views.isEmpty)
  }

  @Test func aRestoredNodeDoesntClaimToKnowTheBarsBeforeItsSnapshot() throws {
    let stock = Stock("7203")
    let first = World()
    for minutes in 0..<3 as Range<UInt64> {
      first.apply(stock.hidden(1, "10", match: minutes, at: clock(9, minutes)))
    }
    let second = World()
    try second.sources[0].plant.restore(first.sources[0].plant.snapshot())
    second.deliver()
    let client = StreamClient(second)
    client.subscribe(
      "b", "bars", ["7203"], from: "[{\"market\":\"XTKS\",\"epoch\":\"S.2026-11-20\",\"seq\":1}]")
    let resumed = client.takeOthers().first { $0["type"] as? String == "resumed" }
    #expect(resumed?["mode"] as? String == "snapshot")
  }
}
