// What a plant's own feed has brought lately, message by message, so that another plant can have it: bounded bytes of
// the session that is followed, the oldest dropped.
// Owner: the feed thread. Pure: bytes come in, MoldUDP64 packets go out.

import FeedProtocols

/// See the head of this file.
final class RetainedFeed {
  /// Bytes of a packet; messages of the bus may be as large as that.
  static let packetBytes = 60_000

  private let mostBytes: Int
  private(set) var session: PublishedSession?
  private let packet: UnsafeMutableRawPointer

  init(mostBytes: Int) {
    self.mostBytes = mostBytes
    packet = .allocate(byteCount: Self.packetBytes, alignment: 16)
  }

  deinit { packet.deallocate() }

  /// The session began, or began anew.
  func begin() { session = nil }

  /// Keeps framed messages that were applied.
  func append(_ mold: MoldSession, _ frames: UnsafeRawBufferPointer, first: UInt64, count: Int) {
    guard count > 0 else { return }
    if let session, session.mold == mold, first >= session.next {
      if first > session.next { session.skip(through: first - 1) }
      session.append(frames, count: count)
    } else {
      let begun = PublishedSession(
        name: mold.description, mold: mold, first: first, keeps: true, mostBytes: mostBytes)
      begun.append(frames, count: count)
      session = begun
    }
  }

  /// A downstream packet with messages from a number on; nil where it is not kept, or of another session.
  func packet(_ mold: MoldSession, from sequence: UInt64, most: Int) -> UnsafeRawBufferPointer? {
    guard let session, session.mold == mold, most > 0 else { return nil }
    var used = MoldUDP64Header.byteCount
    var count = 0
    while count < min(most, 60_000) {
      let (number, overflow) = sequence.addingReportingOverflow(UInt64(count))
      if overflow { break }
      let piece = session.frames(
        from: number, maxMessages: min(most, 60_000) - count, maxBytes: Self.packetBytes - used)
      guard piece.count > 0, let base = piece.bytes.baseAddress else { break }
      (packet + used).copyMemory(from: base, byteCount: piece.bytes.count)
      used += piece.bytes.count
      count += piece.count
    }
    guard count > 0 else { return nil }
    return finish(MoldUDP64Header(session: mold, sequence: sequence, count: UInt16(count)), used)
  }

  /// A downstream packet with the messages of one that waits, from a number on.
  func packet(_ mold: MoldSession, _ held: HeldPacket, from sequence: UInt64) -> UnsafeRawBufferPointer? {
    held.bytes.withUnsafeBytes { blocks in
      var offset = 0
      for _ in held.sequence..<sequence { offset += 2 + PublishPacer.length(blocks, at: offset) }
      let messages = UnsafeRawBufferPointer(rebasing: blocks[offset...])
      guard let base = messages.baseAddress, messages.count <= Self.packetBytes - MoldUDP64Header.byteCount
      else { return nil }
      (packet + MoldUDP64Header.byteCount).copyMemory(from: base, byteCount: messages.count)
      return finish(
        MoldUDP64Header(session: mold, sequence: sequence, count: UInt16(held.end - sequence)),
        MoldUDP64Header.byteCount + messages.count)
    }
  }

  /// A packet without messages.
  func heartbeat(_ mold: MoldSession, next: UInt64, isEnd: Bool) -> UnsafeRawBufferPointer {
    finish(
      MoldUDP64Header(session: mold, sequence: next, count: isEnd ? MoldUDP64Header.endOfSessionCount : 0),
      MoldUDP64Header.byteCount)
  }

  private func finish(_ header: MoldUDP64Header, _ used: Int) -> UnsafeRawBufferPointer {
    var head = UnsafeMutableRawBufferPointer(start: packet, count: used).mutableBytes
    header.store(into: &head)
    return UnsafeRawBufferPointer(start: packet, count: used)
  }
}
