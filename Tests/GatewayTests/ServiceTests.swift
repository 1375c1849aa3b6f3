// Leaving service and coming back, where else the same is served, and the paths and the estate as they are shown.

import Distribution
import Foundation
import Logging
import Testing

@testable import Gateway

@Suite(.serialized) struct ServiceTests {
  private func refused(_ gateway: GatewayServer) throws -> (head: String, json: [String: Any]) {
    let line = try Line(port: gateway.port)
    line.send(Line.handshake)
    let (head, body) = try line.answer()
    let object = head.hasPrefix("HTTP/1.1 101") ? [:] : try JSONSerialization.jsonObject(with: Data(body))
    return (head, object as? [String: Any] ?? [:])
  }

  private func stream(_ gateway: GatewayServer, query: String = "") throws -> Line {
    let line = try Line(port: gateway.port)
    line.send(Line.handshake.replacing("/v1/stream", with: "/v1/stream\(query)"))
    #expect(try line.answer().head.hasPrefix("HTTP/1.1 101"))
    return line
  }

  @Test func outOfServiceRefusesNewStreamsAndMovesTheOthersAndCanBeTakenBack() async throws {
    let feed = try Feed()
    let gateway = try await start(feed) {
      $0.drainMilliseconds = 600_000
      $0.node = "gw-1"
      $0.endpoints = [
        GatewayEndpoint(url: "http://10.0.0.1:8080", node: "gw-1", zone: "tky-a", site: "tokyo"),
        GatewayEndpoint(url: "http://10.0.0.2:8080", node: "gw-2", zone: "tky-b", site: "tokyo"),
      ]
    }
    feed.play(5_000, into: gateway)
    let kept = try Line(port: gateway.port)
    for _ in 0..<500 where try !kept.get("/health/ready").head.hasPrefix("HTTP/1.1 200") { usleep(10_000) }
    let client = try stream(gateway)
    gateway.leaveService(reason: "lag 900 ms")
    let move = try #require(try client.events().first)
    #expect(move["type"] as? String == "move")
    #expect(move["reason"] as? String == "lag 900 ms")
    let named = try #require(move["endpoints"] as? [[String: Any]])
    #expect(named.map { $0["node"] as? String } == ["gw-2"], "itself is not elsewhere")
    let ready = try kept.get("/health/ready")
    #expect(ready.head.hasPrefix("HTTP/1.1 503"))
    #expect(ready.json["reasons"] as? [String] == ["out of service: lag 900 ms"])
    let answer = try refused(gateway)
    #expect(answer.head.hasPrefix("HTTP/1.1 503"))
    #expect(answer.head.contains("Retry-After: 2"))
    #expect(answer.json["type"] as? String == "/problems/out-of-service")
    #expect(
      (answer.json["endpoints"] as? [[String: Any]])?.first?["url"] as? String == "http://10.0.0.2:8080")
    let status = try kept.get("/v1/status").json
    #expect((status["service"] as? [String: Any])?["state"] as? String == "out")
    #expect(status["node"] as? String == "gw-1")
    // REST goes on, and who is still here is served until the end of the wait.
    #expect(try kept.get("/v1/quotes?limit=1").head.hasPrefix("HTTP/1.1 200"))
    client.send(Line.frame(1, #"{"op":"ping","id":"a"}"#))
    #expect(try client.events().first?["id"] as? String == "a")
    gateway.returnToService()
    #expect(try kept.get("/health/ready").head.hasPrefix("HTTP/1.1 200"))
    #expect(try refused(gateway).head.hasPrefix("HTTP/1.1 101"))
    #expect(gateway.service == .inService)
    client.reset()
    await gateway.end()
  }

  @Test func whoStaysIsClosedAtTheEndOfTheWaitUnlessTheGatewayIsBack() async throws {
    let feed = try Feed()
    let gateway = try await start(feed) { $0.drainMilliseconds = 200 }
    let stays = try stream(gateway)
    gateway.leaveService(reason: "a")
    gateway.returnToService()
    usleep(400_000)
    stays.send(Line.frame(1, #"{"op":"ping","id":"still"}"#))
    var events = try stays.events()
    while events.first?["type"] as? String != "pong" { events = try stays.events() }
    gateway.leaveService(reason: "b")
    gateway.leaveService(reason: "another reason moves nobody again")
    var frame = try stays.frame()
    var moves = 0
    while frame.opcode == 1 {
      moves += String(decoding: frame.data, as: UTF8.self).contains("\"move\"") ? 1 : 0
      frame = try stays.frame()
    }
    #expect(moves == 1)
    #expect(frame.opcode == 8)
    #expect(frame.data.prefix(2) == [0x03, 0xe9], "1001")
    await gateway.drain()
    await gateway.end()
  }

  @Test func endpointsAreListedAndTheyAloneMayBeConnectedTo() async throws {
    let feed = try Feed()
    let gateway = try await start(feed) {
      $0.node = "gw-1"
      $0.zone = "tky-a"
      $0.site = "tokyo"
      $0.allowedOrigins = ["https://broker.example"]
      $0.endpoints = [
        GatewayEndpoint(url: "http://10.0.0.1:8080", node: "gw-1", zone: "tky-a", site: "tokyo"),
        GatewayEndpoint(url: "https://10.0.0.2:8443", node: "gw-2", zone: "tky-b", site: "tokyo"),
        GatewayEndpoint(url: "http://10.1.0.1:8080", node: "gw-3", zone: "osk-a", site: "osaka"),
      ]
      $0.viewerDirectory = Self.viewer
    }
    let line = try Line(port: gateway.port)
    let list = try #require(try line.get("/v1/endpoints").json["endpoints"] as? [[String: Any]])
    #expect(list.map { $0["nearness"] as? String } == ["same zone", "same site", "other site"])
    #expect(list.map { $0["self"] as? Bool } == [true, false, false])
    #expect(list.map { $0["order"] as? Int } == [0, 1, 2])
    #expect(list[1]["stream"] as? String == "wss://10.0.0.2:8443/v1/stream")
    for page in ["/", "/estate"] {
      line.send("GET \(page) HTTP/1.1\r\nHost: x\r\n\r\n")
      let head = try line.answer().head
      #expect(head.hasPrefix("HTTP/1.1 200"))
      #expect(
        head.contains(
          "connect-src 'self' http://10.0.0.1:8080 ws://10.0.0.1:8080 https://10.0.0.2:8443 wss://10.0.0.2:8443 http://10.1.0.1:8080 ws://10.1.0.1:8080;"
        ))
    }
    for (origin, allowed) in [
      ("https://broker.example", true), ("http://10.1.0.1:8080", true), ("http://10.9.0.1", false),
    ] {
      line.send("GET /v1/endpoints HTTP/1.1\r\nHost: x\r\nOrigin: \(origin)\r\n\r\n")
      #expect(try line.answer().head.contains("Access-Control-Allow-Origin: \(origin)\r\n") == allowed)
    }
    await gateway.drain()
    await gateway.end()
  }

  static let viewer = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Sources/Gateway/Viewer").path

  @Test func heartbeatsComeAtThePeriodAskedForAndABadOneIsTold() async throws {
    let feed = try Feed()
    let gateway = try await start(feed)
    let client = try stream(gateway, query: "?heartbeat=50")
    for _ in 0..<5 { #expect(try client.events().first?["type"] as? String == "heartbeat") }
    for bad in ["49", "60001", "x", ""] {
      let line = try Line(port: gateway.port)
      line.send(Line.handshake.replacing("/v1/stream", with: "/v1/stream?heartbeat=\(bad)"))
      #expect(try line.answer().head.hasPrefix("HTTP/1.1 400"))
      let events = try Line(port: gateway.port)
      #expect(
        try events.get("/v1/events?channel=quotes&instruments=*&heartbeat=\(bad)").head.hasPrefix(
          "HTTP/1.1 400"))
    }
    await gateway.drain()
    await gateway.end()
  }

  static let path = PathReport(
    market: "XTKS", stream: "plant-1", rail: "a", site: "tokyo", zone: "tky-a", nearness: .sameZone,
    state: "live",
    through: 4711, lagNanoseconds: 1_500_000, heardNanoseconds: 80_000_000, isUsed: true,
    why: "the nearest stream that is well")

  static var rail: RailReport {
    var prices = RailReport.System(system: "px")
    (prices.messagesOut, prices.bytesOut, prices.overBudget) = (7, 900, 3)
    (prices.budget, prices.exceeds) = (500, true)
    var nodes = RailReport.System(system: "node")
    (nodes.messagesIn, nodes.bytesIn) = (2, 70)
    return RailReport(
      rail: "a", state: "connected to 10.0.0.1:4222", isConnected: true, systems: [prices, nodes])
  }

  @Test func pathsAndRailsAreShownInStatusAndMetrics() async throws {
    let feed = try Feed()
    var configuration = GatewayConfiguration()
    configuration.port = 0
    configuration.drainMilliseconds = 300
    let gateway = try await GatewayServer.start(
      configuration, markets: [feed.description], store: nil, log: .init(label: "test"),
      paths: { [Self.path] }, rails: { [Self.rail] }, sources: { [] })
    let line = try Line(port: gateway.port)
    let status = try line.get("/v1/status").json
    let rails = try #require(status["rails"] as? [[String: Any]])
    #expect(rails.count == 1 && rails[0]["rail"] as? String == "a" && rails[0]["fault"] is NSNull)
    let systems = try #require(rails[0]["systems"] as? [[String: Any]])
    #expect(systems.map { $0["system"] as? String } == ["px", "node"])
    #expect(systems[0]["bytes_out"] as? Int == 900 && systems[0]["budget"] as? Int == 500)
    #expect(systems[0]["exceeds"] as? Bool == true && systems[1]["budget"] is NSNull)
    let paths = try #require(status["paths"] as? [[String: Any]])
    let data = try JSONSerialization.data(withJSONObject: paths)
    #expect(try JSONDecoder().decode([PathReport].self, from: data) == [Self.path])
    line.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    let metrics = String(decoding: try line.answer().body, as: UTF8.self)
    #expect(
      metrics.contains(
        "kabuto_path_used{market=\"XTKS\",nearness=\"same zone\",rail=\"a\",stream=\"plant-1\"} 1\n"))
    #expect(metrics.contains("kabuto_in_service 1\n"))
    for line in [
      "kabuto_bus_bytes_total{direction=\"out\",rail=\"a\",system=\"px\"} 900",
      "kabuto_bus_bytes_total{direction=\"in\",rail=\"a\",system=\"node\"} 70",
      "kabuto_bus_over_budget_total{rail=\"a\",system=\"px\"} 3",
      "kabuto_bus_budget_bytes{rail=\"a\",system=\"px\"} 500", "kabuto_bus_connected{rail=\"a\"} 1",
    ] {
      #expect(metrics.contains(line + "\n"), "\(line)")
    }
    #expect(!metrics.contains("kabuto_bus_budget_bytes{rail=\"a\",system=\"node\"}"))
    let none = try line.get("/v1/estate")
    #expect(none.head.hasPrefix("HTTP/1.1 404"))
    await gateway.drain()
    await gateway.end()
  }

  @Test func theEstateIsServedAsThePageReadsIt() async throws {
    let sample = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Browser/estate.json")
    let view = try JSONDecoder().decode(EstateView.self, from: try Data(contentsOf: sample))
    let feed = try Feed()
    var configuration = GatewayConfiguration()
    configuration.port = 0
    configuration.drainMilliseconds = 300
    let gateway = try await GatewayServer.start(
      configuration, markets: [feed.description], store: nil, log: .init(label: "test"), estate: { view },
      sources: { [] })
    let line = try Line(port: gateway.port)
    let data = try JSONSerialization.data(withJSONObject: try line.get("/v1/estate").json)
    #expect(try JSONDecoder().decode(EstateView.self, from: data) == view)
    await gateway.drain()
    await gateway.end()
  }

  @Test func theEstateIsWrittenAsItIsRead() throws {
    let view = EstateView(
      estate: "two-zones", version: 3, node: "gw-1",
      sites: [.init(name: "tokyo", kind: "datacenter", zones: ["tky-a", "tky-b"])],
      nodes: [
        .init(
          name: "gw-1", site: "tokyo", zone: "tky-a", roles: ["gateway"], state: "ready", heardNanoseconds: 5,
          clients: 2, version: 3, paths: [Self.path])
      ],
      failures: [
        .init(
          kind: "zone", name: "tky-a", severity: .degraded, summary: "s",
          effects: [.init(what: "XTKS", severity: .none, text: "t")])
      ])
    let data = try JSONEncoder().encode(view)
    #expect(try JSONDecoder().decode(EstateView.self, from: data) == view)
    #expect(String(decoding: data, as: UTF8.self).contains("\"heard_ns\":5"))
  }
}
