// A practice run as a state machine: events in, actions out. Owner: one thread. Pure: conditions, what clients saw and
// times come in, so that every order of events can be tried.
// Invariant: once `inject` was asked for, `heal` is asked for until it was done or given up, whatever else happens;
// and it is asked for at the first thing a client should not have seen.

/// See the head of this file.
public struct DrillMachine: Sendable {
  /// What to do next.
  public enum Action: Sendable, Equatable {
    /// Nothing until the next event.
    case wait
    /// Do the fault, then say `injected` or `injectionFailed`.
    case inject
    /// Take it back, then say `healed` or `healingFailed`.
    case heal(String)
    /// It is over.
    case finish(DrillOutcome)
  }

  enum State: Sendable, Equatable {
    /// All has been well since then; nil = it hasn't been looked at.
    case calming(since: UInt64?)
    case injecting
    case holding(until: UInt64)
    case healing(attempt: Int, because: String, failure: String?)
    /// Healed; watched until then. `wellSince`: the estate is well again.
    case settling(until: UInt64, failure: String?, wellSince: UInt64?)
    case ended(DrillOutcome)
  }

  /// Times that healing is tried before people are called.
  public static let healingAttempts = 5

  /// The plan.
  public let plan: DrillPlan
  private(set) var state = State.calming(since: nil)
  private let lastFailed: String?
  private let wouldLose: [String]
  private let begunAt: UInt64
  /// The nodes that were ready and the paths that were live before.
  private var before = DrillCondition(nodes: [])
  /// The first thing a client saw that it should not have.
  public private(set) var firstError: DrillError?
  /// Somebody wanted it to end while the fault was being done.
  private var stopReason: String?

  /// A run that begins at `now`.
  /// - Parameters:
  ///   - lastFailed: as for `DrillGuard`.
  ///   - wouldLose: as for `DrillGuard`.
  public init(_ plan: DrillPlan, lastFailed: String? = nil, wouldLose: [String] = [], now: UInt64) {
    self.plan = plan
    self.lastFailed = lastFailed
    self.wouldLose = wouldLose
    begunAt = now
  }

  /// Whether the fault may be there.
  public var isFaulted: Bool {
    switch state {
    case .injecting, .holding, .healing: true
    case .ended(.notHealed): true
    case .calming, .settling, .ended: false
    }
  }

  /// Whether the fault is to be taken back as soon as that can be: what still does it is better ended.
  public var isToEnd: Bool {
    if case .injecting = state { return firstError != nil || stopReason != nil }
    return false
  }

  /// A word for what it does.
  public var phase: String {
    switch state {
    case .calming: "calm"
    case .injecting: "inject"
    case .holding: "hold"
    case .healing: "heal"
    case .settling: "settle"
    case .ended: "ended"
    }
  }

  // MARK: - Events

  /// The estate was looked at. It is looked at again and again.
  public mutating func observed(_ condition: DrillCondition, now: UInt64) -> Action {
    switch state {
    case .calming(let since):
      let objections = DrillGuard.objections(
        to: plan, in: condition, lastFailed: lastFailed, wouldLose: wouldLose)
      guard objections.isEmpty else { return end(.refused(objections)) }
      let since = since ?? now
      state = .calming(since: since)
      guard now &- since >= plan.calmNanoseconds else { return .wait }
      before = condition
      state = .injecting
      return .inject
    case .holding:
      // Others than the target must stay well: the fault is to be one fault.
      let others = lost(in: condition).filter { $0 != plan.node }
      guard others.isEmpty else {
        return heal("\(others.joined(separator: ", ")): not ready during the fault", fails: true)
      }
      return tick(now: now)
    case .settling(let until, let failure, let wellSince):
      let isWell = isAsBefore(condition)
      state = .settling(until: until, failure: failure, wellSince: isWell ? wellSince ?? now : nil)
      return tick(now: now)
    case .injecting, .healing, .ended: return .wait
    }
  }

  /// Time went on.
  public mutating func tick(now: UInt64) -> Action {
    switch state {
    case .holding(let until) where now >= until: return heal("the time of the fault is over", fails: false)
    case .settling(let until, let failure, let wellSince):
      if let failure, now >= until || wellSince != nil { return end(.failed(failure)) }
      guard now >= until else { return .wait }
      guard wellSince != nil else {
        return end(
          .failed("the estate was not well again \(plan.settleNanoseconds / 1_000_000_000) s after the fault")
        )
      }
      return end(.passed)
    case .ended(let outcome): return .finish(outcome)
    case .calming, .injecting, .holding, .healing: return .wait
    }
  }

  /// A client saw something that it should not have.
  public mutating func clientSaw(_ error: DrillError, now: UInt64) -> Action {
    if firstError == nil { firstError = error }
    let text = "a client saw it: \(error.text)"
    switch state {
    case .calming: return end(.refused(["a client sees it before anything was done: \(error.text)"]))
    case .injecting:
      // What was asked for may have been done: it is taken back once that is known.
      return .wait
    case .holding: return heal(text, fails: true)
    case .healing(let attempt, let because, let failure):
      state = .healing(attempt: attempt, because: because, failure: failure ?? text)
      return .wait
    case .settling(let until, let failure, let wellSince):
      state = .settling(until: until, failure: failure ?? text, wellSince: wellSince)
      return tick(now: now)
    case .ended(let outcome): return .finish(outcome)
    }
  }

  /// The fault was done.
  public mutating func injected(now: UInt64) -> Action {
    guard case .injecting = state else { return .wait }
    if let firstError { return heal("a client saw it: \(firstError.text)", fails: true) }
    if let stopReason { return heal(stopReason, fails: true) }
    state = .holding(until: now &+ plan.holdNanoseconds)
    return .wait
  }

  /// The fault could not be done, or only half: it is taken back.
  public mutating func injectionFailed(_ reason: String, now: UInt64) -> Action {
    guard case .injecting = state else { return .wait }
    return heal("the fault could not be done: \(reason)", fails: true)
  }

  /// It was taken back.
  public mutating func healed(now: UInt64) -> Action {
    guard case .healing(_, _, let failure) = state else { return .wait }
    state = .settling(until: now &+ plan.settleNanoseconds, failure: failure, wellSince: nil)
    return .wait
  }

  /// It could not be taken back: tried again, then people are called.
  public mutating func healingFailed(_ reason: String, now: UInt64) -> Action {
    guard case .healing(let attempt, let because, let failure) = state else { return .wait }
    guard attempt < Self.healingAttempts else { return end(.notHealed(reason)) }
    state = .healing(attempt: attempt + 1, because: because, failure: failure)
    return .heal(because)
  }

  /// Somebody wants it to end now.
  public mutating func stop(_ reason: String, now: UInt64) -> Action {
    switch state {
    case .calming: return end(.refused([reason]))
    case .injecting:
      stopReason = reason
      return .wait
    case .holding: return heal(reason, fails: true)
    case .healing: return .wait
    case .settling(_, let failure, _): return end(.failed(failure ?? reason))
    case .ended(let outcome): return .finish(outcome)
    }
  }

  // MARK: - Steps

  private mutating func heal(_ because: String, fails: Bool) -> Action {
    state = .healing(attempt: 1, because: because, failure: fails ? because : nil)
    return .heal(because)
  }

  private mutating func end(_ outcome: DrillOutcome) -> Action {
    state = .ended(outcome)
    return .finish(outcome)
  }

  /// Nodes that were ready before and aren't now.
  private func lost(in condition: DrillCondition) -> [String] {
    before.nodes.filter(\.isReady).map(\.name).filter { name in
      !condition.nodes.contains { $0.name == name && $0.isReady }
    }
  }

  private func isAsBefore(_ condition: DrillCondition) -> Bool {
    guard lost(in: condition).isEmpty else { return false }
    let live = Set(condition.paths.filter(\.isLive).map { "\($0.gateway) \($0.name)" })
    return before.paths.allSatisfy { live.contains("\($0.gateway) \($0.name)") }
  }
}
