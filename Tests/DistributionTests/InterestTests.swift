// A market of which only the instruments come that clients ask for: what is wanted and for how long, and that nothing is
// shown as live of which nobody says what it is.

import Distribution
import Foundation
import MarketData
import Testing
import TickerPlant

@Suite struct InterestTests {
  /// A fan-out of a selective market, which hears a plant's records of single instruments.
  private final class Selective {
    let distributor: Distributor
    var plant: TickerPlant
    var now: UInt64 = 100_000
    var changes = 0

    init() {
      let feed = MixedFeed.all[1]
      var market = MarketDescription(
        market: "XTKS", timeZone: "Asia/Tokyo", reference: feed.reference, utcOffsetSeconds: { _ in 32_400 })
      market.isSelective = true
      distributor = Distributor(markets: [market])
      plant = TickerPlant(
        PlantConfiguration(
          market: "XTKS", session: "S", date: CalendarDate("2026-11-20") ?? CalendarDate(daysSince1970: 0),
          reference: feed.reference, expectedOrders: 64, expectedInstruments: 4))
      plant.setSourceState(.live)
      let frames = feed.days[0].prefix(400).flatMap { $0 }
      _ = frames.withUnsafeBytes { plant.apply(framed: $0, firstSequence: 1, receivedAt: 0) }
      plant.updates.removeAll()
      distributor.interestChanged = { [unowned self] in changes += 1 }
      list()
    }

    var codes: [String] { (0..<plant.instrumentCount).map { plant.code(of: $0).description } }

    /// The list: the source, and each instrument's facts, unheard.
    private func list() {
      plant.emitAll(announcing: 0)
      give(nil) { header in
        guard header.kind != UpdateKind.source.rawValue else { return true }
        header.flags = UpdateKind.unheardFlag
        return header.kind == UpdateKind.instrument.rawValue
      }
    }

    /// An instrument's state.
    func tell(_ code: String) {
      plant.emitAll(announcing: 0)
      give(codes.firstIndex(of: code)) { $0.kind != UpdateKind.source.rawValue }
    }

    /// It isn't taken any more.
    func leave(_ code: String) {
      plant.emitAll(announcing: 0)
      give(codes.firstIndex(of: code)) { header in
        guard header.kind == UpdateKind.instrument.rawValue else { return false }
        header.kind = UpdateKind.cleared.rawValue
        header.flags = UpdateKind.unheardFlag
        header.byteCount = UInt16(MemoryLayout<UpdateHeader>.size)
        return true
      }
    }

    /// Hands on the plant's records, of one instrument or all, that are given, as changed.
    private func give(_ only: Int?, _ isGiven: (inout UpdateHeader) -> Bool) {
      var bytes: [UInt8] = []
      let all = plant.updates.bytes
      var offset = 0
      while offset < all.count {
        var header = all.loadUnaligned(fromByteOffset: offset, as: UpdateHeader.self)
        let size = Int(header.byteCount)
        if only == nil || only == Int(header.instrument), isGiven(&header) {
          withUnsafeBytes(of: header) { bytes += $0 }
          bytes += all[offset + MemoryLayout<UpdateHeader>.size..<offset + Int(header.byteCount)]
        }
        offset += size
      }
      plant.updates.removeAll()
      bytes.withUnsafeBytes { distributor.consume(market: 0, records: $0, now: now) }
    }

    func wait(_ milliseconds: UInt64) {
      for _ in 0..<milliseconds / 10 {
        now += 10
        distributor.tick(now: now)
      }
    }

    func quote(_ code: String) -> [String: Any] {
      guard case .found(let index) = distributor.lookUp(code) else { return [:] }
      var writer = JSONWriter(capacity: 4096)
      distributor.writeQuote(index, into: &writer)
      return ((try? JSONSerialization.jsonObject(with: Data(writer.bytes))) as? [String: Any]) ?? [:]
    }

    func say(_ text: String, _ client: Client) {
      distributor.receive(Array(text.utf8), from: client, now: now)
    }

    var wanted: Set<String> { Set(distributor.wantedInstruments(market: 0).map(\.description)) }
  }

  private static func events(_ transport: FakeTransport) -> [[String: Any]] {
    defer { transport.frames.removeAll() }
    return transport.frames.flatMap {
      ((try? JSONSerialization.jsonObject(with: Data($0))) as? [[String: Any]]) ?? []
    }
  }

  private static func reason(_ object: [String: Any]?) -> String? {
    (object?["stale"] as? [String: Any])?["reason"] as? String
  }

  @Test func aListedInstrumentIsStaleUntilItsStateComes() throws {
    let world = Selective()
    let code = try #require(world.codes.first { world.quote($0)["instrument"] != nil })
    #expect(Self.reason(world.quote(code)) == "recovering")
    #expect(world.quote(code)["bid"] is NSNull && world.quote(code)["last"] is NSNull)
    let tag = world.distributor.quoteTag(of: 0)
    world.tell(code)
    #expect(world.quote(code)["stale"] is NSNull)
    #expect(world.distributor.quoteTag(of: 0) != tag)
    for other in world.codes where other != code { #expect(Self.reason(world.quote(other)) == "recovering") }
    world.leave(code)
    #expect(Self.reason(world.quote(code)) == "recovering")
    #expect(world.quote(code)["bid"] is NSNull)
  }

  @Test(arguments: ["quotes", "books", "trades", "bars"])
  func aSubscriptionWantsAndIsToldWhenTheStateIsThere(channel: String) throws {
    let world = Selective()
    let code = world.codes[0]
    let transport = FakeTransport()
    let client = world.distributor.add(transport: transport, limits: ClientLimits(), now: world.now)
    world.say(#"{"op":"subscribe","id":"1","channel":"\#(channel)","instruments":["\#(code)"]}"#, client)
    #expect(world.wanted == [code] && world.changes == 1)
    let first = Self.events(transport).first { $0["type"] as? String == "snapshot" }
    #expect(Self.reason(first) == "recovering")
    world.tell(code)
    world.wait(100)
    let second = Self.events(transport).last { $0["type"] as? String == "snapshot" }
    #expect(second?["stale"] is NSNull)
    world.leave(code)
    world.wait(100)
    let third = Self.events(transport).last { $0["type"] as? String == "snapshot" }
    #expect(Self.reason(third) == "recovering")

    // It stays wanted while somebody follows it, and for a while after the last.
    world.wait(60_000)
    #expect(world.wanted == [code])
    world.say(#"{"op":"unsubscribe","id":"1"}"#, client)
    world.wait(5_000)
    #expect(world.wanted == [code])
    world.wait(8_000)
    #expect(world.wanted == [] && world.changes == 2)
  }

  @Test func whatOneAskedForIsWantedForAWhile() {
    let world = Selective()
    world.distributor.want([1], now: world.now)
    world.wait(9_000)
    world.distributor.want([1], now: world.now)
    world.wait(9_000)
    #expect(world.wanted == [world.codes[1]] && world.changes == 1)
    world.wait(3_000)
    #expect(world.wanted.isEmpty)
  }

  @Test func allOfTheMarketIsRefusedAndWhy() {
    let world = Selective()
    let transport = FakeTransport()
    let client = world.distributor.add(transport: transport, limits: ClientLimits(), now: world.now)
    world.say(#"{"op":"subscribe","id":"1","channel":"quotes","instruments":["*"]}"#, client)
    let error = Self.events(transport).first
    #expect(error?["type"] as? String == "error" && error?["code"] as? String == "whole_market")
    #expect((error?["detail"] as? String)?.contains("interest: clients") == true)
    #expect(world.wanted.isEmpty)
  }

  /// Instruments come by themselves: the newest number of one says nothing of another's.
  @Test func aResumeIsAnsweredWithSnapshotsAtOnce() {
    let world = Selective()
    let code = world.codes[0]
    world.tell(code)
    let transport = FakeTransport()
    let client = world.distributor.add(transport: transport, limits: ClientLimits(), now: world.now)
    let epoch = world.distributor.sourceStates()[0].epoch
    world.say(
      #"{"op":"resume","id":"1","channel":"quotes","instruments":["\#(code)"],"from":[{"market":"XTKS","epoch":"\#(epoch)","seq":900000}]}"#,
      client)
    let events = Self.events(transport)
    #expect(events.contains { $0["type"] as? String == "resumed" && $0["mode"] as? String == "snapshot" })
    #expect(events.contains { $0["type"] as? String == "snapshot" && $0["stale"] is NSNull })
  }
}
