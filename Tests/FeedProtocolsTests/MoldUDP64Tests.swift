// MoldUDP64 1.00: layout, round trips, malformed packets.

import FeedProtocols
import MarketData
import Testing

/// All messages of a packet, or the error.
private func messages(in packet: [UInt8]) throws -> [[UInt8]] {
  let span = packet.span.bytes
  let header = try MoldUDP64Header.validated(span)
  var cursor = MoldUDP64BlockCursor(after: header)
  var found: [[UInt8]] = []
  while let range = try cursor.next(in: span) { found.append([UInt8](packet[range])) }
  return found
}

private func error(of packet: [UInt8]) -> MoldUDP64Error? {
  do throws(MoldUDP64Error) {
    _ = try MoldUDP64Header.validated(packet.span.bytes)
    return nil
  } catch {
    return error
  }
}

@Suite("MoldUDP64")
struct MoldUDP64Tests {
  // Session "000010059B", sequence 0x00e14d5a, two messages: "AB" and "".
  static let packet = hex("30303030313030353942 0000000000e14d5a 0002 0002 4142 0000")

  @Test func layoutIsTheSpecifications() throws {
    let header = try MoldUDP64Header(decoding: Self.packet.span.bytes)
    #expect(header.session == MoldSession("000010059B"))
    #expect(header.session.description == "000010059B")
    #expect(header.sequence == 0x00e1_4d5a)
    #expect(header.blockCount == 2)
    #expect(try messages(in: Self.packet) == [Array("AB".utf8), []])
  }

  @Test func writerAndReaderAgree() throws {
    var random = generator("Mold")
    for _ in 0..<50 {
      let first = random.next() >> 8
      var writer = MoldUDP64PacketWriter(session: MoldSession("DAY1"), firstSequence: first)
      var sent: [[UInt8]] = []
      var received: [[UInt8]] = []
      func take(_ packet: [UInt8]) throws {
        #expect(packet.count <= 1_400)
        let header = try MoldUDP64Header(decoding: packet.span.bytes)
        #expect(header.sequence == first + UInt64(received.count))
        received += try messages(in: packet)
      }
      for _ in 0..<100 {
        let message = random.messageBytes()
        if !writer.append(message) {
          try take(writer.finish())
          let fits = writer.append(message)
          #expect(fits)
        }
        sent.append(message)
      }
      try take(writer.finish())
      #expect(received == sent)
      #expect(writer.nextSequence == first + 100)
    }
  }

  @Test func heartbeatEndAndRequest() throws {
    var writer = MoldUDP64PacketWriter(session: MoldSession("S"), firstSequence: 7)
    let heartbeat = try MoldUDP64Header.validated(writer.finish().span.bytes)
    #expect(heartbeat.isHeartbeat && heartbeat.sequence == 7)
    let end = try MoldUDP64Header.validated(writer.endOfSession().span.bytes)
    #expect(end.isEndOfSession && end.blockCount == 0 && end.sequence == 7)
    var bytes = ByteWriter()
    let request = MoldUDP64Request(session: MoldSession("S"), sequence: 9, count: 3)
    request.encode(into: &bytes)
    #expect(bytes.bytes == hex("53202020202020202020 0000000000000009 0003"))
    #expect(try MoldUDP64Request(decoding: bytes.bytes.span.bytes) == request)
    #expect(throws: MoldUDP64Error(offset: 20, reason: .trailing(1))) {
      try MoldUDP64Request(decoding: (bytes.bytes + [0]).span.bytes)
    }
  }

  @Test func everyTruncationIsRefusedWithItsPlace() {
    for count in 0..<Self.packet.count {
      let found = error(of: Array(Self.packet[..<count]))
      switch count {
      case 0..<20: #expect(found == .init(offset: count, reason: .header(found: count, wanted: 20)))
      case 20..<22: #expect(found == .init(offset: 20, reason: .blockLength(block: 1, of: 2)))
      case 22..<24:
        #expect(
          found == .init(offset: 22, reason: .block(block: 1, of: 2, found: count - 22, wanted: 2)))
      default: #expect(found == .init(offset: 24, reason: .blockLength(block: 2, of: 2)))
      }
    }
  }

  @Test func whatFollowsTheLastBlockIsRefused() {
    #expect(error(of: Self.packet + [1]) == .init(offset: 26, reason: .trailing(1)))
  }

  @Test func aSequenceBeyondSixtyFourBitsIsRefused() {
    let packet = hex("30303030313030353942 ffffffffffffffff 0001 0001 41")
    #expect(error(of: packet) == .init(offset: 10, reason: .sequence(.max)))
  }

  @Test func blankedSessionHasNoName() {
    #expect(MoldSession.zero.description == "")
    #expect(MoldSession("  AB ").description == "AB")
  }
}

@Suite("MoldUDP64 Fuzz")
struct MoldUDP64FuzzTests {
  @Test func changedPacketsNeverTrap() {
    var random = generator("Mold fuzz")
    fuzz(rounds: 10_000) {
      var writer = MoldUDP64PacketWriter(session: MoldSession("FUZZ"), firstSequence: random.next() >> 1)
      for _ in 0..<random.next() % 5 { _ = writer.append(random.messageBytes()) }
      var packet = writer.finish()
      for _ in 0..<random.next() % 4 {
        packet[Int(random.next() % UInt64(packet.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      packet.removeLast(Int(random.next() % UInt64(packet.count)))
      if let error = error(of: packet) {
        #expect(error.offset <= packet.count && !error.description.isEmpty)
      } else {
        #expect((try? messages(in: packet)) != nil)
      }
    }
  }
}
