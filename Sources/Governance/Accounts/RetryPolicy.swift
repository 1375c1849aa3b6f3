// When a call is made again, and after how long: full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter").
// Pure: the random number comes in.

/// See the head of this file.
public struct RetryPolicy: Sendable {
  /// Calls in all, the first one included.
  public var mostAttempts = 6
  /// Calls in all where nobody answers.
  public var mostConnections = 3
  /// The first bound of a pause, in milliseconds; it doubles.
  public var baseMilliseconds = 200
  /// The last bound.
  public var mostMilliseconds = 20_000
  /// How long a connection may take, in milliseconds.
  public var connectMilliseconds = 5_000
  /// How long an answer may take, in milliseconds.
  public var answerMilliseconds = 30_000

  /// The usual one.
  public init() {}

  /// What came of an attempt.
  enum Outcome: Equatable {
    /// Too many calls; `afterSeconds` = when the service wants the next.
    case throttled(afterSeconds: Int?)
    /// The service's own trouble.
    case trouble
    /// No connection, or no answer in time.
    case silence
    /// It won't be different next time.
    case final
  }

  static let throttling: Set<String> = [
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "SlowDown", "PriorRequestNotComplete", "EC2ThrottledException",
  ]
  static let passing: Set<String> = [
    "RequestTimeout", "RequestTimeoutException", "InternalError", "InternalFailure",
  ]

  static func outcome(status: Int, code: String, retryAfter: String?) -> Outcome {
    if status == 429 || throttling.contains(code) {
      return .throttled(afterSeconds: retryAfter.flatMap { Int($0) })
    }
    if [500, 502, 503, 504].contains(status) || passing.contains(code) { return .trouble }
    return .final
  }

  /// How long to wait before the next attempt, in milliseconds; nil = there is none.
  /// - Parameters:
  ///   - attempt: from 1, the one that just failed.
  ///   - random: from 0 to below 1.
  func pauseMilliseconds(after outcome: Outcome, attempt: Int, random: Double) -> Int? {
    let most = outcome == .silence ? mostConnections : mostAttempts
    guard outcome != .final, attempt < most else { return nil }
    let bound = min(Double(mostMilliseconds), Double(baseMilliseconds) * Double(1 << min(attempt - 1, 20)))
    let pause = Int(bound * random)
    // A service that names a time is believed, within reason.
    if case .throttled(let after?) = outcome, after >= 0 { return max(pause, min(after, 60) * 1_000) }
    return pause
  }
}
