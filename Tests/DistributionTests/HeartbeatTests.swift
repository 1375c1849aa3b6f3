import Distribution
import Foundation
import MarketData
import Testing

@Suite struct HeartbeatTests {
  private func client(_ world: World, heartbeat: Int?) -> (
    Client, FakeTransport
  ) {
    let transport = FakeTransport()
    let client = world.distributor.add(
      transport: transport, limits: ClientLimits(), heartbeat: heartbeat, now: world.now)
    return (client, transport)
  }

  private func events(_ transport: FakeTransport) -> [[String: Any]] {
    defer { transport.frames = [] }
    return transport.frames.flatMap {
      (try? JSONSerialization.jsonObject(with: Data($0))) as? [[String: Any]] ?? []
    }
  }

  @Test func whoAsksForBeatsGetsThemAtThatPeriodAndTheOthersDont() {
    let world = World()
    let (_, quick) = client(world, heartbeat: 100)
    let (_, plain) = client(world, heartbeat: nil)
    world.wait(1_000)
    let beats = events(quick)
    #expect((9...12).contains(beats.count), "\(beats.count)")
    #expect(beats.allSatisfy { $0["type"] as? String == "heartbeat" && $0["sources"] == nil })
    #expect(plain.frames.isEmpty)
    // In a long silence the whole one comes as ever, to both.
    world.wait(6_000)
    #expect(events(quick).contains { $0["sources"] != nil })
    #expect(events(plain).contains { $0["sources"] != nil })
  }

  @Test func aPeriodBeyondTheBoundsIsTakenToThem() {
    let world = World()
    let (_, fastest) = client(world, heartbeat: 1)
    let (_, slowest) = client(world, heartbeat: 1_000_000)
    world.wait(1_000)
    #expect((15...25).contains(events(fastest).count))
    world.wait(58_000)
    #expect(slowest.frames.isEmpty)
    world.wait(3_000)
    #expect(events(slowest).count == 1)
  }

  @Test func beatsLeaveWhatGathersToItsInterval() {
    let world = World()
    let stock = Stock("7203")
    world.apply(stock.hidden(1, "10"))
    let (client, transport) = client(world, heartbeat: 50)
    world.distributor.receive(
      Array(#"{"op":"subscribe","id":"1","channel":"quotes","instruments":["7203"],"interval":2000}"#.utf8),
      from: client, now: world.now)
    world.wait(2_000)
    _ = events(transport)
    world.apply(stock.hidden(1, "11"))
    world.wait(1_000)
    world.apply(stock.hidden(1, "12"))
    world.wait(2_000)
    let updates = events(transport).filter { $0["type"] as? String == "update" }
    #expect(updates.count <= 2)
    #expect(updates.last?["last"] as? Double == 12)
  }

  @Test func aClientOverItsBudgetIsToldThatTheServerIsThere() {
    let world = World()
    let stock = Stock("7203")
    world.apply(stock.hidden(1, "10"))
    let (client, transport) = client(world, heartbeat: 100)
    world.distributor.receive(
      Array(
        #"{"op":"subscribe","id":"1","channel":"quotes","instruments":["7203"],"interval":0,"bytes_per_second":1000}"#
          .utf8),
      from: client, now: world.now)
    for number in 0..<200 {
      world.apply(stock.hidden(1, number % 2 == 0 ? "11" : "12", match: UInt64(100 + number)))
      world.wait(10)
    }
    let kinds = events(transport)
    #expect(kinds.count { $0["type"] as? String == "heartbeat" } >= 5)
    world.wait(5_000)
    #expect(events(transport).contains { $0["conflated"] != nil && $0["type"] as? String == "update" })
  }

  @Test func aClientThatTakesNothingIsSentNoBeats() {
    let world = World()
    let (_, transport) = client(world, heartbeat: 100)
    transport.canTakeMore = false
    world.wait(1_000)
    #expect(transport.frames.isEmpty)
    transport.canTakeMore = true
    world.wait(200)
    #expect(!transport.frames.isEmpty)
  }

  @Test func moveNamesWhereElseTheSameIsServed() {
    let world = World()
    let (_, transport) = client(world, heartbeat: nil)
    world.distributor.announceMove(
      inMilliseconds: 2_000, reason: "rolling upgrade",
      endpoints: [GatewayEndpoint(url: "https://gw-2.example/", node: "gw-2", zone: "tky-b", site: "tokyo")],
      now: world.now)
    let move = events(transport).first
    #expect(move?["type"] as? String == "move")
    let endpoint = (move?["endpoints"] as? [[String: Any]])?.first
    #expect(endpoint?["url"] as? String == "https://gw-2.example")
    #expect(endpoint?["stream"] as? String == "wss://gw-2.example/v1/stream")
    #expect(endpoint?["node"] as? String == "gw-2")
  }
}
