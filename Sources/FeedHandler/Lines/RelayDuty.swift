// What a feed thread does for its relay between two batches: answers, forwards, and decides whether another plant's
// packets are wanted. Messages are forwarded only while the own lines are heard: two plants that hear nothing must not
// keep each other's prices fresh.
// Owner: the feed thread. Pure but for the relay's closures: times come in.

import FeedProtocols
import TickerPlant

/// See the head of this file.
final class RelayDuty {
  let relay: FeedRelay
  let retained: RetainedFeed
  /// Lines of the plant's own.
  private let ownLines: Int
  private let heartbeat: UInt64
  private let startedAt: UInt64
  private(set) var isWanted = false
  private var wellSince: UInt64 = 0
  private var isForwarding = false
  private var sent: UInt64 = 0
  private var sentAt: UInt64 = 0

  /// After so long without anything missing the other plant is let go.
  private static var patience: UInt64 { 1_000_000_000 }
  /// Answers of one turn, and packets forwarded in one: the plant's own lines come first.
  private static var mostAnswers: Int { 32 }
  private static var mostForwarded: Int { 32 }

  init(_ relay: FeedRelay, ownLines: Int, heartbeat: UInt64, at now: UInt64) {
    self.relay = relay
    self.ownLines = ownLines
    self.heartbeat = heartbeat
    startedAt = now
    retained = RetainedFeed(mostBytes: relay.retainedBytes)
  }

  /// Whether a line of the plant's own is heard.
  private func hearsItself(_ arbiter: borrowing LineArbiter, at now: UInt64) -> Bool {
    (0..<ownLines).contains { line in
      arbiter.lines[line].heardAt > 0 && arbiter.lines[line].state != .silent
        && now < arbiter.lines[line].heardAt &+ 3 &* heartbeat
    }
  }

  /// Takes what other plants sent, as line `ownLines` or as answers.
  func take(into receiver: inout MoldReceiver, plant: inout TickerPlant, receivedAt: UInt64, at now: UInt64) {
    let (own, request) = (ownLines, receiver.arbiter.requestLine)
    relay.takePackets { packet, isAnswer in
      receiver.take(packet, line: isAnswer ? request : own, receivedAt: receivedAt, at: now, plant: &plant)
    }
  }

  /// Answers, forwards, and looks what is wanted.
  func work(_ arbiter: borrowing LineArbiter, isEnded: Bool, at now: UInt64) {
    var hasSent = false
    for (request, reply) in relay.takeRequests(Self.mostAnswers) {
      if let packet = packet(for: request, arbiter) {
        relay.carrier.answer(packet, reply)
        hasSent = true
      }
    }
    let hears = hearsItself(arbiter, at: now)
    if forward(arbiter, hears: hears, isEnded: isEnded, at: now) { hasSent = true }
    if hasSent { relay.carrier.flush() }
    // At the start the own lines get their time to be heard.
    let isLate = now >= startedAt &+ 3 &* heartbeat
    let lacks = (!hears && isLate && !isEnded) || arbiter.isRecovering(at: now)
    if lacks {
      wellSince = 0
      if !isWanted {
        isWanted = true
        relay.carrier.want(true)
      }
    } else if isWanted {
      if wellSince == 0 { wellSince = now }
      if now &- wellSince >= Self.patience {
        isWanted = false
        relay.carrier.want(false)
      }
    }
  }

  /// What was applied, or waits for something that the one who asks may have.
  private func packet(
    for request: MoldUDP64Request, _ arbiter: borrowing LineArbiter
  ) -> UnsafeRawBufferPointer? {
    if let packet = retained.packet(request.session, from: request.sequence, most: Int(request.count)) {
      return packet
    }
    guard arbiter.session == request.session, request.count > 0,
      let held = arbiter.heldPacket(with: request.sequence)
    else { return nil }
    return retained.packet(request.session, held, from: request.sequence)
  }

  private func forward(
    _ arbiter: borrowing LineArbiter, hears: Bool, isEnded: Bool, at now: UInt64
  ) -> Bool {
    guard hears, relay.isListenedTo(at: now), let session = arbiter.session else {
      isForwarding = false
      return false
    }
    var packets = 0
    if !isForwarding || sent > arbiter.next {
      isForwarding = true
      sent = arbiter.next
      sentAt = 0
    }
    while sent < arbiter.next, packets < Self.mostForwarded {
      guard let packet = retained.packet(session, from: sent, most: Int(min(60_000, arbiter.next - sent)))
      else {
        // Lost here as well: who listens finds out and asks.
        sent = retained.session?.missing.last.map { max(sent, $0.upperBound + 1) } ?? arbiter.next
        if retained.packet(session, from: sent, most: 1) == nil { sent = arbiter.next }
        continue
      }
      sent += UInt64((try? MoldUDP64Header(decoding: packet.bytes))?.blockCount ?? 1)
      sentAt = now
      relay.carrier.send(packet)
      packets += 1
    }
    if now &- sentAt >= heartbeat / 2 {
      sentAt = now
      relay.carrier.send(retained.heartbeat(session, next: arbiter.next, isEnd: isEnded))
      packets += 1
    }
    return packets > 0
  }
}
