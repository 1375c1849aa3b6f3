// A thread's workshop: transactions are made here, and recycled, so that one in steady state allocates nothing.
// Owner: one thread (an event loop).

/// Makes transactions; see the head of this file.
public final class Inspector {
  private var idle: [Transaction] = []
  /// Scratch memory for the policy that was used last; a policy of another shape gets its own.
  private var scan: (policy: Policy, scratch: ScanScratch?)?
  /// Transactions kept for reuse.
  static let idleCount = 256

  /// A workshop without anything in it yet.
  public init() {}

  /// A transaction for one request. `enforcing` is false where the proxy only observes: then nothing asks for an
  /// intervention, and `wouldBlock` says what would have been done.
  /// - Parameters:
  ///   - id: UNIQUE_ID, the request's id in logs.
  ///   - now: nanoseconds since 1970.
  ///   - random: for rules that sample.
  public func begin(
    policy: Policy, connection: ConnectionFacts, id: String, now: Int64, random: UInt64, enforcing: Bool
  ) -> Transaction {
    if scan?.policy !== policy {
      scan = (
        policy, ScanScratch(for: policy.databases, largest: policy.largestDatabase)
      )
    }
    let transaction = idle.popLast() ?? Transaction()
    transaction.start(
      policy: policy, scan: scan?.scratch, connection: connection, id: id, now: now, random: random,
      enforcing: enforcing)
    return transaction
  }

  /// Takes a finished transaction back; its matches and views are gone after.
  public func recycle(_ transaction: Transaction) {
    transaction.forget()
    if idle.count < Inspector.idleCount { idle.append(transaction) }
  }
}
