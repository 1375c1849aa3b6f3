// Two sites with a message server a rail each, joined by gateways: what crosses between them is counted by the servers.
// The site without a plant takes one stream over one rail, whatever plants and rails there are, also for two gateways;
// of a market that is taken by instrument only what is wanted crosses; and a rail that is lost costs nothing.

import Continuity
import FeedHandler
import Foundation
import MarketData
import Testing
import TickerPlant

@testable import Backbone

/// A rail: a server at each of the two sites, joined.
struct JoinedRail {
  let near: MessageServer
  let far: MessageServer
  private let monitor: Int

  init() throws {
    let (nearPort, farPort) = (try MessageServer.freePort(), try MessageServer.freePort())
    monitor = try MessageServer.freePort()
    func gateway(_ name: String, _ port: Int, _ other: String, _ otherPort: Int) -> String {
      "gateway { name: \"\(name)\", listen: \"127.0.0.1:\(port)\", gateways: [ "
        + "{ name: \"\(other)\", url: \"nats://127.0.0.1:\(otherPort)\" } ] }\n"
    }
    far = try MessageServer("http: \"127.0.0.1:\(monitor)\"\n" + gateway("osaka", farPort, "tokyo", nearPort))
    near = try MessageServer(gateway("tokyo", nearPort, "osaka", farPort))
  }

  /// Bytes of messages that the far site's server has sent to the near one; nil while they aren't joined.
  var crossedBytes: Int? {
    guard let text = Self.get("/gatewayz", monitor), let data = text.data(using: .utf8),
      let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any],
      let outbound = object["outbound_gateways"] as? [String: Any],
      let near = outbound["tokyo"] as? [String: Any],
      let connection = near["connection"] as? [String: Any]
    else { return nil }
    return (connection["out_bytes"] as? NSNumber)?.intValue
  }

  private static func get(_ path: String, _ port: Int) -> String? {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let isOpen = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isOpen else { return nil }
    let request = Array("GET \(path) HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8)
    guard write(socket, request, request.count) == request.count else { return nil }
    var bytes: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 64 << 10)
    while case let count = read(socket, &room, room.count), count > 0 { bytes += room[..<count] }
    let text = String(decoding: bytes, as: UTF8.self)
    return text.range(of: "\r\n\r\n").map { String(text[$0.upperBound...]) }
  }
}

@Suite(.serialized, .enabled(if: MessageServer.isThere, "nats-server is not installed")) struct SitesTests {
  /// Two plants far away, two gateways here, two rails between.
  final class Sites {
    let rails: [JoinedRail]
    let plants: [TestPlant]
    let receivers: [StreamReceiver]
    let rings: [UpdateRing]
    let views: [MarketView]
    private let users: [[NatsBus]]

    init(_ day: DayFile, isSelective: Bool = false) async throws {
      let rails = [try JoinedRail(), try JoinedRail()]
      self.rails = rails
      // p1, p2 there; g1, g2 here: of each a bus a rail.
      let users = try (0..<4).map { user in
        try rails.enumerated().map { number, rail in
          try NatsBus(
            (user < 2 ? rail.far : rail.near).settings(rail: number == 0 ? "a" : "b", name: "n\(user)"))
        }
      }
      self.users = users
      let all = users.joined()
      #expect(
        await eventually {
          rails.allSatisfy { $0.crossedBytes != nil } && all.allSatisfy { $0.state.isConnected }
        })
      // A day in some seconds, so that gateways are there before most of it.
      plants = try (0..<2).map {
        try TestPlant("p\($0 + 1)", "itch:\(day.path)?speed=6000", buses: users[$0], hasDirect: $0 == 0)
      }
      rings = (0..<2).map { _ in UpdateRing(capacity: 256 << 20) {} }
      views = (0..<2).map { _ in MarketView() }
      for view in views { view.isSelective = isSelective }
      receivers = zip(users[2...], rings).enumerated().map { number, gateway in
        StreamReceiver(
          StreamReceiver.Configuration(
            market: "XTKS", node: "g\(number + 1)",
            candidates: ["p1", "p2"].map {
              StreamReceiver.Candidate(node: $0, site: "osaka", zone: "o", nearness: .otherSite)
            }, streams: 2, configuration: 7, isSelective: isSelective),
          buses: gateway.0, outlets: StreamReceiver.Outlets(rings: [gateway.1], tag: 0))
      }
    }

    func start() throws {
      for receiver in receivers { try receiver.start() }
      for plant in plants { try plant.start() }
    }

    func drain() { for (view, ring) in zip(views, rings) { view.drain(ring) } }

    var crossedBytes: Int { rails.reduce(0) { $0 + ($1.crossedBytes ?? 0) } }

    /// Bytes that came in a system to a gateway, over all rails.
    func bytes(_ gateway: Int, _ system: BusSystem) -> UInt64 {
      users[2 + gateway].reduce(0) { sum, bus in
        sum + (bus.report.systems.first { $0.system == system.name }?.bytesIn ?? 0)
      }
    }

    func close() {
      for receiver in receivers { receiver.stop() }
      for plant in plants { plant.stop() }
      for bus in users.joined() { bus.close() }
    }
  }

  /// All that a plant has said has come to both.
  private func end(_ sites: Sites) async -> MarketView {
    let wanted = MarketView()
    #expect(
      await eventually(seconds: 90) {
        wanted.drain(sites.plants[0].direct)
        sites.drain()
        return sites.plants.allSatisfy { $0.feed.hasEnded }
      })
    wanted.drain(sites.plants[0].direct)
    return wanted
  }

  /// The longest time without a new message at the first gateway that begins within the next 0.4 s, nanoseconds. For
  /// people: nothing is decided by it.
  private func standstill(_ sites: Sites) async -> UInt64 {
    let begin = Clock.monotonic()
    var (at, sequence, longest) = (begin, sites.views[0].sequence, UInt64(0))
    while at < begin + 400_000_000, Clock.monotonic() < begin + 3_000_000_000 {
      sites.drain()
      let now = Clock.monotonic()
      if sites.views[0].sequence > sequence {
        longest = max(longest, now - at)
        (at, sequence) = (now, sites.views[0].sequence)
      }
      try? await Task.sleep(nanoseconds: 2_000_000)
    }
    return longest
  }

  @Test func aValueCrossesOnceForAllGatewaysOfTheSite() async throws {
    let day = try DayFile(seed: 11, instruments: 40, messages: 150_000)
    let sites = try await Sites(day)
    defer { sites.close() }
    let before = sites.crossedBytes
    try sites.start()
    let wanted = await end(sites)
    for view in sites.views {
      #expect(
        await eventually(seconds: 30) {
          sites.drain()
          return view.state == .ended && view.sequence == wanted.sequence
        })
      #expect(view.difference(from: wanted) == nil)
      #expect(view.faults.isEmpty)
    }
    for receiver in sites.receivers {
      // A busy machine may have them change over for some seconds.
      #expect(
        await eventually(seconds: 30) {
          let used = receiver.paths.filter(\.isUsed)
          return used.map(\.node) == ["p1"] && used.map(\.rail) == ["a"]
            && receiver.paths.filter { !$0.isUsed }.allSatisfy { $0.reasonKey == "one-crosses" }
        })
    }
    let crossed = sites.crossedBytes - before
    let published = Int(sites.plants[0].publisher.report.counters.bytes)
    // Beside the prices: beats of both plants on both rails, answers, and a first message of each subject that nobody
    // here hears, after which the server says so.
    let others = (0..<2).reduce(UInt64(0)) {
      $0 + sites.bytes($1, .answer) + sites.bytes($1, .beat)
    }
    let note: Comment = "crossed \(crossed), published \(published), beats and answers \(others)"
    print("SitesTests: \(note)")
    #expect(crossed >= published / 2, note)
    // Each change over is a second of both; every rail of every plant would be four times as much.
    #expect(crossed <= published + published / 2 + Int(others) + 300_000, note)
    for gateway in 0..<2 { #expect(Int(sites.bytes(gateway, .px)) <= published + published / 2, note) }
  }

  @Test func aRailBetweenTheSitesThatIsLostCostsNothing() async throws {
    let day = try DayFile(seed: 12, instruments: 20, messages: 60_000)
    let sites = try await Sites(day)
    defer { sites.close() }
    try sites.start()
    #expect(
      await eventually {
        sites.drain()
        return sites.views.allSatisfy { $0.sequence > 5_000 }
      })
    sites.rails[0].near.kill()
    print("SitesTests: stood still for \(await standstill(sites) / 1_000_000) ms when a rail was lost")
    let wanted = await end(sites)
    for (view, receiver) in zip(sites.views, sites.receivers) {
      #expect(
        await eventually(seconds: 30) {
          sites.drain()
          return view.state == .ended && view.sequence == wanted.sequence
        })
      #expect(view.difference(from: wanted) == nil)
      #expect(view.faults.isEmpty)
      #expect(await eventually { receiver.paths.filter(\.isUsed).map(\.rail) == ["b"] })
    }
  }

  @Test func onlyWhatIsWantedCrosses() async throws {
    let day = try DayFile(seed: 13, instruments: 60, messages: 150_000)
    let sites = try await Sites(day, isSelective: true)
    defer { sites.close() }
    let before = sites.crossedBytes
    try sites.start()
    #expect(
      await eventually {
        sites.drain()
        return sites.views.allSatisfy { $0.unheard.count == 60 }
      })
    let codes = sites.views[0].unheard.sorted { $0.description < $1.description }
    sites.receivers[0].setWanted([codes[3]])
    sites.receivers[1].setWanted([codes[3], codes[7]])
    let wanted = await end(sites)
    for (view, chosen) in zip(sites.views, [[codes[3]], [codes[3], codes[7]]]) {
      #expect(
        await eventually(seconds: 30) {
          sites.drain()
          return chosen.allSatisfy { view.instruments[$0] == wanted.instruments[$0] }
        })
      #expect(view.unheard == Set(codes).subtracting(chosen))
      #expect(view.faults.isEmpty)
    }
    let crossed = sites.crossedBytes - before
    let counters = sites.plants.map(\.publisher.report.counters)
    // The other plant's too, where they changed over for a while.
    let (single, whole) = (
      Int(counters[0].instrumentBytes + counters[1].instrumentBytes), Int(counters[0].bytes)
    )
    let others = (0..<2).reduce(UInt64(0)) {
      $0 + sites.bytes($1, .answer) + sites.bytes($1, .beat)
    }
    let note: Comment = "crossed \(crossed), wanted \(single), whole market \(whole), others \(others)"
    print("SitesTests: \(note)")
    #expect(single > 0, note)
    #expect(crossed <= single + Int(others) + 300_000 && crossed < whole / 2, note)
    // Nobody wants it any more: nothing of it is published after the lease.
    for receiver in sites.receivers { receiver.setWanted([]) }
    #expect(await eventually(seconds: 20) { sites.plants.allSatisfy { $0.publisher.report.wanted == 0 } })
    #expect(
      await eventually {
        sites.drain()
        return sites.views.allSatisfy { $0.unheard.count == 60 }
      })
  }
}
