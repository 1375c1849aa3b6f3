// What a client chooses, and what it is told of what it doesn't get: bytes a second, conflation, progress.

import Distribution
import FeedProtocols
import Foundation
import MarketData
import Testing
import TickerPlant

@Suite struct DeliveryTests {
  private func world(instruments: Int) -> World {
    let world = World()
    for number in 0..<instruments {
      world.apply(
        Stock("N\(number)", locate: UInt16(number + 1)).add(
          UInt64(number + 1), .buy, 1, "10", at: clock(9, 0)))
    }
    return world
  }

  private func subscribe(_ client: StreamClient, _ id: String, _ names: [String], _ limit: Int?) {
    let list = names.map { "\"\($0)\"" }.joined(separator: ",")
    client.say(
      "{\"op\":\"subscribe\",\"id\":\"\(id)\",\"channel\":\"quotes\",\"instruments\":[\(list)],\"interval\":0,"
        + "\"bytes_per_second\":\(limit.map(String.init) ?? "null")}")
  }

  @Test func theLowestLimitOfLiveSubscriptionsHolds() {
    let world = world(instruments: 4)
    let client = StreamClient(world)
    for (number, (limit, holds)) in [
      (nil, nil), (50_000, 50_000), (2_000, 2_000), (9_000, 2_000),
    ].enumerated() as EnumeratedSequence<[(Int?, Int?)]> {
      subscribe(client, "\(number)", ["N\(number)"], limit)
      let told = client.takeOthers().first ?? [:]
      #expect(told["type"] as? String == "subscribed")
      #expect(told["bytes_per_second"] as? Int == holds, "\(told)")
    }
    client.say("{\"op\":\"unsubscribe\",\"id\":\"2\"}")
    subscribe(client, "3", ["N3"], nil)
    #expect(client.takeOthers().last?["bytes_per_second"] as? Int == 50_000)
    for bad in ["999", "100000001", "1.5", "\"5000\"", "true"] {
      client.say(
        "{\"op\":\"subscribe\",\"id\":\"9\",\"channel\":\"quotes\",\"instruments\":[\"N1\"],\"bytes_per_second\":\(bad)}"
      )
      #expect(client.takeOthers().map { $0["code"] as? String } == ["bad_bytes_per_second"], "\(bad)")
    }
  }

  /// Bytes in any stretch of time stay within the rate, a second's burst and what one frame may overdraw; the values
  /// are the newest, and nobody is cut off.
  @Test(arguments: 0..<6)
  func aBudgetIsKept(round: Int) {
    var random = generator("budget", round: round)
    let world = world(instruments: 12)
    let client = StreamClient(world)
    let names = (0..<12).map { "N\($0)" }
    let rate = [1_500, 5_000, 20_000][round % 3]
    subscribe(client, "q", names, rate)
    world.wait(3_000)  // What the snapshots took has come back.
    client.readAll()
    var sent: [(at: UInt64, bytes: Int)] = []
    var known = client.transport.frames.count
    var longest = 0
    var order: UInt64 = 1_000
    for _ in 0..<2_000 {
      for _ in 0..<random.below(4) {
        order += 1
        let number = random.chance(50) ? 0 : random.below(12)
        world.apply(
          Stock("N\(number)", locate: UInt16(number + 1)).add(order, .buy, 1, "10", at: clock(9, 1)))
      }
      world.wait(10)
      for frame in client.transport.frames[known...] {
        sent.append((world.now, frame.count))
        longest = max(longest, frame.count)
      }
      known = client.transport.frames.count
    }
    for first in stride(from: 0, to: sent.count, by: max(1, sent.count / 40)) {
      var total = 0
      for (at, bytes) in sent[first...] {
        total += bytes
        let allowed = rate + rate * Int(at - sent[first].at + 10) / 1000 + longest
        #expect(total <= allowed, "\(seedNote) round \(round): \(total) bytes in \(at - sent[first].at) ms")
      }
    }
    let total = sent.reduce(0) { $0 + $1.bytes }
    if rate < 10_000 { #expect(total > rate * 20 * 8 / 10, "the budget is used: \(total)") }
    #expect(client.transport.closed == nil && client.faults.isEmpty)
    #expect(longest < max(3_000, rate), "what waits comes in frames of the instruments that changed")
    world.wait(4_000)
    for name in names { #expect(client.difference("quotes", name) == nil, "\(seedNote) round \(round)") }
  }

  @Test func whoWaitsForItsBudgetIsNotStuckAndGetsAnswersAndSnapshots() {
    let world = world(instruments: 40)
    var limits = ClientLimits()
    limits.stuckMilliseconds = 1_000
    limits.messagesPerSecond = 1_000
    let client = StreamClient(world, limits: limits)
    let names = (0..<40).map { "N\($0)" }
    subscribe(client, "q", names, 1_000)
    client.readAll()
    #expect(client.views.count == 40, "snapshots go through")
    for number in 0..<40 {
      world.apply(
        Stock("N\(number)", locate: UInt16(number + 1)).add(
          UInt64(100 + number), .buy, 1, "10", at: clock(9, 1)))
    }
    world.wait(900)
    client.readAll()
    #expect(client.views.values.allSatisfy { $0.received == 0 })
    client.say("{\"op\":\"ping\",\"id\":\"x\"}")
    #expect(client.takeOthers().last?["type"] as? String == "pong")
    // What waits comes before another snapshot, so that sequence numbers rise.
    client.subscribe("b", "books", ["N1"])
    client.readAll()
    #expect(client.views["books/N1"] != nil)
    #expect(names.allSatisfy { client.views["quotes/\($0)"]?.received == 1 })
    for turn in 0..<20 as Range<UInt64> {
      world.apply(Stock("N1", locate: 2).add(1_000 + turn, .buy, 1, "10", at: clock(9, 2)))
      world.wait(1_000)
    }
    #expect(client.transport.closed == nil && client.faults.isEmpty)
    #expect(client.difference("quotes", "N1") == nil)
  }

  /// Every change that was made is either told by an event or counted in one.
  @Test(arguments: 0..<8)
  func whatWasConflatedAwayIsTold(round: Int) {
    var random = generator("conflated", round: round)
    let world = world(instruments: 3)
    let client = StreamClient(world)
    let budget = round % 2 == 0 ? nil : 1_000
    let interval = round < 4 ? 0 : 50
    for channel in ["quotes", "books", "bars"] {
      let limit = budget.map(String.init) ?? "null"
      client.say(
        "{\"op\":\"subscribe\",\"id\":\"\(channel)\",\"channel\":\"\(channel)\",\"instruments\":[\"*\"],"
          + "\"interval\":\(interval),\"bytes_per_second\":\(limit)}")
    }
    // The same, and it gets everything.
    let quick = StreamClient(world)
    for channel in ["quotes", "books", "bars"] {
      quick.subscribe(channel, channel, ["*"], interval: interval)
    }
    var match: UInt64 = 0
    for turn in 0..<300 as Range<UInt64> {
      if budget == nil, random.chance(20) { client.transport.canTakeMore.toggle() }
      for _ in 0..<random.below(5) {
        let number = random.below(3)
        let stock = Stock("N\(number)", locate: UInt16(number + 1))
        let time = clock(9, 1) + turn * minute / 20
        match += 1
        if random.chance(50) {
          world.apply(stock.hidden(100, "11", match: match, at: time))
        } else {
          world.apply(stock.add(1_000 + match, .buy, 1, "10", at: time))
        }
      }
      world.wait(50)
    }
    client.transport.canTakeMore = true
    world.wait(30_000)
    client.readAll()
    quick.readAll()
    var conflated = 0
    for (key, all) in quick.views {
      let some = client.views[key] ?? .init()
      #expect(all.conflated == 0)
      #expect(some.received + some.conflated == all.received, "\(seedNote) round \(round): \(key)")
      conflated += some.conflated
    }
    #expect(conflated > 30)
    #expect(client.client.conflated == UInt64(conflated))
    #expect(world.distributor.counters.conflated == UInt64(conflated))
    world.wait(6_000)
    let beat = client.takeOthers().last { $0["type"] as? String == "heartbeat" } ?? [:]
    #expect(beat["conflated"] as? Int == conflated)
    let other = quick.takeOthers().last { $0["type"] as? String == "heartbeat" } ?? [:]
    #expect(other["conflated"] as? Int == 0)
  }

  @Test func whoTakesAByteNowAndThenIsNeverStuck() {
    let world = world(instruments: 1)
    var limits = ClientLimits()
    limits.stuckMilliseconds = 2_000
    let slow = StreamClient(world, limits: limits)
    let stuck = StreamClient(world, limits: limits)
    for client in [slow, stuck] {
      client.subscribe("q", "quotes", ["N0"])
      client.transport.canTakeMore = false
    }
    for turn in 0..<20 as Range<UInt64> {
      world.apply(Stock("N0").add(100 + turn, .buy, 1, "11", at: clock(9, 0)))
      world.wait(1_400)
      slow.transport.takenBytes += 1
    }
    #expect(slow.transport.closed == nil)
    #expect(stuck.transport.closed?.code == 4001)
    slow.transport.canTakeMore = true
    world.wait(50)
    #expect(slow.difference("quotes", "N0") == nil)
    slow.readAll()
    #expect(slow.views["quotes/N0"]?.conflated == 19)
    // Then it stops for good.
    slow.transport.canTakeMore = false
    world.apply(Stock("N0").add(999, .buy, 1, "11", at: clock(9, 0)))
    world.wait(2_600)
    #expect(slow.transport.closed?.code == 4001)
  }

  /// Every channel tells how things stand, also to who has it alone.
  @Test(arguments: ["quotes", "books", "trades", "bars"])
  func everyChannelTellsStateAndReference(channel: String) {
    let world = World(feeds: [MixedFeed.all[0]])
    world.feed(0, 30)
    let name = world.names[0]
    let client = StreamClient(world)
    client.subscribe("1", channel, [name])
    func view() -> [String: Any] {
      client.readAll()
      return client.views["\(channel)/\(name)"]?.fields ?? [:]
    }
    #expect(view()["reference"] is NSNumber && view()["reference_date"] is String)
    #expect(view()["stale"] is NSNull)
    var states: Set<String> = []
    while world.feed(0, 5), states.count < 3 {
      #expect(same(view()["state"], world.quote(name)["state"]))
      states.insert(view()["state"] as? String ?? "")
    }
    #expect(states.count == 3)
    world.sources[0].plant.setSourceState(.recovering)
    world.deliver()
    #expect((view()["stale"] as? [String: Any])?["reason"] as? String == "recovering")
    let late = StreamClient(world)
    late.subscribe("1", channel, [name])
    late.readAll()
    #expect((late.views["\(channel)/\(name)"]?.fields["stale"] as? [String: Any])?["since"] is String)
    world.sources[0].plant.setSourceState(.live)
    world.deliver()
    #expect(view()["stale"] is NSNull)
    #expect(client.faults.isEmpty && late.faults.isEmpty)
  }

  @Test func aHeartbeatTellsHowFarEachSourceIs() {
    let world = world(instruments: 1)
    let client = StreamClient(world)
    world.sources[0].plant.setSourceState(.silent)
    world.deliver()
    world.wait(6_000)
    let source = (client.takeOthers().first?["sources"] as? [[String: Any]])?.first ?? [:]
    #expect(source["time"] as? String == "2026-11-20T09:00:00.000000000+09:00")
    #expect(source["state"] as? String == "stale")
    #expect((source["stale"] as? [String: Any])?["reason"] as? String == "silent")
  }
}
