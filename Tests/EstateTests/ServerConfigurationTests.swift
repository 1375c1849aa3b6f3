// Configurations of message servers: who may say what, what joins what, and that the real server takes them.

import Foundation
import Testing

@testable import Estate

@Suite struct ServerConfigurationTests {
  private static func credentials(_ estate: Estate) -> EstateCredentials {
    var credentials = EstateCredentials()
    for name in EstateCredentials.names(of: estate) { credentials.passwords[name] = "pw-\"\\/@:\(name)" }
    return credentials
  }

  private static func text(_ server: String, _ estate: Estate) throws -> String {
    try ServerConfiguration.text(
      of: server, in: estate, credentials: credentials(estate), streams: "js/\(server)")
  }

  @Test func sitesAreJoinedByGatewaysOrLeafNodes() throws {
    var estate = try example("two-sites")
    let tokyo = try Self.text("nats-tky-a", estate)
    #expect(
      tokyo.contains("server_name: \"nats-tky-a\"\nlisten: \"10.1.1.10:4222\"\nhttp: \"127.0.0.1:8222\"\n"))
    #expect(tokyo.contains("name: \"a-tokyo\"\n  listen: \"10.1.1.10:7222\""))
    #expect(
      tokyo.contains("{name: \"a-osaka\", urls: [\"nats://a:pw-%22%5C%2F%40%3Arail%2Fa@10.2.1.10:7222\"]}"))
    #expect(tokyo.contains("password: \"pw-\\\"\\\\/@:rail/a\""))
    // The keeper of the rail is a leaf of it, and only it keeps streams.
    #expect(tokyo.contains("leafnodes {\n  listen: \"10.1.1.10:7422\"") && !tokyo.contains("jetstream"))
    let keeper = try Self.text("keep-tky", estate)
    #expect(keeper.contains("jetstream {\n  store_dir: \"js/keep-tky\"\n  domain: \"a\"\n}"))
    #expect(
      keeper.contains("@10.1.1.10:7422\"]") && !keeper.contains("gateway {") && !keeper.contains("cluster {"))
    // An account with a name: in the one without, the server lets in whoever gives no password.
    #expect(tokyo.contains("  KABUTO {\n    users: [\n") && tokyo.contains("account: KABUTO"))
    #expect(keeper.contains("    jetstream: enabled\n"))
    // Nothing of the other rail.
    #expect(!tokyo.contains("10.1.2.10") && !tokyo.contains("10.2.2.10") && !tokyo.contains("rail/b"))
    // Rail b has no keeper in Tokyo.
    #expect(!(try Self.text("nats-tky-b", estate)).contains("leafnodes"))

    estate.backbone?.betweenSites = .leafnodes
    let hub = try Self.text("nats-tky-b", estate)
    #expect(hub.contains("leafnodes {\n  listen: \"10.1.2.10:7422\"") && !hub.contains("gateway {"))
    let leaf = try Self.text("nats-osk-a", estate)
    #expect(leaf.contains("remotes: [") && leaf.contains("@10.1.1.10:7422\"]") && !leaf.contains("gateway {"))
  }

  @Test func serversOfOneSiteAreACluster() throws {
    var estate = try example("two-sites")
    var second = BackboneDescription.Server(
      name: "nats-tky-a2", zone: "tky-b", rail: "a", address: "10.1.2.12")
    second.clusterPort = 6333
    estate.backbone?.servers.append(second)
    let first = try Self.text("nats-tky-a", estate)
    #expect(first.contains("  listen: \"10.1.1.10:6222\"") && first.contains("@10.1.2.12:6333\"]"))
    #expect(try Self.text("nats-osk-a", estate).contains("@10.1.1.10:7222\", \"nats://"))
    // One alone, without credentials: neither cluster nor users.
    let alone = try ServerConfiguration.text(
      of: "nats-tky-a", in: example("two-zones"), credentials: nil, streams: "js")
    #expect(alone.contains("http: \"127.0.1.10:8222\"") && alone.contains("domain: \"a\""))
    for word in ["cluster", "gateway", "leafnodes", "authorization", "tls"] { #expect(!alone.contains(word)) }
  }

  @Test func certificatesAreAskedForEverywhere() throws {
    var estate = try example("two-sites")
    estate.backbone?.certificateAuthority = "tls/ca.pem"
    estate.backbone?.certificate = "tls/{node}.pem"
    estate.backbone?.key = "tls/{node}.key"
    let text = try Self.text("nats-tky-a", estate)
    // For nodes, for gateways, for leaf nodes.
    #expect(text.components(separatedBy: "cert_file: \"tls/nats-tky-a.pem\"").count == 4)
    #expect(text.components(separatedBy: "verify: true").count == 4)
  }

  @Test func whatCanNotBeMadeIsSaid() throws {
    let estate = try example("two-sites")
    #expect(throws: ServerConfiguration.Problem.unknownServer("nats-tki-a", nearest: "nats-tky-a")) {
      try Self.text("nats-tki-a", estate)
    }
    #expect(throws: ServerConfiguration.Problem.unknownServer("x", nearest: nil)) {
      try Self.text("x", example("embedded"))
    }
    #expect(throws: ServerConfiguration.Problem.noPassword("plant-tky-a")) {
      try ServerConfiguration.text(of: "nats-tky-a", in: estate, credentials: nil, streams: "js")
    }
  }

  /// Whether a pattern of NATS covers a subject.
  private static func covers(_ pattern: String, _ subject: String) -> Bool {
    let (pattern, subject) = (pattern.split(separator: "."), subject.split(separator: "."))
    for (number, word) in pattern.enumerated() {
      if word == ">" { return subject.count > number }
      guard number < subject.count, word == "*" || word == subject[number] else { return false }
    }
    return pattern.count == subject.count
  }

  @Test func aNodeSpeaksInItsOwnNameOnly() throws {
    var estate = try example("two-sites")
    estate.markets.append(Market(code: "XOSE", feed: "sim:"))
    estate.nodes[0].markets = ["XTKS"]
    let names = estate.nodes.map(\.name)
    for node in estate.nodes {
      let allowed = SubjectPermissions(node, in: estate).publish
      func may(_ subject: String) -> Bool { allowed.contains { Self.covers($0, subject) } }
      for other in names {
        let isOwn = other == node.name
        let isPlant = node.roles.contains(.plant)
        #expect(may("node.\(other).beat") == isOwn && may("node.\(other).status") == isOwn)
        #expect(!may("node.\(other).command") && !may("ask.XTKS.\(other)") && !may("_INBOX.\(other)"))
        for market in ["XTKS", "XOSE"] {
          let carries = isOwn && isPlant && (market == "XTKS" || node.markets.isEmpty)
          for subject in [
            "px.\(market).\(other).all", "px.\(market).\(other).i.7203", "beat.\(market).\(other)",
            "feed.\(market).\(other)",
          ] {
            #expect(may(subject) == carries, "\(node.name) \(subject)")
          }
        }
        #expect(may("keep.usage.\(other)") == (isOwn && node.roles.contains(.gateway)))
        #expect(may("ask.XTKS.\(other).replay") && may("want.XTKS.\(other)"))
      }
      #expect(!may("keep.configuration") && !may("$SYS.REQ.SERVER.PING") && !may("$JS.a.API.STREAM.DELETE.T"))
      // All read the kept configuration; ticks, and what tenants of others used, are for stores.
      #expect(may("$JS.a.API.DIRECT.GET.KEEP_CONFIGURATION.keep.configuration"))
      #expect(may("$JS.a.API.STREAM.INFO.KEEP_CONFIGURATION"))
      // Where it meets a stream that is being made it ends the server.
      #expect(!may("$JS.a.API.STREAM.MSG.GET.KEEP_CONFIGURATION"))
      for subject in [
        "STREAM.INFO.KEEP_USAGE", "DIRECT.GET.TICKS_XTKS.keep.ticks.XTKS", "DIRECT.GET.KEEP_USAGE",
      ] {
        #expect(may("$JS.a.API.\(subject)") == node.roles.contains(.store))
      }
      #expect(may("$JS.a.API.STREAM.CREATE.T") == node.roles.contains(.store))
      let heard = SubjectPermissions(node, in: estate).subscribe
      for subject in ["node.\(node.name).command", "node.all.tell", "node.x.beat", "node.x.status"] {
        #expect(heard.contains { Self.covers($0, subject) })
      }
      #expect(may("node.all.tell"))
      #expect(!heard.contains { Self.covers($0, "keep.usage.x") || Self.covers($0, "want.XTKS.nobody") })
    }
    var firewall = Node(name: "fw", zone: "tky-a", address: "10.0.0.1", roles: [.firewall])
    firewall.markets = ["XTKS"]
    #expect(SubjectPermissions(firewall, in: estate).publish == ["node.fw.beat", "node.fw.status"])
  }

  @Test func credentialsAreReadWithAllTheirFaults() throws {
    let estate = try example("two-sites")
    let good = EstateCredentials.names(of: estate).map { "\($0)\t secret-of-\($0)\n" }.joined()
    let read = EstateCredentials.read("# passwords\n\n" + good, for: estate)
    #expect(read.faults == [] && read.credentials.passwords["rail/a"] == "secret-of-rail/a")
    let bad = EstateCredentials.read(
      "plant-tky-a short\ngw-tky-x 12345678\noperator 12345678\noperator 12345678\n", for: estate)
    #expect(
      bad.faults.prefix(3).map { "\($0.code.rawValue) \($0.place.line)" } == [
        "K0108 1", "K0204 2", "K0201 4",
      ])
    #expect(bad.faults[1].nearest == "gw-tky-a")
    #expect(bad.faults.count == 3 + EstateCredentials.names(of: estate).count - 2)
    #expect(
      !bad.faults.contains { $0.text(file: "c").contains("12345678") || $0.text(file: "c").contains("short") }
    )
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/sbin/nats-server")))
  func theRealServerTakesThem() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "kabuto-estate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for kind in BackboneDescription.BetweenSites.allCases {
      for name in ["two-sites", "two-zones"] {
        var estate = try example(name)
        estate.backbone?.betweenSites = kind
        for server in estate.backbone?.servers ?? [] {
          let file = folder.appendingPathComponent("\(server.name).conf")
          try Data(try Self.text(server.name, estate).utf8).write(to: file)
          let process = Process()
          process.executableURL = URL(fileURLWithPath: "/usr/sbin/nats-server")
          process.arguments = ["-t", "-c", file.path]
          process.standardError = FileHandle.nullDevice
          process.standardOutput = FileHandle.nullDevice
          try process.run()
          process.waitUntilExit()
          #expect(process.terminationStatus == 0, "\(kind) \(name) \(server.name)")
        }
      }
    }
  }
}
