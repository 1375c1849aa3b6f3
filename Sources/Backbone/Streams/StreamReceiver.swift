// A market at a node that has no plant of its own (gateway, store): streams of plants elsewhere, chosen and merged, come
// out as the records of one plant. A thread of its own takes what the buses' threads put into its inbox.
// Queues: the inbox is bounded, and what is passed over is asked for again; a full ring makes this thread wait, as it
// makes a feed thread wait.
//
// @unchecked Sendable: merger, chooser and all else that isn't behind `shared` is the thread's own after `start`.

public import Continuity
import FeedHandler
import Foundation
public import MarketData
import Synchronization
public import TickerPlant

/// See the head of this file.
public final class StreamReceiver: @unchecked Sendable {
  /// A node with a plant of the market.
  public struct Candidate: Sendable {
    /// The node's name.
    public var node: String
    /// Its site and zone, for people.
    public var site: String
    /// Its zone.
    public var zone: String
    /// How far it is.
    public var nearness: Nearness

    /// A candidate.
    public init(node: String, site: String, zone: String, nearness: Nearness) {
      self.node = node
      self.site = site
      self.zone = zone
      self.nearness = nearness
    }
  }

  /// What it receives, and how.
  public struct Configuration: Sendable {
    /// Market identifier code.
    public var market: String
    /// This node's name.
    public var node: String
    /// Nodes with a plant of the market.
    public var candidates: [Candidate]
    /// How streams are merged.
    public var merger: StreamMerger.Configuration
    /// How they are chosen.
    public var chooser: PathChooser.Configuration
    /// Bytes that may wait in the inbox.
    public var inboxBytes = 64 << 20

    /// A configuration.
    /// - Parameters:
    ///   - streams: streams to merge at once.
    ///   - configuration: hash of the node's configuration; streams with another one are refused.
    ///   - isSelective: only wanted instruments come (`setWanted`).
    public init(
      market: String, node: String, candidates: [Candidate], streams: Int, configuration: UInt32,
      isSelective: Bool = false
    ) {
      self.market = market
      self.node = node
      self.candidates = candidates
      merger = StreamMerger.Configuration(configuration: configuration)
      merger.isSelective = isSelective
      chooser = PathChooser.Configuration(streams: streams)
    }
  }

  /// Whom it hands records to.
  public struct Outlets: Sendable {
    /// Rings that get every record, with the market's tag.
    public var rings: [UpdateRing]
    /// The tag: the market's index.
    public var tag: UInt32
    /// Says something to the log.
    public var log: @Sendable (_ level: BusLevel, _ text: String) -> Void

    /// Outlets.
    public init(
      rings: [UpdateRing], tag: UInt32,
      log: @escaping @Sendable (BusLevel, String) -> Void = { _, _ in }
    ) {
      self.rings = rings
      self.tag = tag
      self.log = log
    }
  }

  /// A plant's stream over some rails: what the chooser takes or leaves.
  struct Way {
    let candidate: Int
    let rails: [Int]
  }

  struct Shared {
    var report: SourceReport
    var paths: [PathReport] = []
    var wanted: Set<InstrumentCode>?
  }

  /// What it receives, and how.
  public let configuration: Configuration
  let buses: [any Bus]
  let outlets: Outlets
  var merger: StreamMerger
  var chooser: PathChooser
  let inbox: StreamInbox
  let shared: Mutex<Shared>
  /// What can be taken: a candidate of this site over all rails at once, one of another site over one rail.
  let ways: [Way]
  /// By candidate and rail: its place in `ways`.
  let wayNumbers: [[Int]]
  /// By way: the merger's stream on each of its rails, while it is taken.
  var streams: [[Int]?]
  /// By way: the same, since it was taken first.
  var slots: [[Int]]
  /// By the merger's stream: whose it is, and how often it was taken: answers to an earlier taking are passed over.
  var owners: [(candidate: Int, rail: Int, taking: UInt16)] = []
  /// By way that is to be left: when at the latest.
  var leaving: [Int: UInt64] = [:]
  /// When this thread looked at the clock last.
  var lookedAt: UInt64 = 0
  var mustChoose = false
  var saidBeyond = false
  /// By candidate and rail: when a beat came last; 0 = never.
  var heardAt: [[UInt64]]
  /// By way: subscriptions to its frames, by code where instruments are chosen.
  var frameSubscriptions: [[String: [any BusSubscription]]]
  var refusals: [Int: String] = [:]
  var wanted: Set<InstrumentCode> = []
  var ringWaits: UInt64 = 0
  private var standing: [any BusSubscription] = []
  private let stops = Atomic<Bool>(false)
  private let finished = DispatchSemaphore(value: 0)
  private var hasStarted = false

  /// A receiver that hasn't begun.
  /// - Parameter buses: one a rail.
  public init(_ configuration: Configuration, buses: [any Bus], outlets: Outlets) {
    self.configuration = configuration
    self.buses = buses
    self.outlets = outlets
    merger = StreamMerger(configuration.merger)
    chooser = PathChooser(configuration.chooser)
    var ways: [Way] = []
    var numbers: [[Int]] = []
    for (number, candidate) in configuration.candidates.enumerated() {
      let isFar = candidate.nearness == .otherSite && buses.count > 1
      let rails = isFar ? buses.indices.map { [$0] } : [Array(buses.indices)]
      for rails in rails {
        ways.append(Way(candidate: number, rails: rails))
        _ = chooser.add(
          isFar ? "\(candidate.node) on rail \(buses[rails[0]].rail)" : candidate.node,
          nearness: candidate.nearness)
      }
      let first = ways.count - rails.count
      numbers.append(buses.indices.map { isFar ? first + $0 : first })
    }
    (self.ways, wayNumbers) = (ways, numbers)
    inbox = StreamInbox(mostBytes: configuration.inboxBytes)
    streams = ways.map { _ in nil }
    slots = ways.map { _ in [] }
    heardAt = configuration.candidates.map { _ in buses.map { _ in 0 } }
    frameSubscriptions = ways.map { _ in [:] }
    shared = Mutex(
      Shared(
        report: SourceReport(
          market: configuration.market, source: "backbone", epoch: "", sequence: 0, state: "recovering")))
  }

  /// Figures, at most a tenth of a second old.
  public var report: SourceReport { shared.withLock { $0.report } }
  /// Paths, at most a tenth of a second old: each candidate on each rail.
  public var paths: [PathReport] { shared.withLock { $0.paths } }

  /// Instruments that are wanted from now on, where they are chosen (`isSelective`); any thread.
  public func setWanted(_ codes: Set<InstrumentCode>) {
    shared.withLock { $0.wanted = codes }
    inbox.signal.set()
  }

  var stopped: Bool { stops.load(ordering: .acquiring) }

  /// Subject under which answers come, with the merger's stream and its taking as last word.
  private var answers: String {
    "_INBOX.\(StreamSubjects.word(configuration.node)).px\(configuration.market)"
  }
  func answerSubject(_ stream: Int) -> String { "\(answers).\(stream)-\(owners[stream].taking)" }

  /// Begins.
  /// - Throws: `BusError` where market or node can't be words of a subject.
  public func start() throws(BusError) {
    var numbers: [String: Int] = [:]
    for (number, candidate) in configuration.candidates.enumerated() { numbers[candidate.node] = number }
    let known = numbers
    let inbox = inbox
    for (rail, bus) in buses.enumerated() {
      standing.append(
        try bus.subscribe("beat.\(configuration.market).*") { message in
          guard let number = known[message.lastWord] else { return }
          inbox.put(.beat, rail: rail, number: number, message.payload, at: Clock.monotonic())
        })
      standing.append(
        try bus.subscribe(answers + ".*") { message in
          let words = message.lastWord.split(separator: "-")
          guard words.count == 2, let stream = Int(words[0]), let taking = UInt16(words[1]) else { return }
          inbox.put(
            .answer, rail: rail, number: stream, taking: taking, message.payload, at: Clock.monotonic())
        })
    }
    hasStarted = true
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "receive-\(configuration.market)"
    thread.start()
  }

  /// Ends: nothing is handed on after this returns.
  public func stop() {
    guard !stops.exchange(true, ordering: .acquiringAndReleasing), hasStarted else { return }
    for subscription in standing { subscription.cancel() }
    inbox.signal.set()
    finished.wait()
    for subscriptions in frameSubscriptions {
      for subscription in subscriptions.values.joined() { subscription.cancel() }
    }
  }

  // MARK: - The thread

  private static var tickNanoseconds: UInt64 { 5_000_000 }
  /// A turn that comes later than this was held up: by a full ring, by the machine.
  private static var pauseNanoseconds: UInt64 { 50_000_000 }

  /// The time. What this thread itself lost of it is no silence of others: their beats wait in the inbox.
  private func look() -> UInt64 {
    let now = Clock.monotonic()
    if lookedAt > 0, now > lookedAt, now - lookedAt > Self.pauseNanoseconds {
      chooser.forgive(now - lookedAt, at: now)
      merger.forgive(now - lookedAt, at: now)
    }
    lookedAt = now
    return now
  }

  private func run() {
    var room: [UInt8] = []
    var tickAt: UInt64 = 0
    var secondAt: UInt64 = 0
    var reportAt: UInt64 = 0
    var chosenAt: UInt64 = 0
    while !stopped {
      inbox.take(into: &room)
      if !room.isEmpty {
        room.withUnsafeBytes { bytes in
          StreamInbox.walk(bytes) { head, payload in take(head, payload) }
        }
      }
      let now = look()
      // Who is silent is known when all that waited was heard.
      let mayChoose = inbox.waitingBytes == 0 || now &- chosenAt > Self.pauseNanoseconds
      if now >= tickAt || mustChoose, mayChoose {
        (mustChoose, chosenAt) = (false, now)
        choose(at: now)
      }
      if now >= tickAt {
        tickAt = now + Self.tickNanoseconds
        leave(at: now)
        changeWanted(at: now)
        merger.tick(at: now) { deliver($0, $1) }
      }
      act(at: now)
      if now >= secondAt {
        secondAt = now + 1_000_000_000
        sendWanted(Array(wanted))
      }
      if now >= reportAt {
        reportAt = now + 100_000_000
        tell(at: now)
      }
      if room.isEmpty { inbox.signal.wait(nanoseconds: Self.tickNanoseconds) }
    }
  }

  private func take(_ head: StreamInbox.Head, _ payload: UnsafeRawBufferPointer) {
    let number = Int(head.number)
    let rail = Int(head.rail)
    // The time it is looked at: what waited while this thread did was heard then.
    let now = look()
    switch head.kind {
    case .answer:
      guard owners.indices.contains(number), owners[number].taking == head.taking else { return }
      merger.take(payload, stream: number, at: now) { deliver($0, $1) }
    case .frame:
      guard let stream = stream(number, rail) else { return }
      merger.take(payload, stream: stream, at: now) { deliver($0, $1) }
    case .beat:
      guard let frame = try? StreamFrame(decoding: payload), let facts = frame.beat else { return }
      heardAt[number][rail] = now
      let header = frame.header
      let way = wayNumbers[number][rail]
      if header.configuration == configuration.merger.configuration {
        refusals[number] = nil
      } else {
        chooser.refuse(way, .otherConfiguration, at: now)
        refuse(
          number, "configuration \(header.configuration) there, \(configuration.merger.configuration) here")
        return
      }
      chooser.hear(
        way,
        PathChooser.Beat(
          epoch: header.epoch, through: header.through, state: header.state,
          service: ServiceState(rawValue: UInt8(truncatingIfNeeded: facts.service)) ?? .inService,
          lag: facts.lag, hasGap: header.hasGap),
        at: now)
      mustChoose = true
      if let stream = stream(way, rail) {
        merger.take(payload, stream: stream, at: now) { deliver($0, $1) }
      }
    }
    act(at: now)
  }

  /// The merger's stream of a way on a rail; nil where it isn't taken.
  private func stream(_ way: Int, _ rail: Int) -> Int? {
    guard ways.indices.contains(way), let place = ways[way].rails.firstIndex(of: rail) else { return nil }
    return streams[way]?[place]
  }

  private func refuse(_ candidate: Int, _ reason: String) {
    if refusals[candidate] == nil {
      outlets.log(
        .error,
        "\(configuration.market): the stream of \(configuration.candidates[candidate].node) is refused: \(reason); bring both nodes to one version of the estate"
      )
    }
    refusals[candidate] = reason
  }

  private func act(at now: UInt64) {
    while let action = merger.nextAction() {
      switch action {
      case .replay(let stream, let from, let through, let epoch, let code):
        ask(stream, .replay(from: from, through: through, epoch: epoch, code: code))
      case .snapshot(let stream, let code): ask(stream, .snapshot(code: code))
      case .list(let stream): ask(stream, .snapshot(code: StreamQuestion.list))
      case .refused(let stream, let reason): refuse(owners[stream].candidate, reason)
      }
    }
  }

  private func ask(_ stream: Int, _ question: StreamQuestion) {
    let owner = owners[stream]
    let subjects = StreamSubjects(
      market: configuration.market, node: configuration.candidates[owner.candidate].node)
    let subject =
      switch question {
      case .replay: subjects.replay
      case .snapshot: subjects.snapshot
      case .digest: subjects.digest
      }
    buses[owner.rail].publish(subject, reply: answerSubject(stream), bytes: question.encoded)
  }

  /// Hands records on; waits where a ring is full.
  func deliver(_ records: UnsafeRawBufferPointer, _ continues: Bool) {
    var pieces = RecordSplitter(records, limit: 8 << 10)
    var piece = pieces.next()
    while let (bytes, goesOn) = piece {
      piece = pieces.next()
      let follows = goesOn || (piece == nil && continues)
      let tag = outlets.tag | (follows ? RecordSplitter.continues : 0)
      for ring in outlets.rings {
        var waitsAfterStop = 0
        while !ring.write(bytes, tag: tag) {
          ringWaits += 1
          if stopped {
            // Who should take it may be gone already.
            waitsAfterStop += 1
            if waitsAfterStop > 5_000 { break }
          }
          usleep(200)
        }
      }
    }
  }
}

extension BusMessage {
  /// The subject's last word.
  var lastWord: String {
    var begin = subjectBytes.count
    while begin > 0, subjectBytes[begin - 1] != 0x2E { begin -= 1 }
    return String(decoding: UnsafeRawBufferPointer(rebasing: subjectBytes[begin...]), as: UTF8.self)
  }
}
