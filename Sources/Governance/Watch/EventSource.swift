// Where events come from: a queue of SQS, or lines of a file (EventLines.swift). Invariant: what wasn't said to be done is
// delivered again (queue), or was read but not looked at (lines, which have no memory).

import Foundation
import GuardRules
import Resources

/// A text with events.
struct Delivery: Sendable {
  /// Names it as long as it is in the queue.
  let id: String
  let body: String
  /// What the queue wants back; empty = nothing.
  let receipt: String
  /// How often it was delivered, this time included.
  let count: Int
}

protocol EventSource: Sendable {
  /// The next deliveries, those of a moment together; none = nothing came in a while.
  /// - Returns: nil at the end.
  /// - Throws: `CallFailure` where they can't be had now.
  func next() async throws(CallFailure) -> [Delivery]?
  /// Forgets deliveries whose results are kept.
  /// - Throws: `CallFailure`: they will come again.
  func done(_ deliveries: [Delivery]) async throws(CallFailure)
  /// Keeps deliveries from others for a while more.
  func hold(_ deliveries: [Delivery]) async
  /// Whether what wasn't said to be done comes again.
  var redelivers: Bool { get }
  /// Why it ended before its end; nil = it didn't.
  var fault: String? { get }
}

/// Messages of SQS (API reference, ReceiveMessage, DeleteMessageBatch, ChangeMessageVisibilityBatch).
struct EventQueue: EventSource {
  let client: ServiceClient
  /// The queue's address.
  let url: String
  let scope: CallScope
  /// How long a delivered message is kept from others, in seconds.
  let visibilitySeconds: Int
  /// How long a call waits for messages, in seconds.
  let waitSeconds: Int
  /// How long after a first message others are waited for, in milliseconds.
  let coalesceMilliseconds: Int

  var redelivers: Bool { true }
  /// It has no end.
  var fault: String? { nil }

  static let service = AccountService(
    name: "sqs", protocolKind: .json, version: "AmazonSQS", jsonVersion: "1.0", isGlobal: false)
  /// SQS's own bound.
  static let mostOfACall = 10
  /// Messages that are worked on at once.
  static let most = 500

  /// The region in a queue's address; nil = it isn't AWS's own.
  static func region(_ url: String) -> String? {
    let host = url.split(separator: "/").dropFirst().first ?? ""
    let words = host.split(separator: ".")
    if words.count >= 3, words[0] == "sqs" { return String(words[1]) }
    // An older form: eu-west-1.queue.amazonaws.com
    if words.count >= 3, words[1] == "queue" { return String(words[0]) }
    return nil
  }

  func next() async throws(CallFailure) -> [Delivery]? {
    var out = try await receive(wait: waitSeconds)
    guard !out.isEmpty else { return [] }
    let end = ContinuousClock.now + .milliseconds(coalesceMilliseconds)
    while out.count < Self.most {
      let left = ContinuousClock.now.duration(to: end)
      let isLate = left <= .zero
      // What is there already is taken even then.
      let more = try? await receive(wait: isLate || coalesceMilliseconds < 1_000 ? 0 : 1)
      guard let more, !more.isEmpty else {
        if isLate || more == nil { break }
        try? await Task.sleep(for: .milliseconds(50))
        continue
      }
      out += more
      if isLate, more.count < Self.mostOfACall { break }
    }
    return out
  }

  private func receive(wait: Int) async throws(CallFailure) -> [Delivery] {
    let answer = try await client.act(
      Self.service,
      ServiceAction(
        "ReceiveMessage",
        [
          "QueueUrl": .text(url), "MaxNumberOfMessages": .number(Int64(Self.mostOfACall)),
          "WaitTimeSeconds": .number(Int64(wait)), "VisibilityTimeout": .number(Int64(visibilitySeconds)),
          "AttributeNames": ["ApproximateReceiveCount"],
        ], isRepeatable: true), scope)
    return answer.all(at: ["Messages"]).compactMap { message in
      guard let id = message["MessageId"]?.string, let receipt = message["ReceiptHandle"]?.string else {
        return nil
      }
      let count = message["Attributes"]?["ApproximateReceiveCount"]?.string.flatMap { Int($0) } ?? 1
      return Delivery(id: id, body: message["Body"]?.string ?? "", receipt: receipt, count: count)
    }
  }

  func done(_ deliveries: [Delivery]) async throws(CallFailure) {
    var failure: CallFailure?
    for group in Self.groups(deliveries) {
      do throws(CallFailure) {
        let answer = try await client.act(
          Self.service,
          ServiceAction(
            "DeleteMessageBatch",
            ["QueueUrl": .text(url), "Entries": .list(Self.entries(group, []))], isRepeatable: true), scope)
        if let refused = answer.all(at: ["Failed"]).first {
          failure = CallFailure(
            code: refused["Code"]?.string ?? "Failed", message: refused["Message"]?.string ?? "")
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  func hold(_ deliveries: [Delivery]) async {
    for group in Self.groups(deliveries) {
      let entries = Self.entries(
        group, [CallField.Member(name: "VisibilityTimeout", value: .number(Int64(visibilitySeconds)))])
      _ = try? await client.act(
        Self.service,
        ServiceAction(
          "ChangeMessageVisibilityBatch", ["QueueUrl": .text(url), "Entries": .list(entries)],
          isRepeatable: true),
        scope)
    }
  }

  private static func groups(_ deliveries: [Delivery]) -> [[Delivery]] {
    stride(from: 0, to: deliveries.count, by: mostOfACall).map {
      Array(deliveries[$0..<min($0 + mostOfACall, deliveries.count)])
    }
  }

  private static func entries(_ group: [Delivery], _ more: [CallField.Member]) -> [CallField] {
    group.enumerated().map { place, delivery in
      .map(
        [
          CallField.Member(name: "Id", value: .text(String(place))),
          CallField.Member(name: "ReceiptHandle", value: .text(delivery.receipt)),
        ] + more)
    }
  }
}
