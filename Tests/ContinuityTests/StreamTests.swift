// One plant, one publisher, one merger: what comes out is what the plant said.

import MarketData
import Testing
import TickerPlant

@testable import Continuity

@Suite struct StreamTests {
  /// Publishes a day in batches; gives the frames.
  static func frames(_ messages: [[UInt8]], batch: Int, frameBytes: Int = 64 << 10, beats: Bool = false)
    -> [[UInt8]]
  {
    var plant = newPlant()
    plant.beginEpoch(session: "DAY1", date: testDate)
    var configuration = StreamPublisher.Configuration(configuration: 7, incarnation: 1)
    configuration.frameBytes = frameBytes
    var publisher = StreamPublisher(configuration)
    var frames: [[UInt8]] = []
    var first = 0
    while first < messages.count {
      let end = min(messages.count, first + batch)
      plant.apply(messages[first..<end], first: UInt64(first + 1))
      var pieces = RecordSplitter(plant.updates.bytes, limit: 2048, hardLimit: 4096)
      while let piece = pieces.next() {
        publisher.take(
          piece.records, tag: piece.continues ? RecordSplitter.continues : 0, at: 1, wall: 1
        ) { frames.append([UInt8]($1)) }
      }
      plant.updates.removeAll()
      publisher.flush(at: 1, wall: 1) { frames.append([UInt8]($1)) }
      if beats { publisher.beat(service: .inService, lag: 0, at: 1, wall: 1) { frames.append([UInt8]($1)) } }
      first = end
    }
    return frames
  }

  static func whole(_ messages: [[UInt8]]) -> MarketView {
    var plant = newPlant()
    plant.beginEpoch(session: "DAY1", date: testDate)
    plant.apply(messages, first: 1)
    let view = MarketView()
    view.take(plant.updates.bytes)
    return view
  }

  @Test(arguments: [1, 7, 100]) func oneStreamSaysWhatThePlantSaid(batch: Int) {
    let messages = dayMessages(seed: runSeed, instruments: 3, messages: 800)
    let wanted = Self.whole(messages)
    let view = MarketView()
    var merger = StreamMerger(StreamMerger.Configuration(configuration: 7))
    let stream = merger.addStream("a")
    for frame in Self.frames(messages, batch: batch, frameBytes: 4096, beats: true) {
      frame.withUnsafeBytes { merger.take($0, stream: stream, at: 1000) { view.take($0, continues: $1) } }
    }
    #expect(view.faults == [])
    #expect(view.difference(from: wanted) == nil)
    #expect(view.state == .live)
    #expect(view.sequence == UInt64(messages.count))
    #expect(merger.nextAction() == nil)
    #expect(
      merger.position
        == StreamPosition(epoch: EpochName(session: "DAY1", date: testDate), sequence: UInt64(messages.count))
    )
  }
}
