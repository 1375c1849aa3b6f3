// Two plants on lines of their own: one loses its lines, its beginning or some messages, and takes them from the other,
// without a gap or a repeat.

import ExchangeSimulator
import FeedHandler
import FeedProtocols
import Foundation
import MarketData
import Testing
import TickerPlant

@testable import Backbone

/// The lines of an exchange: packets of a day to any number of addresses, each of which may be cut.
final class TestExchange: @unchecked Sendable {
  let packets: [[UInt8]]
  let end: [UInt8]
  let messages: UInt64
  private let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
  var ports: [Int] = []
  var isCut: Set<Int> = []
  private(set) var sent = 0

  init(seed: UInt64, instruments: Int, messages count: Int) {
    var market = SimulatedMarket(
      SimulatorConfiguration(
        seed: seed, instruments: instruments,
        date: CalendarDate("2026-11-25") ?? CalendarDate(daysSince1970: 0), messagesPerDay: count))
    var bytes = ByteWriter(capacity: 1 << 20)
    market.advance(to: .max, into: &bytes)
    var writer = MoldUDP64PacketWriter(session: MoldSession("DAY1"))
    var made: [[UInt8]] = []
    var place = 0
    while place + 2 <= bytes.bytes.count {
      let length = Int(bytes.bytes[place]) << 8 | Int(bytes.bytes[place + 1])
      let message = bytes.bytes[(place + 2)..<(place + 2 + length)]
      if !writer.append(message) {
        made.append(writer.finish())
        _ = writer.append(message)
      }
      place += 2 + length
    }
    made.append(writer.finish())
    packets = made
    messages = writer.nextSequence - 1
    end = writer.endOfSession()
  }

  deinit { close(socket) }

  private func send(_ packet: [UInt8]) {
    for (line, port) in ports.enumerated() where !isCut.contains(line) {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = UInt16(port).bigEndian
      address.sin_addr.s_addr = inet_addr("127.0.0.1")
      _ = packet.withUnsafeBytes { bytes in
        withUnsafePointer(to: &address) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            sendto(socket, bytes.baseAddress, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
          }
        }
      }
    }
  }

  /// Sends the next packets, slowly enough for one machine.
  func play(_ count: Int) async {
    for _ in 0..<count where sent < packets.count {
      send(packets[sent])
      sent += 1
      if sent % 4 == 0 { try? await Task.sleep(nanoseconds: 500_000) }
    }
  }

  /// Says that the session begins.
  func hello() {
    var writer = ByteWriter()
    MoldUDP64Header(session: MoldSession("DAY1"), sequence: 1, count: 0).encode(into: &writer)
    send(writer.bytes)
  }

  /// Says where the session is.
  func heartbeat(isEnd: Bool = false) {
    if isEnd { return send(end) }
    guard sent > 0,
      let header = packets[sent - 1].withUnsafeBytes({ try? MoldUDP64Header(decoding: $0.bytes) })
    else { return }
    var writer = ByteWriter()
    MoldUDP64Header(
      session: header.session, sequence: header.sequence + UInt64(header.blockCount), count: 0
    ).encode(into: &writer)
    send(writer.bytes)
  }
}

@Suite(.serialized) struct FeedLineTests {
  final class Plant: @unchecked Sendable {
    let publisher: PlantPublisher
    let line: FeedLine
    let feed: FeedThread
    let ring = UpdateRing(capacity: 128 << 20) {}
    let view = MarketView()
    let log = Heard()

    init(_ node: String, peers: [String], port: Int, buses: [any Bus]) throws {
      publisher = PlantPublisher(
        PlantPublisher.Configuration(market: "XTKS", node: node, configuration: 1, incarnation: 1),
        buses: buses)
      let log = log
      line = FeedLine(market: "XTKS", node: node, peers: peers, buses: buses) { log.add("\($1)") }
      let source = "mold:127.0.0.1:\(port)?heartbeat=60&wait=3000&date=2026-11-25"
      let prepared = try PreparedFeed(try FeedAddress(source), text: source, keepsState: false)
      var outlets = FeedThread.Outlets(rings: [publisher.ring, ring], tag: 0, log: { log.add("\($1)") })
      outlets.states = publisher.states
      outlets.relay = line.relay
      feed = FeedThread(prepared, outlets: outlets)
    }

    func start() throws {
      try publisher.start()
      try line.start()
      feed.start()
    }

    func stop() {
      feed.stop()
      line.stop()
      publisher.stop()
    }
  }

  static func udpPort() throws -> Int { try MessageServer.freePort() }

  /// Plays on, with heartbeats, until something is so.
  static func until(_ exchange: TestExchange, _ plants: [Plant], _ condition: () -> Bool) async -> Bool {
    await eventually(seconds: 40) {
      exchange.heartbeat()
      for plant in plants { plant.view.drain(plant.ring) }
      return condition()
    }
  }

  /// Waits until the plants' sockets are open.
  static func listening(_ exchange: TestExchange, _ plants: [Plant]) async -> Bool {
    await eventually(seconds: 40) {
      exchange.hello()
      return plants.allSatisfy { $0.feed.report.lines.first?.statistics.packets ?? 0 > 0 }
    }
  }

  @Test(arguments: BusTests.kinds) func aPlantWithoutLinesTakesTheOthersMessages(kind: BusTests.Kind)
    async throws
  {
    let exchange = TestExchange(seed: 11, instruments: 20, messages: 40_000)
    exchange.ports = [try Self.udpPort(), try Self.udpPort()]
    let rail = try await StreamsTests.Rail(kind, "a", users: 2)
    let plants = [
      try Plant("p1", peers: ["p2"], port: exchange.ports[0], buses: [rail.users[0]]),
      try Plant("p2", peers: ["p1"], port: exchange.ports[1], buses: [rail.users[1]]),
    ]
    for plant in plants { try plant.start() }
    defer {
      for plant in plants { plant.stop() }
      rail.close()
    }
    #expect(await Self.listening(exchange, plants))
    let third = exchange.packets.count / 3
    await exchange.play(third)
    #expect(
      await Self.until(exchange, plants) {
        plants[0].view.state == .live && plants[1].view.state == .live
          && plants[0].view.sequence == plants[1].view.sequence && plants[0].view.sequence > 0
      })

    // The first plant's line is cut: the second's messages come instead.
    exchange.isCut = [0]
    #expect(await Self.until(exchange, plants) { plants[0].line.report.node == "p2" })
    await exchange.play(third)
    #expect(
      await Self.until(exchange, plants) {
        plants[0].view.state == .live && plants[0].view.sequence == plants[1].view.sequence
          && (plants[0].feed.report.lines.last?.statistics.first ?? 0) > 0
      })
    #expect(plants[0].feed.report.lines.last?.name == "C")
    #expect(plants[0].log.all.contains { $0.contains("line C (p2) is live") })

    // It returns: the other plant is let go.
    exchange.isCut = []
    await exchange.play(exchange.packets.count)
    #expect(
      await Self.until(exchange, plants) {
        plants.allSatisfy { $0.view.sequence == exchange.messages && $0.view.state != .recovering }
          && plants[0].line.report.node == nil
      })
    #expect(plants[0].view.difference(from: plants[1].view) == nil)
    #expect(plants[0].view.faults.isEmpty)
    #expect(plants[0].feed.report.lost == 0)
    #expect(plants[0].feed.report.requests?.gaps == 0)
  }

  /// Both lines lose what the other has not, and nobody has a request server.
  /// Also after a message that both lack for good.
  @Test(arguments: [false, true]) func whatOneLacksTheOtherHas(bothLackOne: Bool) async throws {
    let exchange = TestExchange(seed: 12, instruments: 10, messages: 20_000)
    exchange.ports = [try Self.udpPort(), try Self.udpPort()]
    let rail = try await StreamsTests.Rail(.inProcess, "a", users: 2)
    let plants = [
      try Plant("p1", peers: ["p2"], port: exchange.ports[0], buses: [rail.users[0]]),
      try Plant("p2", peers: ["p1"], port: exchange.ports[1], buses: [rail.users[1]]),
    ]
    for plant in plants { try plant.start() }
    defer {
      for plant in plants { plant.stop() }
      rail.close()
    }
    #expect(await Self.listening(exchange, plants))
    while exchange.sent < exchange.packets.count {
      exchange.isCut =
        bothLackOne && exchange.sent == 10
        ? [0, 1] : exchange.sent % 20 == 7 ? [0] : exchange.sent % 20 == 13 ? [1] : []
      await exchange.play(1)
    }
    exchange.isCut = []
    #expect(
      await Self.until(exchange, plants) { plants.allSatisfy { $0.view.sequence == exchange.messages } })
    #expect(plants[0].view.difference(from: plants[1].view) == nil)
    for plant in plants {
      // Figures are told ten times a second.
      let gaps: UInt64 = bothLackOne ? 1 : 0
      #expect(await eventually { plant.feed.report.requests?.gaps == gaps })
      #expect(plant.view.faults.isEmpty)
    }
  }

  /// A plant that starts in the middle of the day, with nothing kept, gets the beginning from the other.
  @Test func aLatePlantCatchesUpFromTheOther() async throws {
    let exchange = TestExchange(seed: 13, instruments: 10, messages: 20_000)
    exchange.ports = [try Self.udpPort(), try Self.udpPort()]
    let rail = try await StreamsTests.Rail(.inProcess, "a", users: 2)
    let first = try Plant("p1", peers: ["p2"], port: exchange.ports[0], buses: [rail.users[0]])
    let second = try Plant("p2", peers: ["p1"], port: exchange.ports[1], buses: [rail.users[1]])
    try first.start()
    defer {
      first.stop()
      second.stop()
      rail.close()
    }
    #expect(await Self.listening(exchange, [first]))
    await exchange.play(exchange.packets.count / 2)
    #expect(await Self.until(exchange, [first]) { first.view.sequence > 0 && first.view.state == .live })
    try second.start()
    await exchange.play(exchange.packets.count)
    #expect(
      await Self.until(exchange, [first, second]) {
        first.view.sequence == exchange.messages && second.view.sequence == exchange.messages
          && second.view.state != .recovering
      })
    #expect(first.view.difference(from: second.view) == nil)
    #expect(second.feed.report.lost == 0)
  }
}
