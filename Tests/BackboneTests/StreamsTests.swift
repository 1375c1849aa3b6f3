// Two plants and a receiver: what comes out at the end is what a ring of the plant's own would have brought, over both
// buses, whatever is lost on the way.

import Continuity
import ExchangeSimulator
import FeedHandler
import FeedProtocols
import Foundation
import MarketData
import Synchronization
import Testing
import TickerPlant

@testable import Backbone

/// A file with a simulated day, and a folder that goes away with its owner.
final class DayFile: Sendable {
  let folder: String
  let path: String

  init(seed: UInt64, instruments: Int, messages: Int) throws {
    folder = NSTemporaryDirectory() + "kabuto-day-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    path = folder + "/2026-11-25.itch"
    var market = SimulatedMarket(
      SimulatorConfiguration(
        seed: seed, instruments: instruments,
        date: CalendarDate("2026-11-25") ?? CalendarDate(daysSince1970: 0), messagesPerDay: messages))
    var writer = ByteWriter(capacity: 1 << 20)
    market.advance(to: .max, into: &writer)
    try Data(writer.bytes).write(to: URL(fileURLWithPath: path))
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }
}

/// A plant that plays a file, with its publisher.
final class TestPlant: @unchecked Sendable {
  let publisher: PlantPublisher
  let feed: FeedThread
  let direct: UpdateRing
  private var isStopped = false

  init(
    _ node: String, _ source: String, buses: [any Bus], configuration: UInt32 = 7,
    historyBytes: Int = 32 << 20,
    hasDirect: Bool = false, found: @escaping @Sendable (PlantDifference) -> Void = { _ in }
  ) throws {
    var settings = PlantPublisher.Configuration(
      market: "XTKS", node: node, configuration: configuration, incarnation: UInt64.random(in: 1...UInt64.max)
    )
    settings.stream.historyBytes = historyBytes
    publisher = PlantPublisher(settings, buses: buses, found: found)
    direct = UpdateRing(capacity: 256 << 20) {}
    let prepared = try PreparedFeed(try FeedAddress(source), text: source, keepsState: false)
    var outlets = FeedThread.Outlets(rings: hasDirect ? [publisher.ring, direct] : [publisher.ring], tag: 0)
    outlets.states = publisher.states
    feed = FeedThread(prepared, outlets: outlets)
  }

  func start() throws {
    try publisher.start()
    feed.start()
  }

  func stopFeed() {
    if !isStopped { feed.stop() }
    isStopped = true
  }

  func stop() {
    stopFeed()
    publisher.stop()
  }
}

@Suite(.serialized) struct StreamsTests {
  /// A rail for some users.
  struct Rail {
    var users: [any Bus]
    var server: MessageServer?

    init(_ kind: BusTests.Kind, _ name: String, users count: Int, pendingBytes: Int = 8 << 20) async throws {
      switch kind {
      case .inProcess:
        let bus = InProcessBus(rail: name, pendingBytes: pendingBytes)
        users = [bus] + (1..<count).map { _ in bus.endpoint() }
      case .nats:
        let server = try MessageServer()
        users = try (0..<count).map { try NatsBus(server.settings(rail: name, name: "n\($0)")) }
        self.server = server
        let users = users
        #expect(await eventually { users.allSatisfy { $0.state.isConnected } })
      }
    }

    func close() { for user in users { user.close() } }
  }

  static func receiver(
    _ buses: [any Bus], streams: Int = 2, configuration: UInt32 = 7, isSelective: Bool = false,
    nodes: [String] = ["p1", "p2"], ring: UpdateRing, log: Heard = Heard()
  ) -> StreamReceiver {
    StreamReceiver(
      StreamReceiver.Configuration(
        market: "XTKS", node: "g1",
        candidates: nodes.enumerated().map { place, node in
          StreamReceiver.Candidate(
            node: node, site: "s", zone: "z\(place)", nearness: place == 0 ? .sameZone : .sameSite)
        }, streams: streams, configuration: configuration, isSelective: isSelective),
      buses: buses,
      outlets: StreamReceiver.Outlets(rings: [ring], tag: 0) { _, text in log.add(text) })
  }

  /// The view at the end of the day, without anything between.
  static func expected(_ plant: TestPlant) async -> MarketView {
    let view = MarketView()
    #expect(
      await eventually(seconds: 60) {
        view.drain(plant.direct)
        return plant.feed.hasEnded
      })
    view.drain(plant.direct)
    return view
  }

  @Test(arguments: BusTests.kinds) func twoPlantsAreOneStream(kind: BusTests.Kind) async throws {
    let day = try DayFile(seed: 3, instruments: 30, messages: 60_000)
    let (a, b) = (try await Rail(kind, "a", users: 3), try await Rail(kind, "b", users: 3))
    defer {
      a.close()
      b.close()
    }
    let plants = try (0..<2).map { number in
      try TestPlant(
        "p\(number + 1)", "itch:\(day.path)?speed=max", buses: [a.users[number], b.users[number]],
        hasDirect: number == 0)
    }
    let ring = UpdateRing(capacity: 256 << 20) {}
    let receiver = Self.receiver([a.users[2], b.users[2]], ring: ring)
    try receiver.start()
    for plant in plants { try plant.start() }
    defer {
      receiver.stop()
      for plant in plants { plant.stop() }
    }
    let wanted = await Self.expected(plants[0])
    let view = MarketView()
    #expect(
      await eventually(seconds: 60) {
        view.drain(ring)
        return view.state == .ended && view.sequence == wanted.sequence
      })
    #expect(view.difference(from: wanted) == nil)
    #expect(view.faults.isEmpty)
    #expect(receiver.report.sequence == wanted.sequence)
    #expect(await eventually { receiver.paths.filter(\.isUsed).count == 4 })
  }

  /// Who comes after the end, when no history reaches back, gets the state; a single instrument too.
  @Test(arguments: BusTests.kinds) func aLateReceiverGetsTheState(kind: BusTests.Kind) async throws {
    let day = try DayFile(seed: 4, instruments: 20, messages: 30_000)
    let rail = try await Rail(kind, "a", users: 3)
    defer { rail.close() }
    let plant = try TestPlant(
      "p1", "itch:\(day.path)?speed=max", buses: [rail.users[0]], historyBytes: 1 << 16, hasDirect: true)
    try plant.start()
    defer { plant.stop() }
    let wanted = await Self.expected(plant)
    let ring = UpdateRing(capacity: 64 << 20) {}
    let receiver = Self.receiver([rail.users[1]], nodes: ["p1"], ring: ring)
    try receiver.start()
    defer { receiver.stop() }
    let view = MarketView()
    #expect(
      await eventually(seconds: 60) {
        view.drain(ring)
        return view.state == .ended && view.sequence == wanted.sequence
      })
    #expect(view.difference(from: wanted) == nil)

    let code = try #require(wanted.instruments.keys.min { $0.description < $1.description })
    let single = UpdateRing(capacity: 64 << 20) {}
    let chooser = Self.receiver([rail.users[2]], isSelective: true, nodes: ["p1"], ring: single)
    chooser.setWanted([code])
    try chooser.start()
    defer { chooser.stop() }
    let one = MarketView()
    #expect(
      await eventually(seconds: 60) {
        one.drain(single)
        return one.instruments[code] == wanted.instruments[code]
      })
    // The others are listed, and nothing is known of them but their facts.
    #expect(
      await eventually {
        one.drain(single)
        return Set(one.instruments.keys) == Set(wanted.instruments.keys)
      })
    #expect(one.unheard == Set(wanted.instruments.keys).subtracting([code]))
    #expect(one.instruments.allSatisfy { $0.key == code || $0.value.bids.isEmpty && $0.value.trades.isEmpty })
  }

  /// Half of what is published finds no room: holes are filled by replays, or by the state.
  @Test func whatIsLostOnTheWayIsAskedFor() async throws {
    let day = try DayFile(seed: 5, instruments: 40, messages: 120_000)
    let rail = try await Rail(.inProcess, "a", users: 2, pendingBytes: 1 << 20)
    defer { rail.close() }
    let plant = try TestPlant(
      "p1", "itch:\(day.path)?speed=max", buses: [rail.users[0]], historyBytes: 4 << 20, hasDirect: true)
    let ring = UpdateRing(capacity: 256 << 20) {}
    let receiver = Self.receiver([rail.users[1]], nodes: ["p1"], ring: ring)
    try receiver.start()
    try plant.start()
    defer {
      receiver.stop()
      plant.stop()
    }
    let bus = rail.users[1] as? InProcessBus
    let view = MarketView()
    for _ in 0..<5 {
      bus?.setConnected(false)
      try await Task.sleep(nanoseconds: 20_000_000)
      view.drain(ring)
      bus?.setConnected(true)
      try await Task.sleep(nanoseconds: 20_000_000)
    }
    let wanted = await Self.expected(plant)
    #expect(
      await eventually(seconds: 60) {
        view.drain(ring)
        return view.state == .ended && view.sequence == wanted.sequence
      })
    #expect(view.difference(from: wanted) == nil)
    #expect(view.faults.isEmpty)
  }

  /// One plant got another size of one order: instrument and message are named at both.
  @Test func aDifferenceBetweenPlantsIsNamed() async throws {
    let day = try DayFile(seed: 8, instruments: 10, messages: 20_000)
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: day.path)))
    var (place, number, changed) = (0, UInt64(0), UInt64(0))
    while place + 2 < bytes.count {
      let length = Int(bytes[place]) << 8 | Int(bytes[place + 1])
      number += 1
      // An order's shares are at offset 20 of its message.
      if number > 12_500, bytes[place + 2] == UInt8(ascii: "A") {
        bytes[place + 2 + 22] ^= 1
        changed = number
        break
      }
      place += 2 + length
    }
    let other = day.folder + "/2026-11-25.other.itch"
    try Data(bytes).write(to: URL(fileURLWithPath: other))
    let rail = try await Rail(.inProcess, "a", users: 2)
    defer { rail.close() }
    let found = Heard()
    let plants = [
      try TestPlant("p1", "itch:\(day.path)?speed=max", buses: [rail.users[0]]) {
        found.add("p1 \($0.difference)")
      },
      try TestPlant("p2", "itch:\(other)?date=2026-11-25&speed=max", buses: [rail.users[1]]) {
        found.add("p2 \($0.difference)")
      },
    ]
    for plant in plants { try plant.start() }
    defer { for plant in plants { plant.stop() } }
    #expect(await eventually { plants.allSatisfy { !$0.publisher.report.differences.isEmpty } })
    // Beats say the newest window alone: at this pace the last one of the day is sure to be compared, the one changed.
    let first = try #require(plants[0].publisher.report.differences.first)
    #expect(first.node == "p2")
    #expect(!first.difference.instruments.isEmpty)
    #expect((first.difference.sequence ?? 0) >= changed)
    #expect(found.all.contains { $0.hasPrefix("p1 ") } && found.all.contains { $0.hasPrefix("p2 ") })
  }

  @Test func anotherConfigurationIsRefusedAndNamed() async throws {
    let day = try DayFile(seed: 6, instruments: 5, messages: 2_000)
    let rail = try await Rail(.inProcess, "a", users: 2)
    defer { rail.close() }
    let plant = try TestPlant("p1", "itch:\(day.path)?speed=max", buses: [rail.users[0]], configuration: 8)
    let ring = UpdateRing {}
    let log = Heard()
    let receiver = Self.receiver([rail.users[1]], nodes: ["p1"], ring: ring, log: log)
    try receiver.start()
    try plant.start()
    defer {
      receiver.stop()
      plant.stop()
    }
    #expect(await eventually { receiver.paths.first?.reasonKey == "refused" })
    #expect(log.all.contains { $0.contains("p1") && $0.contains("configuration 8") })
    #expect(receiver.report.sequence == 0)
  }

  /// One rail's server is killed, the other's is frozen later: nothing is lost, and nothing waits.
  @Test(.enabled(if: MessageServer.isThere, "nats-server is not installed"))
  func aRailThatIsLostCostsNothing() async throws {
    let (a, b) = (try await Rail(.nats, "a", users: 2), try await Rail(.nats, "b", users: 2))
    defer {
      a.server?.thaw()
      a.close()
      b.close()
    }
    let plant = try TestPlant(
      "p1", "sim:seed=5&instruments=40&speed=200", buses: [a.users[0], b.users[0]], hasDirect: true)
    let ring = UpdateRing(capacity: 256 << 20) {}
    let receiver = Self.receiver([a.users[1], b.users[1]], nodes: ["p1"], ring: ring)
    try receiver.start()
    try plant.start()
    defer {
      receiver.stop()
      plant.stop()
    }
    let (view, wanted) = (MarketView(), MarketView())
    func goesOn() async -> Bool {
      let before = view.sequence
      return await eventually(seconds: 30) {
        view.drain(ring)
        wanted.drain(plant.direct)
        return view.sequence > before + 500 && view.state == .live
      }
    }
    #expect(await goesOn())
    a.server?.freeze()
    #expect(await goesOn())
    #expect(await eventually { !a.users[0].state.isConnected })
    a.server?.thaw()
    #expect(await eventually { a.users[0].state.isConnected && a.users[1].state.isConnected })
    b.server?.kill()
    #expect(await goesOn())
    plant.stopFeed()
    wanted.drain(plant.direct)
    #expect(
      await eventually(seconds: 30) {
        view.drain(ring)
        return view.sequence == wanted.sequence
      })
    #expect(view.difference(from: wanted) == nil)
    #expect(view.faults.isEmpty)
  }
}
