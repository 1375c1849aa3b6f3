// `kabuto lab`: builds an estate in network namespaces of this machine, breaks it, and measures at the clients. The work
// is in the room Lab.

import ArgumentParser
import Estate
import Foundation
import Lab

struct LabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lab",
    abstract: "Builds an estate in network namespaces, breaks it, and measures at the clients.",
    subcommands: [LabRunCommand.self, LabListCommand.self, LabCleanCommand.self, LabClientCommand.self])
}

struct LabListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Explains each scenario.")

  @Flag(help: "One JSON document on standard output.")
  var json = false

  private struct Row: Encodable {
    var scenario: String
    var available: Bool
    var explanation: String
    var lacking: [String]
  }

  func run() throws {
    let rows =
      Scenario.all.map { scenario in
        let lacking = LabPlan.lacking(scenario.name)
        return Row(
          scenario: scenario.name.rawValue, available: lacking.isEmpty, explanation: scenario.explanation,
          lacking: lacking)
      }
      + ScenarioName.later.sorted { $0.key < $1.key }.map {
        Row(scenario: $0.key, available: false, explanation: "Not yet available: \($0.value).", lacking: [])
      }
    if json { return try printJSON(["scenarios": rows]) }
    for row in rows {
      print("\(row.scenario.padding(toLength: 20, withPad: " ", startingAt: 0))\(row.explanation)")
    }
    let lacking = Set(rows.flatMap(\.lacking)).sorted()
    if !lacking.isEmpty { say("kabuto: this machine lacks\n  " + lacking.joined(separator: "\n  ")) }
  }
}

struct LabCleanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clean",
    abstract: "Removes what runs have left that were killed: processes, namespaces, folders.")

  func run() throws {
    let registry = LabRegistry()
    guard !registry.leftovers().isEmpty else { return print("nothing is left over") }
    guard getuid() == 0 else { throw giveUp("needs root: runs are made by root; run it with sudo") }
    for line in registry.cleanLeftovers() { print(line) }
  }
}

struct LabRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a scenario; needs root.",
    discussion: """
      The report (HTML, and JSON beside it), the clients' records and all logs are in the folder of --out. Exit 1 where \
      a client lost something, or got it twice, out of order or wrong.

      Example:  sudo kabuto lab run carrier-cut --estate two-sites --runs 5 --out lab
      """)

  @Argument(help: "Name of a scenario (kabuto lab list).") var scenario: String
  @Option(
    help: ArgumentHelp(
      "An estate's file, or two-zones, two-sites (default two-sites).", valueName: "file|name"))
  var estate = "two-sites"
  @Option(help: "How often the fault is made (default 5).") var runs = 5
  @Option(help: "Stretches without a fault before that, to compare with (default 2).") var controls = 2
  @Option(help: "Decides the market (default 1).") var seed: UInt64 = 1
  @Option(help: "How long each fault lasts (default: as the scenario says).") var seconds: Double?
  @Option(help: "Messages a second of the exchange (default 1000).") var rate = 1_000
  @Option(help: "Instruments of the exchange (default 50).") var instruments = 50
  @Option(
    help: ArgumentHelp("Folder of the report (default kabuto-lab).", valueName: "dir"), completion: .directory
  )
  var out = "kabuto-lab"
  @Option(help: ArgumentHelp("Folder of what runs have made.", visibility: .hidden)) var registry =
    LabRegistry().base
  @Flag(help: "Without a backbone: each gateway hears the feed itself. To compare with.") var independent =
    false
  @Flag(help: "One JSON document on standard output.") var json = false

  func validate() throws {
    var faults: [String] = []
    if ScenarioName(rawValue: scenario) == nil {
      faults.append(
        ScenarioName.later[scenario].map { "\(scenario): not yet available: \($0)" }
          ?? "no scenario \"\(scenario)\"; wanted \(ScenarioName.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    if !(1...1000).contains(runs) { faults.append("--runs: \(runs) found; wanted 1 to 1000") }
    if !(1...20).contains(controls) { faults.append("--controls: \(controls) found; wanted 1 to 20") }
    if let seconds, !(0.1...600).contains(seconds) {
      faults.append("--seconds: \(seconds) found; wanted 0.1 to 600")
    }
    if !(10...20_000).contains(rate) { faults.append("--rate: \(rate) found; wanted 10 to 20000") }
    if !(1...4_000).contains(instruments) {
      faults.append("--instruments: \(instruments) found; wanted 1 to 4000")
    }
    guard faults.isEmpty else { throw ValidationError(faults.joined(separator: "\n")) }
  }

  func run() throws {
    guard let name = ScenarioName(rawValue: scenario) else { throw foundWrong }
    let lacking = [LabPlan.lackingRights].compactMap(\.self) + LabPlan.lacking(name)
    guard lacking.isEmpty else { throw giveUp("this machine lacks\n  " + lacking.joined(separator: "\n  ")) }
    let folder = URL(fileURLWithPath: out).appendingPathComponent(scenario).path
    var plan = LabPlan(
      Scenario.named(name), estate: try readEstate(), folder: folder,
      program: URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path)
    plan.registry = LabRegistry(base: registry)
    plan.runs = runs
    plan.controls = controls
    plan.seed = seed
    plan.faultSeconds = seconds
    plan.rate = rate
    plan.instruments = instruments
    signal(SIGPIPE, SIG_IGN)
    let stop = LabStopFlag()
    let signals = StopSignals { stop.stop() }
    defer { signals.cancel() }
    let report: LabReport
    do throws(LabFailure) {
      // Held until the end: no other run writes there.
      let held = try ReportFolder(folder)
      defer { held.release() }
      let session = try LabSession(plan, stop: stop) { say("lab: \($0)") }
      let outcome = try session.run()
      report = try LabReport.make(outcome) { epoch, through, emit in
        try LabFeed.play(outcome.feedPath, epoch: epoch, through: through, emit: emit)
      }
      try report.write(to: folder)
    } catch { throw giveUp(error.description) }
    if json { try printJSON(report) } else { print(report.text) }
    say("lab: the report is \(folder)/report.html")
    if !report.isClean { throw foundWrong }
  }

  private func readEstate() throws -> Estate {
    let text: String
    if let example = EstateExamples.text(named: estate) {
      text = example
    } else {
      do { text = try String(contentsOfFile: estate, encoding: .utf8) } catch {
        throw giveUp(
          "--estate \(estate): \(error.localizedDescription); wanted a file or one of \(EstateExamples.names)"
        )
      }
    }
    let (read, faults) = EstateFile.read(text)
    guard let read else {
      throw giveUp("--estate \(estate): \(faults.map { $0.text(file: estate) }.joined(separator: "\n"))")
    }
    return independent ? LabEstate.independent(read) : read
  }
}

/// A client of the laboratory; the laboratory starts it in the namespaces of clients.
struct LabClientCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "client", abstract: "A client that records what it gets.", shouldDisplay: false)

  @Option(help: "HOST:PORT of a gateway, the nearest first.") var endpoint: [String] = []
  @Option(help: "The file of the record.") var record: String
  @Option(help: "Connections at once.") var connections = 1
  @Option(help: "Instruments (default all).") var instrument: [String] = []

  func run() async throws {
    let places = endpoint.compactMap { text -> (host: String, port: Int)? in
      let parts = text.split(separator: ":")
      guard parts.count == 2, let port = Int(parts[1]), (1...65_535).contains(port) else { return nil }
      return (String(parts[0]), port)
    }
    guard places.count == endpoint.count, !places.isEmpty else {
      throw giveUp("--endpoint: wanted HOST:PORT")
    }
    signal(SIGPIPE, SIG_IGN)
    var options = LabClient.Options(endpoints: places, path: record)
    options.connections = connections
    if !instrument.isEmpty { options.instruments = instrument }
    let stop = LabStopFlag()
    let signals = StopSignals { stop.stop() }
    defer { signals.cancel() }
    do { try await LabClient.record(options, until: stop) } catch { throw giveUp("\(error)") }
  }
}
