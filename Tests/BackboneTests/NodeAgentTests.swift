// Nodes hear each other, and do as an operator says.

import Continuity
import Foundation
import Synchronization
import Testing

@testable import Backbone

@Suite struct NodeAgentTests {
  @Test(arguments: BusTests.kinds) func nodesHearEachOtherAndTakeCommands(kind: BusTests.Kind) async throws {
    let rail = try await StreamsTests.Rail(kind, "a", users: 3)
    defer { rail.close() }
    let told = Heard()
    let agents = ["n1", "n2"].enumerated().map { place, name in
      NodeAgent(node: name, buses: [rail.users[place]]) {
        var beat = NodeBeat(node: name)
        beat.roles = ["gateway"]
        if told.all.contains("\(name) out-of-service") { beat.service = ServiceState.outByCommand.word }
        return beat
      } command: { command in
        told.add("\(name) \(command.rawValue)")
        return NodeAnswer(done: true, text: "\(name) does")
      }
    }
    for agent in agents { try agent.start() }
    defer { for agent in agents { agent.stop() } }
    #expect(await eventually { agents[0].nodes.map(\.beat.node) == ["n2"] && agents[1].nodes.count == 1 })
    let answer = try await NodeAgent.send(
      .outOfService, to: "n2", from: "op", over: [rail.users[2]], seconds: 15)
    #expect(answer == NodeAnswer(done: true, text: "n2 does"))
    #expect(await eventually { agents[0].nodes.first?.beat.service == "out-by-command" })
    agents[1].stop()
    #expect(await eventually { agents[0].nodes.first?.isThere == false })
    await #expect(throws: BusError.self) {
      try await NodeAgent.send(.inService, to: "n9", from: "op", over: [rail.users[2]], seconds: 0.1)
    }
  }

  @Test func whatIsNoCommandIsAnsweredSo() async throws {
    let rail = try await StreamsTests.Rail(.inProcess, "a", users: 2)
    defer { rail.close() }
    let agent = NodeAgent(node: "n1", buses: [rail.users[0]]) {
      NodeBeat(node: "n1")
    } command: { _ in
      NodeAnswer(done: true, text: "")
    }
    try agent.start()
    defer { agent.stop() }
    let heard = Heard()
    let inbox = try rail.users[1].subscribe("_INBOX.x", heard.handler)
    rail.users[1].say("node.n1.command", "explode", reply: "_INBOX.x")
    #expect(
      await eventually { heard.all.contains { $0.contains("is no command") && $0.contains("in-service") } })
    withExtendedLifetime(inbox) {}
  }

  /// What a beat says of its sender doesn't count: the subject does, for that is what servers allow or refuse.
  @Test func nobodySpeaksForAnotherNorFromOutside() async throws {
    let rail = try await StreamsTests.Rail(.inProcess, "a", users: 2)
    defer { rail.close() }
    let agent = NodeAgent(node: "n1", buses: [rail.users[0]], isKnown: { ["n1", "n2", "n3"].contains($0) }) {
      NodeBeat(node: "n1")
    } command: { _ in
      NodeAnswer(done: true, text: "")
    }
    try agent.start()
    defer { agent.stop() }
    func say(_ subject: String, as name: String, reason: String = "") throws {
      var beat = NodeBeat(node: name)
      beat.reason = reason
      rail.users[1].publish(subject, bytes: [UInt8](try JSONEncoder().encode(beat)))
    }
    try say("node.n3.beat", as: "n2")
    try say("node.stranger.beat", as: "stranger")
    try say("node.n3.beat", as: "n3", reason: String(repeating: "x", count: 100_000))
    rail.users[1].say("node.n3.beat", "{")
    try say("node.n1.beat", as: "n1")
    #expect(
      await eventually {
        (try? say("node.n2.beat", as: "n2")) != nil && !agent.nodes.isEmpty
      })
    #expect(agent.nodes.map(\.beat.node) == ["n2"])
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
