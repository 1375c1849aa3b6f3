// Nodes hear each other, and do as an operator says.

import Continuity
import Foundation
import Synchronization
import Testing

@testable import Backbone

@Suite struct NodeAgentTests {
  /// An agent that serves until it is told not to.
  private static func agent(
    _ name: String, on buses: [any Bus], hears: [String], told: Heard = Heard(),
    statusMilliseconds: Int = 1_000, says beat: @escaping @Sendable () -> NodeBeat = { NodeBeat() }
  ) -> NodeAgent {
    @Sendable func isOut() -> Bool { told.all.contains("\(name) out-of-service") }
    return NodeAgent(
      node: name, buses: buses, hears: hears,
      voice: NodeAgent.Voice(
        beat: {
          var beat = beat()
          if isOut() { beat.service = .outByCommand }
          return beat
        },
        status: {
          var status = NodeStatus(node: name)
          status.roles = ["gateway"]
          if isOut() { status.service = ServiceState.outByCommand.word }
          return status
        },
        command: { command in
          told.add("\(name) \(command.rawValue)")
          return NodeAnswer(done: true, text: "\(name) does")
        }), statusMilliseconds: statusMilliseconds)
  }

  @Test(arguments: BusTests.kinds) func nodesHearEachOtherAndTakeCommands(kind: BusTests.Kind) async throws {
    let rail = try await StreamsTests.Rail(kind, "a", users: 3)
    defer { rail.close() }
    let told = Heard()
    let names = ["n1", "n2"]
    let agents = names.enumerated().map { place, name in
      Self.agent(name, on: [rail.users[place]], hears: names, told: told)
    }
    for agent in agents { try agent.start() }
    defer { for agent in agents { agent.stop() } }
    #expect(await eventually { agents[0].nodes.map(\.node) == ["n2"] && agents[1].nodes.count == 1 })
    let watch = NodeWatch(buses: [rail.users[2]], expected: names, patienceMilliseconds: 15_000)
    defer { watch.stop() }
    #expect(try await watch.look().map(\.status.node) == names)
    let answer = try await NodeAgent.send(
      .outOfService, to: "n2", from: "op", over: [rail.users[2]], seconds: 15)
    #expect(answer == NodeAnswer(done: true, text: "n2 does"))
    #expect(await eventually { agents[0].nodes.first?.beat.service == .outByCommand })
    while try await watch.look().last?.status.service != "out-by-command" { await Task.yield() }
    agents[1].stop()
    #expect(await eventually { agents[0].nodes.first?.isThere == false })
    await #expect(throws: BusError.self) {
      try await NodeAgent.send(.inService, to: "n9", from: "op", over: [rail.users[2]], seconds: 0.1)
    }
  }

  @Test func whatIsNoCommandIsAnsweredSo() async throws {
    let rail = try await StreamsTests.Rail(.inProcess, "a", users: 2)
    defer { rail.close() }
    let agent = Self.agent("n1", on: [rail.users[0]], hears: [])
    try agent.start()
    defer { agent.stop() }
    let heard = Heard()
    let inbox = try rail.users[1].subscribe("_INBOX.x", heard.handler)
    rail.users[1].say("node.n1.command", "explode", reply: "_INBOX.x")
    #expect(
      await eventually { heard.all.contains { $0.contains("is no command") && $0.contains("in-service") } })
    withExtendedLifetime(inbox) {}
  }

  /// Only the nodes that it decides by are heard; what is no beat is told, and is forgotten with the next one.
  @Test func aNodeHearsThoseItDecidesByAndBeatsOnly() async throws {
    let rail = try await StreamsTests.Rail(.inProcess, "a", users: 2)
    defer { rail.close() }
    let agent = Self.agent("n1", on: [rail.users[0]], hears: ["n1", "n2", "n3"])
    try agent.start()
    defer { agent.stop() }
    let other = rail.users[1]
    let beat = NodeBeat(isReluctant: true, isWell: false, configuration: 9, lag: 5, saidAt: 7)
    for name in ["stranger", "n1", "n2"] { other.publish("node.\(name).beat", bytes: beat.encoded) }
    other.say("node.n3.beat", "{}")
    #expect(await eventually { agent.nodes.map(\.node) == ["n2"] && !agent.alarms.isEmpty })
    #expect(agent.nodes.first?.beat == beat)
    #expect(agent.alarms == ["node n3: a beat of 2 bytes; 24 wanted"])
    other.publish("node.n3.beat", bytes: beat.encoded)
    #expect(await eventually { agent.nodes.count == 2 && agent.alarms.isEmpty })
  }

  /// What a status says of its sender doesn't count: the subject does, for that is what servers allow or refuse.
  @Test func nobodySpeaksForAnotherNorFromOutside() async throws {
    let rail = try await StreamsTests.Rail(.inProcess, "a", users: 2)
    defer { rail.close() }
    let watch = NodeWatch(
      buses: [rail.users[0]], expected: ["n1", "n2", "n3"], patienceMilliseconds: 300)
    defer { watch.stop() }
    _ = try await watch.look()
    #expect(watch.isListening)
    func say(_ subject: String, as name: String, reason: String = "") throws {
      var status = NodeStatus(node: name)
      status.reason = reason
      rail.users[1].publish(subject, bytes: [UInt8](try JSONEncoder().encode(status)))
    }
    try say("node.n3.status", as: "n2")
    try say("node.stranger.status", as: "stranger")
    try say("node.n3.status", as: "n3", reason: String(repeating: "x", count: 100_000))
    rail.users[1].say("node.n3.status", "{")
    while try await watch.look().isEmpty { try say("node.n2.status", as: "n2") }
    #expect(try await watch.look().map(\.status.node) == ["n2"])
    watch.stop()
    #expect(!watch.isListening)
    #expect(try await watch.look().map(\.status.node) == ["n2"])
  }

  /// Who begins to look asks all to speak; nodes speak at once when their service changes.
  @Test func statusesComeWhenAskedForAndWhenServiceChanges() async throws {
    let rail = try await StreamsTests.Rail(.inProcess, "a", users: 2)
    defer { rail.close() }
    let unwell = Heard()
    // By itself it would speak once, and again in an hour.
    let agent = Self.agent("n1", on: [rail.users[0]], hears: [], statusMilliseconds: 3_600_000) {
      NodeBeat(isWell: unwell.count == 0)
    }
    let heard = Heard()
    let subscription = try rail.users[1].subscribe("node.n1.status", heard.handler)
    try agent.start()
    defer { agent.stop() }
    #expect(await eventually { heard.count == 1 })
    rail.users[1].say("node.all.tell", "")
    #expect(await eventually { heard.count == 2 })
    unwell.add("now")
    #expect(await eventually { heard.count == 3 })
    rail.users[1].say("node.n1.command", "out-of-service")
    // The command calls for one, and so does the change that follows from it where that comes later.
    #expect(await eventually { heard.count >= 4 })
    #expect(heard.all.last?.contains("out-by-command") == true)
    withExtendedLifetime(subscription) {}
  }

  @Test func aBeatIsReadAsItWasSaidAndNothingElseIs() throws {
    func read(_ bytes: [UInt8]) throws(NodeBeat.Fault) -> NodeBeat {
      let result: Result<NodeBeat, NodeBeat.Fault> = bytes.withUnsafeBytes { bytes in
        do throws(NodeBeat.Fault) { return .success(try NodeBeat(decoding: bytes)) } catch {
          return .failure(error)
        }
      }
      return try result.get()
    }
    for service in ServiceState.allCases {
      for bits in 0..<4 {
        let beat = NodeBeat(
          service: service, isReluctant: bits & 1 != 0, isWell: bits & 2 != 0, configuration: .max - 3,
          lag: 1 << 63, saidAt: 1_764_000_000_000_000_001)
        #expect(beat.encoded.count == NodeBeat.byteCount)
        #expect(try read(beat.encoded) == beat)
      }
    }
    let good = NodeBeat(isReluctant: true).encoded
    for count in 0..<good.count {
      #expect(throws: NodeBeat.Fault.length(count)) { try read(Array(good[..<count])) }
    }
    #expect(throws: NodeBeat.Fault.length(25)) { try read(good + [0]) }
    func with(_ place: Int, _ byte: UInt8) -> [UInt8] {
      var bytes = good
      bytes[place] = byte
      return bytes
    }
    #expect(throws: NodeBeat.Fault.magic(0x427B)) { try read(with(0, 0x7B)) }
    #expect(throws: NodeBeat.Fault.version(2)) { try read(with(2, 2)) }
    // No such state; bits without a meaning; reluctance of one that is out.
    for facts: UInt8 in [0x24, 0x60, 0xA0, 0x11] {
      #expect(throws: NodeBeat.Fault.facts(facts)) { try read(with(3, facts)) }
    }
    // Any bytes: read the same again, or refused.
    for facts in UInt8.min...UInt8.max {
      if let beat = try? read(with(3, facts)) { #expect(beat.encoded[3] == facts) }
    }
  }

  @Test func answersGoToInboxesOnly() throws {
    func reply(_ text: String) -> String? {
      var text = text
      return text.withUTF8 {
        BusMessage(
          subjectBytes: UnsafeRawBufferPointer($0), replyBytes: UnsafeRawBufferPointer($0),
          payload: UnsafeRawBufferPointer(start: nil, count: 0)
        ).reply
      }
    }
    for good in ["_INBOX.n1.2", "_GR_.aaaa.bbbb._INBOX.n1.2"] { #expect(reply(good) == good) }
    for bad in ["px.XTKS.n2.all", "beat.XTKS.n2", "_GR_.a.b.px.XTKS.n2.all", "_INBOX", "x._INBOX.n1", ""] {
      #expect(reply(bad) == nil)
    }
  }
}
