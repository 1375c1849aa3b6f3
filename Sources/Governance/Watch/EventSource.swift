// Where events come from: a queue of SQS, or lines of a file. Invariant: what wasn't said to be done is delivered again
// (queue), or was read but not looked at (lines, which have no memory).

import Foundation
import GuardRules
import Resources
import Synchronization

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

/// Lines of a file or of standard input: each is an event, or several in a list.
final class EventLines: EventSource {
  private struct State {
    var lines: [Delivery] = []
    var isAtEnd = false
  }
  private let state = Mutex(State())
  /// Lets the reader go on only as far as somebody works.
  private let room = DispatchSemaphore(value: EventQueue.most * 4)
  private let coalesceMilliseconds: Int

  /// - Parameter path: a file; `-` = standard input.
  /// - Throws: `FileFault`.
  init(_ path: String, coalesceMilliseconds: Int) throws(FileFault) {
    self.coalesceMilliseconds = coalesceMilliseconds
    guard let file = path == "-" ? fdopen(0, "r") : fopen(path, "r") else {
      throw FileFault(path: path, reason: "can't be read; wanted lines of JSON, each an event")
    }
    // Reading may take for ever: it has a thread of its own, which ends with the file.
    nonisolated(unsafe) let stream = file
    let thread = Thread { [self] in
      var number = 0
      while let line = Self.line(stream) {
        number += 1
        let text = line.trimmingCharacters(in: .whitespacesAndNewlines)
        if text.isEmpty { continue }
        room.wait()
        let delivery = Delivery(id: "line \(number)", body: text, receipt: "", count: 1)
        state.withLock { $0.lines.append(delivery) }
      }
      if path != "-" { fclose(stream) }
      state.withLock { $0.isAtEnd = true }
    }
    thread.start()
  }

  /// Bytes of a line; of a longer one no more is kept, so that it is no event and is told as such.
  static let mostOfALine = 4 << 20

  private static func line(_ file: UnsafeMutablePointer<FILE>) -> String? {
    var bytes: [UInt8] = []
    var isTooLong = false
    while true {
      let byte = getc(file)
      if byte < 0 {
        if bytes.isEmpty, !isTooLong { return nil }
        break
      }
      if byte == 10 { break }
      if bytes.count >= mostOfALine {
        isTooLong = true
        continue
      }
      bytes.append(UInt8(truncatingIfNeeded: byte))
    }
    return isTooLong ? "a line of more than \(mostOfALine) bytes" : String(decoding: bytes, as: UTF8.self)
  }

  func next() async throws(CallFailure) -> [Delivery]? {
    let end = ContinuousClock.now + .seconds(1)
    while true {
      let (first, isAtEnd) = state.withLock { ($0.lines.first != nil, $0.isAtEnd && $0.lines.isEmpty) }
      if first { break }
      if isAtEnd { return nil }
      if ContinuousClock.now >= end { return [] }
      do { try await Task.sleep(for: .milliseconds(2)) } catch { return nil }
    }
    guard coalesceMilliseconds > 0 else { return take(1) }
    let late = ContinuousClock.now + .milliseconds(coalesceMilliseconds)
    while ContinuousClock.now < late, state.withLock({ !$0.isAtEnd && $0.lines.count < EventQueue.most }) {
      do { try await Task.sleep(for: .milliseconds(5)) } catch { break }
    }
    return take(EventQueue.most)
  }

  private func take(_ most: Int) -> [Delivery] {
    let taken = state.withLock { state in
      let taken = Array(state.lines.prefix(most))
      state.lines.removeFirst(taken.count)
      return taken
    }
    for _ in taken { room.signal() }
    return taken
  }

  func done(_ deliveries: [Delivery]) async throws(CallFailure) {}
  func hold(_ deliveries: [Delivery]) async {}
}
