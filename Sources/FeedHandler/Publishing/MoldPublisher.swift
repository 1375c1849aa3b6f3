// Publishes sessions as MoldUDP64 1.00 on line A and line B, with heartbeats, ends of session and a request server.
// A packet is a header and framed messages as they stand in the file, built once for both lines.
// Owner: the publisher's thread.

import CNetwork
import FeedProtocols
import Foundation

/// See the head of this file.
final class MoldPublisher {
  let lines: [MoldLine]
  let requests: RequestServer?
  let sessions: PublishedSessions
  private let ring = PacketRing()
  private let heartbeatNanoseconds: UInt64
  private var slot = 0
  private var sinceSend = 0
  private var lastSent: UInt64 = 0
  private var lastData: UInt64 = 0

  /// Held packets go out when no message came for so long.
  private static let holdNanoseconds: UInt64 = 50_000_000
  /// How often the end of a session is said at once; while the publisher lingers it is said again at each heartbeat.
  private static let endRepeats = 3

  /// Opens the sockets. All that can't be done is said at once.
  /// - Throws: `FeedSetupError`.
  init(_ mold: FeedAddress.Mold, options: FeedPublisher.Options) throws(FeedSetupError) {
    var faults: [String] = []
    var lines: [MoldLine] = []
    sessions = PublishedSessions(keeps: mold.request != nil)
    for (number, endpoint) in mold.lines.prefix(2).enumerated() {
      do throws(FeedSetupError) {
        lines.append(
          try MoldLine(
            endpoint, interface: mold.interface, number: number, ring: ring, rates: options.rates,
            seed: options.seed))
      } catch { faults.append("line \(number == 0 ? "A" : "B"): \(error)") }
    }
    var server: RequestServer?
    if let request = mold.request {
      do throws(FeedSetupError) {
        server = try RequestServer(
          request, sessions: sessions, loss: options.requestLoss, seed: options.seed)
      } catch { faults.append("\(error)") }
    }
    self.lines = lines
    requests = server
    heartbeatNanoseconds = options.heartbeatNanoseconds
    guard faults.isEmpty else { throw FeedSetupError(faults.joined(separator: "\n")) }
  }

  /// Sends framed messages in as few packets as they need.
  func publish(_ frames: UnsafeRawBufferPointer, count: Int, at now: UInt64) {
    guard let session = sessions.current, let source = frames.baseAddress else { return }
    var sequence = session.next
    session.append(frames, count: count)
    let room = PacketRing.packetBytes - MoldUDP64Header.byteCount
    var place = 0
    while place + 2 <= frames.count {
      let start = place
      var inPacket = 0
      while place + 2 <= frames.count, inPacket < Int(MoldUDP64Header.endOfSessionCount) - 1 {
        let length = 2 + PublishPacer.length(frames, at: place)
        if place + length - start > room { break }
        place += length
        inPacket += 1
      }
      // No message of ITCH is longer than a packet.
      guard inPacket > 0 else { return }
      let packet = ring.slot(slot)
      (packet + MoldUDP64Header.byteCount).copyMemory(from: source + start, byteCount: place - start)
      put(
        MoldUDP64Header(session: session.mold, sequence: sequence, count: UInt16(inPacket)),
        bytes: MoldUDP64Header.byteCount + place - start, messages: inPacket)
      for line in lines { line.offer(slot) }
      advance()
      sequence &+= UInt64(inPacket)
    }
    send(at: now)
    lastData = now
  }

  /// Leaves out numbers.
  func skip(through last: UInt64) { sessions.current?.skip(through: last) }

  /// Answers requests, says that it is there, lets held packets go.
  func service(at now: UInt64) {
    requests?.service()
    if now &- lastData > Self.holdNanoseconds {
      for line in lines where line.impairment.holds { line.flushHeld() }
    }
    if now &- lastSent >= heartbeatNanoseconds { sendStatus(at: now) }
  }

  /// The current session is over.
  func endSession(at now: UInt64) {
    for line in lines { line.flushHeld() }
    sessions.current?.isEnded = true
    for _ in 0..<Self.endRepeats { sendStatus(at: now) }
  }

  /// Waits, at most so long, for requests.
  func wait(nanoseconds: UInt64) {
    guard let requests, nanoseconds >= 2_000_000 else {
      usleep(UInt32(max(1, min(nanoseconds, 50_000_000) / 1000)))
      return
    }
    var descriptor = pollfd(fd: requests.socket, events: Int16(POLLIN), revents: 0)
    poll(&descriptor, 1, Int32(min(nanoseconds, 50_000_000) / 1_000_000))
  }

  // MARK: - Packets

  /// A heartbeat, or the end of the session where it is over.
  private func sendStatus(at now: UInt64) {
    guard let session = sessions.current else { return }
    put(
      MoldUDP64Header(
        session: session.mold, sequence: session.next,
        count: session.isEnded ? MoldUDP64Header.endOfSessionCount : 0),
      bytes: MoldUDP64Header.byteCount, messages: 0)
    for line in lines { line.offerStatus(slot) }
    advance()
    send(at: now)
  }

  private func put(_ header: MoldUDP64Header, bytes: Int, messages: Int) {
    var span = UnsafeMutableRawBufferPointer(start: ring.slot(slot), count: bytes).mutableBytes
    header.store(into: &span)
    ring.byteCounts[slot] = bytes
    ring.messageCounts[slot] = messages
  }

  private func advance() {
    slot = (slot + 1) % PacketRing.slots
    sinceSend += 1
    // A slot must be sent before it is used again, also where hardly any packet survives.
    if sinceSend >= Int(KABUTO_BATCH) { sendLines() }
  }

  private func send(at now: UInt64) {
    sendLines()
    lastSent = now
  }

  private func sendLines() {
    for line in lines { line.send() }
    sinceSend = 0
  }
}
