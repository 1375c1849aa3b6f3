// A gateway that takes single instruments: two plants, frames lost on the way, instruments wanted and not wanted any
// more; what is wanted in the end is as a plant that got everything has it.

import MarketData
import Testing
import TickerPlant

@testable import Continuity

@Suite struct SelectiveTests {
  @Test func whatIsWantedIsWhole() {
    var random = generator("selective")
    let messages = dayMessages(seed: runSeed, instruments: 6, messages: 900)
    let oracle = StreamTests.whole(messages)
    for round in 0..<12 {
      let loss = [0, 5, 20][round % 3]
      let sources = [Source(incarnation: 1), Source(incarnation: 2) { $0.frameBytes = 900 }]
      for source in sources { source.apply(messages.prefix(40), first: 1) }
      let codes = (0..<sources[0].plant.instrumentCount).map { sources[0].plant.code(of: $0) }
      let view = MarketView()
      view.isSelective = true
      var configuration = StreamMerger.Configuration(configuration: 7)
      configuration.isSelective = true
      var merger = StreamMerger(configuration)
      let streams = sources.indices.map { merger.addStream("plant \($0)") }
      var wanted: Set<InstrumentCode> = []
      var now: UInt64 = 1_000_000_000
      var places = [40, 40]
      func feed(_ frames: [[UInt8]], _ place: Int, _ loss: Int) {
        for frame in frames where !random.chance(loss) {
          frame.withUnsafeBytes { raw in
            merger.take(raw, stream: streams[place], at: now) { view.take($0, continues: $1) }
          }
        }
      }
      func turn(_ loss: Int) {
        now += 4 * millisecond
        for (place, source) in sources.enumerated() {
          source.now = now
          source.publisher.want(wanted, at: now)
          let end = min(messages.count, places[place] + random.below(12))
          source.apply(messages[places[place]..<end], first: UInt64(places[place] + 1))
          places[place] = end
          source.beat()
          for code in codes { feed(source.single[code] ?? [], place, loss) }
          feed(source.takeFrames(), place, loss)
          source.single = [:]
        }
        while let action = merger.nextAction() {
          switch action {
          case .snapshot(let stream, let code): feed(sources[stream].snapshot(code), stream, loss)
          case .replay(let stream, let from, let through, let epoch, let code):
            var parts: [[UInt8]] = []
            sources[stream].publisher.replay(from: from, through: through, epoch: epoch, code: code, wall: 0)
            {
              parts.append([UInt8]($0))
            }
            feed(parts, stream, loss)
          case .list(let stream): feed(sources[stream].snapshot(isList: true), stream, loss)
          case .refused(_, let reason): Issue.record("\(reason)")
          }
        }
        merger.tick(at: now) { view.take($0, continues: $1) }
      }
      while places[0] < messages.count || places[1] < messages.count {
        if random.chance(5) {
          let code = random.pick(codes)
          if wanted.remove(code) != nil {
            merger.unwant(code, at: now) { view.take($0, continues: $1) }
          } else {
            wanted.insert(code)
            merger.want(code, at: now) { view.take($0, continues: $1) }
          }
        }
        turn(loss)
      }
      // Lost tails are noticed by the idle frames.
      for _ in 0..<400 { turn(0) }
      #expect(view.faults.prefix(3) == [], "\(seedNote) round \(round)")
      #expect(view.state == .live || wanted.isEmpty, "\(seedNote) round \(round)")
      for code in codes {
        let have = view.instruments[code] ?? MarketView.Instrument()
        let want =
          wanted.contains(code)
          ? oracle.instruments[code] ?? MarketView.Instrument() : MarketView.Instrument()
        if wanted.contains(code) {
          #expect(
            have.bids == want.bids && have.asks == want.asks && have.statistics == want.statistics
              && have.top == want.top, "\(seedNote) round \(round): \(code)")
        } else {
          #expect(have == want, "\(seedNote) round \(round): \(code) is cleared")
        }
      }
      #expect(Set(merger.wantedCodes) == wanted)
      // All are listed, and none but the wanted ones is said to be whole.
      #expect(Set(view.codes) == Set(codes), "\(seedNote) round \(round)")
      #expect(view.unheard == Set(codes).subtracting(wanted), "\(seedNote) round \(round)")
    }
  }

  /// A plant that doesn't take the want up: its beats come, frames of the instrument don't. What was shown isn't so any more.
  @Test func whatNobodyTellsOfIsSaidToBeUnheard() {
    let messages = dayMessages(seed: runSeed, instruments: 6, messages: 300)
    let source = Source(incarnation: 1)
    source.apply(messages.prefix(200), first: 1)
    let code = source.plant.code(of: 0)
    let view = MarketView()
    view.isSelective = true
    var configuration = StreamMerger.Configuration(configuration: 7)
    configuration.isSelective = true
    var merger = StreamMerger(configuration)
    let stream = merger.addStream("plant")
    var now: UInt64 = 1_000_000_000
    func feed(_ frames: [[UInt8]]) {
      for frame in frames {
        frame.withUnsafeBytes { raw in
          merger.take(raw, stream: stream, at: now) { view.take($0, continues: $1) }
        }
      }
    }
    var asked = 0
    func turn(tells: Bool) {
      now += 20 * millisecond
      source.now = now
      if tells { source.publisher.want([code], at: now) }
      source.beat()
      if tells { feed(source.single[code] ?? []) }
      feed(source.takeFrames())
      source.single = [:]
      while let action = merger.nextAction() {
        switch action {
        case .snapshot(_, let code):
          asked += 1
          feed(source.snapshot(code))
        case .list: feed(source.snapshot(isList: true))
        default: break
        }
      }
      merger.tick(at: now) { view.take($0, continues: $1) }
    }
    merger.want(code, at: now) { view.take($0, continues: $1) }
    for _ in 0..<500 { turn(tells: true) }
    #expect(!view.unheard.contains(code) && asked == 1)
    // It stands, and is told of each second: nothing is wrong with it.
    for _ in 0..<1_000 { turn(tells: true) }
    #expect(!view.unheard.contains(code) && asked == 1)
    var wasUnheard = false
    for _ in 0..<1_000 {
      turn(tells: false)
      wasUnheard = wasUnheard || view.unheard.contains(code)
    }
    #expect(wasUnheard && asked > 1 && merger.counters.leftUnheard > 0)
    #expect(view.faults.prefix(3) == [])
  }
}
