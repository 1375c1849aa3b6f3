// One plant's records as frames for the others: of the whole market, and of each instrument that somebody wants.
// Owner: one thread, beside the plant's ring. Pure: times come in, frames go out through the caller's closure, valid
// during the call.
// Invariants: a frame's `from` is the `through` of the frame before; every record of the messages in (from, through] is
// in the frame; a message's records are in one frame or in parts that follow each other; all records of a frame were
// made while the source was in the state that its header says. State that is told again (a restore, healing) never
// travels as records: the chain begins anew behind it, and who needs it asks for a snapshot.
// On the path of a record: no allocation once buffers have grown, no lock.

public import MarketData
public import TickerPlant

/// See the head of this file.
public struct StreamPublisher: ~Copyable {
  /// How a publisher works.
  public struct Configuration: Sendable {
    /// Hash of the configuration of the node; nodes with another one don't merge.
    public var configuration: UInt32
    /// One life of the process: another number after each start.
    public var incarnation: UInt64
    /// Bytes after which a frame is sent and another begun.
    public var frameBytes = 64 << 10
    /// Bytes of frames kept for replays.
    public var historyBytes = 32 << 20
    /// How long frames are kept for replays, nanoseconds.
    public var historyNanoseconds: UInt64 = 60_000_000_000
    /// How long a want counts, nanoseconds.
    public var leaseNanoseconds: UInt64 = 5_000_000_000
    /// Time between frames of a wanted instrument without news, nanoseconds.
    public var idleNanoseconds: UInt64 = 1_000_000_000
    /// Instruments that may be wanted at once.
    public var mostWanted = 20_000
    /// Whether sums over the records are kept (`RecordDigest`).
    public var hasDigest = true
    /// Binary logarithm of the messages of a digest's window.
    public var digestWindowBits = 12

    /// The defaults.
    public init(configuration: UInt32, incarnation: UInt64) {
      self.configuration = configuration
      self.incarnation = incarnation
    }
  }

  /// Whom a frame is for.
  public enum Destination: Sendable, Hashable {
    /// Everybody who takes the whole market.
    case market
    /// Who wants the instrument.
    case instrument(InstrumentCode)
  }

  /// What was counted.
  public struct Counters: Sendable, Equatable {
    /// Records taken that travel.
    public var records: UInt64 = 0
    /// Records of state told again, which don't travel.
    public var told: UInt64 = 0
    /// Frames of the market.
    public var frames: UInt64 = 0
    /// Their bytes.
    public var bytes: UInt64 = 0
    /// Frames of single instruments.
    public var instrumentFrames: UInt64 = 0
    /// Their bytes.
    public var instrumentBytes: UInt64 = 0
    /// Replays given.
    public var replays: UInt64 = 0
    /// Replays refused.
    public var refused: UInt64 = 0
    /// Codes not taken up because too many are wanted.
    public var notWanted: UInt64 = 0

    /// All zero.
    public init() {}
  }

  /// How it works.
  public let configuration: Configuration
  /// What was counted.
  public internal(set) var counters = Counters()
  /// How the source is, as the last frame or beat says.
  public internal(set) var state = SourceState.recovering
  /// Sums over the records, where they are kept.
  public internal(set) var digest: RecordDigest

  var epoch = EpochKey(day: 0, first: 0, second: 0)
  var ordinal: UInt64?
  var gap: (from: UInt64, through: UInt64) = (0, 0)
  /// The last message that a frame has covered.
  var told: UInt64 = 0
  /// The last message whose records have all come.
  var complete: UInt64 = 0
  /// State up to this message was told again, and isn't sent.
  var base: UInt64 = 0
  /// No frame of the epoch has been sent, and the state before its first message is known.
  var opens = false
  /// A message whose records go on in the next batch.
  var openMessage: UInt64?
  var part: UInt32 = 0
  var stateToTell = false
  var pending = FrameBuilder()
  var out = ByteStore(capacity: 64 << 10)
  var history: FrameHistory
  /// Codes by the plant's number; 0 = not known.
  var codes: [UInt64] = []
  var wanted = WantedInstruments()
  /// First messages of the newest windows that the last beat, and the one before it, told of.
  var listed: UInt64?
  var listedBefore: UInt64?

  /// A publisher that has heard nothing.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    digest = RecordDigest(windowBits: configuration.digestWindowBits)
    history = FrameHistory(bytes: configuration.historyBytes, nanoseconds: configuration.historyNanoseconds)
  }

  /// Where the stream is: everything up to here has been sent. Nil before the source said anything.
  public var position: StreamPosition? {
    ordinal == nil ? nil : StreamPosition(epoch: epoch.name, sequence: told)
  }

  // MARK: - In

  /// Takes a batch of the plant's ring. Frames leave as they fill; the rest with `flush`.
  /// - Parameters:
  ///   - records: whole records, from the plant itself.
  ///   - tag: the ring's tag; its bits say whether the last message goes on, and whether this is only for history.
  ///   - now: nanoseconds of a clock that only goes forward.
  ///   - wall: nanoseconds since 1970.
  ///   - emit: gets each frame; its bytes are valid during the call.
  public mutating func take(
    _ records: UnsafeRawBufferPointer, tag: UInt32, at now: UInt64, wall: UInt64,
    emit: (Destination, UnsafeRawBufferPointer) -> Void
  ) {
    guard tag & RecordSplitter.mends == 0, let start = records.baseAddress else { return }
    var offset = 0
    while offset + MemoryLayout<UpdateHeader>.size <= records.count {
      let header = records.loadUnaligned(fromByteOffset: offset, as: UpdateHeader.self)
      let size = Int(header.byteCount)
      guard size >= MemoryLayout<UpdateHeader>.size, offset + size <= records.count else { break }
      let record = start + offset
      offset += size
      if header.kind == UpdateKind.source.rawValue {
        takeSource(
          record.loadUnaligned(fromByteOffset: MemoryLayout<UpdateHeader>.size, as: SourcePayload.self),
          header, at: now, wall: wall, emit: emit)
        continue
      }
      if RecordSizes.isFacts(kind: header.kind) {
        learn(
          Int(header.instrument),
          record.loadUnaligned(fromByteOffset: MemoryLayout<UpdateHeader>.size, as: UInt64.self))
      }
      if header.sequence != openMessage {
        guard begin(header.sequence, at: now, wall: wall, emit: emit) else {
          counters.told &+= 1
          continue
        }
      } else if pending.byteCount + size > Self.mostBytes {
        emitPart(at: now, wall: wall, emit: emit)
      }
      append(record, header)
    }
    if tag & RecordSplitter.continues == 0 { close() }
  }

  /// The plant has applied every message up to `sequence`, and all their records have been taken: messages without
  /// effect move the position too. Read the plant's sequence first, then drain its ring until it is empty, then call
  /// this, then `flush`.
  public mutating func advance(to sequence: UInt64, epoch name: EpochName) {
    guard ordinal != nil, openMessage == nil, sequence > complete, EpochKey(name) == epoch else { return }
    complete = sequence
  }

  /// A message's first record came. False where it is state told again.
  @inline(__always)
  private mutating func begin(
    _ sequence: UInt64, at now: UInt64, wall: UInt64, emit: (Destination, UnsafeRawBufferPointer) -> Void
  ) -> Bool {
    close()
    if sequence <= complete {
      guard opens, sequence == 0, complete == 0 else { return false }
    }
    if pending.byteCount >= configuration.frameBytes { flush(at: now, wall: wall, emit: emit) }
    openMessage = sequence
    return true
  }

  /// All records of the open message have come.
  @inline(__always)
  mutating func close() {
    guard let open = openMessage else { return }
    openMessage = nil
    if open > complete { complete = open }
  }

  @inline(__always)
  private mutating func append(_ record: UnsafeRawPointer, _ header: UpdateHeader) {
    let number = Int(header.instrument)
    guard number < codes.count, codes[number] != 0 else { return }
    let code = codes[number]
    counters.records &+= 1
    pending.append(record, header, code: code)
    if configuration.hasDigest { digest.add(record, header, code: code) }
    if wanted.hasAny { wanted.append(record, header, number: number, code: code) }
  }

  @inline(__always)
  private mutating func learn(_ number: Int, _ code: UInt64) {
    if number < codes.count, codes[number] == code { return }
    learnNew(number, code)
  }

  @inline(never)
  private mutating func learnNew(_ number: Int, _ code: UInt64) {
    // A plant's numbers rise by one; anything else isn't a plant's.
    guard number < 1 << 24 else { return }
    while codes.count <= number { codes.append(0) }
    codes[number] = code
    wanted.bind(number, code)
  }

  private mutating func takeSource(
    _ source: SourcePayload, _ header: UpdateHeader, at now: UInt64, wall: UInt64,
    emit: (Destination, UnsafeRawBufferPointer) -> Void
  ) {
    let key = EpochKey(day: source.date, first: source.sessionFirst, second: source.sessionSecond)
    let newState = SourceState(rawValue: UInt8(truncatingIfNeeded: source.state)) ?? .silent
    close()
    if source.epochOrdinal != ordinal || key != epoch {
      flush(at: now, wall: wall, emit: emit)
      ordinal = source.epochOrdinal
      epoch = key
      state = newState
      gap = (source.gapFrom, source.gapThrough)
      begin(epochAt: header.sequence, at: now)
      return
    }
    if newState != state || source.gapFrom != gap.from || source.gapThrough != gap.through {
      // What came until now was made in the state before.
      flush(at: now, wall: wall, emit: emit)
      state = newState
      gap = (source.gapFrom, source.gapThrough)
      stateToTell = true
    }
    if header.sequence > complete { complete = header.sequence }
  }

  /// The chain begins anew behind state that doesn't travel; at the first message of an epoch it does.
  private mutating func begin(epochAt sequence: UInt64, at now: UInt64) {
    pending.removeAll()
    history.removeAll()
    told = sequence
    complete = sequence
    base = sequence
    part = 0
    opens = sequence == 0
    stateToTell = !opens
    digest.begin(at: sequence)
    (listed, listedBefore) = (nil, nil)
    wanted.begin(at: sequence, opens: opens)
  }
}
