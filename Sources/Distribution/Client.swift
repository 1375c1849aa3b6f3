// One connection's side of the fan-out: what it wants, and what waits for it. What it gets next is in its seat
// (Outbox). It has a dirty set, not a queue: while the transport can't take more, an instrument's changed fields gather in a
// mask, and what goes out later is the newest value. Bound: one entry a subscribed (channel, instrument).

import TickerPlant

/// What carries a client's frames: a WebSocket, an SSE response, or a test.
public protocol ClientTransport: AnyObject {
  /// False while what was sent before still waits in the kernel or above it.
  var canTakeMore: Bool { get }
  /// A number that rises whenever the peer has taken bytes, however few. It is looked at now and then while
  /// `canTakeMore` is false: who reads slowly isn't stuck.
  var takenBytes: UInt64 { get }
  /// Sends one frame: a JSON array of events, valid during the call alone.
  func send(frame: OutgoingFrame)
  /// Ends the connection for a reason (close codes: docs/STREAM.md).
  func close(code: UInt16, reason: String)
}

/// A frame on its way out. The same bytes may go to many clients, one after another.
public struct OutgoingFrame {
  /// Bytes before the frame that a transport may write its own head into: one write then sends both.
  public static let headroomBytes = 16

  /// The frame's first byte; `headroomBytes` before it belong to the transport.
  public let start: UnsafeMutableRawPointer
  /// Bytes of the frame.
  public let byteCount: Int
  /// Text, or bytes.
  public let encoding: StreamEncoding

  init(start: UnsafeMutableRawPointer, byteCount: Int, encoding: StreamEncoding) {
    self.start = start
    self.byteCount = byteCount
    self.encoding = encoding
  }

  /// The frame.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: byteCount) }
}

/// How a connection's frames are written.
public enum StreamEncoding: Sendable, Hashable {
  /// A JSON array of events, text.
  case json
  /// kabuto.binary.1 (docs/STREAM.md, Binary frames).
  case binary
}

/// What a client may have.
public struct ClientLimits: Sendable, Equatable {
  /// (channel, instrument) pairs; `*` counts as one.
  public var subscriptions = 4_000
  /// Subscriptions by id.
  public var subscriptionIDs = 256
  /// Messages a second from the client, averaged over five seconds.
  public var messagesPerSecond = 50
  /// Milliseconds without taking a single byte while values wait, then the client is dropped.
  public var stuckMilliseconds: UInt64 = 30_000

  /// The defaults.
  public init() {}
}

/// A channel of the stream.
public enum StreamChannel: Int, Sendable, CaseIterable {
  case quotes = 0
  case books
  case trades
  case bars

  /// Its name on the wire.
  public var name: String {
    switch self {
    case .quotes: "quotes"
    case .books: "books"
    case .trades: "trades"
    case .bars: "bars"
    }
  }

  /// The channel of that name.
  public init?(name: String) {
    guard let channel = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = channel
  }
}

/// See the head of this file. Owned by its event loop.
public final class Client {
  /// Which client, within its loop.
  public let id: UInt64
  /// Its place in the outbox.
  let slot: Int32
  /// Gone once the connection is (`Distributor.remove`).
  var transport: (any ClientTransport)?
  let limits: ClientLimits
  let encoding: StreamEncoding

  /// Whether its seat is in the list of those to be sent.
  var touched = false
  var isSending = false
  /// Whether the frame that is being sent leaves nothing behind: the client is then where the sources are.
  public internal(set) var isSettled = false
  /// Instruments whose newest values wait for the transport, or for the budget: (lane, instrument) → what changed.
  var backlog: [BacklogKey: Waiting] = [:]
  /// Since when it has been passed over in a lane, because it took nothing while very much changed.
  var lag: Lag?
  var progress = Progress()
  var budget = ByteBudget()
  /// What the backlog sent although its lane holds it still: up to which sequence (trades: up to which number), so
  /// that the lane's next flush doesn't send it again.
  var served: [BacklogKey: UInt64] = [:]
  var lastSent: UInt64 = 0
  /// When it was last sent more than a short beat.
  var lastWhole: UInt64 = 0
  /// Milliseconds between beats that it asked for; nil = a beat in a long silence alone.
  var heartbeatMilliseconds: UInt64?
  /// By channel: instrument → (lane, number of subscriptions that want it).
  var wanted: [[Int32: Membership]] = Array(repeating: [:], count: StreamChannel.allCases.count)
  /// By channel: the lane that carries every instrument to this client; nil = only `wanted`.
  var everything: [Lane?] = Array(repeating: nil, count: StreamChannel.allCases.count)
  var subscriptions: [String: Subscription] = [:]
  var messageTokens: Double
  var messageTokensAt: UInt64 = 0

  /// Changes that it did not get because it was slow or over its budget: the sum of what its events told.
  public internal(set) var conflated: UInt64 = 0
  /// Events sent.
  public internal(set) var delivered: UInt64 = 0

  struct BacklogKey: Hashable {
    var lane: Int32
    var instrument: Int32
  }

  /// What changed of an instrument while the client took nothing.
  struct Waiting {
    var mask: UInt64
    /// For trades and bars: number of the first item not sent; `.max` = none is wanted.
    var from: Int
    /// Events with values that the lane had for it meanwhile.
    var changes: UInt64
  }

  struct Membership {
    var lane: Lane
    var count: Int
  }

  struct Subscription {
    var channel: StreamChannel
    var instruments: [Int32]
    var everything: Bool
    /// Bytes a second that it asked for; nil = no limit.
    var bytesPerSecond: Int?
  }

  init(
    id: UInt64, slot: Int32, transport: any ClientTransport, limits: ClientLimits, encoding: StreamEncoding,
    now: UInt64
  ) {
    self.encoding = encoding
    self.id = id
    self.slot = slot
    self.transport = transport
    self.limits = limits
    lastSent = now
    lastWhole = now
    messageTokens = Double(limits.messagesPerSecond * 5)
    messageTokensAt = now
  }

  /// Its connection is gone: sending may find that out at any time, and whoever sent goes on behind it.
  var isGone: Bool { transport == nil }

  /// True where the transport takes more and nothing older waits.
  var isOpen: Bool { !isSending && backlog.isEmpty && (transport?.canTakeMore ?? false) }

  /// The same, and its budget isn't used up.
  func isClear(now: UInt64) -> Bool { isOpen && budget.hasSome(now: now) }

  /// Takes a message token; false where the client sends too many.
  func mayReceive(now: UInt64) -> Bool {
    let rate = Double(limits.messagesPerSecond)
    messageTokens = min(rate * 5, messageTokens + Double(now &- messageTokensAt) / 1000 * rate)
    messageTokensAt = now
    guard messageTokens >= 1 else { return false }
    messageTokens -= 1
    return true
  }
}
