// Carries out one drill: looks at the nodes, watches as a client, does what the machine says. The machine decides
// (Continuity/Drill); this is its hands and eyes.

import Continuity
import Foundation
import FoundationNetworking

/// See the head of this file.
struct DrillRunner {
  let file: DrillFile
  let history: DrillHistory
  let writer: DrillHistory.Writer
  let stop: DrillStop

  private static let lookMilliseconds: UInt64 = 500
  private static let stepMilliseconds: UInt64 = 50
  private static let healAgainNanoseconds: UInt64 = 1_000_000_000

  /// A command that runs for the machine: nothing waits for it, so that what a client sees meanwhile is seen at once.
  private struct Work {
    var shell: DrillShell
    var isHealing: Bool
  }

  /// A run as it goes.
  private struct Run {
    let drill: DrillFile.Drill
    let node: DrillFile.Node
    var machine: DrillMachine
    var record: DrillRecord
    var work: Work?
    /// When taking back is tried again.
    var healAt: UInt64?
    var outcome: DrillOutcome?
  }

  /// Runs a drill to its end.
  func run(_ drill: DrillFile.Drill) async throws -> DrillRecord {
    let obstacle = try history.runs().last { $0.isObstacle }
    let lastFailed = obstacle.map { "\($0.plan.name) (\($0.id)): \($0.reasons.first ?? $0.outcome)" }
    var record = DrillRecord(
      id: Self.id(), plan: drill.plan, began: Date().timeIntervalSince1970)
    record.owner = DrillProcess.own
    guard let node = file.nodes.first(where: { $0.name == drill.plan.node }) else {
      throw giveUp("\(drill.plan.node): no such node")
    }
    // It begins at the node that the fault is done to, where that is a gateway: its clients are those who might notice.
    let gateways =
      file.gateways.filter { $0.name == node.name } + file.gateways.filter { $0.name != node.name }
    let watch = DrillWatch(
      gateways, instruments: try await instruments(), limitNanoseconds: drill.plan.outageNanoseconds)
    watch.start()
    defer { watch.stop() }
    var run = Run(
      drill: drill, node: node,
      machine: DrillMachine(
        drill.plan, lastFailed: lastFailed, wouldLose: drill.wouldLose, now: DrillWatch.now()),
      record: record)
    var nextLook: UInt64 = 0
    var look: DrillPending<DrillCondition>?
    var phase = ""
    while true {
      if run.machine.phase != phase {
        phase = run.machine.phase
        say("  \(phase)")
      }
      let seen = watch.take()
      run.record.errors += seen.errors
      run.record.longestOutageNanoseconds = seen.notes.longestNanoseconds
      run.record.changes = seen.notes.changes
      for error in seen.errors {
        say("  client: \(error.kind): \(error.text)")
        try carryOut(run.machine.clientSaw(error, now: DrillWatch.now()), &run)
      }
      if let reason = stop.reason { try carryOut(run.machine.stop(reason, now: DrillWatch.now()), &run) }
      if run.machine.isToEnd { run.work?.shell.cancel() }
      try finishWork(&run)
      if look == nil, DrillWatch.now() >= nextLook {
        nextLook = DrillWatch.now() + Self.lookMilliseconds * 1_000_000
        look = DrillPending { await condition() }
      }
      if let condition = look?.found {
        look = nil
        // An outage can be seen only by what moves: nothing begins before something did.
        let isBlind = run.machine.phase == "calm" && seen.notes.updates == 0
        let isRefused = !DrillGuard.objections(
          to: drill.plan, in: condition, lastFailed: lastFailed, wouldLose: drill.wouldLose
        ).isEmpty
        if !isBlind || isRefused {
          try carryOut(run.machine.observed(condition, now: DrillWatch.now()), &run)
        }
      }
      try carryOut(run.machine.tick(now: DrillWatch.now()), &run)
      if let outcome = run.outcome {
        // What came in the last moment counts.
        let rest = watch.take()
        run.record.errors += rest.errors
        run.record.longestOutageNanoseconds = rest.notes.longestNanoseconds
        run.record.take(
          outcome == .passed && !rest.errors.isEmpty
            ? .failed("a client saw it: \(rest.errors[0].text)") : outcome)
        run.record.ended = Date().timeIntervalSince1970
        run.record.isFaulted = run.machine.isFaulted
        try writer.append(run.record)
        return run.record
      }
      try await Task.sleep(for: .milliseconds(Self.stepMilliseconds))
    }
  }

  /// Tells the machine of a command that ended, and begins again what is to be tried again.
  private func finishWork(_ run: inout Run) throws {
    if let work = run.work, let result = work.shell.result {
      run.work = nil
      let now = DrillWatch.now()
      if !result.isEmpty { say("  \(result)") }
      switch (work.isHealing, result.isEmpty) {
      case (false, true): try carryOut(run.machine.injected(now: now), &run)
      case (false, false): try carryOut(run.machine.injectionFailed(result, now: now), &run)
      case (true, true): try carryOut(run.machine.healed(now: now), &run)
      case (true, false): try healingFailed(result, &run)
      }
    }
    if let healAt = run.healAt, DrillWatch.now() >= healAt {
      run.healAt = nil
      try heal(&run)
    }
  }

  /// Does what the machine says.
  private func carryOut(_ action: DrillMachine.Action, _ run: inout Run) throws {
    switch action {
    case .wait: break
    case .finish(let outcome): run.outcome = run.outcome ?? outcome
    case .inject:
      if run.drill.commands.needsProcess {
        guard let target = run.node.process, target.isThere else {
          return try carryOut(
            run.machine.injectionFailed(
              "\(run.node.name): its process is not on this host", now: DrillWatch.now()),
            &run)
        }
        run.record.target = target
      }
      run.record.isFaulted = true
      // Durable before it is done: whoever comes after a crash finds it and takes it back.
      try writer.append(run.record)
      run.work = Work(
        shell: DrillShell(DrillFile.filled(run.drill.commands.inject, run.node, run.record.target)),
        isHealing: false)
    case .heal(let because):
      say("  taking it back: \(because)")
      try heal(&run)
    }
  }

  private func heal(_ run: inout Run) throws {
    // Of what was never begun there is nothing to take back.
    guard run.record.isFaulted else {
      return try carryOut(run.machine.healed(now: DrillWatch.now()), &run)
    }
    switch Self.healing(run.drill, run.node, run.record.target) {
    case .success(let text): run.work = Work(shell: DrillShell(text), isHealing: true)
    case .failure(let fault): try healingFailed(fault.text, &run)
    }
  }

  private func healingFailed(_ reason: String, _ run: inout Run) throws {
    let action = run.machine.healingFailed(reason, now: DrillWatch.now())
    if case .heal = action {
      run.healAt = DrillWatch.now() + Self.healAgainNanoseconds
    } else {
      try carryOut(action, &run)
    }
  }

  /// The command that takes a fault back; none where it would signal a process that isn't the node's any more.
  private static func healing(
    _ drill: DrillFile.Drill, _ node: DrillFile.Node, _ target: DrillProcess?
  ) -> Result<String, DrillFault.Reason> {
    if drill.commands.heal.contains("{pid}") {
      guard let target, target.isThere else {
        return .failure(
          .init(text: "\(node.name): the process that it was done to is gone; start the node by hand"))
      }
    }
    return .success(DrillFile.filled(drill.commands.heal, node, target))
  }

  /// Takes back faults of runs that were cut off.
  func healLeftovers() async throws {
    for var record in try history.runs() where record.isFaulted {
      // The lock keeps others of this folder away; its owner may still be there where the lock isn't of one host.
      if let owner = record.owner, owner != DrillProcess.own, owner.isThere {
        throw giveUp("\(record.id): \(record.plan.name) is still being carried out by process \(owner.pid)")
      }
      guard let drill = file.drills.first(where: { $0.plan.name == record.plan.name }),
        let node = file.nodes.first(where: { $0.name == record.plan.node })
      else {
        throw giveUp(
          "\(record.id): \(record.plan.name) was cut off and its fault on \(record.plan.node) may still be there; this file has no such drill: take it back by hand, then `kabuto drill acknowledge \(record.id)`"
        )
      }
      say("\(record.plan.name) (\(record.id)) was cut off: taking its fault back")
      switch Self.healing(drill, node, record.target) {
      case .failure(let fault): throw giveUp("\(record.id): \(fault.text)")
      case .success(let text):
        if let fault = await DrillShell.run(text) { throw giveUp("\(record.id): \(fault)") }
      }
      record.isFaulted = false
      record.outcome = "healed late"
      record.reasons = ["cut off during its fault, which was taken back by the next run"]
      record.ended = Date().timeIntervalSince1970
      try writer.append(record)
    }
  }

  /// The drill's file with the process of the node, asked of the node itself, where the drill's commands want it.
  func withProcess(_ drill: DrillFile.Drill) async throws -> DrillRunner {
    guard drill.commands.needsProcess,
      let place = file.nodes.firstIndex(where: { $0.name == drill.plan.node })
    else { return self }
    let node = file.nodes[place]
    let status = await Self.object(node.url + "/v1/status")?.json
    guard let pid = (status?["pid"] as? NSNumber)?.intValue,
      let started = (status?["started"] as? NSNumber)?.uint64Value
    else {
      throw giveUp("\(node.name): \(node.url)/v1/status does not say its process; is it of this version?")
    }
    let process = DrillProcess(pid: pid, started: started)
    guard process.isThere else {
      throw giveUp(
        "\(node.name): its process \(pid) is not on this host; give `inject:` and `heal:` that reach it without {pid}"
      )
    }
    var file = file
    file.nodes[place].process = process
    return DrillRunner(file: file, history: history, writer: writer, stop: stop)
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
          let markets = (figures?.json["sources"] as? [[String: Any]] ?? []).compactMap {
            $0["market"] as? String
          }
          return (
            number,
            DrillCondition.Node(
              name: node.name, roles: node.roles, markets: Set(markets), isReady: found?.status == 200,
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
    // Nobody waits for it; a loaded node is not a dead one.
    request.timeoutInterval = 3
    guard let (data, response) = try? await URLSession.shared.data(for: request) else { return nil }
    let json = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
    return ((response as? HTTPURLResponse)?.statusCode ?? 0, json)
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

extension DrillFault {
  /// Why one can't be taken back.
  struct Reason: Error { var text: String }
}

/// SIGINT, SIGTERM and SIGHUP: the fault is taken back before the program ends. @unchecked Sendable: guarded by its lock.
final class DrillStop: @unchecked Sendable {
  private let lock = NSLock()
  private var found: String?
  private var sources: [any DispatchSourceSignal] = []

  init() {
    for (number, name) in [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP")] {
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
