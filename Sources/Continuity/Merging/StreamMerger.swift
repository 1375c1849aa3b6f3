// Several streams of one market become one. A stream's frame says which messages it covers, (from, through]; who stands
// at p takes a frame with from <= p < through, passes over the records up to p, and stands at `through`. Where every
// frame that comes is beyond p, it waits for another stream, then asks for a replay, then for the whole state.
// One a market and consumer; single-writer. Pure: frames and times come in, records go out through the caller's
// closure, what to ask for with `nextAction`.
// Invariants: within an epoch the position never goes back; the records of a message are delivered once, all or none;
// what is shown as live was made by a source without a gap, and nothing known of is missing for longer than the wait.
// On the path of a frame in its turn: no allocation once buffers have grown, no lock.

public import MarketData
public import TickerPlant

/// See the head of this file.
public struct StreamMerger: ~Copyable {
  /// How a merger decides. Times are nanoseconds.
  public struct Configuration: Sendable {
    /// Hash of the configuration of this node; streams with another one are refused.
    public var configuration: UInt32
    /// Only wanted instruments, each with frames of its own, instead of the whole market.
    public var isSelective = false
    /// Time between lists of the instruments (selective mode).
    public var listNanoseconds: UInt64 = 60_000_000_000
    /// A wanted instrument of which no frame comes for so long isn't taken by anybody (selective mode): publishers say
    /// something of each of theirs every second.
    public var unheardNanoseconds: UInt64 = 4_000_000_000
    /// Beats come this often.
    public var beatNanoseconds: UInt64 = 100_000_000
    /// How long another stream may take to fill a hole before somebody is asked.
    public var waitNanoseconds: UInt64 = 20_000_000
    /// After this an unanswered request is made elsewhere.
    public var answerNanoseconds: UInt64 = 300_000_000
    /// Bytes of frames that wait for a hole to be filled; beyond it the whole state is asked for.
    public var heldBytes = 32 << 20
    /// Instruments that are announced at most; records of others are passed over and counted.
    public var mostInstruments = 1 << 18
    /// Beats after which nobody is waited for any more: who speaks of an epoch alone, who speaks of none of ours.
    public var patienceBeats: UInt64 = 10
    /// Beats after which a newer epoch that one publisher tells of is followed though another one goes on in ours.
    public var disputeBeats: UInt64 = 100

    /// The defaults.
    public init(configuration: UInt32) { self.configuration = configuration }

    /// Silence after which a stream isn't heard any more: three beats, and what a fourth may be late.
    var silenceNanoseconds: UInt64 { beatNanoseconds * 3 + waitNanoseconds }
    var patienceNanoseconds: UInt64 { beatNanoseconds * patienceBeats }
    var disputeNanoseconds: UInt64 { beatNanoseconds * disputeBeats }
  }

  /// What the owner is to do.
  public enum Action: Sendable, Equatable {
    /// Ask the publisher of the stream to tell (from, through] again; of one instrument where `code` is there.
    case replay(stream: Int, from: UInt64, through: UInt64, epoch: EpochKey, code: InstrumentCode?)
    /// Ask the publisher of the stream for its state.
    case snapshot(stream: Int, code: InstrumentCode?)
    /// Ask the publisher of the stream which instruments there are.
    case list(stream: Int)
    /// Tell people: the stream isn't merged, and why.
    case refused(stream: Int, reason: String)
  }

  /// Gets batches of records, valid during the call; `continues`: the last message goes on in the next batch.
  public typealias Deliver = (_ records: UnsafeRawBufferPointer, _ continues: Bool) -> Void

  /// What was counted of one stream.
  public struct StreamCounters: Sendable, Equatable {
    /// Frames that came, beats included.
    public var frames: UInt64 = 0
    /// Bytes of them.
    public var bytes: UInt64 = 0
    /// Frames that were next, and were delivered.
    public var delivered: UInt64 = 0
    /// Frames of which everything was known.
    public var duplicates: UInt64 = 0
    /// Frames that waited for a hole to be filled.
    public var held: UInt64 = 0
    /// Replays asked for.
    public var replays: UInt64 = 0
    /// Snapshots asked for.
    public var snapshots: UInt64 = 0
    /// Requests that were refused or not answered.
    public var unanswered: UInt64 = 0
    /// Frames refused because of another configuration.
    public var refused: UInt64 = 0
    /// Frames of an older epoch, or of one that isn't believed.
    public var older: UInt64 = 0
    /// Frames of a source with a gap, passed over because another has everything.
    public var incomplete: UInt64 = 0
    /// Frames that are none, and why the newest wasn't.
    public var malformed: UInt64 = 0

    /// All zero.
    public init() {}
  }

  /// What was counted of the market.
  public struct Counters: Sendable, Equatable {
    /// Records delivered.
    public var records: UInt64 = 0
    /// Holes that were noticed.
    public var holes: UInt64 = 0
    /// Snapshots that replaced the state.
    public var snapshots: UInt64 = 0
    /// Epochs begun.
    public var epochs: UInt64 = 0
    /// Times that more waited than may.
    public var overflows: UInt64 = 0
    /// Wanted instruments of which nothing came any more (selective mode).
    public var leftUnheard: UInt64 = 0
    /// Records of instruments beyond the most that are announced.
    public var beyondInstruments: UInt64 = 0

    /// All zero.
    public init() {}
  }

  /// How it decides.
  public let configuration: Configuration
  /// What was counted.
  public internal(set) var counters = Counters()

  var streams: [StreamTrack] = []
  /// Of the whole market one; else one for each instrument ever wanted.
  var coverages: [Coverage] = []
  /// Coverages with a hole or without a state.
  var active: [Int] = []
  /// The list of instruments (selective mode).
  var listing = Listing()
  /// When it was last looked for instruments of which nothing comes.
  var silenceLookedAt: UInt64 = 0
  /// Instruments ever wanted: number = place in `coverages`.
  var interest = CodeTable()
  /// Instruments announced: number = as delivered.
  var locals = CodeTable()
  /// The epoch that is followed; nil before any.
  var epoch: EpochKey?
  /// Epochs that were left, newest last.
  var left: [EpochKey] = []
  /// A newer one that isn't believed yet.
  var disputed: EpochCandidate?
  /// When somebody spoke of the followed epoch last.
  var epochHeardAt: UInt64 = 0
  /// The epoch of what was delivered last.
  var shownEpoch: EpochKey?
  var ordinal: UInt64 = 0
  var shownState: SourceState?
  /// The last message when the source was shown as ended.
  var shownEnd: UInt64?
  var shownGap: (from: UInt64, through: UInt64) = (0, 0)
  var shownSequence: UInt64 = 0
  var time: UInt64 = 0
  var actions: [Action] = []
  var out = ByteStore(capacity: 256 << 10)
  var places: [Int32] = []
  /// By local number: the snapshot that is coming has it.
  var seen: [Bool] = []

  /// A merger that has heard nothing.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    if !configuration.isSelective { coverages.append(Coverage(code: 0)) }
  }

  // MARK: - Streams

  /// Takes another stream from now on.
  /// - Parameter name: for people.
  /// - Returns: its number.
  public mutating func addStream(_ name: String) -> Int {
    streams.append(StreamTrack(name: name))
    return streams.count - 1
  }

  /// Takes a stream no more; what waits of it still counts.
  public mutating func removeStream(_ stream: Int, at now: UInt64, deliver: Deliver) {
    guard streams.indices.contains(stream), streams[stream].isTaken else { return }
    streams[stream].isTaken = false
    streams[stream].assembly.removeAll()
    streams[stream].replayAssembly.removeAll()
    for place in active where coverages[place].request?.stream == stream {
      coverages[place].request = nil
      if !coverages[place].held.isEmpty { drain(place, at: now, deliver: deliver) }
    }
    tick(at: now, deliver: deliver)
  }

  /// Takes a stream again that was removed: nothing is known of it but what was counted.
  public mutating func retakeStream(_ stream: Int) {
    guard streams.indices.contains(stream), !streams[stream].isTaken else { return }
    var track = StreamTrack(name: streams[stream].name)
    track.counters = streams[stream].counters
    streams[stream] = track
    for place in active { coverages[place].tried.removeAll { $0 == stream } }
  }

  /// What was counted of a stream.
  public func counters(ofStream stream: Int) -> StreamCounters {
    streams.indices.contains(stream) ? streams[stream].counters : StreamCounters()
  }

  /// Where a stream is as far as it is known; nil where it hasn't been heard.
  public func position(ofStream stream: Int) -> StreamPosition? {
    guard streams.indices.contains(stream), let epoch = streams[stream].epoch else { return nil }
    return StreamPosition(epoch: epoch.name, sequence: streams[stream].through)
  }

  // MARK: - What is known

  /// Where the delivered records are; nil before anything was delivered.
  public var position: StreamPosition? {
    shownEpoch.map { StreamPosition(epoch: $0.name, sequence: shownSequence) }
  }
  /// How the source is shown; nil before it was.
  public var sourceState: SourceState? { shownState }
  /// Rises with each epoch and each snapshot of the market.
  public var epochOrdinal: UInt64 { ordinal }
  /// Instruments announced, by their number.
  public var instruments: [InstrumentCode] { locals.codes }
  /// Whether something is missing now.
  public var isWaiting: Bool { !active.isEmpty }

  /// The next thing to do; nil where there is none. Call it after each frame and tick until it gives nil.
  public mutating func nextAction() -> Action? { actions.isEmpty ? nil : actions.removeFirst() }

  // MARK: - Interest

  /// Wants an instrument from now on (selective mode): its state is asked for, and frames of it are taken.
  public mutating func want(_ code: InstrumentCode, at now: UInt64, deliver: Deliver) {
    want([code], at: now, deliver: deliver)
  }

  /// Wants many at once.
  public mutating func want(_ codes: some Sequence<InstrumentCode>, at now: UInt64, deliver: Deliver) {
    guard configuration.isSelective else { return }
    for code in codes { want(code, at: now) }
    tick(at: now, deliver: deliver)
  }

  private mutating func want(_ code: InstrumentCode, at now: UInt64) {
    let place = interest.add(code)
    if place == coverages.count {
      coverages.append(Coverage(code: code.rawValue))
    } else if coverages[place].isWanted {
      return
    }
    coverages[place].reset()
    // What was said of it before: that it is listed, or was left. Its state must not be older than that.
    if shownEpoch == epoch { coverages[place].floor = shownSequence }
    coverages[place].isWanted = true
    activate(place, at: now)
  }

  /// Wants an instrument no more: what was shown of it is cleared.
  public mutating func unwant(_ code: InstrumentCode, at now: UInt64, deliver: Deliver) {
    let place = interest.number(of: code)
    guard place >= 0, coverages[place].isWanted else { return }
    coverages[place].reset()
    coverages[place].isWanted = false
    let local = locals.number(of: code)
    if local >= 0 {
      appendCleared(local, sequence: shownSequence, isHeard: false)
      hand(false, deliver)
    }
    tick(at: now, deliver: deliver)
  }

  /// Instruments that are wanted.
  public var wantedCodes: [InstrumentCode] {
    coverages.filter { $0.isWanted && $0.code != 0 }.map { InstrumentCode($0.code) }
  }
}
