// `kabuto govern watch`: accounts watched by events of change.

import ArgumentParser
import Foundation
import Governance
import GuardRules
import Synchronization

struct GovernWatch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Watches live AWS accounts: after a change only what changed is looked at.",
    discussion: """
      Looks at everything once, as scan does, then takes events as EventBridge sends them (calls that CloudTrail saw, \
      AWS Config's items and verdicts, GuardDuty's findings, states of instances) from a queue of SQS or from lines of JSON, \
      fetches only the resources that they name, and evaluates only the rules that can look at them. Everything is looked at \
      again at an interval, since events can be lost. Each change of a finding is a line of JSON on standard output, \
      after it is kept; with --json they are all in one document at the end.
      How the events are brought to the queue: docs/GOVERN-WATCH.md.
      Exit status: 0 = it was ended, or the events ended, 2 = it can't be done, events can't be read to their end, what was \
      found last can't be kept, or a rule can't be evaluated at the end.
      Example:  kabuto govern watch --rules rules/ --data data/ --queue https://sqs.eu-west-1.amazonaws.com/111122223333/changes
                kabuto govern watch --rules rules/ --events changes.jsonl --json
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Files of rules, or folders with them.", valueName: "file|dir"), completion: .file())
  var rules: [String]
  @Option(help: ArgumentHelp("The queue that has the events, by its address.", valueName: "url"))
  var queue: String?
  @Option(
    help: ArgumentHelp(
      "Lines of JSON, each an event, instead of a queue; - = standard input.", valueName: "file|-"),
    completion: .file())
  var events: String?
  @OptionGroup var keep: KeepOptions
  @OptionGroup var beside: BesideOptions
  @OptionGroup(title: "Accounts") var accounts: AccountOptions
  @Option(help: ArgumentHelp("From one look at everything to the next: 30m, 6h, 1d.", valueName: "time"))
  var fullEvery = "6h"
  @Option(help: ArgumentHelp("How soon what couldn't be told is asked again.", valueName: "seconds"))
  var retryEvery = 60
  @Option(
    help: ArgumentHelp(
      "How long after a first event others are waited for; 0 = each by itself.", valueName: "seconds"))
  var coalesce = 1.0
  @Option(
    help: ArgumentHelp("How long a message is kept from others while it is worked on.", valueName: "seconds"))
  var visibility = 60
  @Option(
    help: ArgumentHelp("After so many deliveries a message that can't be read is left.", valueName: "count"))
  var deliveries = 3
  @Flag(help: "One JSON document at the end instead of a line for each change.")
  var json = false

  func validate() throws {
    guard (queue == nil) != (events == nil) else {
      throw ValidationError("wanted either --queue or --events")
    }
    if let queue, !queue.hasPrefix("http://"), !queue.hasPrefix("https://") {
      throw ValidationError(
        "--queue \(queue): wanted the queue's address, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME")
    }
    guard Self.seconds(fullEvery) != nil else {
      throw ValidationError("--full-every \(fullEvery): wanted a time from 10s to 7d: 90s, 30m, 6h, 1d")
    }
    guard (1...86_400).contains(retryEvery) else {
      throw ValidationError("--retry-every: wanted 1 to 86400 seconds")
    }
    guard (0...60).contains(coalesce) else { throw ValidationError("--coalesce: wanted 0 to 60 seconds") }
    guard (1...43_200).contains(visibility) else {
      throw ValidationError("--visibility: wanted 1 to 43200 seconds")
    }
    guard (1...1_000).contains(deliveries) else { throw ValidationError("--deliveries: wanted 1 to 1000") }
  }

  /// `6h` in seconds.
  static func seconds(_ text: String) -> Int? {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()), count > 0,
      case let (seconds, overflow) = count.multipliedReportingOverflow(by: unit), !overflow,
      (10...7 * 86_400).contains(seconds)
    else { return nil }
    return seconds
  }

  private static let milliseconds: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1_000) }

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let teller = Teller(keeps: json)
    var pace = WatchPace()
    pace.fullEverySeconds = Self.seconds(fullEvery) ?? pace.fullEverySeconds
    pace.againSeconds = retryEvery
    pace.coalesceMilliseconds = Int(coalesce * 1_000)
    pace.visibilitySeconds = visibility
    pace.mostDeliveries = deliveries
    var options = WatchOptions()
    options.scan = accounts.scan
    let watch: AccountWatch
    let run: WatchRun
    var delivery: WatchDelivery?
    do {
      options.parameters = try beside.readParameters()
      options.hearFault = { say("kabuto: \($0)") }
      var ends: @Sendable (Int64) -> [ExceptionEnd] = { _ in [] }
      if let path = beside.exceptions, let read = try beside.readExceptions() {
        let approved = ExceptionsAtHand(read, path)
        ends = { ExceptionEnd.all(of: approved.now, now: $0) }
        options.adjust = { approved.now.apply(to: &$0, now: $1) }
        options.refresh = { approved.readAgain() }
      }
      var sink: any FindingSink = FindingMemory()
      if let data = keep.data {
        let history = try FindingHistory(data, retentionDays: keep.keepDays)
        let targets = try NotificationTarget.read(keep.notify)
        sink = HistorySink(history, targets: targets, parameters: options.parameters, exceptions: ends)
        if !targets.isEmpty {
          delivery = WatchDelivery(
            NotificationDelivery(
              history, targets, environment: environment, endpoint: options.scan.endpoint, goesOn: true,
              now: { Self.milliseconds() / 1_000 }))
        }
      }
      watch = try AccountWatch(
        accounts.targets, try RuleSet(rules), options, sink: sink, environment: environment,
        clock: Self.milliseconds,
        tell: { teller.tell($0) })
    } catch { throw giveUp("\(error)") }
    do {
      run = try await WatchRun(
        watch, queue.map { .queue($0) } ?? .lines(events ?? "-"), pace, scan: options.scan,
        targets: accounts.targets, environment: environment, clock: Self.milliseconds,
        say: { teller.hear($0) })
    } catch {
      await watch.end()
      throw giveUp("\(error)")
    }
    let telling = Task { [delivery] in if let delivery { await delivery.run() } }
    let running = Task { try await run.run() }
    let ending = Task {
      let signal = await Signals.wait()
      say("kabuto: \(signal): ending")
      running.cancel()
    }
    let found: EventFigures
    do { found = try await running.value } catch {
      await watch.end()
      throw giveUp("\(error)")
    }
    ending.cancel()
    await delivery?.end(telling)
    let figures = await watch.now()
    await watch.end()
    try finish(figures, found, teller)
  }

  /// Exceptions as they were last read.
  private final class ExceptionsAtHand: Sendable {
    private let kept: Mutex<Exceptions>
    private let path: String

    init(_ exceptions: Exceptions, _ path: String) {
      kept = Mutex(exceptions)
      self.path = path
    }

    var now: Exceptions { kept.withLock { $0 } }

    func readAgain() {
      do {
        let read = try Exceptions(path)
        kept.withLock { $0 = read }
      } catch { say("kabuto: \(error); the exceptions that were read before are used") }
    }
  }

  // MARK: - What is told

  /// Writes changes as they come, and counts them.
  private final class Teller: Sendable {
    struct Told: Sendable {
      var counts: [FindingChange.Kind: Int] = [:]
      var kept: [ToldChange] = []
      var latencies = LatencyCounts()
      /// Changes beyond those that are kept.
      var omitted = 0
      /// CPU seconds at the end of the first look.
      var cpuAtFirst: Double?
    }
    let told = Mutex(Told())
    private let keeps: Bool

    init(keeps: Bool) { self.keeps = keeps }

    func tell(_ change: ToldChange) {
      told.withLock { told in
        told.counts[change.finding.kind, default: 0] += 1
        if let latency = change.latency { told.latencies.add(latency) }
        if keeps, told.kept.count < GovernWatch.mostKept {
          told.kept.append(change)
        } else if keeps {
          told.omitted += 1
        }
      }
      guard !keeps else { return }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      guard let line = try? encoder.encode(change) else { return }
      StandardOutput.write(line + Data("\n".utf8))
    }

    func hear(_ word: WatchWord) {
      switch word {
      case .note(let text): say("kabuto: \(text.visible())")
      case .status(let figures, let events, let nextScan):
        let counts = told.withLock { told in
          if told.cpuAtFirst == nil { told.cpuAtFirst = GovernWatch.cpuSeconds }
          return told.counts
        }
        say(GovernWatch.line(figures, events, counts, nextScan))
      }
    }
  }

  /// Changes of the document at the end.
  private static let mostKept = 100_000

  /// CPU seconds of this process.
  private static var cpuSeconds: Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

  private static func line(
    _ figures: WatchFigures, _ events: EventFigures, _ counts: [FindingChange.Kind: Int], _ nextScan: Int
  ) -> String {
    let changes = FindingChange.Kind.allCases.map { "\($0.rawValue) \(counts[$0] ?? 0)" }.joined(
      separator: ", ")
    var text =
      "kabuto: watching \(counted(figures.regions, "region")), \(counted(figures.resources, "resource")), "
      + "\(counted(figures.findings, "finding")); "
    text +=
      "events \(events.events) (idle \(events.idle), malformed \(events.malformed)), \(figures.looks) looks, "
    text += "\(figures.calls) calls; changes: \(changes)"
    if figures.failed > 0 { text += "; \(figures.failed) calls told nothing" }
    if figures.unreached > 0 { text += "; \(figures.unreached) accounts can't be entered" }
    if figures.faults > 0 { text += "; \(figures.faults) rules can't be evaluated" }
    if figures.elsewhere > 0 { text += "; \(figures.elsewhere) changes elsewhere" }
    if figures.lateFinds > 0 { text += "; \(figures.lateFinds) changes were found by a whole look only" }
    if let last = events.lastAt { text += "; last event \(max(0, milliseconds() - last) / 1_000) s ago" }
    return text + (nextScan > 0 ? "; everything again in \(nextScan) s" : "; everything again now")
  }

  private struct Report: Encodable {
    let regions: Int
    let resources: Int
    let findings: Int
    let deliveries: Int
    let events: Int
    let idle: Int
    let malformed: Int
    let elsewhere: Int
    let unneeded: Int
    let looks: Int
    let evaluations: Int
    let calls: Int
    let scan_calls: Int
    let scans: Int
    let late_finds: Int
    let faults: Int
    let changed: [String: Int]
    let cpu_seconds: Double
    let scan_cpu_seconds: Double
    let cpu_seconds_per_change: Double?
    let latency_ms_median: Int64?
    let latency_ms_worst: Int64?
    let changes: [ToldChange]
    let changes_omitted: Int
  }

  private func finish(_ figures: WatchFigures, _ events: EventFigures, _ teller: Teller) throws {
    let told = teller.told.withLock { $0 }
    let isWhole = figures.faults == 0 && events.faults.isEmpty
    for fault in events.faults { say("kabuto: \(fault)") }
    guard json else {
      say(Self.line(figures, events, told.counts, 0))
      if !isWhole { throw couldNot }
      return
    }
    let all = Self.cpuSeconds
    let first = told.cpuAtFirst ?? all
    try printJSON(
      Report(
        regions: figures.regions, resources: figures.resources, findings: figures.findings,
        deliveries: events.deliveries, events: events.events, idle: events.idle, malformed: events.malformed,
        elsewhere: figures.elsewhere, unneeded: figures.unneeded, looks: figures.looks,
        evaluations: figures.evaluations, calls: figures.calls, scan_calls: figures.scanCalls,
        scans: figures.scans, late_finds: figures.lateFinds, faults: figures.faults,
        changed: Dictionary(uniqueKeysWithValues: told.counts.map { ($0.key.rawValue, $0.value) }),
        cpu_seconds: all - first, scan_cpu_seconds: first,
        cpu_seconds_per_change: figures.looks == 0 ? nil : (all - first) / Double(figures.looks),
        latency_ms_median: told.latencies.median, latency_ms_worst: told.latencies.worst,
        changes: told.kept, changes_omitted: told.omitted))
    if !isWhole { throw couldNot }
  }
}
