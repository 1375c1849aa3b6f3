import Distribution
import Foundation
import MarketData
import Testing
import TickerPlant

@Suite struct SubscriptionTests {
  private let stock = Stock("7203")
  private let other = Stock("9984", locate: 2)

  private func world() -> World {
    let world = World()
    world.apply(
      stock.add(1, .buy, 100, "10", at: clock(9, 0)), other.add(2, .buy, 100, "20", at: clock(9, 0)))
    world.wait(10)
    return world
  }

  @Test func aSubscriptionIsConfirmedBeforeItsSnapshots() {
    let world = world()
    let client = StreamClient(world)
    client.say(
      "{\"op\":\"subscribe\",\"id\":\"b\",\"channel\":\"books\",\"instruments\":[\"7203\",\"9984\"],\"interval\":70,\"levels\":5}"
    )
    let events =
      (try? JSONSerialization.jsonObject(with: Data(client.transport.frames.first ?? []))) as? [[String: Any]]
    #expect(events?.map { $0["type"] as? String } == ["subscribed", "snapshot", "snapshot"])
    #expect(events?.first?["interval"] as? Int == 50 && events?.first?["levels"] as? Int == 5)
    #expect(events?.first?["instruments"] as? Int == 2 && events?.first?["id"] as? String == "b")
  }

  @Test(arguments: ["quotes", "books", "trades", "bars"])
  func nothingComesAfterUnsubscribing(channel: String) {
    let world = world()
    let client = StreamClient(world)
    client.subscribe("1", channel, ["7203"])
    client.subscribe("2", channel, ["*"], interval: 50)
    client.say("{\"op\":\"unsubscribe\",\"id\":\"1\"}")
    client.say("{\"op\":\"unsubscribe\",\"id\":\"2\"}")
    #expect(client.takeOthers().filter { $0["type"] as? String == "unsubscribed" }.count == 2)
    let frames = client.transport.frames.count
    world.apply(stock.hidden(1, "10", at: clock(9, 0)), stock.add(9, .buy, 100, "11", at: clock(9, 1)))
    world.wait(200)
    #expect(client.transport.frames.count == frames)
    #expect(!world.distributor.wantsImmediate)
  }

  @Test func anIntervalOfZeroSendsEveryMessageAndFiftyJoinsThem() {
    let world = world()
    let every = StreamClient(world)
    every.subscribe("q", "quotes", ["7203"], interval: 0)
    let joined = StreamClient(world)
    joined.subscribe("q", "quotes", ["7203"], interval: 50)
    world.wait(50)
    every.readAll()
    joined.readAll()
    var bytes: [UInt8] = []
    for number in 0..<5 as Range<UInt64> {
      bytes += framed(stock.add(10 + number, .buy, 100, "10", at: clock(9, 0)))
    }
    world.apply(bytes)
    world.wait(100)
    every.readAll()
    joined.readAll()
    #expect(every.views["quotes/7203"]?.received == 5)
    #expect(joined.views["quotes/7203"]?.received == 1)
    #expect(every.difference("quotes", "7203") == nil && joined.difference("quotes", "7203") == nil)
    let update = joined.views["quotes/7203"]?.fields ?? [:]
    #expect(update["bid_size"] as? Int == 600 && update["bid_orders"] as? Int == 6)
  }

  @Test func timingAddsWhenTheHostReceivedIt() {
    let world = world()
    let client = StreamClient(world)
    client.subscribe("q", "quotes", ["7203"], timing: true)
    client.subscribe("t", "trades", ["7203"], timing: true)
    world.apply(stock.hidden(1, "10", at: clock(9, 0)))
    client.readAll()
    #expect(client.views["quotes/7203"]?.fields["rx"] as? String == "1790000000000000000")
    #expect(client.views["trades/7203"]?.trades.first?["rx"] as? String == "1790000000000000000")
  }

  @Test(arguments: 0..<10)
  func overlappingSubscriptionsNeverSendBackwards(round: Int) {
    var random = generator("overlap", round: round)
    let world = World()
    world.feed(0, 250)
    let channel = ["quotes", "books", "trades", "bars"][round % 4]
    let clients = (0..<3).map { _ in StreamClient(world) }
    var wanted: [Int: [String: (names: [String], levels: Int)]] = [:]
    for step in 0..<90 {
      world.feed(0, random.below(6))
      if random.chance(40) { world.wait(random.pick([10, 20, 50])) }
      let number = random.below(clients.count)
      let client = clients[number]
      if random.chance(4) { client.transport.canTakeMore.toggle() }
      let id = "\(random.below(4))"
      switch random.below(10) {
      case 0..<3:
        let names = random.chance(25) ? ["*"] : world.names.filter { _ in random.chance(60) }
        guard !names.isEmpty else { continue }
        let levels = random.pick([1, 5, 10])
        client.subscribe(
          id, channel, names, interval: random.pick([0, 20, 50, 100]), levels: levels,
          timing: random.chance(20))
        wanted[number, default: [:]][id] = (names, levels)
      case 3:
        client.say("{\"op\":\"unsubscribe\",\"id\":\"\(id)\"}")
        wanted[number, default: [:]][id] = nil
      default: break
      }
      client.readAll()
      if let fault = clients.flatMap(\.faults).first {
        Issue.record("\(seedNote) round \(round) step \(step): \(fault)")
        return
      }
    }
    for client in clients { client.transport.canTakeMore = true }
    world.wait(200)
    for (number, client) in clients.enumerated() {
      for name in world.names {
        let levels = (wanted[number] ?? [:]).values.filter { $0.names.contains(name) || $0.names == ["*"] }
          .map(\.levels)
        guard let most = levels.max() else { continue }
        // Where a client unsubscribed from more levels it may still get them.
        if channel == "books", (client.views["books/\(name)"]?.fields["bids"] as? [Any])?.count ?? 0 > most {
          continue
        }
        if let fault = client.difference(channel, name, levels: most), channel != "books" {
          Issue.record("\(seedNote) round \(round), client \(number): \(fault)")
          return
        }
      }
      #expect(client.faults.isEmpty, "\(seedNote) round \(round)")
    }
  }

  @Test(arguments: [(["7203"], ["7203"]), (["*"], ["7203"]), (["7203"], ["*"]), (["*"], ["*"])])
  func theFasterIntervalAndMoreLevelsWin(first: [String], second: [String]) {
    let world = world()
    for number in 0..<8 as Range<UInt64> {
      world.apply(stock.add(20 + number, .sell, 100, "\(30 + number)", at: clock(9, 0)))
    }
    let client = StreamClient(world)
    client.subscribe("slow", "books", first, interval: 1_000, levels: 8)
    client.subscribe("fast", "books", second, interval: 0, levels: 2)
    client.readAll()
    #expect(
      (client.views["books/7203"]?.fields["asks"] as? [Any])?.count == 8,
      "the snapshot has the greater number too")
    world.apply(stock.delete(21, at: clock(9, 0)))
    client.readAll()
    #expect(
      (client.views["books/7203"]?.fields["asks"] as? [Any])?.count == 7, "an update comes at once, whole")
    #expect(client.faults.isEmpty)
  }

  @Test func aSubscriptionOfAStalledClientWaits() {
    let world = world()
    let client = StreamClient(world)
    client.transport.canTakeMore = false
    for number in 0..<20 { client.subscribe("\(number)", "quotes", ["*"]) }
    let bytes = client.transport.frames.reduce(0) { $0 + $1.count }
    #expect(bytes < 4_000, "\(bytes) bytes were sent to who takes nothing")
    client.transport.canTakeMore = true
    world.wait(10)
    for name in world.names { #expect(client.difference("quotes", name) == nil) }
    #expect(client.faults.isEmpty)
  }

  @Test(arguments: ["quotes", "books", "trades", "bars"])
  func whoComesWhileTheSourceIsStaleIsTold(channel: String) {
    let world = world()
    world.sources[0].plant.setSourceState(.silent)
    world.deliver()
    let client = StreamClient(world)
    client.subscribe("1", channel, ["7203"])
    client.readAll()
    #expect(client.views["\(channel)/7203"]?.isStale == true)
    world.sources[0].plant.setSourceState(.live)
    world.deliver()
    client.readAll()
    #expect(client.views["\(channel)/7203"]?.isStale == false)
  }

  @Test func aNewInstrumentComesToWhoWantsAll() {
    let world = world()
    let client = StreamClient(world)
    client.subscribe("q", "quotes", ["*"], interval: 50)
    world.apply(Stock("130A", locate: 3).add(77, .sell, 100, "5", at: clock(9, 0)))
    world.wait(50)
    #expect(client.difference("quotes", "130A") == nil)
    #expect(client.faults.isEmpty)
  }
}

@Suite struct NamingTests {
  private func twoMarkets() -> World {
    let world = World(markets: ["XTKS", "XOSE"])
    world.apply(framed(Stock("7203").hidden(1, "10")), to: 0)
    world.apply(framed(Stock("7203").hidden(1, "20")), to: 1)
    world.apply(framed(Stock("9984", locate: 2).hidden(1, "30")), to: 1)
    return world
  }

  @Test func aCodeInTwoMarketsIsNamedWithItsMarket() {
    let world = twoMarkets()
    #expect(world.distributor.lookUp("7203") == .ambiguous)
    #expect(
      world.distributor.lookUp("7203.XTKS") == .found(0) && world.distributor.lookUp("7203.XOSE") == .found(1)
    )
    #expect(world.distributor.lookUp("9984") == world.distributor.lookUp("9984.XOSE"))
    #expect(world.distributor.lookUp("1") == .unknown)
    #expect(world.names == ["7203.XTKS", "7203.XOSE", "9984"])
    let client = StreamClient(world)
    client.subscribe("q", "quotes", ["7203.XTKS", "7203.XOSE", "9984.XOSE"])
    for name in world.names { #expect(client.difference("quotes", name) == nil) }
    #expect(client.views.count == 3)
  }

  @Test func anAmbiguousOrUnknownNameIsToldWithWhatIsWanted() {
    let world = twoMarkets()
    let client = StreamClient(world)
    client.subscribe("q", "quotes", ["7203", "nothing", "9984"])
    let others = client.takeOthers()
    #expect(others.first?["code"] as? String == "unknown_instrument" && others.first?["id"] as? String == "q")
    let detail = others.first?["detail"] as? String ?? ""
    #expect(detail.contains("7203 (in several markets: write CODE.MARKET)") && detail.contains("nothing"))
    #expect(others.last?["type"] as? String == "subscribed" && others.last?["instruments"] as? Int == 1)
    client.subscribe("r", "quotes", ["nothing"])
    #expect(client.takeOthers().map { $0["type"] as? String } == ["error"])
  }

  @Test func whoKnewAnInstrumentByItsCodeGetsItUnderItsNewName() {
    let world = World(markets: ["XTKS", "XOSE"])
    world.apply(framed(Stock("7203").hidden(1, "10")), to: 0)
    let client = StreamClient(world)
    client.subscribe("q", "quotes", ["7203"])
    #expect(client.difference("quotes", "7203") == nil)
    world.apply(framed(Stock("7203").hidden(1, "20")), to: 1)
    world.apply(framed(Stock("7203").hidden(1, "11")), to: 0)
    #expect(client.difference("quotes", "7203.XTKS") == nil)
    #expect(client.faults.isEmpty, "an update under a name that was never a snapshot's")
  }

  @Test func positionsNameEveryMarket() {
    let world = twoMarkets()
    #expect(world.distributor.positionText == "XTKS:S.2026-11-20:1,XOSE:S.2026-11-20:2")
  }

  /// Codes come from outside: what can't stand in JSON is escaped, and is found under the name that was shown.
  @Test(
    arguments: [0x4122_4220_2020_2020, 0x415c_4220_2020_2020, 0x4120_4220_2020_2020, 0x4100_ff20_2020_2020]
      as [UInt64])
  func oddCodesAreShownAsTheyAreFound(raw: UInt64) {
    let world = World()
    var stock = Stock("X")
    stock.code = InstrumentCode(raw)
    world.apply(stock.hidden(1, "10"))
    let name = world.names[0]
    let client = StreamClient(world)
    client.subscribe("q", "quotes", ["*"])
    client.readAll()
    #expect(client.faults.isEmpty)
    #expect(client.views.keys.first == "quotes/\(name)")
    #expect(world.quote(name)["instrument"] as? String == name)
  }
}
