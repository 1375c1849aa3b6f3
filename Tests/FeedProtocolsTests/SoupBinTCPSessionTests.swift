// SoupBinTCP sessions: what each state does with each event, as tables; both sides against each other.

import FeedProtocols
import MarketData
import Testing

private let second: UInt64 = 1_000_000_000

private func request(_ session: String = "", _ sequence: UInt64 = 1) throws -> SoupBinTCPLoginRequest {
  try SoupBinTCPLoginRequest(user: "me", password: "pw", session: session, sequence: sequence)
}

@Suite("SoupBinTCP client session")
struct SoupBinTCPClientSessionTests {
  typealias Session = SoupBinTCPClientSession

  private static let packets: [SoupBinTCPServerPacket] = {
    let accepted = try? SoupBinTCPLoginAccepted(session: "S", sequence: 5)
    return [
      .debug(0..<1), .loginRejected(.notAuthorized), .sequenced(0..<1), .unsequenced(0..<1), .heartbeat,
      .endOfSession,
    ] + (accepted.map { [.loginAccepted($0)] } ?? [])
  }()

  /// A session in each state, by name.
  private static func sessions() throws -> [(String, Session)] {
    let unconnected = Session()
    var loggingIn = Session()
    _ = try loggingIn.connect(try request(), at: 0)
    var receiving = loggingIn
    _ = try receiving.receive(.loginAccepted(try .init(session: "S", sequence: 5)), at: 0)
    var over = receiving
    _ = try over.receive(.endOfSession, at: 0)
    return [
      ("unconnected", unconnected), ("logging in", loggingIn), ("receiving", receiving), ("over", over),
    ]
  }

  @Test func eachStateTakesItsPacketsAndRefusesTheOthers() throws {
    #expect(Self.packets.count == 7)
    let table: [String: [Session.Action?]] = [
      // debug, rejected, sequenced, unsequenced, heartbeat, end, accepted; nil = a fault
      "unconnected": [nil, nil, nil, nil, nil, nil, nil],
      "logging in": [
        .debug(0..<1), .rejected(.notAuthorized), nil, nil, nil, nil, .accepted(session: "S", next: 5),
      ],
      "receiving": [
        .debug(0..<1), nil, .deliver(first: 5), .unsequenced(0..<1), Session.Action.none, .endOfSession, nil,
      ],
      "over": [nil, nil, nil, nil, nil, nil, nil],
    ]
    for (name, session) in try Self.sessions() {
      for (packet, wanted) in zip(Self.packets, try #require(table[name])) {
        var one = session
        do throws(SoupBinTCPFault) {
          let action = try one.receive(packet, at: 1)
          #expect(action == wanted, "\(name): \(packet)")
        } catch {
          #expect(wanted == nil, "\(name): \(packet): \(error)")
          #expect(error.description.contains(name))
          // Whatever follows a fault is refused too.
          #expect((try? one.receive(.sequenced(0..<1), at: 2)) == nil)
          if name != "over" { #expect(one.state == .over(.fault(error))) }
        }
      }
    }
  }

  @Test func numbersRiseByOneWithEachSequencedMessage() throws {
    var session = Session()
    #expect(try session.connect(try request("S", 9), at: 0) == .sendLogin(try request("S", 9)))
    _ = try session.receive(.loginAccepted(try .init(session: "S", sequence: 9)), at: 0)
    #expect(try session.receiveSequenced(count: 3, at: 1) == .deliver(first: 9))
    _ = try session.receive(.heartbeat, at: 2)
    _ = try session.receive(.unsequenced(0..<4), at: 2)
    #expect(try session.receive(.sequenced(0..<1), at: 3) == .deliver(first: 12))
    #expect(session.state == .receiving(session: "S", next: 13))
    #expect(session.heardAt == 3)
  }

  @Test func numbersBeyondSixtyFourBitsAreAFault() throws {
    var session = Session()
    _ = try session.connect(try request(), at: 0)
    _ = try session.receive(.loginAccepted(try .init(session: "S", sequence: .max - 1)), at: 0)
    #expect(try session.receiveSequenced(count: 1, at: 0) == .deliver(first: .max - 1))
    #expect(throws: SoupBinTCPFault.sequence(.max)) { try session.receiveSequenced(count: 1, at: 0) }
  }

  @Test func heartbeatsGoOutWhenNothingElseDid() throws {
    var session = Session()
    _ = try session.connect(try request(), at: 0)
    #expect(try session.tick(at: 2 * second) == .none, "before the login is accepted none is sent")
    _ = try session.receive(.loginAccepted(try .init(session: "S", sequence: 1)), at: 2 * second)
    #expect(try session.tick(at: 2 * second) == .sendHeartbeat)
    #expect(try session.tick(at: 3 * second - 1) == .none)
    #expect(try session.tick(at: 3 * second) == .sendHeartbeat)
    session.sent(at: 3 * second + 500)
    #expect(try session.tick(at: 4 * second) == .none)
    #expect(try session.tick(at: 4 * second + 500) == .sendHeartbeat)
  }

  @Test func aSilentServerIsGivenUpAfterFifteenSeconds() throws {
    var session = Session()
    _ = try session.connect(try request(), at: 10)
    _ = try session.receive(.loginAccepted(try .init(session: "S", sequence: 1)), at: 20)
    _ = try session.receive(.heartbeat, at: second)
    _ = try session.tick(at: 16 * second - 1)
    #expect(throws: SoupBinTCPFault.silent(nanoseconds: 15 * second, limit: 15 * second)) {
      try session.tick(at: 16 * second)
    }
    #expect(try session.tick(at: 17 * second) == .none)
    var late = Session()
    _ = try late.connect(try request(), at: 0)
    #expect(throws: SoupBinTCPFault.loginLate(limit: 15 * second)) { try late.tick(at: 15 * second) }
    var timing = Session.Timing()
    timing.silenceNanoseconds = 7
    var quick = Session(timing: timing)
    _ = try quick.connect(try request(), at: 0)
    _ = try quick.receive(.loginAccepted(try .init(session: "S", sequence: 1)), at: 0)
    #expect(throws: SoupBinTCPFault.silent(nanoseconds: 7, limit: 7)) { try quick.tick(at: 7) }
  }

  @Test func leavingAndBeingLeft() throws {
    for (name, session) in try Self.sessions() {
      var leaving = session
      #expect(leaving.logOut() == (name == "receiving" ? .sendLogout : .none))
      #expect(try leaving.tick(at: 99 * second) == .none)
      var left = session
      left.disconnect()
      if name != "over" { #expect(left.state == .over(.disconnected)) }
      var again = session
      if name == "unconnected" { continue }
      #expect((try? again.connect(try request(), at: 0)) == nil)
    }
  }
}

@Suite("SoupBinTCP server session")
struct SoupBinTCPServerSessionTests {
  typealias Session = SoupBinTCPServerSession

  private func answer(
    _ request: SoupBinTCPLoginRequest, rules: Session.Rules = .init(), offer: Session.Offer?
  ) throws -> Session.Action {
    var session = Session(rules: rules, connectedAt: 0)
    return try session.receive(.login(request), at: 0) { asked in
      asked.isEmpty || asked == offer?.session ? offer : nil
    }
  }

  @Test func loginsAreChecked() throws {
    let offer = Session.Offer(session: "S", first: 1, next: 101)
    let rules = Session.Rules(user: "ME", password: "Pw")
    #expect(try answer(request(), rules: rules, offer: offer) == .accept(.init(session: "S", sequence: 1)))
    #expect(try answer(request(), rules: .init(user: "you"), offer: offer) == .reject(.notAuthorized))
    #expect(try answer(request(), rules: .init(password: "no"), offer: offer) == .reject(.notAuthorized))
    #expect(try answer(request("T"), rules: rules, offer: offer) == .reject(.sessionNotAvailable))
    #expect(try answer(request(), offer: nil) == .reject(.sessionNotAvailable))
  }

  @Test(arguments: [
    (UInt64(0), UInt64(100)), (1, 10), (10, 10), (50, 50), (100, 100), (101, 101), (102, 101), (.max, 101),
    (20, 30),
    (29, 30),
  ]) func sequencesAskedForAndGiven(asked: UInt64, given: UInt64) throws {
    let offer = Session.Offer(session: "S", first: 10, next: 101, missing: [20...29])
    #expect(try answer(request("S", asked), offer: offer) == .accept(.init(session: "S", sequence: given)))
  }

  @Test func anEmptySessionBeginsAtItsFirst() throws {
    let offer = Session.Offer(session: "S", first: 1, next: 1)
    for asked in [UInt64(0), 1, 2] {
      #expect(try answer(request("", asked), offer: offer) == .accept(.init(session: "S", sequence: 1)))
    }
  }

  @Test func eachStateTakesItsPacketsAndRefusesTheOthers() throws {
    let login = SoupBinTCPClientPacket.login(try request())
    let packets: [SoupBinTCPClientPacket] = [.debug(0..<1), .unsequenced(0..<1), .heartbeat, .logout, login]
    let offer = Session.Offer(session: "S", first: 1, next: 4)
    let waiting = Session(rules: .init(), connectedAt: 0)
    var serving = waiting
    _ = try serving.receive(login, at: 0) { _ in offer }
    var over = serving
    #expect(over.finish(at: 1) == .sendEndOfSession)
    let table: [(Session, [Session.Action?])] = [
      (waiting, [.debug(0..<1), nil, nil, .close, .accept(try .init(session: "S", sequence: 1))]),
      (serving, [.debug(0..<1), .unsequenced(0..<1), Session.Action.none, .close, nil]),
      (over, [nil, nil, nil, nil, nil]),
    ]
    for (session, row) in table {
      for (packet, wanted) in zip(packets, row) {
        var one = session
        do throws(SoupBinTCPFault) {
          let action = try one.receive(packet, at: 1) { _ in offer }
          #expect(action == wanted, "\(session.state): \(packet)")
        } catch {
          #expect(wanted == nil, "\(session.state): \(packet): \(error)")
        }
      }
    }
    var early = waiting
    #expect((try? early.sentMessages(1, at: 0)) == nil)
    #expect(early.finish(at: 0) == .none)
  }

  @Test func heartbeatsAndSilence() throws {
    var session = Session(rules: .init(), connectedAt: 0)
    #expect(try session.tick(at: 30 * second - 1) == .none)
    _ = try session.receive(.login(try request()), at: second) { _ in .init(session: "S", first: 1, next: 9) }
    #expect(try session.tick(at: 2 * second - 1) == .none)
    #expect(try session.tick(at: 2 * second) == .sendHeartbeat)
    try session.sentMessages(3, at: 2 * second + 9)
    #expect(session.state == .serving(session: "S", next: 4))
    #expect(try session.tick(at: 3 * second) == .none)
    #expect(try session.tick(at: 3 * second + 9, isWaiting: true) == .none)
    #expect(try session.tick(at: 3 * second + 9) == .sendHeartbeat)
    _ = try session.receive(.heartbeat, at: 4 * second) { _ in nil }
    _ = try session.tick(at: 19 * second - 1)
    #expect(throws: SoupBinTCPFault.silent(nanoseconds: 15 * second, limit: 15 * second)) {
      try session.tick(at: 19 * second)
    }
    var idle = Session(rules: .init(), connectedAt: 0)
    #expect(throws: SoupBinTCPFault.loginLate(limit: 30 * second)) { try idle.tick(at: 30 * second) }
  }
}

@Suite("SoupBinTCP sessions together")
struct SoupBinTCPTogetherTests {
  /// A server with messages and a client, bytes between them cut anywhere, connections cut anywhere: the client
  /// gets each message once and in order.
  @Test func cutConnectionsLoseAndRepeatNothing() throws {
    var random = generator("Soup together")
    for _ in 0..<30 {
      let messages = (0..<Int(random.next() % 300)).map { _ in random.bytes(Int(random.next() % 40)) }
      var received: [[UInt8]] = []
      var connections = 0
      var isOver = false
      while !isOver {
        connections += 1
        try #require(connections < 2_000)
        var client = SoupBinTCPClientSession()
        var server = SoupBinTCPServerSession(rules: .init(), connectedAt: 0)
        guard
          case .sendLogin(let login) = try client.connect(
            try request(received.isEmpty ? "" : "S", UInt64(received.count) + 1), at: 0)
        else { continue }
        let offer = SoupBinTCPServerSession.Offer(session: "S", first: 1, next: UInt64(messages.count) + 1)
        guard case .accept(let accepted) = try server.receive(.login(login), at: 0, offer: { _ in offer })
        else { continue }
        var down = ByteWriter()
        accepted.encode(into: &down)
        while case .serving(_, let next) = server.state {
          if next == offer.next {
            if server.finish(at: 0) == .sendEndOfSession {
              SoupBinTCPWriter.packet(SoupBinTCPType.endOfSession, into: &down)
            }
          } else {
            SoupBinTCPWriter.packet(SoupBinTCPType.sequenced, messages[Int(next) - 1], into: &down)
            try server.sentMessages(1, at: 0)
            if random.next() % 9 == 0 { SoupBinTCPWriter.packet(SoupBinTCPType.serverHeartbeat, into: &down) }
          }
        }
        // The connection breaks somewhere.
        if random.next() % 3 != 0 { down.bytes.removeLast(Int(random.next() % UInt64(down.bytes.count))) }
        var cutter = SoupBinTCPCutter()
        var position = 0
        var bytes = down.bytes
        var isReading = true
        while isReading {
          let step = try bytes.withUnsafeMutableBytes { raw throws -> SoupBinTCPCutter.Step in
            var span = raw.mutableBytes
            return try cutter.next(in: &span, at: &position, maximumRun: Int(random.next() % 5))
          }
          switch step {
          case .needMore: isReading = false
          case .run(let range, let count):
            #expect(
              try client.receiveSequenced(count: count, at: 0) == .deliver(first: UInt64(received.count) + 1))
            var place = range.lowerBound
            for _ in 0..<count {
              let length = Int(bytes[place]) << 8 | Int(bytes[place + 1])
              received.append(Array(bytes[place + 2..<place + 2 + length]))
              place += 2 + length
            }
          case .packet(let type, let payload):
            let packet = try SoupBinTCPServerPacket(type: type, payload: payload, in: bytes.span.bytes)
            switch try client.receive(packet, at: 0) {
            case .deliver(let first):
              #expect(first == UInt64(received.count) + 1)
              received.append(Array(bytes[payload]))
            case .endOfSession: isOver = true
            case .accepted(_, let next): #expect(next == UInt64(received.count) + 1)
            default: break
            }
          }
        }
      }
      #expect(received == messages)
    }
  }
}
