// Publishes messages to topics of SNS (API reference, Publish), signed with the key at hand. An attempt is one call:
// pauses and further attempts are the delivery's, as with webhooks.

import AsyncHTTPClient
import GuardRules
import Resources

struct TopicPublisher: Sendable {
  private let http: HTTPClient
  private let keeper: CredentialKeeper
  private let endpoint: String?
  private let policy: RetryPolicy
  private let now: @Sendable () -> Int64

  static let service = AccountService(
    name: "sns", protocolKind: .query, version: "2010-03-31", jsonVersion: "", isGlobal: false)

  /// The name of what tells a message from another, for receivers that got it twice.
  static let messageID = "Kabuto-Message-Id"

  /// Codes that stay the same next time: there is no such topic, or it doesn't take such a message.
  private static let lasting: Set<String> = [
    "NotFound", "NotFoundException", "InvalidParameter", "InvalidParameterException", "InvalidParameterValue",
    "ParameterValueInvalid", "ValidationError", "ValidationException", "InvalidAction",
  ]

  /// - Parameters:
  ///   - environment: where the key is looked for.
  ///   - endpoint: one address for all services; nil = AWS's own.
  init(
    _ http: HTTPClient, environment: [String: String], endpoint: String?, policy: RetryPolicy,
    now: @escaping @Sendable () -> Int64
  ) {
    self.http = http
    self.endpoint = endpoint
    self.now = now
    var once = policy
    (once.mostAttempts, once.mostConnections) = (1, 1)
    self.policy = once
    // The files with keys are read when there is something to publish.
    keeper = CredentialKeeper(now: now) { () async throws(GovernanceFaults) in
      try await CredentialSources(
        environment: environment, http: http, policy: policy, endpoints: Endpoints(only: endpoint), now: now
      ).own()
    }
  }

  /// Why a message wasn't taken.
  struct Refusal: Error {
    let reason: String
    /// nil = it won't be taken the next time either.
    let outcome: RetryPolicy.Outcome?
  }

  /// One attempt.
  /// - Parameter address: of SNS for this topic; nil = the one for all, or AWS's own.
  func publish(
    _ message: TopicMessage, id: String, to topic: TopicARN, address: String?
  ) async throws(Refusal) {
    let client = ServiceClient(
      http: http, keeper: keeper, endpoints: Endpoints(only: address ?? endpoint), policy: policy,
      traffic: Traffic(mostAtOnce: 1), now: now)
    let scope = CallScope(region: topic.region, account: topic.account, partition: topic.partition)
    let answer: Value
    do throws(CallFailure) {
      answer = try await client.act(Self.service, Self.action(message, id, topic), scope)
    } catch { throw Self.refusal(error) }
    // Only SNS's own word says that the message was taken.
    guard answer["MessageId"]?.string != nil else {
      throw Refusal(reason: "the answer has no MessageId of SNS's", outcome: .trouble)
    }
  }

  /// Carrying it out twice is two messages with one id: better than none.
  static func action(_ message: TopicMessage, _ id: String, _ topic: TopicARN) -> ServiceAction {
    var parameters: [CallField.Member] = [
      CallField.Member(name: "TopicArn", value: .text(topic.description)),
      CallField.Member(name: "Subject", value: .text(message.subject)),
      CallField.Member(name: "Message", value: .text(message.message)),
      CallField.Member(
        name: "MessageAttributes",
        value: [
          "entry": [
            "1": ["Name": .text(messageID), "Value": ["DataType": "String", "StringValue": .text(id)]]
          ]
        ]),
    ]
    if topic.isOrdered {
      parameters.append(CallField.Member(name: "MessageGroupId", value: "kabuto"))
      parameters.append(CallField.Member(name: "MessageDeduplicationId", value: .text(id)))
    }
    return ServiceAction("Publish", .map(parameters), isRepeatable: true)
  }

  static func refusal(_ failure: CallFailure) -> Refusal {
    if lasting.contains(failure.code) { return Refusal(reason: "SNS: \(failure.text)", outcome: nil) }
    if failure.code == "NoCredentials" { return Refusal(reason: failure.message, outcome: .final) }
    if failure.status == 0 { return Refusal(reason: failure.text, outcome: .silence) }
    let outcome = RetryPolicy.outcome(status: failure.status, code: failure.code, retryAfter: nil)
    // What may not be done now may be tomorrow: `.final` waits for the next run.
    return Refusal(reason: "SNS: \(failure.text)", outcome: outcome)
  }
}
