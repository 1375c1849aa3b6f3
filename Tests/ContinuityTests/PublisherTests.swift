// The publisher: parts, replays, wants, state that doesn't travel.

import MarketData
import Testing
import TickerPlant

@testable import Continuity

/// A plant and its publisher, and the frames that left.
final class Source {
  var plant: TickerPlant
  var publisher: StreamPublisher
  var frames: [[UInt8]] = []
  var single: [InstrumentCode: [[UInt8]]] = [:]
  var now: UInt64 = 1_000_000_000

  init(incarnation: UInt64 = 1, _ change: (inout StreamPublisher.Configuration) -> Void = { _ in }) {
    plant = newPlant()
    plant.beginEpoch(session: "DAY1", date: testDate)
    var configuration = StreamPublisher.Configuration(configuration: 7, incarnation: incarnation)
    change(&configuration)
    publisher = StreamPublisher(configuration)
  }

  func keep(_ destination: StreamPublisher.Destination, _ bytes: UnsafeRawBufferPointer) {
    switch destination {
    case .market: frames.append([UInt8](bytes))
    case .instrument(let code): single[code, default: []].append([UInt8](bytes))
    }
  }

  func apply(_ messages: some Sequence<[UInt8]>, first: UInt64) {
    plant.apply(messages, first: first)
    publish()
  }

  func publish(limit: Int = 2048, hardLimit: Int = 4096) {
    var pieces = RecordSplitter(plant.updates.bytes, limit: limit, hardLimit: hardLimit)
    while let piece = pieces.next() {
      publisher.take(
        piece.records, tag: piece.continues ? RecordSplitter.continues : 0, at: now, wall: now
      ) { keep($0, $1) }
    }
    plant.updates.removeAll()
    publisher.advance(to: plant.sequence, epoch: EpochName(session: plant.session, date: plant.date))
    publisher.flush(at: now, wall: now) { keep($0, $1) }
  }

  func beat() { publisher.beat(service: .inService, lag: 0, at: now, wall: now) { keep($0, $1) } }

  func snapshot(_ code: InstrumentCode? = nil, isList: Bool = false, partBytes: Int = 2000) -> [[UInt8]] {
    publish()
    if let code {
      if let index = plant.index(of: code) { plant.emitState(of: index) }
    } else {
      plant.emitAll(announcing: 0)
    }
    var parts: [[UInt8]] = []
    SnapshotEncoder.encode(
      plant.updates.bytes,
      position: StreamPosition(
        epoch: EpochName(session: plant.session, date: plant.date), sequence: plant.sequence),
      state: plant.sourceState, gap: plant.gap, code: code, isList: isList, configuration: 7,
      incarnation: publisher.configuration.incarnation, wall: 0, partBytes: partBytes
    ) { parts.append([UInt8]($0)) }
    plant.updates.removeAll()
    return parts
  }

  var lastFullWindow: (start: UInt64, sum: UInt64)? { publisher.lastFullWindow }
  func summary(windowStart start: UInt64) -> WindowSummary? { publisher.summary(windowStart: start) }
  func replay(from: UInt64, through: UInt64, epoch: EpochKey) -> Bool {
    publisher.replay(from: from, through: through, epoch: epoch, wall: 0) { _ in }
  }

  func takeFrames() -> [[UInt8]] {
    defer { frames = [] }
    return frames
  }
}

func header(_ bytes: [UInt8]) -> FrameHeader? {
  bytes.withUnsafeBytes { raw in (try? StreamFrame(decoding: raw))?.header }
}

@Suite struct PublisherTests {
  static let messages = dayMessages(seed: runSeed, instruments: 3, messages: 600)
  static let key = EpochKey(EpochName(session: "DAY1", date: testDate))

  @Test func aMessageLargerThanAFrameGoesInPartsAndComesOutWhole() {
    // A market of many instruments whose day begins: one message changes all of them.
    var messages = dayMessages(
      seed: runSeed, instruments: 3_000, messages: 3_000, until: 8 * 3_600_000_000_000)
    // The market opens (ITCH `S`, event `Q`): the state of each changes.
    messages.append([UInt8(ascii: "S"), 0, 0, 0, 0, 0x1d, 0x77, 0x56, 0x7d, 0, 0, UInt8(ascii: "Q")])
    let source = Source()
    source.apply(messages, first: 1)
    #expect(source.plant.instrumentCount == 3_000)
    source.plant.beginEpoch(session: "DAY2", date: testDate.nextWeekday)
    source.plant.apply(messages, first: 1)
    let wanted = MarketView()
    source.publish(limit: 8 << 10, hardLimit: 64 << 10)
    let frames = source.takeFrames()
    let parts = frames.compactMap(header).filter { $0.flags.contains(.continues) }
    #expect(!parts.isEmpty)
    #expect(frames.allSatisfy { $0.count <= 512 << 10 })
    source.plant.emitAll(announcing: 0)
    wanted.take(source.plant.updates.bytes)
    for isDuplicated in [false, true] {
      let view = MarketView()
      var merger = StreamMerger(StreamMerger.Configuration(configuration: 7))
      let streams = [merger.addStream("a"), merger.addStream("b")]
      var hasLostPart = false
      for frame in frames {
        for stream in streams where stream == 0 || isDuplicated {
          // The first rail loses a part in the middle: the other one has it.
          if isDuplicated, stream == 0, !hasLostPart, header(frame)?.part == 1 {
            hasLostPart = true
            continue
          }
          frame.withUnsafeBytes { merger.take($0, stream: stream, at: 1) { view.take($0, continues: $1) } }
        }
      }
      #expect(view.faults == [])
      #expect(view.sum == wanted.sum)
      #expect(view.epoch?.session == "DAY2")
      #expect(view.state == .live)
      #expect(merger.counters.snapshots == 0)
    }
  }

  @Test func aSnapshotCarriesWhatChangedEachInstrumentLast() throws {
    let source = Source()
    source.apply(Self.messages[0..<200], first: 1)
    source.plant.updates.removeAll()
    source.plant.emitAll(announcing: 0)
    let told = Self.stamps(source.plant.updates.bytes)
    #expect(told.count == source.plant.instrumentCount)
    #expect(Set(told.map(\.quoteSequence)).count > 1)
    var parts: [[UInt8]] = []
    let position = StreamPosition(
      epoch: EpochName(session: source.plant.session, date: source.plant.date),
      sequence: source.plant.sequence)
    for through in [source.plant.sequence, 20] {
      var position = position
      position.sequence = through
      parts.removeAll()
      SnapshotEncoder.encode(
        source.plant.updates.bytes, position: position, state: .live, configuration: 7, incarnation: 1,
        wall: 0
      ) { parts.append([UInt8]($0)) }
      for part in parts {
        try part.withUnsafeBytes { bytes in
          let frame = try StreamFrame(decoding: bytes)
          if through == 20 {
            #expect(throws: FrameError.self) { try frame.validateRecords() }
          } else {
            try frame.validateRecords()
            #expect(Self.stamps(frame.records) == told)
          }
        }
      }
    }
  }

  private static func stamps(_ records: UnsafeRawBufferPointer) -> [StampsPayload] {
    var cursor = UpdateCursor(records)
    var found: [StampsPayload] = []
    while cursor.next() { if cursor.kind == .stamps { found.append(cursor.payload()) } }
    return found
  }

  @Test func aReplayCoversWhatIsAsked() {
    let source = Source { $0.frameBytes = 1500 }
    for start in stride(from: 0, to: 300, by: 10) {
      source.apply(Self.messages[start..<start + 10], first: UInt64(start + 1))
    }
    var random = generator("replay")
    for _ in 0..<100 {
      let from = UInt64(random.below(290))
      let through = from + 1 + UInt64(random.below(Int(300 - from)))
      var parts: [FrameHeader] = []
      let isTold = source.publisher.replay(from: from, through: through, epoch: Self.key, wall: 0) {
        if let frame = try? StreamFrame(decoding: $0) { parts.append(frame.header) }
      }
      #expect(isTold)
      #expect(parts.allSatisfy { $0.kind == .replay })
      #expect(parts.first.map { $0.from <= from } == true)
      #expect(parts.last.map { $0.through >= through } == true)
      #expect(
        parts.filter { $0.flags.contains(.last) }.count == 1 && parts.last?.flags.contains(.last) == true)
      for (one, next) in zip(parts, parts.dropFirst()) { #expect(one.through == next.from) }
    }
  }

  @Test func whatIsNoLongerKeptIsRefused() {
    let source = Source {
      $0.frameBytes = 1500
      $0.historyBytes = 64 << 10
    }
    for start in stride(from: 0, to: 600, by: 5) {
      source.apply(Self.messages[start..<start + 5], first: UInt64(start + 1))
    }
    var refused: FrameHeader?
    let isTold = source.publisher.replay(from: 3, through: 9, epoch: Self.key, wall: 0) {
      refused = (try? StreamFrame(decoding: $0))?.header
    }
    #expect(!isTold)
    #expect(refused?.kind == .refusal && refused?.from == 3)
    #expect((refused?.through ?? 0) > 9)
    // From where it says, it tells.
    #expect(
      source.replay(from: refused?.through ?? 0, through: 600, epoch: Self.key))
    let other = EpochKey(EpochName(session: "DAY0", date: testDate))
    #expect(!source.replay(from: 500, through: 600, epoch: other))
  }

  @Test func historyForgetsWhatIsOld() {
    let source = Source { $0.historyNanoseconds = 1_000_000_000 }
    source.apply(Self.messages[0..<50], first: 1)
    source.now += 2_000_000_000
    source.apply(Self.messages[50..<60], first: 51)
    #expect(!source.replay(from: 10, through: 60, epoch: Self.key))
    #expect(source.replay(from: 50, through: 60, epoch: Self.key))
  }

  @Test func historyForALineAloneIsNotPublished() {
    let source = Source()
    source.plant.apply(Self.messages[0..<50], first: 1)
    source.publisher.take(source.plant.updates.bytes, tag: RecordSplitter.mends, at: 1, wall: 1) {
      source.keep($0, $1)
    }
    source.publisher.flush(at: 1, wall: 1) { source.keep($0, $1) }
    #expect(source.frames.isEmpty)
    #expect(source.publisher.position == nil)
  }

  @Test func stateThatIsToldAgainDoesNotTravel() throws {
    let source = Source()
    source.apply(Self.messages[0..<200], first: 1)
    let saved = source.plant.snapshot()
    source.apply(Self.messages[200..<250], first: 201)
    _ = source.takeFrames()
    try source.plant.restore(saved)
    source.apply(Self.messages[200..<300], first: 201)
    let headers = source.takeFrames().compactMap(header)
    // The chain begins anew at the snapshot's message.
    #expect(headers.first { $0.through > 200 }?.from == 200)
    #expect(source.publisher.counters.told > 0)
    #expect(!source.replay(from: 150, through: 300, epoch: Self.key))
  }

  @Test func aGapIsInTheHeaderOfWhatFollowsIt() {
    let source = Source()
    source.apply(Self.messages[0..<100], first: 1)
    source.apply(Self.messages[110..<150], first: 111)
    let headers = source.takeFrames().compactMap(header)
    for header in headers {
      #expect((header.state == .gap) == (header.through > 100))
      if header.state == .gap { #expect(header.gapFrom == 101 && header.gapThrough == 110) }
    }
    #expect(headers.contains { $0.through == 100 } && headers.last?.through == 150)
  }

  @Test func wantedInstrumentsHaveChainsAndLeases() throws {
    let source = Source()
    source.apply(Self.messages[0..<100], first: 1)
    let code = source.plant.code(of: 1)
    #expect(source.publisher.want([code], at: source.now) == 1)
    var told: UInt64 = 100
    for start in stride(from: 100, to: 400, by: 20) {
      source.now += 100 * millisecond
      source.publisher.want([code], at: source.now)
      source.apply(Self.messages[start..<start + 20], first: UInt64(start + 1))
      source.beat()
    }
    let frames = source.single[code] ?? []
    #expect(!frames.isEmpty)
    for frame in frames {
      let head = try #require(header(frame))
      #expect(head.flags.contains(.single) && head.from == told)
      told = head.through
    }
    #expect(source.single.keys.map(\.description) == [code.description])
    // Nobody renews it.
    source.now += 5_100 * millisecond
    source.beat()
    #expect(source.publisher.wantedCodes == [])
    source.single = [:]
    source.apply(Self.messages[400..<500], first: 401)
    #expect(source.single.isEmpty)
  }

  @Test func idleInstrumentsSayHowFarNothingWas() throws {
    let source = Source()
    source.apply(Self.messages[0..<100], first: 1)
    let nobody = try #require(InstrumentCode("NOBODY"))
    source.publisher.want([nobody], at: source.now)
    source.apply(Self.messages[100..<200], first: 101)
    #expect(source.single.isEmpty)
    source.now += 1_100 * millisecond
    source.beat()
    let head = try #require(header(source.single[nobody]?.last ?? []))
    #expect(head.from == 100 && head.through == 200)
  }
}
