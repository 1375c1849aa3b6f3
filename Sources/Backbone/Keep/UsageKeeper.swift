// Sends what tenants used to the servers that keep, one of each rail, until each has answered. Not in the price path: a
// thread of its own, a record a minute.
// Queue: records wait for the answer, at most 16 MiB a rail (months, where there are few tenants); then the oldest are given
// up and counted. What waits is in memory: it goes with the process.
//
// @unchecked Sendable: what several threads touch is behind `shared`; the rest is the thread's own after `start`.

import FeedHandler
import Foundation
import Synchronization

/// See the head of this file.
public final class UsageKeeper: @unchecked Sendable {
  /// Its figures at one moment, of the rail that has the most.
  public struct Report: Sendable, Equatable {
    /// Records that were to be kept.
    public var records: UInt64 = 0
    /// Records that a server has for sure.
    public var kept: UInt64 = 0
    /// Of these, records that it had already.
    public var duplicates: UInt64 = 0
    /// Records sent again because nobody answered.
    public var repeated: UInt64 = 0
    /// Records given up: too much waited.
    public var givenUp: UInt64 = 0
    /// Records that wait for an answer.
    public var waiting = 0
    /// What a server that keeps said last, where it refused.
    public var fault: String?
  }

  private struct Rail {
    var bus: NatsBus
    var outbox: KeepOutbox
    var subscription: (any BusSubscription)?
    var report = Report()
  }

  private struct Shared {
    var added: [UsageRecord] = []
    var answers: [(rail: Int, number: UInt64, answer: KeepAnswer)] = []
    var reports: [Report] = []
    /// Records that the thread has not put to all rails yet.
    var isTaking = false
  }

  private static let answerNanoseconds: UInt64 = 2_000_000_000
  private static let mostBytes = 16 << 20

  private let node: String
  private var rails: [Rail]
  private let shared: Mutex<Shared>
  private let signal = EventSignal()
  private let stops = Atomic<Bool>(false)
  private let finished = DispatchSemaphore(value: 0)
  private var hasStarted = false

  /// A keeper that hasn't begun.
  /// - Parameter buses: rails with a server that keeps.
  public init(node: String, buses: [NatsBus]) {
    self.node = node
    rails = buses.map { Rail(bus: $0, outbox: KeepOutbox(mostBytes: Self.mostBytes)) }
    shared = Mutex(Shared(reports: buses.map { _ in Report() }))
  }

  /// Figures at this moment.
  public var report: Report {
    shared.withLock { shared in
      var best = shared.reports.max { $0.kept < $1.kept } ?? Report()
      best.waiting += shared.added.count
      return best
    }
  }

  /// Whether each rail has answered for all that was given.
  public var isSettled: Bool {
    shared.withLock { shared in
      shared.added.isEmpty && !shared.isTaking && shared.reports.allSatisfy { $0.waiting == 0 }
    }
  }

  /// Takes a record; never waits.
  public func keep(_ record: UsageRecord) {
    shared.withLock { $0.added.append(record) }
    signal.set()
  }

  private func inbox(_ rail: Int) -> String { "_INBOX.\(StreamSubjects.word(node)).usage.\(rail)" }

  /// Begins.
  /// - Throws: `BusError` where the node can't be a word of a subject.
  public func start() throws(BusError) {
    for rail in rails.indices {
      rails[rail].subscription = try rails[rail].bus.subscribe(inbox(rail) + ".*") { [weak self] message in
        guard let number = UInt64(message.lastWord) else { return }
        let answer = KeepAnswer(message.payload)
        self?.shared.withLock { $0.answers.append((rail, number, answer)) }
        self?.signal.set()
      }
    }
    hasStarted = true
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "keep-usage"
    thread.start()
  }

  /// Ends, after at most `seconds` for what is still unanswered.
  public func stop(seconds: Double = 1) {
    let end = Clock.monotonic() + UInt64(seconds * 1e9)
    while hasStarted, !isSettled, Clock.monotonic() < end { usleep(5_000) }
    guard !stops.exchange(true, ordering: .acquiringAndReleasing), hasStarted else { return }
    for rail in rails { rail.subscription?.cancel() }
    signal.set()
    finished.wait()
  }

  // MARK: - The thread

  private func run() {
    while !stops.load(ordering: .acquiring) {
      let (added, answers) = shared.withLock { shared in
        defer {
          shared.added = []
          shared.answers = []
          shared.isTaking = true
        }
        return (shared.added, shared.answers)
      }
      for record in added {
        let bytes = record.encoded
        for rail in rails.indices {
          rails[rail].outbox.add(record.subject, id: record.id, bytes)
          rails[rail].report.records += 1
        }
      }
      for (rail, number, answer) in answers { take(answer, number, rail) }
      let now = Clock.monotonic()
      for rail in rails.indices { send(rail, at: now) }
      let reports = rails.map { rail in
        var report = rail.report
        report.givenUp = rail.outbox.givenUp
        report.waiting = rail.outbox.count
        return report
      }
      shared.withLock { shared in
        shared.reports = reports
        shared.isTaking = false
      }
      signal.wait(nanoseconds: 200_000_000)
    }
  }

  private func take(_ answer: KeepAnswer, _ number: UInt64, _ rail: Int) {
    rails[rail].report.fault = answer.fault
    guard answer.fault == nil, rails[rail].outbox.answered(number) else { return }
    rails[rail].report.kept += 1
    if answer.isDuplicate { rails[rail].report.duplicates += 1 }
  }

  private func send(_ rail: Int, at now: UInt64) {
    let (bus, inbox) = (rails[rail].bus, inbox(rail))
    // Nothing is counted as dropped that waits here all the same.
    guard bus.state.isConnected else { return }
    rails[rail].report.repeated += rails[rail].outbox.send(at: now, again: Self.answerNanoseconds) {
      number, message in
      message.bytes.withUnsafeBytes {
        bus.publish(message.subject, reply: "\(inbox).\(number)", id: message.id, $0)
      }
    }
  }
}
