// The gateway's entry against everything: made-up HTTP and WebSocket bytes over real sockets, while a market plays.
// After each batch the server must answer as before, count no connection and no client, and hold none in memory.

import Distribution
import Foundation
import MarketData
import NIOCore
import Testing

@testable import Distribution
@testable import Gateway

@Suite("Entry Fuzz", .serialized) struct EntryFuzzTests {
  private final class Weak: @unchecked Sendable {
    // Looked at on one loop alone.
    weak var client: Client?
    init(_ client: Client) { self.client = client }
  }

  /// What there is of clients on all loops: those that are counted, seats taken, and which ones.
  private func clients(_ gateway: GatewayServer) async throws -> (counted: Int, seated: Int, all: [Weak]) {
    var (counted, seated) = (0, 0)
    var all: [Weak] = []
    for loop in gateway.loops {
      let found = try await loop.eventLoop.submit {
        (
          loop.distributor.clientCount, loop.distributor.seated.compactMap(\.self).count,
          loop.distributor.clients.values.map(Weak.init)
        )
      }.get()
      counted += found.0
      seated += found.1
      all += found.2
    }
    return (counted, seated, all)
  }

  private func until(_ what: () async throws -> Bool) async rethrows -> Bool {
    for _ in 0..<3_000 {
      if try await what() { return true }
      usleep(5_000)
    }
    return false
  }

  /// Sends one conversation, takes some of what comes, and goes: in good order, by half, or with a reset.
  private func talk(_ bytes: [UInt8], _ traffic: inout MadeUpTraffic, _ port: Int) throws -> Line {
    let line = try Line(port: port, window: traffic.random.chance(20) ? 4_096 : nil)
    for piece in traffic.pieces(bytes) {
      line.offer(piece)
      if traffic.random.chance(5) { line.drain() }
    }
    if traffic.random.chance(60) { line.drain() }
    if traffic.random.chance(30) { line.shutDown() }
    if traffic.random.chance(30) { line.reset() }
    return line
  }

  @Test func whateverIsSentTheServerGoesOnAndForgetsWhoIsGone() async throws {
    let feed = try Feed()
    let gateway = try await start(feed) {
      $0.loops = 2
      $0.messageBytes = 16_384
      $0.headBytes = 16_384
      $0.handshakeSeconds = 2
      $0.requestSeconds = 2
      $0.client.messagesPerSecond = 5
    }
    feed.play(3_000, into: gateway)
    let watch = try Line(port: gateway.port)
    let wanted = try watch.get("/v1/instruments").json["instruments"] as? [[String: Any]]
    #expect(wanted?.count ?? 0 > 0)
    var seen: [Weak] = []
    var statuses: Set<Substring> = []
    let old = cases("Entry")
    await fuzz(rounds: 60) { round in
      do {
        var traffic = MadeUpTraffic(random: generator("entry", round: round))
        var lines: [Line] = []
        for number in 0..<12 {
          let bytes = round == 0 && number < old.count ? old[number].bytes : traffic.conversation()
          lines.append(try talk(bytes, &traffic, gateway.port))
        }
        feed.play(20, into: gateway)
        seen += try await clients(gateway).all
        for line in lines {
          line.drain()
          if line.rest.count > 12, line.rest.starts(with: Array("HTTP/1.".utf8)) {
            statuses.insert(Substring(decoding: line.rest[9..<12], as: UTF8.self))
          }
        }
        lines = []
        // As before: the same connection, and a new one.
        let note: Comment = "\(seedNote) round \(round)"
        #expect(try watch.get("/health/live").json["status"] as? String == "live", note)
        let fresh =
          try Line(port: gateway.port).get("/v1/instruments").json["instruments"] as? [[String: Any]]
        #expect(fresh?.count == wanted?.count, note)
        // All are gone but the watching one.
        let isEmpty = try await until {
          let now = try await clients(gateway)
          return gateway.router.ledger.counts.open == 1 && now.counted == 0 && now.seated == 0
        }
        let now = try await clients(gateway)
        #expect(
          isEmpty, "\(note): \(gateway.router.ledger.counts.open - 1) connections, \(now.counted) clients")
      } catch {
        Issue.record("\(seedNote) round \(round): \(error)")
      }
    }
    let isFreed = await until { seen.allSatisfy { $0.client == nil } }
    #expect(
      isFreed,
      "\(seedNote): \(seen.filter { $0.client != nil }.count) of \(seen.count) clients are still held")
    // The test itself: it came as far as streams, and saw answers of several kinds.
    #expect(
      seen.count > 10 && statuses.isSuperset(of: ["101", "200", "400"]), "\(seen.count) clients, \(statuses)")
    #expect(gateway.router.limits.heldBytes == 0)
    await gateway.drain()
    await gateway.end()
  }
}
