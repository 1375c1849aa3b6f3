// Sessions that end and begin, numbers that begin anew, lines that lie, lines that fall silent.

import FeedProtocols
import MarketData
import Testing
import TickerPlant

@testable import FeedHandler

@Suite("Lines, trust") struct LineTrustTests {
  static let day = LineDay.shared
  static let half = 3_000

  private func world(_ name: String, lines: Int = 2, hasRequestServer: Bool = true) -> LineWorld {
    LineWorld(generator(name), lines: lines, hasRequestServer: hasRequestServer)
  }

  @Test func aSessionThatEndsIsFollowedByTheNextWithoutLoss() {
    var world = world("sessions", hasRequestServer: false)
    world.play("DAY1", Self.day.messages, quiet: 300)
    world.endOfSession("DAY1", UInt64(Self.day.messages.count + 1))
    world.run(
      300 * LineWorld.millisecond, session: "DAY1", messages: Self.day.messages, sent: Self.day.messages.count
    )
    #expect(world.plant.sourceState == .ended)
    #expect(world.plant.digest().value == Self.day.digest)
    world.play("DAY2", Self.day.messages)
    #expect(world.plant.session == "DAY2")
    #expect(world.plant.date == LineDay.date.nextWeekday)
    #expect(world.plant.sequence == UInt64(Self.day.messages.count))
    #expect(world.plant.counters.lost == 0)
  }

  @Test func aSessionThatIsReplacedWithoutAnEndIsFollowed() {
    var world = world("replaced")
    world.play("DAY1", Self.day.messages, through: Self.half, quiet: 500)
    world.play("DAY2", Self.day.messages, quiet: 3_000)
    #expect(world.plant.session == "DAY2")
    #expect(world.plant.digest().value != 0)
    #expect(world.plant.sequence == UInt64(Self.day.messages.count))
    #expect(world.plant.counters.lost == 0)
    #expect(world.plant.sourceState == .live)
  }

  @Test(arguments: [1, 2], [0, 500] as [UInt64])
  func aSessionThatIsReplacedWithoutAnEndLosesNothingThatCame(lines: Int, quiet: UInt64) {
    var world = world("replaced \(lines) \(quiet)", lines: lines, hasRequestServer: false)
    world.play("DAY1", Self.day.messages, through: Self.half, quiet: quiet)
    world.play("DAY2", Self.day.messages, quiet: 1_000)
    expectWholeDay2(world)
  }

  @Test func aSessionThatOnlyOneOfTwoLinesBeginsLosesNothingThatCame() {
    var world = world("replaced on one line", hasRequestServer: false)
    world.play("DAY1", Self.day.messages, through: Self.half, quiet: 500)
    // The other line is dead from now on: it is waited for as long as trust asks.
    world.faults[1].dead = world.now..<UInt64.max
    world.play("DAY2", Self.day.messages, quiet: 8_000)
    expectWholeDay2(world)
  }

  @Test func aPlantOfYesterdayLosesNothingOfASessionThatBegins() throws {
    var old = world("yesterday")
    old.play("DAY1", Self.day.messages, quiet: 300)
    var plant = LineDay.plant()
    try plant.restore(old.plant.snapshot())
    var world = LineWorld(generator("today"), hasRequestServer: false, plant: plant)
    // Line B is up later.
    world.faults[1].dead = 0..<world.now + 20 * LineWorld.millisecond
    world.play("DAY2", Self.day.messages, quiet: 1_000)
    expectWholeDay2(world)
  }

  private func expectWholeDay2(_ world: borrowing LineWorld) {
    let (session, sequence, lost) = (world.plant.session, world.plant.sequence, world.plant.counters.lost)
    let (state, declared) = (world.plant.sourceState, world.declared)
    #expect(session == "DAY2" && sequence == UInt64(Self.day.messages.count))
    #expect(lost == 0 && declared.isEmpty && state == .live)
  }

  @Test func whatAWrongLineSaidIsForgottenOnceItIsRight() {
    var waiting = WaitingPackets()
    var arbiter = LineArbiter(LineArbiterConfiguration(lines: 1))
    let header = MoldUDP64Header(session: MoldSession("A"), sequence: 1, count: 0)
    _ = arbiter.receive(header, line: 0, byteCount: 20, at: 1)
    _ = arbiter.receive(header, line: 0, byteCount: 20, at: 1)
    let other = LineWorld.packet("B", 1, [order(1)])
    let wrong = MoldUDP64Header(session: MoldSession("B"), sequence: 1, count: 1)
    #expect(arbiter.receive(wrong, line: 0, byteCount: other.count, at: 2) == .keep)
    let isKept = other.withUnsafeBytes { waiting.keep($0, wrong, line: 0, receivedAt: 2, at: 2) }
    waiting.forgetDisproved(arbiter, at: 1_000_000_000)
    #expect(isKept && !waiting.isEmpty)
    _ = arbiter.receive(header, line: 0, byteCount: 20, at: 3)
    waiting.forgetDisproved(arbiter, at: 4)
    #expect(!waiting.isEmpty)
    waiting.forgetDisproved(arbiter, at: 1_000_000_000)
    #expect(waiting.isEmpty)
  }

  @Test func packetsThatWaitAreBoundedAndTheFirstOnesStay() {
    var waiting = WaitingPackets()
    let packet = [UInt8](repeating: 0, count: 1 << 20)
    var kept: [Bool] = []
    for place in 0..<20 as Range<UInt64> {
      let header = MoldUDP64Header(session: MoldSession("B"), sequence: place + 1, count: 1)
      kept.append(packet.withUnsafeBytes { waiting.keep($0, header, line: 1, receivedAt: place, at: place) })
    }
    // The first that has no room is told.
    #expect(kept.firstIndex(of: false) == 15 && kept.filter { !$0 }.count == 1)
    #expect(waiting.passedOver == 5)
    #expect(waiting.takeAll().map(\.receivedAt) == Array(0..<15))
  }

  @Test func aLineOfAnotherSessionIsNotBelieved() {
    var world = world("wrong session")
    world.play("DAY1", Self.day.messages, through: Self.half)
    world.faults[1].loss = 1
    for place in stride(from: Self.half, to: Self.day.messages.count, by: 10) {
      let part = Array(Self.day.messages[place..<min(place + 10, Self.day.messages.count)])
      world.send("DAY1", UInt64(place + 1), part, only: 0)
      world.faults[1].loss = 0
      world.send("OTHER", UInt64(place + 1), part.map { _ in order(7) }, only: 1)
      world.faults[1].loss = 1
      world.run(5 * LineWorld.millisecond, session: "DAY1", messages: Self.day.messages, sent: place + 10)
    }
    #expect(world.receiver.arbiter.lines[1].state == .wrongSession(MoldSession("OTHER")))
    #expect(world.receiver.arbiter.lines[1].disbelieved > 0)
    #expect(world.plant.session == "DAY1")
    #expect(world.plant.digest().value == Self.day.digest)
    #expect(world.notes.contains { $0.text.contains("OTHER") })
  }

  @Test func aLineThatJumpsIsNotBelievedWhileTheOtherGoesOn() {
    var world = world("jump")
    world.play("DAY1", Self.day.messages, through: Self.half)
    for place in stride(from: Self.half, to: Self.day.messages.count, by: 10) {
      let part = Array(Self.day.messages[place..<min(place + 10, Self.day.messages.count)])
      world.send("DAY1", UInt64(place + 1), part, only: 0)
      world.send("DAY1", UInt64(place + 1) + 500_000_000, part, only: 1)
      world.run(5 * LineWorld.millisecond, session: "DAY1", messages: Self.day.messages, sent: place + 10)
    }
    #expect(world.receiver.arbiter.lines[1].state == .jumped)
    #expect(world.plant.digest().value == Self.day.digest)
    #expect(world.declared.isEmpty)
    // It is believed again as soon as it tells what the other does.
    world.play("DAY1", Self.day.messages, from: Self.day.messages.count, quiet: 500)
    #expect(world.receiver.arbiter.lines[1].state == .live)
  }

  @Test func aJumpThatNothingContradictsIsAGap() {
    var world = LineWorld(generator("true jump"), lines: 1, hasRequestServer: false) { $0.maximumJump = 100 }
    world.play("DAY1", Self.day.messages, through: Self.half, quiet: 200)
    world.play("DAY1", Self.day.messages, from: Self.half + 500, quiet: 2_000)
    #expect(world.declared.count == 1)
    #expect(world.declared.first?.lowerBound == UInt64(Self.half + 1))
    #expect(world.plant.sequence == UInt64(Self.day.messages.count))
    #expect(world.plant.sourceState == .gap)
  }

  @Test(arguments: [1, 2]) func numbersThatBeginAnewAreANewEpoch(lines: Int) {
    var world = LineWorld(generator("restart \(lines)"), lines: lines)
    world.play("DAY1", Self.day.messages, through: Self.half, quiet: 500)
    world.play("DAY1", Self.day.messages, through: 800, quiet: 4_000)
    #expect(world.plant.session == "DAY1~2")
    #expect(world.plant.sequence == 800)
    #expect(world.plant.counters.lost == 0)
    #expect(world.plant.sourceState == .live)
    #expect(world.notes.contains { $0.text.contains("began anew") })
  }

  @Test func oneLineThatGoesBackIsNotFollowed() {
    var world = world("back")
    world.play("DAY1", Self.day.messages, through: Self.half, quiet: 300)
    for place in stride(from: Self.half, to: Self.day.messages.count, by: 10) {
      world.send(
        "DAY1", UInt64(place + 1), Array(Self.day.messages[place..<min(place + 10, Self.day.messages.count)]),
        only: 0)
      world.send("DAY1", UInt64((place - Self.half) % 500 + 1), Array(Self.day.messages[0..<1]), only: 1)
      world.run(10 * LineWorld.millisecond, session: "DAY1", messages: Self.day.messages, sent: place + 10)
    }
    #expect(world.receiver.arbiter.lines[1].state == .wentBack)
    #expect(world.plant.session == "DAY1")
    #expect(world.plant.digest().value == Self.day.digest)
  }

  @Test func silenceIsSaidWithinThreeHeartbeatsAndEndsWithTheFirstPacket() {
    var world = world("silence")
    world.play("DAY1", Self.day.messages, through: Self.half, quiet: 1_000)
    #expect(world.plant.sourceState == .live)
    let last = world.now
    // A quiet market on beating lines stays live for as long as it likes.
    for _ in 0..<50 {
      world.heartbeat("DAY1", UInt64(Self.half + 1))
      world.run(100 * LineWorld.millisecond, session: "DAY1", messages: Self.day.messages, sent: Self.half)
    }
    #expect(world.plant.sourceState == .live)
    #expect(world.now > last)
    world.run(190 * LineWorld.millisecond, session: "DAY1", messages: Self.day.messages, sent: Self.half)
    #expect(world.plant.sourceState == .silent)
    #expect(world.receiver.arbiter.lines.allSatisfy { $0.state == .silent })
    world.heartbeat("DAY1", UInt64(Self.half + 1), only: 1)
    world.run(20 * LineWorld.millisecond, session: "DAY1", messages: Self.day.messages, sent: Self.half)
    #expect(world.plant.sourceState == .live)
    #expect(world.receiver.arbiter.lines[0].state == .silent)
    #expect(world.receiver.arbiter.lines[1].state == .live)
  }

  @Test func whatIsNoMoldIsCountedAndHarmsNothing() {
    var world = world("malformed")
    var random = generator("malformed bytes")
    world.play("DAY1", Self.day.messages, through: Self.half, quiet: 100)
    for _ in 0..<2_000 {
      let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
        UInt8.random(in: .min ... .max, using: &random)
      }
      bytes.withUnsafeBytes {
        world.receiver.take(
          $0, line: Int.random(in: 0...2, using: &random), receivedAt: 1, at: world.now, plant: &world.plant)
      }
    }
    #expect(world.receiver.arbiter.lines[0].malformed > 0)
    world.play("DAY1", Self.day.messages, from: Self.half)
    #expect(world.plant.digest().value == Self.day.digest)
    #expect(world.notes.filter { $0.text.contains("MoldUDP64") }.count <= 20)
  }
}
