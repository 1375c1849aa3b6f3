// SoupBinTCP 3.00: layout byte by byte, round trips, cutting wherever TCP may cut, malformed bytes.

import FeedProtocols
import MarketData
import Testing

/// What a cutter finds in `stream` when it comes in pieces that end at `cuts`; runs come apart into messages.
private func cut(
  _ stream: [UInt8], at cuts: [Int], maximumRun: Int = .max, maximumLength: Int = 65_535
) throws -> [(type: UInt8, payload: [UInt8])] {
  var cutter = SoupBinTCPCutter(maximumLength: maximumLength)
  var window: [UInt8] = []
  var position = 0
  var found: [(type: UInt8, payload: [UInt8])] = []
  var taken = 0
  for end in cuts + [stream.count] {
    window.removeFirst(position)
    position = 0
    window += stream[taken..<end]
    taken = end
    stepping: while true {
      switch try step(&cutter, &window, &position, maximumRun) {
      case .needMore: break stepping
      case .packet(let type, let payload): found.append((type, Array(window[payload])))
      case .run(let range, let count):
        var place = range.lowerBound
        for _ in 0..<count {
          let length = Int(window[place]) << 8 | Int(window[place + 1])
          found.append((SoupBinTCPType.sequenced, Array(window[place + 2..<place + 2 + length])))
          place += 2 + length
        }
        #expect(place == range.upperBound)
      }
    }
    #expect(cutter.offset == UInt64(taken - (window.count - position)))
  }
  return found
}

private func step(
  _ cutter: inout SoupBinTCPCutter, _ window: inout [UInt8], _ position: inout Int, _ maximumRun: Int = .max
) throws -> SoupBinTCPCutter.Step {
  var span = window.mutableSpan
  var bytes = span.mutableBytes
  return try cutter.next(in: &bytes, at: &position, maximumRun: maximumRun)
}

private func server(_ bytes: [UInt8]) throws -> SoupBinTCPServerPacket {
  try SoupBinTCPServerPacket(type: bytes[2], payload: 3..<bytes.count, in: bytes.span.bytes)
}

private func client(_ bytes: [UInt8]) throws -> SoupBinTCPClientPacket {
  try SoupBinTCPClientPacket(type: bytes[2], payload: 3..<bytes.count, in: bytes.span.bytes)
}

private func error(_ body: () throws -> Void) -> SoupBinTCPError? {
  do { try body() } catch { return error as? SoupBinTCPError }
  return nil
}

@Suite("SoupBinTCP packets")
struct SoupBinTCPPacketTests {
  static let login = hex(
    """
    002f 4c 4b4142 202020 73656372 657420202020 20202020 4441 59303031 \
    2020202020202020202020202020202020203432
    """)
  static let accepted = hex(
    "001f 41 20202020 444159303031 20202020202020202020202020202020 20202031".replacing(" ", with: ""))

  @Test func loginRequestIsTheSpecifications() throws {
    var writer = ByteWriter()
    let request = try SoupBinTCPLoginRequest(user: "KAB", password: "secret", session: "DAY001", sequence: 42)
    request.encode(into: &writer)
    #expect(writer.bytes == Self.login)
    #expect(try client(Self.login) == .login(request))
  }

  @Test func loginAcceptedIsTheSpecifications() throws {
    var writer = ByteWriter()
    let accepted = try SoupBinTCPLoginAccepted(session: "DAY001", sequence: 1)
    accepted.encode(into: &writer)
    #expect(writer.bytes == Self.accepted)
    #expect(try server(Self.accepted) == .loginAccepted(accepted))
  }

  @Test func smallPacketsAreTheSpecifications() throws {
    var writer = ByteWriter()
    SoupBinTCPWriter.packet(SoupBinTCPType.serverHeartbeat, into: &writer)
    SoupBinTCPWriter.packet(SoupBinTCPType.endOfSession, into: &writer)
    SoupBinTCPWriter.packet(SoupBinTCPType.clientHeartbeat, into: &writer)
    SoupBinTCPWriter.packet(SoupBinTCPType.logout, into: &writer)
    SoupBinTCPWriter.rejected(.notAuthorized, into: &writer)
    SoupBinTCPWriter.rejected(.sessionNotAvailable, into: &writer)
    SoupBinTCPWriter.packet(SoupBinTCPType.sequenced, [0x41, 0x42], into: &writer)
    SoupBinTCPWriter.packet(SoupBinTCPType.unsequenced, [0x43], into: &writer)
    SoupBinTCPWriter.packet(SoupBinTCPType.debug, [], into: &writer)
    #expect(
      writer.bytes
        == hex("000148 00015a 000152 00014f 00024a41 00024a53 0003534142 00025543 00012b"))
    #expect(try server(hex("000148")) == .heartbeat)
    #expect(try server(hex("00015a")) == .endOfSession)
    #expect(try server(hex("00024a41")) == .loginRejected(.notAuthorized))
    #expect(try server(hex("00024a53")) == .loginRejected(.sessionNotAvailable))
    #expect(try server(hex("0003534142")) == .sequenced(3..<5))
    #expect(try server(hex("00025543")) == .unsequenced(3..<4))
    #expect(try server(hex("00012b")) == .debug(3..<3))
    #expect(try client(hex("000152")) == .heartbeat)
    #expect(try client(hex("00014f")) == .logout)
    #expect(try client(hex("00025543")) == .unsequenced(3..<4))
    #expect(try client(hex("00022b20")) == .debug(3..<4))
  }

  @Test func fieldsMayStandOnEitherSide() throws {
    var bytes = Self.login
    bytes.replaceSubrange(3 + 16..<3 + 46, with: Array("DAY001    42                  ".utf8))
    guard case .login(let request) = try client(bytes) else {
      Issue.record("no login")
      return
    }
    #expect(request.session == "DAY001" && request.sequence == 42)
    bytes.replaceSubrange(3 + 16..<3 + 46, with: repeatElement(0x20, count: 30))
    guard case .login(let blank) = try client(bytes) else {
      Issue.record("no login")
      return
    }
    #expect(blank.session == "" && blank.sequence == 0)
  }

  @Test func everyFaultSaysWhereWhatAndWanted() {
    #expect(
      error { _ = try server(hex("000251")) }
        == .init(offset: UInt64(2), reason: .type(0x51, wanted: "a server's: + A J S U H Z")))
    #expect(error { _ = try client(hex("000148")) } != nil)
    #expect(
      error { _ = try server(hex("00024800")) }
        == .init(offset: UInt64(0), reason: .length(type: 0x48, found: 2, wanted: 1)))
    #expect(
      error { _ = try server(hex("00024a58")) }
        == .init(offset: UInt64(3), reason: .field("reject code", found: [0x58], wanted: "'A' or 'S'")))
    var bytes = Self.accepted
    bytes[3 + 29] = 0x61
    #expect(error { _ = try server(bytes) }?.offset == 13)
    bytes.replaceSubrange(3 + 10..<3 + 30, with: Array("18446744073709551616".utf8))
    #expect(error { _ = try server(bytes) }?.description.contains("18446744073709551616") == true)
    bytes.replaceSubrange(3 + 10..<3 + 30, with: Array("18446744073709551615".utf8))
    #expect(error { _ = try server(bytes) } == nil)
    #expect(
      error { _ = try SoupBinTCPLoginRequest(user: "1234567", password: "", session: "", sequence: 0) } != nil
    )
    #expect(
      error { _ = try SoupBinTCPLoginRequest(user: "", password: "", session: " A", sequence: 0) } != nil)
    #expect(
      error { _ = try SoupBinTCPLoginRequest(user: "é", password: "", session: "", sequence: 0) } != nil)
  }

  @Test func aPasswordIsNeverSaid() {
    let found = error {
      _ = try SoupBinTCPLoginRequest(user: "a", password: "hunter2hunter2", session: "", sequence: 0)
    }
    #expect(found != nil && found?.description.contains("hunter2") == false)
    var bytes = Self.login
    bytes[3 + 6] = 0x07
    let read = error { _ = try client(bytes) }
    #expect(read?.offset == 9 && read?.description.contains("ecret") == false)
  }
}

@Suite("SoupBinTCP cutter")
struct SoupBinTCPCutterTests {
  /// A stream of packets and what is in it.
  private static func stream(
    _ random: inout SeededGenerator, packets: Int
  ) -> (bytes: [UInt8], packets: [(type: UInt8, payload: [UInt8])]) {
    var writer = ByteWriter()
    var packets_: [(type: UInt8, payload: [UInt8])] = []
    for _ in 0..<packets {
      let isData = random.next() % 4 != 0
      let others: [UInt8] = [0x2b, 0x41, 0x48, 0x55, 0x5a, 0x00, 0xff]
      let type = isData ? SoupBinTCPType.sequenced : others[Int(random.next() % UInt64(others.count))]
      let payload = random.bytes(Int(random.next() % (random.next() % 50 == 0 ? 3_000 : 60)))
      SoupBinTCPWriter.packet(type, payload, into: &writer)
      packets_.append((type, payload))
    }
    return (writer.bytes, packets_)
  }

  @Test func whereverTheStreamIsCutThePacketsAreTheSame() throws {
    var random = generator("Soup cuts")
    for round in 0..<60 {
      let (bytes, wanted) = Self.stream(&random, packets: 40)
      var cuts = (0..<Int(random.next() % 30)).map { _ in Int(random.next() % UInt64(bytes.count + 1)) }
        .sorted()
      if round == 0 { cuts = Array(0...bytes.count) }
      let found = try cut(bytes, at: cuts, maximumRun: round % 3 == 0 ? 3 : round % 3 == 1 ? 0 : .max)
      #expect(found.count == wanted.count)
      for (a, b) in zip(found, wanted) { #expect(a.type == b.type && a.payload == b.payload) }
    }
  }

  @Test func sequencedPacketsInARowBecomeFramedMessages() throws {
    var bytes = hex("0003534142 000153 000453434445 000148 0002 53 46")
    var cutter = SoupBinTCPCutter()
    var position = 0
    let first = try step(&cutter, &bytes, &position)
    #expect(first == .run(range: 0..<11, count: 3))
    #expect(position == 14)
    #expect(Array(bytes[..<11]) == hex("00024142 0000 0003434445"))
    let rest = try (0..<3).map { _ in try step(&cutter, &bytes, &position) }
    #expect(rest == [.packet(type: 0x48, payload: 17..<17), .run(range: 17..<20, count: 1), .needMore])
    #expect(cutter.offset == UInt64(bytes.count))
  }

  @Test func faultsNameTheOffsetInTheStream() throws {
    let good = hex("0003534142 000148")
    #expect(
      error { _ = try cut(good + hex("0000"), at: [4]) }
        == .init(offset: UInt64(8), reason: .emptyPacket))
    #expect(
      error { _ = try cut(good + hex("000955"), at: [], maximumLength: 8) }
        == .init(offset: UInt64(8), reason: .tooLong(type: 0x55, found: 9, wanted: 8)))
  }

  @Test func longestPacketIsCut() throws {
    var writer = ByteWriter()
    let payload = [UInt8](repeating: 7, count: SoupBinTCPWriter.maximumPayloadBytes)
    SoupBinTCPWriter.packet(SoupBinTCPType.sequenced, payload, into: &writer)
    SoupBinTCPWriter.packet(SoupBinTCPType.sequenced, payload + [1], into: &writer)
    let found = try cut(writer.bytes, at: [3, 70_000])
    #expect(found.map(\.payload) == [payload, payload])
  }
}

@Suite("SoupBinTCP Fuzz")
struct SoupBinTCPFuzzTests {
  @Test func changedStreamsNeverTrap() {
    var random = generator("Soup fuzz")
    fuzz(rounds: 3_000) {
      var writer = ByteWriter()
      for _ in 0..<random.next() % 6 {
        let types: [UInt8] = [0x53, 0x53, 0x41, 0x4a, 0x4c, 0x48, 0x5a, 0x52, 0x4f, 0x55, 0x2b]
        let type = types[Int(random.next() % UInt64(types.count))]
        let length = [0, 1, 30, 46, 5][Int(random.next() % 5)]
        SoupBinTCPWriter.packet(type, random.bytes(length).map { $0 % 0x60 + 0x20 }, into: &writer)
      }
      var bytes = writer.bytes
      for _ in 0..<random.next() % 4 where !bytes.isEmpty {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      if !bytes.isEmpty { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
      var cutter = SoupBinTCPCutter(maximumLength: Int(random.next() % 100) + 1)
      var position = 0
      var clientSession = SoupBinTCPClientSession()
      var serverSession = SoupBinTCPServerSession(rules: .init(), connectedAt: 0)
      bytes.withUnsafeMutableBytes { raw in
        var span = raw.mutableBytes
        while true {
          do throws(SoupBinTCPError) {
            switch try cutter.next(in: &span, at: &position) {
            case .needMore: return
            case .run(_, let count): _ = try? clientSession.receiveSequenced(count: count, at: random.next())
            case .packet(let type, let payload):
              if let packet = try? SoupBinTCPServerPacket(type: type, payload: payload, in: span.bytes) {
                _ = try? clientSession.receive(packet, at: random.next())
              }
              if let packet = try? SoupBinTCPClientPacket(type: type, payload: payload, in: span.bytes) {
                _ = try? serverSession.receive(packet, at: random.next()) { name in
                  .init(session: name, first: random.next(), next: random.next())
                }
                _ = try? serverSession.sentMessages(Int(random.next() >> 1), at: random.next())
                _ = try? serverSession.tick(at: random.next())
              }
            }
          } catch {
            #expect(!error.description.isEmpty && error.offset <= UInt64(raw.count))
            return
          }
        }
      }
    }
  }
}
