// The gateway in this process on a free port, fed by a real plant through its ring, asked over bare sockets.

import Distribution
import ExchangeSimulator
import FeedProtocols
import Foundation
import Logging
import MarketData
import Testing
import TickerPlant

@testable import Gateway

/// A plant with a simulated day, its records written into the gateway's rings by hand.
final class Feed {
  private var market: SimulatedMarket
  private(set) var plant: TickerPlant
  private(set) var sequence: UInt64 = 0
  let description: MarketDescription

  init() throws {
    let date = try #require(CalendarDate("2026-11-24"))
    let configuration = SimulatorConfiguration(seed: 7, instruments: 6, date: date, messagesPerDay: 30_000)
    market = SimulatedMarket(configuration)
    let reference = market.reference
    plant = TickerPlant(
      PlantConfiguration(
        market: "XTKS", session: "", date: date, reference: reference, expectedInstruments: 16))
    description = MarketDescription(market: "XTKS", timeZone: "Asia/Tokyo", reference: reference) { _ in
      9 * 3600
    }
  }

  /// Plays so many messages, and hands on what changed.
  func play(_ count: Int, into gateway: GatewayServer) {
    var left = count
    while left > 0, market.nextTimestamp != nil {
      var writer = ByteWriter(capacity: 1 << 16)
      let done = market.advance(to: .max, limit: min(left, 200), into: &writer)
      guard done > 0 else { break }
      left -= done
      writer.bytes.withUnsafeBytes {
        _ = plant.apply(framed: $0, firstSequence: sequence + 1, receivedAt: 1_795_478_400_000_000_000)
      }
      sequence += UInt64(done)
      for ring in gateway.rings(market: 0) {
        while !ring.write(plant.updates.bytes, tag: 0) { usleep(200) }
      }
      plant.updates.removeAll()
    }
  }
}

/// A bare connection.
final class Line {
  struct Ended: Error {}
  private let socket: Int32
  private(set) var rest: [UInt8] = []

  /// - Parameter window: bytes the kernel may take in that nobody has read.
  init(port: Int, window: Int32? = nil) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var window { setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &window, socklen_t(MemoryLayout<Int32>.size)) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Ended() }
  }

  deinit { close(socket) }

  func send(_ bytes: [UInt8]) { _ = Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
  /// Sends what the kernel takes at once.
  func offer(_ bytes: [UInt8]) {
    _ = Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
  }
  /// Takes what is there.
  func drain() {
    var part = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(socket, &part, part.count, Int32(MSG_DONTWAIT))
      guard count > 0 else { return }
      rest += part[..<count]
    }
  }
  /// Ends with a reset.
  func reset() {
    var hard = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
  }
  func shutDown() { _ = Glibc.shutdown(socket, Int32(SHUT_WR)) }
  func send(_ text: String) { send(Array(text.utf8)) }

  private func more() throws {
    var part = [UInt8](repeating: 0, count: 65_536)
    let count = recv(socket, &part, part.count, 0)
    guard count > 0 else { throw Ended() }
    rest += part[..<count]
  }

  func take(_ count: Int) throws -> [UInt8] {
    while rest.count < count { try more() }
    defer { rest.removeFirst(count) }
    return Array(rest[..<count])
  }

  /// What is still to come until the other side ends.
  func all() -> String {
    while (try? more()) != nil {}
    return String(decoding: rest, as: UTF8.self)
  }

  /// An answer's head, and its body by Content-Length.
  func answer() throws -> (head: String, body: [UInt8]) {
    let end = Array("\r\n\r\n".utf8)
    var place = 0
    while true {
      while place + 4 <= rest.count, Array(rest[place..<place + 4]) != end { place += 1 }
      if place + 4 <= rest.count { break }
      try more()
    }
    let head = String(decoding: try take(place + 4), as: UTF8.self)
    let length = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
      .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) }
    return (head, try take(length ?? 0))
  }

  func get(_ path: String) throws -> (head: String, json: [String: Any]) {
    send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
    let (head, body) = try answer()
    return (head, try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]))
  }

  static let handshake =
    "GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

  /// A client's frame, masked with zeros.
  static func frame(_ opcode: UInt8, _ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    return [0x80 | opcode, 0x80 | UInt8(bytes.count), 0, 0, 0, 0] + bytes
  }

  func frame() throws -> (opcode: UInt8, data: [UInt8]) {
    let head = try take(2)
    var length = Int(head[1])
    if length == 126 { length = try take(2).reduce(0) { $0 << 8 | Int($1) } }
    if length == 127 { length = try take(8).reduce(0) { $0 << 8 | Int($1) } }
    return (head[0] & 15, try take(length))
  }

  func events() throws -> [[String: Any]] {
    let (opcode, data) = try frame()
    guard opcode == 1 else { throw Ended() }
    return try #require(try JSONSerialization.jsonObject(with: Data(data)) as? [[String: Any]])
  }
}

/// A gateway on a free port.
func start(
  _ feed: Feed, screen: (any RequestScreen)? = nil, _ change: (inout GatewayConfiguration) -> Void = { _ in }
) async throws -> GatewayServer {
  var configuration = GatewayConfiguration()
  configuration.port = 0
  configuration.drainMilliseconds = 300
  change(&configuration)
  var log = Logger(label: "test")
  log.logLevel = .critical
  return try await GatewayServer.start(
    configuration, markets: [feed.description], store: nil, log: log, screen: screen, sources: { [] })
}

@Suite(.serialized) struct ServerTests {

  /// REST's state once the loop has taken what was written.
  private func settled(_ line: Line, _ feed: Feed, _ path: String) throws -> [String: Any] {
    for _ in 0..<3000 {
      let states = try line.get("/v1/quotes?limit=1000").json["quotes"] as? [[String: Any]] ?? []
      if states.contains(where: { ($0["seq"] as? UInt64 ?? 0) + 200 >= feed.sequence }) { break }
      usleep(10_000)
    }
    usleep(50_000)
    return try line.get(path).json
  }

  @Test func restAnswersWhatThePlantHolds() async throws {
    let feed = try Feed()
    let gateway = try await start(feed)
    let line = try Line(port: gateway.port)
    #expect(try line.get("/health/ready").head.hasPrefix("HTTP/1.1 503"))
    feed.play(20_000, into: gateway)
    let answer = try settled(line, feed, "/v1/quotes")
    let quotes = try #require(answer["quotes"] as? [[String: Any]])
    let instruments = feed.plant.instrumentCount
    #expect(quotes.count == instruments)
    for quote in quotes {
      let name = try #require(quote["instrument"] as? String)
      let code = try #require(InstrumentCode(name))
      let found = feed.plant.index(of: code)
      let index = try #require(found)
      let top = feed.plant.bestQuote(of: index)
      let statistics = feed.plant.statistics(of: index)
      func units(_ name: String) -> Int64? { (quote[name] as? Double).map { Int64(($0 * 10_000).rounded()) } }
      #expect(units("bid") == (top.bid == noPrice ? nil : top.bid))
      #expect(units("ask") == (top.ask == noPrice ? nil : top.ask))
      #expect(units("last") == (statistics.last == noPrice ? nil : statistics.last))
      #expect(quote["volume"] as? UInt64 == statistics.volume)
      #expect(quote["trades"] as? UInt64 == statistics.trades)
      let book = try line.get("/v1/books/\(code)?levels=1000").json
      for (name, side) in [("bids", Side.buy), ("asks", .sell)] {
        let levels = try #require(book[name] as? [[String: Any]])
        for (depth, level) in levels.enumerated() {
          let found = feed.plant.level(depth, of: index, side: side)
          let held = try #require(found)
          #expect(level["size"] as? UInt64 == held.size)
          #expect(level["orders"] as? UInt64 == UInt64(held.orders))
        }
        let beyond = feed.plant.level(levels.count, of: index, side: side)
        #expect(beyond == nil)
      }
    }
    #expect(try line.get("/health/ready").head.hasPrefix("HTTP/1.1 200"))
    await gateway.drain()
    await gateway.end()
  }

  @Test func aKeptConnectionBecomesAWebSocket() async throws {
    let feed = try Feed()
    let gateway = try await start(feed)
    feed.play(5_000, into: gateway)
    let line = try Line(port: gateway.port)
    for _ in 0..<3 { #expect(try line.get("/health/live").json["status"] as? String == "live") }
    line.send(Line.handshake)
    #expect(try line.answer().head.hasPrefix("HTTP/1.1 101"))
    line.send(Line.frame(1, #"{"op":"ping","id":"a"}"#))
    #expect(try line.events().first?["id"] as? String == "a")
    line.send(Line.frame(9, "x"))
    #expect(try line.frame() == (10, [0x78]))
    await gateway.drain()
    await gateway.end()
  }

  @Test func framesThatComeWithTheHandshakeAreKept() async throws {
    let feed = try Feed()
    let gateway = try await start(feed)
    // A request, the handshake and two frames in one packet; then one byte at a time.
    let bytes =
      Array("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n".utf8) + Array(Line.handshake.utf8)
      + Line.frame(1, #"{"op":"ping","id":"early"}"#) + Line.frame(9, "too")
    for pieces in [[bytes], bytes.map { [$0] }] {
      let line = try Line(port: gateway.port)
      for piece in pieces { line.send(piece) }
      #expect(try line.answer().head.hasPrefix("HTTP/1.1 200"))
      #expect(try line.answer().head.hasPrefix("HTTP/1.1 101"))
      #expect(try line.events().first?["id"] as? String == "early")
      #expect(try line.frame() == (10, Array("too".utf8)))
    }
    await gateway.drain()
    await gateway.end()
  }

  @Test func updatesFollowTheSnapshotAtOnce() async throws {
    let feed = try Feed()
    let gateway = try await start(feed)
    feed.play(10_000, into: gateway)
    let line = try Line(port: gateway.port)
    _ = try settled(line, feed, "/v1/quotes")
    line.send(Line.handshake)
    _ = try line.answer()
    line.send(
      Line.frame(1, #"{"op":"subscribe","id":"1","channel":"quotes","instruments":["*"],"interval":0}"#))
    var seen: [String: UInt64] = [:]
    while seen.count < 6 {
      for event in try line.events() where event["type"] as? String == "snapshot" {
        seen[try #require(event["instrument"] as? String)] = event["seq"] as? UInt64
      }
    }
    feed.play(400, into: gateway)
    var updates = 0
    while updates < 20 {
      for event in try line.events() where event["type"] as? String == "update" {
        let name = try #require(event["instrument"] as? String)
        let sequence = try #require(event["seq"] as? UInt64)
        #expect(sequence > seen[name] ?? .max)
        seen[name] = sequence
        updates += 1
      }
    }
    await gateway.drain()
    await gateway.end()
  }

  @Test func oldClientsAreAnsweredInKind() async throws {
    let feed = try Feed()
    let gateway = try await start(feed)
    let line = try Line(port: gateway.port)
    line.send("GET /health/live HTTP/1.0\r\n\r\n")
    let answer = line.all()
    #expect(answer.hasPrefix("HTTP/1.0 200"))
    #expect(answer.hasSuffix("\r\n\r\n{\"status\":\"live\"}"))
    #expect(!answer.lowercased().contains("chunked"))
    let kept = try Line(port: gateway.port)
    for _ in 0..<2 {
      kept.send("GET /health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      #expect(try kept.answer().head.lowercased().contains("connection: keep-alive"))
    }
    await gateway.drain()
    await gateway.end()
  }

  @Test func aRequestThatIsNeverWholeEndsTheConnection() async throws {
    let feed = try Feed()
    let gateway = try await start(feed) {
      $0.handshakeSeconds = 1
      $0.requestSeconds = 1
    }
    for beginning in [
      "", "GET /v1/quotes HTTP/1.1\r\nHos", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123",
    ] {
      let line = try Line(port: gateway.port)
      line.send(beginning)
      _ = line.all()  // returns only when the other side ends
    }
    await gateway.drain()
    await gateway.end()
  }

  @Test func drainingTellsThenEnds() async throws {
    let feed = try Feed()
    let gateway = try await start(feed) { $0.drainMilliseconds = 1_000 }
    feed.play(5_000, into: gateway)
    let (stream, kept) = (try Line(port: gateway.port), try Line(port: gateway.port))
    stream.send(Line.handshake)
    _ = try stream.answer()
    _ = try kept.get("/health/live")
    async let drained: Void = gateway.drain()
    var events: [[String: Any]] = []
    while !events.contains(where: { $0["type"] as? String == "move" }) { events += try stream.events() }
    let ready = try kept.get("/health/ready")
    #expect(ready.head.hasPrefix("HTTP/1.1 503"))
    #expect(ready.head.lowercased().contains("connection: close"))
    #expect(throws: Line.Ended.self) { _ = try Line(port: gateway.port).get("/health/live") }
    var closing = try stream.frame()
    while closing.opcode == 1 { closing = try stream.frame() }
    #expect(closing.opcode == 8)
    #expect(closing.data.prefix(2) == [0x03, 0xe9], "1001")
    await drained
    await gateway.end()
  }

  @Test func anAddressThatCannotBeBoundIsTold() async throws {
    let feed = try Feed()
    let gateway = try await start(feed)
    let taken = gateway.port
    await #expect(throws: GatewayError.self) { _ = try await start(feed) { $0.port = taken } }
    await gateway.drain()
    await gateway.end()
  }
}
