// Packets of a session that isn't followed yet: MoldUDP64 lets a session begin without an end of the one before, and
// until it is believed its first messages must not get lost. They are kept by line and offered when a session begins.
// Owner: the feed thread. Pure. Bound: `mostBytes` a line; the first ones stay, later ones are passed over and counted.

import FeedProtocols

/// See the head of this file.
struct WaitingPackets {
  struct Packet {
    var bytes: [UInt8]
    var line: Int
    var session: MoldSession
    var receivedAt: UInt64
  }

  private struct Line {
    var packets: [Packet] = []
    var bytes = 0
    var newestAt: UInt64 = 0
  }

  /// Bytes kept of one line, with what it costs to keep them.
  static let mostBytes = 16 << 20
  private static let overhead = 96
  /// Messages for which there was no room.
  private(set) var passedOver: UInt64 = 0
  private var lines: [Line] = []

  /// Nothing is kept.
  var isEmpty: Bool { lines.allSatisfy(\.packets.isEmpty) }

  /// Keeps a packet; one without messages says nothing that could get lost. False where there is no room for it, the first
  /// time.
  mutating func keep(
    _ packet: UnsafeRawBufferPointer, _ header: MoldUDP64Header, line: Int, receivedAt: UInt64, at now: UInt64
  ) -> Bool {
    while lines.count <= line { lines.append(Line()) }
    lines[line].newestAt = now
    guard header.blockCount > 0 || header.isEndOfSession else { return true }
    // What it said before it spoke of this session isn't so any more.
    if let newest = lines[line].packets.last, newest.session != header.session {
      lines[line] = Line(newestAt: now)
    }
    let cost = packet.count + Self.overhead
    guard lines[line].bytes + cost <= Self.mostBytes else {
      let isFirst = passedOver == 0
      passedOver &+= UInt64(header.blockCount)
      return !isFirst
    }
    lines[line].bytes += cost
    lines[line].packets.append(
      Packet(bytes: [UInt8](packet), line: line, session: header.session, receivedAt: receivedAt))
    return true
  }

  /// Hands over all packets, oldest first.
  mutating func takeAll() -> [Packet] {
    defer { lines = [] }
    var all = lines.flatMap(\.packets)
    all.sort { $0.receivedAt < $1.receivedAt }
    return all
  }

  /// Forgets what a line said that has long been saying what is believed, or nothing.
  mutating func forgetDisproved(_ arbiter: borrowing LineArbiter, at now: UInt64) {
    for line in lines.indices where !lines[line].packets.isEmpty && line < arbiter.lines.count {
      let beats: UInt64 = arbiter.lines[line].state == .live ? 3 : 10
      if now > lines[line].newestAt &+ beats &* arbiter.configuration.heartbeatNanoseconds {
        lines[line] = Line(newestAt: lines[line].newestAt)
      }
    }
  }
}
