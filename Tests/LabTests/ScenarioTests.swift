// The laboratory with real processes: the built program's nodes, message servers, routers and clients, on two zones.
// Nothing here asserts how long something took: the figures are in docs/AVAILABILITY.md. Where the machine can't do it
// (root, /dev/net/tun, FRR, nats-server), it is skipped.

import Estate
import Foundation
import Testing

@testable import KabutoCLI
@testable import Lab

@Suite(.serialized) struct ScenarioTests {
  /// The program beside the tests; KABUTO_BIN names another.
  static let program: String? = {
    var candidates = ProcessInfo.processInfo.environment["KABUTO_BIN"].map { [$0] } ?? []
    for place in [
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
      CommandLine.arguments.first,
    ] {
      if let place {
        candidates.append(URL(fileURLWithPath: place).deletingLastPathComponent().path + "/kabuto")
      }
    }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    candidates.append(root.appendingPathComponent(".build/debug/kabuto").path)
    return candidates.first { access($0, X_OK) == 0 }
  }()
  static let isPossible =
    LabPlan.lackingRights == nil && LabPlan.lacking(.control).isEmpty && program != nil

  static func run(_ name: ScenarioName, seconds: Double, independent: Bool = false) throws -> LabReport {
    let folder = try TestEstates.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var estate = try LayoutTests.example("two-zones")
    if independent { estate = LabEstate.independent(estate) }
    var plan = LabPlan(
      Scenario.named(name), estate: estate, folder: "\(folder)/out", program: try #require(program))
    plan.registry = LabRegistry(base: "\(folder)/runs")
    plan.runs = 1
    plan.controls = 1
    plan.faultSeconds = seconds
    plan.rate = 100
    plan.instruments = 10
    let session = try LabSession(plan) { _ in }
    let outcome = try session.run()
    let report = try LabReport.make(outcome) { epoch, through, emit in
      try LabFeed.play(outcome.feedPath, epoch: epoch, through: through, emit: emit)
    }
    #expect(!FileManager.default.fileExists(atPath: session.entry.folder), "everything is removed")
    try report.write(to: "\(folder)/out")
    #expect(report.html.contains("<h1>") && !report.html.contains("<script"))
    return report
  }

  static func check(_ report: LabReport) {
    // How long a busy machine makes one wait is no subject of a test.
    let faults = report.faults.filter { !$0.contains("nothing was broken") }
    // Debian's message server broke down by itself (seen once in many runs): told, and clients must lose nothing then either.
    let broken = faults.filter {
      $0.contains(": nats-") && $0.contains("(status 2)")
        && ($0.contains("panic: ") || $0.contains("fatal error: "))
    }
    let isForeign = { (fault: String) in
      // One that was to be killed then isn't there.
      let gone = fault.split(separator: " ").first.map { name in broken.contains { $0.contains(": \(name) ") }
      }
      return broken.contains(fault) || fault.hasSuffix("wasn't there to be signalled") && gone == true
    }
    for fault in faults where isForeign(fault) { print("LabTests: \(fault)") }
    #expect(faults.filter { !isForeign($0) } == [])
    #expect(
      [report.lost, report.repeated, report.outOfOrder, report.wrong].allSatisfy { $0 == 0 }, "\(report.runs)"
    )
    #expect(report.runs.count == 1 && report.runs[0].clients.count == 2)
    #expect(report.runs[0].clients.allSatisfy { $0.updates > 0 })
  }

  @Test(.enabled(if: isPossible, "needs root, /dev/net/tun, FRR, nats-server and the built program"))
  func aGatewayThatHearsTheFeedItselfIsKilledAndNothingIsLost() throws {
    let report = try Self.run(.gatewayKilled, seconds: 2, independent: true)
    Self.check(report)
    #expect(report.runs[0].timeline.contains { $0.kind == "client" && $0.what.contains("left") })
  }

  @Test(
    .enabled(if: isPossible, "needs root, /dev/net/tun, FRR, nats-server and the built program"),
    arguments: [ScenarioName.control, .plantKilled, .natsKilled])
  func nothingIsLostInTwoZones(name: ScenarioName) throws { Self.check(try Self.run(name, seconds: 2)) }

  @Test(.enabled(if: isPossible, "needs root, /dev/net/tun, FRR, nats-server and the built program"))
  func aRunThatIsToldToStopLeavesNothing() throws {
    let folder = try TestEstates.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let estate = LabEstate.independent(try LayoutTests.example("two-zones"))
    var plan = LabPlan(
      Scenario.named(.control), estate: estate, folder: "\(folder)/out", program: try #require(Self.program))
    plan.registry = LabRegistry(base: "\(folder)/runs")
    let stop = LabStopFlag()
    let session = try LabSession(plan, stop: stop) { text in if text.hasPrefix("control") { stop.stop() } }
    #expect(throws: LabFailure.self) { try session.run() }
    #expect(session.entry.livingProcesses().isEmpty)
    #expect(!FileManager.default.fileExists(atPath: session.entry.namespaceFile("r-tky-a")))
  }

  @Test(.enabled(if: isPossible, "needs root, /dev/net/tun, FRR, nats-server and the built program"))
  func whatARunKilledInTheMiddleLeavesIsRemovedByTheNext() throws {
    let folder = try TestEstates.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let registry = LabRegistry(base: "\(folder)/runs")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Self.program))
    process.arguments = [
      "lab", "run", "control", "--estate", "two-zones", "--independent", "--registry", registry.base, "--out",
      "\(folder)/out", "--rate", "100", "--instruments", "10",
    ]
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    // Until clients run, or a minute has passed: then it is killed as it is.
    let until = Date().addingTimeInterval(60)
    while Date() < until, process.isRunning {
      if FileManager.default.fileExists(atPath: "\(folder)/out/control/reference.record") { break }
      usleep(20_000)
    }
    let name = try #require(FileManager.default.contentsOfDirectory(atPath: registry.base).first)
    let entry = LabEntry(
      run: name, folder: "\(registry.base)/\(name)", namespaceFolder: registry.namespaceFolder)
    #expect(registry.leftovers().isEmpty, "while it runs it is nobody's to remove")
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(!entry.livingProcesses().isEmpty)
    #expect(registry.leftovers().map(\.run) == [name])
    #expect(registry.cleanLeftovers().count == 1)
    #expect(entry.livingProcesses().isEmpty)
    #expect(!FileManager.default.fileExists(atPath: entry.folder))
    #expect(!FileManager.default.fileExists(atPath: entry.namespaceFile("r-tky-a")))
  }

  @Test func reportsEscapeWhatLogsSay() {
    #expect(
      LabReport.escaped("<img src=x onerror='a'>&\"\u{1}")
        == "&lt;img src=x onerror=&#39;a&#39;&gt;&amp;&quot; ")
  }

  @Test func timesOfLogsAreRead() throws {
    #expect(TimelineReader.time("1970-01-02T00:00:01.5") == 86_401_500_000_000)
    #expect(TimelineReader.time("2026-11-26T09:25:51.437969Z") == 1_795_685_151_437_969_000)
    for bad in ["", "2026-13-01T00:00:00", "2026-11-26 9:5", "yesterday at noon!!!"] {
      #expect(TimelineReader.time(bad) == nil, "\(bad)")
    }
    let bfd = try #require(
      TimelineReader.moment(
        "2026/11/26 09:25:51.437969 BFD: [SEY1D-NT8EQ] state-change: [mhop:no peer:198.19.0.1] up -> down reason:control-expired"
      ))
    #expect(bfd.kind == "detection" && bfd.at == 1_795_685_151_437_969_000)
    let route = try #require(
      TimelineReader.moment(
        "[2026-11-26T09:25:51.437969] 10.2.1.0/24 via 198.19.0.3 dev line2 proto bgp metric 20 "))
    #expect(route.kind == "route" && route.what.hasPrefix("10.2.1.0/24"))
    let node = try #require(
      TimelineReader.moment(#"{"time":"2026-11-26T09:25:51.437Z","level":"notice","message":"ready"}"#))
    #expect(node.kind == "node" && node.what == "notice: ready")
    #expect(TimelineReader.moment("nothing with a time") == nil)
  }
}
