// MoldUDP64 out of a capture: packets in order of their sequence, each message once. A capture may hold both lines
// (the second copy is left out), and packets out of order: after a jump, packets are held for a bounded number of
// packets and a bounded time until the missing ones come; then the gap is declared.
// Where session and sequence were blanked out with zeros, messages are numbered here, from 1.

import FeedProtocols

/// The state of reading captures. Pure but for the window it is shown.
struct CaptureFeed {
  /// Packets held after a jump, and how long by the capture's clock.
  static let maximumHeld = 256
  static let maximumHoldNanoseconds: UInt64 = 200_000_000
  /// Sessions whose next sequence is remembered.
  static let maximumSessions = 64

  /// A packet's message blocks still to be handed out.
  struct Packet {
    /// Own bytes of a held packet; empty while it is in the window.
    var held: [UInt8] = []
    /// Its bytes are in the feed's scratch, not in the window.
    var inScratch = false
    /// Bytes still to be handed out.
    var range: Range<Int>
    var sequence: UInt64
    var remaining: Int
    var session: MoldSession
    var time: UInt64
    /// Offset in the file of the byte at `range.lowerBound`.
    var fileOffset: UInt64

    var end: UInt64 { sequence + UInt64(remaining) }
  }

  var reader = CaptureReader()
  /// Being handed out.
  var current: Packet?
  /// Read, but something must be said first. Its bytes are in the window.
  var waiting: Packet?
  /// By sequence, lowest first; all of the current session.
  var held: [Packet] = []
  var latestTime: UInt64 = 0
  /// Declare all that is missing before going on.
  var flushes = false

  var session: MoldSession?
  /// Next sequence of the current session; nil before its first packet.
  var next: UInt64?
  var others: [(session: MoldSession, next: UInt64?)] = []
  var nextOwn: UInt64 = 1

  /// Makes `session` the current one. The caller has flushed what was held.
  mutating func change(to new: MoldSession) {
    if let session {
      others.removeAll { $0.session == session }
      if others.count >= Self.maximumSessions { others.removeFirst() }
      others.append((session, next))
    }
    session = new
    next = others.first { $0.session == new }?.next
  }

  /// Puts a packet among the held ones, with its own copy of its bytes.
  mutating func hold(_ packet: Packet, bytes: UnsafeRawBufferPointer) {
    var packet = packet
    packet.held = [UInt8](bytes[packet.range])
    packet.range = 0..<packet.held.count
    let index = held.firstIndex { $0.sequence > packet.sequence } ?? held.count
    held.insert(packet, at: index)
  }

  /// The oldest held packet has waited long enough.
  var isOverdue: Bool {
    guard let oldest = held.map(\.time).min(), latestTime > oldest else { return false }
    return latestTime - oldest > Self.maximumHoldNanoseconds
  }
}
