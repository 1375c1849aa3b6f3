// A plant's stream on the backbone: a thread of its own drains a ring of the feed thread, makes frames, publishes each
// on every rail, says each tenth of a second that it lives, and answers who asks for a replay, the state, or digests.
// Queues: its ring is one of the feed thread's, which waits where it is full; questions are bounded; answers are sent
// only as fast as a rail takes them, behind the stream.
//
// @unchecked Sendable: `publisher` and all else that isn't behind `shared` is the thread's own after `start`.

public import Continuity
public import FeedHandler
import Foundation
import MarketData
import Synchronization
public import TickerPlant

/// See the head of this file.
public final class PlantPublisher: @unchecked Sendable {
  /// What it is to publish, and as whom.
  public struct Configuration: Sendable {
    /// Market identifier code.
    public var market: String
    /// The node's name.
    public var node: String
    /// How frames are made; its configuration hash and incarnation are the node's.
    public var stream: StreamPublisher.Configuration
    /// Between two beats.
    public var beatMilliseconds = 100
    /// A feed that is so late is as good as silent: the beats say that the plant is out of service.
    public var silentMilliseconds = 1_000
    /// Bytes of the ring between the feed thread and this one.
    public var ringBytes = 16 << 20

    /// A configuration.
    /// - Parameters:
    ///   - configuration: hash of the node's configuration: nodes with another one don't merge.
    ///   - incarnation: another number after each start.
    public init(market: String, node: String, configuration: UInt32, incarnation: UInt64) {
      self.market = market
      self.node = node
      stream = StreamPublisher.Configuration(configuration: configuration, incarnation: incarnation)
    }
  }

  /// Its figures at one moment.
  public struct Report: Sendable {
    /// What was counted.
    public var counters = StreamPublisher.Counters()
    /// Where the stream is; nil before the source said anything.
    public var position: StreamPosition?
    /// Instruments that somebody wants.
    public var wanted = 0
    /// Questions that came.
    public var questions: UInt64 = 0
    /// Questions that are none, or too many at once.
    public var refused: UInt64 = 0
    /// Bytes of answers.
    public var answerBytes: UInt64 = 0
    /// Windows of messages of which another plant said the same.
    public var equalWindows: UInt64 = 0
    /// Windows of messages that were not compared, because one of two plants could tell no sum of them any more.
    public var passedOverWindows: UInt64 = 0
    /// Where another plant said something else, newest last: an alarm.
    public var differences: [PlantDifference] = []
  }

  enum Question {
    case stream(StreamQuestion, reply: String, rail: Int)
    case want([InstrumentCode])
    case beat(node: String, FrameHeader, BeatFacts)
    case summary(node: String, WindowSummary)
  }

  private struct Shared {
    var questions: [Question] = []
    var report = Report()
  }

  /// One of the feed thread's rings (`FeedThread.Outlets.rings`).
  public let ring: UpdateRing
  /// The feed thread's way to hand the state over (`FeedThread.Outlets.states`).
  public let states: StateRequests
  /// What it publishes, and as whom.
  public let configuration: Configuration
  let buses: [any Bus]
  let subjects: StreamSubjects
  var publisher: StreamPublisher
  var answers = AnswerQueue()
  /// Records of the whole state as far as it has come.
  var told: [UInt8] = []
  var awaitingState: [(reply: String, rail: Int, code: InstrumentCode?)] = []
  private var codeSubjects: [InstrumentCode: String] = [:]
  var comparison: PlantComparison
  var comparedEpoch: EpochKey?
  /// How many windows `passedOver` has been told of, and when it may be told again.
  var saidPassedOver: UInt64 = 0
  var passedOverAt: UInt64 = 0
  let found: @Sendable (PlantDifference) -> Void
  let passedOver: @Sendable (UInt64) -> Void
  private let lag: @Sendable () -> UInt64
  private let service = Atomic<UInt8>(ServiceState.inService.rawValue)
  private let stops = Atomic<Bool>(false)
  private let signal = EventSignal()
  private let finished = DispatchSemaphore(value: 0)
  private let shared = Mutex(Shared())
  private var subscriptions: [any BusSubscription] = []
  private var hasStarted = false

  private static var mostQuestions: Int { 1_000 }

  /// A publisher that hasn't begun.
  /// - Parameters:
  ///   - buses: one a rail.
  ///   - lag: how late the plant is now, nanoseconds.
  ///   - found: another plant said something else of the same messages: an alarm, and a reason to rebuild the state.
  ///   - passedOver: so many windows more could not be compared; at most once a minute.
  public init(
    _ configuration: Configuration, buses: [any Bus], lag: @escaping @Sendable () -> UInt64 = { 0 },
    found: @escaping @Sendable (PlantDifference) -> Void = { _ in },
    passedOver: @escaping @Sendable (UInt64) -> Void = { _ in }
  ) {
    self.found = found
    self.passedOver = passedOver
    comparison = PlantComparison(windowBits: configuration.stream.digestWindowBits)
    self.configuration = configuration
    self.buses = buses
    self.lag = lag
    subjects = StreamSubjects(market: configuration.market, node: configuration.node)
    publisher = StreamPublisher(configuration.stream)
    let signal = signal
    ring = UpdateRing(capacity: configuration.ringBytes) { signal.set() }
    states = StateRequests(ring: ring)
  }

  /// How the node is, for beats; any thread.
  public func setService(_ state: ServiceState) { service.store(state.rawValue, ordering: .relaxed) }

  /// Figures, at most a tenth of a second old.
  public var report: Report { shared.withLock { $0.report } }

  /// Begins.
  /// - Throws: `BusError` where market or node can't be words of a subject.
  public func start() throws(BusError) {
    for (rail, bus) in buses.enumerated() {
      subscriptions.append(
        try bus.subscribe(subjects.want) { [weak self] message in
          self?.put(.want(WantedCodes.decoded(message.payload)))
        })
      subscriptions.append(
        try bus.subscribe(subjects.replay) { [weak self] message in
          self?.put(StreamQuestion.replay(decoding: message.payload), message, rail)
        })
      subscriptions.append(
        try bus.subscribe(subjects.snapshot) { [weak self] message in
          self?.put(StreamQuestion.snapshot(decoding: message.payload), message, rail)
        })
      subscriptions.append(
        try bus.subscribe(subjects.digest) { [weak self] message in
          self?.put(StreamQuestion.digest(decoding: message.payload), message, rail)
        })
    }
    try subscribeComparison(&subscriptions)
    hasStarted = true
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "publish-\(configuration.market)"
    thread.start()
  }

  /// Ends: nothing is published after this returns.
  public func stop() {
    guard !stops.exchange(true, ordering: .acquiringAndReleasing), hasStarted else { return }
    for subscription in subscriptions { subscription.cancel() }
    signal.set()
    finished.wait()
  }

  private func put(_ question: StreamQuestion?, _ message: BusMessage, _ rail: Int) {
    guard let question, let reply = message.reply else {
      shared.withLock { $0.report.refused += 1 }
      return
    }
    put(.stream(question, reply: reply, rail: rail))
  }

  func put(_ question: Question) {
    shared.withLock { shared in
      shared.report.questions += 1
      if shared.questions.count < Self.mostQuestions {
        shared.questions.append(question)
      } else {
        shared.report.refused += 1
      }
    }
    signal.set()
  }

  // MARK: - The thread

  private func run() {
    var beatAt: UInt64 = 0
    let beat = UInt64(configuration.beatMilliseconds) * 1_000_000
    while !stops.load(ordering: .acquiring) {
      let now = Clock.monotonic()
      let wall = Clock.wall()
      // Read before the ring: what was handed on by then is in it.
      let reached = states.reached
      // A turn is bounded, so that beats and answers have theirs.
      let isEmpty = ring.drain(limit: 1 << 20) { tag, records in take(records, tag: tag, at: now, wall: wall)
      }
      if isEmpty, told.isEmpty, let reached {
        // Messages without effect move the position too.
        publisher.advance(
          to: reached.sequence, epoch: EpochName(session: reached.session, date: reached.date))
      }
      publisher.flush(at: now, wall: wall) { publish($0, $1) }
      for bus in buses { bus.flush() }
      answerQuestions(at: now, wall: wall)
      let isWaiting = answers.send(over: buses, at: now)
      if now >= beatAt {
        // Late beats are not made up for.
        beatAt = max(beatAt + beat, now + beat / 2)
        let lag = lag()
        publisher.beat(service: spoken(lag: lag), lag: lag, at: now, wall: wall) { destination, bytes in
          if case .market = destination {
            for bus in buses { bus.publish(subjects.beat, reply: nil, bytes, more: true) }
          } else {
            publish(destination, bytes)
          }
        }
        for bus in buses { bus.flush() }
        compareOwn(at: now, wall: wall)
        let counters = publisher.counters
        let position = publisher.position
        let wanted = publisher.wantedCodes.count
        shared.withLock { shared in
          shared.report.counters = counters
          shared.report.position = position
          shared.report.wanted = wanted
          shared.report.answerBytes = answers.sentBytes
          shared.report.equalWindows = comparison.equal
          shared.report.passedOverWindows = comparison.passedOver
          shared.report.differences = comparison.differences
        }
        forgetSubjects(wanted)
      }
      guard isEmpty else { continue }
      let pause = beatAt > now ? beatAt - now : 0
      signal.wait(nanoseconds: isWaiting ? min(pause, 2_000_000) : pause)
    }
  }

  /// What a beat says of the service. A plant whose feed thread hangs still has a state that looks well: its stream is
  /// to be left all the same.
  private func spoken(lag: UInt64) -> ServiceState {
    let state = ServiceState(rawValue: service.load(ordering: .relaxed)) ?? .inService
    return state == .inService && lag >= UInt64(configuration.silentMilliseconds) * 1_000_000
      ? .outByHealth : state
  }

  private func take(_ records: UnsafeRawBufferPointer, tag: UInt32, at now: UInt64, wall: UInt64) {
    guard tag & RecordSplitter.told != 0 else {
      publisher.take(records, tag: tag, at: now, wall: wall) { publish($0, $1) }
      return
    }
    told.append(contentsOf: records)
    guard tag & RecordSplitter.continues == 0 else { return }
    // What was before it belongs to the stream up to its place.
    publisher.flush(at: now, wall: wall) { publish($0, $1) }
    answerWithState(at: now, wall: wall)
    told = []
  }

  private func publish(_ destination: StreamPublisher.Destination, _ bytes: UnsafeRawBufferPointer) {
    switch destination {
    case .market:
      for bus in buses { bus.publish(subjects.all, reply: nil, bytes, more: true) }
    case .instrument(let code):
      let subject: String
      if let known = codeSubjects[code] {
        subject = known
      } else {
        subject = subjects.instrument(code)
        codeSubjects[code] = subject
      }
      for bus in buses { bus.publish(subject, reply: nil, bytes, more: true) }
    }
  }

  private func forgetSubjects(_ wanted: Int) {
    if codeSubjects.count > 2 * wanted + 1_000 { codeSubjects.removeAll() }
  }

  func takeQuestions() -> [Question] {
    shared.withLock { shared in
      guard !shared.questions.isEmpty else { return [] }
      defer { shared.questions = [] }
      return shared.questions
    }
  }
}
