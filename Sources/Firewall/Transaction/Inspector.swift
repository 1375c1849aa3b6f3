// A thread's workshop: transactions are made here, and recycled, so that one in steady state allocates nothing.
// Owner: one thread (an event loop).

public final class Inspector {
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
    Transaction()
  }

  /// Takes a finished transaction back; its matches and views are gone after.
  public func recycle(_ transaction: Transaction) {}
}
