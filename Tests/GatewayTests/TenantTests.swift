// What tenants use is counted where it is sent, and by whom it was asked for.

import Foundation
import Testing

@testable import Gateway

@Suite(.serialized) struct TenantTests {
  @Test func requestsAndStreamsCountForWhoTheySayTheyAre() async throws {
    let feed = try Feed()
    let gateway = try await start(feed) { $0.tenants = ["t1", "t2"] }
    feed.play(3_000, into: gateway)
    let line = try Line(port: gateway.port)
    for _ in 0..<500 where try !line.get("/health/ready").head.hasPrefix("HTTP/1.1 200") { usleep(10_000) }
    func used(_ tenant: String) async throws -> TenantUsage {
      try #require(await gateway.usage().first { $0.tenant == tenant })
    }
    let before = try await used("")
    #expect(before.requests > 0)
    let quotes = try line.get("/v1/quotes?limit=5&tenant=t1")
    #expect(quotes.head.hasPrefix("HTTP/1.1 200"))
    let first = try await used("t1")
    #expect(first.requests == 1 && first.streams == 0 && first.messages == 0 && first.bytes > 100)
    #expect(try await used("").since(before).isNothing)
    // The next request of a connection is its own sender's.
    _ = try line.get("/v1/quotes?limit=1")
    #expect(try await used("").requests == before.requests + 1)
    #expect(try await used("t1").requests == 1)
    // The field of whoever stands before the gateway wins.
    line.send("GET /v1/quotes?limit=1&tenant=t1 HTTP/1.1\r\nHost: x\r\nKabuto-Tenant: t2\r\n\r\n")
    #expect(try line.answer().head.hasPrefix("HTTP/1.1 200"))
    #expect(try await used("t2").requests == 1)
    let nobody = try line.get("/v1/quotes?tenant=t3")
    #expect(nobody.head.hasPrefix("HTTP/1.1 400"))
    #expect(nobody.json["type"] as? String == "/problems/unknown-tenant")

    let stream = try Line(port: gateway.port)
    stream.send(Line.handshake.replacing("/v1/stream", with: "/v1/stream?tenant=t2"))
    #expect(try stream.answer().head.hasPrefix("HTTP/1.1 101"))
    stream.send(Line.frame(1, #"{"op":"ping","id":"a"}"#))
    let pong = try stream.frame()
    usleep(20_000)
    let second = try await used("t2")
    #expect(second.requests == 1 && second.streams == 1 && second.messages == 1)
    #expect(second.streamMilliseconds > 0)
    #expect(second.bytes >= UInt64(pong.data.count + 2))
    stream.shutDown()
    for _ in 0..<500 where await gateway.clientCount() > 0 { usleep(10_000) }
    let ended = try await used("t2").streamMilliseconds
    usleep(20_000)
    #expect(try await used("t2").streamMilliseconds == ended, "time ends with the stream")
    let metrics = try #require(String(bytes: metricsBody(gateway), encoding: .utf8))
    #expect(metrics.contains("kabuto_tenant_streams_total{tenant=\"t2\"} 1"))
    await gateway.drain()
    await gateway.end()
  }

  private func metricsBody(_ gateway: GatewayServer) throws -> [UInt8] {
    let line = try Line(port: gateway.port)
    line.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    return try line.answer().body
  }

  /// Without tenants nobody is asked who they are.
  @Test func withoutTenantsANameIsNotLookedAt() async throws {
    let feed = try Feed()
    let gateway = try await start(feed)
    let line = try Line(port: gateway.port)
    #expect(try line.get("/health/live?tenant=t1").head.hasPrefix("HTTP/1.1 200"))
    #expect(await gateway.usage().map(\.tenant) == [""])
    await gateway.drain()
    await gateway.end()
  }

  @Test func timeOfStreamsIsCountedWhileTheyAreOpen() {
    let meter = TenantMeter("t")
    meter.streamBegins(at: 1_000)
    meter.streamBegins(at: 1_500)
    meter.streamEnds(at: 2_000)
    #expect(meter.figures(at: 2_100).streamMilliseconds == 500 + 1_000 + 100)
    meter.streamEnds(at: 2_200)
    #expect(meter.figures(at: 9_000).streamMilliseconds == 1_700)
    #expect(meter.figures(at: 9_000).streams == 2)
  }
}
