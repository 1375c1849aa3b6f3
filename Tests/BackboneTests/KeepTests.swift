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
    #expect(await eventually(seconds: 30) { keepers.allSatisfy(hasKeptAll) })
    #expect(keepers.allSatisfy { $0.report.frames > 20 })
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

  /// Whether all that was put into a keeper's ring is kept: the ring is looked at first, because its frames are counted
  /// before it is empty, and then the figures of one moment.
  private func hasKeptAll(_ keeper: TickKeeper) -> Bool {
    guard keeper.ring.fill == 0 else { return false }
    let report = keeper.report
    return report.kept == report.frames && report.waiting == 0
  }

  /// The store takes what is kept, goes away, ticks go on, and it comes back as a new process: history is complete.
  @Test func aStoreThatWasAwayHasAllOfIt() async throws {
    let day = try DayFile(seed: 11, instruments: 10, messages: 30_000)
    let server = try MessageServer("jetstream {\n  store_dir: \"{folder}/keep\"\n  domain: \"a\"\n}\n")
    let buses = try (0..<2).map { try NatsBus(server.settings(name: "n\($0)")) }
    defer { for bus in buses { bus.close() } }
    #expect(await eventually { buses.allSatisfy { $0.state.isConnected } })
    let keeper = TickKeeper(market: "XTKS", node: "n0", configuration: 7, bus: buses[0])
    try keeper.start()
    defer { keeper.stop() }
    let records = UpdateRing(capacity: 64 << 20) {}
    let source = "itch:\(day.path)?speed=max"
    let feed = FeedThread(
      try PreparedFeed(try FeedAddress(source), text: source, keepsState: false),
      outlets: FeedThread.Outlets(rings: [records], tag: 0))
    feed.start()
    defer { feed.stop() }
    let wanted = Trades()
    var first: [[UInt8]] = []
    #expect(
      await eventually(seconds: 60) {
        records.drain { _, bytes in
          wanted.take(bytes)
          first.append([UInt8](bytes))
        }
        return feed.hasEnded && records.fill == 0
      })
    func play(_ pieces: ArraySlice<[UInt8]>) {
      for piece in pieces {
        piece.withUnsafeBytes { bytes in while !keeper.ring.write(bytes, tag: 0) { usleep(200) } }
      }
    }
    let half = first.count / 2
    let got = Trades()
    let table = UpdateRing(capacity: 64 << 20) {}
    func life(_ body: (StoreCatchUp) async -> Void) async {
      let catchUp = StoreCatchUp(
        market: "XTKS", store: "s1", configuration: 7, bus: buses[1], domain: "a", ring: table, tag: 3)
      catchUp.start()
      await body(catchUp)
      catchUp.stop()
      table.drain { tag, bytes in
        #expect(tag & RecordSplitter.mends != 0 && tag & 0xff == 3)
        got.take(bytes)
      }
    }
    // The stream must be there before anything is kept.
    await life { catchUp in #expect(await eventually(seconds: 30) { catchUp.report.rounds == 1 }) }
    play(first[..<half])
    #expect(
      await eventually(seconds: 30) {
        keeper.report.frames > 5 && keeper.report.waiting == 0 && keeper.ring.fill == 0
      })
    await life { catchUp in #expect(await eventually(seconds: 30) { catchUp.report.rounds == 1 }) }
    let before = got.list.count
    #expect(before > 0)
    play(first[half...])
    #expect(await eventually(seconds: 30) { hasKeptAll(keeper) })
    await life { catchUp in #expect(await eventually(seconds: 30) { catchUp.report.rounds == 1 }) }
    #expect(got.list.count > before)
    #expect(got.list == wanted.list)
  }

  /// What comes from elsewhere is looked at before it is believed.
  @Test func aKeptFrameThatIsNoneIsPassedOver() {
    var frames = KeptFrames(configuration: 7)
    var generator = SystemRandomNumberGenerator()
    for size in [0, 1, 63, 64, 200, 5_000] {
      let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
      bytes.withUnsafeBytes { frames.take($0) { _, _ in Issue.record("a frame of noise was taken") } }
    }
  }
}
