// The estate as it is kept: published in order of its versions, read by nodes, over a real server that is killed in between.

import Estate
import Foundation
import Testing

@testable import Backbone

@Suite(.enabled(if: MessageServer.isThere, "nats-server is not installed"), .serialized)
struct KeptConfigurationTests {
  static func kept(version: Int, port: Int = 8080, name: String = "e") throws -> KeptConfiguration {
    let text = """
      estate: \(name)
      version: \(version)
      sites:
        - {name: s, zones: [z]}
      nodes:
        - {name: n, zone: z, address: 127.0.0.1, port: \(port), roles: [gateway]}
      """
    let (estate, faults) = EstateFile.read(text)
    return KeptConfiguration(try #require(estate, "\(faults)"), text: text, publishedAt: 1)
  }

  @Test func aHigherVersionReplacesAndALowerOneIsRefused() async throws {
    let server = try MessageServer("jetstream {\n  store_dir: \"{folder}/keep\"\n  domain: \"a\"\n}\n")
    let bus = try NatsBus(server.settings(name: "operator"))
    defer { bus.close() }
    #expect(await eventually { bus.state.isConnected })
    let keep = ConfigurationKeep(bus: bus, domain: "a")
    #expect(try keep.last() == nil, "there is no stream yet")
    try keep.ensure()
    #expect(try keep.last() == nil, "there is nothing in it yet")
    let third = try Self.kept(version: 3)
    #expect(try keep.publish(third) == .kept)
    #expect(try keep.publish(third) == .already)
    #expect(try keep.last() == third)
    guard case .refused(let same) = try keep.publish(Self.kept(version: 3, port: 8081)) else {
      Issue.record("another estate under the same version was taken")
      return
    }
    #expect(same.contains("other contents") && same.contains("`version:` to 4"))
    guard case .refused(let lower) = try keep.publish(Self.kept(version: 2)) else {
      Issue.record("a lower version was taken")
      return
    }
    #expect(lower.contains("keeps version 3, this is version 2"))
    guard case .refused(let other) = try keep.publish(Self.kept(version: 9, name: "f")) else {
      Issue.record("another estate was taken")
      return
    }
    #expect(other.contains("keeps estate e, this is f"))
    #expect(try keep.last() == third)

    server.kill()
    #expect(await eventually { !bus.state.isConnected })
    #expect(throws: BusError.self) { try keep.last() }
    try server.start()
    #expect(await eventually(seconds: 30) { bus.state.isConnected })
    #expect(try keep.last() == third, "it lasts")
    let fourth = try Self.kept(version: 4)
    #expect(try keep.publish(fourth) == .kept)
    #expect(try keep.last() == fourth)
  }

  /// nats-server 2.9 ends with a panic when somebody asks for a message of a stream, or changes one, that is being made.
  @Test func whoAsksWhileStreamsAreMadeEndsNoServer() async throws {
    let server = try MessageServer(KeepTests.jetStream)
    let buses = try ["operator", "s1", "s2", "n1", "n2"].map { try NatsBus(server.settings(name: $0)) }
    defer { for bus in buses { bus.close() } }
    #expect(await eventually { buses.allSatisfy { $0.state.isConnected } })
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        for round in 0..<20 {
          for stream in ["KEEP_CONFIGURATION", "TICKS_XTKS"] {
            buses[0].publish("$JS.API.STREAM.DELETE.\(stream)", bytes: [])
          }
          DispatchQueue.concurrentPerform(iterations: 4) { who in
            let bus = buses[who + 1]
            switch who {
            case 0, 1:
              // Two stores of unlike versions.
              try? KeptTicks(market: "XTKS", bus: bus).ensure(maximumBytes: Int64(32 + who + round % 2) << 20)
              try? ConfigurationKeep(bus: bus).ensure()
            default: for _ in 0..<20 { _ = try? ConfigurationKeep(bus: bus).last() }
            }
          }
        }
        continuation.resume()
      }
    }
    #expect(server.isRunning)
    try ConfigurationKeep(bus: buses[1]).ensure()
    #expect(try ConfigurationKeep(bus: buses[3]).last() == nil)
  }

  @Test func nodesLearnWhatIsKept() async throws {
    let server = try MessageServer(KeepTests.jetStream)
    let buses = try ["n1", "operator"].map { try NatsBus(server.settings(name: $0)) }
    defer { for bus in buses { bus.close() } }
    #expect(await eventually { buses.allSatisfy { $0.state.isConnected } })
    let told = Heard()
    let watch = ConfigurationWatch(rails: [(buses[0], nil)]) { told.add("\($0)") }
    guard case .unknown = watch.state else {
      Issue.record("it can't know yet")
      return
    }
    try watch.start()
    defer { watch.stop() }
    #expect(await eventually { watch.state == .nothingKept })
    let keep = ConfigurationKeep(bus: buses[1])
    for version in [3, 4] {
      let wanted = try Self.kept(version: version)
      #expect(try keep.publish(wanted) == .kept)
      #expect(
        await eventually {
          watch.state == .kept(estate: "e", version: version, configuration: wanted.configuration)
        })
    }
    // What isn't kept, but said under that subject, changes nothing.
    let loud = try Self.kept(version: 3)
    buses[1].publish(ConfigurationKeep.subject, bytes: loud.encoded.dropLast().map { $0 })
    let fourth = watch.state
    server.kill()
    #expect(await eventually { !buses[0].state.isConnected })
    #expect(watch.state == fourth, "what was known stays known")
    #expect(told.count == 3)
  }

  @Test func whatIsNoEstateIsNotBelieved() throws {
    let good = try Self.kept(version: 3)
    func decoded(_ kept: KeptConfiguration) -> KeptConfiguration? {
      kept.encoded.withUnsafeBytes { KeptConfiguration(decoding: $0) }
    }
    #expect(decoded(good) == good)
    var wrong = good
    wrong.configuration ^= 1
    #expect(decoded(wrong) == nil)
    wrong = good
    wrong.version = 4
    #expect(decoded(wrong) == nil)
    wrong = good
    wrong.text += "\n  - nonsense"
    #expect(decoded(wrong) == nil)
    wrong = good
    wrong.layout = 2
    #expect(decoded(wrong) == nil)
  }
}
