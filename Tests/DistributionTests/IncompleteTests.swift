import Distribution
import Foundation
import MarketData
import Testing
import TickerPlant

/// A message whose records come in parts: between them nothing of its market is shown.
@Suite struct IncompleteTests {
  /// The parts of a market that begins anew; each goes on in the next but for the last.
  private func parts(_ world: World, _ number: Int = 0) -> [[UInt8]] {
    let source = world.sources[number]
    source.plant.beginEpoch(session: "NEXT", date: source.plant.date.nextWeekday)
    source.next = 1
    var pieces = RecordSplitter(source.plant.updates.bytes, limit: 200, hardLimit: 200)
    var parts: [[UInt8]] = []
    while let piece = pieces.next() { parts.append([UInt8](piece.records)) }
    source.plant.updates.removeAll()
    return parts
  }

  private func give(_ part: [UInt8], continues: Bool, _ world: World, _ number: Int = 0) {
    part.withUnsafeBytes {
      world.distributor.consume(market: number, records: $0, continues: continues, now: world.now)
    }
  }

  private func markets(_ client: StreamClient) -> Set<String> {
    Set(client.views.values.compactMap { $0.fields["epoch"] as? String })
  }

  @Test(arguments: ["quotes", "books", "trades", "bars"], [0, 50])
  func aClientThatTakesMoreBetweenTwoPartsGetsNothingOfThem(channel: String, interval: Int) {
    let world = World()
    world.feed(0, 400)
    let client = StreamClient(world)
    client.subscribe("1", channel, ["*"], interval: interval)
    client.readAll()
    client.transport.canTakeMore = false
    world.feed(0, 200)
    world.wait(100)
    let parts = parts(world)
    #expect(parts.count > 2)
    for part in parts.dropLast() {
      give(part, continues: true, world)
      client.transport.canTakeMore = true
      world.distributor.serveBacklog(client.client, now: world.now)
      world.wait(20)
      client.readAll()
      #expect(!markets(client).contains { $0.hasPrefix("NEXT") })
      client.transport.canTakeMore = false
    }
    give(parts[parts.count - 1], continues: false, world)
    client.transport.canTakeMore = true
    world.wait(100)
    client.readAll()
    #expect(markets(client).contains { $0.hasPrefix("NEXT") })
    for name in world.names { #expect(client.difference(channel, name) == nil, "\(name)") }
    #expect(client.faults.isEmpty)
  }

  @Test(arguments: [0, 50]) func anotherMarketGoesOnBetweenTwoParts(interval: Int) {
    let world = World(markets: ["XTKS", "XOSE"])
    for number in 0...1 { world.feed(number, 300) }
    let client = StreamClient(world)
    client.subscribe("1", "quotes", ["*"], interval: interval)
    client.readAll()
    let names = world.names
    let parts = parts(world)
    var received = 0
    for part in parts.dropLast() {
      give(part, continues: true, world)
      let before = world.distributor.counters.delivered
      world.feed(1, 40)
      world.wait(60)
      received += Int(world.distributor.counters.delivered - before)
      client.readAll()
      #expect(!markets(client).contains { $0.hasPrefix("NEXT") })
    }
    #expect(received > 0)
    give(parts[parts.count - 1], continues: false, world)
    world.wait(100)
    client.readAll()
    for name in names { #expect(client.difference("quotes", name) == nil, "\(name)") }
    #expect(client.faults.isEmpty)
  }

  @Test func whatIsAskedForBetweenTwoPartsIsAnsweredBehindThem() {
    let world = World()
    world.feed(0, 400)
    let name = world.names[0]
    let (early, late) = (StreamClient(world), StreamClient(world))
    early.subscribe("1", "quotes", [name])
    early.readAll()
    let parts = parts(world)
    give(parts[0], continues: true, world)
    late.subscribe("1", "quotes", [name])
    early.subscribe("2", "books", [name])
    early.say("{\"op\":\"unsubscribe\",\"id\":\"1\"}")
    late.readAll()
    early.readAll()
    #expect(late.views.isEmpty && early.views["books/\(name)"] == nil)
    for (place, part) in parts.enumerated().dropFirst() {
      give(part, continues: place < parts.count - 1, world)
    }
    world.wait(100)
    late.readAll()
    early.readAll()
    #expect(late.difference("quotes", name) == nil)
    #expect(early.difference("books", name) == nil)
    #expect(early.takeOthers().contains { $0["type"] as? String == "unsubscribed" })
    #expect(late.faults.isEmpty && early.faults.isEmpty)
  }

  @Test func aHeartbeatBetweenTwoPartsSaysNoPositionOfThatMarket() {
    let world = World(markets: ["XTKS", "XOSE"])
    for number in 0...1 { world.feed(number, 300) }
    let client = StreamClient(world)
    client.readAll()
    let parts = parts(world)
    give(parts[0], continues: true, world)
    world.wait(7_000)
    client.readAll()
    let sources = client.takeOthers().compactMap { $0["sources"] as? [[String: Any]] }.last ?? []
    #expect(sources.compactMap { $0["market"] as? String } == ["XOSE"])
  }
}
