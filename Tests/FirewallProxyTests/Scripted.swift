// An engine that does as a test says, in place of rules.

import Foundation
import Logging
import NIOPosix
import Synchronization
import Testing

@testable import Firewall
@testable import FirewallProxy

/// What the engine is to say, and what it was asked.
final class Script: Sendable {
  struct Answers: Sendable {
    var engine = EngineMode.on
    var bodies = BodySettings()
    var wantsRequestBody = false
    var wantsResponseBody = false
    /// Phase → what to do, where `when` is in the part that the phase sees.
    var deny: [Int: Intervention.Kind] = [:]
    var when = ""
    var matches: [RuleMatch] = []
  }
  struct Seen: Sendable {
    var phases: [String] = []
    var ids: [String] = []
    var clients: [String] = []
  }
  let answers: Mutex<Answers>
  let seen = Mutex(Seen())

  init(_ change: (inout Answers) -> Void = { _ in }) {
    var answers = Answers()
    answers.bodies.requestBodyAccess = true
    change(&answers)
    self.answers = Mutex(answers)
  }

  var phases: [String] { seen.withLock { $0.phases } }
  var ids: [String] { seen.withLock { $0.ids } }
  var clients: [String] { seen.withLock { $0.clients } }

  func snapshot() -> PolicySnapshot {
    let answers = answers.withLock { $0 }
    return PolicySnapshot(engine: answers.engine, bodies: answers.bodies) {
      ScriptedInspection(script: self, answers: answers)
    }
  }
}

private final class ScriptedInspection: Inspecting {
  let script: Script
  let answers: Script.Answers
  init(script: Script, answers: Script.Answers) {
    self.script = script
    self.answers = answers
  }
  func begin(_ beginning: Beginning) -> any InspectedTransaction {
    script.seen.withLock {
      $0.ids.append(beginning.id)
      $0.clients.append(beginning.connection.clientAddress)
    }
    return ScriptedTransaction(script: script, answers: answers, enforcing: beginning.enforcing)
  }
  func recycle(_ transaction: any InspectedTransaction) {}
}

private final class ScriptedTransaction: InspectedTransaction {
  let script: Script
  let answers: Script.Answers
  let enforcing: Bool
  var wouldBlock: Intervention?
  init(script: Script, answers: Script.Answers, enforcing: Bool) {
    self.script = script
    self.answers = answers
    self.enforcing = enforcing
  }

  private func decide(_ phase: Int, _ text: String) -> Intervention? {
    script.seen.withLock { $0.phases.append("\(phase) \(text)") }
    guard let kind = answers.deny[phase], answers.when.isEmpty || text.contains(answers.when) else {
      return nil
    }
    let intervention = Intervention(kind: kind, rule: 1000 + phase, phase: phase)
    if wouldBlock == nil { wouldBlock = intervention }
    return enforcing ? intervention : nil
  }

  func request(method: ByteView, uri: ByteView, version: ByteView, headers: [Field]) -> Intervention? {
    let fields = headers.map { "\($0.name.text)=\($0.value.text)" }.joined(separator: "|")
    return decide(1, "\(method.text) \(uri.text) \(version.text) \(fields)")
  }
  var wantsRequestBody: Bool { answers.wantsRequestBody }
  func requestBody(_ body: ByteView, isComplete: Bool) -> Intervention? {
    decide(2, "\(isComplete ? "whole" : "part") \(body.count) \(body.prefix(64).text)")
  }
  func response(status: Int, version: ByteView, headers: [Field]) -> Intervention? {
    decide(3, "\(status) \(version.text)")
  }
  var wantsResponseBody: Bool { answers.wantsResponseBody }
  func responseBody(_ body: ByteView, isComplete: Bool) -> Intervention? {
    decide(4, "\(isComplete ? "whole" : "part") \(body.count) \(body.text)")
  }
  func finish(now: Int64) { script.seen.withLock { $0.phases.append("5") } }
  var matches: [RuleMatch] { answers.matches }
  var score: Int { answers.matches.isEmpty ? 0 : 5 }
  var outboundScore: Int { 0 }
  var notes: [String] { [] }
}

let denied = Intervention.Kind.deny(status: 403)

/// A line of the log, as a reader of it would decode it.
struct LoggedLine: Decodable {
  struct Match: Decodable {
    var id: Int
    var phase: Int
    var message: String
    var severity: String
    var variable: String
    var value: String
    var tags: [String]
    var offset: Int
    var length: Int
    var transformations: [String]
    var cut: Bool?
    var masked: Bool?
  }
  var time: String
  var request_id: String
  var client: String
  var method: String
  var uri: String
  var status: Int
  var action: String
  var score: Int
  var matches: [Match]
  var mode: String
  var refused: String?
  var duration_us: Int
  var backend: String?
  var notes: [String]?
  var frames_in: Int?
  var frames_out: Int?
}

/// A firewall in front of a backend, for the length of a test.
struct Running {
  var server: FirewallServer
  var backend: TestBackend
  var script: Script
  var logPath: String
  var port: Int { server.port }

  func connect() throws -> RawSocket { try RawSocket.connect(port: port) }

  /// One request on a connection of its own.
  func ask(_ request: String) throws -> RawMessage {
    let socket = try connect()
    socket.send(request)
    return try #require(socket.message(isAnswerToHead: request.hasPrefix("HEAD")))
  }

  func get(_ target: String = "/", fields: String = "") throws -> RawMessage {
    try ask("GET \(target) HTTP/1.1\r\nHost: example.test\r\n\(fields)\r\n")
  }

  /// The log's lines, once there are as many.
  func log(_ count: Int) async throws -> [LoggedLine] {
    for _ in 0..<1_500 {
      let lines = ((try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "").split(separator: "\n")
      if lines.count >= count {
        return try lines.map { try JSONDecoder().decode(LoggedLine.self, from: Data($0.utf8)) }
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("fewer than \(count) lines in the log")
    return []
  }
}

/// Waits until something is so, for half a minute at most.
func eventually(_ isSo: () async -> Bool) async throws {
  for _ in 0..<6_000 {
    if await isSo() { return }
    try await Task.sleep(for: .milliseconds(5))
  }
  Issue.record("it never came to be")
}

func withFirewall(
  _ backend: TestBackend, script: Script = Script { $0.engine = .off }, mode: FirewallMode = .block,
  configure: (inout FirewallConfiguration) -> Void = { _ in }, _ body: (Running) async throws -> Void
) async throws {
  var configuration = FirewallConfiguration(backends: [BackendAddress(host: "127.0.0.1", port: backend.port)])
  configuration.port = 0
  configuration.mode = mode
  configuration.seed = 1
  configuration.patience.stop = 200
  // Time that a busy machine takes is no fault; tests of these set their own.
  configuration.patience.connect = 30_000
  configuration.patience.waiting = 30_000
  let log = NSTemporaryDirectory() + "kabuto-firewall-\(UUID().uuidString).jsonl"
  configuration.logFile = log
  configure(&configuration)
  let server = FirewallServer(
    configuration: configuration, group: nil, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
    loadSnapshot: { script.snapshot() })
  try await server.start()
  do {
    try await body(Running(server: server, backend: backend, script: script, logPath: log))
  } catch {
    await server.shutdown()
    throw error
  }
  await server.shutdown()
  backend.stop()
  try? FileManager.default.removeItem(atPath: log)
}
