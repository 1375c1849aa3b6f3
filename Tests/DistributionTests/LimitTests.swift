import Distribution
import Foundation
import MarketData
import Testing
import TickerPlant

@Suite struct LimitTests {
  private func world(instruments: Int = 30) -> World {
    let world = World()
    for number in 0..<instruments {
      world.apply(
        Stock("N\(number)", locate: UInt16(number + 1)).add(UInt64(number + 1), .buy, 1, "1", at: clock(9, 0))
      )
    }
    return world
  }

  @Test func tooManyInstrumentsAndTooManyIdsAreToldAndNotTaken() {
    let world = world()
    var limits = ClientLimits()
    limits.subscriptions = 10
    limits.subscriptionIDs = 3
    let client = StreamClient(world, limits: limits)
    client.subscribe("a", "quotes", (0..<10).map { "N\($0)" })
    #expect(client.takeOthers().map { $0["type"] as? String } == ["subscribed"])
    client.subscribe("b", "quotes", ["N10"])
    var others = client.takeOthers()
    #expect(others.map { $0["code"] as? String } == ["too_many_subscriptions"])
    #expect((others.first?["detail"] as? String)?.contains("10 instruments") == true)
    client.subscribe("b", "quotes", ["*"])
    client.subscribe("c", "books", ["*"])
    client.subscribe("d", "bars", ["*"])
    others = client.takeOthers()
    #expect(others.map { $0["type"] as? String } == ["subscribed", "subscribed", "error"])
    client.say("{\"op\":\"unsubscribe\",\"id\":\"a\"}")
    client.subscribe("d", "bars", ["N1"])
    #expect(client.takeOthers().map { $0["type"] as? String } == ["unsubscribed", "subscribed"])
  }

  @Test func whoSendsTooMuchIsToldAndClosed() {
    let world = world()
    var limits = ClientLimits()
    limits.messagesPerSecond = 10
    let client = StreamClient(world, limits: limits)
    for number in 0..<50 { client.say("{\"op\":\"ping\",\"id\":\"\(number)\"}") }
    #expect(client.takeOthers().count == 50)
    world.wait(1_000)
    for _ in 0..<10 { client.say("{\"op\":\"ping\"}") }
    #expect(client.takeOthers().allSatisfy { $0["type"] as? String == "pong" })
    client.say("{\"op\":\"ping\"}")
    #expect(client.takeOthers().map { $0["code"] as? String } == ["rate_exceeded"])
    #expect(client.transport.closed?.code == 1008)
    #expect(world.distributor.clientCount == 0)
    client.say("{\"op\":\"ping\"}")
    #expect(client.takeOthers().isEmpty)
  }

  @Test func whoTakesNothingIsDroppedAfterTheLimitAndNotBefore() {
    let world = world()
    var limits = ClientLimits()
    limits.stuckMilliseconds = 2_000
    let stuck = StreamClient(world, limits: limits)
    let idle = StreamClient(world, limits: limits)
    stuck.subscribe("q", "quotes", ["N0"])
    idle.subscribe("q", "quotes", ["N1"])
    stuck.transport.canTakeMore = false
    idle.transport.canTakeMore = false
    world.wait(3_000)
    #expect(stuck.transport.closed == nil, "nothing waits for it")
    world.apply(Stock("N0").add(100, .buy, 1, "2", at: clock(9, 0)))
    world.wait(1_900)
    #expect(stuck.transport.closed == nil)
    world.wait(300)
    #expect(stuck.transport.closed?.code == 4001)
    #expect(idle.transport.closed == nil)
    #expect(world.distributor.clientCount == 1 && world.distributor.counters.stuck == 1)
  }

  @Test func aHeartbeatComesWhenNothingElseDid() {
    let world = world(instruments: 1)
    let client = StreamClient(world)
    world.wait(4_000)
    #expect(client.takeOthers().isEmpty)
    world.wait(2_000)
    let beat = client.takeOthers().first ?? [:]
    #expect(beat["type"] as? String == "heartbeat")
    #expect(beat["time"] as? String == "2026-11-20T09:00:00.000000000+09:00")
    let source = (beat["sources"] as? [[String: Any]])?.first ?? [:]
    #expect(source["market"] as? String == "XTKS" && source["epoch"] as? String == "S.2026-11-20")
    #expect(source["seq"] as? Int == 1 && source["state"] as? String == "live")
    client.say("{\"op\":\"ping\"}")
    world.wait(4_500)
    #expect(client.takeOthers().map { $0["type"] as? String } == ["pong"])
  }

  @Test func aMoveIsAnnouncedToEveryone() {
    let world = world()
    let clients = (0..<3).map { _ in StreamClient(world) }
    world.distributor.announceMove(inMilliseconds: 5_000, reason: "maintenance \"now\"", now: world.now)
    for client in clients {
      let move = client.takeOthers().first ?? [:]
      #expect(move["type"] as? String == "move" && move["in_ms"] as? Int == 5_000)
      #expect(move["reason"] as? String == "maintenance \"now\"")
    }
    world.distributor.closeAll(code: 1001, reason: "going away")
    #expect(clients.allSatisfy { $0.transport.closed?.code == 1001 })
    #expect(world.distributor.clientCount == 0)
  }

  @Test func framesStayBelowWhatClientsTake() {
    let world = world(instruments: 1_500)
    let client = StreamClient(world)
    client.subscribe("q", "quotes", ["*"])
    client.readAll()
    #expect(client.views.count == 1_500)
    #expect(client.transport.frames.count > 3)
    #expect(client.longestFrame < 300_000 && client.faults.isEmpty)
  }

  @Test func aClientThatIsGoneGetsNothing() {
    let world = world(instruments: 2)
    let client = StreamClient(world)
    client.subscribe("q", "quotes", ["*"])
    client.subscribe("b", "books", ["N0"], interval: 50)
    world.apply(Stock("N0").add(100, .buy, 1, "2", at: clock(9, 0)))
    world.distributor.remove(client.client)
    let frames = client.transport.frames.count
    world.apply(Stock("N0").add(101, .buy, 1, "3", at: clock(9, 0)))
    world.wait(6_000)
    #expect(client.transport.frames.count == frames)
    world.distributor.remove(client.client)
    #expect(world.distributor.clientCount == 0)
  }
}
