// What a merger knows of one stream, and how far the whole market or one instrument is covered.

import MarketData
import TickerPlant

/// One stream.
struct StreamTrack {
  let name: String
  var isTaken = true
  var heardAt: UInt64?
  var incarnation: UInt64?
  /// The newest epoch that it told of in this incarnation, with at least one message.
  var epoch: EpochKey?
  var through: UInt64 = 0
  var state = SourceState.recovering
  var gap: (from: UInt64, through: UInt64) = (0, 0)
  /// When it last told of messages that it hadn't told of before.
  var advancedAt: UInt64?
  /// The last message that a frame of the present epoch, not only a beat, told of.
  var told: UInt64 = 0
  var hasTold = false
  /// Since when beats tell of messages whose frames don't come.
  var muteSince: UInt64?
  /// Since when it speaks of an epoch that isn't followed.
  var strangeSince: UInt64?
  /// Malformed frames, one after the other.
  var malformedInARow = 0
  /// The configuration for which it was refused.
  var refusedFor: UInt32?
  var assembly = FrameAssembly()
  var replayAssembly = FrameAssembly()
  var counters = StreamMerger.StreamCounters()

  init(name: String) { self.name = name }

  /// A gap that was declared stays one, whatever the source says afterwards.
  var hasGap: Bool { state == .gap || gap.through > 0 }
  var isWhole: Bool { !hasGap && state != .silent }
}

/// Another epoch than the one that is followed, and what came of it, until it is known which is right.
struct EpochCandidate {
  let epoch: EpochKey
  let since: UInt64
  var heardAt: UInt64
  var frames: [(stream: Int, bytes: [UInt8])] = []
  var byteCount = 0
}

/// Parts of one message until the last has come.
struct FrameAssembly {
  /// Parts may take this much: a market of 20,000 instruments that all change at once has a tenth.
  static let mostBytes = 64 << 20

  private(set) var parts: [[UInt8]] = []
  private(set) var from: UInt64 = 0
  private var byteCount = 0

  var isEmpty: Bool { parts.isEmpty }

  /// Adds a part where it follows; otherwise everything is forgotten. True where it was added.
  mutating func add(_ bytes: UnsafeRawBufferPointer, _ header: FrameHeader) -> Bool {
    if header.part == 0 { removeAll() }
    guard Int(header.part) == parts.count, header.part == 0 || header.from == from,
      byteCount + bytes.count <= Self.mostBytes
    else {
      removeAll()
      return false
    }
    from = header.from
    byteCount += bytes.count
    parts.append([UInt8](bytes))
    return true
  }

  mutating func take() -> [[UInt8]] {
    defer { removeAll() }
    return parts
  }

  mutating func removeAll() {
    parts.removeAll()
    byteCount = 0
  }
}

/// How far the market, or an instrument, is covered.
struct Coverage {
  /// A frame that waits: its parts, checked.
  struct Held {
    var from: UInt64
    var through: UInt64
    var stream: Int
    var hasGap: Bool
    var opens: Bool
    var parts: [[UInt8]]
    var byteCount: Int
  }

  /// Something that was asked for.
  struct Request {
    var stream: Int
    var isSnapshot: Bool
    var askedAt: UInt64
    var positionThen: UInt64?
  }

  /// A snapshot whose parts are coming.
  struct Progress {
    /// Parts may take this much.
    static let mostBytes = 256 << 20

    var stream: Int
    var incarnation: UInt64
    var through: UInt64
    /// Parts that came, checked, but for the last.
    var parts: [[UInt8]] = []
    var byteCount = 0
  }

  let code: UInt64
  var isWanted = true
  /// Everything up to here was delivered; nil = nothing is known of the state.
  var position: UInt64?
  /// The highest number delivered in this epoch: nothing lower may follow.
  var floor: UInt64 = 0
  /// Delivered records come from a source with a gap.
  var isTainted = false
  /// Messages up to here exist, as beats say.
  var known: UInt64 = 0
  /// Ascending `from`.
  var held: [Held] = []
  var heldBytes = 0
  /// When something was noticed to be missing.
  var since: UInt64?
  /// What was asked for; the parts of an answer are of no use without it.
  var request: Request? {
    didSet { if request == nil { progress = nil } }
  }
  /// Streams that were asked in vain.
  var tried: [Int] = []
  var needsSnapshot = false
  var progress: Progress?
  var isActive = false
  /// When a frame about it came last (selective mode).
  var heardAt: UInt64 = 0

  init(code: UInt64) { self.code = code }

  /// Nothing is known any more.
  mutating func reset() {
    position = nil
    floor = 0
    isTainted = false
    known = 0
    held.removeAll()
    heldBytes = 0
    since = nil
    request = nil
    tried.removeAll()
    needsSnapshot = false
  }

  /// The last message of what is missing before something that is there; nil where nothing is missing.
  var holeEnd: UInt64? {
    guard let position else { return nil }
    if let first = held.first, first.from > position { return first.from }
    return known > position ? known : nil
  }

  /// Whether something is missing.
  var lacks: Bool { position == nil || isTainted || needsSnapshot || holeEnd != nil }
}
