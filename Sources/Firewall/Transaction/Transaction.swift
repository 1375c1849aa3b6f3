// One request and its response on their way through the rules.
//
// The calls come in this order, each once: request line and headers, body, response headers, body, finish. What isn't
// there is left out (a refused request goes from headers to finish). Request line and headers are copied; the bytes of
// bodies must stay until the transaction is recycled.
// Owner: one thread.

public final class Transaction {
  init() {}

  /// Phase 1. `uri` as sent (origin-form or absolute), `version` as sent (`HTTP/1.1`).
  public func request(method: ByteView, uri: ByteView, version: ByteView, headers: [Field]) -> Intervention? { nil }

  /// Whether the rules want the body (SecRequestBodyAccess, ctl:requestBodyAccess), known after phase 1.
  public var wantsRequestBody: Bool { false }

  /// Phase 2, always run. `isComplete` is false where the body was longer than its limit and this is the first part.
  public func requestBody(_ body: ByteView, isComplete: Bool) -> Intervention? { nil }

  /// Phase 3.
  public func response(status: Int, version: ByteView, headers: [Field]) -> Intervention? { nil }

  /// Whether the rules want the response's body (access and media type), known after phase 3.
  public var wantsResponseBody: Bool { false }

  /// Phase 4, always run.
  public func responseBody(_ body: ByteView, isComplete: Bool) -> Intervention? { nil }

  /// Phase 5: logging rules, persistent collections. `now` in nanoseconds since 1970.
  public func finish(now: Int64) {}

  /// Rules that matched and log, in order.
  public var matches: [RuleMatch] { [] }
  /// The request's anomaly score, as the rule set counts it.
  public var score: Int { 0 }
  public var outboundScore: Int { 0 }
  /// What would have been done, were the rules enforced.
  public var wouldBlock: Intervention? { nil }
  /// Limits that were hit and other things that make the answer less than certain, for the log.
  public var notes: [String] { [] }
}
