// The merger's decisions, one by one.

import MarketData
import Testing
import TickerPlant

@testable import Continuity

@Suite struct MergerTests {
  static let messages = dayMessages(seed: runSeed, instruments: 3, messages: 600)

  /// A merger with some sources of the same feed, of which each is a stream.
  final class World {
    var merger: StreamMerger
    let view = MarketView()
    let sources: [Source]
    let streams: [Int]
    var now: UInt64 = 1_000_000_000

    init(_ count: Int = 2, held: Int = 32 << 20) {
      var configuration = StreamMerger.Configuration(configuration: 7)
      configuration.heldBytes = held
      var merger = StreamMerger(configuration)
      sources = (0..<count).map { number in Source(incarnation: UInt64(number + 1)) { $0.frameBytes = 2000 } }
      streams = (0..<count).map { merger.addStream("plant-\($0)") }
      self.merger = merger
    }

    func take(_ frames: [[UInt8]], _ stream: Int) {
      for frame in frames {
        frame.withUnsafeBytes { raw in
          merger.take(raw, stream: streams[stream], at: now) { view.take($0, continues: $1) }
        }
      }
    }

    /// A source applies messages; its frames come, or are lost.
    func feed(_ source: Int, _ range: Range<Int>, lost: Bool = false) {
      sources[source].apply(MergerTests.messages[range], first: UInt64(range.lowerBound + 1))
      let frames = sources[source].takeFrames()
      if !lost { take(frames, source) }
    }

    func beat(_ source: Int) {
      sources[source].beat()
      take(sources[source].takeFrames(), source)
    }

    func wait(_ milliseconds: Int, beats: [Int] = []) {
      for number in 1...milliseconds {
        now += millisecond
        if number % 100 == 0 { for source in beats { beat(source) } }
        merger.tick(at: now) { view.take($0, continues: $1) }
      }
    }

    var position: UInt64? { merger.position?.sequence }
    var isWaiting: Bool { merger.isWaiting }
    var counters: StreamMerger.Counters { merger.counters }
    var heldBytes: Int { merger.coverages[0].heldBytes }
    func counters(_ stream: Int) -> StreamMerger.StreamCounters { merger.counters(ofStream: stream) }

    func action() -> StreamMerger.Action? { merger.nextAction() }

    func replay(_ source: Int, _ from: UInt64, _ through: UInt64) {
      var parts: [[UInt8]] = []
      sources[source].publisher.replay(from: from, through: through, epoch: PublisherTests.key, wall: 0) {
        parts.append([UInt8]($0))
      }
      take(parts, source)
    }
  }

  @Test func theOtherStreamFillsAHole() {
    let world = World()
    for source in 0..<2 { world.feed(source, 0..<50) }
    world.feed(0, 50..<60, lost: true)
    world.feed(0, 60..<70)
    #expect(world.isWaiting && world.view.sequence <= 50)
    world.wait(10)
    #expect(world.view.state == .live)
    world.feed(1, 50..<60)
    #expect(!world.isWaiting)
    #expect(world.position == 70)
    #expect(world.action() == nil)
    #expect(world.counters.holes == 1)
  }

  @Test func whatNobodyBringsIsAskedForAndThenReplaced() {
    let world = World()
    for source in 0..<2 { world.feed(source, 0..<50) }
    for source in 0..<2 { world.feed(source, 50..<60, lost: true) }
    world.feed(0, 60..<70)
    world.feed(1, 60..<70)
    world.wait(19)
    #expect(world.action() == nil)
    world.wait(2)
    #expect(world.action() == .replay(stream: 0, from: 50, through: 60, epoch: PublisherTests.key, code: nil))
    #expect(world.view.state == .recovering)
    // Refused by both: the state is asked for.
    let refusal = { (source: Int) in
      var parts: [[UInt8]] = []
      world.sources[source].publisher.replay(
        from: 50, through: 60, epoch: EpochKey(EpochName(session: "X", date: testDate)), wall: 0
      ) { parts.append([UInt8]($0)) }
      world.take(parts, source)
    }
    refusal(0)
    #expect(world.action() == .replay(stream: 1, from: 50, through: 60, epoch: PublisherTests.key, code: nil))
    refusal(1)
    #expect(world.action() == .snapshot(stream: 0, code: nil))
    let parts = world.sources[0].snapshot(partBytes: 600)
    #expect(parts.count > 1)
    world.take(Array(parts.dropLast()), 0)
    // Nothing of it is shown, and nobody waits for its end.
    #expect(world.view.state == .recovering && !world.view.isOpen && world.view.restarts == 0)
    // What comes meanwhile waits.
    world.feed(0, 70..<80)
    world.take(parts.suffix(1), 0)
    #expect(world.view.state == .live && world.position == 80)
    #expect(world.view.restarts == 1)
    #expect(world.view.difference(from: StreamTests.whole(Array(Self.messages.prefix(80)))) == nil)
    #expect(world.view.faults == [])
  }

  @Test func aReplayFillsAHole() {
    let world = World(1)
    world.feed(0, 0..<50)
    world.feed(0, 50..<60, lost: true)
    world.feed(0, 60..<70)
    // With nobody else to bring it nothing is waited for.
    #expect(world.action() == .replay(stream: 0, from: 50, through: 60, epoch: PublisherTests.key, code: nil))
    world.replay(0, 50, 60)
    #expect(world.position == 70 && !world.isWaiting)
    #expect(world.view.difference(from: StreamTests.whole(Array(Self.messages.prefix(70)))) == nil)
  }

  @Test func aBeatTellsOfALostTail() {
    let world = World(1)
    world.feed(0, 0..<50)
    world.feed(0, 50..<60, lost: true)
    world.wait(30)
    #expect(world.action() == nil && world.view.state == .live)
    world.beat(0)
    #expect(world.action() == .replay(stream: 0, from: 50, through: 60, epoch: PublisherTests.key, code: nil))
  }

  @Test func anAnswerThatDoesNotComeIsAskedForElsewhere() {
    let world = World(2)
    for source in 0..<2 { world.feed(source, 0..<50) }
    for source in 0..<2 { world.feed(source, 50..<60, lost: true) }
    for source in 0..<2 { world.feed(source, 60..<70) }
    world.wait(21)
    #expect(world.action() == .replay(stream: 0, from: 50, through: 60, epoch: PublisherTests.key, code: nil))
    world.wait(301, beats: [0, 1])
    #expect(world.action() == .replay(stream: 1, from: 50, through: 60, epoch: PublisherTests.key, code: nil))
    #expect(world.counters(0).unanswered == 1)
  }

  @Test func silenceOfAllIsShown() {
    let world = World(2)
    for source in 0..<2 { world.feed(source, 0..<50) }
    world.wait(1_000, beats: [1])
    #expect(world.view.state == .live)
    world.wait(310)
    #expect(world.view.state == .live)
    world.wait(20)
    #expect(world.view.state == .silent)
    world.beat(0)
    #expect(world.view.state == .live)
  }

  @Test func aSourceWithAGapIsPassedOverWhileAnotherHasEverything() {
    let world = World(2)
    for source in 0..<2 { world.feed(source, 0..<50) }
    world.feed(0, 60..<70)
    #expect(world.view.state == .live && world.view.sequence <= 50)
    world.feed(1, 50..<70)
    #expect(world.view.state == .live && world.position == 70)
    #expect(world.counters(0).incomplete > 0)
    // The whole one dies: what there is goes on, and is said to have a gap.
    world.wait(500, beats: [0])
    world.feed(0, 70..<80)
    #expect(world.view.state == .gap && world.position == 80)
    // It is back, and has everything: its state replaces what was shown.
    world.feed(1, 70..<85)
    world.wait(30)
    #expect(world.action() == .snapshot(stream: 1, code: nil))
    world.take(world.sources[1].snapshot(), 1)
    #expect(world.view.state == .live && world.position == 85)
    #expect(world.view.difference(from: StreamTests.whole(Array(Self.messages.prefix(85)))) == nil)
  }

  /// Found by the simulation: two sources with gaps, and what one lacks the other doesn't bring.
  @Test func whereNobodyHasEverythingItGoesOn() {
    let world = World(2)
    world.feed(0, 0..<50)
    world.feed(0, 60..<70)
    world.feed(1, 0..<20)
    world.feed(1, 30..<50, lost: true)
    #expect(world.view.state == .gap)
    world.feed(1, 50..<90, lost: true)
    world.wait(400, beats: [1])
    world.feed(1, 90..<100)
    world.wait(30, beats: [])
    guard case .replay(let stream, let from, let through, _, _)? = world.action() else {
      Issue.record("nothing is asked for")
      return
    }
    #expect(stream == 1 && from == 70)
    world.replay(1, from, through)
    #expect(world.position == 100)
    #expect(world.view.state == .gap)
  }

  @Test func aSnapshotThatLeadsBackIsRefused() {
    let world = World(2)
    for source in 0..<2 { world.feed(source, 0..<50) }
    let old = world.sources[1].snapshot()
    for source in 0..<2 { world.feed(source, 50..<60) }
    for source in 0..<2 { world.feed(source, 60..<70, lost: true) }
    world.feed(0, 70..<80)
    world.merger.coverages[0].needsSnapshot = true
    world.wait(30)
    guard case .snapshot(let stream, _)? = world.action() else {
      Issue.record("nothing is asked for")
      return
    }
    world.take(old, stream)
    #expect(world.position == 60)
    #expect(world.view.restarts == 0 && world.view.faults == [])
  }

  @Test func whatWaitsIsBounded() {
    let world = World(1, held: 4_000)
    world.feed(0, 0..<50)
    world.feed(0, 50..<60, lost: true)
    for start in stride(from: 60, to: 300, by: 10) { world.feed(0, start..<start + 10) }
    #expect(world.counters.overflows > 0)
    #expect(world.heldBytes <= 4_000)
    var actions: [StreamMerger.Action] = []
    while let action = world.action() { actions.append(action) }
    world.wait(320, beats: [0])
    while let action = world.action() { actions.append(action) }
    #expect(actions.contains(.snapshot(stream: 0, code: nil)))
    world.take(world.sources[0].snapshot(), 0)
    #expect(world.position == 300 && world.view.state == .live)
  }

  @Test func epochsFollowEachOtherAndNeverGoBack() {
    let world = World(3)
    world.feed(0, 0..<50)
    world.feed(1, 0..<30)
    world.wait(400, beats: [0, 1])
    world.sources[0].plant.beginEpoch(session: "DAY2", date: testDate.nextWeekday)
    world.feed(0, 0..<20)
    #expect(world.view.epoch == EpochName(session: "DAY2", date: testDate.nextWeekday))
    #expect(world.position == 20 && world.view.state == .live)
    world.feed(1, 30..<60)
    #expect(world.counters(1).older > 0)
    #expect(world.position == 20)
    // The same session anew.
    world.sources[0].plant.beginEpoch(session: "DAY2~2", date: testDate.nextWeekday)
    world.feed(0, 0..<10)
    #expect(world.view.epoch?.session == "DAY2~2" && world.position == 10)
    // A name of the same day that nobody knows: not while the present one is heard.
    world.sources[2].plant.beginEpoch(session: "OTHER", date: testDate.nextWeekday)
    world.feed(2, 0..<10)
    #expect(world.view.epoch?.session == "DAY2~2")
    world.wait(400, beats: [2])
    world.feed(2, 10..<20)
    while let action = world.action() {
      if case .snapshot(2, _) = action { world.take(world.sources[2].snapshot(), 2) }
    }
    #expect(world.view.epoch?.session == "OTHER")
    #expect(world.view.faults == [])
  }

  @Test func aLostOpeningIsReplacedByASnapshot() {
    let world = World(1)
    world.feed(0, 0..<50)
    world.sources[0].plant.beginEpoch(session: "DAY2", date: testDate.nextWeekday)
    world.feed(0, 0..<20, lost: true)
    world.feed(0, 20..<30)
    #expect(world.view.epoch?.session == "DAY1" && world.view.state == .recovering)
    #expect(world.action() == .snapshot(stream: 0, code: nil))
    world.take(world.sources[0].snapshot(), 0)
    #expect(world.view.epoch?.session == "DAY2" && world.view.state == .live)
    #expect(world.view.faults == [])
  }

  @Test func aRemovedStreamIsNotTaken() {
    let world = World(2)
    for source in 0..<2 { world.feed(source, 0..<50) }
    world.merger.removeStream(world.streams[0], at: world.now) { world.view.take($0, continues: $1) }
    world.feed(0, 50..<60)
    #expect(world.position == 50)
    world.feed(1, 50..<60)
    #expect(world.position == 60)
  }
}
