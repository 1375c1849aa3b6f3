// Takes messages out of the outbox to their targets: one process at a time, each message until its target has it, with
// pauses of full jitter (RetryPolicy); what isn't taken now stays for the next run, for a week.
// A webhook or a topic that takes a message while this process dies is told again, with the same Kabuto-Message-Id; a file
// never.

import AsyncHTTPClient
import Crypto
import Foundation
import GRDB
import NIOCore
import NIOHTTP1

/// What came of a delivery.
public struct DeliveryReport: Sendable, Encodable, Equatable {
  /// Messages that targets have now.
  public internal(set) var sent = 0
  /// Messages that stay for the next time.
  public internal(set) var waiting = 0
  /// Messages that no target will have.
  public internal(set) var givenUp = 0
  /// Why, a line each; addresses and secrets are never among it.
  public internal(set) var faults: [String] = []

  enum CodingKeys: String, CodingKey {
    case sent, waiting, faults
    case givenUp = "given_up"
  }
}

/// See the head of this file.
public struct NotificationDelivery: Sendable {
  private let history: FindingHistory
  private let targets: [String: NotificationTarget]
  private let environment: [String: String]
  private let endpoint: String?
  private let now: @Sendable () -> Int64
  private let policy: RetryPolicy
  private let goesOn: Bool

  /// How long a message is tried, seconds.
  static let mostAge: Int64 = 7 * 86_400
  /// Who wants to be left alone for longer is, until the next run; seconds.
  static let mostWaitSeconds = 60
  /// From a run that failed to the next try, where runs follow each other: it doubles from the first to the last, seconds.
  static let pauses: ClosedRange<Int64> = 60...3_600

  /// A delivery that is ready to run.
  /// - Parameters:
  ///   - environment: where secrets and the key for topics are looked for.
  ///   - endpoint: one address for all services of AWS, for tests; nil = AWS's own.
  ///   - attempts: at a message, in one run.
  ///   - goesOn: whether `run` is called over and over: messages that failed are then left for a while.
  ///   - now: seconds since 1970 UTC.
  public init(
    _ history: FindingHistory, _ targets: [NotificationTarget], environment: [String: String],
    endpoint: String? = nil, attempts: Int = 4, goesOn: Bool = false, now: @escaping @Sendable () -> Int64
  ) {
    self.history = history
    self.goesOn = goesOn
    self.targets = Dictionary(targets.map { ($0.name, $0) }) { first, _ in first }
    self.environment = environment
    self.endpoint = endpoint
    self.now = now
    var policy = RetryPolicy()
    policy.mostAttempts = attempts
    policy.mostConnections = attempts
    policy.mostMilliseconds = 5_000
    policy.answerMilliseconds = 10_000
    self.policy = policy
  }

  private enum Failure: Error {
    /// It won't be different next time.
    case final(String)
    case passing(String, RetryPolicy.Outcome)
  }

  /// Delivers what is due; what a cancelled task doesn't come to waits.
  /// - Throws: `HistoryError` where the outbox can't be read or written.
  public func run() async throws(HistoryError) -> DeliveryReport {
    var report = DeliveryReport()
    let lock: DeliveryLock
    do throws(DeliveryLock.Refusal) { lock = try DeliveryLock(history.path + ".notify.lock") } catch {
      report.faults.append(error.reason + "; nothing was sent here")
      return report
    }
    defer { lock.release() }
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: HTTPClient.Configuration.Timeout(
        connect: .milliseconds(Int64(policy.connectMilliseconds)),
        read: .milliseconds(Int64(policy.answerMilliseconds))))
    configuration.httpVersion = .http1Only
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    let topics = TopicPublisher(
      http, environment: environment, endpoint: endpoint, policy: policy, now: now)
    let result: Result<Void, HistoryError>
    do throws(HistoryError) {
      // Who is asked to send once tries all; who goes on and on leaves alone what was tried just now.
      for message in try reading({ try Outbox.due($0, at: goesOn ? now() : .max) }) {
        try await deliver(message, http, topics, &report)
      }
      result = .success(())
    } catch { result = .failure(error) }
    try? await http.shutdown()
    try result.get()
    return report
  }

  private func reading<T>(_ body: (Database) throws -> T) throws(HistoryError) -> T {
    do { return try history.queue.read(body) } catch { throw .of(history.path, error) }
  }

  private func writing(_ body: (Database) throws -> Void) throws(HistoryError) {
    do { try history.queue.write(body) } catch { throw .of(history.path, error) }
  }

  private func deliver(
    _ message: Outbox.Waiting, _ http: HTTPClient, _ topics: TopicPublisher, _ report: inout DeliveryReport
  ) async throws(HistoryError) {
    guard let target = targets[message.target] else {
      // Whoever names the target next time has it delivered.
      if now() - message.created > Self.mostAge {
        try writing { try Outbox.giveUp($0, message.id, "no such target for a week", at: now()) }
        report.givenUp += 1
      } else {
        report.waiting += 1
      }
      return
    }
    var attempt = 0
    while true {
      if Task.isCancelled {
        report.waiting += 1
        return
      }
      attempt += 1
      try writing { try Outbox.begin($0, message.id) }
      do {
        try await send(message, target, wasBegun: message.attempts + attempt > 1, http, topics)
        try writing { try Outbox.sent($0, message.id, at: now()) }
        report.sent += 1
        return
      } catch let error as HistoryError {
        throw error
      } catch {
        let failure = error as? Failure ?? .passing("\(error)", .silence)
        switch failure {
        case .final(let reason):
          try writing { try Outbox.giveUp($0, message.id, reason, at: now()) }
          report.givenUp += 1
          report.faults.append("target \(target.name): \(reason); the message \(message.id) is given up")
          return
        case .passing(let reason, let outcome):
          var least: Int64 = 0
          if case .throttled(let after?) = outcome, after > Self.mostWaitSeconds {
            least = min(Int64(after), Self.mostAge)
          }
          let pause = policy.pauseMilliseconds(
            after: outcome, attempt: attempt, random: Double.random(in: 0..<1))
          if let pause, least == 0 {
            try? await Task.sleep(for: .milliseconds(pause))
            continue
          }
          if now() - message.created > Self.mostAge {
            try writing { try Outbox.giveUp($0, message.id, reason, at: now()) }
            report.givenUp += 1
            report.faults.append("target \(target.name): \(reason); given up after a week")
          } else {
            let seconds = max(least, self.pause(after: message.attempts))
            try writing { try Outbox.failed($0, message.id, reason, due: now() + seconds) }
            report.waiting += 1
            let next = goesOn ? "in \(seconds) s" : "at the next run"
            report.faults.append("target \(target.name): \(reason); tried again \(next)")
          }
          return
        }
      }
    }
  }

  /// - Parameter attempts: those of runs before this one.
  private func pause(after attempts: Int) -> Int64 {
    let doubled = min(attempts / max(1, policy.mostAttempts), 10)
    return min(Self.pauses.upperBound, Self.pauses.lowerBound << Int64(doubled))
  }

  // MARK: - Ways

  private func send(
    _ message: Outbox.Waiting, _ target: NotificationTarget, wasBegun: Bool, _ http: HTTPClient,
    _ topics: TopicPublisher
  ) async throws {
    switch target.destination {
    case .file(let path):
      do throws(MessageFile.Failure) { try MessageFile(path).append(message, wasBegun: wasBegun) } catch {
        throw Failure.passing(error.reason, .trouble)
      }
    case .webhook(let url): try await post(message, to: url, target, http)
    case .topic(let topic):
      do throws(TopicPublisher.Refusal) {
        try await topics.publish(
          TopicMessage(payload: message.payload), id: message.id, to: topic, address: target.endpoint)
      } catch {
        throw error.outcome.map { Failure.passing(error.reason, $0) } ?? Failure.final(error.reason)
      }
    }
  }

  private func post(
    _ message: Outbox.Waiting, to url: String, _ target: NotificationTarget, _ http: HTTPClient
  ) async throws {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    request.headers.add(name: "User-Agent", value: "kabuto")
    request.headers.add(name: "Kabuto-Message-Id", value: message.id)
    if let secret = target.secret {
      let time = now()
      let code = HMAC<SHA256>.authenticationCode(
        for: Data("\(time).\(message.payload)".utf8), using: SymmetricKey(data: try key(secret)))
      request.headers.add(name: "Kabuto-Signature", value: "t=\(time),v1=\(HexText.of(code))")
    }
    request.body = .bytes(ByteBuffer(string: message.payload))
    let response: HTTPClientResponse
    do {
      response = try await http.execute(
        request, timeout: .milliseconds(Int64(policy.connectMilliseconds + policy.answerMilliseconds)))
    } catch {
      // The error's own words could hold the address.
      let kind = (error as? HTTPClientError).map { "\($0)".split(separator: ".").last.map(String.init) ?? "" }
      throw Failure.passing("no answer" + (kind.map { " (\($0))" } ?? ""), .silence)
    }
    // The status is the answer, whatever becomes of the rest.
    do { for try await part in response.body.prefix(1) { _ = part.readableBytes } } catch {}
    let status = Int(response.status.code)
    if (200..<300).contains(status) { return }
    let reason = "it answered with status \(status)"
    switch status {
    case 408, 425, 429, 500...:
      let after = response.headers.first(name: "Retry-After").flatMap { RetryAfter.seconds($0, now: now()) }
      throw Failure.passing(
        reason, status == 429 || (status == 503 && after != nil) ? .throttled(afterSeconds: after) : .trouble)
    default: throw Failure.final(reason)
    }
  }

  private func key(_ secret: NotificationTarget.Secret) throws -> Data {
    let text: String?
    let place: String
    switch secret {
    case .environment(let name): (text, place) = (environment[name], "the variable \(name)")
    case .file(let path):
      text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
      place = "the file \(path)"
    }
    let trimmed = (text ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    // An unsigned message is never sent where a signed one is wanted; the secret may come later.
    guard !trimmed.isEmpty else { throw Failure.passing("no secret in \(place)", .final) }
    return Data(trimmed.utf8)
  }
}
