// The seam between the proxy and the engine: what the proxy asks of a transaction, and of the workshop that makes
// them. The engine's own types fit as they are; tests put others in their place.
// Owner: one event loop each.

import Firewall

/// One request and its response before the rules; see `Firewall.Transaction`.
protocol InspectedTransaction: AnyObject {
  func request(method: ByteView, uri: ByteView, version: ByteView, headers: [Field]) -> Intervention?
  var wantsRequestBody: Bool { get }
  func requestBody(_ body: ByteView, isComplete: Bool) -> Intervention?
  func response(status: Int, version: ByteView, headers: [Field]) -> Intervention?
  var wantsResponseBody: Bool { get }
  func responseBody(_ body: ByteView, isComplete: Bool) -> Intervention?
  func finish(now: Int64)
  var matches: [RuleMatch] { get }
  var score: Int { get }
  var outboundScore: Int { get }
  var wouldBlock: Intervention? { get }
  var notes: [String] { get }
}

extension Transaction: InspectedTransaction {}

/// What a transaction begins with.
struct Beginning {
  var connection: ConnectionFacts
  var id: String
  var now: Int64
  var random: UInt64
  var enforcing: Bool
}

/// Makes and takes back transactions.
protocol Inspecting: AnyObject {
  func begin(_ beginning: Beginning) -> any InspectedTransaction
  func recycle(_ transaction: any InspectedTransaction)
}

/// The engine, with a policy.
final class EngineInspection: Inspecting {
  private let inspector: Inspector
  private let policy: Policy

  init(_ policy: Policy, inspector: Inspector = Inspector()) {
    self.policy = policy
    self.inspector = inspector
  }

  func begin(_ beginning: Beginning) -> any InspectedTransaction {
    inspector.begin(
      policy: policy, connection: beginning.connection, id: beginning.id, now: beginning.now,
      random: beginning.random, enforcing: beginning.enforcing)
  }

  func recycle(_ transaction: any InspectedTransaction) {
    if let transaction = transaction as? Transaction { inspector.recycle(transaction) }
  }
}

/// A policy as the loops use it: swapped whole, immutable.
struct PolicySnapshot: Sendable {
  var engine: EngineMode
  var bodies: BodySettings
  /// Called once a loop and snapshot, on the loop.
  var makeInspection: @Sendable () -> any Inspecting

  init(_ policy: Policy) {
    engine = policy.engine
    bodies = policy.bodies
    makeInspection = { EngineInspection(policy) }
  }

  init(
    engine: EngineMode, bodies: BodySettings, makeInspection: @escaping @Sendable () -> any Inspecting
  ) {
    self.engine = engine
    self.bodies = bodies
    self.makeInspection = makeInspection
  }
}

/// A snapshot in use on one loop. Transactions in flight keep theirs, so that a reload changes nothing under them.
final class ActivePolicy {
  let engine: EngineMode
  let bodies: BodySettings
  let inspection: any Inspecting
  /// The weaker of the proxy's mode and the rules' SecRuleEngine.
  let enforces: Bool
  let inspects: Bool

  init(_ snapshot: PolicySnapshot, mode: FirewallMode) {
    engine = snapshot.engine
    bodies = snapshot.bodies
    inspection = snapshot.makeInspection()
    enforces = mode == .block && snapshot.engine == .on
    inspects = snapshot.engine != .off
  }
}
