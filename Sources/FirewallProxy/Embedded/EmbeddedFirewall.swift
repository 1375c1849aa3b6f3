// The firewall inside another server of this process: the same rules, log, ids and pages as the proxy's, without a
// connection of its own. The server asks on its own event loops and answers itself; there is no second hop.
//
// The policy is swapped whole: a loop looks at a number before each request and takes the newer policy when it changed;
// requests in work finish with theirs. Methods may be called from any thread.

public import Firewall
public import Logging
import NIOCore
import Synchronization

/// What an embedded firewall runs with.
public struct EmbeddedSettings: Sendable {
  /// What happens to what the rules would deny.
  public var mode = FirewallMode.block
  /// A JSON line for each transaction; nil: none.
  public var logFile: String?
  /// Lines of the log that wait for the disk; beyond, lines are dropped and counted.
  public var logBufferBytes = 32 << 20
  /// What request ids are made from beside the time; nil: the system's randomness.
  public var seed: UInt64?
  /// The usual ones.
  public init() {}
}

/// See the head of this file.
public final class EmbeddedFirewall: Sendable {
  private struct State {
    var snapshot: PolicySnapshot
    var seeds: RandomBits
    var lastFault: String?
  }

  let settings: EmbeddedSettings
  let log: TransactionLog?
  let tally = EmbeddedTally()
  /// Rises with each policy taken into use.
  let generation = Atomic<Int>(0)
  let reloading: Reloading
  private let logger: Logger
  private let state: Mutex<State>

  /// A firewall with a policy in use.
  /// - Parameters:
  ///   - loadPolicy: reads and compiles the rules anew; never called on an event loop.
  /// - Throws: where the log can't be written.
  public convenience init(
    settings: EmbeddedSettings, policy: Policy, logger: Logger,
    loadPolicy: @escaping @Sendable () throws -> Policy
  ) throws(FirewallError) {
    try self.init(
      settings: settings, snapshot: PolicySnapshot(policy), logger: logger,
      loadSnapshot: { PolicySnapshot(try loadPolicy()) })
  }

  init(
    settings: EmbeddedSettings, snapshot: PolicySnapshot, logger: Logger,
    loadSnapshot: @escaping @Sendable () throws -> PolicySnapshot
  ) throws(FirewallError) {
    self.settings = settings
    self.logger = logger
    reloading = Reloading(loadSnapshot)
    log = try settings.logFile.map { path throws(FirewallError) in
      try TransactionLog(path: path, limitBytes: settings.logBufferBytes) { logger.error("firewall: \($0)") }
    }
    state = Mutex(
      State(snapshot: snapshot, seeds: RandomBits(seed: settings.seed ?? UInt64.random(in: .min ... .max))))
  }

  /// What one event loop screens with; it belongs to that loop.
  public func loop() -> EmbeddedLoop { EmbeddedLoop(self, seed: state.withLock { $0.seeds.next() }) }

  var snapshot: PolicySnapshot { state.withLock { $0.snapshot } }

  /// Why the last reload was not taken into use; nil where it was.
  public var lastFault: String? { state.withLock { $0.lastFault } }

  /// Loads the policy anew and takes it into use for requests that begin from now on. With a fault the old one stays, and
  /// the process's log says why. One reload runs at a time; who asks meanwhile gets the result of one after it, so that
  /// the files as they are at the last call are in use in the end.
  /// - Throws: what `loadPolicy` throws.
  public func reload() async throws { try await reloading.run { try self.take($0) } }

  private func take(_ result: Result<PolicySnapshot, any Error>) throws {
    switch result {
    case .success(let snapshot):
      state.withLock { state in
        state.snapshot = snapshot
        state.lastFault = nil
      }
      generation.wrappingAdd(1, ordering: .releasing)
      logger.info("firewall: new policy in use")
    case .failure(let error):
      state.withLock { $0.lastFault = "\(error)" }
      tally.reloadFailures.wrappingAdd(1, ordering: .relaxed)
      logger.error("firewall: the policy was not reloaded, the old one stays: \(error)")
      throw error
    }
  }

  /// Opens the log file anew, after it was moved away.
  public func reopenLog() { log?.reopen() }

  /// Counters since the start: name without prefix, what it counts, value.
  public var counters: [(name: String, help: String, value: UInt64)] {
    tally.list + [
      (
        "reloads_total", "Policies taken into use after the first.",
        UInt64(generation.load(ordering: .relaxed))
      ),
      ("log_lines_dropped_total", "Log lines dropped.", log?.droppedLines ?? 0),
    ]
  }

  /// Writes what the log still holds. For when the loops have ended.
  public func close() { log?.close() }
}

/// What is counted over all loops.
final class EmbeddedTally: Sendable {
  let requests = Atomic<UInt64>(0)
  let blocked = Atomic<UInt64>(0)
  let alarmed = Atomic<UInt64>(0)
  let refused = Atomic<UInt64>(0)
  let reloadFailures = Atomic<UInt64>(0)

  var list: [(name: String, help: String, value: UInt64)] {
    [
      ("requests_total", "Requests inspected.", requests.load(ordering: .relaxed)),
      ("blocked_total", "Requests denied by a rule.", blocked.load(ordering: .relaxed)),
      ("alarmed_total", "Requests that would have been denied.", alarmed.load(ordering: .relaxed)),
      ("refused_total", "Requests refused for a limit.", refused.load(ordering: .relaxed)),
      (
        "reload_failures_total", "Policies with faults, not taken into use.",
        reloadFailures.load(ordering: .relaxed)
      ),
    ]
  }
}
