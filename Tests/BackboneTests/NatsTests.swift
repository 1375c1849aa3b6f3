// NatsBus against a real server: killed, frozen, brought back; wrong password, forbidden subject, TLS, slow consumer.

import Foundation
import Testing

@testable import Backbone

@Suite(.enabled(if: MessageServer.isThere, "nats-server is not installed"), .serialized) struct NatsTests {
  static func connected(_ settings: NatsSettings) async throws -> NatsBus {
    let bus = try NatsBus(settings)
    #expect(await eventually { bus.state.isConnected })
    return bus
  }

  @Test func subscriptionsOutliveTheServer() async throws {
    let server = try MessageServer()
    let sender = try await Self.connected(server.settings(name: "n1"))
    let receiver = try await Self.connected(server.settings(name: "n2"))
    defer {
      sender.close()
      receiver.close()
    }
    let (heard, subscription) = try await BusTests.hear("px.>", on: receiver, from: sender, probe: "px.a")
    server.kill()
    #expect(await eventually { !sender.state.isConnected && !receiver.state.isConnected })
    #expect(!sender.say("px.a", "while away"))
    #expect((sender.account.figures.first { $0.system == "px" }?.dropped ?? 0) > 0)
    try server.start()
    #expect(
      await eventually {
        sender.say("px.a", "again")
        return heard.all.contains("px.a=again")
      })
    #expect(!heard.all.contains("px.a=while away"))
    #expect(receiver.report.reconnects >= 1)
    withExtendedLifetime(subscription) {}
  }

  @Test func aServerMayComeLater() async throws {
    let port = try MessageServer.freePort()
    var settings = NatsSettings(
      rail: "a", servers: [NatsSettings.Server(host: "127.0.0.1", port: port)], name: "n1")
    settings.connectMilliseconds = 200
    let bus = try NatsBus(settings)
    defer { bus.close() }
    let heard = Heard()
    let subscription = try bus.subscribe("px.>", heard.handler)
    #expect(await eventually { if case .away = bus.state { true } else { false } })
    let server = try MessageServer(port: port)
    #expect(await eventually { bus.state.isConnected })
    let other = try await Self.connected(server.settings(name: "n2"))
    defer { other.close() }
    #expect(
      await eventually {
        other.say("px.a", "1")
        return heard.count > 0
      })
    withExtendedLifetime(subscription) {}
  }

  /// The rail's second server takes over, and nobody waits for the first: not even who publishes more than its
  /// socket takes.
  @Test func aFrozenServerIsLeftAndHoldsNobodyUp() async throws {
    let near = try MessageServer()
    let far = try MessageServer()
    let bus = try await Self.connected(near.settings(name: "n1", others: [far]))
    let listener = try await Self.connected(far.settings(name: "n2"))
    defer {
      near.thaw()
      bus.close()
      listener.close()
    }
    let heard = Heard()
    let subscription = try listener.subscribe("px.>", heard.handler)
    #expect(bus.state == .connected("127.0.0.1:\(near.port)"))
    near.freeze()
    let block = [UInt8](repeating: 1, count: 60_000)
    #expect(
      await eventually {
        for _ in 0..<50 { bus.publish("px.b", bytes: block) }
        bus.say("px.a", "1")
        return heard.all.contains("px.a=1")
      })
    #expect(bus.state == .connected("127.0.0.1:\(far.port)"))
    withExtendedLifetime(subscription) {}
  }

  /// A frozen server takes connections; only one that speaks is gone back to.
  @Test func theNearestServerIsGoneBackToWhenItSpeaks() async throws {
    let near = try MessageServer()
    let far = try MessageServer()
    var settings = near.settings(name: "n1", others: [far])
    settings.returnSeconds = 0.1
    let bus = try await Self.connected(settings)
    let listener = try await Self.connected(near.settings(name: "n2"))
    defer {
      near.thaw()
      bus.close()
      listener.close()
    }
    near.freeze()
    #expect(await eventually { bus.state == .connected("127.0.0.1:\(far.port)") })
    try await Task.sleep(nanoseconds: 600_000_000)
    #expect(bus.state == .connected("127.0.0.1:\(far.port)"))
    near.thaw()
    #expect(await eventually { bus.state == .connected("127.0.0.1:\(near.port)") })
    let heard = Heard()
    let subscription = try listener.subscribe("px.>", heard.handler)
    #expect(
      await eventually {
        bus.say("px.a", "1")
        return heard.count > 0
      })
    withExtendedLifetime(subscription) {}
  }

  @Test func whatTheSocketDoesNotTakeIsBounded() async throws {
    let server = try MessageServer()
    var settings = server.settings(name: "n1")
    settings.pingMilliseconds = 60_000
    settings.pendingBytes = 1 << 20
    let bus = try await Self.connected(settings)
    defer {
      server.thaw()
      bus.close()
    }
    server.freeze()
    let block = [UInt8](repeating: 1, count: 60_000)
    var sent = 0
    for _ in 0..<2_000 where bus.publish("px.b", bytes: block) { sent += 1 }
    #expect(sent < 2_000)
    #expect(bus.report.waitingBytes <= 1 << 20)
    #expect(bus.account.figures.first { $0.system == "px" }?.dropped == UInt64(2_000 - sent))
    #expect(bus.state.isConnected)
  }

  @Test func aSlowHandlerLosesAndIsCounted() async throws {
    let server = try MessageServer()
    let sender = try await Self.connected(server.settings(name: "n1"))
    var settings = server.settings(name: "n2")
    settings.subscriptionMessages = 100
    let receiver = try await Self.connected(settings)
    defer {
      sender.close()
      receiver.close()
    }
    let (quick, second) = try await BusTests.hear("px.last", on: receiver, from: sender, probe: "px.last")
    let heard = Heard()
    let gate = DispatchSemaphore(value: 0)
    let subscription = try receiver.subscribe("px.a") { message in
      if heard.count == 0 { gate.wait() }
      heard.handler(message)
    }
    #expect(
      await eventually {
        for number in 0..<1_000 { sender.say("px.a", "\(number)") }
        return (receiver.report.systems.reduce(0) { $0 + $1.lostIn }) > 0
      })
    gate.signal()
    sender.say("px.last", "end")
    #expect(await eventually { quick.all.contains("px.last=end") })
    #expect(receiver.report.fault?.contains("px.a") == true)
    withExtendedLifetime((subscription, second)) {}
  }

  static let users = """
    authorization {
      users = [
        { user: n1, password: right, permissions: { publish: ["px.*.n1.>", "beat.*.n1"], subscribe: [">"] } }
        { user: n2, password: other, permissions: { publish: ["px.*.n2.>"], subscribe: ["px.>"] } }
      ]
    }
    """

  @Test func aWrongPasswordIsSaidAndTriedOn() async throws {
    let server = try MessageServer(Self.users)
    var settings = server.settings(name: "n1")
    (settings.user, settings.password) = ("n1", "wrong")
    let bus = try NatsBus(settings)
    defer { bus.close() }
    #expect(await eventually { bus.state.description.contains("refused") })
    #expect(!bus.state.description.contains("wrong"))
    #expect(!bus.say("px.X.n1.all", "1"))
  }

  @Test func aForbiddenSubjectIsRefusedAndNamed() async throws {
    let server = try MessageServer(Self.users)
    var settings = server.settings(name: "n1")
    (settings.user, settings.password) = ("n1", "right")
    let bus = try await Self.connected(settings)
    (settings.user, settings.password) = ("n2", "other")
    let other = try await Self.connected(settings)
    defer {
      bus.close()
      other.close()
    }
    let (heard, subscription) = try await BusTests.hear(
      "px.>", on: other, from: bus, probe: "px.X.n1.all")
    bus.say("px.X.n2.all", "forged")
    #expect(await eventually { bus.report.fault?.contains("px.X.n2.all") == true })
    bus.say("px.X.n1.all", "own")
    #expect(await eventually { heard.all.contains("px.X.n1.all=own") })
    #expect(!heard.all.contains("px.X.n2.all=forged"))
    let none = try other.subscribe("beat.>", heard.handler)
    #expect(await eventually { other.report.fault?.contains("beat.>") == true })
    withExtendedLifetime((subscription, none)) {}
  }

  @Test func passwordsComeFromAFile() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("kabuto-\(UUID().uuidString)")
    try "# nodes\nn1 one\nn2 two words\nn3\n".write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    var settings = NatsSettings(rail: "a", servers: [], name: "n1")
    try settings.readPassword(of: "n2", from: file.path)
    #expect(settings.password == "two words")
    #expect(throws: BusError.self) { try settings.readPassword(of: "n3", from: file.path) }
    #expect(throws: BusError.self) { try settings.readPassword(of: "n4", from: file.path) }
    #expect(throws: BusError.self) { try settings.readPassword(of: "n1", from: file.path + "x") }
  }

  // MARK: - TLS

  static func openssl(_ words: String..., in folder: URL) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = words
    process.currentDirectoryURL = folder
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw BusError("openssl \(words.joined(separator: " "))") }
  }

  /// An authority `NAME.pem`, and with it a server's and a node's certificate.
  static func certificates(_ name: String, in folder: URL) throws {
    try openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-subj",
      "/CN=\(name)", "-keyout", "\(name).key", "-out", "\(name).pem", in: folder)
    for part in ["server", "node"] {
      try openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
        "/CN=127.0.0.1",
        "-keyout", "\(name)-\(part).key", "-out", "\(name)-\(part).csr", in: folder)
      try "subjectAltName=DNS:127.0.0.1,IP:127.0.0.1\n".write(
        to: folder.appendingPathComponent("names"), atomically: true, encoding: .utf8)
      try openssl(
        "x509", "-req", "-in", "\(name)-\(part).csr", "-CA", "\(name).pem", "-CAkey", "\(name).key",
        "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "\(name)-\(part).pem", in: folder)
    }
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
  func certificatesAreWantedOnBothSides() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "kabuto-tls-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Self.certificates("ours", in: folder)
    try Self.certificates("theirs", in: folder)
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    let server = try MessageServer(
      """
      tls {
        cert_file: "\(path("ours-server.pem"))"
        key_file: "\(path("ours-server.key"))"
        ca_file: "\(path("ours.pem"))"
        verify: true
      }
      """)
    var settings = server.settings(name: "n1")
    settings.tls = NatsSettings.TLS(
      authority: path("ours.pem"), certificate: path("ours-node.pem"), key: path("ours-node.key"))
    let first = try await Self.connected(settings)
    settings.name = "n2"
    let second = try await Self.connected(settings)
    defer {
      first.close()
      second.close()
    }
    let (heard, subscription) = try await BusTests.hear("px.>", on: second, from: first, probe: "px.a")
    // More than a socket takes at once, so that writes go in parts.
    let block = String(repeating: "y", count: 200_000)
    for number in 0..<200 {
      first.say("px.b", "\(number)" + block)
      if number % 10 == 9 { try await Task.sleep(nanoseconds: 3_000_000) }
    }
    #expect(await eventually { heard.all.filter { $0.hasPrefix("px.b=") }.count == 200 })
    #expect(first.report.reconnects == 0)

    // Another authority's certificate, none, and a server that isn't whom one trusts.
    settings.tls = NatsSettings.TLS(
      authority: path("ours.pem"), certificate: path("theirs-node.pem"), key: path("theirs-node.key"))
    let forger = try NatsBus(settings)
    settings.tls = NatsSettings.TLS(authority: path("theirs.pem"))
    let misled = try NatsBus(settings)
    settings.tls = nil
    let plain = try NatsBus(settings)
    defer {
      forger.close()
      misled.close()
      plain.close()
    }
    for bus in [forger, misled, plain] {
      #expect(
        await eventually {
          if case .away(let reason) = bus.state { reason != "not connected yet" } else { false }
        })
    }
    settings.tls = NatsSettings.TLS(authority: path("nothing.pem"))
    #expect(throws: BusError.self) { try NatsBus(settings) }
    withExtendedLifetime(subscription) {}
  }
}
