// A gateway: choice of path, merger, and the view of its clients.

import Continuity
import MarketData
import TickerPlant

/// See the head of this file.
final class SimulatedGateway {
  let number: Int
  let site: Int
  let rails: Int
  let streamCount: Int
  /// Streams of the other site that it may take; with one, each rail of those is a way of its own.
  let across: Int
  private(set) var ways: [(plant: Int, rails: [Int])] = []
  /// It takes single instruments, those in `wanted`.
  let isSelective: Bool
  var wanted: Set<InstrumentCode> = []
  var view = MarketView()
  var merger: StreamMerger
  var chooser: PathChooser
  /// By plant and rail: the stream's number; nil = not taken.
  var streams: [[Int?]]
  /// By stream: its plant and rail.
  var owners: [(plant: Int, rail: Int)] = []
  var notes: [String] = []
  var refusals: [String] = []
  /// Frames on their way here.
  var arriving: [(at: UInt64, plant: Int, rail: Int, bytes: [UInt8])] = []
  /// The time of the last frame on its way, by plant and rail: a connection keeps the order.
  var lastArrival: [[UInt64]]
  /// What the newest batch left unfinished.
  let breaksDedup: Bool
  /// Also gets every batch.
  var tap: ((UnsafeRawBufferPointer, Bool) -> Void)?

  init(
    number: Int, site: Int, plants: [SimulatedPlant], rails: Int, streams count: Int, across: Int = 1,
    isSelective: Bool = false, breaksDedup: Bool
  ) {
    self.number = number
    self.site = site
    self.rails = rails
    self.breaksDedup = breaksDedup
    streamCount = count
    self.across = across
    self.isSelective = isSelective
    merger = Self.newMerger(isSelective)
    view.isSelective = isSelective
    chooser = PathChooser(PathChooser.Configuration(streams: 1))
    streams = plants.map { _ in Array(repeating: nil, count: rails) }
    lastArrival = plants.map { _ in Array(repeating: 0, count: rails) }
    newChooser(plants)
  }

  static func newMerger(_ isSelective: Bool = false) -> StreamMerger {
    var configuration = StreamMerger.Configuration(configuration: 7)
    configuration.beatNanoseconds = 20 * millisecond
    configuration.waitNanoseconds = 8 * millisecond
    configuration.answerNanoseconds = 50 * millisecond
    configuration.heldBytes = 64 << 10
    configuration.isSelective = isSelective
    configuration.listNanoseconds = 200 * millisecond
    return StreamMerger(configuration)
  }

  private func newChooser(_ plants: [SimulatedPlant]) {
    var configuration = PathChooser.Configuration(streams: streamCount)
    configuration.mostAcross = across
    configuration.beatNanoseconds = 20 * millisecond
    configuration.staleNanoseconds = 60 * millisecond
    configuration.returnNanoseconds = 300 * millisecond
    configuration.joinNanoseconds = 60 * millisecond
    configuration.refusalNanoseconds = 150 * millisecond
    chooser = PathChooser(configuration)
    ways = []
    for plant in plants {
      let isFar = plant.site != site
      let rails = isFar && across == 1 ? (0..<rails).map { [$0] } : [Array(0..<rails)]
      for rails in rails {
        ways.append((plant.number, rails))
        _ = chooser.add("plant-\(plant.number) on \(rails)", nearness: isFar ? .otherSite : .sameSite)
      }
    }
  }

  /// Streams of the other site that are taken, each on one rail.
  func crossing(_ plants: [SimulatedPlant]) -> [(plant: Int, rail: Int)] {
    plants.filter { $0.site != site }.flatMap { plant in
      (0..<rails).filter { streams[plant.number][$0] != nil }.map { (plant.number, $0) }
    }
  }

  /// The process begins again: nothing is known, its clients have gone elsewhere.
  func restart(_ plants: [SimulatedPlant]) {
    merger = Self.newMerger(isSelective)
    wanted = []
    newChooser(plants)
    streams = plants.map { _ in Array(repeating: nil, count: rails) }
    owners = []
    arriving = []
    view = MarketView()
    view.isSelective = isSelective
  }

  func deliver(_ records: UnsafeRawBufferPointer, _ continues: Bool) {
    view.take(records, continues: continues)
    tap?(records, continues)
  }

  func choose(at now: UInt64) {
    for way in chooser.taken {
      let verdicts = ways[way].rails.map { rail in
        streams[ways[way].plant][rail].flatMap { merger.verdict(ofStream: $0, at: now) }
      }
      if let verdict = verdicts.first ?? nil, !verdicts.contains(where: { $0 == nil }) {
        chooser.refuse(way, verdict, at: now)
      }
    }
    guard let change = chooser.choose(at: now) else { return }
    notes += change.notes
    for way in change.take {
      let plant = ways[way].plant
      for rail in ways[way].rails {
        streams[plant][rail] = merger.addStream("plant-\(plant) rail \(rail)")
        owners.append((plant, rail))
      }
    }
    for way in change.leave {
      let plant = ways[way].plant
      for rail in ways[way].rails {
        if let stream = streams[plant][rail] {
          merger.removeStream(stream, at: now) { deliver($0, $1) }
        }
        streams[plant][rail] = nil
      }
    }
  }

  /// Whether a frame for somebody comes here.
  func hears(_ destination: StreamPublisher.Destination, isBeat: Bool) -> Bool {
    switch destination {
    case .market: !isSelective || isBeat
    case .instrument(let code): wanted.contains(code)
    }
  }

  /// Somebody wants an instrument, or nobody does any more.
  func turn(_ code: InstrumentCode, at now: UInt64) {
    if wanted.remove(code) != nil {
      merger.unwant(code, at: now) { deliver($0, $1) }
    } else {
      wanted.insert(code)
      merger.want(code, at: now) { deliver($0, $1) }
    }
  }

  func take(_ bytes: [UInt8], plant: Int, rail: Int, at now: UInt64) {
    bytes.withUnsafeBytes { raw in
      if let frame = try? StreamFrame(decoding: raw), frame.header.kind == .beat, let beat = frame.beat {
        let header = frame.header
        let way = ways.firstIndex { $0.plant == plant && $0.rails.contains(rail) } ?? 0
        if header.configuration == merger.configuration.configuration {
          chooser.hear(
            way,
            PathChooser.Beat(
              epoch: header.epoch, through: header.through, state: header.state,
              service: ServiceState(rawValue: UInt8(truncatingIfNeeded: beat.service)) ?? .inService,
              lag: beat.lag, hasGap: header.hasGap), at: now)
        }
      }
      guard let stream = streams[plant][rail] else { return }
      merger.take(raw, stream: stream, at: now) { deliver($0, $1) }
      if breaksDedup, let frame = try? StreamFrame(decoding: raw), frame.header.kind == .records {
        // What a merger without the rule would do: the copy's records once more.
        repeatRecords(frame)
      }
    }
  }

  private func repeatRecords(_ frame: StreamFrame) {
    guard frame.codeCount == merger.instruments.count,
      (0..<frame.codeCount).allSatisfy({ frame.code($0) == merger.instruments[$0] })
    else { return }
    view.take(frame.records)
  }
}
