// The request server of a MoldUDP64 session (specification 1.00, requests): a request names a session, a first
// number and a count, and is answered by one downstream packet to who asked, with as many of these messages as fit.
// A request for another session, for numbers that aren't there yet, or that nobody has, is counted and not answered.
// Owner: the publisher's thread; never waits.

import CNetwork
import FeedProtocols
import Foundation
import MarketData

/// See the head of this file.
final class RequestServer {
  /// What became of requests.
  struct Counters {
    var answered: UInt64 = 0
    var messages: UInt64 = 0
    /// Of another session.
    var otherSession: UInt64 = 0
    /// For numbers that it hasn't, or for none.
    var unavailable: UInt64 = 0
    /// Datagrams that are no request.
    var malformed: UInt64 = 0
    /// Answers lost on purpose.
    var dropped: UInt64 = 0
    /// Answers that the system didn't take.
    var errors: UInt64 = 0
    var ignored: UInt64 { otherSession + unavailable + malformed }
  }

  private(set) var counters = Counters()
  let socket: Int32
  /// The port it listens on.
  let port: UInt16
  private let loss: Double
  private var random: SeededGenerator
  private let sessions: PublishedSessions
  private let incoming: UnsafeMutablePointer<kabuto_datagram>
  private let room: UnsafeMutableRawPointer
  private let packet: UnsafeMutableRawPointer

  /// Longer datagrams are no requests.
  private static let roomBytes = 64

  /// Listens.
  /// - Throws: `FeedSetupError`.
  init(
    _ endpoint: FeedEndpoint, sessions: PublishedSessions, loss: Double, seed: UInt64
  ) throws(FeedSetupError) {
    let address = try ResolvedEndpoint.first(endpoint, isStream: false, listens: true)
    socket = Foundation.socket(
      address.family,
      Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard socket >= 0 else { throw FeedSetupError("can't open a UDP socket: \(systemError())") }
    let descriptor = socket
    let isBound = address.withAddress { bind(descriptor, $0, $1) == 0 }
    guard isBound else {
      let reason = systemError()
      close(descriptor)
      throw FeedSetupError(
        "request server \(endpoint): can't listen: \(reason); wanted a free port of an address of this machine"
      )
    }
    port = ResolvedEndpoint.bound(descriptor).port
    self.sessions = sessions
    self.loss = loss
    random = SeededGenerator(seed: StateDigest.mix(seed &+ 0x5245_5155))
    incoming = .allocate(capacity: Int(KABUTO_BATCH))
    incoming.initialize(repeating: kabuto_datagram(), count: Int(KABUTO_BATCH))
    room = .allocate(byteCount: Self.roomBytes * Int(KABUTO_BATCH), alignment: 16)
    packet = .allocate(byteCount: PacketRing.packetBytes, alignment: 16)
  }

  deinit {
    close(socket)
    incoming.deallocate()
    room.deallocate()
    packet.deallocate()
  }

  /// Answers what has come.
  func service() {
    // A few batches; the lines have their turn too.
    for _ in 0..<4 {
      for index in 0..<Int(KABUTO_BATCH) {
        incoming[index].bytes = room + index * Self.roomBytes
        incoming[index].count = UInt32(Self.roomBytes)
      }
      let received = Int(kabuto_receive(socket, incoming, Int32(KABUTO_BATCH)))
      guard received > 0 else { return }
      for index in 0..<received { answer(incoming + index) }
      if received < Int(KABUTO_BATCH) { return }
    }
  }

  private func answer(_ datagram: UnsafeMutablePointer<kabuto_datagram>) {
    let bytes = UnsafeRawBufferPointer(start: datagram.pointee.bytes, count: Int(datagram.pointee.count))
    guard datagram.pointee.truncated == 0, let request = try? MoldUDP64Request(decoding: bytes.bytes) else {
      counters.malformed += 1
      return
    }
    guard let session = sessions.session(request.session) else {
      counters.otherSession += 1
      return
    }
    // Messages may lie in two pieces.
    var used = MoldUDP64Header.byteCount
    var count = 0
    while count < Int(request.count) {
      let (sequence, overflow) = request.sequence.addingReportingOverflow(UInt64(count))
      if overflow { break }
      let piece = session.frames(
        from: sequence, maxMessages: Int(request.count) - count, maxBytes: PacketRing.packetBytes - used)
      guard piece.count > 0, let base = piece.bytes.baseAddress else { break }
      (packet + used).copyMemory(from: base, byteCount: piece.bytes.count)
      used += piece.bytes.count
      count += piece.count
    }
    guard count > 0 else {
      counters.unavailable += 1
      return
    }
    var head = UnsafeMutableRawBufferPointer(start: packet, count: used).mutableBytes
    MoldUDP64Header(session: request.session, sequence: request.sequence, count: UInt16(count))
      .store(into: &head)
    if Double.fraction(of: random.next()) < loss {
      counters.dropped += 1
      return
    }
    var answer = kabuto_datagram()
    answer.bytes = packet
    answer.count = UInt32(used)
    let size = datagram.pointee.sender_count
    let sent = withUnsafePointer(to: &datagram.pointee.sender) { kabuto_send(socket, &answer, 1, $0, size) }
    if sent == 1 {
      counters.answered += 1
      counters.messages += UInt64(count)
    } else {
      counters.errors += 1
    }
  }
}
