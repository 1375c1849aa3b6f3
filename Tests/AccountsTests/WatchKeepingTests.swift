// What a watch keeps, and what it doesn't: nothing of what a cancelled task found, everything of what lines told, a look at
// everything as one run, and exceptions with their ends.

import Foundation
import GRDB
import GuardRules
import Synchronization
import Testing

@testable import Governance
@testable import Resources

@Suite struct WatchKeepingTests {
  private static let noon: Int64 = 1_795_687_201_000

  private final class Clock: Sendable {
    let milliseconds = Mutex(WatchKeepingTests.noon)
    var now: Int64 { milliseconds.withLock { $0 } }
  }

  private func watching(
    _ play: @escaping PlayedService.Play, sink: any FindingSink = FindingMemory(), clock: Clock = Clock(),
    adjust: (@Sendable (inout CheckResult, Int64) -> Void)? = nil,
    _ body: (AccountWatch, ScanOptions) async throws -> Void
  ) async throws {
    let service = try await PlayedService(play)
    var options = WatchOptions()
    options.scan = WatchTests.options(service)
    options.adjust = adjust
    let watch = try AccountWatch(
      [.own], try RuleSet(text: WatchTests.rules, name: "t.guard"), options, sink: sink,
      environment: WatchTests.environment, clock: { clock.now })
    let result: Result<Void, any Error>
    do { result = .success(try await body(watch, options.scan)) } catch { result = .failure(error) }
    await watch.end()
    try await service.end()
    try result.get()
  }

  private static func opened(_ group: String) -> String {
    SimulatedAccount.event("ec2", "AuthorizeSecurityGroupIngress", #"{"groupId":"\#(group)"}"#)
  }

  private func run(
    _ watch: AccountWatch, _ scan: ScanOptions, _ lines: String, againSeconds: Int = 60,
    say: @escaping @Sendable (WatchWord) -> Void = { _ in }
  ) async throws -> WatchRun {
    var pace = WatchPace()
    pace.coalesceMilliseconds = 0
    pace.againSeconds = againSeconds
    return try await WatchRun(
      watch, .lines(lines), pace, scan: scan, targets: [.own], environment: WatchTests.environment,
      clock: { Self.noon }, say: say)
  }

  // MARK: - Cancelled

  /// Cancels a task in the middle of a call.
  private final class Breaker: Sendable {
    let task = Mutex<Task<[ToldChange], any Error>?>(nil)
    let isArmed = Mutex(false)

    func play(_ account: SimulatedAccount) -> PlayedService.Play {
      { asked, number in
        if self.isArmed.withLock({ $0 }), asked.action.hasPrefix("Describe") {
          for _ in 0..<1_000 where self.task.withLock({ $0 == nil }) { usleep(1_000) }
          self.task.withLock { $0?.cancel() }
        }
        return account.play(asked, number)
      }
    }
  }

  @Test(arguments: [true, false]) func whatACancelledTaskFoundIsNotKept(all: Bool) async throws {
    let account = SimulatedAccount()
    account.state.withLock { $0.groups["sg-1"] = ["0.0.0.0/0"] }
    let breaker = Breaker()
    let memory = FindingMemory()
    try await watching(breaker.play(account), sink: memory) { watch, _ in
      _ = try await watch.scanAll()
      let (seen, kept) = (memory.seen, await WatchTests.kept(watch))
      breaker.isArmed.withLock { $0 = true }
      let looking = Task {
        all ? try await watch.scanAll() : try await watch.apply(WatchTests.plan([Self.opened("sg-1")]))
      }
      breaker.task.withLock { $0 = looking }
      await #expect(throws: CancellationError.self) { try await looking.value }
      breaker.isArmed.withLock { $0 = false }
      #expect(memory.seen == seen && memory.count == seen.count)
      #expect(await WatchTests.kept(watch) == kept)
      #expect(try await watch.scanAll().isEmpty)
    }
  }

  @Test func watchThatIsEndedInItsFirstLookEndsWell() async throws {
    let account = SimulatedAccount()
    let memory = FindingMemory()
    let first = Mutex<Task<EventFigures, any Error>?>(nil)
    let play: PlayedService.Play = { asked, number in
      for _ in 0..<1_000 where first.withLock({ $0 == nil }) { usleep(1_000) }
      first.withLock { $0?.cancel() }
      return account.play(asked, number)
    }
    try await watching(play, sink: memory) { watch, scan in
      let run = try await run(watch, scan, "/dev/null")
      let running = Task { try await run.run() }
      first.withLock { $0 = running }
      #expect(try await running.value == EventFigures())
      #expect(memory.count == 0)
    }
  }

  // MARK: - Lines

  @Test(arguments: [true, false]) func whatLinesToldIsKeptBeforeTheEndOrMissed(hasRoom: Bool) async throws {
    let account = SimulatedAccount()
    account.state.withLock { $0.groups = ["sg-1": [], "sg-2": []] }
    let folder = try TestFolder()
    let path = folder.file("events")
    let lines = ["sg-1", "sg-2"].map { Self.opened($0).replacingOccurrences(of: "\n", with: "") }
    try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    let sink = WatchTests.MoodySink()
    let notes = Mutex<[String]>([])
    try await watching(account.play, sink: sink) { watch, scan in
      let run = try await run(watch, scan, path) { word in
        switch word {
        case .status:
          // After the first look the disk is full.
          account.state.withLock { $0.groups = ["sg-1": ["0.0.0.0/0"], "sg-2": ["0.0.0.0/0"]] }
          sink.isFull.withLock { $0 = true }
        case .note(let text):
          let count = notes.withLock { notes in
            notes.append(text)
            return notes.count
          }
          if hasRoom, count == 2 { sink.isFull.withLock { $0 = false } }
        }
      }
      let figures = try await run.run()
      #expect(figures.events == 2)
      let told = notes.withLock { $0 }
      #expect(told.count == 2 && told.allSatisfy { $0.contains("can't be kept") && !$0.contains("queue") })
      let open = await watch.regions["aws:111122223333/eu-west-1"]?.result.findings.map(\.resource) ?? []
      #expect(open.count { $0.contains("sg-") } == (hasRoom ? 2 : 0))
      #expect(figures.faults.isEmpty == hasRoom)
      #expect(figures.faults.allSatisfy { $0.contains("can't be kept") })
    }
  }

  @Test func whatCouldNotBeKeptIsLookedAtAgainWhileLinesGoOn() async throws {
    let account = SimulatedAccount()
    account.state.withLock { $0.groups = ["sg-1": []] }
    let folder = try TestFolder()
    let path = folder.file("events")
    #expect(mkfifo(path, 0o600) == 0)
    // Both ends: lines end when the test says so.
    let writer = open(path, O_RDWR)
    let sink = WatchTests.MoodySink()
    let words = WatchTests.Words()
    func until(_ what: () async -> Bool) async throws {
      for _ in 0..<2_000 {
        if await what() { return }
        try await Task.sleep(for: .milliseconds(10))
      }
      Issue.record("waited in vain: \(words.notes.withLock { $0 })")
    }
    try await watching(account.play, sink: sink) { watch, scan in
      let run = try await run(watch, scan, path, againSeconds: 1) { words.hear($0) }
      let running = Task { try await run.run() }
      try await until { await watch.now().scans == 1 }
      account.state.withLock { $0.groups = ["sg-1": ["0.0.0.0/0"]] }
      sink.isFull.withLock { $0 = true }
      let line = Self.opened("sg-1").replacingOccurrences(of: "\n", with: "") + "\n"
      #expect(write(writer, line, line.utf8.count) == line.utf8.count)
      try await until { words.notes.withLock { $0.contains { $0.contains("still can't be kept") } } }
      sink.isFull.withLock { $0 = false }
      try await until { sink.memory.count == 1 }
      #expect(await watch.now().scans == 1, "not by a whole look")
      running.cancel()
      #expect(try await running.value.faults.isEmpty)
    }
    close(writer)
  }

  @Test func foldersAreNoLinesAndAnEndThatIsNoneIsTold() async throws {
    let folder = try TestFolder()
    let fault = #expect(throws: FileFault.self) { try EventLines(folder.path, coalesceMilliseconds: 0) }
    #expect(fault?.reason.contains("neither a file nor a pipe") == true)
    let file = folder.file("events")
    try Data("{}\n".utf8).write(to: URL(fileURLWithPath: file))
    let lines = try EventLines(file, coalesceMilliseconds: 0)
    while try await lines.next() != nil {}
    #expect(lines.fault == nil)
    // Can be opened, and not be read.
    let broken = try EventLines("/proc/self/mem", coalesceMilliseconds: 0)
    while try await broken.next() != nil {}
    #expect(broken.fault?.contains("can't be read on after line 0") == true)
  }

  // MARK: - The history

  @Test func lookAtEverythingIsOneRunAndOneMessage() async throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let account = SimulatedAccount()
    account.state.withLock { state in
      state.groups["sg-1"] = ["0.0.0.0/0"]
      state.users["u"] = SimulatedAccount.User()
      state.users["u"]?.hasPassword = true
    }
    var target = NotificationTarget(name: "log", destination: .file(folder.file("told.jsonl")))
    target.severity = .info
    let ends = [ExceptionEnd(id: "EX-1", ends: "2026-11-30", owner: "sato", reason: "A trial")]
    let sink = HistorySink(history, targets: [target], exceptions: { _ in ends })
    try await watching(account.play, sink: sink) { watch, _ in
      let told = try await watch.scanAll()
      #expect(Set(told.map(\.finding.input)).count > 1)
      let reader = HistoryReader(folder.path)
      let runs = try reader.runs(limit: 10)
      #expect(runs.count == 1 && runs.first?.opened == told.count && runs.first?.inputs == 2)
      #expect(try reader.exception("EX-1") == ends[0])
      let messages = try await history.queue.read {
        try String.fetchAll($0, sql: "SELECT payload FROM message")
      }
      #expect(messages.count == 1 && messages[0].contains("Exceptions that end 1"))
      // What is as it was is kept as a run, and told nobody.
      #expect(try await watch.scanAll().isEmpty)
      #expect(try reader.runs(limit: 10).map(\.again) == [told.count, 0])
      #expect(try reader.latestRuns().first?.inputs == 2)
    }
  }

  @Test func findingThatFailsAgainAfterItWasUnseenIsTold() throws {
    let folder = try TestFolder()
    let sink = HistorySink(try FindingHistory(folder.path))
    let failing = CheckResult.made([.made()], [("s3_public", .fail)])
    #expect(try sink.take(failing, input: region, resources: nil, at: 1).map(\.kind) == [.new])
    let hidden = CheckResult.made([], [("s3_public", .fail)], hides: ["s3_public"])
    #expect(try sink.take(hidden, input: region, resources: nil, at: 2).map(\.kind) == [.unseen])
    #expect(try sink.take(failing, input: region, resources: nil, at: 3).map(\.kind) == [.seen])
    #expect(try sink.take(failing, input: region, resources: nil, at: 4).isEmpty)
  }

  /// Of several clauses at one place memory tells the one that the history tells.
  @Test func memoryTellsWhatFailsBeforeWhatCanNotBeTold() {
    let unknown = Finding.made(status: "UNKNOWN", found: "null")
    let both = CheckResult.made([unknown, .made()], [("s3_public", .fail)])
    let told = FindingMemory().take(both, input: region, resources: nil, at: 1)
    #expect(told.map(\.status) == ["FAIL"] && told.map(\.found) == [#""PublicRead""#])
  }

  @Test func exceptionThatEndsIsSeenWithoutAnEvent() async throws {
    let account = SimulatedAccount()
    account.state.withLock { $0.groups["sg-1"] = ["0.0.0.0/0"] }
    let clock = Clock()
    let last = (Self.noon / 86_400_000 + 1) * 86_400
    let covers: @Sendable (inout CheckResult, Int64) -> Void = { result, now in
      if now < last { result.findings.removeAll { $0.rule == "closed" } }
    }
    try await watching(account.play, clock: clock, adjust: covers) { watch, _ in
      #expect(try await watch.scanAll().allSatisfy { $0.finding.rule != "closed" })
      #expect(try await watch.lookAgain().isEmpty)
      clock.milliseconds.withLock { $0 = last * 1_000 }
      let told = try await watch.lookAgain()
      #expect(told.map(\.finding.rule) == ["closed"] && told.map(\.event) == ["again"])
      #expect(try await watch.lookAgain().isEmpty)
    }
  }
}
