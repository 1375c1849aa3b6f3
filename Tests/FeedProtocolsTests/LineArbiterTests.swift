// Arbitration packet by packet, and by made-up packets that no exchange would send.

import FeedProtocols
import MarketData
import Testing

private let second: UInt64 = 1_000_000_000
private let millisecond: UInt64 = 1_000_000

@Suite("Line arbitration") struct LineArbiterTests {
  private func header(_ session: String, _ sequence: UInt64, _ count: UInt16) -> MoldUDP64Header {
    MoldUDP64Header(session: MoldSession(session), sequence: sequence, count: count)
  }

  private func blocks(_ count: Int) -> [UInt8] {
    Array(repeating: [0, 1, 0x41], count: count).flatMap { $0 }
  }

  private func arbiter(requests: Bool = false) -> LineArbiter {
    var configuration = LineArbiterConfiguration(lines: 2)
    configuration.hasRequestServer = requests
    return LineArbiter(configuration, session: MoldSession("S"), next: 1, isSettled: true)
  }

  @Test func firstCopyWinsAndTheOverlapIsSkipped() {
    var arbiter = arbiter()
    #expect(arbiter.receive(header("S", 1, 3), line: 0, byteCount: 29, at: second) == .deliver(skip: 0))
    arbiter.advance(to: 4, line: 0, at: second)
    #expect(arbiter.receive(header("S", 1, 3), line: 1, byteCount: 29, at: second) == .ignore)
    #expect(arbiter.receive(header("S", 2, 4), line: 1, byteCount: 32, at: second) == .deliver(skip: 2))
    arbiter.advance(to: 6, line: 1, at: second)
    #expect(arbiter.next == 6)
    #expect(arbiter.lines[0].first == 3 && arbiter.lines[1].first == 2)
    #expect(arbiter.lines[1].repeated == 5)
  }

  @Test func aHeldPacketFollowsWhatWasMissing() throws {
    var arbiter = arbiter()
    var budget = RequestBudget(perSecond: 100)
    let ahead = header("S", 3, 2)
    #expect(arbiter.receive(ahead, line: 0, byteCount: 26, at: second) == .hold)
    arbiter.hold(ahead, blocks: blocks(2).span.bytes, line: 0, receivedAt: 7, at: second)
    #expect(!arbiter.isComplete)
    // The line is told to be live; nothing else is due.
    while let action = arbiter.nextAction(at: second, budget: &budget) {
      guard case .line(0, .live) = action else {
        Issue.record("\(action)")
        break
      }
    }
    #expect(arbiter.receive(header("S", 1, 2), line: 1, byteCount: 26, at: second) == .deliver(skip: 0))
    arbiter.advance(to: 3, line: 1, at: second)
    var delivered: HeldPacket?
    while let action = arbiter.nextAction(at: second, budget: &budget) {
      if case .deliver(let packet, 0) = action { delivered = packet }
    }
    let packet = try #require(delivered)
    #expect(packet.sequence == 3 && packet.count == 2 && packet.receivedAt == 7 && packet.bytes == blocks(2))
    #expect(arbiter.next == 5 && arbiter.isComplete)
  }

  @Test func aRequestNamesWhatIsMissingAfterTheGraceAndIsRepeated() {
    var arbiter = arbiter(requests: true)
    var budget = RequestBudget(perSecond: 1_000)
    let ahead = header("S", 11, 1)
    _ = arbiter.receive(ahead, line: 0, byteCount: 23, at: second)
    arbiter.hold(ahead, blocks: blocks(1).span.bytes, line: 0, receivedAt: 0, at: second)
    func requests(at now: UInt64) -> [MoldUDP64Request] {
      var found: [MoldUDP64Request] = []
      while let action = arbiter.nextAction(at: now, budget: &budget) {
        if case .request(let request) = action { found.append(request) }
      }
      return found
    }
    #expect(requests(at: second + millisecond).isEmpty)
    let wanted = MoldUDP64Request(session: MoldSession("S"), sequence: 1, count: 10)
    #expect(requests(at: second + 3 * millisecond) == [wanted])
    #expect(requests(at: second + 10 * millisecond).isEmpty)
    #expect(requests(at: second + 30 * millisecond) == [wanted])
    #expect(arbiter.requests.sent == 2)
  }

  @Test func aHeartbeatTellsOfALostTail() {
    var arbiter = arbiter()
    var budget = RequestBudget(perSecond: 1)
    #expect(arbiter.receive(header("S", 21, 0), line: 0, byteCount: 20, at: second) == .ignore)
    #expect(arbiter.known == 21 && !arbiter.isComplete)
    var declared: ClosedRange<UInt64>?
    // Line B hasn't come so far, but it is not heard either.
    for step in 0..<100 {
      let now = second + UInt64(step) * 10 * millisecond
      _ = arbiter.receive(header("S", 21, 0), line: 0, byteCount: 20, at: now)
      arbiter.tick(at: now)
      while let action = arbiter.nextAction(at: now, budget: &budget) {
        if case .declare(let from, let through) = action {
          #expect(declared == nil)
          declared = from...through
          #expect(now >= second + 500 * millisecond)
        }
      }
    }
    #expect(declared == 1...20)
    #expect(arbiter.next == 21)
  }

  @Test func aLossNoticedPieceByPieceIsOneGap() {
    var arbiter = arbiter(requests: true)
    var budget = RequestBudget(perSecond: 1_000)
    var declared: [ClosedRange<UInt64>] = []
    for step in 0..<200 as Range<UInt64> {
      let now = second + step * 10 * millisecond
      // First the heartbeats tell of ten, then of twenty; then a packet comes behind both.
      let place: UInt64 = step < 5 ? 11 : 21
      for line in 0..<2 {
        _ = arbiter.receive(header("S", place, 0), line: line, byteCount: 20, at: now)
        if step > 10 {
          let packet = header("S", 21, 1)
          if arbiter.receive(packet, line: line, byteCount: 23, at: now) == .hold {
            arbiter.hold(packet, blocks: blocks(1).span.bytes, line: line, receivedAt: 0, at: now)
          }
        }
      }
      arbiter.tick(at: now)
      while let action = arbiter.nextAction(at: now, budget: &budget) {
        if case .declare(let from, let through) = action { declared.append(from...through) }
      }
    }
    #expect(declared == [1...20])
    #expect(arbiter.next == 22)
  }

  /// Every number is delivered or declared once, in order, whatever comes.
  @Test func madeUpPacketsBreakNothing() {
    var random = generator("made-up lines")
    fuzz(rounds: 300) {
      var configuration = LineArbiterConfiguration(lines: Int.random(in: 1...2, using: &random))
      configuration.hasRequestServer = .random(using: &random)
      configuration.maximumHeldBytes = 2_000
      configuration.maximumJump = .random(in: 10...1_000, using: &random)
      configuration.waitNanoseconds = 20 * millisecond
      var arbiter = LineArbiter(configuration)
      var budget = RequestBudget(perSecond: 1_000)
      var now = second
      var expected: UInt64 = 1
      func perform() {
        var steps = 0
        while let action = arbiter.nextAction(at: now, budget: &budget) {
          steps += 1
          guard steps < 100_000 else {
            Issue.record("no end of actions")
            return
          }
          switch action {
          case .deliver(let packet, let skip):
            #expect(packet.sequence + UInt64(skip) == expected)
            expected = packet.end
          case .declare(let from, let through):
            #expect(from == expected)
            expected = through + 1
          case .session, .restarted: expected = 1
          case .request(let request): #expect(request.count > 0 && request.sequence >= expected)
          case .ended, .line, .silent: break
          }
        }
        #expect(arbiter.next == expected)
        #expect(arbiter.heldBytes <= 2_000)
      }
      for _ in 0..<200 {
        now += .random(in: 1...50 * millisecond, using: &random)
        let near = expected &+ UInt64.random(in: 0...40, using: &random) &- min(expected, 20)
        let far = UInt64.random(in: 0...(UInt64.max - 70_000), using: &random)
        let count: UInt16 = [0, 0, 0xffff].randomElement(using: &random) ?? 0
        let packet = header(
          ["S", "S", "S", "T"].randomElement(using: &random) ?? "S",
          Int.random(in: 0..<10, using: &random) == 0 ? far : near,
          .random(using: &random) ? .random(in: 1...9, using: &random) : count)
        let line = Int.random(in: 0...configuration.lines, using: &random)
        var tries = 0
        while true {
          let verdict = arbiter.receive(packet, line: line, byteCount: 20, at: now)
          if verdict == .again, tries < 3 {
            perform()
            tries += 1
            continue
          }
          switch verdict {
          case .deliver(let skip):
            // A session may have been adopted with this very packet: it is told before.
            #expect(packet.sequence + UInt64(skip) == expected)
            expected = packet.sequence + UInt64(packet.blockCount)
            arbiter.advance(to: expected, line: line, at: now)
          case .hold:
            arbiter.hold(
              packet, blocks: blocks(packet.blockCount).span.bytes, line: line, receivedAt: 0, at: now)
          case .ignore, .again, .keep: break
          }
          break
        }
        if .random(using: &random) { arbiter.tick(at: now) }
        perform()
      }
    }
  }
}
