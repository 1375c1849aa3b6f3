import Distribution
import Foundation
import MarketData
import Testing
import TickerPlant

@Suite struct BinaryTests {
  private let channels = ["quotes", "books", "trades", "bars"]

  /// The bytes of docs/STREAM.md's example.
  @Test func aFrameIsAsDocumented() {
    let world = World()
    let stock = Stock("7203")
    world.apply(stock.add(1, .buy, 100, "2345.5", at: clock(9, 0)))
    let client = StreamClient(world, encoding: .binary)
    client.subscribe("q", "quotes", ["7203"])
    client.readAll()
    world.apply(stock.add(2, .buy, 200, "2345.5", at: clock(9, 0, 1)))
    let wanted: [UInt8] = [
      14, 0x02, 0x00, 0x02,  // 14 bytes: an update of quotes, instrument 0, seq 2
      0x31,  // time, bid_size, bid_orders
      0x81, 0xd4, 0xe1, 0x90, 0xff, 0xae, 0x07,  // 1 + 32,401,000,000,000 ns since midnight
      0xad, 0x02, 0x03,  // 1 + 300 shares, 1 + 2 orders
    ]
    #expect(client.transport.frames.last == wanted)
    #expect(client.transport.encodings.last == .binary)
    client.readAll()
    #expect(client.faults.isEmpty)
    #expect(client.views["quotes/7203"]?.fields["time"] as? String == "2026-11-20T09:00:01.000000000+09:00")
    #expect(client.views["quotes/7203"]?.fields["bid"] as? Double == 2345.5)
  }

  /// Two clients of one lane but for the encoding: the same events, whatever happens.
  @Test(arguments: 0..<8)
  func theEventsAreThoseOfJSON(round: Int) {
    var random = generator("binary", round: round)
    let world = World(markets: round % 2 == 0 ? ["XTKS"] : ["XTKS", "XOSE"])
    for number in world.sources.indices { world.feed(number, 40) }
    let interval = random.pick([0, 20])
    let pair = [StreamClient(world), StreamClient(world, encoding: .binary)]
    for client in pair {
      for channel in channels {
        client.subscribe(channel, channel, ["*"], interval: interval, levels: 3, timing: round % 3 == 0)
      }
      client.say("{\"op\":\"subscribe\",\"id\":\"値\",\"channel\":\"none\"}")
    }
    for step in 0..<200 {
      for number in world.sources.indices { world.feed(number, random.below(random.chance(10) ? 200 : 8)) }
      if random.chance(4) { world.sources[0].plant.setSourceState(random.chance(50) ? .silent : .live) }
      world.deliver()
      world.wait(20)
      if random.chance(10) {
        let takes = random.chance(60)
        for client in pair { client.transport.canTakeMore = takes }
      }
      // Instruments that changed with the same message may come in any order.
      let events = pair.map { client in
        client.takeEvents().enumerated().sorted {
          (Self.key($0.element), $0.offset) < (Self.key($1.element), $1.offset)
        }
        .map(\.element)
      }
      guard events[0].count == events[1].count else {
        Issue.record(
          "\(seedNote) round \(round), step \(step): \(events[0].count) against \(events[1].count)")
        return
      }
      for (text, binary) in zip(events[0], events[1]) {
        if let fault = difference(text, binary) {
          Issue.record("\(seedNote) round \(round), step \(step): \(fault): \(text)")
          return
        }
      }
    }
    for client in pair { client.transport.canTakeMore = true }
    world.wait(6_000)
    for client in pair {
      for channel in channels {
        for name in world.names where client.difference(channel, name, levels: 3) != nil {
          Issue.record("\(seedNote) round \(round): \(client.difference(channel, name, levels: 3) ?? "")")
        }
      }
      #expect(client.faults.isEmpty, "\(seedNote) round \(round)")
    }
    let sizes = pair.map { $0.transport.frames.reduce(0) { $0 + $1.count } }
    #expect(sizes[1] * 3 < sizes[0], "\(sizes)")
  }

  private static func key(_ event: [String: Any]) -> String {
    "\(event["channel"] as? String ?? "") \(event["instrument"] as? String ?? "")"
  }

  @Test func anEventForBothEncodingsIsSentToEachInItsOwn() {
    let world = World()
    let clients = [StreamClient(world), StreamClient(world, encoding: .binary), StreamClient(world)]
    world.distributor.announceMove(inMilliseconds: 10, reason: "理由", now: world.now)
    for client in clients {
      #expect(client.takeOthers().map { $0["reason"] as? String } == ["理由"])
      #expect(client.faults.isEmpty)
    }
  }

  @Test func aResumeNamesInstruments() {
    let world = World()
    world.feed(0, 200)
    let client = StreamClient(world, encoding: .binary)
    client.subscribe("1", "quotes", ["*"])
    for _ in 0..<5 {
      client.reconnect()
      let position = client.position("quotes")
      world.feed(0, 20)
      client.subscribe("1", "quotes", ["*"], from: position)
      world.feed(0, 20)
      #expect(client.takeOthers().first { $0["type"] as? String == "resumed" }?["mode"] as? String == "exact")
      for name in world.names { #expect(client.difference("quotes", name) == nil) }
    }
    #expect(client.faults.isEmpty)
  }

  @Test func largeFramesArePartedBetweenEvents() {
    let world = World()
    for number in 0..<6_000 {
      world.apply(Stock("N\(number)", locate: UInt16(number + 1)).add(UInt64(number + 1), .buy, 1, "1"))
    }
    let client = StreamClient(world, encoding: .binary)
    client.subscribe("q", "quotes", ["*"])
    client.readAll()
    #expect(client.views.count == 6_000 && client.faults.isEmpty)
    #expect(client.transport.frames.count > 1 && client.longestFrame < 300_000)
  }
}
