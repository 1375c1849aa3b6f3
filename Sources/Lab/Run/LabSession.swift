// One life of the laboratory: builds the estate, starts everything, breaks and heals as the scenario says, takes it down.
// Owner: the thread that calls `run`; `stop` may come from any other.
// Invariant: what was made is removed however `run` ends.

import Estate
import Foundation
import Synchronization

/// See the head of this file.
public final class LabSession {
  let plan: LabPlan
  let say: @Sendable (String) -> Void
  let stopFlag: LabStopFlag
  /// The estate as it runs here.
  private(set) var estate: Estate
  private(set) var changes: [String] = []
  let layout: LabLayout
  let entry: LabEntry
  let logs: String
  var network: LabNetwork?
  var nodes: [String: LabProcess] = [:]
  var publishers: [LabProcess] = []
  var reference: LabProcess?
  var clients: [(client: LabLayout.Client, connections: Int, process: LabProcess, record: String)] = []
  var referenceClient: (process: LabProcess, record: String)?
  var burst: Thread?
  var isBursting = LabStopFlag()
  private(set) var windows: [LabWindow] = []
  /// What speaks against the run as a whole: a process that ended by itself, a fault that touched nothing.
  var faults: [String] = []
  /// Processes whose end was said.
  var missed: Set<String> = []
  let estatePath: String
  let feedPath: String

  /// Lays out the estate and begins the run's entry; nothing is built yet.
  public init(
    _ plan: LabPlan, stop: LabStopFlag = LabStopFlag(), say: @escaping @Sendable (String) -> Void
  ) throws(LabFailure) {
    self.plan = plan
    self.say = say
    stopFlag = stop
    for line in plan.registry.cleanLeftovers() { say("left over by an earlier run: \(line)") }
    logs = "\(plan.folder)/logs"
    do { try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true) } catch {
      throw LabFailure("\(logs): \(error.localizedDescription)")
    }
    feedPath = "\(plan.folder)/feed.itch"
    estatePath = "\(plan.folder)/estate.yaml"
    let run = String(UInt64(LinkEmulator.now()) & 0xff_ffff, radix: 16)
    let folder = "\(plan.registry.base)/\(run)"
    let changed = LabEstate(
      plan.estate, folder: folder, reference: "\(feedPath).reference.json", zone: "Asia/Tokyo")
    estate = changed.estate
    changes = changed.changes
    var choices = LabLayout.Choices()
    choices.clientsPerSite = plan.clientsPerSite
    do throws(LabLayoutError) { layout = try LabLayout(estate, choices: choices) } catch {
      throw LabFailure(error.description)
    }
    entry = try plan.registry.begin(run)
  }

  /// Builds, breaks, heals, takes down.
  /// - Returns: what is to be judged.
  public func run() throws(LabFailure) -> LabOutcome {
    defer { close() }
    try check()
    // The laboratory's processes go before others of this machine: it stands for many machines. Children inherit it.
    let before = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -10)
    defer { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, before) }
    try prepareFiles()
    try startNetwork()
    try startServersAndNodes()
    try startFeed()
    try startClients()
    let baseline = try watch()
    try finish()
    return LabOutcome(
      plan: plan, changes: changes, layout: layout, windows: windows,
      feedPath: feedPath, truthRecord: referenceClient?.record ?? "",
      clients: clients.map { ($0.client, $0.connections, $0.record) }, logs: logs, links: baseline.links,
      linkSeconds: baseline.seconds, lateP50: baseline.lateP50, lateP99: baseline.lateP99,
      cpuShare: baseline.cpuShare, ownShare: baseline.ownShare, faults: faults)
  }

  /// Ends and removes everything; harmless when done twice.
  public func close() {
    isBursting.stop()
    entry.remove()
    network = nil
  }

  func check() throws(LabFailure) {
    if stopFlag.isStopped { throw LabFailure("stopped; everything that was made is removed") }
  }

  /// Waits, and ends early when told to stop.
  func sleep(_ seconds: Double) throws(LabFailure) {
    let until = Date().addingTimeInterval(seconds)
    while true {
      try check()
      let left = until.timeIntervalSinceNow
      if left <= 0 { return }
      usleep(UInt32(min(left, 0.05) * 1e6))
    }
  }

  func namespace(_ name: String) -> String { entry.namespaceFile(name) }

  // MARK: - Windows

  private func watch() throws(LabFailure) -> LabBaseline {
    let length = plan.secondsOfFault + plan.scenario.afterSeconds
    let cpuBefore = machineCPU()
    let ownBefore = ownCPU()
    let before = try network?.links.statistics()
    let began = Date()
    for number in 0..<plan.controls {
      say("control \(number + 1) of \(plan.controls): nothing is broken for \(Int(length)) s")
      let from = RecordWriter.now()
      try sleep(length)
      try checkProcesses(after: "control \(number + 1)")
      windows.append(
        LabWindow(
          isControl: true, run: number + 1, target: "nothing", from: from, healed: from,
          through: RecordWriter.now()))
    }
    let seconds = Date().timeIntervalSince(began)
    let after = try network?.links.statistics()
    let cpu = machineCPU()
    let share = cpu.total > cpuBefore.total ? (cpu.busy - cpuBefore.busy) / (cpu.total - cpuBefore.total) : 0
    let own = (ownCPU() - ownBefore) / (seconds * Double(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    for run in 0..<plan.runs { try repetition(run) }
    return LabBaseline(
      links: LabBaseline.difference(before, after), seconds: seconds, lateP50: after?.lateP50 ?? 0,
      lateP99: after?.lateP99 ?? 0, cpuShare: share, ownShare: own)
  }

  private func repetition(_ run: Int) throws(LabFailure) {
    let plants = estate.nodes.filter { $0.roles.contains(.plant) }.map(\.name)
    let gateways = estate.nodes.filter { $0.roles.contains(.gateway) }.map(\.name)
    let servers = estate.backbone?.servers.map(\.name) ?? []
    guard
      let steps = plan.scenario.steps(
        layout, repetition: run, plants: plants, gateways: gateways, servers: servers)
    else {
      throw LabFailure(
        "scenario \(plan.scenario.name.rawValue): estate \"\(estate.name)\" has nothing that it could break")
    }
    say("run \(run + 1) of \(plan.runs): \(plan.scenario.name.rawValue), \(steps.target)")
    let probe = try startProbe()
    var window = LabWindow(isControl: false, run: run + 1, target: steps.target, from: RecordWriter.now())
    let before = try traces(steps)
    for step in steps.fault {
      window.steps.append((RecordWriter.now(), "\(step)"))
      try carryOut(step)
      try checkFeed("run \(run + 1), after \(step)")
    }
    try sleep(plan.secondsOfFault)
    window.effects += effectsWhileBroken(steps)
    window.healed = RecordWriter.now()
    for step in steps.heal {
      window.steps.append((RecordWriter.now(), "\(step)"))
      try carryOut(step)
      try checkFeed("run \(run + 1), after \(step)")
    }
    try sleep(plan.scenario.afterSeconds)
    window.through = RecordWriter.now()
    window.networkSilence = probe?.end()
    window.effects += LabEffect.between(before, try traces(steps))
    for effect in window.effects where effect.count == 0 {
      faults.append("run \(run + 1), \(steps.target): the fault had no effect: no \(effect.what)")
    }
    try checkProcesses(after: "run \(run + 1), \(steps.target)")
    windows.append(window)
  }

  /// Whether the network alone carries from one site (or zone) to the other.
  private func startProbe() throws(LabFailure) -> ProbeThread? {
    let zones =
      layout.sites.count > 1 ? layout.sites.compactMap(\.zones.first) : layout.sites.flatMap(\.zones)
    let ends = zones.prefix(2).compactMap { zone in layout.hosts.first { $0.zone == zone } }
    guard ends.count == 2 else { return nil }
    return ProbeThread(
      try PathProbe(from: namespace(ends[0].name), to: namespace(ends[1].name), address: ends[1].address))
  }

  /// Seconds of processors that the laboratory has used, with its own thread of lines.
  private func ownCPU() -> Double {
    (entry.livingProcesses() + [getpid()]).compactMap { ProcessState.cpuSeconds($0) }.reduce(0, +)
  }

  /// Seconds of all processors, busy and in all.
  private func machineCPU() -> (busy: Double, total: Double) {
    let line =
      (try? String(contentsOfFile: "/proc/stat", encoding: .utf8))?.split(separator: "\n").first ?? ""
    let figures = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
    guard figures.count > 4 else { return (0, 0) }
    let total = figures.reduce(0, +)
    return (total - figures[3] - figures[4], total)
  }
}

/// Tells a run to stop. @unchecked isn't needed: it is one atomic.
public final class LabStopFlag: Sendable {
  private let flag = Atomic<Bool>(false)
  /// With these values.
  public init() {}
  /// Ends it: what it has made is removed.
  public func stop() { flag.store(true, ordering: .releasing) }
  /// Whether it was told to end.
  public var isStopped: Bool { flag.load(ordering: .acquiring) }
}

/// A stretch of a run.
public struct LabWindow: Sendable {
  /// Whether nothing is broken in it.
  public var isControl: Bool
  /// Number of the repetition, or of the run.
  public var run: Int
  /// What the fault was done to.
  public var target: String
  /// Nanoseconds since 1970: the fault, its healing, the end.
  public var from: UInt64
  /// When the fault was healed, nanoseconds since 1970.
  public var healed: UInt64 = 0
  /// Its end, nanoseconds since 1970.
  public var through: UInt64 = 0
  /// What was done when, nanoseconds since 1970.
  public var steps: [(at: UInt64, what: String)] = []
  /// The longest time in which no datagram came back from the other site, milliseconds.
  public var networkSilence: Double?
  /// What the fault touched.
  var effects: [LabEffect] = []
}

/// What is to be judged after a run.
public struct LabOutcome: Sendable {
  /// What was to be done.
  public var plan: LabPlan
  /// What was changed of the estate.
  public var changes: [String]
  var layout: LabLayout
  /// Stretches that are judged.
  public var windows: [LabWindow]
  /// Path of the feed's file.
  public var feedPath: String
  /// Path of the record of the reference client.
  public var truthRecord: String
  var clients: [(client: LabLayout.Client, connections: Int, record: String)]
  /// Folder of the logs.
  public var logs: String
  /// What the lines carried while nothing was broken, and for how long.
  var links: [LinkStatistics.Line]
  /// How long the lines were measured, seconds.
  public var linkSeconds: Double
  /// How late frames left, median, nanoseconds.
  public var lateP50: Double
  /// The same, of a hundred the worst but one, nanoseconds.
  public var lateP99: Double
  /// Part of all processors that was busy meanwhile.
  public var cpuShare: Double
  /// Part of all processors that the laboratory itself needed.
  public var ownShare: Double
  /// What the session itself found wrong.
  public var faults: [String] = []
}

/// Figures of the time before the first fault.
struct LabBaseline {
  var links: [LinkStatistics.Line]
  var seconds: Double
  var lateP50: Double
  var lateP99: Double
  var cpuShare: Double
  var ownShare: Double

  static func difference(_ before: LinkStatistics?, _ after: LinkStatistics?) -> [LinkStatistics.Line] {
    guard let before, let after else { return [] }
    func less(_ one: LinkCounts, _ other: LinkCounts) -> LinkCounts {
      var result = one
      result.frames -= other.frames
      result.bytes -= other.bytes
      result.watchedFrames -= other.watchedFrames
      result.watchedBytes -= other.watchedBytes
      return result
    }
    return zip(before.lines, after.lines).map {
      LinkStatistics.Line(name: $1.name, forth: less($1.forth, $0.forth), back: less($1.back, $0.back))
    }
  }
}
