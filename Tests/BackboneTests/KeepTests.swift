// Ticks that last: two plants' copies are one, and a store that was away gets each trade once.

import Continuity
import FeedHandler
import Foundation
import MarketData
import Testing
import TickerPlant

@testable import Backbone

@Suite(.enabled(if: MessageServer.isThere, "nats-server is not installed"), .serialized) struct KeepTests {
  static let jetStream = "jetstream {\n  store_dir: \"{folder}/keep\"\n}\n"

  /// The trades among records, by number, instrument and price.
  final class Trades {
    var list: [String] = []
    private var codes: [UInt32: InstrumentCode] = [:]

    func take(_ records: UnsafeRawBufferPointer) {
      var cursor = UpdateCursor(records)
      while cursor.next() {
        if cursor.kind == .instrument {
          codes[cursor.header.instrument] = cursor.payload(as: FactsPayload.self).code
        }
        guard cursor.kind == .trade else { continue }
        let trade = cursor.payload(as: TradeRecord.self).trade
        let code = codes[cursor.header.instrument]?.description ?? "?"
        list.append("\(cursor.header.sequence) \(code) \(trade.price) \(trade.size) \(trade.broken)")
      }
    }
  }

  @Test func copiesAreOneAndAStoreCatchesUp() async throws {
    let day = try DayFile(seed: 9, instruments: 20, messages: 30_000)
    let server = try MessageServer(Self.jetStream)
    let buses = try (0..<3).map { try NatsBus(server.settings(name: "n\($0)")) }
    defer { for bus in buses { bus.close() } }
    #expect(await eventually { buses.allSatisfy { $0.state.isConnected } })
    let store = KeptTicks(market: "XTKS", bus: buses[2])
    try store.ensure(maximumBytes: 64 << 20)
    try store.ensure(maximumBytes: 32 << 20)

    let direct = UpdateRing(capacity: 64 << 20) {}
    let keepers = try (0..<2).map { number in
      let keeper = TickKeeper(market: "XTKS", node: "n\(number)", configuration: 7, bus: buses[number])
      try keeper.start()
      return keeper
    }
    let source = "itch:\(day.path)?speed=max"
    let feeds = try keepers.enumerated().map { number, keeper in
      FeedThread(
        try PreparedFeed(try FeedAddress(source), text: source, keepsState: false),
        outlets: FeedThread.Outlets(rings: number == 0 ? [keeper.ring, direct] : [keeper.ring], tag: 0))
    }
    for feed in feeds { feed.start() }
    defer {
      for feed in feeds { feed.stop() }
      for keeper in keepers { keeper.stop() }
    }
    let wanted = Trades()
    #expect(
      await eventually(seconds: 60) {
        direct.drain { _, records in wanted.take(records) }
        return feeds.allSatisfy(\.hasEnded)
      })
    direct.drain { _, records in wanted.take(records) }
    #expect(
      await eventually(seconds: 30) {
        keepers.allSatisfy { $0.report.frames > 20 && $0.report.kept == $0.report.frames }
      })
    let reports = keepers.map(\.report)
    #expect(reports[0].frames == reports[1].frames)
    #expect(reports[0].duplicates + reports[1].duplicates == reports[0].frames)

    let got = Trades()
    let frames = try store.catchUp(store: "s1", configuration: 7) { records, _ in got.take(records) }
    #expect(UInt64(frames) == reports[0].frames)
    #expect(got.list == wanted.list)
    #expect(!got.list.isEmpty)
    // What was taken doesn't come again; another store has a place of its own.
    #expect(try store.catchUp(store: "s1", configuration: 7) { _, _ in } == 0)
    #expect(try store.catchUp(store: "s2", configuration: 7) { _, _ in } == frames)
  }

  /// Nobody keeps: frames wait, and are sent when somebody does.
  @Test func whatNobodyKeptYetIsSentAgain() async throws {
    let day = try DayFile(seed: 10, instruments: 5, messages: 5_000)
    let server = try MessageServer(Self.jetStream)
    let bus = try NatsBus(server.settings(name: "n1"))
    defer { bus.close() }
    #expect(await eventually { bus.state.isConnected })
    let keeper = TickKeeper(market: "XTKS", node: "n1", configuration: 7, bus: bus)
    try keeper.start()
    let source = "itch:\(day.path)?speed=max"
    let feed = FeedThread(
      try PreparedFeed(try FeedAddress(source), text: source, keepsState: false),
      outlets: FeedThread.Outlets(rings: [keeper.ring], tag: 0))
    feed.start()
    defer {
      feed.stop()
      keeper.stop()
    }
    #expect(await eventually { feed.hasEnded && keeper.report.waiting > 0 })
    #expect(keeper.report.kept == 0)
    try KeptTicks(market: "XTKS", bus: bus).ensure()
    #expect(await eventually { keeper.report.kept == keeper.report.frames && keeper.report.waiting == 0 })
    #expect(keeper.report.givenUp == 0)
  }
}
