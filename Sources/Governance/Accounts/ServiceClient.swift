// Sends calls: signed, within a bound of calls at once, again where that may help, never faster than a service bears. What
// doesn't answer isn't asked again and again: the first call that failed speaks for the others of that service and region.

import AsyncHTTPClient
import Foundation
import GuardRules
import NIOCore
import NIOHTTP1
import NIOPosix
import Resources

/// Where services are.
struct Endpoints: Sendable {
  /// One address for all; nil = AWS's own.
  let only: String?

  /// `https://host`, and the region that a signature is for.
  func find(_ service: String, region: String, isGlobal: Bool, partition: String) -> (
    origin: String, region: String
  ) {
    let home = ["aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"][partition] ?? "us-east-1"
    let signed = isGlobal && service != "s3" ? home : region
    if let only { return (only, signed) }
    let domain = partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"
    switch (service, partition) {
    case ("iam", "aws"), ("route53", "aws"): return ("https://\(service).\(domain)", signed)
    case ("iam", "aws-us-gov"), ("route53", "aws-us-gov"):
      return ("https://\(service).us-gov.\(domain)", signed)
    case ("route53", "aws-cn"): return ("https://route53.\(domain)", "cn-northwest-1")
    default: return ("https://\(service).\(signed).\(domain)", signed)
    }
  }
}

/// How much goes on at once, and what a service said about it.
actor Traffic {
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []
  private var silent: [String: CallFailure] = [:]
  private var lost: [String: Int] = [:]
  private var refused: [String: CallFailure] = [:]
  private var lastAnswers: [String: ContinuousClock.Instant] = [:]
  private var pausedUntil: [String: ContinuousClock.Instant] = [:]
  private(set) var callCount = 0
  private(set) var throttledCount = 0

  init(mostAtOnce: Int) { free = max(1, mostAtOnce) }

  func enter() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
    callCount += 1
  }

  func leave() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }

  /// Nobody answers there.
  func silence(of place: String) -> CallFailure? { silent[place] }

  /// A call was lost in all its attempts. That nobody is there is said by the first, where nothing connects or nothing was
  /// ever answered; where others were answered, by several in a row: it may be this one's own trouble.
  func isLost(_ place: String, _ failure: CallFailure) {
    lost[place, default: 0] += 1
    guard !failure.mayBeDone || lastAnswers[place] == nil || lost[place, default: 0] >= Self.mostLost else {
      return
    }
    silent[place] = failure
  }
  private static let mostLost = 3

  /// A place answered, whatever it said.
  func hears(_ place: String) {
    lost[place] = nil
    lastAnswers[place] = .now
  }

  /// Why calls of a kind aren't made: one was too many in all its attempts, and none got through meanwhile. Each would wait
  /// as long again.
  func refusal(of kind: String) -> CallFailure? { refused[kind] }
  func isRefused(_ kind: String, _ failure: CallFailure, since: ContinuousClock.Instant) {
    if let last = lastAnswers[kind], last > since { return }
    refused[kind] = failure
  }
  /// A call of a kind got through.
  func passes(_ kind: String) { lastAnswers[kind] = .now }

  /// Who goes on for long asks again.
  func listenAgain() { (silent, lost, refused) = ([:], [:], [:]) }

  /// All calls to a place wait, not only the one that was told.
  func pause(_ place: String, milliseconds: Int) {
    throttledCount += 1
    let until = ContinuousClock.now + .milliseconds(milliseconds)
    pausedUntil[place] = max(pausedUntil[place] ?? until, until)
  }
  func pauseEnd(of place: String) -> ContinuousClock.Instant? { pausedUntil[place] }
}

struct ServiceClient: Sendable {
  let http: HTTPClient
  let keeper: CredentialKeeper
  let endpoints: Endpoints
  let policy: RetryPolicy
  let traffic: Traffic
  let now: @Sendable () -> Int64

  static let mostAnswerBytes = 64 << 20
  /// Elements or members of an answer, about: each takes much more memory than it has bytes.
  static let mostAnswerParts = 1_000_000

  /// Makes a call.
  /// - Returns: null where there is nothing of the kind (the call's `absent` codes).
  func call(
    _ service: AccountService, _ call: AccountCall, item: Value?, scope: CallScope,
    extra: (name: String, value: String)? = nil
  ) async throws(CallFailure) -> Value {
    let (origin, region) = endpoints.find(
      service.name, region: scope.region, isGlobal: service.isGlobal, partition: scope.partition)
    return try await perform(
      service.request(call, item: item, scope: scope, extra: extra, origin: origin), of: service,
      region: region, scope: scope, absent: call.absent, isRepeatable: true, wanted: service.wanted(call))
  }

  /// Signs and sends a request, again where that may help and does no harm.
  /// - Parameters:
  ///   - region: that the signature is for.
  ///   - isRepeatable: whether carrying it out twice is the same as once. Where it isn't, only what surely wasn't carried
  ///     out is tried again.
  ///   - wanted: what the answer must be.
  /// - Returns: null for codes in `absent`.
  func perform(
    _ plain: ServiceRequest, of service: AccountService, region: String, scope: CallScope,
    absent: Set<String>, isRepeatable: Bool, wanted: WantedAnswer
  ) async throws(CallFailure) -> Value {
    let place = "\(service.name) \(scope.region)"
    // Of calls that only read; what changes something is worth its own attempts.
    let kind = isRepeatable && !wanted.mayBeEmpty ? "\(place) \(wanted.name)" : nil
    let begin = ContinuousClock.now
    var attempt = 0
    var isFresh = false
    while true {
      attempt += 1
      if let end = await traffic.pauseEnd(of: place), end > .now { try await rest(until: end) }
      if let silent = await traffic.silence(of: place) { throw silent }
      if let kind, let refusal = await traffic.refusal(of: kind) { throw refusal }
      let credentials: Credentials
      do throws(GovernanceFaults) { credentials = try await keeper.current() } catch {
        throw CallFailure(code: "NoCredentials", message: error.description)
      }
      var request = plain
      RequestSigner.sign(
        &request, with: credentials, service: service.signedName, region: region, time: now())
      await traffic.enter()
      let answer = await send(request)
      await traffic.leave()
      if case .success = answer { await traffic.hears(place) }
      let outcome: RetryPolicy.Outcome
      var failure: CallFailure
      switch answer {
      case .success(let answer) where (200..<300).contains(answer.status):
        if let kind { await traffic.passes(kind) }
        do throws(CallFailure) {
          try Self.bound(answer.body)
          return try service.value(of: answer.body, wanted)
        } catch {
          // It was carried out; only what it says isn't known.
          var unreadable = error.cleaned()
          unreadable.mayBeDone = true
          throw unreadable
        }
      case .success(let answer):
        failure = AccountService.failure(status: answer.status, type: answer.type, body: answer.body)
        if absent.contains(failure.code) {
          if let kind { await traffic.passes(kind) }
          return Value(.null)
        }
        outcome = RetryPolicy.outcome(
          status: answer.status, code: failure.code, retryAfter: answer.retryAfter)
        if !isFresh, ["ExpiredToken", "ExpiredTokenException", "RequestExpired"].contains(failure.code) {
          isFresh = true
          await keeper.forget()
          continue
        }
      case .failure(let tooLarge) where tooLarge.code == "Unreadable":
        await traffic.hears(place)
        throw tooLarge
      case .failure(let silence):
        failure = silence
        outcome = .silence
      }
      if outcome == .trouble { failure.mayBeDone = true }
      guard isRepeatable || !failure.mayBeDone,
        let pause = policy.pauseMilliseconds(
          after: outcome, attempt: attempt, random: Double.random(in: 0..<1))
      else {
        // One attempt that mustn't be made again says little of the place.
        if outcome == .silence, isRepeatable || !failure.mayBeDone { await traffic.isLost(place, failure) }
        if let kind, case .throttled = outcome { await traffic.isRefused(kind, failure, since: begin) }
        throw failure
      }
      if case .throttled = outcome { await traffic.pause(place, milliseconds: pause) }
      try await rest(until: .now + .milliseconds(pause))
    }
  }

  private func rest(until end: ContinuousClock.Instant) async throws(CallFailure) {
    do { try await Task.sleep(until: end, clock: .continuous) } catch {
      throw CallFailure(code: "Interrupted", message: "the scan was ended")
    }
  }

  struct Answer: Sendable {
    let status: Int
    let type: String?
    let retryAfter: String?
    let body: [UInt8]
  }

  private func send(_ request: ServiceRequest) async -> Result<Answer, CallFailure> {
    await Self.send(request, http, policy)
  }

  /// One attempt.
  static func send(
    _ request: ServiceRequest, _ http: HTTPClient, _ policy: RetryPolicy
  ) async -> Result<Answer, CallFailure> {
    var out = HTTPClientRequest(url: request.url)
    out.method = HTTPMethod(rawValue: request.method)
    for header in request.headers { out.headers.add(name: header.name, value: header.value) }
    if !request.body.isEmpty { out.body = .bytes(ByteBuffer(bytes: request.body)) }
    let end = ContinuousClock.now + .milliseconds(policy.answerMilliseconds)
    do {
      let answer = try await http.execute(out, timeout: .milliseconds(Int64(policy.answerMilliseconds)))
      let body = try await collected(answer.body, until: end)
      return .success(
        Answer(
          status: Int(answer.status.code), type: answer.headers.first(name: "x-amzn-errortype"),
          retryAfter: answer.headers.first(name: "retry-after"), body: Array(body.readableBytesView)))
    } catch {
      if error is NIOTooManyBytesError {
        return .failure(
          CallFailure(
            code: "Unreadable", message: "an answer of more than \(mostAnswerBytes >> 20) MiB",
            mayBeDone: true))
      }
      return .failure(
        CallFailure(
          code: "Unreachable", message: "\(request.origin) doesn't answer: \(reason(error))",
          mayBeDone: !isNotSent(error)))
    }
  }

  /// All of an answer, which must have come by a time: byte by byte it would never end.
  private static func collected(
    _ body: HTTPClientResponse.Body, until end: ContinuousClock.Instant
  ) async throws -> ByteBuffer {
    try await withThrowingTaskGroup(of: ByteBuffer?.self) { group in
      group.addTask { try await body.collect(upTo: mostAnswerBytes) }
      group.addTask {
        try await Task.sleep(until: end, clock: .continuous)
        return nil
      }
      defer { group.cancelAll() }
      guard let first = try await group.next(), let all = first else {
        throw HTTPClientError.deadlineExceeded
      }
      return all
    }
  }

  /// Whether no byte of the request went out: there was no connection.
  private static func isNotSent(_ error: any Error) -> Bool {
    switch error {
    case let error as HTTPClientError:
      error == .connectTimeout || error == .getConnectionFromPoolTimeout || error == .tlsHandshakeTimeout
    case is NIOConnectionError: true
    case let error as IOError: error.errnoCode == ECONNREFUSED
    default: false
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as HTTPClientError where error == .deadlineExceeded || error == .connectTimeout:
      "no answer in time"
    // Its other words may hold headers.
    case let error as HTTPClientError: error.shortDescription
    default: Secret.cleaned("\(error)", most: 200)
    }
  }

  private static func bound(_ body: [UInt8]) throws(CallFailure) {
    guard body.count > mostAnswerParts else { return }
    let isXML = body.first { ![32, 9, 10, 13].contains($0) } == UInt8(ascii: "<")
    let marks: (UInt8, UInt8) = isXML ? (60, 60) : (UInt8(ascii: ","), UInt8(ascii: "["))
    let parts = body.withUnsafeBufferPointer { bytes in
      var count = 0
      for byte in bytes where byte == marks.0 || byte == marks.1 { count += 1 }
      return count
    }
    guard parts > mostAnswerParts else { return }
    throw CallFailure(code: "Unreadable", message: "an answer of more than \(mostAnswerParts) parts")
  }
}

extension ServiceClient {
  /// Whose key it is.
  func identity(_ region: String) async throws(CallFailure) -> (account: String, partition: String) {
    let partition = region.hasPrefix("cn-") ? "aws-cn" : region.hasPrefix("us-gov-") ? "aws-us-gov" : "aws"
    let answer = try await call(
      CredentialSources.sts, AccountCall(action: "GetCallerIdentity", parameters: []), item: nil,
      scope: CallScope(region: region, account: "", partition: partition))
    guard let account = answer["Account"]?.string else {
      throw CallFailure(code: "Unreadable", message: "the answer has no Account")
    }
    return (account, answer["Arn"]?.string.flatMap(AmazonResourceName.init)?.partition ?? partition)
  }
}
