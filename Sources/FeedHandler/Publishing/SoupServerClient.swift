// One client of the SoupBinTCP server: its socket, what of its packets is still incomplete, and the packets that the
// kernel hasn't taken yet. The protocol's rules are SoupBinTCPServerSession's.
// Invariant: the output buffer is filled only when it is empty, so a client costs its two buffers and no more.

import FeedProtocols
import Foundation

/// See the head of this file.
final class SoupServerClient {
  let descriptor: Int32
  private(set) var isClosed = false
  private var session: SoupBinTCPServerSession
  private var cutter = SoupBinTCPCutter(maximumLength: SoupServerClient.longestPacket)
  private var input = [UInt8](repeating: 0, count: 2 * (2 + SoupServerClient.longestPacket))
  private var filled = 0
  private let output: UnsafeMutableRawPointer
  private var start = 0
  private var end = 0
  /// When the kernel took bytes last, or there were none.
  private var movedAt: UInt64
  /// Since when the connection is only waited on to be closed by the client; nil = it isn't.
  private var leavingAt: UInt64?

  /// Longest packet that is taken of a client: none needs to be longer than a login.
  private static let longestPacket = 4_096
  private static let outputBytes = 128 << 10
  /// Framed bytes put into the buffer at once; each message gets a byte longer.
  private static let pieceBytes = 64 << 10
  /// A client that takes nothing for so long is left.
  private static let stuckNanoseconds: UInt64 = 15_000_000_000
  /// How long a client may take to close after the end.
  private static let leavingNanoseconds: UInt64 = 2_000_000_000

  init(_ descriptor: Int32, rules: SoupBinTCPServerSession.Rules, at now: UInt64) {
    self.descriptor = descriptor
    session = SoupBinTCPServerSession(rules: rules, connectedAt: now)
    output = .allocate(byteCount: Self.outputBytes, alignment: 16)
    movedAt = now
  }

  deinit { output.deallocate() }

  /// Bytes wait for the kernel.
  var isWaiting: Bool { end > start }

  /// Closes at once.
  func hangUp() {
    if !isClosed { close(descriptor) }
    isClosed = true
  }

  /// A turn.
  func service(_ server: SoupServer, at now: UInt64) {
    read(server, at: now)
    if isClosed { return }
    if let since = leavingAt {
      pump(at: now)
      // What was sent last must not be lost by closing over what the client has sent.
      if !isWaiting { shutdown(descriptor, Int32(SHUT_WR)) }
      if now &- since > Self.leavingNanoseconds { hangUp() }
      return
    }
    do throws(SoupBinTCPFault) {
      if try session.tick(at: now, isWaiting: isWaiting) == .sendHeartbeat {
        put { SoupBinTCPWriter.packet(SoupBinTCPType.serverHeartbeat, into: &$0) }
      }
      try serve(server, at: now)
    } catch { fail(server, error.description) }
    if !isClosed, isWaiting, now &- movedAt > Self.stuckNanoseconds {
      fail(server, "it took nothing for 15 s")
    }
  }

  // MARK: - In

  private func read(_ server: SoupServer, at now: UInt64) {
    for _ in 0..<8 where !isClosed {
      let room = input.count - filled
      let got = input.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.map { recv(descriptor, $0 + filled, room, Int32(MSG_DONTWAIT)) } ?? 0
      }
      if got == 0 { return hangUp() }
      if got < 0 {
        if errno != EAGAIN, errno != EINTR { hangUp() }
        return
      }
      if leavingAt != nil { continue }
      filled += got
      do {
        try take(server, at: now)
      } catch {
        fail(server, "\(error)")
        return
      }
    }
  }

  private func take(_ server: SoupServer, at now: UInt64) throws {
    var position = 0
    while leavingAt == nil, !isClosed {
      // Clients don't send sequenced data: it is handed out as it is, and refused.
      let step = try input.withUnsafeMutableBytes { raw throws -> SoupBinTCPCutter.Step in
        var window = UnsafeMutableRawBufferPointer(rebasing: raw[..<filled]).mutableBytes
        return try cutter.next(in: &window, at: &position, maximumRun: 0)
      }
      guard case .packet(let type, let payload) = step else { break }
      let packet = try SoupBinTCPClientPacket(type: type, payload: payload, in: input.span.bytes)
      switch try session.receive(packet, at: now, offer: server.offer) {
      case .accept(let accepted):
        server.counters.accepted += 1
        server.log(.info, "client \(descriptor): session \(accepted.session) from \(accepted.sequence)")
        put { accepted.encode(into: &$0) }
      case .reject(let reason):
        server.counters.rejected += 1
        server.log(.warning, "client \(descriptor): login refused: \(reason)")
        put { SoupBinTCPWriter.rejected(reason, into: &$0) }
        leavingAt = now
      case .close: leavingAt = now
      case .none, .sendHeartbeat, .sendEndOfSession, .unsequenced, .debug: break
      }
    }
    input.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress, position > 0 else { return }
      base.copyMemory(from: base + position, byteCount: filled - position)
    }
    filled -= position
  }

  private func fail(_ server: SoupServer, _ reason: String) {
    server.counters.faults += 1
    server.log(.warning, "client \(descriptor): \(reason): closed")
    hangUp()
  }

  // MARK: - Out

  private func serve(_ server: SoupServer, at now: UInt64) throws(SoupBinTCPFault) {
    // A few pieces; the others have their turn too.
    for _ in 0..<16 {
      if !isWaiting, case .serving(let name, let next) = session.state {
        guard let published = server.sessions.named(name) else { return }
        let piece = published.frames(from: next, maxMessages: 16_384, maxBytes: Self.pieceBytes)
        if piece.count > 0 {
          encode(piece.bytes)
          try session.sentMessages(piece.count, at: now)
          server.counters.messages += UInt64(piece.count)
          server.counters.bytes += UInt64(end - start)
        } else if published.next > next {
          // Nobody has the next ones; the protocol can say that only at a login.
          leavingAt = now
        } else if published.isEnded, session.finish(at: now) == .sendEndOfSession {
          server.counters.ended += 1
          put { SoupBinTCPWriter.packet(SoupBinTCPType.endOfSession, into: &$0) }
          leavingAt = now
        }
      }
      if !isWaiting || !pump(at: now) { return }
    }
  }

  /// Framed messages become sequenced packets.
  private func encode(_ frames: UnsafeRawBufferPointer) {
    start = 0
    end = 0
    var place = 0
    while place + 2 <= frames.count, let base = frames.baseAddress {
      let length = PublishPacer.length(frames, at: place)
      // Each message takes at least two bytes and grows by one: 3/2 of a piece fits the buffer.
      output.storeBytes(of: UInt16(length + 1).bigEndian, toByteOffset: end, as: UInt16.self)
      output.storeBytes(of: SoupBinTCPType.sequenced, toByteOffset: end + 2, as: UInt8.self)
      (output + (end + 3)).copyMemory(from: base + (place + 2), byteCount: length)
      end += 3 + length
      place += 2 + length
    }
  }

  /// Adds a small packet; where there is no room the client takes nothing, and needs none.
  private func put(_ write: (inout ByteWriter) -> Void) {
    var writer = ByteWriter()
    write(&writer)
    if !isWaiting {
      start = 0
      end = 0
    }
    guard end + writer.bytes.count <= Self.outputBytes else { return }
    writer.bytes.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress { (output + end).copyMemory(from: base, byteCount: bytes.count) }
    }
    end += writer.bytes.count
  }

  /// Sends what waits. True where the kernel has taken all.
  @discardableResult
  private func pump(at now: UInt64) -> Bool {
    while end > start {
      let sent = Foundation.send(
        descriptor, output + start, end - start,
        Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
      if sent < 0 {
        if errno == EINTR { continue }
        if errno != EAGAIN { hangUp() }
        return false
      }
      start += sent
      movedAt = now
    }
    movedAt = now
    return true
  }
}
