// Connections that end while something is being sent to them, and messages that come with their end.

import FeedProtocols
import Foundation
import MarketData
import Testing
import TickerPlant

@testable import Distribution

@Suite struct GoneTests {
  private func world(instruments: Int) -> World {
    let world = World()
    for number in 0..<instruments { order(world, number, UInt64(number + 1)) }
    return world
  }

  private func order(_ world: World, _ number: Int, _ reference: UInt64) {
    world.apply(
      Stock("N\(number)", locate: UInt16(number + 1)).add(reference, .buy, 1, "10", at: clock(9, 1)))
  }

  /// The client is removed by its `nth` frame; nothing of it is left, and who gets its place gets only its own.
  @Test(arguments: 1...4, ["[\"N0\",\"NOSUCH\"]", "[\"*\"]", "[\"N0\",\"N1\"]"])
  func nothingIsLeftOfAClientThatEndsInASend(nth: Int, instruments: String) {
    let world = world(instruments: 400)
    let gone = StreamClient(world)
    var sent = 0
    gone.transport.whileSending = {
      sent += 1
      if sent == nth { world.distributor.remove(gone.client) }
    }
    for id in 0..<4 {
      gone.say(
        "{\"op\":\"subscribe\",\"id\":\"\(id)\",\"channel\":\"quotes\",\"instruments\":\(instruments)}")
      order(world, 0, UInt64(1_000 + id))
    }
    world.wait(200)
    if sent < nth { world.distributor.remove(gone.client) }
    gone.transport.whileSending = nil  // it holds the client
    #expect(world.distributor.waiting.isEmpty)
    #expect(world.distributor.pendingResumes.isEmpty)
    for lane in world.distributor.lanes {
      #expect(lane.members == 0 && lane.everyone.isEmpty && lane.subscribers.allSatisfy(\.isEmpty))
    }
    let next = StreamClient(world)
    next.subscribe("q", "quotes", ["N7"])
    for number in 0..<10 { order(world, number, UInt64(2_000 + number)) }
    world.wait(200)
    next.readAll()
    #expect(next.faults.isEmpty && Set(next.views.keys) == ["quotes/N7"])
    #expect(next.difference("quotes", "N7") == nil)
  }

  /// A failed write may read what the peer had said before: it changes nothing of what others are being sent.
  @Test func whatIsSaidDuringASendChangesNoOthersFrame() {
    let world = world(instruments: 3)
    let clients = (0..<3).map { _ in StreamClient(world) }
    for client in clients { client.subscribe("q", "quotes", ["*"], interval: 50) }
    world.wait(100)
    clients[0].transport.whileSending = {
      clients[0].transport.whileSending = nil
      clients[0].transport.canTakeMore = false
      clients[0].say("{\"op\":\"ping\",\"id\":\"x\"}")
      world.distributor.remove(clients[0].client)
    }
    order(world, 1, 500)
    world.wait(100)
    for client in clients[1...] {
      client.readAll()
      #expect(client.faults.isEmpty)
      #expect(client.difference("quotes", "N1") == nil)
      #expect(client.takeOthers().allSatisfy { $0["type"] as? String != "pong" })
    }
  }
}
