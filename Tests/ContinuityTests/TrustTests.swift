// Whom a merger believes: one publisher alone is not enough to change the day, nor to empty the market; a gap that was
// declared stays one; this node's own pause is nobody's silence.

import MarketData
import Testing
import TickerPlant

@testable import Continuity

@Suite struct TrustTests {
  typealias World = MergerTests.World
  static let tomorrow = testDate.nextWeekday

  /// Sources go on, and beat.
  private func advance(_ world: World, _ sources: [Int], from: Int, turns: Int) {
    for turn in 0..<turns {
      for source in sources { world.feed(source, from + turn..<from + turn + 1) }
      world.wait(100, beats: Array(world.sources.indices))
    }
  }

  @Test func oneWrongDayIsNotFollowedWhileOthersGoOn() {
    let world = World(3)
    for source in 0..<3 { world.feed(source, 0..<50) }
    advance(world, [0, 1, 2], from: 50, turns: 5)
    world.sources[2].plant.beginEpoch(session: "WRONG", date: Self.tomorrow)
    world.feed(2, 0..<20)
    // Longer than the bound for one that contradicts: there are two.
    advance(world, [0, 1], from: 55, turns: 120)
    #expect(world.view.epoch?.session == "DAY1")
    #expect(world.position == 175 && world.view.state == .live)
    #expect(world.view.difference(from: StreamTests.whole(Array(MergerTests.messages.prefix(175)))) == nil)
    #expect(world.merger.verdict(ofStream: world.streams[2], at: world.now) == .otherEpoch)
    #expect(world.merger.verdict(ofStream: world.streams[0], at: world.now) == nil)
    #expect(world.view.faults == [])
  }

  @Test func aSecondPublisherConfirmsTheNewDayAndNothingOfItIsLost() {
    let world = World(3)
    for source in 0..<3 { world.feed(source, 0..<50) }
    advance(world, [0, 1, 2], from: 50, turns: 5)
    for source in 0..<2 { world.sources[source].plant.beginEpoch(session: "DAY2", date: Self.tomorrow) }
    world.feed(0, 0..<20)
    #expect(world.view.epoch?.session == "DAY1")
    world.feed(2, 55..<60)
    world.feed(0, 20..<30)
    world.feed(1, 0..<10)
    #expect(world.view.epoch?.session == "DAY2")
    #expect(world.position == 30 && world.view.state == .live)
    #expect(world.counters.snapshots == 0 && world.action() == nil)
    #expect(world.view.difference(from: StreamTests.whole(Array(MergerTests.messages.prefix(30)))) == nil)
    #expect(world.view.faults == [])
  }

  @Test func oneThatContradictsAloneIsLeftAfterAWhile() {
    let world = World(2)
    for source in 0..<2 { world.feed(source, 0..<50) }
    advance(world, [0, 1], from: 50, turns: 5)
    world.sources[0].plant.beginEpoch(session: "DAY2", date: Self.tomorrow)
    world.feed(0, 0..<20)
    advance(world, [1], from: 55, turns: 90)
    #expect(world.view.epoch?.session == "DAY1")
    advance(world, [1], from: 145, turns: 20)
    #expect(world.view.epoch?.session == "DAY2")
    #expect(world.position == 20)
    #expect(world.view.faults == [])
  }

  @Test func aDayThatWasLeftIsFollowedAgainWhereNobodySpeaksOfOurs() {
    let world = World(2)
    for source in 0..<2 { world.feed(source, 0..<50) }
    world.wait(500, beats: [0, 1])
    // Nobody went on: the one with a later day is believed, and dies.
    world.sources[1].plant.beginEpoch(session: "WRONG", date: Self.tomorrow)
    world.feed(1, 0..<20)
    #expect(world.view.epoch?.session == "WRONG")
    let ordinal = world.view.ordinal
    world.wait(800, beats: [0])
    #expect(world.view.epoch?.session == "WRONG")
    world.wait(800, beats: [0])
    world.feed(0, 50..<60)
    world.wait(30)
    while let action = world.action() {
      if case .snapshot(0, _) = action { world.take(world.sources[0].snapshot(), 0) }
    }
    #expect(world.view.epoch?.session == "DAY1")
    #expect(world.view.ordinal > ordinal)
    #expect(world.position == 60 && world.view.state == .live)
    #expect(world.view.faults == [])
  }

  @Test func aSnapshotThatIsCutOffShowsNothing() {
    let world = World(1)
    world.feed(0, 0..<50)
    world.feed(0, 50..<60, lost: true)
    world.merger.coverages[0].needsSnapshot = true
    world.feed(0, 60..<70)
    guard case .snapshot(0, nil)? = world.action() else {
      Issue.record("no snapshot is asked for")
      return
    }
    let parts = world.sources[0].snapshot(partBytes: 600)
    let image = world.view.instruments
    world.take(Array(parts.dropLast()), 0)
    #expect(!world.view.isOpen && world.view.instruments == image)
    world.wait(700, beats: [0])
    #expect(!world.view.isOpen && world.view.instruments == image && world.position == 50)
    // The hole's own frames make it unnecessary.
    world.replay(0, 50, 60)
    #expect(world.position == 70 && !world.isWaiting && world.view.state == .live)
    #expect(world.view.restarts == 0 && world.view.faults == [])
  }

  @Test func aDeclaredGapOutlastsTheEndOfTheSession() {
    let header = FrameHeader(
      kind: .beat, state: .ended, configuration: 7, incarnation: 1, epoch: PublisherTests.key, from: 0,
      through: 9, gapFrom: 3, gapThrough: 4)
    #expect(header.hasGap)
    var chooser = PathChooser(PathChooser.Configuration(streams: 1))
    let near = chooser.add("near", nearness: .sameZone)
    let far = chooser.add("far", nearness: .otherSite)
    for turn in 1...10 as ClosedRange<UInt64> {
      let now = turn * 100 * millisecond
      chooser.hear(
        near, PathChooser.Beat(epoch: header.epoch, through: 9, state: .ended, hasGap: header.hasGap), at: now
      )
      chooser.hear(far, PathChooser.Beat(epoch: header.epoch, through: 9, state: .ended), at: now)
      _ = chooser.choose(at: now)
    }
    #expect(chooser.taken == [far])
  }

  @Test func whatTheMergerRefusesIsLeftAndTriedAgainLater() {
    var world = PathTests.World(streams: 1)
    world.run(500)
    #expect(world.chooser.taken == [0])
    world.chooser.refuse(0, .givesNothing, at: world.now)
    world.run(100)
    #expect(world.chooser.taken == [1])
    #expect(world.reason(0) == .refused(.givesNothing))
    #expect(world.notes.contains("leaves plant-0: refused: it beats, but its frames don't come"))
    world.run(9_000)
    #expect(world.chooser.taken == [1])
    world.run(7_000)
    #expect(world.chooser.taken == [0])
  }

  @Test func beatsWithoutFramesAreNoticed() {
    let world = World(2)
    for source in 0..<2 { world.feed(source, 0..<50) }
    for turn in 0..<30 {
      world.feed(0, 50 + turn..<51 + turn, lost: true)
      world.feed(1, 50 + turn..<51 + turn)
      world.wait(100, beats: [0, 1])
    }
    #expect(world.merger.verdict(ofStream: world.streams[0], at: world.now) == .givesNothing)
    #expect(world.merger.verdict(ofStream: world.streams[1], at: world.now) == nil)
  }

  @Test func thisNodesOwnPauseIsNobodysSilence() {
    let world = World(2)
    for source in 0..<2 { world.feed(source, 0..<50) }
    world.wait(200, beats: [0, 1])
    world.now += 3_000 * millisecond
    world.merger.forgive(3_000 * millisecond, at: world.now)
    world.wait(50)
    #expect(world.view.state == .live)
    world.wait(400)
    #expect(world.view.state == .silent)
    var paths = PathTests.World(streams: 1)
    paths.run(500)
    paths.now += 3_000 * millisecond
    paths.chooser.forgive(3_000 * millisecond, at: paths.now)
    #expect(paths.chooser.choose(at: paths.now) == nil)
    #expect(paths.reason(0) == .well)
  }

  @Test func aStreamIsTakenAgainInItsOwnPlace() {
    let world = World(2)
    for source in 0..<2 { world.feed(source, 0..<50) }
    world.merger.removeStream(world.streams[0], at: world.now) { world.view.take($0, continues: $1) }
    world.feed(0, 50..<60)
    world.feed(1, 50..<70)
    #expect(world.merger.told(ofStream: world.streams[0]) == nil)
    world.merger.retakeStream(world.streams[0])
    #expect(world.merger.told(ofStream: world.streams[0]) == nil)
    world.feed(0, 60..<80)
    #expect(world.merger.told(ofStream: world.streams[0]) == 80)
    #expect(world.position == 80 && world.merger.streams.count == 2)
  }

  @Test func instrumentsBeyondTheMostAreCountedAndPassedOver() {
    var configuration = StreamMerger.Configuration(configuration: 7)
    configuration.mostInstruments = 2
    var merger = StreamMerger(configuration)
    let stream = merger.addStream("plant-0")
    let source = Source(incarnation: 1) { $0.frameBytes = 2000 }
    let view = MarketView()
    source.apply(MergerTests.messages[0..<200], first: 1)
    for frame in source.takeFrames() {
      frame.withUnsafeBytes { raw in
        merger.take(raw, stream: stream, at: 1_000_000_000) { view.take($0, continues: $1) }
      }
    }
    #expect(merger.instruments.count == 2 && view.codes.count == 2)
    #expect(merger.counters.beyondInstruments > 0)
    #expect(merger.position?.sequence == 200 && view.faults == [])
  }
}
