// An arbiter and the plant it feeds: what is next of a packet is applied in place, what isn't waits. The same for the
// plant that is shown and for the one that heals (MoldReceiver, Healing).
// Owner: the feed thread. Pure: bytes and times come in.

import FeedProtocols
import TickerPlant

/// See the head of this file.
enum SequencedPackets {
  /// What became of a packet.
  enum Outcome {
    case done
    /// It must be offered again after the actions that are due.
    case again
    /// Its session isn't followed, or not yet.
    case keep
  }

  /// Takes a packet that was found right.
  @inline(__always)
  static func take(
    _ packet: UnsafeRawBufferPointer, _ header: MoldUDP64Header, line: Int, receivedAt: UInt64,
    at now: UInt64,
    arbiter: inout LineArbiter, plant: inout TickerPlant, keeping retained: RetainedFeed? = nil
  ) -> Outcome {
    switch arbiter.receive(header, line: line, byteCount: packet.count, at: now) {
    case .ignore: return .done
    case .again: return .again
    case .keep: return .keep
    case .deliver(let skip):
      let blocks = UnsafeRawBufferPointer(rebasing: packet[MoldUDP64Header.byteCount...])
      apply(
        blocks, first: header.sequence, skip: skip, count: header.blockCount, receivedAt: receivedAt,
        to: &plant,
        keeping: retained, header.session)
      arbiter.advance(to: header.sequence + UInt64(header.blockCount), line: line, at: now)
    case .hold:
      let blocks = UnsafeRawBufferPointer(rebasing: packet[MoldUDP64Header.byteCount...])
      arbiter.hold(header, blocks: blocks.bytes, line: line, receivedAt: receivedAt, at: now)
    }
    return .done
  }

  /// Applies held packets whose turn has come; gives whatever else is due, nil where nothing is.
  @inline(__always)
  static func nextAction(
    at now: UInt64, arbiter: inout LineArbiter, budget: inout RequestBudget, plant: inout TickerPlant,
    keeping retained: RetainedFeed? = nil
  ) -> LineArbiter.Action? {
    while let action = arbiter.nextAction(at: now, budget: &budget) {
      guard case .deliver(let held, let skip) = action else { return action }
      held.bytes.withUnsafeBytes {
        apply(
          $0, first: held.sequence, skip: skip, count: held.count, receivedAt: held.receivedAt, to: &plant,
          keeping: retained, arbiter.session)
      }
    }
    return nil
  }

  private static func apply(
    _ blocks: UnsafeRawBufferPointer, first: UInt64, skip: Int, count: Int, receivedAt: UInt64,
    to plant: inout TickerPlant, keeping retained: RetainedFeed?, _ session: MoldSession?
  ) {
    var offset = 0
    let span = blocks.bytes
    for _ in 0..<skip { offset += 2 + Int(span.u16(offset)) }
    let messages = UnsafeRawBufferPointer(rebasing: blocks[offset...])
    let sequence = first &+ UInt64(skip)
    plant.apply(framed: messages, firstSequence: sequence, receivedAt: receivedAt)
    if let retained, let session { retained.append(session, messages, first: sequence, count: count - skip) }
  }
}
