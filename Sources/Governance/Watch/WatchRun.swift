// Runs a watch: events in, looks out, a whole scan at its interval, until the events end or somebody says so. A delivery
// is forgotten only after what came of it is kept; one that can't be read is told and left to the queue's own ways
// (a redrive policy). Owner: one task.

import Foundation
import GuardRules
import Resources

/// How a watch goes on.
public struct WatchPace: Sendable {
  /// How long from one whole scan to the next, in seconds.
  public var fullEverySeconds = 6 * 3_600
  /// How soon what couldn't be told is asked again, in seconds.
  public var againSeconds = 60
  /// How often it says how it is, in seconds.
  public var statusSeconds = 60
  /// How long after a first event others are waited for, in milliseconds; 0 = not at all.
  public var coalesceMilliseconds = 1_000
  /// How long a message is kept from others while it is worked on, in seconds.
  public var visibilitySeconds = 60
  /// After so many deliveries a message that can't be read is left to the dead-letter queue.
  public var mostDeliveries = 3

  /// The usual one.
  public init() {}
}

/// Where a watch has its events from.
public enum WatchEvents: Sendable, Equatable {
  /// A queue of SQS, by its address.
  case queue(String)
  /// Lines of JSON; `-` = standard input.
  case lines(String)
}

/// What came in.
public struct EventFigures: Sendable, Equatable {
  /// Deliveries, doubled ones included.
  public internal(set) var deliveries = 0
  /// Events in them.
  public internal(set) var events = 0
  /// Those that change nothing that rules see.
  public internal(set) var idle = 0
  /// Texts that aren't events.
  public internal(set) var malformed = 0
  /// When the last delivery came, milliseconds since 1970 UTC.
  public internal(set) var lastAt: Int64?
  /// What makes the whole less than it should be: events that couldn't be read, changes that aren't kept.
  public internal(set) var faults: [String] = []
}

/// Something that a watch says.
public enum WatchWord: Sendable {
  /// Something for people.
  case note(String)
  /// How it is.
  case status(WatchFigures, EventFigures, nextScanSeconds: Int)
}

/// See the head of this file.
public struct WatchRun: Sendable {
  private let watch: AccountWatch
  private let source: any EventSource
  private let pace: WatchPace
  private let clock: @Sendable () -> Int64
  private let say: @Sendable (WatchWord) -> Void

  /// - Parameters:
  ///   - environment: where the queue's key is looked for.
  ///   - clock: milliseconds since 1970 UTC.
  ///   - say: what people are told; changes are told by the watch itself.
  /// - Throws: `GovernanceFaults` where there is nothing to read from.
  public init(
    _ watch: AccountWatch, _ events: WatchEvents, _ pace: WatchPace, scan: ScanOptions,
    targets: [AccountTarget],
    environment: [String: String], clock: @escaping @Sendable () -> Int64,
    say: @escaping @Sendable (WatchWord) -> Void
  ) async throws(GovernanceFaults) {
    self.watch = watch
    self.pace = pace
    self.clock = clock
    self.say = say
    switch events {
    case .lines(let path):
      do throws(FileFault) {
        source = try EventLines(path, coalesceMilliseconds: pace.coalesceMilliseconds)
      } catch {
        throw GovernanceFaults([error.description])
      }
    case .queue(let url):
      // The queue is asked with the key at hand, not with the roles of accounts.
      let own = targets.first { if case .profile = $0 { true } else { $0 == .own } } ?? .own
      source = await watch.queue(url, own, pace, environment: environment)
    }
  }

  private struct State {
    var events = EventFigures()
    var nextScan: ContinuousClock.Instant
    var nextAgain: ContinuousClock.Instant
    var nextStatus: ContinuousClock.Instant
    /// Messages that couldn't be read and were told, by what was told last.
    var told: [String: Int] = [:]
    var pause = 1
    /// What events named and couldn't be kept, where nobody tells it again.
    var unkept = ChangePlan()
    /// Why what was found last couldn't be kept.
    var fault: String?
  }

  /// Goes on until the events end, or the task is cancelled.
  /// - Returns: what came in.
  /// - Throws: `GovernanceFaults` where nothing can be looked at at all; what the sink throws at the first scan.
  public func run() async throws -> EventFigures {
    do { _ = try await watch.scanAll() } catch is CancellationError { return EventFigures() }
    let now = ContinuousClock.now
    var state = State(
      nextScan: now + .seconds(await scanPause), nextAgain: now + .seconds(pace.againSeconds),
      nextStatus: now + .seconds(pace.statusSeconds))
    say(.status(await watch.now(), state.events, nextScanSeconds: pace.fullEverySeconds))
    while !Task.isCancelled {
      let received: [Delivery]?
      do throws(CallFailure) {
        received = try await source.next()
        state.pause = 1
      } catch {
        if Task.isCancelled { break }
        say(.note("events can't be had: \(error.text); asked again in \(state.pause) s"))
        try? await Task.sleep(for: .seconds(state.pause))
        state.pause = min(60, state.pause * 2)
        await watch.traffic.listenAgain()
        received = []
      }
      guard let deliveries = received else { break }
      if !deliveries.isEmpty { await work(deliveries, &state) }
      await periodic(&state)
    }
    return await ended(state)
  }

  /// Before the end what lines named and couldn't be kept is looked at once more.
  private func ended(_ state: State) async -> EventFigures {
    var events = state.events
    if let fault = source.fault { events.faults.append(fault) }
    if !state.unkept.isEmpty {
      // Also where this task is cancelled.
      let looking = Task { [watch, plan = state.unkept] in try await watch.apply(plan) }
      do { _ = try await looking.value } catch {
        events.faults.append("what was found can't be kept: \(error); what lines told of it is lost")
      }
    } else if let fault = state.fault {
      events.faults.append("what was found last isn't kept: \(fault)")
    }
    return events
  }

  /// Sooner where an account couldn't be entered.
  private var scanPause: Int {
    get async { await watch.now().unreached > 0 ? min(300, pace.fullEverySeconds) : pace.fullEverySeconds }
  }

  // MARK: - Deliveries

  private func work(_ deliveries: [Delivery], _ state: inout State) async {
    var plan = ChangePlan()
    var good: [Delivery] = []
    state.events.deliveries += deliveries.count
    state.events.lastAt = clock()
    for delivery in deliveries {
      var isGood = true
      for event in ChangeEvents.read(delivery.body) {
        switch event {
        case .success(let event):
          state.events.events += 1
          if event.places.isEmpty { state.events.idle += 1 }
          plan.add(event)
        case .failure(let fault):
          isGood = false
          malformed(delivery, fault, &state)
        }
      }
      // What is good in it is looked at, and once more when it comes again: that does no harm.
      if isGood { good.append(delivery) }
    }
    let source = source
    let holder = Task { [pace] in
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(max(1, pace.visibilitySeconds / 3)))
        if !Task.isCancelled { await source.hold(deliveries) }
      }
    }
    defer { holder.cancel() }
    do {
      if !(try await watch.apply(plan)).isEmpty { state.fault = nil }
    } catch is CancellationError {
      return
    } catch {
      state.fault = "\(error)"
      if !source.redelivers { state.unkept.add(plan) }
      let what =
        source.redelivers ? "the events are left in the queue" : "looked at again in \(pace.againSeconds) s"
      say(.note("what was found can't be kept: \(error); \(what)"))
      return
    }
    do throws(CallFailure) { try await source.done(good) } catch {
      say(
        .note(
          "\(good.count) messages can't be deleted: \(error.text); they will come again, and change nothing"))
    }
  }

  private func malformed(_ delivery: Delivery, _ fault: ChangeEventFault, _ state: inout State) {
    state.events.malformed += 1
    let before = state.told[delivery.id]
    let isLast = delivery.count >= pace.mostDeliveries
    guard before == nil || (isLast && (before ?? 0) < pace.mostDeliveries) else { return }
    // What was told long ago is forgotten, and told once more.
    if state.told.count >= 10_000 { state.told = [:] }
    state.told[delivery.id] = delivery.count
    let end =
      delivery.receipt.isEmpty
      ? "passed over"
      : isLast
        ? "left to the dead-letter queue after \(delivery.count) deliveries" : "left in the queue"
    say(.note("\(delivery.id): \(fault); \(end)"))
  }

  // MARK: - From time to time

  /// Looks once more at what couldn't be kept.
  /// - Returns: whether nothing of it is left.
  private func keptAgain(_ state: inout State) async throws(CancellationError) -> Bool {
    guard !state.unkept.isEmpty else { return true }
    do { _ = try await watch.apply(state.unkept) } catch let error as CancellationError {
      throw error
    } catch {
      state.fault = "\(error)"
      say(.note("what was found still can't be kept: \(error); again in \(pace.againSeconds) s"))
      return false
    }
    (state.unkept, state.fault) = (ChangePlan(), nil)
    return true
  }

  private func periodic(_ state: inout State) async {
    let now = ContinuousClock.now
    do {
      if now >= state.nextScan {
        _ = try await watch.scanAll()
        (state.unkept, state.fault) = (ChangePlan(), nil)
        state.nextScan = .now + .seconds(await scanPause)
        state.nextAgain = .now + .seconds(pace.againSeconds)
      } else if now >= state.nextAgain {
        state.nextAgain = now + .seconds(pace.againSeconds)
        guard try await keptAgain(&state) else { return }
        _ = try await watch.lookAgain()
        state.nextAgain = .now + .seconds(pace.againSeconds)
      }
    } catch is CancellationError {
      return
    } catch {
      // Without a key nothing was found that would have to be kept.
      if !(error is GovernanceFaults) { state.fault = "\(error)" }
      say(.note("a whole look failed: \(error); again in \(pace.againSeconds) s"))
      state.nextScan = .now + .seconds(pace.againSeconds)
      state.nextAgain = state.nextScan
    }
    if now >= state.nextStatus {
      let left = max(0, Int(ContinuousClock.now.duration(to: state.nextScan).components.seconds))
      say(.status(await watch.now(), state.events, nextScanSeconds: left))
      state.nextStatus = .now + .seconds(pace.statusSeconds)
    }
  }
}

extension AccountWatch {
  /// A queue, asked with a key of its own, past the calls of scans.
  func queue(
    _ url: String, _ target: AccountTarget, _ pace: WatchPace, environment: [String: String]
  ) -> EventQueue {
    let scan = options.scan
    let sources = CredentialSources(
      environment: environment, http: http, policy: scan.policy, endpoints: Endpoints(only: scan.endpoint),
      now: { [clock] in clock() / 1_000 })
    let region = EventQueue.region(url) ?? sources.homeRegion(target)
    let partition = region.hasPrefix("cn-") ? "aws-cn" : region.hasPrefix("us-gov-") ? "aws-us-gov" : "aws"
    // A queue that isn't AWS's own is asked where it is.
    let parts = url.split(separator: "/", maxSplits: 2).map(String.init)
    let own = EventQueue.region(url) == nil && parts.count > 1 ? "\(parts[0])//\(parts[1])" : nil
    let client = ServiceClient(
      http: http, keeper: sources.keeper(target), endpoints: Endpoints(only: scan.endpoint ?? own),
      policy: scan.policy,
      traffic: Traffic(mostAtOnce: 8), now: { [clock] in clock() / 1_000 })
    return EventQueue(
      client: client, url: url, scope: CallScope(region: region, account: "", partition: partition),
      visibilitySeconds: pace.visibilitySeconds,
      // An answer must come before its time is up.
      waitSeconds: max(0, min(20, pace.againSeconds, scan.policy.answerMilliseconds / 1_000 - 5)),
      coalesceMilliseconds: pace.coalesceMilliseconds)
  }
}
