// A feed's own messages to and from plants elsewhere. Out: packets while somebody listens, answers to requests. In: while
// the own lines are silent or lack something, another plant's packets as one more line, and it is asked like a request
// server. How packets travel is not known here: whoever carries them gives closures.
// Bound: `mostBytes` of packets and some requests wait; what comes then is passed over and asked for later.
// Owner: what is out is the feed thread's; `offer`, `ask` and `listen` are for the carrier's threads.

public import FeedProtocols
import Synchronization

/// See the head of this file.
public final class FeedRelay: Sendable {
  /// How packets travel. Called by the feed thread; must not block. Bytes are valid during the call.
  public struct Carrier: Sendable {
    /// A packet for whoever listens.
    public var send: @Sendable (_ packet: UnsafeRawBufferPointer) -> Void
    /// An answer, to where its request came from.
    public var answer: @Sendable (_ packet: UnsafeRawBufferPointer, _ reply: String) -> Void
    /// What was sent and answered since the last call leaves: once a turn.
    public var flush: @Sendable () -> Void
    /// A request for another plant.
    public var ask: @Sendable (_ request: MoldUDP64Request) -> Void
    /// Another plant's packets are wanted, or not any more.
    public var want: @Sendable (_ isWanted: Bool) -> Void

    /// A carrier.
    public init(
      send: @escaping @Sendable (UnsafeRawBufferPointer) -> Void,
      answer: @escaping @Sendable (UnsafeRawBufferPointer, String) -> Void,
      flush: @escaping @Sendable () -> Void = {},
      ask: @escaping @Sendable (MoldUDP64Request) -> Void, want: @escaping @Sendable (Bool) -> Void
    ) {
      self.send = send
      self.answer = answer
      self.flush = flush
      self.ask = ask
      self.want = want
    }
  }

  private struct Inbox {
    var packets: [(bytes: [UInt8], isAnswer: Bool)] = []
    var byteCount = 0
    var requests: [(request: MoldUDP64Request, reply: String)] = []
    var node = ""
    var passedOver: UInt64 = 0
  }

  /// Bytes of messages kept for others.
  public let retainedBytes: Int
  let carrier: Carrier
  let signal = EventSignal()
  private let inbox = Mutex(Inbox())
  private let listenedUntil = Atomic<UInt64>(0)
  private let rebuilds = Atomic<Bool>(false)
  private static let mostBytes = 8 << 20
  private static let mostRequests = 1_000

  /// A relay.
  /// - Parameter retainedBytes: of messages kept for others, the oldest dropped.
  public init(retainedBytes: Int = 64 << 20, carrier: Carrier) {
    self.retainedBytes = retainedBytes
    self.carrier = carrier
  }

  // MARK: - The carrier's side

  /// Another plant's packet came.
  /// - Parameters:
  ///   - isAnswer: to a request of this one.
  ///   - node: whose.
  public func offer(_ packet: UnsafeRawBufferPointer, isAnswer: Bool, node: String) {
    inbox.withLock { inbox in
      inbox.node = node
      guard inbox.byteCount + packet.count <= Self.mostBytes else {
        inbox.passedOver += 1
        return
      }
      inbox.byteCount += packet.count
      inbox.packets.append(([UInt8](packet), isAnswer))
    }
    signal.set()
  }

  /// Another plant asks; the answer goes to `reply`.
  public func ask(_ request: MoldUDP64Request, reply: String) {
    inbox.withLock { inbox in
      if inbox.requests.count < Self.mostRequests { inbox.requests.append((request, reply)) }
    }
    signal.set()
  }

  /// Somebody listens until then, nanoseconds of the monotonic clock.
  public func listen(until: UInt64) {
    _ = listenedUntil.max(until, ordering: .relaxed)
    signal.set()
  }

  /// The plant's state is doubted: it is made anew from the session's messages, its own where they are still kept, and
  /// takes the present one's place when it has come as far.
  public func rebuild() {
    rebuilds.store(true, ordering: .relaxed)
    signal.set()
  }

  /// Packets passed over because too many waited.
  public var passedOver: UInt64 { inbox.withLock { $0.passedOver } }

  // MARK: - The feed thread's side

  /// The plant whose packets came last.
  var node: String { inbox.withLock { $0.node } }

  func takeRebuild() -> Bool {
    rebuilds.load(ordering: .relaxed) && rebuilds.exchange(false, ordering: .relaxed)
  }

  func isListenedTo(at now: UInt64) -> Bool { now < listenedUntil.load(ordering: .relaxed) }

  func takePackets(_ body: (UnsafeRawBufferPointer, _ isAnswer: Bool) -> Void) {
    let packets = inbox.withLock { inbox in
      defer {
        inbox.packets = []
        inbox.byteCount = 0
      }
      return inbox.packets
    }
    for packet in packets { packet.bytes.withUnsafeBytes { body($0, packet.isAnswer) } }
  }

  /// The oldest requests; what is beyond `most` waits for the next turn.
  func takeRequests(_ most: Int) -> [(request: MoldUDP64Request, reply: String)] {
    inbox.withLock { inbox in
      guard !inbox.requests.isEmpty else { return [] }
      let taken = Array(inbox.requests.prefix(most))
      inbox.requests.removeFirst(taken.count)
      return taken
    }
  }
}
