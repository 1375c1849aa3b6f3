import Distribution
import Foundation
import MarketData
import Testing
import TickerPlant

@Suite struct MergedStateTests {
  private let channels = ["quotes", "books", "trades", "bars"]

  /// Instruments of every market must be there before names can be asked for.
  private func world(_ markets: [String], _ frames: Int = 40) -> World {
    let world = World(markets: markets)
    for number in markets.indices { world.feed(number, frames) }
    world.wait(10)
    return world
  }

  @Test(arguments: 0..<6)
  func snapshotAndUpdatesTogetherEqualREST(round: Int) {
    var random = generator("merged", round: round)
    let world = world(round % 2 == 0 ? ["XTKS"] : ["XTKS", "XOSE"])
    var clients:
      [(client: StreamClient, interval: Int, wanted: [(channel: String, name: String)], levels: Int)] = []
    var pending = 10
    var steps = 0
    while steps < 260 {
      steps += 1
      if pending > 0, random.chance(15) {
        pending -= 1
        let client = StreamClient(world, encoding: random.chance(70) ? .json : .binary)
        let interval = random.pick([0, 0, 50, 20])
        let levels = random.pick([1, 3, 10])
        var wanted: [(String, String)] = []
        for (number, channel) in channels.enumerated() where random.chance(60) || number == pending % 4 {
          let names =
            random.chance(30) ? ["*"] : world.names.filter { _ in random.chance(60) } + [world.names[0]]
          client.subscribe("\(number)", channel, names, interval: interval, levels: levels)
          wanted += (names == ["*"] ? world.names : Array(Set(names))).map { (channel, $0) }
        }
        clients.append((client, interval, wanted, levels))
      }
      for number in world.sources.indices { world.feed(number, 1 + random.below(random.chance(10) ? 60 : 8)) }
      if random.chance(3) { world.sources[0].plant.setSourceState(random.chance(50) ? .silent : .live) }
      if random.chance(1) {
        let next = world.sources[0].next
        world.sources[0].plant.declareGap(from: next, through: next + 2)
        world.sources[0].next += 3
      }
      world.deliver(0)
      if random.chance(50) { world.wait(50) }
      let isFlushed = world.now % 100 == 0
      for (client, interval, wanted, levels) in clients where steps % 4 == 0 {
        if interval > 0 {
          if !isFlushed { world.wait(50) }
        }
        for (channel, name) in wanted {
          if let fault = client.difference(channel, name, levels: levels) {
            Issue.record("\(seedNote) round \(round) step \(steps), interval \(interval): \(fault)")
            return
          }
        }
        if let fault = client.faults.first {
          Issue.record("\(seedNote) round \(round) step \(steps), interval \(interval): \(fault)")
          return
        }
      }
    }
    #expect(clients.allSatisfy { $0.client.longestFrame < 300_000 })
    #expect(clients.contains { $0.client.events > 200 })
    for (client, _, wanted, _) in clients {
      for (channel, name) in wanted {
        let market = world.distributor.lookUp(name)
        guard case .found(let index) = market else { continue }
        let isStale = world.distributor.sourceStates()[world.distributor.identity(of: index).market].isStale
        #expect(
          client.views["\(channel)/\(name)"]?.isStale == isStale,
          "\(seedNote) round \(round): \(channel)/\(name)")
      }
    }
  }

  @Test(arguments: 0..<6)
  func aClientThatStallsIsRightAgainWhenItComesBack(round: Int) {
    var random = generator("stalls", round: round)
    let world = world(["XTKS"], 120)
    let name = world.names[0]
    let client = StreamClient(world)
    let interval = random.pick([0, 50])
    for (number, channel) in channels.enumerated() {
      client.subscribe("\(number)", channel, world.names, interval: interval)
    }
    client.readAll()
    for turn in 0..<12 {
      client.transport.canTakeMore = false
      let before = client.transport.frames.count
      let tradesBefore = tradeTotal(world, name)
      client.readAll()
      let (receivedBefore, droppedBefore) = (
        client.views["trades/\(name)"]?.received ?? 0, client.views["trades/\(name)"]?.dropped ?? 0
      )
      for _ in 0..<random.below(8) {
        world.feed(0, random.below(40))
        world.wait(50)
      }
      #expect(client.transport.frames.count == before, "nothing is sent to who takes nothing")
      client.transport.canTakeMore = true
      if random.chance(50) { world.distributor.serveBacklog(client.client, now: world.now) }
      world.wait(50)
      for channel in channels {
        for name in world.names {
          if let fault = client.difference(channel, name) {
            Issue.record("\(seedNote) round \(round), turn \(turn): \(fault)")
            return
          }
        }
      }
      if world.sources[0].day == 0 {
        let view = client.views["trades/\(name)"] ?? .init()
        let told = view.received - receivedBefore + view.dropped - droppedBefore
        #expect(told == tradeTotal(world, name) - tradesBefore, "\(seedNote) round \(round), turn \(turn)")
      }
      #expect(client.faults.isEmpty, "\(seedNote) round \(round)")
    }
  }

  /// A client that comes to itself between two flushes of its lane is sent what the lane has gathered, too: all of it.
  @Test(arguments: ["quotes", "books"])
  func whatALaneGatheredMeanwhileIsNotLost(channel: String) {
    let world = World()
    let stock = Stock("7203")
    world.apply(stock.add(1, .buy, 100, "10", at: clock(9, 0)))
    let client = StreamClient(world)
    client.subscribe("1", channel, ["7203"], interval: 100)
    client.transport.canTakeMore = false
    world.apply(stock.add(2, .buy, 100, "10", at: clock(9, 0, 1)))
    world.wait(200)
    // Waiting: the bid. Gathered since: the ask.
    world.apply(stock.add(3, .sell, 100, "11", at: clock(9, 0, 2)))
    client.transport.canTakeMore = true
    world.distributor.serveBacklog(client.client, now: world.now)
    world.wait(200)
    #expect(client.difference(channel, "7203") == nil)
    #expect(client.faults.isEmpty)
  }

  /// Trades and breaks told so far.
  private func tradeTotal(_ world: World, _ name: String) -> Int {
    let trades = world.trades(name, limit: 10_000)
    return trades.count + trades.filter { $0["broken"] as? Bool == true }.count
  }

  @Test func tradesThatAreConflatedAwayAreCounted() {
    let world = World()
    let stock = Stock("7203")
    world.apply(stock.hidden(100, "10", match: 1))
    let client = StreamClient(world)
    client.subscribe("t", "trades", ["7203"])
    client.transport.canTakeMore = false
    for number in 0..<500 as Range<UInt64> { world.apply(stock.hidden(1, "11", match: 10 + number)) }
    client.transport.canTakeMore = true
    world.wait(10)
    client.readAll()
    let view = client.views["trades/7203"] ?? .init()
    #expect(view.received == 128 && view.dropped == 372)
    #expect(client.faults.isEmpty)
    #expect(client.client.conflated == 372)
  }

  @Test func aTradeAfterAStaleSourceInTheSameFlushIsSent() {
    let world = World()
    let stock = Stock("7203")
    world.apply(stock.hidden(100, "10", match: 1, at: clock(9, 0)))
    let client = StreamClient(world)
    for channel in ["trades", "bars", "quotes", "books"] {
      client.subscribe(channel, channel, ["7203"], interval: 50)
    }
    client.readAll()
    world.sources[0].plant.declareGap(from: 2, through: 5)
    world.sources[0].next = 6
    world.deliver()
    world.apply(stock.hidden(100, "11", match: 2, at: clock(9, 0, 1)))
    world.wait(50)
    client.readAll()
    #expect(client.views["trades/7203"]?.trades.count == 2)
    #expect((client.views["bars/7203"]?.bars.values.first?["volume"] as? NSNumber)?.intValue == 200)
    for channel in ["trades", "bars", "quotes", "books"] {
      #expect(client.views["\(channel)/7203"]?.isStale == true, "\(channel)")
    }
    #expect(client.faults.isEmpty)
  }

  @Test func aNewEpochAndARestoreBeginWithSnapshotsAndAreFresh() throws {
    let world = world(["XTKS"], 400)
    let name = world.names[0]
    let client = StreamClient(world)
    for channel in channels { client.subscribe(channel, channel, ["*"], interval: 20) }
    client.readAll()
    let kept = world.sources[0].plant.snapshot()
    // A gap, then another node's state.
    world.sources[0].plant.declareGap(from: world.sources[0].next, through: world.sources[0].next + 9)
    world.deliver()
    world.wait(50)
    client.readAll()
    for channel in channels { #expect(client.views["\(channel)/\(name)"]?.isStale == true, "\(channel)") }
    let healed = World()
    try healed.sources[0].plant.restore(kept)
    healed.sources[0].next = world.sources[0].next
    let frames = world.sources[0].feed.days[0]
    healed.apply(frames[400..<460].flatMap { $0 })
    try world.sources[0].plant.restore(healed.sources[0].plant.snapshot())
    world.sources[0].next = healed.sources[0].next
    world.deliver()
    world.wait(50)
    for channel in channels {
      #expect(client.difference(channel, name) == nil)
      #expect(client.views["\(channel)/\(name)"]?.isStale == false, "\(channel)")
    }
    #expect(client.faults.isEmpty, "\(seedNote)")
    world.sources[0].plant.beginEpoch(session: "S", date: world.sources[0].plant.date.nextWeekday)
    world.deliver()
    world.wait(50)
    client.readAll()
    for channel in channels {
      let fields = client.views["\(channel)/\(name)"]?.fields ?? [:]
      #expect(
        fields["type"] as? String == "snapshot" && fields["epoch"] as? String == "S.2026-11-23", "\(channel)")
    }
    #expect(client.faults.isEmpty)
  }
}
