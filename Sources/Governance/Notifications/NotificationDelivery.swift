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

  /// How long a message is tried, seconds.
  static let mostAge: Int64 = 7 * 86_400

  /// A delivery that is ready to run.
  /// - Parameters:
  ///   - environment: where secrets and the key for topics are looked for.
  ///   - endpoint: one address for all services of AWS, for tests; nil = AWS's own.
  ///   - attempts: at a message, in one run.
  ///   - now: seconds since 1970 UTC.
  public init(
    _ history: FindingHistory, _ targets: [NotificationTarget], environment: [String: String],
    endpoint: String? = nil, attempts: Int = 4, now: @escaping @Sendable () -> Int64
  ) {
    self.history = history
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

  /// Delivers what is due.
  /// - Throws: `HistoryError` where the outbox can't be read or written.
  public func run() async throws(HistoryError) -> DeliveryReport {
    var report = DeliveryReport()
    guard let lock = DeliveryLock(history.path + ".notify.lock") else {
      report.faults.append("another process delivers messages of this history now; nothing was sent here")
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
      for message in try reading({ try Outbox.due($0, at: now()) }) {
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
          let pause = policy.pauseMilliseconds(
            after: outcome, attempt: attempt, random: Double.random(in: 0..<1))
          if let pause {
            try? await Task.sleep(for: .milliseconds(pause))
            continue
          }
          if now() - message.created > Self.mostAge {
            try writing { try Outbox.giveUp($0, message.id, reason, at: now()) }
            report.givenUp += 1
            report.faults.append("target \(target.name): \(reason); given up after a week")
          } else {
            try writing { try Outbox.failed($0, message.id, reason, due: now()) }
            report.waiting += 1
            report.faults.append("target \(target.name): \(reason); tried again at the next run")
          }
          return
        }
      }
    }
  }

  // MARK: - Ways

  private func send(
    _ message: Outbox.Waiting, _ target: NotificationTarget, wasBegun: Bool, _ http: HTTPClient,
    _ topics: TopicPublisher
  ) async throws {
    switch target.destination {
    case .file(let path): try append(message, to: path, wasBegun: wasBegun)
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

  /// A line, written in one piece and on the disk before the message counts as sent.
  private func append(_ message: Outbox.Waiting, to path: String, wasBegun: Bool) throws {
    // A line has its message's id in it, so that one that was written before the process died isn't written again.
    let line =
      message.payload.hasPrefix("{\"text\"")
      ? "{\"id\":\"\(message.id)\"," + message.payload.dropFirst() + "\n" : message.payload + "\n"
    let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw Failure.passing(Self.reason(), .trouble) }
    defer { close(descriptor) }
    if wasBegun, let whole = FileManager.default.contents(atPath: path) {
      if whole.range(of: Data("\"id\":\"\(message.id)\"".utf8), options: .backwards) != nil {
        // It may have been cut off in the middle.
        if whole.last == 10 { return }
      }
      if let last = whole.last, last != 10 { _ = write(descriptor, "\n", 1) }
    }
    let bytes = Array(line.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { throw Failure.passing(Self.reason(), .trouble) }
      done += count
    }
    guard fsync(descriptor) == 0 else { throw Failure.passing(Self.reason(), .trouble) }
  }

  private static func reason() -> String { "the file can't be written: " + String(cString: strerror(errno)) }

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
    for try await part in response.body.prefix(1) { _ = part.readableBytes }
    let status = Int(response.status.code)
    if (200..<300).contains(status) { return }
    let reason = "it answered with status \(status)"
    switch status {
    case 408, 425, 429, 500...:
      let after = response.headers.first(name: "Retry-After").flatMap { Int($0) }
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

/// One process delivers; the kernel lets go when it dies.
private final class DeliveryLock {
  private let descriptor: Int32

  init?(_ path: String) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return nil }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return nil
    }
  }

  func release() { close(descriptor) }
}
