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

  /// Bytes kept of one line.
  static let mostBytes = 16 << 20
  /// Messages for which there was no room.
  private(set) var passedOver: UInt64 = 0
  private var packets: [Packet] = []
  /// By line: bytes that are kept, and when the newest came.
  private var lines: [(bytes: Int, newestAt: UInt64)] = []

  /// Nothing is kept.
  var isEmpty: Bool { packets.isEmpty }

  /// Keeps a packet. False where there is no room for it, the first time.
  mutating func keep(
    _ packet: UnsafeRawBufferPointer, _ header: MoldUDP64Header, line: Int, receivedAt: UInt64, at now: UInt64
  ) -> Bool {
    while lines.count <= line { lines.append((0, 0)) }
    lines[line].newestAt = now
    if lines[line].bytes + packet.count > Self.mostBytes {
      // What it said before it spoke of this session.
      forget(line) { $0.session != header.session }
    }
    guard lines[line].bytes + packet.count <= Self.mostBytes else {
      let isFirst = passedOver == 0
      passedOver &+= UInt64(header.blockCount)
      return !isFirst
    }
    lines[line].bytes += packet.count
    packets.append(
      Packet(bytes: [UInt8](packet), line: line, session: header.session, receivedAt: receivedAt))
    return true
  }

  /// Hands over all packets, oldest first.
  mutating func takeAll() -> [Packet] {
    defer {
      packets = []
      lines = []
    }
    return packets
  }

  /// Forgets what a line said that has long been saying what is believed.
  mutating func forgetDisproved(_ arbiter: borrowing LineArbiter, at now: UInt64) {
    guard !packets.isEmpty else { return }
    for line in lines.indices where lines[line].bytes > 0 && line < arbiter.lines.count {
      if arbiter.lines[line].state == .live,
        now > lines[line].newestAt &+ 3 &* arbiter.configuration.heartbeatNanoseconds
      {
        forget(line) { _ in true }
      }
    }
  }

  private mutating func forget(_ line: Int, _ isUnwanted: (Packet) -> Bool) {
    packets.removeAll { $0.line == line && isUnwanted($0) }
    lines[line].bytes = packets.reduce(0) { $0 + ($1.line == line ? $1.bytes.count : 0) }
  }
}
