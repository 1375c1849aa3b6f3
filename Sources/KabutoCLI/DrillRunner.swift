// Carries out one drill: looks at the nodes, watches as a client, does what the machine says. The machine decides
// (Continuity/Drill); this is its hands and eyes.

import Continuity
import Foundation
import FoundationNetworking

/// See the head of this file.
struct DrillRunner {
  let file: DrillFile
  let history: DrillHistory
  let stop: DrillStop

  private static let lookMilliseconds: UInt64 = 500
  private static let stepMilliseconds: UInt64 = 50
  private static let commandSeconds = 30.0

  /// Runs a drill to its end.
  func run(_ drill: DrillFile.Drill) async throws -> DrillRecord {
    let obstacle = try history.runs().last { $0.isObstacle }
    let lastFailed = obstacle.map { "\($0.plan.name) (\($0.id)): \($0.reasons.first ?? $0.outcome)" }
    var record = DrillRecord(
      id: Self.id(), plan: drill.plan, began: Date().timeIntervalSince1970)
    let watch = DrillWatch(
      file.gateways, instruments: try await instruments(), limitNanoseconds: drill.plan.outageNanoseconds)
    watch.start()
    defer { watch.stop() }
    var machine = DrillMachine(drill.plan, lastFailed: lastFailed, now: DrillWatch.now())
    var nextLook: UInt64 = 0
    var phase = ""
    while true {
      if machine.phase != phase {
        phase = machine.phase
        say("  \(phase)")
      }
      let seen = watch.take()
      record.errors += seen.errors
      record.longestOutageNanoseconds = seen.notes.longestNanoseconds
      record.changes = seen.notes.changes
      var action = DrillMachine.Action.wait
      for error in seen.errors where action == .wait {
        say("  client: \(error.kind): \(error.text)")
        action = machine.clientSaw(error, now: DrillWatch.now())
      }
      if action == .wait, let reason = stop.reason { action = machine.stop(reason, now: DrillWatch.now()) }
      if action == .wait, DrillWatch.now() >= nextLook {
        nextLook = DrillWatch.now() + Self.lookMilliseconds * 1_000_000
        action = machine.observed(await condition(), now: DrillWatch.now())
      }
      if action == .wait { action = machine.tick(now: DrillWatch.now()) }
      if let outcome = try await carryOut(action, drill, &machine, &record) {
        // What came in the last moment counts.
        let rest = watch.take()
        record.errors += rest.errors
        record.longestOutageNanoseconds = rest.notes.longestNanoseconds
        record.take(
          outcome == .passed && !rest.errors.isEmpty
            ? .failed("a client saw it: \(rest.errors[0].text)") : outcome)
        record.ended = Date().timeIntervalSince1970
        record.isFaulted = machine.isFaulted
        try history.append(record)
        return record
      }
      try await Task.sleep(for: .milliseconds(Self.stepMilliseconds))
    }
  }

  /// Does what the machine says, and on until there is nothing to do; how it ended, or nil.
  private func carryOut(
    _ first: DrillMachine.Action, _ drill: DrillFile.Drill, _ machine: inout DrillMachine,
    _ record: inout DrillRecord
  ) async throws -> DrillOutcome? {
    var action = first
    guard let node = file.nodes.first(where: { $0.name == drill.plan.node }) else {
      return .refused(["no such node"])
    }
    while true {
      switch action {
      case .wait: return nil
      case .finish(let outcome): return outcome
      case .inject:
        record.isFaulted = true
        // Durable before it is done: whoever comes after a crash finds it and takes it back.
        try history.append(record)
        if let fault = await Self.command(DrillFile.filled(drill.commands.inject, node)) {
          action = machine.injectionFailed(fault, now: DrillWatch.now())
        } else {
          action = machine.injected(now: DrillWatch.now())
        }
      case .heal(let because):
        say("  taking it back: \(because)")
        if let fault = await Self.command(DrillFile.filled(drill.commands.heal, node)) {
          say("  \(fault)")
          action = machine.healingFailed(fault, now: DrillWatch.now())
          if case .heal = action { try await Task.sleep(for: .seconds(1)) }
        } else {
          action = machine.healed(now: DrillWatch.now())
        }
      }
    }
  }

  /// Takes back faults of runs that were cut off.
  func healLeftovers() async throws {
    for var record in try history.runs() where record.isFaulted {
      guard let drill = file.drills.first(where: { $0.plan.name == record.plan.name }),
        let node = file.nodes.first(where: { $0.name == record.plan.node })
      else {
        throw giveUp(
          "\(record.id): \(record.plan.name) was cut off and its fault on \(record.plan.node) may still be there; this file has no such drill: take it back by hand, then `kabuto drill acknowledge \(record.id)`"
        )
      }
      say("\(record.plan.name) (\(record.id)) was cut off: taking its fault back")
      if let fault = await Self.command(DrillFile.filled(drill.commands.heal, node)) {
        throw giveUp("\(record.id): \(fault)")
      }
      record.isFaulted = false
      record.outcome = "healed late"
      record.reasons = ["cut off during its fault, which was taken back by the next run"]
      record.ended = Date().timeIntervalSince1970
      try history.append(record)
    }
  }

  // MARK: - Eyes

  private func instruments() async throws -> [String] {
    guard file.instruments.isEmpty else { return file.instruments }
    for gateway in file.gateways {
      guard
        let list = await Self.object(gateway.url + "/v1/instruments?limit=50")?.json["instruments"]
          as? [[String: Any]]
      else { continue }
      return list.compactMap { $0["instrument"] as? String }
    }
    return []
  }

  private func condition() async -> DrillCondition {
    await withTaskGroup(of: (Int, DrillCondition.Node, [DrillCondition.Path]).self) { group in
      for (number, node) in file.nodes.enumerated() {
        group.addTask {
          async let health = Self.object(node.url + "/health/ready")
          async let status = Self.object(node.url + "/v1/status")
          let (found, figures) = (await health, await status)
          let reasons = (found?.json["reasons"] as? [String] ?? []).joined(separator: "; ")
          let paths = (figures?.json["paths"] as? [[String: Any]] ?? []).map { path in
            DrillCondition.Path(
              gateway: node.name,
              name: ["market", "stream", "rail"].compactMap { path[$0] as? String }.joined(separator: " "),
              isLive: ["live", "ended"].contains(path["state"] as? String ?? ""))
          }
          return (
            number,
            DrillCondition.Node(
              name: node.name, roles: node.roles, isReady: found?.status == 200,
              reason: found == nil ? "no answer" : reasons), paths
          )
        }
      }
      var all: [(Int, DrillCondition.Node, [DrillCondition.Path])] = []
      for await one in group { all.append(one) }
      all.sort { $0.0 < $1.0 }
      return DrillCondition(nodes: all.map(\.1), paths: all.flatMap(\.2))
    }
  }

  /// An answer's status and JSON object; nil = none came.
  private static func object(_ address: String) async -> (status: Int, json: [String: Any])? {
    guard let url = URL(string: address) else { return nil }
    var request = URLRequest(url: url)
    request.timeoutInterval = 1
    guard let (data, response) = try? await URLSession.shared.data(for: request) else { return nil }
    let json = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
    return ((response as? HTTPURLResponse)?.statusCode ?? 0, json)
  }

  // MARK: - Hands

  /// Runs a shell command; why it failed, or nil.
  static func command(_ text: String) async -> String? {
    await withCheckedContinuation { continuation in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", text]
      process.standardInput = FileHandle.nullDevice
      // Data on standard output is this program's own.
      process.standardOutput = FileHandle.standardError
      process.terminationHandler = { ended in
        let status = ended.terminationStatus
        continuation.resume(returning: status == 0 ? nil : "\(text): status \(status)")
      }
      do { try process.run() } catch {
        process.terminationHandler = nil
        continuation.resume(returning: "\(text): \(error.localizedDescription)")
        return
      }
      DispatchQueue.global().asyncAfter(deadline: .now() + commandSeconds) {
        if process.isRunning { process.terminate() }
      }
    }
  }

  /// A name for a run: when, and what tells two of the same second apart.
  private static func id() -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "UTC")
    format.dateFormat = "yyyyMMdd'T'HHmmss"
    return "\(format.string(from: Date()))-\(String(UInt32.random(in: 0...0xffff), radix: 16))"
  }
}

/// SIGINT and SIGTERM: the fault is taken back before the program ends. @unchecked Sendable: guarded by its lock.
final class DrillStop: @unchecked Sendable {
  private let lock = NSLock()
  private var found: String?
  private var sources: [any DispatchSourceSignal] = []

  init() {
    for (number, name) in [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM")] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [weak self] in
        guard let self else { return }
        self.lock.withLock { self.found = "\(name): ended by its operator" }
      }
      source.resume()
      sources.append(source)
    }
  }

  /// Why it is to end; nil = it isn't.
  var reason: String? { lock.withLock { found } }
}
