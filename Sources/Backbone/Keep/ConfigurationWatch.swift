// Compares the configuration of a node with the kept one: asks the servers that keep until one answers and each minute
// then, and hears what is published. It decides nothing: who differs says so.
// Two rails may keep two versions while one is being published: the higher counts.
//
// @unchecked Sendable: what several threads touch is behind `shared`; the rest is the thread's own after `start`.

import FeedHandler
import Foundation
import Synchronization

/// See the head of this file.
public final class ConfigurationWatch: @unchecked Sendable {
  /// What is known of the kept configuration.
  public enum State: Sendable, Equatable {
    /// Nothing yet; why.
    case unknown(String)
    /// Nothing is kept.
    case nothingKept
    /// This is kept.
    case kept(estate: String, version: Int, configuration: UInt32)
  }

  private struct Shared {
    var state = State.unknown("no server that keeps has answered yet")
    /// Something was published.
    var hasHeard = false
  }

  private static let askSeconds = 60.0
  private static let retrySeconds = 1.0

  private let rails: [(bus: NatsBus, domain: String?)]
  private let shared = Mutex(Shared())
  private let changed: @Sendable (State) -> Void
  private let signal = EventSignal()
  private let stops = Atomic<Bool>(false)
  private let finished = DispatchSemaphore(value: 0)
  private var subscriptions: [any BusSubscription] = []

  /// A watch that hasn't begun.
  /// - Parameters:
  ///   - rails: those with a server that keeps, and its JetStream domain.
  ///   - changed: called with each new state that is known; on the watch's thread.
  public init(
    rails: [(bus: NatsBus, domain: String?)], changed: @escaping @Sendable (State) -> Void = { _ in }
  ) {
    self.rails = rails
    self.changed = changed
  }

  /// What is known now.
  public var state: State { shared.withLock { $0.state } }

  /// Begins.
  /// - Throws: `BusError` where nothing can be heard.
  public func start() throws(BusError) {
    for (bus, _) in rails {
      let subscription = try bus.subscribe(ConfigurationKeep.subject) { [weak self] message in
        guard let self, !message.payload.isEmpty else { return }
        shared.withLock { $0.hasHeard = true }
        signal.set()
      }
      subscriptions.append(subscription)
    }
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "keep-watch"
    thread.start()
  }

  /// Ends.
  public func stop() {
    guard !subscriptions.isEmpty, !stops.exchange(true, ordering: .acquiringAndReleasing) else { return }
    for subscription in subscriptions { subscription.cancel() }
    signal.set()
    finished.wait()
  }

  private func run() {
    var askAt: UInt64 = 0
    while !stops.load(ordering: .acquiring) {
      let hasHeard = shared.withLock { shared in
        defer { shared.hasHeard = false }
        return shared.hasHeard
      }
      // What was heard may have been refused by the server that keeps: what that says now counts.
      if hasHeard { askAt = 0 }
      let now = Clock.monotonic()
      if now >= askAt {
        let found = ask()
        let isKnown = if case .unknown = found.state { false } else { true }
        askAt = now + UInt64((isKnown ? Self.askSeconds : Self.retrySeconds) * 1e9)
        become(found.state, hasFaults: found.hasFaults)
      }
      signal.wait(nanoseconds: 500_000_000)
    }
  }

  private func ask() -> (state: State, hasFaults: Bool) {
    var best: KeptConfiguration?
    var answers = 0
    var faults: [String] = []
    for (bus, domain) in rails where !stops.load(ordering: .acquiring) {
      do throws(BusError) {
        if let kept = try ConfigurationKeep(bus: bus, domain: domain).last(),
          kept.version >= best?.version ?? Int.min
        {
          best = kept
        }
        answers += 1
      } catch { faults.append(error.description) }
    }
    if let best {
      return (
        .kept(estate: best.estate, version: best.version, configuration: best.configuration), !faults.isEmpty
      )
    }
    return (answers > 0 ? .nothingKept : .unknown(faults.joined(separator: "; ")), !faults.isEmpty)
  }

  private func become(_ state: State, hasFaults: Bool) {
    let isNews = shared.withLock { shared in
      // What was known stays known while nobody answers, and a higher version while not all do.
      if case .unknown = state, case .kept = shared.state { return false }
      if hasFaults, case .kept(_, let known, _) = shared.state {
        guard case .kept(_, let version, _) = state, version >= known else { return false }
      }
      defer { shared.state = state }
      return shared.state != state
    }
    if isNews { changed(state) }
  }
}
