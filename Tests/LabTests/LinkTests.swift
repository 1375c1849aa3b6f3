// The link emulator's decisions and its control language.

import Testing

@testable import Lab

@Suite struct LinkTests {
  @Test func aFrameTakesTheDelay() {
    var link = LinkModel(seed: 1)
    link.settings.delayNanoseconds = 2_500_000
    #expect(link.offer(bytes: 100, flow: 1, at: 1_000) == .deliver(at: 2_501_000))
  }

  @Test func framesWaitForThoseBeforeThemAndTheQueueIsBounded() {
    var link = LinkModel(seed: 1)
    link.settings.bitsPerSecond = 8_000_000  // A byte a microsecond.
    link.settings.queueBytes = 3_000
    #expect(link.offer(bytes: 1_000, flow: 1, at: 0) == .deliver(at: 1_000_000))
    #expect(link.offer(bytes: 1_000, flow: 1, at: 0) == .deliver(at: 2_000_000))
    #expect(link.offer(bytes: 1_000, flow: 1, at: 500_000) == .deliver(at: 3_000_000))
    #expect(link.offer(bytes: 1_000, flow: 1, at: 500_000) == .deliver(at: 4_000_000))
    #expect(link.offer(bytes: 1_000, flow: 1, at: 500_000) == .dropped(.queue))
    #expect(link.offer(bytes: 1_000, flow: 1, at: 9_000_000) == .deliver(at: 10_000_000))
  }

  @Test func thereIsRoomForWhatTheQueueAndTheDelayHold() {
    var settings = LinkSettings()
    #expect(settings.framesUnderWay == 4_096)
    settings.bitsPerSecond = 100_000_000
    settings.queueBytes = 3_125_000
    settings.delayNanoseconds = 10_000_000
    #expect(settings.framesUnderWay == (3_125_000 + 125_000) / 256)
    settings.bitsPerSecond = 1_000_000_000_000
    #expect(settings.framesUnderWay == 131_072, "bounded")
  }

  @Test func framesDoNotOvertakeOneAnother() {
    var link = LinkModel(seed: 7)
    link.settings.delayNanoseconds = 1_000_000
    link.settings.jitterNanoseconds = 900_000
    var last: UInt64 = 0
    for step in 0..<10_000 {
      guard case .deliver(let at) = link.offer(bytes: 64, flow: 1, at: UInt64(step) * 10_000) else {
        Issue.record("nothing may be dropped")
        return
      }
      #expect(at >= last && at >= UInt64(step) * 10_000 + 1_000_000)
      last = at
      // A change of the delay doesn't let later ones overtake either.
      if step == 5_000 { link.settings.delayNanoseconds = 100_000 }
      if step > 5_000 { break }
    }
  }

  @Test func lossIsWhatWasAskedFor() {
    var link = LinkModel(seed: 3)
    link.settings.lossPerMillion = 200_000
    let lost = (0..<100_000).count { link.offer(bytes: 64, flow: 1, at: UInt64($0)) == .dropped(.loss) }
    #expect((19_000...21_000).contains(lost))
  }

  @Test func aHoleTakesFlowsWholly() {
    var link = LinkModel(seed: 3)
    link.settings.holePerMillion = 500_000
    var gone = 0
    for port in UInt16(1)...1_000 {
      let flow = Self.frame(port: port).flow
      let results = (0..<5).map { link.offer(bytes: 64, flow: flow.hash, at: UInt64($0)) == .dropped(.hole) }
      #expect(Set(results).count == 1, "a flow is lost or not")
      if results[0] { gone += 1 }
    }
    #expect((400...600).contains(gone))
    // ARP is no flow: neighbours still find one another.
    var arp = Self.frame(port: 1)
    arp.bytes[13] = 6
    #expect(link.offer(bytes: 64, flow: arp.flow.hash, at: 9) != .dropped(.hole))
  }

  /// An Ethernet frame with UDP.
  struct Frame {
    var bytes: [UInt8]
    var flow: FlowHash.Flow { bytes.withUnsafeBytes { FlowHash.flow($0) } }
  }

  static func frame(port: UInt16) -> Frame {
    var bytes = [UInt8](repeating: 0, count: 64)
    bytes[12] = 8
    bytes[14] = 0x45
    bytes[23] = 17
    bytes.replaceSubrange(26..<34, with: [10, 1, 1, 11, 10, 2, 1, 11])
    bytes.replaceSubrange(34..<38, with: [UInt8(port >> 8), UInt8(port & 255), 0x10, 0x92])
    return Frame(bytes: bytes)
  }

  @Test func portsAreReadAndDamagedFramesAreNoFlows() {
    let flow = Self.frame(port: 0x1234).flow
    #expect(flow.from == 0x1234 && flow.to == 4242)
    for count in 0..<34 {
      let short = Frame(bytes: Array(Self.frame(port: 1).bytes.prefix(count)))
      #expect(short.flow.hash == .max)
    }
    var long = Self.frame(port: 1)
    long.bytes[14] = 0x4f  // A head of 60 bytes: the ports are past the end.
    #expect(long.flow.from == 0)
  }

  @Test func commandsAreReadAsTheyAreWritten() throws {
    let commands: [LinkCommand] = [
      .add(name: "line1", from: "/run/netns/a", to: "/run/netns/b"),
      .set(name: "line1", .both, [.init(.delay, 2_500_000), .init(.loss, 10), .init(.cut, 1)]),
      .set(name: "line1", .forth, [.init(.rate, 100_000_000), .init(.queue, 65_536), .init(.hole, 500_000)]),
      .watch([4222, 7222]), .stats,
    ]
    for command in commands { #expect(try LinkCommand(line: command.line) == command) }
    for bad in [
      "", "add x", "set line1 up cut=1", "set line1 both", "set line1 both cut=2",
      "set line1 both loss=1000001",
      "set line1 both delay", "set line1 both color=1", "watch 70000", "stats now", "remove line1",
    ] {
      #expect(throws: LinkCommand.Fault.self, "\(bad)") { try LinkCommand(line: bad) }
    }
  }
}
