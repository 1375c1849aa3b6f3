// One direction of an emulated line: when a frame leaves the other end, if it does. Pure: time and chance come in.
// A frame waits for those before it (rate), is refused where the queue is full, lost by chance or because its flow is
// black-holed, and then takes the line's delay. Frames never overtake one another, also with jitter.

/// What a line does to frames in one direction.
struct LinkSettings: Sendable, Equatable {
  /// One way.
  var delayNanoseconds: UInt64 = 0
  /// The delay is longer by up to this, evenly.
  var jitterNanoseconds: UInt64 = 0
  /// Of a million frames so many are lost.
  var lossPerMillion: UInt32 = 0
  /// Bits a second; 0: as fast as the machine.
  var bitsPerSecond: UInt64 = 0
  /// Bytes that may wait for their turn.
  var queueBytes: UInt64 = 256 * 1024
  /// Of a million flows (protocol, addresses, ports) so many get nothing through.
  var holePerMillion: UInt32 = 0
  /// Nothing gets through; no end is told.
  var isCut = false
  init() {}

  /// Frames that may be under way at once, of a quarter of a kilobyte each: those that wait for their turn and those that
  /// the delay holds. What a device gets is bounded, and so is this.
  var framesUnderWay: Int {
    let held = Double(delayNanoseconds) + Double(jitterNanoseconds)
    let bytes = Double(queueBytes) + held / 1e9 * Double(bitsPerSecond) / 8
    return Int(min(131_072, max(4_096, bytes / 256)))
  }
}

/// See the head of this file.
struct LinkModel: Sendable {
  enum Verdict: Sendable, Equatable {
    case deliver(at: UInt64)
    case dropped(Reason)
  }
  enum Reason: Int, Sendable, CaseIterable { case cut, hole, loss, queue }

  var settings = LinkSettings()
  private var busyUntil: UInt64 = 0
  private var lastDelivery: UInt64 = 0
  private var chance: UInt64

  init(seed: UInt64) { chance = seed }

  /// A frame comes in.
  /// - Parameters:
  ///   - bytes: its length.
  ///   - flow: `FlowHash` of it.
  ///   - now: nanoseconds, never less than before.
  mutating func offer(bytes: Int, flow: UInt32, at now: UInt64) -> Verdict {
    if settings.isCut { return .dropped(.cut) }
    if settings.holePerMillion > 0, (UInt64(flow) * 1_000_000) >> 32 < UInt64(settings.holePerMillion) {
      return .dropped(.hole)
    }
    if settings.lossPerMillion > 0, draw() % 1_000_000 < UInt64(settings.lossPerMillion) {
      return .dropped(.loss)
    }
    var leaves = now
    if settings.bitsPerSecond > 0 {
      let start = max(now, busyUntil)
      let waiting = (start - now) / 1_000 * settings.bitsPerSecond / 8_000_000
      if waiting > settings.queueBytes { return .dropped(.queue) }
      leaves = start + UInt64(bytes) * 8_000_000_000 / settings.bitsPerSecond
      busyUntil = leaves
    }
    leaves += settings.delayNanoseconds
    if settings.jitterNanoseconds > 0 { leaves += draw() % (settings.jitterNanoseconds + 1) }
    lastDelivery = max(lastDelivery, leaves)
    return .deliver(at: lastDelivery)
  }

  /// SplitMix64.
  private mutating func draw() -> UInt64 {
    chance &+= 0x9e37_79b9_7f4a_7c15
    var z = chance
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// Which flow an Ethernet frame belongs to, as routers that spread flows over paths do it: protocol, addresses and ports.
/// Both directions of a flow have different hashes, as on real paths. Anything but IPv4 (ARP, for one) is no flow.
enum FlowHash {
  /// What is known of a frame.
  struct Flow: Sendable, Equatable {
    /// Evenly spread; `UInt32.max` for what is no flow, which no hole takes.
    var hash: UInt32
    /// Ports of TCP and UDP; 0 else.
    var from: UInt16
    var to: UInt16
  }

  static func flow(_ frame: UnsafeRawBufferPointer) -> Flow {
    let none = Flow(hash: .max, from: 0, to: 0)
    guard frame.count >= 34, frame[12] == 8, frame[13] == 0, frame[14] >> 4 == 4 else { return none }
    let headBytes = Int(frame[14] & 15) * 4
    let isFragment = frame[20] & 0x3f != 0 || frame[21] != 0
    let transport = frame[23]
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(transport)
    for place in 26..<34 { hash = (hash ^ UInt64(frame[place])) &* 0x100_0000_01b3 }
    var from: UInt16 = 0
    var to: UInt16 = 0
    let ports = 14 + headBytes
    if !isFragment, transport == 6 || transport == 17, frame.count >= ports + 4 {
      from = UInt16(frame[ports]) << 8 | UInt16(frame[ports + 1])
      to = UInt16(frame[ports + 2]) << 8 | UInt16(frame[ports + 3])
      for place in ports..<ports + 4 { hash = (hash ^ UInt64(frame[place])) &* 0x100_0000_01b3 }
    }
    hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
    let folded = UInt32(truncatingIfNeeded: hash >> 32)
    return Flow(hash: folded == .max ? 0 : folded, from: from, to: to)
  }
}
