// `kabuto drill`: practice runs on a running estate. The plan is printed; nothing is done without --apply.

import ArgumentParser
import Continuity
import Foundation

struct DrillCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drill",
    abstract:
      "Practises a fault on a running estate, under guards: never when degraded, ended at the first thing a client sees.",
    discussion: """
      FILE is YAML: `nodes:` (name: {url, roles}) or `estate:` (a file), `drills:` (name, fault, node, and calm, hold, \
      settle, outage, every as times such as 10s), `watch: {instruments: [CODE]}` with some that move, and `commands:` \
      where the standard ones don't do.
      A fault is out-of-service, freeze, kill or command. {node}, {url} and {pid} in a command stand for the \
      node's; the pid is what the node itself says, and is signalled only if /proc says that it is still the same process.
      A drill begins only if every node is ready, every path live, the node is not the last of its role and market, \
      nothing would be lost by the estate's reckoning, something moves, and the last drill passed or was acknowledged; \
      the fault is taken back when its time is over, at the first thing that the watching client should not have seen, \
      when another node goes, and at SIGINT, SIGTERM or SIGHUP. One drill runs at a time in a folder.
      """,
    subcommands: [DrillRunCommand.self, DrillHistoryCommand.self, DrillAcknowledgeCommand.self],
    defaultSubcommand: DrillRunCommand.self)
}

struct DrillRunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Prints the plan, and with --apply carries it out.")

  @Argument(help: "The file.", completion: .file())
  var file: String
  @Option(help: "Only the drill of this name.")
  var only: String?
  @Option(help: ArgumentHelp("Folder of the history.", valueName: "dir"), completion: .directory)
  var data = ".kabuto"
  @Flag(help: "Does it; without it the plan is printed.")
  var apply = false
  @Flag(help: "Each drill once, whatever `every` says.")
  var once = false
  @Flag(help: "One JSON document: the runs.")
  var json = false

  func run() async throws {
    let file: DrillFile
    switch DrillFile.read(self.file) {
    case .success(let read): file = read
    case .failure(let error): throw giveUp(error.faults.joined(separator: "\nkabuto: "))
    }
    let drills = file.drills.filter { only == nil || $0.plan.name == only }
    guard !drills.isEmpty else {
      throw giveUp(
        "--only \(only ?? ""): wanted one of \(file.drills.map(\.plan.name).joined(separator: ", "))")
    }
    for drill in drills { say(Self.text(drill, file)) }
    guard apply else {
      say("Nothing was done; --apply does it.")
      return
    }
    let history = try DrillHistory(folder: data)
    // One drill at a time: held to the end of this process.
    let writer = try history.lock()
    let stop = DrillStop()
    let runner = DrillRunner(file: file, history: history, writer: writer, stop: stop)
    try await runner.healLeftovers()
    var runs: [DrillRecord] = []
    var due = drills.map { _ in Date.distantPast }
    while stop.reason == nil, let next = due.indices.min(by: { due[$0] < due[$1] }),
      due[next] != .distantFuture
    {
      guard due[next] <= Date() else {
        try await Task.sleep(for: .milliseconds(200))
        continue
      }
      let drill = drills[next]
      say("\(drill.plan.name):")
      let record = try await runner.withProcess(drill).run(drill)
      say("  \(DrillHistoryCommand.line(record))")
      runs.append(record)
      due[next] =
        once
        ? .distantFuture
        : drill.plan.everyNanoseconds.map { Date().addingTimeInterval(Double($0) / 1e9) } ?? .distantFuture
      // What failed stands in the way of all later ones.
      if record.outcome == "failed" || record.outcome == "not healed" { break }
    }
    if json { try printJSON(["runs": runs]) }
    if let bad = runs.first(where: { $0.outcome == "not healed" }) {
      throw giveUp("\(bad.id): the fault on \(bad.plan.node) is still there: \(bad.reasons.first ?? "")")
    }
    guard runs.allSatisfy({ $0.outcome == "passed" }) else { throw foundWrong }
  }

  static func text(_ drill: DrillFile.Drill, _ file: DrillFile) -> String {
    let plan = drill.plan
    let node = file.nodes.first { $0.name == plan.node }
    func filled(_ command: String) -> String { node.map { DrillFile.filled(command, $0, nil) } ?? command }
    return """
      \(plan.name)
        fault      \(plan.fault.rawValue) on \(plan.node), for \(DrillFile.text(plan.holdNanoseconds))\(plan.everyNanoseconds.map { ", every \(DrillFile.text($0))" } ?? "")
        done by    \(filled(drill.commands.inject))
        taken back \(filled(drill.commands.heal))
        begins if  all \(file.nodes.count) nodes are ready and all paths live for \(DrillFile.text(plan.calmNanoseconds)), \(plan.node) is not the last of its role, and the last drill passed
        ends at    the first client-visible error (no value for \(DrillFile.text(plan.outageNanoseconds)), stale, went back, every gateway refuses)
        then       all must be as before within \(DrillFile.text(plan.settleNanoseconds))
      """ + drill.wouldLose.map { "\n  is refused  would be lost: \($0)" }.joined()
  }
}

struct DrillHistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "history", abstract: "Shows what drills did.")

  @Option(help: ArgumentHelp("Folder of the history.", valueName: "dir"), completion: .directory)
  var data = ".kabuto"
  @Flag(help: "One JSON document.")
  var json = false

  func run() async throws {
    let runs = try DrillHistory(folder: data).runs()
    if json { return try printJSON(["runs": runs]) }
    for record in runs { print(Self.line(record)) }
    if runs.isEmpty { say("no drill yet in \(data)") }
  }

  /// A run in a line.
  static func line(_ record: DrillRecord) -> String {
    let began = Date(timeIntervalSince1970: record.began).formatted(.iso8601)
    let outage = String(format: "%.0f ms", Double(record.longestOutageNanoseconds) / 1e6)
    let why = record.reasons.isEmpty ? "" : ": " + record.reasons.joined(separator: "; ")
    return
      "\(began)  \(record.id)  \(record.plan.name)  \(record.outcome)\(record.isAcknowledged ? " (acknowledged)" : "")  longest silence \(outage), \(record.changes) changes of server\(why)"
  }
}

struct DrillAcknowledgeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acknowledge",
    abstract: "Says that somebody looked into a drill that failed: others may begin again.")

  @Argument(help: "The run, as `kabuto drill history` names it.")
  var id: String
  @Option(help: ArgumentHelp("Folder of the history.", valueName: "dir"), completion: .directory)
  var data = ".kabuto"

  func run() async throws {
    let history = try DrillHistory(folder: data)
    let writer = try history.lock()
    guard var record = try history.runs().first(where: { $0.id == id }) else {
      throw giveUp("\(id): no such run in \(data); `kabuto drill history --data \(data)` lists them")
    }
    record.isAcknowledged = true
    record.isFaulted = false
    try writer.append(record)
  }
}
